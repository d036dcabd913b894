// Buffers: memory that is shared by counting references.
#include "base/buffer.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <cstring>
#include <thread>
#include <vector>

#include "pipe_util.hpp"

using namespace zerowire;
using test::Counted;

// Sanitizers end the process when too much memory is asked for, unless told otherwise here.
extern "C" [[gnu::visibility("default")]] const char* __asan_default_options();
extern "C" const char* __asan_default_options() { return "allocator_may_return_null=1"; }
extern "C" [[gnu::visibility("default")]] const char* __tsan_default_options();
extern "C" const char* __tsan_default_options() { return "allocator_may_return_null=1"; }

TEST_CASE("a created buffer has the memory that was asked for") {
  for (const std::size_t size : {0u, 1u, 40u, 4096u, 1u << 20}) {
    Buffer* buffer = Buffer::create(size);
    REQUIRE(buffer);
    CHECK(buffer->capacity() == size);
    std::memset(buffer->data(), 7, size);
    buffer->unref();
  }
}

TEST_CASE("memory that cannot be had is no crash") {
  CHECK(Buffer::create(SIZE_MAX) == nullptr);
  CHECK(Buffer::create(SIZE_MAX / 2) == nullptr);
  CHECK(Buffer::create_growable(SIZE_MAX / 2) == nullptr);
}

TEST_CASE("external memory is released once, by the last reference") {
  Counted counted(100);
  counted.buffer->ref();
  CHECK(buffer_ref(counted.buffer) == counted.buffer);
  counted.buffer->unref();
  buffer_unref(counted.buffer);
  CHECK(counted.freed == 0);
  CHECK(counted.buffer->data() == counted.bytes.data());
  counted.buffer->unref();
  CHECK(counted.freed == 1);
}

TEST_CASE("external memory without a release callback stays the caller's") {
  char bytes[4] = "abc";
  Buffer* buffer = buffer_external(bytes, sizeof bytes, nullptr, nullptr);
  REQUIRE(buffer);
  buffer->unref();
  CHECK(std::string_view(bytes) == "abc");
}

TEST_CASE("a growable buffer keeps its bytes when resized") {
  Buffer* buffer = Buffer::create_growable(16);
  REQUIRE(buffer);
  std::memcpy(buffer->data(), "0123456789abcdef", 16);
  REQUIRE(buffer->resize(1 << 20));
  CHECK(buffer->capacity() == 1 << 20);
  CHECK(std::memcmp(buffer->data(), "0123456789abcdef", 16) == 0);
  std::memset(buffer->data() + 16, 1, (1 << 20) - 16);
  CHECK_FALSE(buffer->resize(SIZE_MAX / 2));
  CHECK(buffer->capacity() == 1 << 20);
  CHECK(std::memcmp(buffer->data(), "0123456789abcdef", 16) == 0);
  buffer->unref();
}

TEST_CASE("references are counted across threads") {
  Counted counted(1000);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    counted.buffer->ref();
    threads.emplace_back([buffer = counted.buffer] {
      for (int round = 0; round < 1000; ++round) {
        buffer->ref();
        buffer->unref();
      }
      buffer->unref();
    });
  }
  counted.buffer->unref();
  for (std::thread& thread : threads) thread.join();
  CHECK(counted.freed == 1);
}
