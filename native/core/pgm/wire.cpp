#include "pgm/wire.hpp"

#include <algorithm>
#include <cstring>

namespace zerowire::pgm {
namespace {

// RFC 3208, section 8: bits of the header's octets 4 and 5, and the types of options (section 9).
constexpr uint8_t kVersionAndReserved = 0xf0;
constexpr uint8_t kHasOptions = 0x01;
constexpr uint8_t kNetworkSignificant = 0x02;
constexpr uint8_t kParity = 0x80;

constexpr uint8_t kOptEnd = 0x80;
constexpr uint8_t kOptLength = 0x00;
constexpr uint8_t kOptFragment = 0x01;
constexpr uint8_t kOptNakList = 0x02;
constexpr uint8_t kOptNakBackoff = 0x04;
constexpr uint8_t kOptFin = 0x0e;
constexpr uint8_t kOptReset = 0x0f;

/// Of an option without a value, and of OPT_LENGTH, which comes before all of them.
constexpr std::size_t kOptHeader = 4;
constexpr std::size_t kNakBackoffSize = 12;
constexpr int kMaxOptions = 16;

constexpr std::size_t kChecksumAt = 6;

/// A number in network order.
template <std::size_t kSize>
uint32_t number_at(const char* from) {
  uint32_t value = 0;
  for (std::size_t i = 0; i < kSize; ++i) value = value << 8 | static_cast<uint8_t>(from[i]);
  return value;
}

/// Takes numbers off the front of a datagram. What is not there reads as zero and is remembered.
class Cursor {
 public:
  explicit Cursor(std::string_view bytes) : rest_(bytes) {}

  uint8_t u8() { return static_cast<uint8_t>(number<1>()); }
  uint16_t u16() { return static_cast<uint16_t>(number<2>()); }
  uint32_t u32() { return number<4>(); }
  void copy(uint8_t* to, std::size_t size) {
    if (!has(size)) return;
    std::memcpy(to, rest_.data(), size);
    rest_.remove_prefix(size);
  }
  std::string_view rest() const { return rest_; }
  bool ended() const { return ended_; }

 private:
  bool has(std::size_t size) {
    if (rest_.size() < size) ended_ = true;
    return !ended_;
  }
  template <std::size_t kSize>
  uint32_t number() {
    if (!has(kSize)) return 0;
    const uint32_t value = number_at<kSize>(rest_.data());
    rest_.remove_prefix(kSize);
    return value;
  }

  std::string_view rest_;
  bool ended_ = false;
};

/// The reverse of Cursor; the writer of a packet knows that there is room.
class Pen {
 public:
  explicit Pen(char* to) : begin_(to), at_(to) {}

  void u8(uint8_t value) { *at_++ = static_cast<char>(value); }
  void u16(uint16_t value) {
    u8(static_cast<uint8_t>(value >> 8));
    u8(static_cast<uint8_t>(value));
  }
  void u32(uint32_t value) {
    u16(static_cast<uint16_t>(value >> 16));
    u16(static_cast<uint16_t>(value));
  }
  void copy(const uint8_t* from, std::size_t size) {
    std::memcpy(at_, from, size);
    at_ += size;
  }
  /// Address family, reserved octets, address.
  void nla(const Nla& nla) {
    u16(nla.afi);
    u16(0);
    copy(nla.bytes.data(), nla.size());
  }
  std::size_t size() const { return static_cast<std::size_t>(at_ - begin_); }

 private:
  char* const begin_;
  char* at_;
};

template <class T>
T load(const char* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

/// One's complement addition: the carry comes back in.
void add(uint64_t& sum, uint64_t word) {
  sum += word;
  sum += sum < word;
}

/// Equal to the sum, but with room for more.
uint64_t halves(uint64_t sum) { return (sum >> 32) + (sum & 0xffffffff); }

/// Sums of words in the order of the machine: RFC 1071, section 2 (B). The octets of the result
/// are the right ones once it is stored as it is.
uint16_t fold(uint64_t sum) {
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(sum);
}

/// The checksum field, in memory order. Zero would mean that there is none.
void store_checksum(char* packet, uint64_t sum) {
  auto value = static_cast<uint16_t>(~fold(sum));
  if (value == 0) value = 0xffff;
  std::memcpy(packet + kChecksumAt, &value, sizeof value);
}

bool is_data(Type type) { return type == Type::odata || type == Type::rdata; }
bool is_nak(Type type) { return type == Type::nak || type == Type::nnak || type == Type::ncf; }

bool checksum_good(std::string_view datagram, Type type) {
  if (datagram[kChecksumAt] == 0 && datagram[kChecksumAt + 1] == 0) return !is_data(type);
  return fold(partial_sum(datagram.data(), datagram.size())) == 0xffff;
}

Fault read_nla(Cursor& cursor, Nla& nla) {
  nla.afi = cursor.u16();
  (void)cursor.u16();
  if (cursor.ended()) return Fault::too_short;
  if (nla.afi != Nla::kIpv4 && nla.afi != Nla::kIpv6) return Fault::address;
  cursor.copy(nla.bytes.data(), nla.size());
  return cursor.ended() ? Fault::too_short : Fault::none;
}

/// What stands between the header and the options.
Fault read_body(Cursor& cursor, Packet& out) {
  if (out.type == Type::spmr) return Fault::none;
  out.sequence = cursor.u32();
  if (is_nak(out.type)) {
    const Fault fault = read_nla(cursor, out.source);
    return fault != Fault::none ? fault : read_nla(cursor, out.group);
  }
  out.trail = cursor.u32();
  if (out.type == Type::spm) {
    out.lead = cursor.u32();
    return read_nla(cursor, out.source);
  }
  return cursor.ended() ? Fault::too_short : Fault::none;
}

/// False: it has not the size that its type demands. What a packet of this type has no use for is
/// skipped, as is what is not known: the OPX bits, which say otherwise, are for network elements.
bool read_option(uint8_t type, std::string_view value, Packet& out) {
  if (is_nak(out.type) && type == kOptNakList) {
    if (value.size() % 4 != 0 || value.size() / 4 >= kMaxNakList) return false;
    out.list = value;
  }
  if (!out.downstream()) return true;
  switch (type) {
    case kOptFragment:
      out.fragment = is_data(out.type);
      break;
    case kOptFin:
      out.fin = true;
      break;
    case kOptReset:
      out.reset = true;
      break;
    case kOptNakBackoff: {
      if (value.size() != kNakBackoffSize - kOptHeader) return false;
      Cursor cursor(value);
      const uint32_t interval = cursor.u32();
      // Any other sequence number refers to a POLL, of which we take none (section 15.4.1).
      if (cursor.u32() == 0) out.nak_backoff = interval;
      break;
    }
    default:
      break;
  }
  return true;
}

/// The block has exactly the size that OPT_LENGTH says, and its last option is marked.
Fault read_options(Cursor& cursor, Packet& out) {
  std::string_view block = cursor.rest();
  const uint8_t type = cursor.u8();
  const uint8_t length = cursor.u8();
  const std::size_t total = cursor.u16();
  if (cursor.ended() || total > block.size()) return Fault::too_short;
  if (type != kOptLength || length != kOptHeader || total < kOptHeader) return Fault::options;
  block = block.substr(kOptHeader, total - kOptHeader);
  cursor = Cursor(cursor.rest().substr(block.size()));
  for (int count = 0;; ++count) {
    if (count == kMaxOptions || block.size() < kOptHeader) return Fault::options;
    const auto head = static_cast<uint8_t>(block[0]);
    const std::size_t size = static_cast<uint8_t>(block[1]);
    if (size < kOptHeader || size > block.size()) return Fault::options;
    const std::string_view value = block.substr(kOptHeader, size - kOptHeader);
    if (!read_option(head & ~kOptEnd, value, out)) return Fault::options;
    block.remove_prefix(size);
    if (head & kOptEnd) return block.empty() ? Fault::none : Fault::options;
  }
}

bool is_known(Type type) {
  return type == Type::spm || type == Type::spmr || is_data(type) || is_nak(type);
}

void write_header(Pen& pen, Type type, uint8_t options, const Ports& ports, std::size_t tsdu) {
  pen.u16(ports.source);
  pen.u16(ports.destination);
  pen.u8(static_cast<uint8_t>(type));
  pen.u8(options);
  pen.u16(0);
  pen.copy(ports.gsi.data(), ports.gsi.size());
  pen.u16(static_cast<uint16_t>(tsdu));
}

/// OPT_LENGTH, before options of `size` octets together.
void write_option_length(Pen& pen, std::size_t size) {
  pen.u8(kOptLength);
  pen.u8(kOptHeader);
  pen.u16(static_cast<uint16_t>(kOptHeader + size));
}

void write_option_header(Pen& pen, uint8_t type, std::size_t size) {
  pen.u8(type);
  pen.u8(static_cast<uint8_t>(size));
  pen.u16(0);
}

std::size_t finish(char* packet, const Pen& pen) {
  store_checksum(packet, partial_sum(packet, pen.size()));
  return pen.size();
}

}  // namespace

Tsi Packet::tsi() const { return {gsi, session_port()}; }

uint32_t Packet::listed(std::size_t index) const { return Cursor(list.substr(4 * index)).u32(); }

Fault decode(std::string_view datagram, Packet& out) {
  if (datagram.size() < kHeaderSize) return Fault::too_short;
  out = {};
  const char* header = datagram.data();
  out.source_port = static_cast<uint16_t>(number_at<2>(header));
  out.destination_port = static_cast<uint16_t>(number_at<2>(header + 2));
  const auto type = static_cast<uint8_t>(header[4]);
  const auto options = static_cast<uint8_t>(header[5]);
  std::memcpy(out.gsi.data(), header + 8, out.gsi.size());
  const std::size_t tsdu_size = number_at<2>(header + 14);
  Cursor cursor(datagram.substr(kHeaderSize));

  if (type & kVersionAndReserved) return Fault::version;
  out.type = static_cast<Type>(type);
  out.parity = options & kParity;
  if (!is_known(out.type)) return Fault::type;
  if (!checksum_good(datagram, out.type)) return Fault::checksum;
  Fault fault = read_body(cursor, out);
  if (fault == Fault::none && (options & kHasOptions)) fault = read_options(cursor, out);
  if (fault != Fault::none) return fault;
  if (cursor.rest().size() != tsdu_size) return Fault::length;
  if (!is_data(out.type)) return tsdu_size == 0 ? Fault::none : Fault::length;
  out.tsdu = cursor.rest();
  return Fault::none;
}

std::size_t write_spm(char* to, const Ports& ports, const Spm& spm) {
  const std::size_t fin = spm.fin ? kOptHeader : 0;
  const std::size_t backoff = spm.nak_backoff ? kNakBackoffSize : 0;
  uint8_t options = fin + backoff ? kHasOptions : 0;
  if (backoff) options |= kNetworkSignificant;
  Pen pen(to);
  write_header(pen, Type::spm, options, ports, 0);
  pen.u32(spm.sequence);
  pen.u32(spm.trail);
  pen.u32(spm.lead);
  pen.nla(spm.path);
  if (options) write_option_length(pen, fin + backoff);
  // Section 9.1: options that are for network elements too go first.
  if (backoff) {
    write_option_header(pen, fin ? kOptNakBackoff : kOptNakBackoff | kOptEnd, backoff);
    pen.u32(*spm.nak_backoff);
    pen.u32(0);
  }
  if (fin) write_option_header(pen, kOptFin | kOptEnd, fin);
  return finish(to, pen);
}

std::size_t write_nak(char* to, Type type, const Ports& ports, const Nla& source, const Nla& group,
                      const uint32_t* sequences, std::size_t count) {
  count = std::min(count, kMaxNakList);
  const uint8_t options = count > 1 ? kHasOptions | kNetworkSignificant : 0;
  Pen pen(to);
  write_header(pen, type, options, ports, 0);
  pen.u32(sequences[0]);
  pen.nla(source);
  pen.nla(group);
  if (options) {
    const std::size_t size = kOptHeader + 4 * (count - 1);
    write_option_length(pen, size);
    write_option_header(pen, kOptNakList | kOptEnd, size);
    for (std::size_t i = 1; i < count; ++i) pen.u32(sequences[i]);
  }
  return finish(to, pen);
}

std::size_t write_spmr(char* to, const Ports& ports) {
  Pen pen(to);
  write_header(pen, Type::spmr, 0, ports, 0);
  return finish(to, pen);
}

uint64_t partial_sum(const char* data, std::size_t size) {
  // Carries are added apart, in four chains, so that no step waits for the one before.
  uint64_t a = 0, b = 0, c = 0, d = 0;
  for (; size >= 32; data += 32, size -= 32) {
    add(a, load<uint64_t>(data));
    add(b, load<uint64_t>(data + 8));
    add(c, load<uint64_t>(data + 16));
    add(d, load<uint64_t>(data + 24));
  }
  for (; size >= 8; data += 8, size -= 8) add(a, load<uint64_t>(data));
  if (size & 4) {
    add(b, load<uint32_t>(data));
    data += 4;
  }
  if (size & 2) {
    add(c, load<uint16_t>(data));
    data += 2;
  }
  // An odd octet is the first of its word in memory, the second is zero (RFC 1071).
  const char last[2] = {size & 1 ? data[0] : '\0', '\0'};
  add(d, load<uint16_t>(last));
  return halves(a) + halves(b) + halves(c) + halves(d);
}

void write_data_header(char* to, Type type, const Ports& ports, uint32_t sequence, uint32_t trail,
                       std::size_t tsdu_size, uint64_t tsdu_sum) {
  Pen pen(to);
  write_header(pen, type, 0, ports, tsdu_size);
  pen.u32(sequence);
  pen.u32(trail);
  store_checksum(to, partial_sum(to, kDataHeaderSize) + tsdu_sum);
}

}  // namespace zerowire::pgm
