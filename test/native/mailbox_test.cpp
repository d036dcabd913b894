// Mailboxes: nodes from many threads to one, each at most once at a time.
#include "pipe/mailbox.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>
#include <utility>
#include <vector>

#include "thread_mailbox.hpp"

using namespace zerowire;
using test::ThreadMailbox;

namespace {

using Log = std::vector<std::pair<int, uint32_t>>;

class LoggedNode final : public Node {
 public:
  LoggedNode(Log& log, int name) : log_(log), name_(name) {}
  void deliver(uint32_t bits) override {
    log_.emplace_back(name_, bits);
    if (again) again->post(this);
    again = nullptr;
  }
  void drop(uint32_t bits) override { log_.emplace_back(-name_, bits); }
  /// True when this call posted it.
  bool tell(Mailbox& to, uint32_t bits) { return todo.fetch_or(bits) == 0 && to.post(this); }

  Mailbox* again = nullptr;

 private:
  Log& log_;
  int name_;
};

}  // namespace

TEST_CASE("nodes are delivered in the order of posting, with the bits collected") {
  ThreadMailbox mailbox;
  Log log;
  LoggedNode one(log, 1), two(log, 2), three(log, 3);
  CHECK_FALSE(mailbox.deliver());
  CHECK_FALSE(mailbox.pending());
  CHECK(two.tell(mailbox, 1));
  CHECK(one.tell(mailbox, 2));
  CHECK_FALSE(two.tell(mailbox, 4));
  CHECK(three.tell(mailbox, 8));
  CHECK(mailbox.pending());
  CHECK(mailbox.deliver());
  CHECK(log == Log{{2, 5}, {1, 2}, {3, 8}});
  CHECK_FALSE(mailbox.deliver());
  CHECK(two.tell(mailbox, 16));
  CHECK(mailbox.deliver());
  CHECK(log.back() == std::pair<int, uint32_t>{2, 16});
  CHECK(mailbox.wakes == 0);
}

TEST_CASE("a node may be posted again while it is delivered") {
  ThreadMailbox mailbox;
  Log log;
  LoggedNode one(log, 1), two(log, 2);
  one.again = &mailbox;
  one.tell(mailbox, 1);
  two.tell(mailbox, 1);
  CHECK(mailbox.deliver());
  CHECK(log == Log{{1, 1}, {2, 1}});
  CHECK(mailbox.deliver());
  CHECK(log == Log{{1, 1}, {2, 1}, {1, 0}});
}

TEST_CASE("the consumer is woken once per parking") {
  ThreadMailbox mailbox;
  Log log;
  LoggedNode one(log, 1), two(log, 2);
  CHECK(mailbox.park());
  CHECK(mailbox.park());
  CHECK_FALSE(mailbox.pending());
  one.tell(mailbox, 1);
  two.tell(mailbox, 1);
  CHECK(mailbox.wakes == 1);
  CHECK_FALSE(mailbox.park());
  CHECK(mailbox.deliver());
  CHECK(log == Log{{1, 1}, {2, 1}});
  one.tell(mailbox, 1);
  CHECK(mailbox.wakes == 1);
  CHECK(mailbox.deliver());
  CHECK(mailbox.park());
  CHECK_FALSE(mailbox.deliver());  // un-parks
  one.tell(mailbox, 1);
  CHECK(mailbox.wakes == 1);
  mailbox.deliver();
}

TEST_CASE("closing drops what waits and refuses what comes") {
  for (const bool parked : {false, true}) {
    ThreadMailbox mailbox;
    Log log;
    LoggedNode one(log, 1), two(log, 2), three(log, 3), four(log, 4);
    if (parked) {
      mailbox.park();
      mailbox.close();
    } else {
      one.tell(mailbox, 1);
      two.tell(mailbox, 6);
      mailbox.close();
      CHECK(log == Log{{-1, 1}, {-2, 6}});
    }
    CHECK_FALSE(three.tell(mailbox, 1));
    CHECK_FALSE(mailbox.pending());
    CHECK_FALSE(mailbox.deliver());
    CHECK_FALSE(mailbox.park());
    CHECK_FALSE(four.tell(mailbox, 1));
    CHECK(mailbox.wakes == 0);
  }
}

TEST_CASE("many threads: every bit arrives, nobody sleeps through a post") {
  constexpr int kThreads = 3;
  constexpr uint32_t kRounds = 20'000;
  /// Each thread waits for its last number to be seen before it sends the next: a lost wake-up
  /// stops the test.
  class Counter final : public Node {
   public:
    void deliver(uint32_t bits) override { seen.store(bits, std::memory_order_release); }
    void drop(uint32_t) override {}
    std::atomic<uint32_t> seen{0};
  };
  ThreadMailbox mailbox;
  Counter counters[kThreads];
  std::atomic<int> running{kThreads};
  std::atomic<bool> stuck{false};
  std::vector<std::thread> threads;
  for (Counter& counter : counters) {
    threads.emplace_back([&] {
      for (uint32_t round = 1; round <= kRounds && !stuck; ++round) {
        if (counter.todo.fetch_or(round, std::memory_order_acq_rel) == 0) mailbox.post(&counter);
        while (counter.seen.load(std::memory_order_acquire) != round && !stuck) {
          std::this_thread::yield();
        }
      }
      --running;
    });
  }
  const auto finished = [&] {
    for (const Counter& counter : counters) {
      if (counter.seen != kRounds) return false;
    }
    return true;
  };
  while (!stuck && !finished()) {
    if (!mailbox.deliver_or_wait()) stuck = true;
  }
  for (std::thread& thread : threads) thread.join();
  CHECK_FALSE(stuck);
  CHECK(running == 0);
}
