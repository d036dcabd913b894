#include "zerowire/message.hpp"

#include "base/buffer.hpp"

namespace zerowire {
namespace {

/// Smaller frames cost less to copy than to refer to.
constexpr std::size_t kShareFrom = 1024;
/// A frame that is kept holds at most so many times its size.
constexpr std::size_t kMostHeld = 32;

bool worth_sharing(std::size_t size, const Buffer* buffer) {
  return buffer && size >= kShareFrom && size >= buffer->capacity() / kMostHeld;
}

}  // namespace

Message::Message(std::string_view bytes) : Message(with_size(bytes.size())) {
  if (ok() && !bytes.empty()) std::memcpy(data_, bytes.data(), bytes.size());
}

Message Message::with_size(std::size_t size) {
  Message message;
  if (size > kInline) {
    message.buffer_ = Buffer::create(size);
    message.data_ = message.buffer_ ? message.buffer_->data() : nullptr;
  }
  message.size_ = message.data_ ? size : 0;
  return message;
}

Message Message::external(void* data, std::size_t size, ReleaseFn release, void* hint) {
  Message message;
  message.buffer_ = Buffer::external(data, size, release, hint);
  message.data_ = message.buffer_ ? static_cast<char*>(data) : nullptr;
  message.size_ = message.buffer_ ? size : 0;
  return message;
}

void Message::clear() {
  if (buffer_) buffer_->unref();
  buffer_ = nullptr;
  data_ = inline_;
  size_ = 0;
  more_ = false;
}

void Message::assign_large(const char* data, std::size_t size, Buffer* buffer, bool more) {
  clear();
  more_ = more;
  if (worth_sharing(size, buffer)) {
    buffer->ref();
    buffer_ = buffer;
    data_ = const_cast<char*>(data);
  } else if (size > kInline) {
    buffer_ = Buffer::create(size);
    data_ = buffer_ ? buffer_->data() : nullptr;
    if (data_) std::memcpy(data_, data, size);
  } else if (size) {
    std::memcpy(inline_, data, size);
  }
  size_ = data_ ? size : 0;
}

}  // namespace zerowire
