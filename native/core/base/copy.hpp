// Copying few bytes.
#pragma once

#include <cstddef>
#include <cstring>

namespace zerowire {

/// N to 2N bytes: the first N and the last N, which may overlap.
template <std::size_t N>
inline void copy_ends(char* to, const char* from, std::size_t size) {
  char first[N], last[N];
  std::memcpy(first, from, N);
  std::memcpy(last, from + size - N, N);
  std::memcpy(to, first, N);
  std::memcpy(to + size - N, last, N);
}

/// memcpy for bytes that are few as a rule: a call costs as much as copying 64 of them.
inline void copy_bytes(char* to, const char* from, std::size_t size) {
  if (size > 64) {
    std::memcpy(to, from, size);
  } else if (size >= 32) {
    copy_ends<32>(to, from, size);
  } else if (size >= 16) {
    copy_ends<16>(to, from, size);
  } else if (size >= 8) {
    copy_ends<8>(to, from, size);
  } else {
    for (std::size_t i = 0; i < size; ++i) to[i] = from[i];
  }
}

/// Asks for the cache line at `at`, to be written to soon. That may lie behind the memory's end.
inline void expect_write(const char* at) {
#if defined(__x86_64__)
  asm volatile("prefetchw %0" : : "m"(*at));  // compilers have it for some processors only
#else
  __builtin_prefetch(at, 1);
#endif
}

}  // namespace zerowire
