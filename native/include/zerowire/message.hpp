// Message: one frame that a C++ program sends or has received.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace zerowire {

class Buffer;

/// Called once when a buffer that was handed over is no longer used; from any thread.
using ReleaseFn = void (*)(void* data, void* hint);

/// A frame's bytes: inline up to kInline bytes, otherwise a reference-counted piece of memory.
///
/// Movable, never copied by accident. Not synchronised: one thread uses a Message at a time; the
/// memory behind it may be shared with IO threads, which only read it.
class Message {
 public:
  static constexpr std::size_t kInline = 103;

  Message() noexcept : size_(0), buffer_(nullptr), data_(inline_) {}
  /// Copies `bytes`. Check `ok()` after copying more than fits inline: false when out of memory.
  explicit Message(std::string_view bytes);
  /// Takes over memory without copying; `release(data, hint)` is called when it is done with.
  static Message external(void* data, std::size_t size, ReleaseFn release, void* hint);
  /// Uninitialised memory of `size` bytes to be filled through `data()`.
  static Message with_size(std::size_t size);

  Message(Message&& other) noexcept { take(other); }
  Message& operator=(Message&& other) noexcept {
    if (this != &other) {
      clear();
      take(other);
    }
    return *this;
  }
  Message(const Message&) = delete;
  Message& operator=(const Message&) = delete;
  ~Message() { clear(); }

  char* data() { return data_; }
  const char* data() const { return data_; }
  std::size_t size() const { return size_; }
  std::string_view str() const { return {data_, size_}; }
  /// True while more frames of the same message follow (set on received frames; ZMQ_RCVMORE).
  bool more() const { return more_; }
  /// False when memory for the bytes could not be had; size() is then 0.
  bool ok() const { return data_ != nullptr; }
  void clear();

 private:
  friend class Peer;
  friend class SocketCore;
  void take(Message& other) {
    size_ = other.size_;
    buffer_ = other.buffer_;
    more_ = other.more_;
    if (other.data_ == other.inline_) {
      std::memcpy(inline_, other.inline_, other.size_);
      data_ = inline_;
    } else {
      data_ = other.data_;
    }
    other.buffer_ = nullptr;
    other.size_ = 0;
    other.data_ = other.inline_;
  }
  /// Refers to (large) or copies (small) a frame that lies in `buffer`.
  void assign(const char* data, std::size_t size, Buffer* buffer, bool more) {
    if (size > kInline || buffer_) return assign_large(data, size, buffer, more);
    if (size) std::memcpy(inline_, data, size);
    data_ = inline_;
    size_ = size;
    more_ = more;
  }
  void assign_large(const char* data, std::size_t size, Buffer* buffer, bool more);

  std::size_t size_;
  Buffer* buffer_;
  char* data_;
  bool more_ = false;
  char inline_[kInline];
};

/// One frame to be sent: bytes that stay the caller's (copied), or a Buffer to refer to.
struct Part {
  const char* data = nullptr;
  std::size_t size = 0;
  /// Not null: `data` lies in it and it is referenced (not copied) when size >= kReferenceFrom.
  Buffer* buffer = nullptr;
};

/// Frames that own their memory are sent by reference from this size on, and copied below.
inline constexpr std::size_t kReferenceFrom = 8 * 1024;

/// A received frame, as a view: valid until the next receive call on the same socket.
struct FrameView {
  const char* data = nullptr;
  std::size_t size = 0;
  /// The memory the frame lies in; take a reference (buffer_ref) to keep `data` valid for longer.
  /// Null when the bytes belong to the socket (routing ids): copy those.
  Buffer* buffer = nullptr;
};

/// Reference counting of Buffers for callers that keep received frames without copying.
Buffer* buffer_ref(Buffer* buffer);
void buffer_unref(Buffer* buffer);
/// Wraps memory in a Buffer with one reference. Null when out of memory (release is not called).
Buffer* buffer_external(void* data, std::size_t size, ReleaseFn release, void* hint);

}  // namespace zerowire
