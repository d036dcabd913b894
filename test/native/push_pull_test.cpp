// PUSH and PULL: round robin over the peers with room, fair queueing of what comes in.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "raw_peer.hpp"
#include "sockets.hpp"

using namespace zerowire;
using namespace zerowire::test;

TEST_SUITE_BEGIN("push pull");

TEST_CASE("PUSH gives each message to the next peer") {
  for (const char* endpoint : {"tcp://127.0.0.1:*", "inproc://round"}) {
    CAPTURE(endpoint);
    const Context context = make_context();
    Socket push = make(context, SocketType::push);
    push.monitor(kAllEvents);
    const std::string bound = bind(push, endpoint);
    std::vector<Socket> pulls;
    for (int i = 0; i < 3; ++i) {
      pulls.push_back(make(context, SocketType::pull));
      connect(pulls.back(), bound);
      if (bound.starts_with("tcp")) await_handshakes(push);
    }
    for (int i = 0; i < 12; ++i) send(push, {std::to_string(i)});
    std::set<std::string> all;
    for (Socket& pull : pulls) {
      std::vector<int> numbers;
      for (int i = 0; i < 4; ++i) numbers.push_back(std::stoi(receive(pull).at(0)));
      for (int i = 1; i < 4; ++i) CHECK(numbers[i] == numbers[i - 1] + 3);
      for (const int number : numbers) all.insert(std::to_string(number));
    }
    CHECK(all.size() == 12);
  }
}

TEST_CASE("PUSH skips peers that are full and comes back to them") {
  const Context context = make_context();
  Socket push = make(context, SocketType::push, {{Option::send_high_water_mark, int64_t{2}}});
  Socket slow = make(context, SocketType::pull, {{Option::receive_high_water_mark, int64_t{1}}});
  Socket fast = make(context, SocketType::pull, {{Option::receive_high_water_mark, int64_t{100}}});
  connect(push, bind(slow, "inproc://slow"));
  connect(push, bind(fast, "inproc://fast"));
  for (int i = 0; i < 20; ++i) send(push, {std::to_string(i)});
  int of_fast = 0;
  while (try_receive(fast)) ++of_fast;
  int of_slow = 0;
  while (try_receive(slow)) ++of_slow;
  CHECK(of_slow == 3);
  CHECK(of_fast == 17);
  // The slow one has room again: it is served in turn.
  send(push, {"a"});
  send(push, {"b"});
  CHECK(receive(slow).size() == 1);
  CHECK(receive(fast).size() == 1);
}

TEST_CASE("PULL takes one message from each peer in turn") {
  for (const char* endpoint : {"tcp://127.0.0.1:*", "inproc://fair"}) {
    CAPTURE(endpoint);
    const Context context = make_context();
    Socket pull = make(context, SocketType::pull);
    const std::string bound = bind(pull, endpoint);
    constexpr int kEach = 50;
    std::vector<Socket> pushes;
    for (int i = 0; i < 3; ++i) {
      pushes.push_back(make(context, SocketType::push));
      connect(pushes.back(), bound);
      // One message first: all three are known before the flood begins.
      send(pushes.back(), {"first"});
      CHECK(receive(pull) == Parts{"first"});
    }
    for (int i = 0; i < 3; ++i) {
      for (int j = 0; j < kEach; ++j) send(pushes[i], {std::to_string(i)});
    }
    // What has not arrived cannot be waited for in turn: over inproc everything has.
    std::vector<int> got(3);
    for (int i = 0; i < 3 * kEach; ++i) {
      ++got[std::stoi(receive(pull).at(0))];
      if (bound.starts_with("inproc") && i % 3 == 2) {
        CHECK(got[0] == got[1]);
        CHECK(got[1] == got[2]);
      }
    }
    CHECK(got == std::vector<int>{kEach, kEach, kEach});
  }
}

TEST_CASE("a flooding peer does not starve a quiet one") {
  const Context context = make_context();
  Socket pull = make(context, SocketType::pull);
  const std::string endpoint = bind(pull);
  Socket loud = make(context, SocketType::push);
  Socket quiet = make(context, SocketType::push);
  connect(loud, endpoint);
  connect(quiet, endpoint);
  std::atomic<bool> stop{false};
  std::thread flood([&] {
    set(loud, Option::send_timeout, 10);
    while (!stop) (void)loud.send("loud");
  });
  for (int i = 0; i < 5; ++i) {
    send(quiet, {"quiet"});
    bool heard = false;
    for (int n = 0; n < 1'000'000 && !heard; ++n) heard = receive(pull) == Parts{"quiet"};
    CHECK(heard);
  }
  stop = true;
  flood.join();
}

TEST_CASE("parts of a message stay together") {
  const Context context = make_context();
  Socket pull = make(context, SocketType::pull);
  const std::string endpoint = bind(pull);
  std::vector<std::thread> senders;
  constexpr int kSenders = 3, kMessages = 300;
  for (int i = 0; i < kSenders; ++i) {
    senders.emplace_back([&context, &endpoint, i] {
      Socket push = make(context, SocketType::push, {{Option::linger, int64_t{-1}}});
      connect(push, endpoint);
      const std::string name = std::to_string(i);
      for (int j = 0; j < kMessages; ++j) {
        Parts parts(static_cast<std::size_t>(1 + j % 7), name);
        if (j % 50 == 0) parts.push_back(std::string(100'000, name[0]));
        if (push.send(as_parts(parts), kDeadline) != Errc::ok) return;
      }
    });
  }
  for (int i = 0; i < kSenders * kMessages; ++i) {
    const Parts got = receive(pull);
    const bool of_one_sender = std::all_of(got.begin(), got.end(), [&](const std::string& part) {
      return part.find_first_not_of(got[0][0]) == std::string::npos;
    });
    CHECK(of_one_sender);
  }
  for (std::thread& sender : senders) sender.join();
}

TEST_CASE("frames of all sizes, alone and together, come one by one and as views in between") {
  const Context context = make_context();
  Socket push = make(context, SocketType::push, {{Option::send_high_water_mark, 0}});
  Socket pull = make(context, SocketType::pull, {{Option::receive_high_water_mark, 0}});
  bind(pull, "inproc://frames");
  connect(push, "inproc://frames");
  const std::size_t sizes[] = {0, 1, 103, 104, 255, 256, 1023, 1024, 9000, 70000};
  const auto body = [&](int i) {
    return std::string(sizes[i % 10], static_cast<char>('a' + i % 26));
  };
  constexpr int kMessages = 500;
  for (int i = 0; i < kMessages; ++i) {
    if (i % 7 == 0)
      send(push, {body(i), body(i + 1)});
    else
      CHECK(push.send(Message(body(i))) == Errc::ok);
  }
  Message frame;
  for (int i = 0; i < kMessages; ++i) {
    CAPTURE(i);
    if (i % 11 == 0) {
      CHECK(receive(pull) == (i % 7 == 0 ? Parts{body(i), body(i + 1)} : Parts{body(i)}));
      continue;
    }
    REQUIRE(pull.receive(frame) == Errc::ok);
    CHECK(frame.str() == body(i));
    CHECK(frame.more() == (i % 7 == 0));
    if (i % 7 == 0) {
      REQUIRE(pull.receive(frame) == Errc::ok);
      CHECK(frame.str() == body(i + 1));
      CHECK_FALSE(frame.more());
    }
  }
  CHECK_FALSE(try_receive(pull));
}

TEST_CASE("a second peer gets its turn while frames stream in from the first") {
  const Context context = make_context();
  Socket pull = make(context, SocketType::pull);
  bind(pull, "inproc://turns");
  Socket first = make(context, SocketType::push);
  connect(first, "inproc://turns");
  for (int i = 0; i < 20; ++i) send(first, {"first"});
  Message frame;
  for (int i = 0; i < 5; ++i) REQUIRE(pull.receive(frame) == Errc::ok);
  Socket second = make(context, SocketType::push);
  connect(second, "inproc://turns");
  send(second, {"second"});
  bool found = false;
  for (int i = 0; i < 2; ++i) {
    REQUIRE(pull.receive(frame) == Errc::ok);
    found |= frame.str() == "second";
  }
  CHECK(found);
  first.close();
  for (int i = 0; i < 14; ++i) {
    REQUIRE(pull.receive(frame) == Errc::ok);
    CHECK(frame.str() == "first");
  }
  CHECK_FALSE(try_receive(pull));
}

TEST_CASE("a message whose sender dies half-way is never seen") {
  const Context context = make_context();
  Socket pull = make(context, SocketType::pull);
  pull.monitor(kAllEvents);
  const std::string endpoint = bind(pull);
  {
    RawPeer peer = RawPeer::to(endpoint);
    peer.send(zmtp_handshake("PUSH") + zmtp_frame(0, "whole") + zmtp_frame(1, "half") +
              zmtp_frame(1, std::string(100'000, 'h')) + std::string("\0\x50 begun", 8));
    CHECK(receive(pull) == Parts{"whole"});
  }
  wait_for(pull, EventType::disconnected);
  Socket push = make(context, SocketType::push);
  connect(push, endpoint);
  send(push, {"next"});
  CHECK(receive(pull) == Parts{"next"});
}

TEST_CASE("PUSH cannot receive, PULL cannot send") {
  const Context context = make_context();
  Socket push = make(context, SocketType::push);
  Socket pull = make(context, SocketType::pull);
  connect(push, bind(pull));
  Inbound message;
  CHECK(push.try_receive(message) == Errc::not_supported);
  CHECK(push.receive(message, -1) == Errc::not_supported);
  CHECK(try_send(pull, {"x"}) == Errc::not_supported);
  CHECK(pull.send("x") == Errc::not_supported);
  CHECK((push.readiness() & kReadable) == 0);
  CHECK((pull.readiness() & kWritable) == 0);
}

TEST_CASE("what a PULL says to a PUSH is dropped, and does not stop it") {
  const Context context = make_context();
  Socket push = make(context, SocketType::push);
  const std::string endpoint = bind(push);
  RawPeer peer = RawPeer::to(endpoint);
  std::string noise = zmtp_handshake("PULL");
  for (int i = 0; i < 5'000; ++i) noise += zmtp_frame(0, "why?");
  peer.send(noise);
  peer.take_handshake();
  send(push, {"still here"});
  CHECK(peer.frame() == "still here");
}

TEST_CASE("a message without parts is refused") {
  const Context context = make_context();
  Socket push = make(context, SocketType::push);
  CHECK(push.try_send({}) == Errc::invalid);
}

TEST_SUITE_END();
