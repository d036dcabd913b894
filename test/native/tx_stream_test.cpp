// TxStream: a pipe's bytes on a socket, whole messages counted as they leave.
#include "net/tx_stream.hpp"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "pipe_util.hpp"
#include "wire_bytes.hpp"

using namespace zerowire;
using test::command;
using test::frame;
using test::more;
using test::pattern;

namespace {

using Status = TxStream::Status;

struct Wire {
  explicit Wire(int buffer = 0) {
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
    if (buffer) setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
  }
  ~Wire() {
    for (const int fd : fds) {
      if (fd >= 0) close(fd);
    }
  }
  Wire(const Wire&) = delete;
  /// What has arrived, at most `most` bytes.
  std::string take(std::size_t most = SIZE_MAX) {
    std::string all;
    char bytes[4096];
    ssize_t got = 0;
    while (all.size() < most &&
           (got = read(fds[1], bytes, std::min(sizeof bytes, most - all.size()))) > 0) {
      all.append(bytes, static_cast<std::size_t>(got));
    }
    return all;
  }
  int fds[2] = {-1, -1};
};

struct Stream {
  explicit Stream(int fd) : pipe(0, false) { tx.attach(fd, pipe.reader); }
  /// Writes a message; returns its bytes.
  std::string add(const test::Parts& parts) {
    REQUIRE(test::write_message(pipe.writer, parts));
    (void)pipe.writer.publish();
    std::string bytes;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      bytes += i + 1 < parts.size() ? more(parts[i]) : frame(parts[i]);
    }
    return bytes;
  }
  /// Messages that were counted as consumed and whose credit has been returned.
  uint64_t counted() {
    (void)pipe.reader.release(true);
    return pipe.words.credit.load() >> 1;
  }
  Status drain() { return tx.drain(pipe.reader, control); }
  Status drain_directly() { return tx.drain_directly(pipe.reader); }

  Pipe pipe;
  TxStream tx;
  std::string control;  ///< to go out between messages
};

}  // namespace

TEST_CASE("everything goes out, in order, and is counted") {
  Wire wire;
  Stream stream(wire.fds[0]);
  CHECK(stream.drain() == Status::drained);
  std::string expected;
  for (unsigned i = 0; i < 100; ++i) expected += stream.add({pattern(i * 3, i), "", pattern(i)});
  expected += stream.add({pattern(20000), "tail"});
  CHECK(stream.drain() == Status::drained);
  CHECK(wire.take() == expected);
  CHECK(stream.counted() == 101);
  CHECK(stream.drain() == Status::drained);
}

TEST_CASE("partial writes: the rest follows, messages count when they have left whole") {
  Wire wire(4096);
  Stream stream(wire.fds[0]);
  Random random(3);
  std::string expected, received;
  std::vector<std::size_t> ends;
  for (unsigned i = 0; i < 300; ++i) {
    expected += stream.add({pattern(random.below(3000), i), pattern(random.below(9000), i)});
    ends.push_back(expected.size());
  }
  for (int round = 0; received.size() < expected.size() && round < 100'000; ++round) {
    const Status status = stream.drain();
    REQUIRE(status != Status::failed);
    const uint64_t sent = stream.pipe.reader.position();
    const auto whole = std::upper_bound(ends.begin(), ends.end(), sent) - ends.begin();
    REQUIRE(stream.counted() == static_cast<uint64_t>(whole));
    received += wire.take(1 + random.below(5000));
  }
  CHECK(received == expected);
  CHECK(stream.drain() == Status::drained);
  CHECK(stream.counted() == 300);
}

TEST_CASE("directly, little goes out whole; of much only the beginning, the rest is left") {
  Wire wire(1 << 20);
  Stream stream(wire.fds[0]);
  const std::string little = stream.add({pattern(50'000)});
  CHECK(stream.drain_directly() == Status::drained);
  CHECK(wire.take() == little);
  const std::string much = stream.add({"head", pattern(300'000)});
  CHECK(stream.drain_directly() == Status::blocked);
  std::string received = wire.take();
  CHECK(received.size() > 0);
  CHECK(received.size() < 50'000);
  CHECK(stream.counted() == 1);
  while (stream.drain() != Status::drained) received += wire.take();
  received += wire.take();
  CHECK(received == much);
  CHECK(stream.counted() == 2);
}

TEST_CASE("control bytes go first when no message is under way") {
  Wire wire;
  Stream stream(wire.fds[0]);
  stream.control = command("PING", "12");
  CHECK(stream.drain() == Status::drained);
  CHECK(stream.control.empty());
  stream.control = command("PONG", "");
  const std::string message = stream.add({"a", "b"});
  CHECK(stream.drain() == Status::drained);
  CHECK(wire.take() == command("PING", "12") + command("PONG", "") + message);
  CHECK(stream.counted() == 1);
}

TEST_CASE("control bytes never split a message") {
  Random random(5);
  for (int round = 0; round < 60; ++round) {
    CAPTURE(round);
    Wire wire(4096);
    Stream stream(wire.fds[0]);
    std::string messages;
    for (unsigned i = 0; i < 6; ++i) {
      messages += stream.add({pattern(random.below(4000), i), pattern(1 + random.below(12000), i)});
    }
    (void)stream.drain();
    const std::string sign = command("PING", pattern(random.below(200), 77));
    stream.control = sign;
    std::string received = wire.take(1 + random.below(3000));
    for (int i = 0; i < 10'000; ++i) {
      if (stream.drain() == Status::drained) break;
      received += wire.take(1 + random.below(3000));
    }
    received += wire.take();
    CHECK(stream.control.empty());
    // Taking the frames apart finds the command between two messages and all messages whole.
    std::string rest;
    bool inside = false, seen = false;
    for (std::size_t at = 0; at < received.size();) {
      const wire::Header header = wire::read_header(received.data() + at);
      const std::string whole = received.substr(at, header.length + header.size);
      at += whole.size();
      if (header.flags & wire::kCommand) {
        CHECK_FALSE(inside);
        CHECK(whole == sign);
        seen = true;
      } else {
        inside = header.flags & wire::kMore;
        rest += whole;
      }
    }
    CHECK(seen);
    CHECK(rest == messages);
  }
}

TEST_CASE("after a broken connection the next one starts at a message") {
  Random random(9);
  for (int round = 0; round < 60; ++round) {
    CAPTURE(round);
    Wire old(4096);
    Stream stream(old.fds[0]);
    std::string expected;
    std::vector<std::size_t> starts;
    for (unsigned i = 0; i < 8; ++i) {
      starts.push_back(expected.size());
      const std::size_t size = random.below(4) ? random.below(3000) : 10'000 + random.below(9000);
      expected += stream.add({pattern(random.below(2000), i), pattern(size, i), "end"});
    }
    starts.push_back(expected.size());
    for (uint64_t reads = random.below(4); reads; --reads) {
      (void)stream.drain();
      old.take(1 + random.below(9000));
    }
    (void)stream.drain();
    const uint64_t sent = stream.pipe.reader.position();
    stream.tx.detach();
    CHECK(stream.tx.fd == -1);
    Wire fresh;
    stream.tx.attach(fresh.fds[0], stream.pipe.reader);
    const std::size_t resumed = *std::lower_bound(starts.begin(), starts.end(), sent);
    const auto lost = std::lower_bound(starts.begin(), starts.end(), sent) - starts.begin();
    CHECK(stream.counted() == static_cast<uint64_t>(lost));  // the torn one counts: it is lost
    std::string received;
    while (stream.drain() != Status::drained) received += fresh.take();
    received += fresh.take();
    CHECK(received == expected.substr(resumed));
    CHECK(stream.counted() == 8);
  }
}

TEST_CASE("referenced bodies are released when they have left, or were skipped") {
  Wire wire;
  Stream stream(wire.fds[0]);
  test::Counted counted(60'000);
  for (int i = 0; i < 2; ++i) {
    REQUIRE(stream.pipe.writer.write_reference(0, counted.part()));
    stream.pipe.writer.commit();
  }
  counted.buffer->unref();
  (void)stream.pipe.writer.publish();
  std::string received;
  while (stream.drain() != Status::drained) received += wire.take();
  received += wire.take();
  CHECK(received == frame(counted.bytes) + frame(counted.bytes));
  CHECK(counted.freed == 1);
}

TEST_CASE("a dead descriptor is a failure, not a signal") {
  Wire wire;
  Stream stream(wire.fds[0]);
  stream.add({"message"});
  close(wire.fds[1]);
  wire.fds[1] = -1;
  CHECK(stream.drain() == Status::failed);
  CHECK(stream.counted() == 0);
}
