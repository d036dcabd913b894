#include "base/buffer.hpp"

#include <cstdlib>
#include <new>

namespace zerowire {

Buffer* Buffer::create(std::size_t capacity) {
  if (capacity > SIZE_MAX - sizeof(Buffer)) return nullptr;
  void* memory = std::malloc(sizeof(Buffer) + capacity);
  if (!memory) return nullptr;
  return new (memory)
      Buffer(static_cast<char*>(memory) + sizeof(Buffer), capacity, nullptr, nullptr);
}

Buffer* Buffer::create_growable(std::size_t capacity) {
  void* data = std::malloc(capacity ? capacity : 1);
  if (!data) return nullptr;
  Buffer* buffer =
      external(data, capacity, [](void* memory, void*) { std::free(memory); }, nullptr);
  if (!buffer) std::free(data);
  return buffer;
}

Buffer* Buffer::external(void* data, std::size_t size, ReleaseFn release, void* hint) {
  void* memory = std::malloc(sizeof(Buffer));
  if (!memory) return nullptr;
  return new (memory) Buffer(static_cast<char*>(data), size, release, hint);
}

bool Buffer::resize(std::size_t capacity) {
  void* data = std::realloc(data_, capacity);
  if (!data) return false;
  data_ = static_cast<char*>(data);
  capacity_ = capacity;
  return true;
}

void Buffer::destroy() {
  if (release_) release_(data_, hint_);
  std::free(this);
}

Buffer* buffer_ref(Buffer* buffer) {
  buffer->ref();
  return buffer;
}

void buffer_unref(Buffer* buffer) { buffer->unref(); }

Buffer* buffer_external(void* data, std::size_t size, ReleaseFn release, void* hint) {
  return Buffer::external(data, size, release, hint);
}

}  // namespace zerowire
