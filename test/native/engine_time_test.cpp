// The ZMTP engine and time: deadlines, heartbeats, silence.
#include <doctest/doctest.h>

#include <cerrno>
#include <string>
#include <vector>

#include "engine_driver.hpp"
#include "wire_bytes.hpp"
#include "zmtp/engine.hpp"

using namespace zerowire;
using test::byte;
using test::command;
using test::config_of;
using test::Connected;
using test::EngineDriver;
using test::failed;
using test::frame;
using test::greeting;
using test::pattern;
using test::ping;
using test::ready;

namespace {

using Events = std::vector<std::string>;

}  // namespace

TEST_CASE("the handshake has one deadline, whatever trickles in") {
  EngineDriver driver(config_of(SocketType::pull));
  const int64_t start = driver.now;
  const int64_t by = start + 30'000 * kMillisecond;
  CHECK(driver.engine.deadline() == by);
  const std::string bytes = greeting();
  for (int i = 0; i < 30; ++i) {
    driver.at(start + i * 1000 * kMillisecond);
    driver.feed(bytes.substr(static_cast<std::size_t>(i), 1));
    CHECK(driver.engine.deadline() == by);
  }
  driver.at(by - 1);
  CHECK(driver.events.empty());
  driver.at(by);
  CHECK(driver.events == Events{failed(EventType::handshake_failed_no_detail, ETIMEDOUT)});
  CHECK(driver.engine.deadline() == kNever);
}

TEST_CASE("the deadline ends with the handshake; 0 means none") {
  Connected connected;
  CHECK(connected.engine.deadline() == kNever);
  EngineConfig config = config_of(SocketType::pull);
  config.handshake_interval = 0;
  EngineDriver patient(config);
  CHECK(patient.engine.deadline() == kNever);
}

TEST_CASE("heartbeats: PING at each interval, failure after silence") {
  EngineConfig config = config_of(SocketType::pull);
  config.heartbeat_interval = 100 * kMillisecond;
  config.heartbeat_timeout = 250 * kMillisecond;
  config.heartbeat_ttl = 0x123;
  Connected peer(config);
  const int64_t start = peer.now;
  CHECK(peer.engine.deadline() == start + 100 * kMillisecond);
  peer.at(start + 100 * kMillisecond);
  CHECK(peer.output == ping(0x123));
  peer.at(start + 200 * kMillisecond);
  CHECK(peer.output == ping(0x123) + ping(0x123));
  peer.at(start + 300 * kMillisecond);
  peer.at(start + 349 * kMillisecond);
  CHECK(peer.events.empty());
  SUBCASE("silence") {
    CHECK(peer.engine.deadline() == start + 350 * kMillisecond);
    peer.at(start + 350 * kMillisecond);
    CHECK(peer.events == Events{failed(EventType::disconnected, ETIMEDOUT)});
  }
  SUBCASE("any byte is a sign of life") {
    peer.feed(byte(0));
    peer.at(start + 350 * kMillisecond);
    CHECK(peer.events.empty());
    CHECK(peer.engine.deadline() == start + 400 * kMillisecond);
  }
}

TEST_CASE("peers that speak 3.0 get no PING; a probe is an empty message") {
  EngineConfig config = config_of(SocketType::pull);
  config.heartbeat_interval = 100 * kMillisecond;
  EngineDriver peer(config);
  peer.feed(greeting(0) + ready("PUSH"));
  REQUIRE(peer.engine.ready());
  CHECK(peer.engine.deadline() == kNever);
  CHECK(peer.engine.output() == "");
  peer.engine.probe();
  CHECK(peer.engine.output() == frame(""));
}

TEST_CASE("heartbeats without a timeout never fail") {
  EngineConfig config = config_of(SocketType::pull);
  config.heartbeat_interval = 100 * kMillisecond;
  Connected peer(config);
  const int64_t start = peer.now;
  for (int i = 1; i < 50; ++i) peer.at(start + i * 100 * kMillisecond);
  CHECK(peer.events.empty());
  CHECK(peer.output.size() == 49 * ping(0).size());
}

TEST_CASE("a peer's TTL: silence of that length ends the connection, traffic extends it") {
  Connected peer;
  const int64_t start = peer.now;
  peer.feed(ping(5));  // 0.5 s
  CHECK(peer.output == command("PONG", ""));
  CHECK(peer.engine.deadline() == start + 500 * kMillisecond);
  peer.at(start + 400 * kMillisecond);
  peer.feed(frame("life"));
  CHECK(peer.engine.deadline() == start + 900 * kMillisecond);
  peer.feed(ping(0));
  CHECK(peer.engine.deadline() == kNever);
  peer.feed(ping(0xFFFF));
  CHECK(peer.engine.deadline() == peer.now + 0xFFFF * 100 * kMillisecond);
  peer.feed(ping(1));
  peer.at(peer.now + 100 * kMillisecond);
  CHECK(peer.events == Events{"message [life]", failed(EventType::disconnected, ETIMEDOUT)});
}

TEST_CASE("PING contexts: up to 16 bytes come back, more is refused") {
  for (std::size_t size = 0; size <= 16; ++size) {
    Connected peer;
    peer.feed(ping(0, pattern(size)));
    CHECK(peer.output == command("PONG", pattern(size)));
  }
  for (const std::string& bad :
       {ping(0, pattern(17)), ping(0, pattern(1000)), command("PING", ""), command("PING", "x")}) {
    Connected peer;
    peer.feed(bad);
    CHECK(peer.events == Events{failed(EventType::disconnected, EPROTO)});
  }
}

TEST_CASE("a throttled engine does not blame the peer for silence") {
  EngineConfig config = config_of(SocketType::pull);
  config.heartbeat_interval = 100 * kMillisecond;
  config.heartbeat_timeout = 100 * kMillisecond;
  Connected peer(config, 1);
  peer.reading = false;
  peer.feed(frame("1") + frame("2"));
  REQUIRE(peer.engine.throttled());
  const int64_t start = peer.now;
  for (int i = 1; i < 20; ++i) peer.at(start + i * 100 * kMillisecond);
  CHECK(peer.events.empty());
  peer.read();
  peer.resume();
  peer.read();
  CHECK(peer.events == Events{"message [1]", "message [2]"});
  CHECK_FALSE(peer.engine.throttled());
  for (int i = 20; i < 23; ++i) peer.at(start + i * 100 * kMillisecond);
  CHECK(peer.failed());
}
