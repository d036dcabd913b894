// The byte stream in TSDUs: what is written is read again, in spite of losses, refusals and lies.
#include "pgm/stream.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/random.hpp"
#include "pgm/golden.hpp"
#include "pgm/wire.hpp"
#include "wire_bytes.hpp"

using namespace zerowire;
using namespace zerowire::pgm;
using test::be;
using test::GoldenPacket;

namespace {

using namespace std::string_literals;
using Status = StreamReader::Status;
using Parts = std::vector<std::string>;

constexpr int kNone = kNoMessage;

struct Sink final : MessageSink {
  bool on_message(const std::vector<StreamFrame>& frames) override {
    if (room == 0) return false;
    --room;
    Parts parts;
    for (const StreamFrame& frame : frames) parts.emplace_back(frame.data, frame.size);
    views = frames;
    messages.push_back(std::move(parts));
    return true;
  }
  std::vector<Parts> take() { return std::exchange(messages, {}); }

  std::size_t room = SIZE_MAX;
  std::vector<Parts> messages;
  std::vector<StreamFrame> views;
};

struct Fixture {
  explicit Fixture(const MessageLimits& limits = {}) : reader(limits, sink) {}

  Status take(std::string_view tsdu) {
    // Exactly as large, so that reading past its end is seen by a sanitizer.
    const std::vector<char> exact(tsdu.begin(), tsdu.end());
    return reader.take({exact.data(), exact.size()});
  }
  Sink sink;
  StreamReader reader;
};

std::string tsdu(int offset, std::string_view bytes) {
  return be(static_cast<uint64_t>(offset), 2).append(bytes);
}

/// A frame as RFC 13 has it, in the long form if asked for.
std::string frame(std::string_view body, int flags = 0, bool wide = false) {
  std::string bytes(body.size() + 1 >= 255 || wide ? "\xff" : "");
  bytes += be(body.size() + 1, bytes.empty() ? 1 : 8);
  bytes.push_back(static_cast<char>(flags));
  return bytes.append(body);
}
std::string more(std::string_view body) { return frame(body, 1); }

std::string bytes_of(const Parts& message) {
  std::string bytes;
  for (std::size_t i = 0; i < message.size(); ++i) {
    bytes += frame(message[i], i + 1 < message.size());
  }
  return bytes;
}

/// Writes messages into TSDUs of the given capacity.
std::vector<std::string> write(const std::vector<Parts>& messages, std::size_t capacity) {
  std::vector<std::string> tsdus;
  std::vector<char> memory(capacity);
  StreamWriter writer;
  const auto close = [&] {
    const std::size_t size = writer.close();
    REQUIRE(size >= 3);
    tsdus.emplace_back(memory.data(), size);
  };
  for (const Parts& message : messages) {
    for (std::size_t i = 0; i < message.size(); ++i) {
      writer.begin(message[i].data(), message[i].size(), i + 1 < message.size());
      if (!writer.is_open()) writer.open(memory.data(), capacity);
      while (!writer.put_rest()) {
        REQUIRE(writer.full());
        close();
        writer.open(memory.data(), capacity);
      }
    }
  }
  if (writer.is_open()) close();
  return tsdus;
}

std::string joined(const std::vector<std::string>& tsdus) {
  std::string bytes;
  for (const std::string& one : tsdus) bytes.append(one.substr(kOffsetSize));
  return bytes;
}

int offset_of(const std::string& one) {
  return static_cast<uint8_t>(one[0]) << 8 | static_cast<uint8_t>(one[1]);
}

std::vector<int> offsets(const std::vector<std::string>& tsdus) {
  std::vector<int> all;
  for (const std::string& one : tsdus) all.push_back(offset_of(one));
  return all;
}

std::string random_body(Random& random) {
  static constexpr std::size_t kMost[] = {1, 4, 40, 300, 3000};
  std::string body(random.below(kMost[random.below(5)]), '\0');
  for (char& octet : body) octet = static_cast<char>(random.next());
  return body;
}

std::vector<Parts> random_messages(Random& random) {
  std::vector<Parts> messages(1 + random.below(60));
  for (Parts& message : messages) {
    message.resize(random.below(3) ? 1 : 1 + random.below(4));
    for (std::string& part : message) part = random_body(random);
  }
  return messages;
}

/// As libzmq announces: a message that ends with the TSDU is followed by one, it supposes.
void announce_early(std::vector<std::string>& tsdus, const std::vector<Parts>& messages) {
  std::vector<std::size_t> ends;
  std::size_t at = 0;
  for (const Parts& message : messages) ends.push_back(at += bytes_of(message).size());
  at = 0;
  for (std::string& one : tsdus) {
    at += one.size() - kOffsetSize;
    if (offset_of(one) == kNone && std::binary_search(ends.begin(), ends.end(), at)) {
      one.replace(0, 2, be(one.size() - kOffsetSize, 2));
    }
  }
}

/// Those of which all TSDUs have arrived.
std::vector<Parts> unaffected(const std::vector<Parts>& messages,
                              const std::vector<std::string>& tsdus,
                              const std::vector<bool>& lost) {
  std::vector<std::size_t> tsdu_of;
  for (std::size_t i = 0; i < tsdus.size(); ++i) {
    tsdu_of.insert(tsdu_of.end(), tsdus[i].size() - kOffsetSize, i);
  }
  std::vector<Parts> whole;
  std::size_t at = 0;
  for (const Parts& message : messages) {
    const std::size_t end = at + bytes_of(message).size();
    bool missing = false;
    for (std::size_t i = tsdu_of[at]; i <= tsdu_of[end - 1]; ++i) missing |= lost[i];
    if (!missing) whole.push_back(message);
    at = end;
  }
  return whole;
}

/// The sink has room again: how much, chance decides.
Status resume(Fixture& f, Random& random) {
  Status status = Status::full;
  while (status == Status::full) {
    f.sink.room = random.below(4);
    status = f.reader.resume();
  }
  return status;
}

}  // namespace

TEST_CASE("frames have a short and a long form") {
  for (const std::size_t size : {0u, 1u, 252u, 253u, 254u, 255u, 256u, 5000u}) {
    CAPTURE(size);
    const Parts message = {std::string(size, 'x'), std::string(size, 'y')};
    CHECK(joined(write({message}, 1400)) == bytes_of(message));
  }
}

TEST_CASE("the offset is that of the first message that begins, not of a later part") {
  CHECK(offsets(write({{"abc"}, {"d"}}, 100)) == std::vector<int>{0});
  // 10 octets of stream each: the message is 3 + 8 octets.
  CHECK(offsets(write({{"x", "123456"}, {"y"}}, 12)) == std::vector<int>{0, 1});
  CHECK(offsets(write({{"123456789a", "x"}, {"y"}}, 12)) == std::vector<int>{0, 5});
  CHECK(offsets(write({{std::string(25, 'x')}, {"y"}}, 12)) == std::vector<int>{0, kNone, 7});
}

TEST_CASE("a message that begins in the next TSDU is announced there") {
  const auto tsdus = write({{"12345678"}, {"y"}}, 12);
  CHECK(tsdus[0].size() == 12);
  CHECK(offsets(tsdus) == std::vector<int>{0, 0});
  const auto behind = write({{"12345678901234567 "}, {"y"}}, 12);
  CHECK(offsets(behind) == std::vector<int>{0, kNone, 0});
}

TEST_CASE("headers are cut where a TSDU ends, which is then as large as can be") {
  for (std::size_t capacity = 3; capacity < 30; ++capacity) {
    const std::vector<Parts> messages = {{"a", std::string(300, 'b')}, {std::string(254, 'c')}, {}};
    const auto tsdus = write({messages[0], messages[1], {""}}, capacity);
    for (std::size_t i = 0; i + 1 < tsdus.size(); ++i) REQUIRE(tsdus[i].size() == capacity);
    REQUIRE(joined(tsdus) == bytes_of(messages[0]) + bytes_of(messages[1]) + bytes_of({""}));
  }
}

TEST_CASE("a writer knows what it has") {
  char memory[16];
  StreamWriter writer;
  CHECK_FALSE(writer.is_open());
  writer.open(memory, 6);
  CHECK(writer.is_open());
  CHECK(writer.empty());
  CHECK_FALSE(writer.full());
  writer.begin("ab", 2, false);
  CHECK(writer.put_rest());
  CHECK(writer.full());
  CHECK_FALSE(writer.empty());
  writer.begin("c", 1, false);
  CHECK_FALSE(writer.put_rest());
  CHECK(writer.close() == 6);
  CHECK(std::string(memory, 6) == tsdu(0, frame("ab")));
  writer.open(memory, 16);
  CHECK(writer.put_rest());
  CHECK(writer.close() == 5);
  CHECK(std::string(memory, 5) == tsdu(0, frame("c")));
  writer.open(memory, 16);
  CHECK(writer.close() == 0);
}

TEST_CASE("streams of libzmq are read, and written as it does") {
  for (const std::string name : {"epgm_bigmsg", "epgm_multipart"}) {
    CAPTURE(name);
    Fixture f;
    std::vector<std::string> tsdus;
    for (const GoldenPacket& golden : test::golden(name)) {
      Packet packet;
      REQUIRE(decode(golden.bytes, packet) == Fault::none);
      if (packet.type != Type::odata) continue;
      CHECK(golden.text("offset") == (offset_of(std::string(packet.tsdu)) == kNone
                                          ? "none"
                                          : std::to_string(offset_of(std::string(packet.tsdu)))));
      REQUIRE(f.take(packet.tsdu) == Status::ok);
      tsdus.emplace_back(packet.tsdu);
    }
    const std::vector<Parts> messages = f.sink.take();
    const bool big = name == "epgm_bigmsg";
    REQUIRE(messages.size() >= 4);
    for (const Parts& message : messages) {
      REQUIRE(message.size() == (big ? 1 : 3));
      for (const std::string& part : message) REQUIRE(part.size() == (big ? 5000 : 60));
    }
    const std::string written = bytes_of(messages[0]);
    CHECK(joined(tsdus).substr(0, written.size()) == written);
    std::vector<std::string> first = write({messages[0]}, 1428);
    announce_early(first, {messages[0]});
    if (big) CHECK(first == std::vector<std::string>(tsdus.begin(), tsdus.begin() + 4));
    if (!big) CHECK(first[0] == tsdus[0]);
  }
}

TEST_CASE("messages come back whole, whatever the size of the TSDUs") {
  Random random(1);
  for (int round = 0; round < 400; ++round) {
    CAPTURE(round);
    const std::vector<Parts> messages = random_messages(random);
    std::vector<std::string> tsdus = write(messages, 3 + random.below(random.below(2) ? 30 : 2000));
    if (random.below(2)) announce_early(tsdus, messages);
    Fixture f;
    for (const std::string& one : tsdus) REQUIRE(f.take(one) == Status::ok);
    REQUIRE(f.sink.take() == messages);
  }
}

TEST_CASE("exactly the messages that a loss touches are missing") {
  Random random(2);
  for (int round = 0; round < 600; ++round) {
    CAPTURE(round);
    const std::vector<Parts> messages = random_messages(random);
    std::vector<std::string> tsdus = write(messages, 3 + random.below(random.below(2) ? 60 : 2000));
    if (random.below(2)) announce_early(tsdus, messages);
    std::vector<bool> lost(tsdus.size());
    const uint64_t one_in = 2 + random.below(20);
    for (std::size_t i = 0; i < lost.size(); ++i) lost[i] = random.below(one_in) == 0;
    const bool refuse = random.below(2);
    Fixture f;
    for (std::size_t i = 0; i < tsdus.size(); ++i) {
      if (refuse) f.sink.room = random.below(4);
      if (lost[i]) f.reader.lose();
      if (lost[i]) continue;
      Status status = f.take(tsdus[i]);
      // What comes behind a full sink may be known to be lost before there is room.
      if (status == Status::full && i + 1 < lost.size() && lost[i + 1]) f.reader.lose();
      if (status == Status::full) status = resume(f, random);
      REQUIRE(status == Status::ok);
    }
    REQUIRE(f.sink.take() == unaffected(messages, tsdus, lost));
  }
}

TEST_CASE("whole messages are handed out where they lie") {
  Fixture f;
  const std::string one = tsdu(0, more("topic") + frame("body") + frame("next"));
  REQUIRE(f.reader.take(one) == Status::ok);
  REQUIRE(f.sink.views.size() == 1);
  CHECK(f.sink.views[0].data == one.data() + one.size() - 4);
  CHECK(f.sink.take() == std::vector<Parts>{{"topic", "body"}, {"next"}});
}

TEST_CASE("reading begins where a message begins") {
  Fixture f;
  CHECK(f.take(tsdu(kNone, "tail of something")) == Status::ok);
  CHECK(f.take(tsdu(4, "tail" + frame("first"))) == Status::ok);
  CHECK(f.sink.take() == std::vector<Parts>{{"first"}});
  Fixture early;
  CHECK(early.take(tsdu(4, "tail")) == Status::ok);
  CHECK(early.take(tsdu(0, frame("first"))) == Status::ok);
  CHECK(early.sink.take() == std::vector<Parts>{{"first"}});
}

TEST_CASE("flags but `more` mean nothing, and the long form may be used for anything") {
  Fixture f;
  CHECK(f.take(tsdu(0, frame("a", 0xff) + frame("b", 0xfe) + frame("c", 0, true))) == Status::ok);
  CHECK(f.sink.take() == std::vector<Parts>{{"a", "b"}, {"c"}});
}

TEST_CASE("TSDUs without content, or with an offset beyond it") {
  for (const std::string& bad :
       {std::string(), std::string("\0", 1), tsdu(5, "abcd"), tsdu(1, ""), tsdu(0xfffe, "abcd")}) {
    Fixture f;
    CHECK(f.take(bad) == Status::malformed);
    CHECK(f.take(tsdu(0, frame("x") + more("begun"))) == Status::ok);
    CHECK(f.take(bad) == Status::malformed);
    CHECK(f.take(tsdu(kNone, frame("rest"))) == Status::ok);
    CHECK(f.take(tsdu(0, frame("y"))) == Status::ok);
    CHECK(f.sink.take() == std::vector<Parts>{{"x"}, {"y"}});
  }
  Fixture f;
  CHECK(f.take(tsdu(0, "")) == Status::ok);
  CHECK(f.take(tsdu(kNone, "")) == Status::ok);
  CHECK(f.take(tsdu(0, frame("x"))) == Status::ok);
  CHECK(f.sink.take() == std::vector<Parts>{{"x"}});
}

TEST_CASE("a length of zero") {
  for (const std::string& zero : {std::string("\0", 1), std::string("\0\0abc", 5),
                                  "\xff" + be(0, 8) + "\0"s, "\xff" + be(0, 8) + "\1x"s}) {
    for (std::size_t cut = 0; cut < zero.size(); ++cut) {
      CAPTURE(cut);
      Fixture f;
      const Status first = f.take(tsdu(0, frame("a") + more("b") + zero.substr(0, cut)));
      const Status second = f.take(tsdu(kNone, zero.substr(cut)));
      CHECK((first == Status::malformed || second == Status::malformed));
      CHECK(f.take(tsdu(1, "z" + frame("c"))) == Status::ok);
      CHECK(f.sink.take() == std::vector<Parts>{{"a"}, {"c"}});
    }
  }
}

TEST_CASE("sizes that nobody sends are waited for without memory, until the next offset") {
  for (const uint64_t size : {uint64_t{1} << 32, UINT64_MAX >> 1, UINT64_MAX}) {
    Fixture f;
    CHECK(f.take(tsdu(0, "\xff" + be(size, 8) + "\0abc"s)) == Status::ok);
    for (int i = 0; i < 100; ++i)
      REQUIRE(f.take(tsdu(kNone, std::string(1000, 'x'))) == Status::ok);
    CHECK(f.take(tsdu(3, "xyz" + frame("a"))) == Status::malformed);
    CHECK(f.take(tsdu(0, frame("b"))) == Status::ok);
    CHECK(f.sink.take() == std::vector<Parts>{{"a"}, {"b"}});
  }
}

TEST_CASE(
    "an offset that contradicts the stream: neither the begun message nor the next is spoiled") {
  Fixture f;
  // In the middle of a frame, too early, too late, none where there is one, one where there is
  // none.
  for (const int offset : {1, 7, kNone}) {
    CAPTURE(offset);
    REQUIRE(f.take(tsdu(0, frame("0123456789").substr(0, 8))) == Status::ok);
    const std::string rest = frame("0123456789").substr(8) + frame("a") + frame("b");
    CHECK(f.take(tsdu(offset, rest)) == Status::malformed);
    f.sink.take();
    CHECK(f.take(tsdu(2, "xx" + frame("c"))) != Status::full);
    const std::vector<Parts> messages = f.sink.take();
    REQUIRE_FALSE(messages.empty());
    CHECK(messages.back() == Parts{"c"});
  }
  REQUIRE(f.take(tsdu(0, frame(std::string(100, 'x')).substr(0, 8))) == Status::ok);
  CHECK(f.take(tsdu(3, "xxx" + frame("a"))) == Status::malformed);
  CHECK(f.take(tsdu(3, "xxx" + frame("b"))) == Status::malformed);
  CHECK(f.take(tsdu(kNone, frame("c"))) == Status::malformed);
  CHECK(f.take(tsdu(0, frame("d"))) == Status::ok);
  CHECK(f.sink.take() == std::vector<Parts>{{"a"}, {"b"}, {"d"}});
}

TEST_CASE("limits hold for frames, messages and their number of parts, in one TSDU or several") {
  const MessageLimits limits = {10, 15, 3};
  const std::string good = bytes_of({"0123456789", "01234", ""});
  for (const std::string& bad : {frame("0123456789a"), bytes_of({"0123456789", "012345"}),
                                 bytes_of({"", "", "", ""}), "\xff" + be(UINT64_MAX, 8) + "\0"s}) {
    for (std::size_t cut = 0; cut < bad.size(); ++cut) {
      Fixture f(limits);
      const bool whole = cut == 0;
      Status status = f.take(tsdu(0, good + bad.substr(0, cut ? cut : bad.size())));
      CHECK((status == Status::malformed || !whole));
      if (!whole && status == Status::ok) status = f.take(tsdu(kNone, bad.substr(cut)));
      CHECK(status == Status::malformed);
      CHECK(f.take(tsdu(0, good)) == Status::ok);
      CHECK(f.sink.take() ==
            std::vector<Parts>{{"0123456789", "01234", ""}, {"0123456789", "01234", ""}});
    }
  }
}

TEST_CASE("a full sink gets everything later, once") {
  Fixture f;
  f.sink.room = 1;
  REQUIRE(f.take(tsdu(0, frame("a") + more("b") + frame("c") + frame("d") + more("e"))) ==
          Status::full);
  CHECK(f.take(tsdu(0, frame("not now"))) == Status::full);
  CHECK(f.reader.resume() == Status::full);
  f.sink.room = 1;
  CHECK(f.reader.resume() == Status::full);
  f.sink.room = 5;
  CHECK(f.reader.resume() == Status::ok);
  CHECK(f.reader.resume() == Status::ok);
  CHECK(f.sink.take() == std::vector<Parts>{{"a"}, {"b", "c"}, {"d"}});
  f.sink.room = 0;
  CHECK(f.take(tsdu(3, frame("f") + frame("g"))) == Status::full);
  f.sink.room = 5;
  CHECK(f.reader.resume() == Status::ok);
  CHECK(f.sink.take() == std::vector<Parts>{{"e", "f"}, {"g"}});
}

TEST_CASE("a fault behind a full sink is told when there is room") {
  Fixture f;
  f.sink.room = 0;
  CHECK(f.take(tsdu(0, frame("a") + std::string(3, '\0'))) == Status::full);
  f.sink.room = 5;
  CHECK(f.reader.resume() == Status::malformed);
  REQUIRE(f.take(tsdu(0, more("half"))) == Status::ok);
  f.sink.room = 0;
  CHECK(f.take(tsdu(1, "x" + frame("b") + frame("c"))) == Status::full);
  f.sink.room = 5;
  CHECK(f.reader.resume() == Status::malformed);
  CHECK(f.take(tsdu(0, frame("d"))) == Status::ok);
  CHECK(f.sink.take() == std::vector<Parts>{{"a"}, {"b"}, {"c"}, {"d"}});
}

TEST_CASE("a loss behind a full sink leaves what it was offered") {
  Fixture f;
  REQUIRE(f.take(tsdu(0, more("a"))) == Status::ok);
  f.sink.room = 0;
  CHECK(f.take(tsdu(3, frame("b") + frame("c") + more("gone"))) == Status::full);
  f.reader.lose();
  f.sink.room = 5;
  CHECK(f.reader.resume() == Status::ok);
  CHECK(f.take(tsdu(2, frame("") + frame("d"))) == Status::ok);
  CHECK(f.sink.take() == std::vector<Parts>{{"a", "b"}, {"c"}, {"d"}});
}

TEST_CASE("large messages over many TSDUs") {
  std::vector<Parts> messages = {{std::string(3'000'000, 'x'), "y"}, {"z"}};
  for (std::size_t i = 0; i < messages[0][0].size(); i += 97)
    messages[0][0][i] = static_cast<char>(i);
  Fixture f;
  for (const std::string& one : write(messages, 1428)) REQUIRE(f.take(one) == Status::ok);
  CHECK(f.sink.take() == messages);
}
