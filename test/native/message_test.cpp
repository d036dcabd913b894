// Messages: a frame's bytes, inline, owned or handed over.
#include "zerowire/message.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <utility>

using namespace zerowire;

namespace {

int released = 0;

Message handed_over(std::string& bytes) {
  released = 0;
  return Message::external(bytes.data(), bytes.size(), [](void*, void*) { ++released; }, nullptr);
}

}  // namespace

TEST_CASE("a message holds a copy of the bytes, whatever their number") {
  for (std::size_t size : {0u, 1u, 39u, 40u, 41u, 255u, 256u, 8192u, 100000u}) {
    CAPTURE(size);
    std::string bytes(size, 'a');
    Message message(bytes);
    bytes.assign(size, 'b');
    CHECK(message.ok());
    CHECK(message.size() == size);
    CHECK(message.str() == std::string(size, 'a'));
    CHECK_FALSE(message.more());
  }
}

TEST_CASE("an empty message is fine") {
  const Message message;
  CHECK(message.ok());
  CHECK(message.size() == 0);
  CHECK(message.str().empty());
}

TEST_CASE("moving a message moves its bytes") {
  for (const std::size_t size : {5u, 40u, 41u, 5000u}) {
    CAPTURE(size);
    Message from(std::string(size, 'm'));
    Message to(std::move(from));
    CHECK(to.str() == std::string(size, 'm'));
    CHECK(from.size() == 0);  // NOLINT(bugprone-use-after-move): empty by promise
    Message third(std::string(3000, 'n'));
    third = std::move(to);
    CHECK(third.str() == std::string(size, 'm'));
    Message& same = third;
    third = std::move(same);
    CHECK(third.str() == std::string(size, 'm'));
  }
}

TEST_CASE("memory that is handed over is used in place and released once") {
  std::string bytes(20, 'e');
  {
    Message message = handed_over(bytes);
    CHECK(message.data() == bytes.data());
    CHECK(message.size() == 20);
    Message other(std::move(message));
    CHECK(other.data() == bytes.data());
    message.clear();
    CHECK(released == 0);
  }
  CHECK(released == 1);
}

TEST_CASE("clear gives the memory back at once") {
  std::string bytes(20, 'e');
  Message message = handed_over(bytes);
  message.clear();
  CHECK(released == 1);
  CHECK(message.ok());
  CHECK(message.size() == 0);
  message = Message("again");
  CHECK(message.str() == "again");
  CHECK(released == 1);
}

TEST_CASE("memory that cannot be had shows in ok()") {
  Message message = Message::with_size(SIZE_MAX / 2);
  CHECK_FALSE(message.ok());
  CHECK(message.size() == 0);
  Message moved(std::move(message));
  CHECK_FALSE(moved.ok());
  moved.clear();
  CHECK(moved.ok());
}
