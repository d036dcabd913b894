// Buffer: a reference-counted piece of memory, the unit in which bytes are shared without copying.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>

#include "zerowire/message.hpp"

namespace zerowire {

inline constexpr std::size_t kCacheLine = 64;

/// Created with one reference; the last `unref` frees it, from whichever thread that happens on.
/// The bytes are written only while one thread holds the only reference.
class Buffer {
 public:
  /// Uninitialised memory, one allocation with the header. Null when out of memory.
  static Buffer* create(std::size_t capacity);
  /// Memory that can be resized while it is not shared.
  static Buffer* create_growable(std::size_t capacity);
  /// The caller's memory, given back by `release(data, hint)`.
  static Buffer* external(void* data, std::size_t size, ReleaseFn release, void* hint);

  /// Growable buffers with one reference only. False (unchanged) when out of memory.
  bool resize(std::size_t capacity);

  void ref() { refs_.fetch_add(1, std::memory_order_relaxed); }
  void unref() {
    if (refs_.fetch_sub(1, std::memory_order_acq_rel) == 1) destroy();
  }

  char* data() { return data_; }
  std::size_t capacity() const { return capacity_; }

 private:
  Buffer(char* data, std::size_t capacity, ReleaseFn release, void* hint)
      : data_(data), capacity_(capacity), release_(release), hint_(hint) {}
  void destroy();

  std::atomic<uint32_t> refs_{1};
  char* data_;
  std::size_t capacity_;
  ReleaseFn release_;
  void* hint_;
  std::thread::id writer_;  ///< of memory of our own: who has created, and will fill it
};

}  // namespace zerowire
