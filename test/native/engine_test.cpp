// The ZMTP engine on whole sessions: however the bytes arrive, the same comes of them.
#include "zmtp/engine.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "engine_driver.hpp"
#include "wire_bytes.hpp"

using namespace zerowire;
using test::byte;
using test::command;
using test::config_of;
using test::Connected;
using test::EngineDriver;
using test::failed;
using test::frame;
using test::greeting;
using test::long_header;
using test::more;
using test::pattern;
using test::ping;
using test::ready;

namespace {

using Events = std::vector<std::string>;

struct Session {
  EngineConfig config;
  std::string bytes;
  Events events;
  std::string output;
};

void add(Session& session, const std::vector<std::string>& parts) {
  std::string text = "message";
  for (std::size_t i = 0; i < parts.size(); ++i) {
    session.bytes += i + 1 < parts.size() ? more(parts[i]) : frame(parts[i]);
    text += " [" + parts[i] + "]";
  }
  session.events.push_back(text);
}

std::string our_ready(SocketType type) {
  std::string metadata = test::property("Socket-Type", socket_type_name(type));
  const bool has_id =
      type == SocketType::req || type == SocketType::dealer || type == SocketType::router;
  if (has_id) metadata += test::property("Identity", "");
  return command("READY", metadata);
}

/// Everything a peer may say, with frames of up to `large` bytes.
Session session(SocketType type, std::string_view peer, int minor, std::size_t large) {
  Session s;
  s.config = config_of(type);
  s.bytes = greeting(minor) + ready(peer, "me");
  s.events = {"ready " + std::string(peer) + " me"};
  s.output = greeting() + our_ready(type);
  const bool publishes = type == SocketType::pub || type == SocketType::xpub;
  if (publishes && minor >= 1) {
    for (const char* name : {"SUBSCRIBE", "CANCEL"}) {
      s.bytes += command(name, "topic");
      s.events.push_back("message [/" + byte(static_cast<int>(std::strlen(name))) + name +
                         "topic]");
    }
  } else if (publishes) {
    add(s, {"\1topic"});
  } else {
    s.bytes += command("SUBSCRIBE", "ignored");
  }
  add(s, {""});
  add(s, {"one", "", pattern(255)});
  s.bytes += ping(0, "ctx") + command("PONG", "x") + command("UNKNOWN", "");
  s.output += command("PONG", "ctx");
  add(s, {pattern(256), "tail"});
  s.bytes += long_header(0, 5) + "short";  // long form of a short size
  s.events.push_back("message [short]");
  s.bytes += more("first") + ping(0, "inside") + frame("second");
  s.output += command("PONG", "inside");
  s.events.push_back("message [first] [second]");
  if (large) {
    add(s, {pattern(large, 5), pattern(100), pattern(large, 6)});
    add(s, {pattern(large + 1, 7)});
  }
  s.bytes += ping(0);
  s.output += command("PONG", "");
  add(s, {"last"});
  return s;
}

void expect(const Session& session, std::span<const std::size_t> cuts) {
  EngineDriver driver(session.config);
  driver.output = driver.engine.output();
  driver.engine.output().clear();
  driver.feed(session.bytes, cuts);
  REQUIRE(driver.events == session.events);
  REQUIRE(driver.output == session.output);
}

std::vector<std::size_t> every_byte(std::size_t size) {
  std::vector<std::size_t> cuts;
  for (std::size_t i = 1; i < size; ++i) cuts.push_back(i);
  return cuts;
}

const std::pair<SocketType, const char*> kPairs[] = {
    {SocketType::pair, "PAIR"},  {SocketType::pub, "SUB"},       {SocketType::pub, "XSUB"},
    {SocketType::sub, "PUB"},    {SocketType::sub, "XPUB"},      {SocketType::req, "REP"},
    {SocketType::req, "ROUTER"}, {SocketType::rep, "REQ"},       {SocketType::rep, "DEALER"},
    {SocketType::dealer, "REP"}, {SocketType::dealer, "DEALER"}, {SocketType::dealer, "ROUTER"},
    {SocketType::router, "REQ"}, {SocketType::router, "DEALER"}, {SocketType::router, "ROUTER"},
    {SocketType::pull, "PUSH"},  {SocketType::push, "PULL"},     {SocketType::xpub, "SUB"},
    {SocketType::xpub, "XSUB"},  {SocketType::xsub, "PUB"},      {SocketType::xsub, "XPUB"},
};

}  // namespace

TEST_CASE("every pair of types, both versions: whole, byte by byte, cut at every byte") {
  for (const auto& [type, peer] : kPairs) {
    for (const int minor : {0, 1, 7}) {
      CAPTURE(peer);
      CAPTURE(minor);
      const Session s = session(type, peer, minor, 0);
      expect(s, {});
      expect(s, every_byte(s.bytes.size()));
      if (minor == 7) continue;
      for (std::size_t cut = 1; cut < s.bytes.size(); ++cut) expect(s, {{cut}});
    }
  }
}

TEST_CASE("frames that get memory of their own: cut at every byte") {
  const Session s = session(SocketType::pull, "PUSH", 1, 8300);
  expect(s, {});
  expect(s, every_byte(s.bytes.size()));
  for (std::size_t cut = 1; cut < s.bytes.size(); cut += cut < 1500 ? 1 : 7) expect(s, {{cut}});
}

TEST_CASE("frames larger than a step of growth: random cuts") {
  Random random(11);
  const Session s = session(SocketType::pull, "PUSH", 1, 2'300'000);
  expect(s, {});
  for (int round = 0; round < 20; ++round) {
    std::vector<std::size_t> cuts(1 + random.below(40));
    for (std::size_t& cut : cuts) cut = random.below(s.bytes.size());
    std::sort(cuts.begin(), cuts.end());
    expect(s, cuts);
  }
}

TEST_CASE("the end of input after any byte: whole messages only") {
  for (const std::size_t large : {std::size_t{0}, std::size_t{8300}}) {
    const Session s = session(SocketType::xpub, "SUB", 1, large);
    for (std::size_t size = 0; size < s.bytes.size(); size += size < 1500 ? 1 : 13) {
      EngineDriver driver(s.config);
      driver.feed(std::string_view(s.bytes).substr(0, size));
      REQUIRE(driver.events.size() < s.events.size());
      REQUIRE(std::equal(driver.events.begin(), driver.events.end(), s.events.begin()));
      const std::size_t before = driver.events.size();
      driver.read();
      REQUIRE(driver.events.size() == before);
    }
  }
}

TEST_CASE("a connection that is lost leaves nothing of a half message in the pipe") {
  Pipe pipe(0, false);
  std::size_t messages = 0;
  for (std::size_t size = 0; size < 20000; size += 19) {
    Engine engine(config_of(SocketType::pull), pipe.writer, 0);
    const std::string bytes =
        greeting() + ready("PUSH") + frame("whole") +
        (more("half") + more(pattern(9000)) + frame(pattern(12000))).substr(0, size);
    for (std::string_view left = bytes; !left.empty();) {
      iovec iov[2];
      const int count = engine.prepare(iov);
      REQUIRE(count > 0);
      const std::size_t taken = test::fill(iov, count, left);
      left.remove_prefix(taken);
      if (engine.commit(taken, 0) == Engine::Outcome::ready) {
        REQUIRE(engine.begin_traffic() == Engine::Outcome::ok);
      }
    }
    ++messages;
  }
  (void)pipe.writer.publish();
  const std::vector<test::Parts> all = test::read_all(pipe.reader);
  CHECK(all == std::vector<test::Parts>(messages, test::Parts{"whole"}));
}

TEST_CASE("a greeting is sent at once, READY after the peer's greeting") {
  EngineDriver driver(config_of(SocketType::req));
  CHECK(driver.engine.output() == greeting());
  driver.engine.output().clear();
  driver.feed(greeting().substr(0, 63));
  CHECK(driver.output == "");
  driver.feed(greeting().substr(63));
  CHECK(driver.output == our_ready(SocketType::req));
  CHECK_FALSE(driver.engine.ready());
}

TEST_CASE("our routing id is announced by the types that have one") {
  EngineConfig config = config_of(SocketType::dealer);
  config.routing_id = "name";
  EngineDriver driver(config);
  driver.feed(greeting());
  const std::string metadata =
      test::property("Socket-Type", "DEALER") + test::property("Identity", "name");
  CHECK(driver.output == greeting() + command("READY", metadata));
}

TEST_CASE("greetings: every byte at every value is either harmless or refused") {
  for (std::size_t at = 0; at < 64; ++at) {
    for (int value = 0; value < 256; ++value) {
      std::string bytes = greeting();
      bytes[at] = static_cast<char>(value);
      const bool same = bytes[at] == greeting()[at];
      const bool good = (at == 0 || (at >= 12 && at < 32)) ? same
                        : at == 9                          ? (value & 1) != 0
                        : at == 10                         ? value >= 3
                                                           : true;
      EngineDriver driver(config_of(SocketType::pull));
      driver.feed(bytes + ready("PUSH") + frame("hello"));
      CAPTURE(at);
      CAPTURE(value);
      if (good) {
        REQUIRE(driver.events == Events{"ready PUSH ", "message [hello]"});
      } else {
        REQUIRE(driver.events.size() == 1);
        REQUIRE(driver.failed());
      }
    }
  }
}

TEST_CASE("other mechanisms and half names are a mismatch") {
  for (const char* name : {"PLAIN", "CURVE", "", "NUL", "NULLX", "null", "GSSAPI"}) {
    CAPTURE(name);
    EngineDriver driver(config_of(SocketType::pull));
    driver.feed(greeting(1, name) + ready("PUSH"));
    CHECK(driver.events == Events{failed(ProtocolError::zmtp_mechanism_mismatch)});
  }
}

TEST_CASE("other protocols are refused as soon as they show") {
  const std::string others[] = {
      "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
      std::string("\x16\x03\x01\x02\x00\x01", 6) + pattern(600),
      "SSH-2.0-OpenSSH_9.2\r\n",
      std::string("\x01\x00", 2) + std::string("\x06\x00hello", 7),  // ZMTP 1.0
      byte(0xFF) + test::be(1, 8) + byte(0x7F) + byte(1) + byte(8) + std::string(2, '\0'),  // 2.0
      std::string(300, '\0'),
      std::string(300, '\r'),
  };
  for (const std::string& bytes : others) {
    EngineDriver driver(config_of(SocketType::rep));
    driver.feed(bytes);
    CHECK(driver.events == Events{failed(ProtocolError::zmtp_unspecified)});
    CHECK(driver.output.find("READY") == std::string::npos);
  }
}

TEST_CASE("types that do not go together: the peer is told by ERROR") {
  const char* names[] = {"PAIR", "PUB",  "SUB",  "REQ",  "REP",    "DEALER", "ROUTER",
                         "PULL", "PUSH", "XPUB", "XSUB", "STREAM", "",       "pull"};
  for (int type = 0; type <= 10; ++type) {
    for (const char* peer : names) {
      bool fits = false;
      for (const auto& [mine, theirs] : kPairs) {
        fits |= static_cast<int>(mine) == type && std::string_view(theirs) == peer;
      }
      CAPTURE(type);
      CAPTURE(peer);
      EngineDriver driver(config_of(static_cast<SocketType>(type)));
      driver.feed(greeting() + ready(peer));
      CHECK(driver.engine.ready() == fits);
      CHECK((driver.output.find("\x05"
                                "ERROR") == std::string::npos) == fits);
      if (!fits) CHECK(driver.events == Events{failed(ProtocolError::zmtp_invalid_metadata)});
    }
  }
}

TEST_CASE("what breaks the handshake") {
  const auto error = [](const std::string& bytes) {
    EngineDriver driver(config_of(SocketType::pull));
    driver.feed(greeting() + bytes);
    CHECK_FALSE(driver.engine.ready());
    return driver.events.empty() ? "" : driver.events.back();
  };
  const std::string unexpected = failed(ProtocolError::zmtp_unexpected_command);
  CHECK(error(frame("message")) == unexpected);
  CHECK(error(more("message")) == unexpected);
  CHECK(error(command("HELLO", "")) == unexpected);
  CHECK(error(ping(1)) == unexpected);
  CHECK(error(frame("\5READY", 5)) == unexpected);
  for (const int bit : {8, 16, 32, 64, 128}) CHECK(error(frame("\5READY", 4 | bit)) == unexpected);
  CHECK(error(frame("", 4)) == failed(ProtocolError::zmtp_malformed_unspecified));
  CHECK(error(frame(byte(0), 4)) == failed(ProtocolError::zmtp_malformed_unspecified));
  CHECK(error(frame("\6READY", 4)) == failed(ProtocolError::zmtp_malformed_unspecified));
  CHECK(error(command("READY", "x")) == failed(ProtocolError::zmtp_invalid_metadata));
  for (const uint64_t size :
       {uint64_t{65537}, uint64_t{1} << 31, uint64_t{1} << 32, uint64_t{1} << 63, UINT64_MAX}) {
    CHECK(error(long_header(4, size)) == failed(ProtocolError::zmtp_malformed_ready));
  }
  const std::string told = failed(EventType::handshake_failed_no_detail, EPROTO);
  CHECK(error(command("ERROR", "\3bad")) == told);
  CHECK(error(command("ERROR", byte(0))) == told);
  for (const char* data : {"", "\4bad", "\2bad"}) {
    CHECK(error(command("ERROR", data)) == failed(ProtocolError::zmtp_malformed_error));
  }
}

TEST_CASE("a READY that never ends is cut off") {
  EngineDriver driver(config_of(SocketType::pull));
  driver.feed(greeting() + long_header(4, 65536) + "\5READY");
  CHECK(driver.events.empty());
  driver.feed(std::string(65400, 'x'));
  CHECK(driver.offered <= 1024);
  driver.feed(std::string(200, 'x'));
  CHECK(driver.failed());
  iovec iov[2];
  CHECK(driver.engine.prepare(iov) == 0);
}

TEST_CASE("what breaks the traffic: nothing of it is delivered, what came before is") {
  std::vector<std::string> bad = {command("READY", ""), command("ERROR", byte(0)),
                                  frame("", 4),         frame("\7PING", 4),
                                  frame("\4PING", 5),   long_header(4, 65537)};
  for (const int bit : {8, 16, 32, 64, 128}) {
    bad.push_back(frame("x", bit));
    bad.push_back(frame("x", bit | 1));
  }
  for (const int flags : {0, 1, 4}) {
    bad.push_back(long_header(flags, uint64_t{1} << 63));
    bad.push_back(long_header(flags, UINT64_MAX));
    bad.push_back(long_header(flags, UINT64_MAX - 8));
  }
  for (const std::string& bytes : bad) {
    for (const bool split : {false, true}) {
      Connected peer;
      const std::string all = frame("good") + more("half") + bytes + frame("behind");
      for (std::size_t i = 0; i < all.size(); i += split ? 1 : all.size()) {
        if (!peer.feed(std::string_view(all).substr(i, split ? 1 : all.size()))) break;
      }
      CHECK(peer.events == Events{"message [good]", failed(EventType::disconnected, EPROTO)});
      iovec iov[2];
      CHECK(peer.engine.prepare(iov) == 0);
      CHECK(peer.engine.deadline() == kNever);
    }
  }
}

TEST_CASE("limits: bytes of a frame, bytes of a message, parts of a message") {
  EngineConfig config = config_of(SocketType::pull);
  config.limits = {100, 150, 3};
  const std::string too_large = failed(EventType::disconnected, EMSGSIZE);
  const std::string hundred(100, 'h');
  const std::string fifty(50, 'f');
  const struct {
    std::string bytes;
    std::size_t delivered;
    bool fails;
  } cases[] = {
      {frame(hundred), 1, false},
      {more(hundred) + frame(fifty), 1, false},
      {more("") + more("") + frame(""), 1, false},
      {frame(hundred) + frame(hundred) + frame(hundred), 3, false},
      {frame(fifty) + frame(hundred + "h"), 1, true},
      {frame(fifty) + long_header(0, 101), 1, true},
      {frame(fifty) + long_header(1, uint64_t{1} << 40), 1, true},
      {frame(fifty) + more(hundred) + frame(fifty + "f"), 1, true},
      {frame(fifty) + more("") + more("") + more("") + frame(""), 1, true},
  };
  for (const auto& [bytes, delivered, fails] : cases) {
    Connected peer(config);
    peer.feed(bytes);
    CHECK(peer.events.size() == delivered + fails);
    CHECK(peer.failed() == fails);
    if (fails) CHECK(peer.events.back() == too_large);
  }
}

TEST_CASE("sizes that are only declared cost next to nothing") {
  constexpr std::size_t kSlack = 1024 * 1024 + 64 * 1024;
  for (const int shift : {14, 20, 21, 31, 32, 33, 40, 62}) {
    CAPTURE(shift);
    Connected peer;
    peer.feed(long_header(0, uint64_t{1} << shift));
    const std::size_t start = peer.received;
    for (int i = 0; i < 40 && (std::size_t{1} << shift) > peer.received - start + 100'000; ++i) {
      peer.feed(std::string(100'000, 'x'));
      REQUIRE(peer.offered <= 2 * (peer.received - start) + kSlack);
    }
    CHECK(peer.events.empty());
  }
}

TEST_CASE("an endless message is stopped by the limit of parts, even of nothing") {
  EngineConfig config = config_of(SocketType::pull);
  config.limits.parts = 1000;
  Connected peer(config);
  std::string flood;
  for (int i = 0; i < 2000; ++i) flood += more("");
  peer.feed(flood);
  CHECK(peer.events == Events{failed(EventType::disconnected, EMSGSIZE)});
}

TEST_CASE("a flood of commands: a peer that does not take the answers is not read from") {
  Connected peer;
  peer.sending = false;
  peer.engine.output().clear();
  std::string flood;
  for (int i = 0; i < 1000; ++i) flood += ping(0, pattern(16));
  int rounds = 0;
  while (peer.feed(flood) && rounds < 100) ++rounds;
  CHECK(rounds < 100);
  CHECK(peer.engine.output().size() < 400 * 1024);
  peer.engine.output().clear();
  CHECK(peer.feed(frame("after")));
}

TEST_CASE("at the high-water mark the engine stops, and goes on where it was") {
  for (const int mark : {1, 2, 10}) {
    CAPTURE(mark);
    Connected peer(config_of(SocketType::pull), mark);
    peer.reading = false;
    std::string bytes;
    for (unsigned i = 0; i < 40; ++i)
      bytes += more(byte(static_cast<int>(i))) + frame(pattern(i * 9));
    CHECK_FALSE(peer.feed(bytes + frame(pattern(20000))));
    CHECK(peer.engine.throttled());
    int rounds = 0;
    while (peer.engine.throttled() && ++rounds < 100) {
      const std::size_t before = peer.events.size();
      peer.read();
      CHECK(peer.events.size() - before == static_cast<std::size_t>(mark));
      peer.resume();
      if (!peer.engine.throttled()) peer.feed(std::string(peer.left));
    }
    peer.read();
    CHECK(peer.events.size() == 41);
    CHECK(peer.left == "");
    CHECK(peer.events[3] == "message [\3] [" + pattern(27) + "]");
    CHECK(peer.events[40] == "message [" + pattern(20000) + "]");
  }
}

TEST_CASE("our subscriptions are commands to 3.1 peers, messages to 3.0 peers") {
  for (const std::size_t size : {0u, 5u, 254u, 255u, 300u}) {
    const std::string topic = pattern(size);
    for (const int minor : {0, 1}) {
      EngineDriver driver(config_of(SocketType::sub));
      driver.feed(greeting(minor) + ready("PUB"));
      driver.engine.output().clear();
      driver.engine.subscription(true, topic);
      driver.engine.subscription(false, topic);
      CHECK(driver.engine.output() == (minor
                                           ? command("SUBSCRIBE", topic) + command("CANCEL", topic)
                                           : frame("\1" + topic) + frame(byte(0) + topic)));
    }
  }
}
