// Copying few bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace zerowire {

// Arrays of char would go by way of the stack.
typedef char Bytes16 __attribute__((vector_size(16)));

/// One to two Blocks: the first and the last, which may overlap.
template <class Block>
inline void copy_ends(char* to, const char* from, std::size_t size) {
  Block first, last;
  std::memcpy(&first, from, sizeof first);
  std::memcpy(&last, from + size - sizeof last, sizeof last);
  std::memcpy(to, &first, sizeof first);
  std::memcpy(to + size - sizeof last, &last, sizeof last);
}

/// memcpy for bytes that are few as a rule: a call costs as much as copying 64 of them.
inline void copy_bytes(char* to, const char* from, std::size_t size) {
  if (size > 64) {
    std::memcpy(to, from, size);
  } else if (size >= 32) {
    copy_ends<Bytes16>(to, from, 32);
    copy_ends<Bytes16>(to + size - 32, from + size - 32, 32);
  } else if (size >= 16) {
    copy_ends<Bytes16>(to, from, size);
  } else if (size >= 8) {
    copy_ends<uint64_t>(to, from, size);
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
