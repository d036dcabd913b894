// The decoder: bytes become frames of the pipe in place, commands leave no trace.
#include "zmtp/decoder.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "engine_driver.hpp"
#include "wire_bytes.hpp"

using namespace zerowire;
using test::command;
using test::frame;
using test::long_header;
using test::more;
using test::Parts;
using test::pattern;

namespace {

using Status = Decoder::Status;

struct Fixture final : CommandSink {
  explicit Fixture(const MessageLimits& limits = {}, bool keep = false, int mark = 0)
      : pipe(mark, false), decoder(pipe.writer, limits, keep, *this) {}

  bool on_command(std::string_view name, std::string_view data) override {
    commands.push_back(std::string(name) + " " + std::string(data));
    return name != "BAD";
  }
  Status feed(std::string_view bytes) {
    while (!bytes.empty()) {
      iovec iov[2];
      const std::size_t taken = test::fill(iov, decoder.prepare(iov), bytes);
      if (taken == 0) break;
      bytes.remove_prefix(taken);
      const Status status = decoder.commit(taken);
      if (status != Status::ok) return status;
    }
    return Status::ok;
  }
  std::vector<Parts> take() {
    (void)pipe.writer.publish();
    return test::read_all(pipe.reader);
  }

  std::vector<std::string> commands;
  Pipe pipe;
  Decoder decoder;
};

}  // namespace

TEST_CASE("what came behind the handshake is taken in first") {
  for (std::size_t cut = 0; cut < 60; ++cut) {
    Fixture f;
    const std::string bytes = frame("one") + more("two") + frame(pattern(40)) + frame("three");
    REQUIRE(f.decoder.begin(bytes.data(), cut) == Status::ok);
    REQUIRE(f.feed(bytes.substr(cut)) == Status::ok);
    REQUIRE(f.take() == std::vector<Parts>{{"one"}, {"two", pattern(40)}, {"three"}});
  }
}

TEST_CASE("a pipe that was in use goes on behind what is in it") {
  Fixture f;
  REQUIRE(test::write_message(f.pipe.writer, {"older"}));
  REQUIRE(f.decoder.begin(nullptr, 0) == Status::ok);
  REQUIRE(f.feed(frame("newer")) == Status::ok);
  CHECK(f.take() == std::vector<Parts>{{"older"}, {"newer"}});
}

TEST_CASE("commands are handed over in place of the stream, between and inside messages") {
  Fixture f;
  f.decoder.begin(nullptr, 0);
  CHECK(f.feed(command("A", "1") + more("x") + command("B", "2") + command("C", "") + frame("y") +
               command("SUBSCRIBE", "t")) == Status::ok);
  CHECK(f.take() == std::vector<Parts>{{"x", "y"}});
  CHECK(f.commands == std::vector<std::string>{"A 1", "B 2", "C ", "SUBSCRIBE t"});
  CHECK(f.feed(command("BAD", "") + frame("z")) == Status::malformed);
  CHECK(f.take().empty());
}

TEST_CASE("subscriptions stay in the stream for those who publish") {
  Fixture f({}, true);
  f.decoder.begin(nullptr, 0);
  const std::string topic = pattern(300);
  CHECK(f.feed(command("SUBSCRIBE", topic) + frame("m") + command("PING", "") +
               command("CANCEL", "")) == Status::ok);
  CHECK(f.take() == std::vector<Parts>{{"/\tSUBSCRIBE" + topic}, {"m"}, {"/\6CANCEL"}});
  CHECK(f.commands == std::vector<std::string>{"PING "});
}

TEST_CASE("it knows whether a message has begun") {
  Fixture f;
  f.decoder.begin(nullptr, 0);
  CHECK_FALSE(f.decoder.inside_message());
  f.feed(more("part"));
  CHECK(f.decoder.inside_message());
  f.feed(frame("end"));
  CHECK_FALSE(f.decoder.inside_message());
  f.feed(frame("abc").substr(0, 3));
  CHECK(f.decoder.inside_message());
  f.feed("bc");
  CHECK_FALSE(f.decoder.inside_message());
  f.feed(long_header(0, 100000) + "x");
  CHECK(f.decoder.inside_message());
}

TEST_CASE("large bodies are received where they stay") {
  for (const std::size_t size : {8191u, 8192u, 100'000u, 1u << 20, (1u << 20) + 1, 5'000'000u}) {
    CAPTURE(size);
    Fixture f;
    f.decoder.begin(nullptr, 0);
    REQUIRE(f.feed(frame("before") + more(pattern(size)) + frame(pattern(size, 2)) +
                   frame("behind")) == Status::ok);
    CHECK(f.take() ==
          std::vector<Parts>{{"before"}, {pattern(size), pattern(size, 2)}, {"behind"}});
  }
}

TEST_CASE("many small messages: chunks grow, memory is returned") {
  Fixture f;
  f.decoder.begin(nullptr, 0);
  std::string bytes;
  for (unsigned i = 0; i < 5000; ++i) bytes += frame(pattern(i % 200, i));
  for (int round = 0; round < 20; ++round) {
    REQUIRE(f.feed(bytes) == Status::ok);
    const std::vector<Parts> messages = f.take();
    REQUIRE(messages.size() == 5000);
    REQUIRE(messages[4321] == Parts{pattern(4321 % 200, 4321)});
  }
}

TEST_CASE("it stops exactly at the high-water mark and keeps what it has") {
  Fixture f({}, false, 2);
  f.decoder.begin(nullptr, 0);
  CHECK(f.feed(frame("1") + frame("2") + more("3") + frame("3b") + frame("4") + frame("5")) ==
        Status::ok);
  iovec iov[2];
  CHECK(f.decoder.throttled());
  CHECK(f.decoder.prepare(iov) == 0);
  CHECK(f.take() == std::vector<Parts>{{"1"}, {"2"}});
  CHECK(f.pipe.reader.release(true));
  CHECK(f.decoder.resume() == Status::ok);
  CHECK(f.decoder.throttled());
  CHECK(f.take() == std::vector<Parts>{{"3", "3b"}, {"4"}});
  CHECK(f.pipe.reader.release(true));
  CHECK(f.decoder.resume() == Status::ok);
  CHECK_FALSE(f.decoder.throttled());
  CHECK(f.take() == std::vector<Parts>{{"5"}});
}

TEST_CASE("sizes with the highest bit set are malformed, whatever the limits") {
  for (const int flags : {0, 1}) {
    for (const uint64_t size : {uint64_t{1} << 63, UINT64_MAX - 8, UINT64_MAX - 1, UINT64_MAX}) {
      CAPTURE(size);
      Fixture f;
      f.decoder.begin(nullptr, 0);
      CHECK(f.feed(long_header(flags, size) + "body") == Status::malformed);
      CHECK(f.take().empty());
    }
  }
}

TEST_CASE("a size that memory cannot hold is no crash") {
  Fixture f;
  f.decoder.begin(nullptr, 0);
  CHECK(f.feed(long_header(0, UINT64_MAX >> 1) + std::string(3 << 20, 'x')) == Status::ok);
  CHECK(f.take().empty());
  CHECK(f.decoder.inside_message());
}

TEST_CASE("a part too many or too large is refused as soon as its header is there") {
  for (const std::size_t size : {std::size_t{30}, std::size_t{9'000}, std::size_t{100'000}}) {
    CAPTURE(size);
    Fixture total({UINT64_MAX, 100 + size - 1, UINT32_MAX});
    total.decoder.begin(nullptr, 0);
    CHECK(total.feed(more(pattern(100)) + long_header(0, size)) == Status::too_large);
    CHECK(total.take().empty());

    Fixture parts({UINT64_MAX, UINT64_MAX, 1});
    parts.decoder.begin(nullptr, 0);
    CHECK(parts.feed(more("x") + long_header(0, size)) == Status::too_large);
    CHECK(parts.take().empty());
  }
}

TEST_CASE("bodies that follow one another share memory without getting mixed up") {
  Fixture f;
  f.decoder.begin(nullptr, 0);
  std::string bytes;
  std::vector<Parts> sent;
  for (std::size_t i = 0; i < 200; ++i) {
    sent.push_back({pattern(20'000 + i * 37), pattern(i)});
    bytes += more(sent.back()[0]) + frame(sent.back()[1]);
  }
  REQUIRE(f.feed(bytes) == Status::ok);
  CHECK(f.take() == sent);
}
