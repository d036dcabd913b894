// Numbers of the wire: ZMTP 3.x framing (RFC 23, RFC 37). They may not change.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

namespace zerowire::wire {

inline constexpr uint8_t kMore = 1;
inline constexpr uint8_t kLong = 2;
inline constexpr uint8_t kCommand = 4;
inline constexpr uint8_t kReserved = 0xF8;  ///< must be 0 on the wire

/// Never on the wire: marks a record in a pipe that is meant for the other end of the pipe itself
/// (a peer came up or ended), see pipe/control.hpp.
inline constexpr uint8_t kControl = 8;
/// Nor this: the body is not the frame's, but says where that lies (PipeWriter::write_pointer).
inline constexpr uint8_t kPointer = 16;

inline constexpr std::size_t kShortHeader = 2;
inline constexpr std::size_t kLongHeader = 9;
inline constexpr std::size_t kGreetingSize = 64;
inline constexpr std::size_t kSignatureSize = 10;

inline std::size_t header_size(std::size_t body) { return body < 256 ? kShortHeader : kLongHeader; }

inline uint64_t load_be64(const void* from) {
  uint64_t value;
  std::memcpy(&value, from, sizeof value);
  if constexpr (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__) value = __builtin_bswap64(value);
  return value;
}

inline void store_be64(void* to, uint64_t value) {
  if constexpr (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__) value = __builtin_bswap64(value);
  std::memcpy(to, &value, sizeof value);
}

/// Writes a frame header for a body of `size` bytes; returns the first byte behind it.
inline char* write_header(char* to, uint8_t flags, std::size_t size) {
  if (size < 256) {
    to[0] = static_cast<char>(flags);
    to[1] = static_cast<char>(size);
    return to + kShortHeader;
  }
  to[0] = static_cast<char>(flags | kLong);
  store_be64(to + 1, size);
  return to + kLongHeader;
}

inline void append_frame(std::string& to, uint8_t flags, const char* data, std::size_t size) {
  char header[kLongHeader];
  const char* end = write_header(header, flags, size);
  to.append(header, static_cast<std::size_t>(end - header)).append(data, size);
}

/// A frame header taken apart.
struct Header {
  uint8_t flags;
  std::size_t length;  ///< of the header itself
  uint64_t size;       ///< of the body
};

/// Reads a header that is known to be complete.
inline Header read_header(const char* from) {
  const auto flags = static_cast<uint8_t>(from[0]);
  if (flags & kLong) return {flags, kLongHeader, load_be64(from + 1)};
  return {flags, kShortHeader, static_cast<uint8_t>(from[1])};
}

/// How many frames with the very header of the first, which is `size` bytes long and whole, follow
/// each other before `end`, of `most`; at least 1. Four at a time, because one by one each look
/// would have to wait for the one before it.
inline uint64_t run_of(const char* from, std::size_t size, const char* end, uint64_t most) {
  const auto header = [](const char* at) {
    uint16_t value;
    std::memcpy(&value, at, sizeof value);
    return value;
  };
  const uint16_t first = header(from);
  uint64_t count = 1;
  for (const char* at = from + size; count + 4 <= most; at += 4 * size, count += 4) {
    if (static_cast<std::size_t>(end - at) < 4 * size) break;
    const bool same = header(at) == first && header(at + size) == first &&
                      header(at + 2 * size) == first && header(at + 3 * size) == first;
    if (!same) break;
  }
  return count;
}

}  // namespace zerowire::wire
