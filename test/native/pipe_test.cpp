// Pipes, seen by one thread: bytes, marks, the token, memory.
#include "pipe/pipe.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <set>
#include <string>

#include "pipe/control.hpp"
#include "pipe_util.hpp"
#include "wire_bytes.hpp"

using namespace zerowire;
using test::Counted;
using test::Parts;
using test::pattern;
using test::read_all;
using test::read_message;
using test::write_message;

/// The two ways to refer to a body.
struct ByReference {
  static bool write(PipeWriter& writer, uint8_t flags, const Part& part) {
    return writer.write_reference(flags, part);
  }
};
struct ByPointer {
  static bool write(PipeWriter& writer, uint8_t flags, const Part& part) {
    return writer.write_pointer(flags, part);
  }
};

TEST_CASE("messages come out as they went in") {
  Pipe pipe(0, false);
  std::vector<Parts> sent;
  for (const std::size_t size :
       {0u, 1u, 254u, 255u, 256u, 257u, 2037u, 2046u, 2047u, 2048u, 65536u, 200000u}) {
    sent.push_back({pattern(size, 1)});
    sent.push_back({"", pattern(size, 2), "tail"});
    REQUIRE(write_message(pipe.writer, sent[sent.size() - 2]));
    REQUIRE(write_message(pipe.writer, sent.back()));
  }
  CHECK(pipe.writer.publish() == Claim::none);
  CHECK(read_all(pipe.reader) == sent);
  CHECK_FALSE(pipe.reader.more());
}

TEST_CASE("frames are laid out right at every position of a chunk") {
  Pipe pipe(0, false);
  for (std::size_t size = 0; size < 700; ++size) {
    CAPTURE(size);
    const Parts message = {pattern(size % 300, 3), pattern(size, 4)};
    REQUIRE(write_message(pipe.writer, message));
    (void)pipe.writer.publish();
    REQUIRE(pipe.reader.more());
    REQUIRE(read_message(pipe.reader) == message);
    if (size % 3 == 0) pipe.reader.retire();
  }
}

TEST_CASE("nothing is seen before it is committed and published") {
  Pipe pipe(0, false);
  REQUIRE(pipe.writer.write(wire::kMore, "ab", 2));
  CHECK(pipe.writer.publish() == Claim::none);
  CHECK_FALSE(pipe.reader.more());
  REQUIRE(pipe.writer.write(0, "c", 1));
  pipe.writer.commit();
  CHECK(pipe.writer.dirty());
  CHECK_FALSE(pipe.reader.more());
  (void)pipe.writer.publish();
  CHECK_FALSE(pipe.writer.dirty());
  CHECK(read_all(pipe.reader) == std::vector<Parts>{{"ab", "c"}});
}

TEST_CASE_TEMPLATE("rolling back leaves only what was committed", Refer, ByReference, ByPointer) {
  for (const std::size_t size : {0u, 1u, 300u, 3000u, 70000u}) {
    for (const int before : {0, 1, 40}) {
      CAPTURE(size);
      CAPTURE(before);
      Pipe pipe(0, false);
      std::vector<Parts> kept;
      for (int i = 0; i < before; ++i) {
        kept.push_back({pattern(90, static_cast<unsigned>(i))});
        REQUIRE(write_message(pipe.writer, kept.back()));
      }
      Counted counted(20000);
      for (int part = 0; part < 5; ++part) {
        REQUIRE(pipe.writer.write(wire::kMore, pattern(size).data(), size));
        REQUIRE(Refer::write(pipe.writer, wire::kMore, counted.part()));
      }
      counted.buffer->unref();
      CHECK(counted.freed == 0);
      pipe.writer.rollback();
      CHECK(counted.freed == 1);
      pipe.writer.rollback();
      (void)pipe.writer.publish();
      CHECK(read_all(pipe.reader) == kept);
      kept = {{pattern(size, 9), "next"}};
      REQUIRE(write_message(pipe.writer, kept[0]));
      (void)pipe.writer.publish();
      CHECK(read_all(pipe.reader) == kept);
    }
  }
}

TEST_CASE("rolling back does not disturb a reader that is ahead of the chunk's end") {
  Pipe pipe(0, false);
  for (int round = 0; round < 200; ++round) {
    const Parts message = {pattern(100, static_cast<unsigned>(round))};
    REQUIRE(write_message(pipe.writer, message));
    (void)pipe.writer.publish();
    REQUIRE(pipe.writer.write(wire::kMore, pattern(5000).data(), 5000));  // seals the chunk
    REQUIRE(read_all(pipe.reader) == std::vector<Parts>{message});
    pipe.writer.rollback();
  }
  CHECK_FALSE(pipe.reader.more());
}

TEST_CASE_TEMPLATE("a referenced body is not copied and is released when it has been retired",
                   Refer, ByReference, ByPointer) {
  Pipe pipe(0, false);
  Counted counted(50000);
  REQUIRE(Refer::write(pipe.writer, 0, counted.part()));
  pipe.writer.commit();
  counted.buffer->unref();
  (void)pipe.writer.publish();
  REQUIRE(pipe.reader.more());
  const Frame frame = pipe.reader.read();
  CHECK(frame.data == counted.bytes.data());
  CHECK(frame.size == counted.bytes.size());
  CHECK(frame.buffer == counted.buffer);
  pipe.reader.consumed();
  CHECK(counted.freed == 0);
  pipe.reader.retire();
  CHECK(counted.freed == 1);
  REQUIRE(write_message(pipe.writer, {"after"}));
  (void)pipe.writer.publish();
  CHECK(read_all(pipe.reader) == std::vector<Parts>{{"after"}});
  CHECK(counted.freed == 1);
}

TEST_CASE_TEMPLATE("a reference taken while reading outlives the pipe", Refer, ByReference,
                   ByPointer) {
  Counted counted(50000, 'k');
  Buffer* kept = nullptr;
  {
    Pipe pipe(0, false);
    REQUIRE(Refer::write(pipe.writer, 0, counted.part()));
    pipe.writer.commit();
    counted.buffer->unref();
    (void)pipe.writer.publish();
    REQUIRE(pipe.reader.more());
    kept = buffer_ref(pipe.reader.read().buffer);
  }
  CHECK(counted.freed == 0);
  CHECK(std::string(kept->data(), 3) == "kkk");
  kept->unref();
  CHECK(counted.freed == 1);
}

TEST_CASE_TEMPLATE("whatever was not read is released with the pipe", Refer, ByReference,
                   ByPointer) {
  for (const int published : {0, 1, 2, 3}) {
    for (const int read : {0, 1}) {
      CAPTURE(published);
      CAPTURE(read);
      Counted counted(9000);
      {
        Pipe pipe(0, true);
        for (int i = 0; i < 3; ++i) {
          REQUIRE(Refer::write(pipe.writer, 0, counted.part()));
          pipe.writer.commit();
          if (i < published) (void)pipe.writer.publish();
        }
        REQUIRE(Refer::write(pipe.writer, wire::kMore, counted.part()));
        if (read && pipe.reader.more()) (void)read_message(pipe.reader);
        counted.buffer->unref();
        CHECK(counted.freed == 0);
      }
      CHECK(counted.freed == 1);
    }
  }
}

TEST_CASE("views stay valid until they are retired") {
  Pipe pipe(0, false);
  std::vector<Frame> frames;
  for (int i = 0; i < 300; ++i) {
    REQUIRE(write_message(pipe.writer, {pattern(100, static_cast<unsigned>(i))}));
    (void)pipe.writer.publish();
    REQUIRE(pipe.reader.more());
    frames.push_back(pipe.reader.read());
    pipe.reader.consumed();
  }
  for (unsigned i = 0; i < frames.size(); ++i) {
    REQUIRE(std::string_view(frames[i].data, frames[i].size) == pattern(100, i));
  }
  pipe.reader.retire();
  CHECK_FALSE(pipe.reader.more());
}

TEST_CASE("retiring frees chunks: a long stream needs little memory") {
  Pipe pipe(0, false);
  std::set<const char*> chunks;
  for (int i = 0; i < 20000; ++i) {
    REQUIRE(write_message(pipe.writer, {pattern(1000)}));
    (void)pipe.writer.publish();
    REQUIRE(pipe.reader.more());
    (void)read_message(pipe.reader);
    pipe.reader.retire();
    REQUIRE(pipe.reader.cursor().chunk == pipe.writer.tail());
  }
}

TEST_CASE("the high-water mark is exact") {
  for (const int mark : {1, 2, 10, 1000}) {
    CAPTURE(mark);
    Pipe pipe(mark, false);
    int written = 0;
    while (pipe.writer.room()) {
      REQUIRE(write_message(pipe.writer, {"m", "n"}));
      ++written;
    }
    CHECK(written == mark);
    (void)pipe.writer.publish();
    for (int i = 0; i < mark; ++i) {
      REQUIRE(pipe.reader.more());
      (void)read_message(pipe.reader);
      CHECK_FALSE(pipe.writer.room());  // consumed, but the producer has not been told
    }
    CHECK_FALSE(pipe.reader.release(true));  // nobody waits
    for (written = 0; pipe.writer.room(); ++written) REQUIRE(write_message(pipe.writer, {"m"}));
    CHECK(written == mark);
  }
}

TEST_CASE("no mark: always room") {
  Pipe pipe(0, false);
  for (int i = 0; i < 5000; ++i) {
    REQUIRE(pipe.writer.room_or_wait());
    REQUIRE(write_message(pipe.writer, {"m"}));
  }
  (void)pipe.writer.publish();
  CHECK(read_all(pipe.reader).size() == 5000);
  CHECK_FALSE(pipe.reader.release(false));
}

TEST_CASE("commands and control records do not count for the mark") {
  Pipe pipe(1, false);
  REQUIRE(write_message(pipe.writer, {"m"}));
  REQUIRE(control::write_up(pipe.writer, 7, "name", 42, true));
  control::write_plain(pipe.writer, control::Kind::end);
  (void)pipe.writer.publish();
  CHECK_FALSE(pipe.writer.room());
  REQUIRE(pipe.reader.more());
  CHECK(read_message(pipe.reader) == Parts{"m"});
  Frame frame = pipe.reader.read();
  CHECK(frame.flags == wire::kControl);
  const control::Record up = control::read(frame);
  CHECK(up.kind == control::Kind::up);
  CHECK(up.losses == 7);
  CHECK(up.mark == 42);
  CHECK(up.conflate);
  CHECK(up.routing_id == "name");
  CHECK(control::read(pipe.reader.read()).kind == control::Kind::end);
  CHECK_FALSE(pipe.reader.more());
  (void)pipe.reader.release(true);
  CHECK(pipe.writer.room());
}

TEST_CASE("a waiting producer is told once, when half of the mark is drained or on demand") {
  Pipe pipe(10, false);
  for (int i = 0; i < 10; ++i) REQUIRE(write_message(pipe.writer, {"m"}));
  (void)pipe.writer.publish();
  CHECK_FALSE(pipe.writer.room_or_wait());
  CHECK_FALSE(pipe.writer.room_or_wait());
  for (int i = 0; i < 4; ++i) {
    REQUIRE(pipe.reader.more());
    (void)read_message(pipe.reader);
    CHECK_FALSE(pipe.reader.release(false));
  }
  (void)read_message(pipe.reader);
  CHECK(pipe.reader.release(false));
  (void)read_message(pipe.reader);
  CHECK_FALSE(pipe.reader.release(true));  // told already, waits no more
  CHECK(pipe.writer.room_or_wait());
  for (int i = 0; i < 6; ++i) REQUIRE(write_message(pipe.writer, {"m"}));
  CHECK_FALSE(pipe.writer.room_or_wait());
  (void)read_message(pipe.reader);
  CHECK(pipe.reader.release(true));
}

TEST_CASE("asking to wait finds credit that came meanwhile") {
  Pipe pipe(1, false);
  REQUIRE(write_message(pipe.writer, {"m"}));
  (void)pipe.writer.publish();
  CHECK_FALSE(pipe.writer.room());
  REQUIRE(pipe.reader.more());
  (void)read_message(pipe.reader);
  CHECK_FALSE(pipe.reader.release(true));
  CHECK(pipe.writer.room_or_wait());
}

TEST_CASE("the mark can be changed on the way") {
  Pipe pipe(2, false);
  REQUIRE(write_message(pipe.writer, {"1"}));
  REQUIRE(write_message(pipe.writer, {"2"}));
  CHECK_FALSE(pipe.writer.room());
  pipe.writer.set_high_water_mark(3);
  CHECK(pipe.writer.room());
  pipe.writer.set_high_water_mark(1);
  CHECK_FALSE(pipe.writer.room());
  pipe.writer.set_high_water_mark(0);
  CHECK(pipe.writer.room());
}

TEST_CASE("the token: publish claims a sleeping pipe, once") {
  Pipe pipe(0, true);
  REQUIRE(write_message(pipe.writer, {"1"}));
  CHECK(pipe.writer.publish() == Claim::claimed);
  REQUIRE(write_message(pipe.writer, {"2"}));
  CHECK(pipe.writer.publish() == Claim::none);
  CHECK(pipe.writer.publish() == Claim::none);  // nothing new
  CHECK(pipe.reader.sleep() == PipeReader::Sleep::more);
  CHECK(read_all(pipe.reader).size() == 2);
  CHECK(pipe.reader.sleep() == PipeReader::Sleep::asleep);
  CHECK(pipe.writer.publish() == Claim::none);
  REQUIRE(write_message(pipe.writer, {"3"}));
  CHECK(pipe.writer.publish() == Claim::claimed);
}

TEST_CASE("the token: a recall takes a sleeping pipe at once") {
  Pipe pipe(0, true);
  CHECK(pipe.reader.recall());
  REQUIRE(write_message(pipe.writer, {"1"}));
  CHECK(pipe.writer.publish() == Claim::none);
  CHECK(read_all(pipe.reader).size() == 1);
  CHECK(pipe.reader.sleep() == PipeReader::Sleep::recalled);  // not before it is cleared
  pipe.reader.clear_recall();
  CHECK(pipe.reader.sleep() == PipeReader::Sleep::asleep);
}

TEST_CASE("the token: a recall is honoured by whoever holds it") {
  Pipe pipe(0, true);
  REQUIRE(write_message(pipe.writer, {"1"}));
  CHECK(pipe.writer.publish() == Claim::claimed);
  CHECK_FALSE(pipe.reader.recall());
  CHECK(read_all(pipe.reader).size() == 1);
  CHECK(pipe.reader.sleep() == PipeReader::Sleep::recalled);
  CHECK_FALSE(pipe.reader.recall());  // asking twice changes nothing
  pipe.reader.clear_recall();
  CHECK(pipe.reader.sleep() == PipeReader::Sleep::asleep);
  CHECK(pipe.reader.recall());
}

TEST_CASE("raw bytes: cursor and skip walk over the same stream") {
  Pipe pipe(0, false);
  std::string expected;
  for (unsigned i = 0; i < 500; ++i) {
    const std::string body = pattern(i * 7 % 900, i);
    REQUIRE(write_message(pipe.writer, {body}));
    expected += test::frame(body);
  }
  (void)pipe.writer.publish();
  REQUIRE(pipe.reader.more());
  CHECK(pipe.reader.limit() == expected.size());
  for (std::size_t at = 0, step = 1; at < expected.size(); step = step % 97 + 1) {
    REQUIRE(pipe.reader.more());
    REQUIRE(pipe.reader.position() == at);
    REQUIRE(pipe.reader.ahead()[0] == expected[at]);
    const PipeReader::Cursor cursor = pipe.reader.cursor();
    REQUIRE(cursor.chunk->data[cursor.offset] == expected[at]);
    const std::size_t bytes = std::min(step, expected.size() - at);
    pipe.reader.skip(bytes);
    at += bytes;
    if (at % 5 == 0) pipe.reader.retire();
  }
  CHECK_FALSE(pipe.reader.more());
}
