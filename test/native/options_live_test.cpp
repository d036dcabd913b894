// Options that show on a live connection: what they do, not only that they are stored.
#include <doctest/doctest.h>

#include <cerrno>
#include <string>

#include "raw_peer.hpp"
#include "sockets.hpp"

using namespace zerowire;
using namespace zerowire::test;

TEST_SUITE_BEGIN("options live");

TEST_CASE("heartbeats: PINGs carry the ttl, and silence ends the connection") {
  const Context context = make_context();
  Socket pull = make(context, SocketType::pull,
                     {{Option::heartbeat_interval, int64_t{20}},
                      {Option::heartbeat_ttl, int64_t{1500}},
                      {Option::heartbeat_timeout, int64_t{60}}});
  pull.monitor(kAllEvents);
  RawPeer peer = RawPeer::to(bind(pull));
  peer.send(zmtp_handshake("PUSH"));
  peer.take_handshake();
  char flags = 0;
  CHECK(peer.frame(&flags) == std::string("\x04PING\x00\x0F", 7));
  CHECK(flags == 4);
  wait_for(pull, EventType::disconnected);
  CHECK(peer.closed());
}

TEST_CASE("heartbeats: a peer that answers stays") {
  const Context context = make_context();
  Socket pull = make(
      context, SocketType::pull,
      {{Option::heartbeat_interval, int64_t{5}}, {Option::heartbeat_timeout, int64_t{10'000}}});
  Socket push = make(context, SocketType::push);
  pull.monitor(static_cast<uint32_t>(EventType::disconnected));
  connect(push, bind(pull));
  RawPeer peer = RawPeer::to(pull.get_string(Option::last_endpoint).value());
  peer.send(zmtp_handshake("PUSH"));
  peer.take_handshake();
  for (int i = 0; i < 20; ++i) {
    CHECK(peer.frame().substr(1, 4) == "PING");
    peer.send(zmtp_command("PONG", ""));
  }
  Event event;
  CHECK_FALSE(pull.try_event(event));
  send(push, {"still here"});
  CHECK(receive(pull) == Parts{"still here"});
}

TEST_CASE("a PING is answered with its context, and its ttl is kept") {
  const Context context = make_context();
  Socket pull = make(context, SocketType::pull);
  pull.monitor(kAllEvents);
  RawPeer peer = RawPeer::to(bind(pull));
  peer.send(zmtp_handshake("PUSH") + zmtp_command("PING", std::string("\x00\x01", 2) + "context"));
  peer.take_handshake();
  CHECK(peer.frame() == "\x04PONGcontext");
  // 100 ms without a word from us, as we asked.
  wait_for(pull, EventType::disconnected);
  CHECK(peer.closed());
}

TEST_CASE("routing ids are announced by the types that have them") {
  const Context context = make_context();
  for (const SocketType type : {SocketType::dealer, SocketType::req, SocketType::router}) {
    RawListener listener;
    Socket socket = make(context, type, {{Option::routing_id, std::string("me")}});
    connect(socket, listener.endpoint());
    RawPeer peer = listener.accept();
    peer.send(zmtp_greeting());
    CHECK(peer.receive(64).size() == 64);
    CHECK(peer.frame().find(std::string("\x08Identity\0\0\0\x02me", 15)) != std::string::npos);
  }
}

TEST_CASE("tcp wildcards with ipv6 take both families") {
  const Context context = make_context();
  Socket pull = make(context, SocketType::pull, {{Option::ipv6, int64_t{1}}});
  const Result<std::string> bound = pull.bind("tcp://*:*");
  if (!bound) return;  // no IPv6 on this machine
  const std::string port = bound.value().substr(bound.value().rfind(':') + 1);
  for (const std::string& host : {std::string("127.0.0.1"), std::string("[::1]")}) {
    Socket push = make(context, SocketType::push, {{Option::ipv6, int64_t{1}}});
    connect(push, "tcp://" + host + ":" + port);
    send(push, {host});
    CHECK(receive(pull) == Parts{host});
  }
}

TEST_CASE("host names are looked up in the background; unknown ones are tried again") {
  const Context context = make_context();
  Socket pull = make(context, SocketType::pull);
  const std::string endpoint = bind(pull);
  Socket push = make(context, SocketType::push);
  connect(push, "tcp://localhost" + endpoint.substr(endpoint.rfind(':')));
  send(push, {"by name"});
  CHECK(receive(pull) == Parts{"by name"});

  Socket lost = make(context, SocketType::push);
  lost.monitor(kAllEvents);
  connect(lost, "tcp://no-such-host.invalid:1");
  wait_for(lost, EventType::connect_retried);
  wait_for(lost, EventType::connect_retried);
}

TEST_CASE("a source address is used") {
  const Context context = make_context();
  Socket pull = make(context, SocketType::pull);
  pull.monitor(static_cast<uint32_t>(EventType::accepted));
  const std::string endpoint = bind(pull);
  Socket push = make(context, SocketType::push);
  connect(push, "tcp://127.0.0.2:0;" + endpoint.substr(sizeof "tcp://" - 1));
  CHECK(wait_for(pull, EventType::accepted).peer_address.starts_with("tcp://127.0.0.2:"));
}

TEST_CASE("conflate: only the newest message is received") {
  for (const char* endpoint : {"tcp://127.0.0.1:*", "inproc://newest"}) {
    const std::string over = endpoint;
    CAPTURE(over);
    const Context context = make_context();
    Socket push = make(context, SocketType::push);
    Socket pull = make(context, SocketType::pull, {{Option::conflate, int64_t{1}}});
    connect(push, bind(pull, endpoint));
    constexpr int kLast = 500;
    for (int i = 0; i <= kLast; ++i) send(push, {std::to_string(i)});
    int before = -1, got = 0;
    while (before < kLast) {
      const int number = std::stoi(receive(pull).at(0));
      CHECK(number > before);
      before = number;
      ++got;
    }
    CHECK(got <= kLast + 1);
    CHECK_FALSE(try_receive(pull));
  }
}

TEST_CASE("conflate: a sender never blocks and keeps the newest for whom it will reach") {
  RawListener reserved;
  const std::string endpoint = reserved.endpoint();
  reserved.close();
  const Context context = make_context();
  Socket push = make(context, SocketType::push,
                     {{Option::conflate, int64_t{1}}, {Option::send_high_water_mark, int64_t{1}}});
  connect(push, endpoint);
  for (int i = 0; i < 100; ++i) CHECK(try_send(push, {std::to_string(i)}) == Errc::ok);
  Socket pull = make(context, SocketType::pull);
  REQUIRE(eventually([&] { return bool(pull.bind(endpoint)); }));
  CHECK(receive(pull) == Parts{"99"});
}

TEST_SUITE_END();
