// Lane: many pipes carry the same bytes, and each still only what was appended to it.
#include "pipe/lane.hpp"

#include <doctest/doctest.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "pipe_util.hpp"

using namespace zerowire;
using namespace zerowire::test;

namespace {

Lane::Bytes add(Lane& lane, const Parts& message) {
  std::vector<Part> parts;
  for (const std::string& part : message) parts.push_back({part.data(), part.size()});
  return lane.add(parts);
}

}  // namespace

TEST_SUITE_BEGIN("lane");

TEST_CASE("a message is encoded once and read from every pipe") {
  Lane lane;
  Pipe one(0, false), two(0, false);
  const Parts message{"topic", std::string(300, 'x'), ""};
  const Lane::Bytes bytes = add(lane, message);
  REQUIRE(bytes.buffer);
  for (Pipe* pipe : {&one, &two}) {
    REQUIRE(pipe->writer.append_shared(bytes));
    pipe->writer.commit();
    (void)pipe->writer.publish();
    CHECK(read_all(pipe->reader) == std::vector<Parts>{message});
  }
}

TEST_CASE("what follows in the lane is not seen by a pipe that does not get it") {
  Lane lane;
  Pipe pipe(0, false);
  REQUIRE(pipe.writer.append_shared(add(lane, {"first"})));
  pipe.writer.commit();
  REQUIRE(add(lane, {"for others"}).buffer);
  REQUIRE(write_message(pipe.writer, {"own"}));
  REQUIRE(pipe.writer.append_shared(add(lane, {"third"})));
  pipe.writer.commit();
  (void)pipe.writer.publish();
  CHECK(read_all(pipe.reader) == std::vector<Parts>{{"first"}, {"own"}, {"third"}});
}

TEST_CASE("a message that is given up leaves the lane's bytes alone") {
  Lane lane;
  Pipe pipe(0, false), other(0, false);
  REQUIRE(pipe.writer.append_shared(add(lane, {"kept"})));
  pipe.writer.commit();
  REQUIRE(pipe.writer.write(0, "given up", 8));
  pipe.writer.rollback();
  const Lane::Bytes next = add(lane, {"next"});
  REQUIRE(other.writer.append_shared(next));
  other.writer.commit();
  REQUIRE(write_message(pipe.writer, {"own"}));
  (void)pipe.writer.publish();
  (void)other.writer.publish();
  CHECK(read_all(pipe.reader) == std::vector<Parts>{{"kept"}, {"own"}});
  CHECK(read_all(other.reader) == std::vector<Parts>{{"next"}});
}

TEST_CASE("large messages, and large parts, are not for a lane") {
  Lane lane;
  CHECK(!add(lane, {std::string(kReferenceFrom, 'x')}).buffer);
  CHECK(!add(lane, {std::string(5000, 'x'), std::string(5000, 'y')}).buffer);
  CHECK(add(lane, {std::string(5000, 'x')}).buffer);
}

TEST_CASE("random messages to random pipes") {
  Random random(7);
  Lane lane;
  std::array<std::unique_ptr<Pipe>, 4> pipes;
  std::array<std::vector<Parts>, 4> expected;
  for (auto& pipe : pipes) pipe = std::make_unique<Pipe>(0, false);
  for (int i = 0; i < 5000; ++i) {
    const Parts message{std::to_string(i), std::string(random.below(200), 'a' + i % 26)};
    const Lane::Bytes bytes = add(lane, message);
    REQUIRE(bytes.buffer);
    for (std::size_t to = 0; to < pipes.size(); ++to) {
      const uint64_t how = random.below(8);
      if (how == 0) continue;
      PipeWriter& writer = pipes[to]->writer;
      if (how == 1)
        REQUIRE(write_message(writer, message));
      else
        REQUIRE(writer.append_shared(bytes));
      if (how != 1) writer.commit();
      expected[to].push_back(message);
      if (random.below(16) > 0) continue;
      (void)writer.publish();
      CHECK(read_all(pipes[to]->reader) == expected[to]);
      expected[to].clear();
    }
  }
}

TEST_SUITE_END();
