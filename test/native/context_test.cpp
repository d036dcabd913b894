// Contexts: limits, shutdown, and waiting for what lingers.
#include <doctest/doctest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "raw_peer.hpp"
#include "sockets.hpp"

using namespace zerowire;
using namespace zerowire::test;
using std::chrono::milliseconds;

TEST_SUITE_BEGIN("context");

TEST_CASE("options out of range are refused, named in the error") {
  for (const ContextOptions& options :
       {ContextOptions{.io_threads = -1}, ContextOptions{.io_threads = 65},
        ContextOptions{.max_sockets = 0}, ContextOptions{.spin_us = -1},
        ContextOptions{.spin_us = 1001}}) {
    const Result<Context> context = Context::create(options);
    REQUIRE_FALSE(context);
    CHECK(context.error().code == Errc::invalid);
    CHECK_FALSE(context.error().what.empty());
  }
}

TEST_CASE("max_sockets: one more is EMFILE, closing makes room") {
  const Context context = make_context({.max_sockets = 3});
  std::vector<Socket> sockets;
  for (int i = 0; i < 3; ++i) sockets.push_back(make(context, SocketType::pull));
  CHECK(context.open_sockets() == 3);
  const Result<Socket> fourth = Socket::create(context, SocketType::pull);
  REQUIRE_FALSE(fourth);
  CHECK(fourth.error().code == Errc::too_many_files);
  sockets.pop_back();
  CHECK(Socket::create(context, SocketType::pull));
}

TEST_CASE("shutdown: calls fail with ETERM, new sockets with EFAULT, close works") {
  Context context = make_context();
  Socket socket = make(context, SocketType::dealer);
  bind(socket);
  context.shutdown();
  Inbound message;
  CHECK(socket.try_receive(message) == Errc::terminated);
  CHECK(try_send(socket, {"x"}) == Errc::terminated);
  CHECK(socket.send("x") == Errc::terminated);
  CHECK(socket.bind("tcp://127.0.0.1:*").error().code == Errc::terminated);
  CHECK(socket.connect("inproc://x").error().code == Errc::terminated);
  const Result<Socket> late = Socket::create(context, SocketType::pull);
  REQUIRE_FALSE(late);
  CHECK(late.error().code == Errc::fault);
  socket.close();
  CHECK(context.wait_idle(milliseconds(kDeadline)));
  context.shutdown();
}

TEST_CASE("shutdown wakes threads that are blocked") {
  Context context = make_context();
  std::vector<std::thread> threads;
  std::atomic<int> started{0};
  std::vector<Errc> results(4, Errc::ok);
  for (std::size_t i = 0; i < results.size(); ++i) {
    threads.emplace_back([&, i] {
      Socket socket = make(context, i % 2 ? SocketType::pull : SocketType::push);
      bind(socket);
      ++started;
      Inbound message;
      results[i] = i % 2 ? socket.receive(message, -1) : socket.send(as_parts({"x"}), -1);
    });
  }
  REQUIRE(eventually([&] { return started == 4; }));
  context.shutdown();
  for (std::thread& thread : threads) thread.join();
  for (const Errc result : results) CHECK(result == Errc::terminated);
}

TEST_CASE("on_idle is called once, at once when nothing lingers, else when the last has ended") {
  Context context = make_context();
  std::atomic<int> calls{0};
  const auto count = [](void* hint) { ++*static_cast<std::atomic<int>*>(hint); };
  context.on_idle(count, &calls);
  CHECK(calls == 1);
  RawListener silent;
  {
    Socket push = make(context, SocketType::push, {{Option::linger, int64_t{-1}}});
    connect(push, silent.endpoint());
    send(push, {"lingers"});
  }
  context.on_idle(count, &calls);
  CHECK(calls == 1);
  CHECK_FALSE(context.wait_idle(milliseconds(1)));
  context.abandon_lingering();
  CHECK(context.wait_idle(milliseconds(kDeadline)));
  CHECK(eventually([&] { return calls == 2; }));
}

TEST_CASE("the last handle may go while sockets live on, and while they linger") {
  Socket pull = make(make_context(), SocketType::pull);
  const std::string endpoint = bind(pull);
  {
    Socket push = make(make_context(), SocketType::push, {{Option::linger, int64_t{-1}}});
    connect(push, endpoint);
    for (int i = 0; i < 100; ++i) send(push, {std::to_string(i), std::string(10'000, 'x')});
  }
  for (int i = 0; i < 100; ++i) CHECK(receive(pull).at(0) == std::to_string(i));
}

TEST_CASE("many contexts come and go") {
  for (int i = 0; i < 30; ++i) {
    const Context context = make_context({.io_threads = 1 + i % 3});
    Socket push = make(context, SocketType::push);
    Socket pull = make(context, SocketType::pull);
    connect(push, bind(pull));
    send(push, {"x"});
    if (i % 2) CHECK(receive(pull) == Parts{"x"});
  }
}

TEST_SUITE_END();
