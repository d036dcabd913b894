// Several IO threads, and sockets that move between application threads.
#include <doctest/doctest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "sockets.hpp"

using namespace zerowire;
using namespace zerowire::test;

TEST_SUITE_BEGIN("threads");

TEST_CASE("many connections over several IO threads") {
  const Context context = make_context({.io_threads = 3});
  Socket pull = make(context, SocketType::pull);
  const std::string endpoint = bind(pull);
  constexpr int kSenders = 8, kMessages = 300;
  std::vector<std::thread> threads;
  for (int i = 0; i < kSenders; ++i) {
    threads.emplace_back([&, i] {
      Socket push = make(context, SocketType::push, {{Option::linger, int64_t{-1}}});
      connect(push, endpoint);
      for (int j = 0; j < kMessages; ++j) {
        (void)push.send(std::to_string(i), true);
        (void)push.send(std::to_string(j));
      }
    });
  }
  std::vector<int> next(kSenders);
  for (int i = 0; i < kSenders * kMessages; ++i) {
    const Parts got = receive(pull);
    CHECK(got.at(1) == std::to_string(next[static_cast<std::size_t>(std::stoi(got.at(0)))]++));
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_CASE("affinity chooses the IO thread; masks beyond those that exist do no harm") {
  const Context context = make_context({.io_threads = 2});
  for (const int64_t mask : {1, 2, 3, 0, 1 << 20}) {
    Socket push = make(context, SocketType::push, {{Option::affinity, mask}});
    Socket pull = make(context, SocketType::pull, {{Option::affinity, mask}});
    connect(push, bind(pull));
    send(push, {"x"});
    CHECK(receive(pull) == Parts{"x"});
  }
}

TEST_CASE("a socket moves from thread to thread between its calls") {
  for (const char* endpoint : {"tcp://127.0.0.1:*", "inproc://migrant"}) {
    const Context context = make_context();
    Socket migrant = make(context, SocketType::dealer);
    Socket fixed = make(context, SocketType::dealer);
    connect(migrant, bind(fixed, endpoint));
    for (int i = 0; i < 50; ++i) {
      std::thread([&migrant, &fixed, i] {
        send(migrant, {std::to_string(i)});
        CHECK(receive(fixed) == Parts{std::to_string(i)});
      }).join();
      std::thread([&migrant, &fixed, i] {
        send(fixed, {"back " + std::to_string(i)});
        CHECK(receive(migrant) == Parts{"back " + std::to_string(i)});
      }).join();
    }
  }
}

TEST_CASE("a socket is handed over while messages keep coming") {
  const Context context = make_context();
  Socket pull = make(context, SocketType::pull);
  const std::string endpoint = bind(pull);
  constexpr int kMessages = 4'000;
  std::thread sender([&] {
    Socket push = make(context, SocketType::push, {{Option::linger, int64_t{-1}}});
    connect(push, endpoint);
    for (int i = 0; i < kMessages; ++i) (void)push.send(std::to_string(i));
  });
  int next = 0;
  while (next < kMessages) {
    const int before = next;
    std::thread([&] {
      for (int i = 0; i < 400; ++i, ++next) CHECK(receive(pull) == Parts{std::to_string(next)});
    }).join();
    if (next == before) break;
  }
  CHECK(next == kMessages);
  sender.join();
}

TEST_CASE("sockets opened, used and closed by many threads at once") {
  const Context context = make_context({.io_threads = 2});
  std::vector<std::thread> threads;
  std::atomic<int> served{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 15; ++i) {
        Socket rep = make(context, SocketType::rep);
        Socket req = make(context, SocketType::req);
        const std::string name = "inproc://" + std::to_string(t) + "-" + std::to_string(i);
        connect(req, test::bind(rep, i % 2 ? name : "tcp://127.0.0.1:*"));
        Message frame;
        if (req.send("q") == Errc::ok && rep.receive(frame) == Errc::ok &&
            rep.send("a") == Errc::ok && req.receive(frame) == Errc::ok) {
          ++served;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(served == 60);
}

TEST_SUITE_END();
