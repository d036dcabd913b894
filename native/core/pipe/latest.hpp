// Latest: the slot behind option conflate: only the newest message waits.
#pragma once

#include <mutex>
#include <utility>

#include "base/buffer.hpp"
#include "pipe/pipe.hpp"

namespace zerowire {

/// One per direction of a link. While it is on, the pipe of that direction carries, instead of
/// messages, control records saying "there is a latest message": one at a time, so neither side
/// can fall behind. A lock is fine here: conflated messages are never many.
class Latest {
 public:
  Latest() = default;
  Latest(const Latest&) = delete;
  Latest& operator=(const Latest&) = delete;
  ~Latest() { replace(nullptr, 0); }

  /// Set before traffic, by the producer's side.
  bool on = false;

  /// Producer: the frames of a message in wire form; takes over the reference. True when the
  /// consumer has to be told by a record.
  bool put(Buffer* frames, std::size_t size) { return !replace(frames, size); }
  /// Consumer: takes the message over; null if there is none.
  Buffer* take(std::size_t& size) {
    const std::lock_guard lock(mutex_);
    size = size_;
    return std::exchange(frames_, nullptr);
  }

 private:
  /// True when there was one before.
  bool replace(Buffer* frames, std::size_t size) {
    Buffer* old;
    {
      const std::lock_guard lock(mutex_);
      old = std::exchange(frames_, frames);
      size_ = size;
    }
    if (old) old->unref();
    return old != nullptr;
  }

  std::mutex mutex_;
  Buffer* frames_ = nullptr;  ///< guarded by mutex_
  std::size_t size_ = 0;      ///< guarded by mutex_
};

}  // namespace zerowire
