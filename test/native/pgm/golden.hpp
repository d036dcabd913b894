// Packets of libzmq, captured on the wire: golden/*.txt, one packet a line, in the order they came.
#pragma once

#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace zerowire::test {

struct GoldenPacket {
  std::string type;  ///< "SPM", "ODATA", ...
  /// What an independent decoder found, by name: sport, dport, gsi, sqn, trail, lead, path, src,
  /// grp, tsdu (octets), offset ("none"), list (of further sequence numbers), fin.
  std::map<std::string, std::string> facts;
  std::string bytes;

  std::string text(const std::string& name) const {
    const auto found = facts.find(name);
    return found == facts.end() ? "" : found->second;
  }
  uint32_t number(const std::string& name) const {
    return static_cast<uint32_t>(std::strtoul(text(name).c_str(), nullptr, 10));
  }
};

inline const std::vector<std::string>& golden_names() {
  static const std::vector<std::string> names = {"epgm_single",    "epgm_naklist",  "epgm_bigmsg",
                                                 "epgm_multipart", "epgm_latejoin", "epgm6_single",
                                                 "pgm_single"};
  return names;
}

inline std::string from_hex(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    unsigned octet = 0;
    std::from_chars(hex.data() + i, hex.data() + i + 2, octet, 16);
    bytes.push_back(static_cast<char>(octet));
  }
  return bytes;
}

inline GoldenPacket golden_packet(const std::string& line) {
  GoldenPacket packet;
  std::istringstream words(line);
  words >> packet.type;
  for (std::string word; words >> word;) {
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos) {
      packet.bytes = from_hex(word);
    } else {
      packet.facts[word.substr(0, equals)] = word.substr(equals + 1);
    }
  }
  return packet;
}

/// Empty if there is no such file.
inline std::vector<GoldenPacket> golden(const std::string& name) {
  const std::string here = __FILE__;
  std::ifstream file(here.substr(0, here.rfind('/') + 1) + "golden/" + name + ".txt");
  std::vector<GoldenPacket> packets;
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with('#')) packets.push_back(golden_packet(line));
  }
  return packets;
}

}  // namespace zerowire::test
