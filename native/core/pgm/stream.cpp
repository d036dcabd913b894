#include "pgm/stream.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "zmtp/wire.hpp"

namespace zerowire::pgm {
namespace {

constexpr uint8_t kMore = 1;
constexpr uint8_t kLong = 0xff;
/// PGM's TSDU length has 16 bits.
constexpr std::size_t kMaxTsdu = 0xffff;

constexpr std::size_t kFirstCapacity = 4096;
/// Kept for the next message, more is freed.
constexpr std::size_t kKeptCapacity = 256 * 1024;

struct FrameHeader {
  std::size_t length;  ///< of the header; or, if it is not complete, what it will be at least
  bool complete;
  bool more;
  uint64_t size;  ///< of the body
};

/// False: no frame can begin like this. Flags other than `more` are ignored, as libzmq does.
inline bool read_header(std::string_view bytes, FrameHeader& out) {
  const uint8_t first = bytes.empty() ? 1 : static_cast<uint8_t>(bytes[0]);
  out.length = first == kLong ? kLongFrameHeader : kShortFrameHeader;
  out.complete = bytes.size() >= out.length;
  if (!out.complete) return first != 0;
  const uint64_t length = first == kLong ? wire::load_be64(bytes.data() + 1) : first;
  out.more = bytes[out.length - 1] & kMore;
  out.size = length - 1;
  return length != 0;
}

/// Whether `offset` is right where the first message begins at `begin`; one that would begin right
/// behind the bytes begins in the next TSDU, but may be announced already (libzmq does not know
/// yet whether there is one).
bool agrees(uint16_t offset, std::size_t begin, std::size_t size) {
  return offset == begin || (offset == kNoMessage && begin == size);
}

}  // namespace

void StreamWriter::open(char* tsdu, std::size_t capacity) {
  tsdu_ = tsdu;
  capacity_ = std::min(capacity, kMaxTsdu);
  used_ = kOffsetSize;
  first_ = kNoMessage;
}

void StreamWriter::begin(const char* data, std::size_t size, bool more) {
  const char flags = more ? kMore : 0;
  if (size + 1 < kLong) {
    header_[0] = static_cast<char>(size + 1);
    header_[1] = flags;
    header_size_ = kShortFrameHeader;
  } else {
    header_[0] = static_cast<char>(kLong);
    wire::store_be64(header_ + 1, uint64_t{size} + 1);
    header_[kLongFrameHeader - 1] = flags;
    header_size_ = kLongFrameHeader;
  }
  header_sent_ = 0;
  body_ = data;
  body_size_ = size;
  body_sent_ = 0;
  more_ = more;
}

bool StreamWriter::put_rest() {
  if (header_sent_ < header_size_) {
    if (full()) return false;
    if (header_sent_ == 0 && message_begins_ && first_ == kNoMessage) {
      first_ = static_cast<uint16_t>(used_ - kOffsetSize);
    }
    const std::size_t part = std::min(header_size_ - header_sent_, capacity_ - used_);
    std::memcpy(tsdu_ + used_, header_ + header_sent_, part);
    used_ += part;
    header_sent_ += part;
    if (header_sent_ < header_size_) return false;
  }
  const std::size_t part = std::min(body_size_ - body_sent_, capacity_ - used_);
  if (part) std::memcpy(tsdu_ + used_, body_ + body_sent_, part);
  used_ += part;
  body_sent_ += part;
  if (body_sent_ < body_size_) return false;
  message_begins_ = !more_;
  return true;
}

std::size_t StreamWriter::close() {
  const std::size_t size = empty() ? 0 : used_;
  tsdu_[0] = static_cast<char>(first_ >> 8);
  tsdu_[1] = static_cast<char>(first_);
  tsdu_ = nullptr;
  capacity_ = used_ = 0;
  return size;
}

StreamBytes::~StreamBytes() { std::free(data_); }

bool StreamBytes::append(std::string_view bytes) {
  if (bytes.size() > capacity_ - size_) {
    if (bytes.size() > SIZE_MAX / 4 || size_ > SIZE_MAX / 4) return false;
    const std::size_t capacity = std::max({kFirstCapacity, 2 * capacity_, size_ + bytes.size()});
    void* data = std::realloc(data_, capacity);
    if (!data) return false;
    data_ = static_cast<char*>(data);
    capacity_ = capacity;
  }
  if (!bytes.empty()) std::memcpy(data_ + size_, bytes.data(), bytes.size());
  size_ += bytes.size();
  return true;
}

void StreamBytes::clear() {
  size_ = 0;
  if (capacity_ <= kKeptCapacity) return;
  std::free(data_);
  data_ = nullptr;
  capacity_ = 0;
}

StreamReader::Status StreamReader::take(std::string_view tsdu) {
  if (waiting_) return Status::full;
  if (tsdu.size() < kOffsetSize) return malformed();
  const auto offset =
      static_cast<uint16_t>(static_cast<uint8_t>(tsdu[0]) << 8 | static_cast<uint8_t>(tsdu[1]));
  const std::string_view bytes = tsdu.substr(kOffsetSize);
  if (offset != kNoMessage && offset > bytes.size()) return malformed();
  return synchronised_ ? take(offset, bytes) : join(offset, bytes);
}

/// What follows the TSDU before. An offset that contradicts where a message begins means that one
/// of the two is wrong: the begun message is not trusted, the offset is.
StreamReader::Status StreamReader::take(uint16_t offset, std::string_view bytes) {
  std::size_t begin = 0;
  Extent extent = Extent::whole;
  if (begun_.size()) extent = gather(bytes, begin);
  const bool agreed =
      extent == Extent::begun ? offset == kNoMessage : agrees(offset, begin, bytes.size());
  if (extent == Extent::bad || !agreed) {
    malformed_ = true;
    return join(offset, bytes);
  }
  if (extent == Extent::begun) return Status::ok;
  bytes.remove_prefix(begin);
  if (begun_.size()) {
    (void)split(begun_.from(0), begin);
    if (!sink_.on_message(frames_)) {
      begun_whole_ = true;
      return settle(Status::full, bytes);
    }
    drop();
  }
  const Status status = read(bytes);
  return settle(status, bytes);
}

StreamReader::Status StreamReader::join(uint16_t offset, std::string_view bytes) {
  drop();
  synchronised_ = offset != kNoMessage;
  if (synchronised_) bytes.remove_prefix(offset);
  const Status status = synchronised_ ? read(bytes) : Status::ok;
  return settle(status, bytes);
}

/// Hands out the messages in `bytes`, which begins with one, and takes them off it.
StreamReader::Status StreamReader::read(std::string_view& bytes) {
  while (!bytes.empty()) {
    std::size_t size = 0;
    const Extent extent = split(bytes, size);
    if (extent == Extent::bad) return Status::malformed;
    if (extent == Extent::begun) {
      frame_at_ = size;
      return begun_.append(bytes) ? Status::ok : Status::malformed;
    }
    if (!sink_.on_message(frames_)) return Status::full;
    bytes.remove_prefix(size);
  }
  return Status::ok;
}

/// What a call reports. `rest` is kept for a sink that is full.
StreamReader::Status StreamReader::settle(Status status, std::string_view rest) {
  if (status == Status::full) {
    rest_.clear();
    rest_at_ = 0;
    waiting_ = rest_.append(rest);
    if (waiting_) return Status::full;
    begun_whole_ = false;
    status = Status::malformed;
  }
  if (malformed_ && status == Status::ok) {
    malformed_ = false;
    return Status::malformed;
  }
  return status == Status::malformed ? malformed() : status;
}

StreamReader::Status StreamReader::malformed() {
  malformed_ = false;
  drop();
  synchronised_ = false;
  return Status::malformed;
}

StreamReader::Status StreamReader::resume() {
  if (!waiting_) return Status::ok;
  if (begun_whole_) {
    std::size_t size = 0;
    (void)split(begun_.from(0), size);
    if (!sink_.on_message(frames_)) return Status::full;
    begun_whole_ = false;
    drop();
  }
  std::string_view rest = rest_.from(rest_at_);
  const Status status = read(rest);
  rest_at_ = rest_.size() - rest.size();
  if (status == Status::full) return Status::full;
  waiting_ = false;
  const Status settled = settle(status, {});
  if (lost_) lose();
  return settled;
}

void StreamReader::lose() {
  lost_ = waiting_;
  if (waiting_) return;
  drop();
  synchronised_ = false;
}

/// Forgets the message that has begun.
void StreamReader::drop() {
  begun_.clear();
  frame_at_ = 0;
  message_size_ = 0;
  message_parts_ = 0;
}

/// The frames of the message at the front of `bytes`. `size`: its own, or that of its whole frames.
StreamReader::Extent StreamReader::split(std::string_view bytes, std::size_t& size) {
  frames_.clear();
  message_size_ = 0;
  message_parts_ = 0;
  size = 0;
  for (;;) {
    FrameHeader header;
    const std::string_view frame = bytes.substr(size);
    if (!read_header(frame, header)) return Extent::bad;
    if (!header.complete) return Extent::begun;
    if (!allowed(header.size)) return Extent::bad;
    if (frame.size() - header.length < header.size) return Extent::begun;
    count(header.size);
    frames_.push_back({frame.data() + header.length, static_cast<std::size_t>(header.size)});
    size += header.length + frames_.back().size;
    if (!header.more) return Extent::whole;
  }
}

/// Adds what `bytes` has of the begun message: `used` octets.
StreamReader::Extent StreamReader::gather(std::string_view bytes, std::size_t& used) {
  used = 0;
  for (;;) {
    FrameHeader header;
    const std::string_view frame = begun_.from(frame_at_);
    if (!read_header(frame, header)) return Extent::bad;
    if (header.complete && !allowed(header.size)) return Extent::bad;
    // Of a header that is not complete, one octet may be known: not yet how long it is.
    const std::size_t header_missing = frame.empty() ? 1 : header.length - frame.size();
    const uint64_t missing =
        header.complete ? header.size - (frame.size() - header.length) : header_missing;
    const std::string_view part = bytes.substr(used, std::min<uint64_t>(missing, SIZE_MAX));
    if (!begun_.append(part)) return Extent::bad;
    used += part.size();
    if (part.size() < missing) return Extent::begun;
    if (!header.complete) continue;
    count(header.size);
    frame_at_ = begun_.size();
    if (!header.more) return Extent::whole;
  }
}

/// Whether the message may have another frame of this size.
bool StreamReader::allowed(uint64_t frame_size) const {
  return frame_size <= limits_.frame && frame_size <= limits_.message - message_size_ &&
         message_parts_ < limits_.parts;
}

void StreamReader::count(uint64_t frame_size) {
  message_size_ += frame_size;
  ++message_parts_;
}

}  // namespace zerowire::pgm
