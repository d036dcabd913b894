// The reactor: one thread for descriptors, timers and mail.
#include "reactor/reactor.hpp"

#include <doctest/doctest.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <memory>
#include <thread>
#include <vector>

using namespace zerowire;

namespace {

constexpr std::chrono::seconds kPatience{30};

/// Runs `fn` on the reactor's thread and waits for it.
template <class Fn>
bool on(Reactor& reactor, Fn fn) {
  auto done = std::make_shared<std::promise<void>>();
  reactor.run_soon([done, fn] {
    fn();
    done->set_value();
  });
  return done->get_future().wait_for(kPatience) == std::future_status::ready;
}

struct Running {
  explicit Running(int spin_us = 0) : reactor(Reactor::create(spin_us)) {
    REQUIRE(reactor);
    REQUIRE(reactor->start());
  }
  ~Running() { reactor->stop(); }
  std::shared_ptr<Reactor> reactor;
};

struct OsPipe {
  OsPipe() { REQUIRE(pipe(fds) == 0); }
  ~OsPipe() {
    close(fds[0]);
    if (fds[1] >= 0) close(fds[1]);
  }
  void put() { REQUIRE(write(fds[1], "x", 1) == 1); }
  int fds[2];
};

struct Handler final : FdHandler {
  void on_ready(unsigned ready) override {
    seen |= ready;
    if (then) then(ready);
  }
  bool on_guess() override {
    ++guesses;
    return right;
  }
  unsigned seen = 0;
  int guesses = 0;
  bool right = false;  ///< what on_guess() answers
  std::function<void(unsigned)> then;
};

struct Alarm final : Timer {
  void on_timer(int64_t now) override { then(now); }
  std::function<void(int64_t)> then;
};

struct Lodger final : Resident {
  explicit Lodger(std::vector<std::string>& events) : log(events) {}
  ~Lodger() override { log.push_back("gone"); }
  void abandon() override { log.push_back("abandoned"); }
  void socket_closed(const SocketShared&) override { log.push_back("closed"); }
  std::vector<std::string>& log;
};

}  // namespace

TEST_CASE("tasks run in order on the reactor's one thread") {
  for (const int spin : {0, 20}) {
    Running running(spin);
    std::vector<int> order;
    std::vector<std::thread::id> threads;
    for (int i = 0; i < 1000; ++i) {
      running.reactor->run_soon([&, i] {
        order.push_back(i);
        threads.push_back(std::this_thread::get_id());
      });
    }
    REQUIRE(on(*running.reactor, [] {}));
    REQUIRE(order.size() == 1000);
    for (int i = 0; i < 1000; ++i) REQUIRE(order[static_cast<std::size_t>(i)] == i);
    CHECK(threads[0] != std::this_thread::get_id());
    CHECK(threads[0] == threads[999]);
  }
}

TEST_CASE("a sleeping reactor is woken every time") {
  Running running;
  for (int i = 0; i < 2000; ++i) REQUIRE(on(*running.reactor, [] {}));
}

TEST_CASE("a reactor that is asked from many threads does everything once") {
  Running running;
  std::atomic<int> done{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      for (int task = 0; task < 1000; ++task) running.reactor->run_soon([&] { ++done; });
    });
  }
  for (std::thread& thread : threads) thread.join();
  REQUIRE(on(*running.reactor, [] {}));
  CHECK(done == 3000);
}

TEST_CASE("stopping joins; what comes later is dropped and its memory freed") {
  auto token = std::make_shared<int>(1);
  const std::weak_ptr<int> watch = token;
  std::atomic<bool> ran{false};
  Running running;
  running.reactor->stop();
  running.reactor->stop();
  running.reactor->run_soon([token = std::move(token), &ran] { ran = true; });
  CHECK(watch.expired());
  CHECK_FALSE(ran);
}

TEST_CASE("a reactor that was never started can be dropped") {
  const std::shared_ptr<Reactor> reactor = Reactor::create(0);
  REQUIRE(reactor);
  reactor->stop();
}

TEST_CASE("a reactor may be stopped from its own thread") {
  auto done = std::make_shared<std::promise<void>>();
  std::weak_ptr<Reactor> watch;
  {
    std::shared_ptr<Reactor> reactor = Reactor::create(0);
    REQUIRE(reactor);
    REQUIRE(reactor->start());
    watch = reactor;
    reactor->run_soon([raw = reactor.get(), done] {
      raw->stop();
      done->set_value();
    });
  }
  CHECK(done->get_future().wait_for(kPatience) == std::future_status::ready);
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!watch.expired() && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::yield();
  }
  CHECK(watch.expired());
}

TEST_CASE("signals are not for the reactor's thread") {
  Running running;
  sigset_t mask;
  sigemptyset(&mask);
  REQUIRE(on(*running.reactor, [&] { pthread_sigmask(SIG_SETMASK, nullptr, &mask); }));
  for (const int signal : {SIGINT, SIGTERM, SIGCHLD, SIGUSR1, SIGPIPE}) {
    CHECK(sigismember(&mask, signal) == 1);
  }
  pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  CHECK(sigismember(&mask, SIGINT) == 0);
}

TEST_CASE("timers fire in order, not before they are due") {
  Running running;
  Reactor& reactor = *running.reactor;
  std::promise<void> done;
  std::vector<int> order;
  bool early = false;
  Alarm alarms[3];
  REQUIRE(on(reactor, [&] {
    for (const int i : {2, 0, 1}) {
      const int64_t due = now_ns() + (i + 1) * 3 * kMillisecond;
      alarms[i].then = [&, i, due](int64_t) {
        early |= now_ns() < due;
        order.push_back(i);
        if (i == 2) done.set_value();
      };
      reactor.timers().set(alarms[i], due);
    }
  }));
  REQUIRE(done.get_future().wait_for(kPatience) == std::future_status::ready);
  CHECK(order == std::vector<int>{0, 1, 2});
  CHECK_FALSE(early);
}

TEST_CASE("descriptors: readiness is reported while it is wanted") {
  Running running;
  Reactor& reactor = *running.reactor;
  OsPipe in;
  Handler handler;
  std::promise<void> readable, hangup;
  handler.then = [&](unsigned ready) {
    char byte;
    if (ready & kIn) {
      REQUIRE(read(in.fds[0], &byte, 1) == 1);
      readable.set_value();
    } else if (ready & kHangup) {
      reactor.poller().remove(in.fds[0], &handler);
      hangup.set_value();
    }
  };
  int error = -1;
  REQUIRE(on(reactor, [&] { error = reactor.poller().add(in.fds[0], &handler, 0); }));
  CHECK(error == 0);
  in.put();
  REQUIRE(on(reactor, [] {}));
  REQUIRE(on(reactor, [] {}));
  REQUIRE(on(reactor, [&] {
    CHECK(handler.seen == 0);
    reactor.poller().change(in.fds[0], &handler, kIn);
  }));
  CHECK(readable.get_future().wait_for(kPatience) == std::future_status::ready);
  close(in.fds[1]);
  in.fds[1] = -1;
  CHECK(hangup.get_future().wait_for(kPatience) == std::future_status::ready);
}

TEST_CASE("a handler that was removed by another of the same round is not called") {
  const std::unique_ptr<Poller> poller = Poller::create();
  REQUIRE(poller);
  OsPipe one, two;
  Handler first, second;
  first.then = [&](unsigned) { poller->remove(two.fds[0], &second); };
  second.then = [&](unsigned) { poller->remove(one.fds[0], &first); };
  REQUIRE(poller->add(one.fds[0], &first, kIn) == 0);
  REQUIRE(poller->add(two.fds[0], &second, kIn) == 0);
  one.put();
  two.put();
  CHECK(poller->wait(30'000 * kMillisecond) == 1);
  CHECK((first.seen != 0) != (second.seen != 0));
}

TEST_CASE("a favoured handler is asked for most looks, the others are reported all the same") {
  constexpr int kLooks = 32;
  const std::unique_ptr<Poller> poller = Poller::create();
  REQUIRE(poller);
  OsPipe one, two;
  Handler first, second;
  REQUIRE(poller->add(one.fds[0], &first, kIn) == 0);
  REQUIRE(poller->add(two.fds[0], &second, kIn) == 0);
  poller->favour(&first);
  int found = 0;
  for (int i = 0; i < kLooks; ++i) found += poller->wait(0);
  CHECK(found == 0);
  CHECK(first.guesses > kLooks / 2);
  CHECK(first.guesses < kLooks);
  first.right = true;
  for (int i = 0; i < kLooks; ++i) found += poller->wait(0);
  CHECK(found > kLooks / 2);
  CHECK(found < kLooks);
  // Input of another ends the favour.
  two.put();
  for (int i = 0; i < kLooks && !second.seen; ++i) (void)poller->wait(0);
  CHECK(second.seen == kIn);
  first.guesses = 0;
  CHECK(poller->wait(0) == 1);
  CHECK(first.guesses == 0);
  // So does it that a handler goes, or wants something else.
  poller->favour(&first);
  poller->change(one.fds[0], &first, kIn | kOut);
  (void)poller->wait(0);
  poller->favour(&first);
  poller->remove(one.fds[0], &first);
  (void)poller->wait(0);
  CHECK(first.guesses == 0);
  // A wait that may sleep is for the system.
  poller->favour(&second);
  CHECK(poller->wait(-1) == 1);
  CHECK(second.guesses == 0);
}

TEST_CASE("the poller: wake ends a wait, bad descriptors are an error") {
  const std::unique_ptr<Poller> poller = Poller::create();
  REQUIRE(poller);
  Handler handler;
  CHECK(poller->add(-1, &handler, kIn) == EBADF);
  poller->wake();
  poller->wake();
  CHECK(poller->wait(-1) == 0);
  CHECK(poller->wait(0) == 0);
  std::thread other([&] { poller->wake(); });
  CHECK(poller->wait(-1) == 0);
  other.join();
}

TEST_CASE("a connection counts as load of its reactor while it exists") {
  Running running;
  Reactor& reactor = *running.reactor;
  {
    const Load first(reactor), second(reactor);
    CHECK(reactor.load == 2);
  }
  CHECK(reactor.load == 0);
}

TEST_CASE("residents stay until they retire, at the end of the round, or with the reactor") {
  std::vector<std::string> events;
  {
    Running running;
    Reactor& reactor = *running.reactor;
    REQUIRE(on(reactor, [&] {
      std::vector<Resident*> all;
      for (int i = 0; i < 3; ++i) {
        auto lodger = std::make_unique<Lodger>(events);
        all.push_back(lodger.get());
        reactor.add(std::move(lodger));
      }
      reactor.retire(all[0]);
      CHECK(events.empty());
      reactor.abandon_all();
    }));
    REQUIRE(on(reactor, [] {}));
    REQUIRE(on(reactor, [&] {
      CHECK(events == std::vector<std::string>{"abandoned", "abandoned", "gone"});
    }));
  }
  CHECK(events.size() == 5);
}
