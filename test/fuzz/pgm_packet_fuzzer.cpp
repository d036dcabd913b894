// PGM packets: what is understood lies within the datagram, and is built again to mean the same.
#include <cstring>
#include <string>
#include <vector>

#include "input.hpp"
#include "pgm/wire.hpp"

using namespace zerowire;
using namespace zerowire::pgm;
using fuzz::require;

namespace {

constexpr std::size_t kChecksumAt = 6;

bool within(std::string_view part, std::string_view whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

/// Nobody finds checksums by chance.
void seal(std::string& datagram) {
  std::memset(datagram.data() + kChecksumAt, 0, 2);
  uint64_t sum = partial_sum(datagram.data(), datagram.size());
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  auto checksum = static_cast<uint16_t>(~sum);
  if (checksum == 0) checksum = 0xffff;
  std::memcpy(datagram.data() + kChecksumAt, &checksum, sizeof checksum);
}

std::string rebuilt(const Packet& packet) {
  const Ports ports = {packet.gsi, packet.source_port, packet.destination_port};
  char bytes[kMaxControlSize];
  std::vector<uint32_t> wanted = {packet.sequence};
  for (std::size_t i = 0; i < packet.listed(); ++i) wanted.push_back(packet.listed(i));
  switch (packet.type) {
    case Type::odata:
    case Type::rdata: {
      std::string data(kDataHeaderSize, '\0');
      write_data_header(data.data(), packet.type, ports, packet.sequence, packet.trail,
                        packet.tsdu.size(), partial_sum(packet.tsdu.data(), packet.tsdu.size()));
      return data.append(packet.tsdu);
    }
    case Type::spm:
      return {bytes, write_spm(bytes, ports,
                               {packet.sequence, packet.trail, packet.lead, packet.source,
                                packet.fin, packet.nak_backoff})};
    case Type::spmr:
      return {bytes, write_spmr(bytes, ports)};
    default:
      return {bytes, write_nak(bytes, packet.type, ports, packet.source, packet.group,
                               wanted.data(), wanted.size())};
  }
}

void check_same(const Packet& a, const Packet& b) {
  require(a.type == b.type && a.tsi() == b.tsi() && a.downstream() == b.downstream());
  require(a.sequence == b.sequence && a.trail == b.trail && a.lead == b.lead);
  require(a.source == b.source && a.group == b.group);
  require(a.tsdu == b.tsdu && a.list == b.list && a.listed() < kMaxNakList);
  if (a.type == Type::spm) require(a.fin == b.fin && a.nak_backoff == b.nak_backoff);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  if (size > 600) return -1;
  std::string datagram(reinterpret_cast<const char*>(data), size);
  Packet packet;
  if (decode(datagram, packet) != Fault::none) {
    if (size < kHeaderSize) return 0;
    seal(datagram);
    if (decode(datagram, packet) != Fault::none) return 0;
  }
  require(within(packet.tsdu, datagram) && within(packet.list, datagram));
  const std::string again = rebuilt(packet);
  Packet same;
  require(decode(again, same) == Fault::none);
  check_same(packet, same);
  return 0;
}
