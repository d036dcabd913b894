// Timers: deadlines in order.
#include "reactor/timers.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <vector>

#include "base/random.hpp"

using namespace zerowire;

namespace {

struct TestTimer final : Timer {
  void on_timer(int64_t now) override {
    fired.push_back(now);
    if (then) then(now);
  }
  std::vector<int64_t> fired;
  std::function<void(int64_t)> then;
};

using Times = std::vector<int64_t>;

}  // namespace

TEST_CASE("timers fire once, when they are due") {
  TimerHeap heap;
  TestTimer a, b;
  CHECK(heap.next() == kNever);
  heap.set(a, 20);
  heap.set(b, 10);
  CHECK(heap.next() == 10);
  heap.run(9);
  CHECK(a.fired.empty());
  CHECK(b.fired.empty());
  heap.run(10);
  CHECK(b.fired == Times{10});
  CHECK(heap.next() == 20);
  heap.run(100);
  heap.run(200);
  CHECK(a.fired == Times{100});
  CHECK(b.fired == Times{10});
  CHECK(heap.next() == kNever);
}

TEST_CASE("a timer can be moved either way, and cancelled") {
  TimerHeap heap;
  TestTimer a, b, c;
  heap.set(a, 10);
  heap.set(b, 20);
  heap.set(c, 30);
  heap.set(a, 40);
  CHECK(heap.next() == 20);
  heap.set(c, 5);
  CHECK(heap.next() == 5);
  heap.cancel(c);
  heap.cancel(c);
  CHECK(heap.next() == 20);
  heap.set(b, kNever);
  CHECK(heap.next() == 40);
  heap.set(b, kNever);
  heap.run(1000);
  CHECK(a.fired == Times{1000});
  CHECK(b.fired.empty());
  CHECK(c.fired.empty());
}

TEST_CASE("a timer may set or cancel timers when it fires") {
  TimerHeap heap;
  TestTimer a, b, c;
  a.then = [&](int64_t now) {
    heap.set(a, now + 10);
    heap.cancel(b);
    heap.set(c, now);
  };
  heap.set(a, 10);
  heap.set(b, 10);
  heap.set(c, 50);
  heap.cancel(b);
  heap.set(b, 11);
  heap.run(10);
  CHECK(a.fired == Times{10});
  CHECK(b.fired.empty());
  CHECK(c.fired == Times{10});
  CHECK(heap.next() == 20);
  heap.run(20);
  CHECK(a.fired == Times{10, 20});
}

TEST_CASE("random deadlines come in order") {
  constexpr std::size_t kTimers = 300;
  TimerHeap heap;
  Random random(7);
  std::vector<TestTimer> timers(kTimers);
  std::map<TestTimer*, int64_t> expected;
  Times order;
  for (TestTimer& timer : timers) {
    timer.then = [&](int64_t) {
      order.push_back(expected[&timer]);
      expected.erase(&timer);
    };
  }
  for (int step = 0; step < 20000; ++step) {
    TestTimer& timer = timers[random.below(kTimers)];
    const auto at = static_cast<int64_t>(random.below(1000));
    if (random.below(4) == 0) {
      heap.cancel(timer);
      expected.erase(&timer);
    } else {
      heap.set(timer, at);
      expected[&timer] = at;
    }
    if (step % 50 == 0) {
      int64_t first = kNever;
      for (const auto& [_, due] : expected) first = std::min(first, due);
      REQUIRE(heap.next() == first);
    }
    if (step % 1000 == 999) {
      order.clear();
      heap.run(500);
      REQUIRE(std::is_sorted(order.begin(), order.end()));
      for (const auto& [_, due] : expected) REQUIRE(due > 500);
    }
  }
  heap.run(1000);
  CHECK(expected.empty());
}
