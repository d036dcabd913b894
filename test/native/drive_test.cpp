// Whoever waits drives: threads that wait for messages run the reactor themselves.
#include <doctest/doctest.h>

#include <atomic>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "context.hpp"
#include "reactor/wheel.hpp"
#include "sockets.hpp"

using namespace zerowire;
using namespace zerowire::test;

namespace {

/// Enough to make a habit of short breaks between waits.
constexpr int kTrips = 50;

/// A REP socket in a context and on a thread of its own that answers until it is told to stop.
class Echo {
 public:
  explicit Echo(int io_threads = 1)
      : context_(make_context({.io_threads = io_threads})),
        rep_(make(context_, SocketType::rep)),
        endpoint(bind(rep_)) {
    thread_ = std::thread([this] {
      Message frame;
      while (!stop_) {
        if (rep_.receive(frame) == Errc::ok) (void)rep_.send(std::move(frame));
      }
    });
  }
  ~Echo() {
    stop_ = true;
    context_.shutdown();
    thread_.join();
  }

 private:
  Context context_;
  Socket rep_;
  std::atomic<bool> stop_{false};
  std::thread thread_;

 public:
  const std::string endpoint;
};

void trip(Socket& req, const std::string& text = "x") {
  send(req, {text});
  CHECK(receive(req) == Parts{text});
}

}  // namespace

TEST_SUITE_BEGIN("drive");

TEST_CASE("the wheel is held by one thread at a time, and by some thread in the end") {
  Wheel wheel(Watchdog::create());
  int owned = 0;  // by whoever holds the wheel
  bool stop = false;
  std::thread io([&] {
    while (!stop) {
      ++owned;
      if (wheel.wanted()) wheel.hand_over();
      std::this_thread::yield();
    }
  });
  constexpr int kThreads = 3, kRounds = 2000;
  std::vector<std::thread> threads;
  std::atomic<bool> asking{false};
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      std::minstd_rand random(static_cast<unsigned>(t + 1));
      for (int i = 0; i < kRounds; ++i) {
        bool mine = wheel.take();
        // One thread at a time may ask.
        if (!mine && !asking.exchange(true)) {
          if (wheel.ask()) {
            for (unsigned look = random() % 20; !mine && look > 0; --look) {
              std::this_thread::yield();
              mine = wheel.take();
            }
            if (!mine && !wheel.withdraw()) mine = wheel.take();
          }
          asking = false;
        }
        if (!mine) continue;
        ++owned;
        if (random() % 4 == 0) wheel.rest();
        ++owned;
        if (random() % 4 == 0)
          wheel.give();
        else
          wheel.leave();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  // Nobody comes back: the IO thread takes over by itself, so it can be asked again (and takes over
  // again if this thread is slow to take what it asked for).
  REQUIRE(eventually([&] {
    (void)wheel.ask();
    return wheel.take();
  }));
  CHECK(owned > 0);
  stop = true;
  wheel.give();
  io.join();
}

TEST_CASE("one that drove and does not wait any more: what it sent goes out all the same") {
  const Echo echo;
  const Context context = make_context();
  const Context other = make_context();
  Socket pull = make(other, SocketType::pull);
  const std::string endpoint = bind(pull);
  Socket req = make(context, SocketType::req);
  Socket push = make(context, SocketType::push);
  connect(req, echo.endpoint);
  connect(push, endpoint);
  constexpr int kRounds = 20, kBurst = 30;
  std::atomic<int> received{0};
  std::thread receiver([&] {
    for (int i = 0; i < kRounds * kBurst; ++i) {
      CHECK(receive(pull) == Parts{std::to_string(i)});
      ++received;
    }
  });
  for (int round = 0, sent = 0; round < kRounds; ++round) {
    for (int i = 0; i < kTrips; ++i) trip(req);
    for (int i = 0; i < kBurst; ++i) send(push, {std::to_string(sent++)});
    CHECK(eventually([&] { return received == sent; }));
  }
  receiver.join();
}

TEST_CASE("one that only sends and is held up by the mark drives too, and what is left goes out") {
  const Context context = make_context();
  const Context other = make_context();
  Socket pull = make(other, SocketType::pull);
  Socket push = make(context, SocketType::push);
  REQUIRE(pull.set(Option::receive_high_water_mark, 10));
  REQUIRE(push.set(Option::send_high_water_mark, 10));
  connect(push, bind(pull));
  constexpr int kRounds = 10, kBurst = 2000;
  // A large message now and then brings the IO thread back.
  const auto text = [](int i) {
    return std::to_string(i) + std::string(i % 500 < 20 ? 10'000 : i % 100, '.');
  };
  std::atomic<int> received{0};
  std::thread receiver([&] {
    for (int i = 0; i < kRounds * kBurst; ++i) {
      CHECK(receive(pull) == Parts{text(i)});
      ++received;
    }
  });
  for (int round = 0, sent = 0; round < kRounds; ++round) {
    for (int i = 0; i < kBurst; ++i) send(push, {text(sent++)});
    CHECK(eventually([&] { return received == sent; }));
  }
  receiver.join();
}

TEST_CASE("a thread that comes to wait while another one drives, and goes on when that leaves") {
  const Echo first, second;
  const Context context = make_context();
  std::vector<std::thread> threads;
  for (const Echo* echo : {&first, &second}) {
    threads.emplace_back([&context, echo] {
      Socket req = make(context, SocketType::req);
      connect(req, echo->endpoint);
      std::minstd_rand random;
      for (int i = 0; i < 20 * kTrips; ++i) {
        trip(req, std::to_string(i));
        if (random() % 50 == 0) compute(random() % 2'000'000);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_CASE("a socket with a waker hears of messages while another thread drives and leaves") {
  const Echo echo;
  const Context context = make_context();
  const Context other = make_context();
  const auto flag = std::make_shared<Flag>();
  Socket pull = make(context, SocketType::pull);
  pull.set_waker(flag);
  Socket push = make(other, SocketType::push);
  connect(push, bind(pull));
  std::atomic<bool> stop{false};
  std::thread driver([&] {
    Socket req = make(context, SocketType::req);
    connect(req, echo.endpoint);
    while (!stop) trip(req);
  });
  for (int i = 0; i < 500; ++i) {
    flag->up = false;
    const bool armed = !try_receive(pull) && pull.arm();
    send(push, {std::to_string(i)});
    if (armed) CHECK(eventually([&] { return flag->up.load(); }));
    CHECK(receive(pull) == Parts{std::to_string(i)});
  }
  stop = true;
  driver.join();
}

TEST_CASE("another thread's inproc message ends the sleep of one that drives") {
  const Context context = make_context();
  const Context other = make_context();
  Socket pull = make(context, SocketType::pull);
  const std::string endpoint = bind(pull);
  bind(pull, "inproc://side");
  Socket near = make(context, SocketType::push);
  Socket far = make(other, SocketType::push);
  connect(near, "inproc://side");
  connect(far, endpoint);
  constexpr int kMessages = 3000;
  std::atomic<int> received{0};
  std::thread sender([&] {
    for (int i = 0; i < kMessages; ++i) {
      send(i % 10 < 7 ? far : near, {std::to_string(i)});
      CHECK(eventually([&] { return received > i; }));
    }
  });
  for (int i = 0; i < kMessages; ++i) {
    CHECK(receive(pull) == Parts{std::to_string(i)});
    ++received;
  }
  sender.join();
}

TEST_CASE("the context's end reaches one that drives") {
  for (int i = 0; i < 20; ++i) {
    const Echo echo;
    Context context = make_context();
    std::atomic<int> trips{0};
    std::thread driver([&] {
      Socket req = make(context, SocketType::req);
      connect(req, echo.endpoint);
      Socket pull = make(context, SocketType::pull);
      bind(pull);
      for (; trips < kTrips; ++trips) trip(req);
      Inbound message;
      CHECK(pull.receive(message, -1) == Errc::terminated);
    });
    CHECK(eventually([&] { return trips == kTrips; }));
    context.shutdown();
    driver.join();
  }
}

TEST_CASE("a deadline ends the wait of one that drives; other sockets' timers fire meanwhile") {
  const Echo echo;
  const Context context = make_context();
  Socket req = make(context, SocketType::req);
  connect(req, echo.endpoint);
  Socket pull = make(context, SocketType::pull);
  Socket push = make(context, SocketType::push);
  // Nobody listens yet: the dialer's timer has to bring it to try again.
  const std::string endpoint = bind(pull);
  CHECK(pull.unbind(endpoint));
  connect(push, endpoint);
  for (int i = 0; i < kTrips; ++i) trip(req);
  CHECK(pull.bind(endpoint));
  Inbound message;
  Socket idle = make(context, SocketType::pull);
  bind(idle);
  CHECK(eventually([&] {
    CHECK(idle.receive(message, 1) == Errc::again);
    return try_send(push, {"late"}) == Errc::ok;
  }));
  CHECK(receive(pull) == Parts{"late"});
}

TEST_CASE("of several IO threads the one that has all connections may be driven") {
  const Echo echo;
  const Context context = make_context({.io_threads = 3});
  const ContextCore& core = *context.core();
  CHECK(core.drivable() == nullptr);
  Socket first = make(context, SocketType::req);
  connect(first, echo.endpoint);
  Reactor* const only = core.drivable();
  CHECK(only != nullptr);
  for (int i = 0; i < kTrips; ++i) trip(first);
  {
    Socket second = make(context, SocketType::req);
    connect(second, echo.endpoint);
    CHECK(core.drivable() == nullptr);
    for (int i = 0; i < kTrips; ++i) {
      trip(first);
      trip(second);
    }
  }
  // A connection counts until its reactor has let go of it.
  CHECK(eventually([&] { return core.drivable() == only; }));
  for (int i = 0; i < kTrips; ++i) trip(first);
}

TEST_CASE("threads that wait, compute, give up and close at random") {
  for (const int io_threads : {1, 2, 4}) {
    const Echo first(io_threads), second;
    for (const int count : {1, 3}) {
      const Context context = make_context({.io_threads = io_threads});
      std::vector<std::thread> threads;
      std::atomic<int> replies{0};
      for (int t = 0; t < count; ++t) {
        threads.emplace_back([&, t] {
          std::minstd_rand random(static_cast<unsigned>(t + 1));
          const auto one_in = [&random](unsigned n) { return random() % n == 0; };
          for (int life = 0; life < 12; ++life) {
            Socket dealer = make(context, SocketType::dealer);
            connect(dealer, one_in(2) ? first.endpoint : second.endpoint);
            Inbound message;
            int sent = 0, got = 0;
            const int all = 1 + static_cast<int>(random() % 200);
            while (got < all) {
              while (sent < all && (sent == got || one_in(2))) {
                send(dealer, {"", std::to_string(sent++)});
              }
              const Errc result = dealer.receive(message, one_in(4) ? 1 : kDeadline);
              if (result == Errc::ok) {
                CHECK(copy(message).at(1) == std::to_string(got++));
              } else {
                CHECK(result == Errc::again);
              }
              if (one_in(30)) compute(random() % 3'000'000);
              if (one_in(200)) break;  // with replies on their way
            }
            replies += got;
          }
        });
      }
      for (std::thread& thread : threads) thread.join();
      CHECK(replies > 0);
    }
  }
}

TEST_SUITE_END();
