// What is special about inproc: names within a context, no IO threads, memory handed over.
#include <doctest/doctest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "sockets.hpp"

using namespace zerowire;
using namespace zerowire::test;

TEST_SUITE_BEGIN("inproc");

TEST_CASE("works in a context without IO threads; network endpoints are refused there") {
  const Context context = make_context({.io_threads = 0});
  Socket push = make(context, SocketType::push);
  Socket pull = make(context, SocketType::pull);
  connect(push, bind(pull, "inproc://only"));
  send(push, {"hello"});
  CHECK(receive(pull) == Parts{"hello"});
  for (const char* endpoint : {"tcp://127.0.0.1:5555", "ipc://@nowhere"}) {
    const Result<void> connected = push.connect(endpoint);
    REQUIRE_FALSE(connected);
    CHECK(connected.error().code == Errc::invalid);
    CHECK_FALSE(pull.bind(endpoint));
  }
}

TEST_CASE("names belong to a context") {
  const Context one = make_context();
  const Context two = make_context();
  Socket first = make(one, SocketType::pull);
  Socket second = make(two, SocketType::pull);
  bind(first, "inproc://name");
  bind(second, "inproc://name");
  Socket push = make(two, SocketType::push);
  connect(push, "inproc://name");
  send(push, {"x"});
  CHECK(receive(second) == Parts{"x"});
  CHECK_FALSE(try_receive(first));
}

TEST_CASE("a name is free again when its socket closes") {
  const Context context = make_context();
  for (int i = 0; i < 3; ++i) {
    Socket pull = make(context, SocketType::pull);
    bind(pull, "inproc://reused");
    Socket push = make(context, SocketType::push);
    connect(push, "inproc://reused");
    send(push, {std::to_string(i)});
    CHECK(receive(pull) == Parts{std::to_string(i)});
  }
}

TEST_CASE("several sockets that connected early are all adopted, with their messages in order") {
  const Context context = make_context();
  std::vector<Socket> pushes;
  for (int i = 0; i < 5; ++i) {
    pushes.push_back(make(context, SocketType::push));
    connect(pushes.back(), "inproc://early");
    for (int j = 0; j < 10; ++j) send(pushes.back(), {std::to_string(i), std::to_string(j)});
  }
  Socket pull = make(context, SocketType::pull);
  bind(pull, "inproc://early");
  std::vector<int> next(5);
  for (int i = 0; i < 50; ++i) {
    const Parts got = receive(pull);
    CHECK(got.at(1) == std::to_string(next[static_cast<std::size_t>(std::stoi(got.at(0)))]++));
  }
}

TEST_CASE("an early socket of the wrong type is turned away when the name is bound") {
  const Context context = make_context();
  Socket sub = make(context, SocketType::sub);
  sub.monitor(kAllEvents);
  connect(sub, "inproc://mismatch");
  Socket push = make(context, SocketType::push);
  connect(push, "inproc://mismatch");
  Socket pull = make(context, SocketType::pull);
  bind(pull, "inproc://mismatch");
  CHECK(wait_for(sub, EventType::handshake_failed_protocol).value ==
        static_cast<uint32_t>(ProtocolError::zmtp_invalid_metadata));
  send(push, {"fine"});
  CHECK(receive(pull) == Parts{"fine"});
}

TEST_CASE("when the binder closes, the connected socket has no peer any more") {
  const Context context = make_context();
  Socket push = make(context, SocketType::push);
  {
    Socket pull = make(context, SocketType::pull);
    bind(pull, "inproc://gone");
    connect(push, "inproc://gone");
    send(push, {"x"});
    CHECK(receive(pull) == Parts{"x"});
  }
  CHECK(try_send(push, {"y"}) == Errc::again);
  CHECK_FALSE(push.disconnect("inproc://gone"));
}

TEST_CASE("messages of a socket that has closed stay readable") {
  const Context context = make_context();
  Socket pull = make(context, SocketType::pull);
  bind(pull, "inproc://after");
  {
    Socket push = make(context, SocketType::push, {{Option::linger, int64_t{-1}}});
    connect(push, "inproc://after");
    for (int i = 0; i < 10; ++i) send(push, {std::to_string(i)});
  }
  for (int i = 0; i < 10; ++i) CHECK(receive(pull) == Parts{std::to_string(i)});
  CHECK_FALSE(try_receive(pull));
}

TEST_CASE("large buffers are handed over, not copied, and released once") {
  const Context context = make_context();
  Socket push = make(context, SocketType::push);
  Socket pull = make(context, SocketType::pull);
  connect(push, bind(pull, "inproc://zero-copy"));
  std::string memory(1 << 20, 'z');
  std::atomic<int> released{0};
  const auto release = [](void*, void* hint) { ++*static_cast<std::atomic<int>*>(hint); };
  CHECK(push.send(Message::external(memory.data(), memory.size(), release, &released)) == Errc::ok);
  {
    Message got;
    CHECK(pull.receive(got) == Errc::ok);
    CHECK(got.data() == memory.data());
    CHECK(released == 0);
    CHECK_FALSE(try_receive(pull));
    CHECK(got.size() == memory.size());
  }
  CHECK_FALSE(try_receive(pull));
  CHECK(eventually([&] { return released == 1; }));
}

TEST_CASE("buffers that never arrive are released when the sockets close") {
  std::string memory(100'000, 'r');
  std::atomic<int> released{0};
  {
    const Context context = make_context();
    Socket push = make(context, SocketType::push);
    connect(push, "inproc://nobody");
    const auto release = [](void*, void* hint) { ++*static_cast<std::atomic<int>*>(hint); };
    for (int i = 0; i < 3; ++i) {
      CHECK(push.send(Message::external(memory.data(), memory.size(), release, &released)) ==
            Errc::ok);
    }
  }
  CHECK(eventually([&] { return released == 3; }));
}

TEST_CASE("two threads and a pair of sockets each way") {
  const Context context = make_context({.io_threads = 0});
  Socket left = make(context, SocketType::dealer);
  Socket right = make(context, SocketType::dealer);
  connect(right, bind(left, "inproc://threads"));
  constexpr int kRounds = 5'000;
  std::thread echo([&right] {
    Message frame;
    for (int i = 0; i < kRounds; ++i) {
      if (right.receive(frame) != Errc::ok || right.send(std::move(frame)) != Errc::ok) return;
    }
  });
  for (int i = 0; i < kRounds; ++i) {
    send(left, {std::to_string(i)});
    CHECK(receive(left) == Parts{std::to_string(i)});
  }
  echo.join();
}

TEST_SUITE_END();
