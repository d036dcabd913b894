#include "base/buffer.hpp"

#include <cstdlib>
#include <new>

namespace zerowire {
namespace {

/// Of more memory than this, a processor's own cache holds little any more.
constexpr std::size_t kMostTaken = std::size_t{1024} * 1024;

/// Writes to each cache line, so that this processor alone has it. Who has written to the memory on
/// another processor will soon do so again: a line that one other processor alone has comes within
/// 2 to 5 ns, many at a time; one of which both have copies, as after reading it here, takes 10 to
/// 130 ns (AMD Zen 4), and the next one waits for it.
void take_lines(char* data, std::size_t size) {
  if (size > kMostTaken) return;
  for (std::size_t at = 0; at < size; at += kCacheLine) {
    *const_cast<volatile char*>(data + at) = 0;
  }
}

}  // namespace

Buffer* Buffer::create(std::size_t capacity) {
  if (capacity > SIZE_MAX - sizeof(Buffer)) return nullptr;
  void* memory = std::malloc(sizeof(Buffer) + capacity);
  if (!memory) return nullptr;
  auto* buffer =
      new (memory) Buffer(static_cast<char*>(memory) + sizeof(Buffer), capacity, nullptr, nullptr);
  buffer->writer_ = std::this_thread::get_id();
  return buffer;
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
  if (writer_ != std::thread::id() && writer_ != std::this_thread::get_id()) {
    take_lines(data_, capacity_);
  }
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
