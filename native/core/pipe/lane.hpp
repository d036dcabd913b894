// Lane: messages in wire form that several pipes carry at once.
#pragma once

#include <cstddef>
#include <span>

#include "base/buffer.hpp"
#include "zerowire/message.hpp"

namespace zerowire {

/// What goes to many peers is encoded once; their pipes refer to it (PipeWriter::append_shared).
/// One that gets message after message refers to each buffer of the lane once. Belongs to a
/// pattern, used on its socket's thread; what has been added is never changed, so that IO threads
/// may read.
class Lane {
 public:
  Lane() = default;
  ~Lane() { drop(); }
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  /// The frames of a message.
  struct Bytes {
    Buffer* buffer = nullptr;  ///< null: not added
    char* data = nullptr;
    std::size_t size = 0;
  };
  /// Does not add what is too large, or better sent by reference, nor when out of memory.
  Bytes add(std::span<const Part> parts);

 private:
  bool renew();
  void drop() {
    if (buffer_) buffer_->unref();
    buffer_ = nullptr;
  }

  Buffer* buffer_ = nullptr;  ///< one reference held
  char* at_ = nullptr;
  char* limit_ = nullptr;
};

}  // namespace zerowire
