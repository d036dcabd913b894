// The bytes a ZMTP peer sends, made without the code under test.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace zerowire::test {

inline std::string be(uint64_t value, int bytes) {
  std::string text;
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
    text.push_back(static_cast<char>(value >> shift & 0xFF));
  }
  return text;
}

inline std::string byte(int value) { return std::string(1, static_cast<char>(value)); }

/// RFC 23: signature, version, mechanism, as-server, filler.
inline std::string greeting(int minor = 1, std::string mechanism = "NULL", int major = 3) {
  mechanism.resize(20, '\0');
  return byte(0xFF) + be(1, 8) + byte(0x7F) + byte(major) + byte(minor) + mechanism +
         std::string(32, '\0');
}

/// A header alone, with whatever size it claims.
inline std::string long_header(int flags, uint64_t size) { return byte(flags | 2) + be(size, 8); }

inline std::string frame(std::string_view body, int flags = 0) {
  const std::string header = body.size() < 256 ? byte(flags) + byte(static_cast<int>(body.size()))
                                               : long_header(flags, body.size());
  return header + std::string(body);
}

inline std::string more(std::string_view body) { return frame(body, 1); }

inline std::string command(std::string_view name, std::string_view data) {
  std::string body = byte(static_cast<int>(name.size()));
  body.append(name).append(data);
  return frame(body, 4);
}

inline std::string property(std::string_view name, std::string_view value) {
  std::string text = byte(static_cast<int>(name.size()));
  text.append(name).append(be(value.size(), 4)).append(value);
  return text;
}

inline std::string ready(std::string_view type, std::string_view identity = {}) {
  std::string metadata = property("Socket-Type", type);
  if (!identity.empty()) metadata += property("Identity", identity);
  return command("READY", metadata);
}

inline std::string ping(int ttl, std::string_view context = {}) {
  return command("PING", be(static_cast<uint64_t>(ttl), 2) + std::string(context));
}

/// Bytes that are different everywhere, so that a shift shows.
inline std::string pattern(std::size_t size, unsigned seed = 1) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) {
    text[i] = static_cast<char>((i * 2654435761u + seed * 40503u) >> 11);
  }
  return text;
}

}  // namespace zerowire::test
