// Memory of buffers: large pieces are kept for a while.
#include "base/memory.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.hpp"
#include "sockets.hpp"

using namespace zerowire;
using namespace zerowire::test;

namespace {

constexpr std::size_t kMiB = std::size_t{1024} * 1024;

void drop_all() { drop_unused(kNever); }

void carry_large(const Context& context) {
  Socket pull = make(context, SocketType::pull);
  Socket push = make(context, SocketType::push);
  connect(push, bind(pull));
  const std::string large(4 * kMiB, 'x');
  send(push, {large});
  CHECK(receive(pull) == Parts{large});
  CHECK(unused_until() != kNever);
}

}  // namespace

TEST_SUITE_BEGIN("memory");

TEST_CASE("large memory that is released is used again, the last first") {
  for (const std::size_t size : {kMiB / 16, kMiB / 4, kMiB, 3 * kMiB, 16 * kMiB}) {
    void* const first = allocate(size);
    void* const second = allocate(size);
    std::memset(first, 1, size);
    std::memset(second, 2, size);
    release(first, size);
    release(second, size);
    CHECK(allocate(size) == second);
    CHECK(allocate(size + size / 100) == first);
    release(second, size);
    release(first, size + size / 100);
  }
  drop_all();
}

TEST_CASE("nothing is kept where nothing large is asked for any more") {
  void* const memory = allocate(kMiB);
  CHECK(unused_until() > now_ns());
  CHECK(unused_until() <= now_ns() + 1000 * kMillisecond);
  drop_unused(unused_until() - 1);
  CHECK(unused_until() != kNever);
  drop_unused(unused_until());
  CHECK(unused_until() == kNever);
  release(memory, kMiB);  // late, and nobody would give it back
  void* const other = allocate(2 * kMiB);
  release(other, 2 * kMiB);
  drop_all();
  CHECK(unused_until() == kNever);
}

TEST_CASE("much that is not wanted any more is freed in several turns") {
  std::vector<void*> pieces;
  for (int i = 0; i < 100; ++i) pieces.push_back(allocate(kMiB));
  for (void* piece : pieces) release(piece, kMiB);
  const int64_t later = unused_until();
  drop_unused(later);
  CHECK(unused_until() == later);
  while (unused_until() == later) drop_unused(later);
  CHECK(unused_until() == kNever);
}

TEST_CASE("an ended context gives back what large messages took") {
  carry_large(make_context());
  CHECK(eventually([] { return unused_until() == kNever; }));
}

TEST_CASE("an idle context gives back what large messages took") {
  const Context context = make_context();
  carry_large(context);
  CHECK(eventually([] { return unused_until() == kNever; }));
}

TEST_CASE("memory that is resized keeps its bytes") {
  std::size_t size = 1000;
  void* memory = allocate(size);
  std::memset(memory, 'a', size);
  for (const std::size_t next : {kMiB / 32 - 1, kMiB / 32, kMiB / 32 + 1, 9 * kMiB, 32 * kMiB,
                                 32 * kMiB + 1, 70 * kMiB, 5 * kMiB, std::size_t{500}}) {
    memory = reallocate(memory, size, next);
    REQUIRE(memory);
    size = next;
    CHECK(std::string(static_cast<char*>(memory), 500) == std::string(500, 'a'));
  }
  release(memory, size);
}

TEST_CASE("too much memory is refused") {
  CHECK(allocate(SIZE_MAX) == nullptr);
  CHECK(allocate(SIZE_MAX / 2) == nullptr);
  void* const memory = allocate(10);
  CHECK(reallocate(memory, 10, SIZE_MAX / 2) == nullptr);
  release(memory, 10);
}

TEST_CASE("threads share what is kept") {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([t] {
      for (std::size_t i = 0; i < 300; ++i) {
        const std::size_t size = kMiB / 32 + i % 5 * 100'000;
        char* const memory = static_cast<char*>(allocate(size));
        memory[0] = memory[size - 1] = static_cast<char>(t);
        if (i % 100 == 50) drop_all();
        CHECK(memory[0] == t);
        CHECK(memory[size - 1] == t);
        release(memory, size);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_SUITE_END();
