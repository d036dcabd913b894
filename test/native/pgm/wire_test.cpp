// Packets: those of libzmq are understood and built to the octet, broken ones are refused.
#include "pgm/wire.hpp"

#include <arpa/inet.h>
#include <doctest/doctest.h>

#include <cstring>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "pgm/golden.hpp"

using namespace zerowire;
using namespace zerowire::pgm;
using test::GoldenPacket;

namespace {

constexpr Ports kPorts = {{1, 2, 3, 4, 5, 6}, 0xabcd, 7500};
constexpr std::size_t kChecksumAt = 6;
constexpr std::size_t kOptionsAt = 5;

std::string nla_text(const Nla& nla) {
  char text[INET6_ADDRSTRLEN] = "";
  inet_ntop(nla.afi == Nla::kIpv6 ? AF_INET6 : AF_INET, nla.bytes.data(), text, sizeof text);
  return text;
}

Nla ipv4(uint8_t last) { return {Nla::kIpv4, {10, 77, 0, last}}; }

std::string gsi_text(const Gsi& gsi) {
  std::string text;
  for (const uint8_t octet : gsi) {
    for (const int digit : {octet >> 4, octet & 15}) text.push_back("0123456789abcdef"[digit]);
  }
  return text;
}

std::vector<uint32_t> sequences(const Packet& packet) {
  std::vector<uint32_t> all = {packet.sequence};
  for (std::size_t i = 0; i < packet.listed(); ++i) all.push_back(packet.listed(i));
  return all;
}

Type type_of(const std::string& name) {
  const std::map<std::string, Type> types = {{"SPM", Type::spm},     {"ODATA", Type::odata},
                                             {"RDATA", Type::rdata}, {"NAK", Type::nak},
                                             {"NCF", Type::ncf},     {"SPMR", Type::spmr}};
  return types.at(name);
}

/// RFC 1071, word by word.
uint16_t reference_checksum(std::string bytes) {
  if (bytes.size() % 2) bytes.push_back('\0');
  uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); i += 2) {
    sum += static_cast<uint32_t>(static_cast<uint8_t>(bytes[i]) << 8 |
                                 static_cast<uint8_t>(bytes[i + 1]));
    sum = (sum & 0xffff) + (sum >> 16);
  }
  const auto checksum = static_cast<uint16_t>(~sum);
  return checksum ? checksum : 0xffff;
}

/// With the checksum that it needs.
std::string sealed(std::string packet) {
  packet.replace(kChecksumAt, 2, 2, '\0');
  const uint16_t checksum = reference_checksum(packet);
  packet[kChecksumAt] = static_cast<char>(checksum >> 8);
  packet[kChecksumAt + 1] = static_cast<char>(checksum);
  return packet;
}

Fault fault_of(const std::string& bytes) {
  // Exactly as large as the packet, so that reading past its end is seen by a sanitizer.
  const std::vector<char> exact(bytes.begin(), bytes.end());
  Packet packet;
  return decode({exact.data(), exact.size()}, packet);
}

std::string data_packet(Type type, const Ports& ports, uint32_t sequence, uint32_t trail,
                        std::string_view tsdu) {
  std::string bytes(kDataHeaderSize, '\0');
  write_data_header(bytes.data(), type, ports, sequence, trail, tsdu.size(),
                    partial_sum(tsdu.data(), tsdu.size()));
  return bytes.append(tsdu);
}

std::string spm_packet(const Spm& spm) {
  char bytes[kMaxControlSize];
  return {bytes, write_spm(bytes, kPorts, spm)};
}

std::string nak_packet(Type type, const std::vector<uint32_t>& wanted, const Nla& source,
                       const Nla& group) {
  char bytes[kMaxControlSize];
  return {bytes, write_nak(bytes, type, kPorts, source, group, wanted.data(), wanted.size())};
}

/// The packet as our writers build it.
std::string rebuilt(const Packet& packet) {
  const Ports ports = {packet.gsi, packet.source_port, packet.destination_port};
  char bytes[kMaxControlSize];
  std::size_t size = 0;
  const std::vector<uint32_t> wanted = sequences(packet);
  switch (packet.type) {
    case Type::odata:
    case Type::rdata:
      return data_packet(packet.type, ports, packet.sequence, packet.trail, packet.tsdu);
    case Type::spm:
      size = write_spm(bytes, ports,
                       {packet.sequence, packet.trail, packet.lead, packet.source, packet.fin,
                        packet.nak_backoff});
      break;
    case Type::spmr:
      size = write_spmr(bytes, ports);
      break;
    default:
      size = write_nak(bytes, packet.type, ports, packet.source, packet.group, wanted.data(),
                       wanted.size());
  }
  return {bytes, size};
}

/// OpenPGM leaves the reserved octets of OPT_NAK_LIST uninitialised: we send zeros.
std::string without_garbage(std::string bytes, const Packet& packet) {
  if (!packet.listed()) return bytes;
  bytes.replace(bytes.size() - packet.list.size() - 2, 2, 2, '\0');
  return sealed(bytes);
}

void check_facts(const GoldenPacket& golden, const Packet& packet) {
  REQUIRE(packet.type == type_of(golden.type));
  CHECK(packet.source_port == golden.number("sport"));
  CHECK(packet.destination_port == golden.number("dport"));
  CHECK(gsi_text(packet.gsi) == golden.text("gsi"));
  CHECK(packet.sequence == golden.number("sqn"));
  CHECK(packet.trail == golden.number("trail"));
  CHECK(packet.lead == golden.number("lead"));
  const bool spm = packet.type == Type::spm;
  CHECK((packet.source.afi ? nla_text(packet.source) : "") == golden.text(spm ? "path" : "src"));
  CHECK((packet.group.afi ? nla_text(packet.group) : "") == golden.text("grp"));
  CHECK(packet.tsdu.size() == golden.number("tsdu"));
  CHECK(packet.fin == (golden.number("fin") == 1));
  std::string list;
  for (std::size_t i = 0; i < packet.listed(); ++i) {
    list += (i ? "," : "") + std::to_string(packet.listed(i));
  }
  CHECK(list == golden.text("list"));
  CHECK_FALSE((packet.parity || packet.reset || packet.fragment || packet.nak_backoff));
}

/// An SPM with this behind its body.
std::string with_options(const std::string& block) {
  std::string bytes = spm_packet({1, 2, 3, ipv4(1), false, {}}) + block;
  bytes[kOptionsAt] = 1;
  return sealed(bytes);
}
std::string option_block(const std::string& options) {
  return test::from_hex("0004") + std::string(1, '\0') + static_cast<char>(4 + options.size()) +
         options;
}

}  // namespace

TEST_CASE("packets of libzmq mean what they meant to it, and are built to the octet") {
  for (const std::string& name : test::golden_names()) {
    CAPTURE(name);
    const std::vector<GoldenPacket> packets = test::golden(name);
    REQUIRE(packets.size() > 20);
    for (const GoldenPacket& golden : packets) {
      CAPTURE(golden.type);
      Packet packet;
      REQUIRE(decode(golden.bytes, packet) == Fault::none);
      check_facts(golden, packet);
      CHECK(rebuilt(packet) == without_garbage(golden.bytes, packet));
    }
  }
}

TEST_CASE("no beginning of a packet is taken for a packet") {
  for (const std::string& name : test::golden_names()) {
    for (const GoldenPacket& golden : test::golden(name)) {
      for (std::size_t size = 0; size < golden.bytes.size(); ++size) {
        const std::string cut = golden.bytes.substr(0, size);
        REQUIRE(fault_of(cut) != Fault::none);
        // With a checksum that agrees, the lengths alone must tell.
        if (size >= kHeaderSize) REQUIRE(fault_of(sealed(cut)) != Fault::none);
      }
    }
  }
}

TEST_CASE("the checksum is the one of RFC 1071 at every size and alignment") {
  Random random(1);
  std::string bytes(300, '\0');
  for (char& octet : bytes) octet = static_cast<char>(random.next());
  for (std::size_t size = 0; size < 200; ++size) {
    for (std::size_t at = 0; at < 9; ++at) {
      const std::string packet = data_packet(Type::odata, kPorts, 5, 3, bytes.substr(at, size));
      REQUIRE(packet == sealed(packet));
      REQUIRE(fault_of(packet) == Fault::none);
    }
  }
  const std::string ones(65535, '\xff');
  const std::string large = data_packet(Type::rdata, kPorts, 5, 3, ones);
  CHECK(large == sealed(large));
}

TEST_CASE("a checksum of zero is sent as ones, and means that there is none") {
  // A TSDU that makes the sum of everything else 0xffff.
  std::string packet = data_packet(Type::odata, kPorts, 0, 0, std::string(2, '\0'));
  packet[kDataHeaderSize] = packet[kChecksumAt];
  packet[kDataHeaderSize + 1] = packet[kChecksumAt + 1];
  const std::string again = data_packet(Type::odata, kPorts, 0, 0, packet.substr(kDataHeaderSize));
  CHECK(again.substr(kChecksumAt, 2) == "\xff\xff");
  CHECK(fault_of(again) == Fault::none);

  std::string without = again;
  without.replace(kChecksumAt, 2, 2, '\0');
  CHECK(fault_of(without) == Fault::checksum);
  std::string nak = nak_packet(Type::nak, {1, 2}, ipv4(1), ipv4(2));
  nak.replace(kChecksumAt, 2, 2, '\0');
  CHECK(fault_of(nak) == Fault::none);
}

TEST_CASE("one wrong bit is noticed") {
  const std::string packets[] = {data_packet(Type::odata, kPorts, 9, 4, "abc"),
                                 nak_packet(Type::ncf, {1, 2, 3}, ipv4(1), ipv4(2)),
                                 spm_packet({1, 2, 3, ipv4(1), true, 1000})};
  for (const std::string& packet : packets) {
    for (std::size_t bit = 0; bit < packet.size() * 8; ++bit) {
      std::string wrong = packet;
      wrong[bit / 8] = static_cast<char>(wrong[bit / 8] ^ (1 << bit % 8));
      REQUIRE(fault_of(wrong) != Fault::none);
    }
  }
}

TEST_CASE("version, reserved bits and types that we have no use for") {
  std::string packet = spm_packet({1, 2, 3, ipv4(1), false, {}});
  for (int type = 0; type < 256; ++type) {
    CAPTURE(type);
    packet[4] = static_cast<char>(type);
    const Fault fault = fault_of(sealed(packet));
    if (type > 15) {
      CHECK(fault == Fault::version);
    } else if (type == 1 || type == 2 || type == 3 || type == 6 || type == 7 || type == 11 ||
               type > 12) {
      CHECK(fault == Fault::type);
    } else {
      CHECK(fault != Fault::type);
    }
  }
}

TEST_CASE("what a TSDU length announces must be there, and nothing else") {
  const std::string data = data_packet(Type::odata, kPorts, 9, 4, "abcd");
  CHECK(fault_of(sealed(data + "x")) == Fault::length);
  CHECK(fault_of(sealed(data.substr(0, 27))) == Fault::length);
  CHECK(fault_of(data_packet(Type::odata, kPorts, 9, 4, "")) == Fault::none);
  const std::string spm = spm_packet({1, 2, 3, ipv4(1), false, {}});
  CHECK(fault_of(sealed(spm + "x")) == Fault::length);
  std::string announced = spm + "x";
  announced[15] = 1;
  CHECK(fault_of(sealed(announced)) == Fault::length);
}

TEST_CASE("address families") {
  Nla ipv6 = {Nla::kIpv6, {0xfd, 0x77, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};
  Packet packet;
  const std::string mixed = nak_packet(Type::nnak, {7}, ipv4(1), ipv6);
  REQUIRE(decode(mixed, packet) == Fault::none);
  CHECK(packet.source == ipv4(1));
  CHECK(packet.group == ipv6);
  const std::string full = nak_packet(Type::ncf, std::vector<uint32_t>(kMaxNakList), ipv6, ipv6);
  CHECK(full.size() == kMaxControlSize);
  for (const uint8_t afi : {0, 3, 255}) {
    std::string unknown = mixed;
    unknown[21] = static_cast<char>(afi);
    CHECK(fault_of(sealed(unknown)) == Fault::address);
  }
}

TEST_CASE("lists of NAKs, up to the most") {
  std::vector<uint32_t> wanted;
  for (uint32_t i = 1; i <= kMaxNakList; ++i) {
    wanted.push_back(i * 0x01010101);
    const std::string bytes = nak_packet(Type::nak, wanted, ipv4(1), ipv4(2));
    Packet packet;
    REQUIRE(decode(bytes, packet) == Fault::none);
    CHECK(sequences(packet) == wanted);
    CHECK(static_cast<int>(bytes[kOptionsAt]) == (i > 1 ? 3 : 0));
  }
  const std::string most = nak_packet(Type::nak, wanted, ipv4(1), ipv4(2));
  wanted.push_back(0);
  CHECK(nak_packet(Type::nak, wanted, ipv4(1), ipv4(2)) == most);

  std::string odd = nak_packet(Type::nak, {1, 2, 3}, ipv4(1), ipv4(2));
  odd.pop_back();
  --odd[39];
  --odd[41];
  CHECK(fault_of(sealed(odd)) == Fault::options);
}

TEST_CASE("SPMs with options") {
  Packet packet;
  REQUIRE(decode(spm_packet({1, 2, 3, ipv4(1), true, 4000}), packet) == Fault::none);
  CHECK(packet.fin);
  CHECK(packet.nak_backoff == 4000u);
  REQUIRE(decode(spm_packet({1, 2, 3, ipv4(1), false, 0}), packet) == Fault::none);
  CHECK_FALSE(packet.fin);
  CHECK(packet.nak_backoff == 0u);
  // A back-off that refers to a POLL is not for us.
  std::string polled = spm_packet({1, 2, 3, ipv4(1), false, 4000});
  polled.back() = 1;
  REQUIRE(decode(sealed(polled), packet) == Fault::none);
  CHECK_FALSE(packet.nak_backoff);
}

TEST_CASE("options that are not known, or not expected, are skipped") {
  const std::string bytes = with_options(option_block(
      test::from_hex("11080300deadbeef"  // OPT_CRQST, "discard the packet" to network elements
                     "02080000"          // OPT_NAK_LIST where there are no NAKs
                     "00000007"
                     "7f0cffff0000000000000000"
                     "8f040000")));  // OPT_RST
  Packet packet;
  REQUIRE(decode(bytes, packet) == Fault::none);
  CHECK(packet.reset);
  CHECK(packet.listed() == 0);
  CHECK_FALSE(packet.fin);
}

TEST_CASE("a piece of an APDU is marked") {
  std::string bytes = data_packet(Type::odata, kPorts, 9, 4, "");
  bytes[kOptionsAt] = 1;
  bytes += option_block(test::from_hex("81100000"
                                       "00000009"
                                       "00000000"
                                       "00000020")) +
           "abcd";
  bytes[15] = 4;
  Packet packet;
  const std::string whole = sealed(bytes);
  REQUIRE(decode(whole, packet) == Fault::none);
  CHECK(packet.fragment);
  CHECK(packet.tsdu == "abcd");
}

TEST_CASE("option blocks that do not hold what they say") {
  const std::string fin = test::from_hex("0e040000"), last = test::from_hex("8e040000");
  std::string fifteen;
  for (int i = 0; i < 15; ++i) fifteen += fin;
  CHECK(fault_of(with_options(option_block(fifteen + last))) == Fault::none);
  CHECK(fault_of(with_options(option_block(fifteen + fin + last))) == Fault::options);
  for (const char* block : {"", "000400", "00040008", "000400ff8e040000"}) {
    CAPTURE(block);
    CHECK(fault_of(with_options(test::from_hex(block))) == Fault::too_short);
  }
  for (const char* block : {
           "00040004",                          // empty
           "000400038e040000",                  // less than itself
           "000800088e040000",                  // OPT_LENGTH of another size
           "010400088e040000",                  // no OPT_LENGTH
           "000400068e04",                      // a piece of an option
           "000400088e000000",                  // an option without length
           "000400088e030000",                  // less than its header
           "0004000c0e028e0600000000",          // the same, before one that fits
           "000400088e050000",                  // more than the block
           "000400080e040000",                  // no last one
           "0004000c8e0400000e040000",          // one behind the last
           "00040010840800000000000000000000",  // OPT_NAK_BO_IVL without its sequence number
       }) {
    CAPTURE(block);
    CHECK(fault_of(with_options(test::from_hex(block))) == Fault::options);
  }
  CHECK(fault_of(with_options(option_block(last) + "x")) == Fault::length);
}

TEST_CASE("sessions: which port is the source's") {
  Packet packet;
  REQUIRE(decode(nak_packet(Type::nak, {1}, ipv4(1), ipv4(2)), packet) == Fault::none);
  CHECK_FALSE(packet.downstream());
  CHECK(packet.tsi() == Tsi{kPorts.gsi, kPorts.destination});
  REQUIRE(decode(nak_packet(Type::ncf, {1}, ipv4(1), ipv4(2)), packet) == Fault::none);
  CHECK(packet.downstream());
  CHECK(packet.tsi() == Tsi{kPorts.gsi, kPorts.source});
}

TEST_CASE("random octets never mean more than is there") {
  Random random(7);
  const std::vector<GoldenPacket> packets = test::golden("epgm_naklist");
  int understood = 0;
  for (int round = 0; round < 50'000; ++round) {
    std::string bytes = packets[random.below(packets.size())].bytes;
    for (uint64_t i = random.below(4); i > 0; --i) {
      bytes[random.below(bytes.size())] = static_cast<char>(random.next());
    }
    if (random.below(4) == 0) bytes.resize(random.below(bytes.size() + 1));
    if (bytes.size() >= kHeaderSize) bytes = sealed(bytes);
    Packet packet;
    if (decode(bytes, packet) != Fault::none) continue;
    ++understood;
    for (const std::string_view view : {packet.tsdu, packet.list}) {
      if (view.empty()) continue;
      REQUIRE(view.data() >= bytes.data());
      REQUIRE(view.data() + view.size() <= bytes.data() + bytes.size());
    }
    REQUIRE(packet.listed() < kMaxNakList);
  }
  CHECK(understood > 1000);
}
