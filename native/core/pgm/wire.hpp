// PGM packets (RFC 3208, section 8): what they look like on the wire. Numbers may not change.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace zerowire::pgm {

enum class Type : uint8_t {
  spm = 0x00,
  poll = 0x01,
  polr = 0x02,
  odata = 0x04,
  rdata = 0x05,
  nak = 0x08,
  nnak = 0x09,
  ncf = 0x0a,
  spmr = 0x0c,
  ack = 0x0d,
};

inline constexpr std::size_t kHeaderSize = 16;
/// Header of ODATA and RDATA without options; the TSDU follows.
inline constexpr std::size_t kDataHeaderSize = 24;
/// Sequence numbers that one NAK or NCF can name: its own and those of OPT_NAK_LIST.
inline constexpr std::size_t kMaxNakList = 63;
/// No packet that we build apart from data is larger (NAK with a full list, IPv6).
inline constexpr std::size_t kMaxControlSize = 60 + 4 + 4 + 4 * (kMaxNakList - 1);

/// Network layer address: IPv4 or IPv6, in network order.
struct Nla {
  static constexpr uint16_t kIpv4 = 1;
  static constexpr uint16_t kIpv6 = 2;

  uint16_t afi = 0;  ///< 0 = none
  std::array<uint8_t, 16> bytes{};

  std::size_t size() const { return afi == kIpv6 ? 16 : 4; }
  bool multicast() const {
    return (afi == kIpv4 && bytes[0] >= 224 && bytes[0] < 240) || (afi == kIpv6 && bytes[0] == 255);
  }
  bool operator==(const Nla&) const = default;
};

using Gsi = std::array<uint8_t, 6>;

/// Transport session identifier: a source and the port it sends from.
struct Tsi {
  Gsi gsi{};
  uint16_t port = 0;
  bool operator==(const Tsi&) const = default;
};

/// a - b in serial number arithmetic (RFC 1982): negative when a is before b.
inline int32_t distance(uint32_t a, uint32_t b) { return static_cast<int32_t>(a - b); }

/// A decoded packet; views point into the datagram.
struct Packet {
  Type type{};
  uint16_t source_port = 0;
  uint16_t destination_port = 0;
  Gsi gsi{};
  bool parity = false;    ///< options bit 0x80
  uint32_t sequence = 0;  ///< SPM: its own; data; NAK, NNAK, NCF: the first
  uint32_t trail = 0;     ///< SPM and data
  uint32_t lead = 0;      ///< SPM
  Nla source;             ///< SPM: path; NAK, NNAK, NCF: the source
  Nla group;              ///< NAK, NNAK, NCF
  std::string_view tsdu;  ///< ODATA, RDATA
  std::string_view list;  ///< OPT_NAK_LIST: further sequence numbers, 4 octets each
  bool fin = false;
  bool reset = false;
  bool fragment = false;                ///< OPT_FRAGMENT: the TSDU is a piece of an APDU
  std::optional<uint32_t> nak_backoff;  ///< OPT_NAK_BO_IVL: microseconds

  /// The transport session a downstream packet belongs to, or an upstream one is meant for.
  Tsi tsi() const;
  /// tsi() == other, without putting one together.
  bool of(const Tsi& other) const { return other.port == session_port() && other.gsi == gsi; }
  bool downstream() const {
    return type == Type::spm || type == Type::odata || type == Type::rdata || type == Type::ncf;
  }
  std::size_t listed() const { return list.size() / 4; }
  uint32_t listed(std::size_t index) const;

 private:
  uint16_t session_port() const { return downstream() ? source_port : destination_port; }
};

enum class Fault : uint8_t {
  none,
  too_short,  ///< for what its header and type announce
  version,    ///< or reserved bits
  checksum,   ///< wrong, or missing on data
  type,       ///< unknown, or of no use here (POLL, POLR, ACK)
  length,     ///< the TSDU length differs from what follows
  options,    ///< the option block is malformed
  address,    ///< unknown address family
};

/// Takes a packet apart; every length is checked. On a fault `out` is undefined.
[[nodiscard]] Fault decode(std::string_view datagram, Packet& out);

/// What identifies the session in the header of everything we build.
struct Ports {
  Gsi gsi{};
  uint16_t source = 0;       ///< as in the packet's header
  uint16_t destination = 0;  ///< as in the packet's header
};

struct Spm {
  uint32_t sequence = 0;
  uint32_t trail = 0;
  uint32_t lead = 0;
  Nla path;
  bool fin = false;
  std::optional<uint32_t> nak_backoff;  ///< adds OPT_NAK_BO_IVL, microseconds
};

/// Writers: into at least kMaxControlSize bytes; they return the packet's size.
std::size_t write_spm(char* to, const Ports& ports, const Spm& spm);
/// NAK, NNAK or NCF (`type`) for 1..kMaxNakList sequence numbers.
std::size_t write_nak(char* to, Type type, const Ports& ports, const Nla& source, const Nla& group,
                      const uint32_t* sequences, std::size_t count);
std::size_t write_spmr(char* to, const Ports& ports);

/// One's complement sum of bytes that begin at an even offset of the packet; not folded.
uint64_t partial_sum(const char* data, std::size_t size);
/// Fills the kDataHeaderSize bytes before a TSDU whose partial_sum() is known. Type odata or rdata.
void write_data_header(char* to, Type type, const Ports& ports, uint32_t sequence, uint32_t trail,
                       std::size_t tsdu_size, uint64_t tsdu_sum);

}  // namespace zerowire::pgm
