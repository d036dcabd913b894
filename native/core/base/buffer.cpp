#include "base/buffer.hpp"

#include <cstdlib>
#include <new>

#include "base/memory.hpp"

namespace zerowire {
namespace {

/// Of more memory than this, a processor's own cache holds little any more.
constexpr std::size_t kMostTaken = std::size_t{1024} * 1024;

/// On AMD's processors (Zen 4) a line that one other processor alone has comes within 2 to 5 ns,
/// many at a time; one of which both have copies, as after reading what the other one wrote, takes
/// 10 to 130 ns, and the next one waits for it. On Intel's (Sapphire Rapids) there is no such
/// difference.
bool prefers_lines_of_one() {
#ifdef __x86_64__
  return __builtin_cpu_is("amd");
#else
  return false;
#endif
}

/// Writes to each cache line, so that this processor alone has it: who has written to the memory on
/// another processor will soon do so again.
void take_lines(char* data, std::size_t size) {
  if (size > kMostTaken || !prefers_lines_of_one()) return;
  for (std::size_t at = 0; at < size; at += kCacheLine) {
    *const_cast<volatile char*>(data + at) = 0;
  }
}

void* as_hint(std::size_t size) { return reinterpret_cast<void*>(size); }

void release_sized(void* memory, void* size) {
  release(memory, reinterpret_cast<std::size_t>(size));
}

}  // namespace

Buffer* Buffer::create(std::size_t capacity) {
  if (capacity > SIZE_MAX - sizeof(Buffer)) return nullptr;
  void* memory = allocate(sizeof(Buffer) + capacity);
  if (!memory) return nullptr;
  auto* buffer =
      new (memory) Buffer(static_cast<char*>(memory) + sizeof(Buffer), capacity, nullptr, nullptr);
  buffer->writer_ = std::this_thread::get_id();
  return buffer;
}

Buffer* Buffer::create_growable(std::size_t capacity) {
  void* data = allocate(capacity);
  if (!data) return nullptr;
  Buffer* buffer = external(data, capacity, release_sized, as_hint(capacity));
  if (!buffer) release(data, capacity);
  return buffer;
}

Buffer* Buffer::external(void* data, std::size_t size, ReleaseFn release, void* hint) {
  void* memory = std::malloc(sizeof(Buffer));
  if (!memory) return nullptr;
  return new (memory) Buffer(static_cast<char*>(data), size, release, hint);
}

bool Buffer::resize(std::size_t capacity) {
  void* data = reallocate(data_, capacity_, capacity);
  if (!data) return false;
  data_ = static_cast<char*>(data);
  capacity_ = capacity;
  hint_ = as_hint(capacity);
  return true;
}

void Buffer::destroy() {
  if (release_) release_(data_, hint_);
  if (writer_ == std::thread::id()) return std::free(this);
  if (writer_ != std::this_thread::get_id()) take_lines(data_, capacity_);
  release(this, sizeof(Buffer) + capacity_);
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
