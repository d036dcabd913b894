// PAIR: two sockets, exclusively.
#include <doctest/doctest.h>

#include <string>
#include <thread>

#include "sockets.hpp"

using namespace zerowire;
using namespace zerowire::test;

TEST_SUITE_BEGIN("pair");

TEST_CASE("a second peer is refused while one is there") {
  for (const char* endpoint : {"tcp://127.0.0.1:*", "inproc://couple"}) {
    CAPTURE(endpoint);
    const Context context = make_context();
    Socket bound = make(context, SocketType::pair);
    const std::string at = bind(bound, endpoint);
    Socket first = make(context, SocketType::pair);
    connect(first, at);
    send(first, {"first"});
    CHECK(receive(bound) == Parts{"first"});

    Socket second = make(context, SocketType::pair, {{Option::reconnect_interval, int64_t{-1}}});
    second.monitor(kAllEvents);
    connect(second, at);
    if (at.starts_with("tcp")) {
      // It hears of it although `bound` is only used for sending.
      CHECK(eventually([&] {
        send(bound, {"to the first"});
        CHECK(receive(first) == Parts{"to the first"});
        Event event;
        return second.try_event(event) && event.type == EventType::disconnected;
      }));
    } else {
      send(bound, {"to the first"});
      CHECK(receive(first) == Parts{"to the first"});
    }
    (void)try_send(second, {"intruder"});
    send(first, {"again"});
    CHECK(receive(bound) == Parts{"again"});
    send(bound, {"and back"});
    CHECK(receive(first) == Parts{"and back"});
    CHECK_FALSE(try_receive(second));
    CHECK_FALSE(try_receive(bound));
  }
}

TEST_CASE("when a refused peer goes, the accepted one is not affected") {
  const Context context = make_context();
  Socket bound = make(context, SocketType::pair);
  const std::string at = bind(bound, "inproc://steady");
  Socket first = make(context, SocketType::pair);
  connect(first, at);
  {
    Socket second = make(context, SocketType::pair);
    connect(second, at);
    send(second, {"refused"});
    CHECK((bound.readiness() & kWritable) != 0);
  }
  send(bound, {"one"});
  CHECK(receive(first) == Parts{"one"});
  CHECK_FALSE(try_receive(bound));
  send(first, {"two"});
  CHECK(receive(bound) == Parts{"two"});
}

TEST_CASE("when the peer has gone, another may come") {
  for (const char* endpoint : {"tcp://127.0.0.1:*", "inproc://serial"}) {
    CAPTURE(endpoint);
    const Context context = make_context();
    Socket bound = make(context, SocketType::pair);
    bound.monitor(kAllEvents);
    const std::string at = bind(bound, endpoint);
    for (int i = 0; i < 3; ++i) {
      Socket peer = make(context, SocketType::pair);
      connect(peer, at);
      const std::string name = "visitor " + std::to_string(i);
      send(peer, {name});
      CHECK(receive(bound) == Parts{name});
      send(bound, {"welcome " + name});
      CHECK(receive(peer) == Parts{"welcome " + name});
      peer.close();
      if (at.starts_with("tcp")) wait_for(bound, EventType::disconnected);
      CHECK_FALSE(try_receive(bound));
    }
  }
}

TEST_CASE("without a peer a bound PAIR would block") {
  const Context context = make_context();
  Socket pair = make(context, SocketType::pair);
  bind(pair);
  CHECK(try_send(pair, {"x"}) == Errc::again);
  CHECK(pair.readiness() == 0);
}

TEST_CASE("many messages both ways at once") {
  const Context context = make_context();
  Socket left = make(context, SocketType::pair);
  Socket right = make(context, SocketType::pair);
  connect(right, bind(left));
  constexpr int kMessages = 5'000;
  const auto chat = [](Socket& socket) {
    int sent = 0, got = 0;
    while (sent < kMessages || got < kMessages) {
      PollItem item{&socket, kReadable | (sent < kMessages ? kWritable : 0u)};
      if (poll({&item, 1}, kDeadline) != 1) break;
      if ((item.ready & kWritable) && try_send(socket, {std::to_string(sent)}) == Errc::ok) ++sent;
      if (!(item.ready & kReadable)) continue;
      const std::optional<Parts> message = try_receive(socket);
      if (message && *message != Parts{std::to_string(got++)}) break;
    }
    return got;
  };
  int of_right = 0;
  std::thread thread([&] { of_right = chat(right); });
  const int of_left = chat(left);
  thread.join();
  CHECK(of_left == kMessages);
  CHECK(of_right == kMessages);
}

TEST_SUITE_END();
