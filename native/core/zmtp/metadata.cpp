#include "zmtp/metadata.hpp"

#include <strings.h>

#include <cstdint>

namespace zerowire {
namespace {

constexpr int kMaxProperties = 64;
constexpr std::size_t kMaxRoutingId = 255;

bool same_name(std::string_view a, std::string_view b) {
  return a.size() == b.size() && ::strncasecmp(a.data(), b.data(), a.size()) == 0;
}

uint32_t load_be32(const char* from) {
  const auto* p = reinterpret_cast<const unsigned char*>(from);
  return uint32_t{p[0]} << 24 | uint32_t{p[1]} << 16 | uint32_t{p[2]} << 8 | p[3];
}

struct TypeInfo {
  std::string_view name;
  std::string_view peers[3];
};

constexpr TypeInfo kTypes[] = {
    {"PAIR", {"PAIR"}},
    {"PUB", {"SUB", "XSUB"}},
    {"SUB", {"PUB", "XPUB"}},
    {"REQ", {"REP", "ROUTER"}},
    {"REP", {"REQ", "DEALER"}},
    {"DEALER", {"REP", "DEALER", "ROUTER"}},
    {"ROUTER", {"REQ", "DEALER", "ROUTER"}},
    {"PULL", {"PUSH"}},
    {"PUSH", {"PULL"}},
    {"XPUB", {"SUB", "XSUB"}},
    {"XSUB", {"PUB", "XPUB"}},
};

}  // namespace

void append_property(std::string& out, std::string_view name, std::string_view value) {
  out.push_back(static_cast<char>(name.size()));
  out.append(name);
  for (int shift = 24; shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>(value.size() >> shift & 0xFF));
  }
  out.append(value);
}

bool parse_metadata(std::string_view text, PeerProperties& peer) {
  bool seen_type = false;
  bool seen_id = false;
  for (int count = 0; !text.empty(); ++count) {
    if (count == kMaxProperties) return false;
    const auto name_size = static_cast<unsigned char>(text[0]);
    if (name_size == 0 || text.size() < 1u + name_size + 4) return false;
    const std::string_view name = text.substr(1, name_size);
    const uint32_t value_size = load_be32(text.data() + 1 + name_size);
    text.remove_prefix(1u + name_size + 4);
    if (value_size > text.size()) return false;
    const std::string_view value = text.substr(0, value_size);
    text.remove_prefix(value_size);
    if (!seen_type && same_name(name, "Socket-Type")) {
      peer.socket_type = value;
      seen_type = true;
    } else if (!seen_id && same_name(name, "Identity")) {
      if (value.size() > kMaxRoutingId) return false;
      peer.routing_id = value;
      seen_id = true;
    }
  }
  return true;
}

std::string_view socket_type_name(SocketType type) { return kTypes[static_cast<int>(type)].name; }

bool compatible(SocketType type, std::string_view peer) {
  for (const std::string_view name : kTypes[static_cast<int>(type)].peers) {
    if (!name.empty() && name == peer) return true;
  }
  return false;
}

}  // namespace zerowire
