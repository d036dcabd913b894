// Connections that are lost and come back, and endpoints that are let go.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <thread>
#include <vector>

#include "raw_peer.hpp"
#include "sockets.hpp"
#include "transports.hpp"

using namespace zerowire;
using namespace zerowire::test;

namespace {

void bind_again(Socket& socket, const std::string& endpoint) {
  REQUIRE(eventually([&] { return bool(socket.bind(endpoint)); }));
}

}  // namespace

TEST_SUITE_BEGIN("reconnect");

TEST_CASE("after a restart of the peer traffic goes on, with what was queued meanwhile") {
  for (Transport& transport : Transport::all()) {
    const std::string over = transport.name();
    if (over == "inproc") continue;
    CAPTURE(over);
    const Context context = make_context();
    const std::string endpoint = transport.fixed();
    Socket push = make(context, SocketType::push);
    push.monitor(kAllEvents);
    Socket first = make(context, SocketType::pull);
    bind(first, endpoint);
    connect(push, endpoint);
    send(push, {"to the first"});
    CHECK(receive(first) == Parts{"to the first"});
    first.close();
    wait_for(push, EventType::disconnected);
    for (int i = 0; i < 100; ++i) send(push, {std::to_string(i), std::string(2000, 'q')});
    wait_for(push, EventType::connect_retried);
    Socket second = make(context, SocketType::pull);
    bind_again(second, endpoint);
    for (int i = 0; i < 100; ++i) CHECK(receive(second).at(0) == std::to_string(i));
    send(push, {"live"});
    CHECK(receive(second) == Parts{"live"});
  }
}

TEST_CASE("the addresses of a name are tried in turn") {
  const Context context = make_context();
  Socket pull = make(context, SocketType::pull);
  const std::string endpoint = bind(pull, "tcp://127.0.0.1:*");
  // Where localhost is ::1 first, the first attempt is refused.
  Socket push = make(context, SocketType::push, {{Option::ipv6, int64_t{1}}});
  connect(push, "tcp://localhost" + endpoint.substr(endpoint.rfind(':')));
  send(push, {"found"});
  CHECK(receive(pull) == Parts{"found"});
}

TEST_CASE("the rest of a message that was half sent is not sent again") {
  const Context context = make_context();
  RawListener listener;
  Socket push = make(context, SocketType::push, {{Option::send_buffer_size, int64_t{4096}}});
  push.monitor(kAllEvents);
  connect(push, listener.endpoint());
  const std::string body(8 << 20, 'h');
  {
    RawPeer peer = listener.accept();
    peer.send(zmtp_handshake("PULL"));
    peer.take_handshake();
    send(push, {"half", body, "tail"});
    send(push, {"whole", "two"});
    send(push, {"another"});
    CHECK(peer.frame() == "half");
    CHECK(peer.receive(100'000).size() == 100'000);
    peer.reset();
  }
  wait_for(push, EventType::disconnected);
  RawPeer peer = listener.accept();
  peer.send(zmtp_handshake("PULL"));
  peer.take_handshake();
  CHECK(peer.frame() == "whole");
  CHECK(peer.frame() == "two");
  CHECK(peer.frame() == "another");
}

TEST_CASE("a sender that was blocked goes on after a reconnect") {
  const Context context = make_context();
  RawListener listener;
  Socket push =
      make(context, SocketType::push,
           {{Option::send_buffer_size, int64_t{4096}}, {Option::send_high_water_mark, int64_t{1}}});
  connect(push, listener.endpoint());
  const std::string body(1 << 20, 'b');
  std::thread sender([&] {
    for (const char* text : {"one", "two", "three"}) {
      if (push.send(text, true) != Errc::ok || push.send(body) != Errc::ok) return;
    }
    (void)push.send("end");
  });
  for (int i = 0; i < 2; ++i) {
    RawPeer peer = listener.accept();
    peer.send(zmtp_handshake("PULL"));
    peer.take_handshake();
    CHECK(peer.frame() != "end");
    peer.reset();
  }
  RawPeer peer = listener.accept();
  peer.send(zmtp_handshake("PULL"));
  peer.take_handshake();
  std::string frame;
  while (frame != "end") {
    frame = peer.frame();
    REQUIRE_FALSE(frame.empty());
  }
  sender.join();
}

TEST_CASE("the interval is kept: base with jitter, or doubling up to the maximum") {
  RawListener reserved;
  const std::string endpoint = reserved.endpoint();
  reserved.close();
  const Context context = make_context();
  {
    Socket push = make(context, SocketType::push, {{Option::reconnect_interval, int64_t{2}}});
    push.monitor(kAllEvents);
    connect(push, endpoint);
    for (int i = 0; i < 5; ++i) {
      const uint32_t wait = wait_for(push, EventType::connect_retried).value;
      CHECK(wait >= 2);
      CHECK(wait <= 4);
    }
  }
  Socket push = make(
      context, SocketType::push,
      {{Option::reconnect_interval, int64_t{2}}, {Option::reconnect_max_interval, int64_t{16}}});
  push.monitor(kAllEvents);
  connect(push, endpoint);
  uint32_t longest = 2;
  for (int i = 0; i < 8; ++i) {
    const uint32_t wait = wait_for(push, EventType::connect_retried).value;
    CHECK(wait >= longest / 2);
    CHECK(wait <= longest);
    longest = std::min(longest * 2, 16u);
  }
}

TEST_CASE("an interval of -1: one attempt only") {
  RawListener reserved;
  const std::string endpoint = reserved.endpoint();
  reserved.close();
  const Context context = make_context();
  Socket push = make(context, SocketType::push, {{Option::reconnect_interval, int64_t{-1}}});
  push.monitor(kAllEvents);
  connect(push, endpoint);
  CHECK(wait_for(push, EventType::closed).address == endpoint);
  // It is not connected to anything any more.
  CHECK(eventually([&] { return try_send(push, {"x"}) == Errc::again; }));
  CHECK_FALSE(push.disconnect(endpoint));
}

TEST_CASE("immediate: messages are queued for established connections only") {
  for (const SocketType type :
       {SocketType::push, SocketType::dealer, SocketType::req, SocketType::pair}) {
    CAPTURE(static_cast<int>(type));
    RawListener reserved;
    const std::string endpoint = reserved.endpoint();
    reserved.close();
    const Context context = make_context();
    Socket sender = make(context, type, {{Option::immediate, int64_t{1}}});
    sender.monitor(kAllEvents);
    connect(sender, endpoint);
    CHECK(try_send(sender, {"nobody"}) == Errc::again);
    CHECK((sender.readiness() & kWritable) == 0);
    const SocketType other = type == SocketType::push  ? SocketType::pull
                             : type == SocketType::req ? SocketType::rep
                                                       : type;
    Socket receiver = make(context, other);
    bind_again(receiver, endpoint);
    send(sender, {"somebody"});  // blocks until the connection is there
    CHECK(receive(receiver) == Parts{"somebody"});
    receiver.close();
    wait_for(sender, EventType::disconnected);
    if (type == SocketType::req) continue;
    CHECK(try_send(sender, {"nobody again"}) == Errc::again);
  }
}

TEST_CASE("without immediate, connecting makes a peer at once; with it, others get the messages") {
  RawListener reserved;
  const std::string nobody = reserved.endpoint();
  reserved.close();
  for (const bool immediate : {false, true}) {
    CAPTURE(immediate);
    const Context context = make_context();
    Socket push = make(context, SocketType::push, {{Option::immediate, int64_t{immediate}}});
    push.monitor(kAllEvents);
    Socket pull = make(context, SocketType::pull);
    connect(push, nobody);
    connect(push, bind(pull));
    await_handshakes(push);
    for (int i = 0; i < 4; ++i) send(push, {std::to_string(i)});
    CHECK(receive(pull) == Parts{immediate ? "0" : "1"});
    CHECK(receive(pull) == Parts{immediate ? "1" : "3"});
  }
}

TEST_CASE("disconnect flushes, then the peer gets no more") {
  for (Transport& transport : Transport::all()) {
    const std::string over = transport.name();
    CAPTURE(over);
    const Context context = make_context();
    Socket push = make(context, SocketType::push, {{Option::linger, int64_t{-1}}});
    Socket one = make(context, SocketType::pull);
    Socket two = make(context, SocketType::pull);
    const std::string at_one = transport.fixed(), at_two = transport.fixed();
    bind(one, at_one);
    bind(two, at_two);
    connect(push, at_one);
    for (int i = 0; i < 20; ++i) send(push, {std::to_string(i)});
    connect(push, at_two);
    REQUIRE(push.disconnect(at_one));
    for (int i = 0; i < 20; ++i) CHECK(receive(one) == Parts{std::to_string(i)});
    for (int i = 0; i < 5; ++i) send(push, {"two"});
    for (int i = 0; i < 5; ++i) CHECK(receive(two) == Parts{"two"});
    CHECK_FALSE(try_receive(one));
    const Result<void> again = push.disconnect(at_one);
    REQUIRE_FALSE(again);
    CHECK(again.error().code == Errc::no_entry);
    // And back.
    connect(push, at_one);
    REQUIRE(push.disconnect(at_two));
    send(push, {"back"});
    CHECK(receive(one) == Parts{"back"});
    set(push, Option::linger, 0);
  }
}

TEST_CASE("what a disconnected peer sent before stays readable") {
  const Context context = make_context();
  Socket dealer = make(context, SocketType::dealer);
  Socket other = make(context, SocketType::dealer);
  const std::string endpoint = bind(other, "inproc://readable");
  connect(dealer, endpoint);
  send(dealer, {"hello"});
  CHECK(receive(other) == Parts{"hello"});
  for (int i = 0; i < 3; ++i) send(other, {std::to_string(i)});
  REQUIRE(dealer.disconnect(endpoint));
  for (int i = 0; i < 3; ++i) CHECK(receive(dealer) == Parts{std::to_string(i)});
  CHECK(try_send(dealer, {"x"}) == Errc::again);
}

TEST_CASE("unbind frees the address at once; it can be bound again by anyone") {
  for (Transport& transport : Transport::all()) {
    const std::string over = transport.name();
    CAPTURE(over);
    const Context context = make_context();
    const std::string endpoint = transport.fixed();
    Socket one = make(context, SocketType::pull);
    Socket two = make(context, SocketType::pull);
    for (int i = 0; i < 3; ++i) {
      bind(one, endpoint);
      const Result<std::string> taken = two.bind(endpoint);
      REQUIRE_FALSE(taken);
      CHECK(taken.error().code == Errc::address_in_use);
      REQUIRE(one.unbind(endpoint));
      bind(two, endpoint);
      Socket push = make(context, SocketType::push);
      connect(push, endpoint);
      send(push, {"to two"});
      CHECK(receive(two) == Parts{"to two"});
      REQUIRE(two.unbind(endpoint));
    }
    const Result<void> again = one.unbind(endpoint);
    REQUIRE_FALSE(again);
    CHECK(again.error().code == Errc::no_entry);
  }
}

TEST_CASE("unbind ends the connections it has accepted, and those in their handshake") {
  const Context context = make_context();
  Socket pull = make(context, SocketType::pull);
  pull.monitor(kAllEvents);
  const std::string endpoint = bind(pull);
  RawPeer peer = RawPeer::to(endpoint);
  peer.send(zmtp_handshake("PUSH") + zmtp_frame(0, "sent before"));
  await_handshakes(pull);
  RawPeer late = RawPeer::to(endpoint);
  wait_for(pull, EventType::accepted);
  CHECK(receive(pull) == Parts{"sent before"});
  REQUIRE(pull.unbind(endpoint));
  CHECK(peer.closed());
  late.send(zmtp_handshake("PUSH"));
  await_handshakes(pull);
  CHECK_FALSE(try_receive(pull));
  CHECK(late.closed());
}

TEST_CASE("unbind takes the resolved endpoint and the one as written") {
  const Context context = make_context();
  Socket pull = make(context, SocketType::pull);
  const std::string resolved = bind(pull, "tcp://127.0.0.1:*");
  CHECK(pull.unbind("tcp://127.0.0.1:*"));
  CHECK_FALSE(pull.unbind(resolved));
  const std::string next = bind(pull, "tcp://127.0.0.1:0");
  CHECK(pull.unbind(next));
}

TEST_CASE("the same endpoint may be connected twice, and is disconnected once at a time") {
  const Context context = make_context();
  Socket push = make(context, SocketType::push);
  Socket pull = make(context, SocketType::pull);
  const std::string endpoint = bind(pull);
  connect(push, endpoint);
  connect(push, endpoint);
  for (int i = 0; i < 4; ++i) send(push, {"x"});
  for (int i = 0; i < 4; ++i) receive(pull);
  CHECK(push.disconnect(endpoint));
  send(push, {"y"});
  CHECK(receive(pull) == Parts{"y"});
  CHECK(push.disconnect(endpoint));
  CHECK_FALSE(push.disconnect(endpoint));
  CHECK(try_send(push, {"z"}) == Errc::again);
}

TEST_SUITE_END();
