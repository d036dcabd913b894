// Pipes and mailboxes between two threads: nothing lost, nothing twice, in order, never more than
// the high-water mark on the way, and nobody sleeps through what it waits for.
#include <doctest/doctest.h>

#include <atomic>
#include <cstring>
#include <string>
#include <thread>

#include "base/membarrier.hpp"
#include "base/random.hpp"
#include "pipe/pipe.hpp"
#include "pipe_util.hpp"
#include "thread_mailbox.hpp"

using namespace zerowire;
using test::ThreadMailbox;

namespace {

enum Bit : uint32_t { kTokenBit = 1, kRoomBit = 2, kDoneBit = 4, kEventBit = 8 };

/// A side's node: keeps the bits it was sent.
class Inbox final : public Node {
 public:
  void deliver(uint32_t posted) override { bits |= posted; }
  void drop(uint32_t) override {}
  void notify(uint32_t more) {
    if (todo.fetch_or(more, std::memory_order_acq_rel) == 0) mailbox.post(this);
  }
  bool take(uint32_t bit) {
    const bool had = bits & bit;
    bits &= ~bit;
    return had;
  }

  ThreadMailbox mailbox;
  uint32_t bits = 0;
};

/// One producer that sometimes consumes itself, one consumer that sometimes recalls: when it has
/// just given the token up or, with `events`, at any time.
class Stress {
 public:
  Stress(int mark, uint64_t messages, bool events)
      : pipe_(mark, true),
        mark_(static_cast<uint64_t>(mark)),
        messages_(messages),
        events_(events) {}

  void run() {
    std::thread producer([this] { produce(); });
    std::thread outside;
    if (events_) outside = std::thread([this] { disturb(); });
    consume();
    producer.join();
    if (events_) outside.join();
  }

  uint64_t taken() const { return taken_; }
  const char* failure() const { return failure_; }
  uint64_t direct = 0;
  uint64_t recalls = 0;

 private:
  void fail(const char* what) {
    const char* none = nullptr;
    failure_.compare_exchange_strong(none, what);
  }

  /// What a descriptor does to an IO thread: wakes it at any time.
  void disturb() {
    while (taken_ < messages_ && !failure_) {
      consumer_.notify(kEventBit);
      std::this_thread::yield();
    }
  }

  void produce() {
    Random random(1);
    for (uint64_t i = 0; i < messages_ && !failure_; ++i) {
      if (!wait_for_room()) return fail("the producer waits for ever");
      write(i, random);
      if (i + 1 - taken_.load(std::memory_order_acquire) > mark_) fail("more than the mark");
      if (random.below(4) == 0 || !pipe_.writer.room() || i + 1 == messages_) publish(random);
    }
    consumer_.notify(kDoneBit);
  }

  bool wait_for_room() {
    while (!pipe_.writer.room_or_wait()) {
      if (!producer_.take(kRoomBit) && !producer_.mailbox.deliver_or_wait()) return false;
    }
    return true;
  }

  /// The number, then padding that says how much there is of it; sometimes a second frame, copied
  /// or by reference.
  void write(uint64_t number, Random& random) {
    char body[600];
    const std::size_t size = sizeof number + random.below(number % 64 == 0 ? 500 : 20);
    std::memset(body, static_cast<char>(number), size);
    std::memcpy(body, &number, sizeof number);
    PipeWriter& writer = pipe_.writer;
    if (random.below(16) == 0) {
      writer.write(wire::kMore, "given up", 8);
      writer.rollback();
    }
    const bool two = random.below(8) == 0;
    writer.write(two ? wire::kMore : 0, body, size);
    if (two && random.below(2) == 0) {
      writer.write(0, body, size);
    } else if (two) {
      Buffer* buffer = Buffer::create(size);
      std::memcpy(buffer->data(), body, size);
      writer.write_reference(0, {buffer->data(), size, buffer});
      buffer->unref();
    }
    writer.commit();
  }

  void publish(Random& random) {
    const Claim claim = pipe_.writer.publish();
    if (claim == Claim::none) return;
    if (claim == Claim::recalled || random.below(2)) return consumer_.notify(kTokenBit);
    ++direct;
    for (;;) {
      for (uint64_t left = random.below(2 * mark_); left && pipe_.reader.more(); --left) take();
      pipe_.reader.retire();
      (void)pipe_.reader.release(true);
      if (random.below(8) == 0) std::this_thread::yield();
      if (random.below(4) == 0) return consumer_.notify(kTokenBit);
      const PipeReader::Sleep slept = pipe_.reader.sleep();
      if (slept == PipeReader::Sleep::asleep) return;
      if (slept == PipeReader::Sleep::recalled) return consumer_.notify(kTokenBit);
    }
  }

  /// With the token only.
  void take() {
    const Frame frame = pipe_.reader.read();
    uint64_t number = 0;
    std::memcpy(&number, frame.data, sizeof number);
    if (number != next_) fail("lost, twice or out of order");
    for (std::size_t i = sizeof number; i < frame.size; ++i) {
      if (frame.data[i] != static_cast<char>(number)) fail("changed on the way");
    }
    if (frame.flags & wire::kMore) {
      const Frame second = pipe_.reader.read();
      if (std::string_view(second.data, second.size) != std::string_view(frame.data, frame.size)) {
        fail("parts of different messages");
      }
    }
    ++next_;
    taken_.fetch_add(1, std::memory_order_release);
    pipe_.reader.consumed();
  }

  void consume() {
    Random random(2);
    bool holds = false;
    while (!failure_) {
      if (consumer_.take(kTokenBit)) holds = true;
      if (holds) holds = drain(random);
      if (!holds && taken_ == messages_ && (consumer_.bits & kDoneBit)) return;
      const bool may = events_ ? consumer_.take(kEventBit) : !holds;
      if (may && !holds && !recalling_ && random.below(events_ ? 2 : 8) == 0) {
        recalling_ = true;
        ++recalls;
        holds = pipe_.reader.recall();
      }
      if (holds) continue;
      if (!(consumer_.bits & kTokenBit) && !consumer_.mailbox.deliver_or_wait()) {
        return fail("the consumer waits for ever");
      }
    }
  }

  /// True while it keeps the token.
  bool drain(Random& random) {
    for (uint64_t left = 1 + random.below(2 * mark_); left && pipe_.reader.more(); --left) take();
    pipe_.reader.retire();
    if (pipe_.reader.more()) {
      if (pipe_.reader.release(false)) producer_.notify(kRoomBit);
      return true;
    }
    if (pipe_.reader.release(true)) producer_.notify(kRoomBit);
    if (recalling_) pipe_.reader.clear_recall();
    recalling_ = false;
    return pipe_.reader.sleep() != PipeReader::Sleep::asleep;
  }

  Pipe pipe_;
  const uint64_t mark_;
  const uint64_t messages_;
  const bool events_;
  Inbox producer_;
  Inbox consumer_;
  uint64_t next_ = 0;  ///< belongs to the holder of the token, like everything take() touches
  bool recalling_ = false;
  std::atomic<uint64_t> taken_{0};
  std::atomic<const char*> failure_{nullptr};
};

/// Rounds: a consumer that is awake lets the producer become steady; then it catches up and goes to
/// sleep while the producer goes on for a little.
class Rounds {
 public:
  void run(uint64_t rounds) {
    std::thread consumer([this] { consume(); });
    Random random(1);
    for (; rounds > 0 && !failed_; --rounds) {
      waits_ = true;
      for (int i = 0; i < kUntilSteady; ++i) publish();
      if (pipe_.words.token.load() & PipeWords::kSteady) ++steady;
      waits_ = false;
      for (uint64_t more = random.below(200); more > 0; --more) {
        publish();
        for (uint64_t pause = random.below(20); pause > 0; --pause) (void)random.below(2);
      }
      while (taken_.load() < pipe_.writer.messages() && !failed_) {
        if (!producer_.take(kDoneBit) && !producer_.mailbox.deliver_or_wait()) failed_ = true;
      }
    }
    stop_ = true;
    consumer_.notify(kDoneBit);
    consumer.join();
  }

  bool failed() const { return failed_; }
  uint64_t steady = 0;  ///< rounds

 private:
  static constexpr int kUntilSteady = 600;

  void publish() {
    const uint64_t number = pipe_.writer.messages();
    pipe_.writer.write(0, reinterpret_cast<const char*>(&number), sizeof number);
    pipe_.writer.commit();
    if (pipe_.writer.publish() != Claim::none) consumer_.notify(kTokenBit);
  }

  void consume() {
    uint64_t next = 0;
    while (!stop_) {
      if (!consumer_.take(kTokenBit)) {
        if (!consumer_.mailbox.deliver_or_wait()) failed_ = true;
        continue;
      }
      while (waits_) {
      }
      do {
        while (pipe_.reader.more()) {
          uint64_t number = 0;
          std::memcpy(&number, pipe_.reader.read().data, sizeof number);
          if (number != next++) failed_ = true;
          pipe_.reader.consumed();
        }
        pipe_.reader.retire();
        (void)pipe_.reader.release(true);
      } while (pipe_.reader.sleep() != PipeReader::Sleep::asleep);
      taken_ = next;
      producer_.notify(kDoneBit);
    }
  }

  Pipe pipe_{0, true};
  Inbox producer_;
  Inbox consumer_;
  std::atomic<bool> waits_{false};  ///< the consumer, for the producer to become steady
  std::atomic<uint64_t> taken_{0};
  std::atomic<bool> stop_{false};
  std::atomic<bool> failed_{false};
};

void stress(int mark, uint64_t messages) {
  for (const bool events : {false, true}) {
    CAPTURE(events);
    Stress stress(mark, messages, events);
    stress.run();
    const std::string failure = stress.failure() ? stress.failure() : "";
    CHECK(failure == "");
    CHECK(stress.taken() == messages);
    MESSAGE("direct: ", stress.direct);
    MESSAGE("recalls: ", stress.recalls);  // how many is up to the scheduler
  }
}

}  // namespace

TEST_CASE("threads of both sides, high-water mark 1") { stress(1, 20'000); }
TEST_CASE("threads of both sides, high-water mark 10") { stress(10, 50'000); }
TEST_CASE("threads of both sides, high-water mark 1000") { stress(1000, 150'000); }

TEST_CASE("a consumer that goes to sleep sees what was published without waiting for it") {
  const auto until = std::chrono::steady_clock::now() + test::kPatience;
  while (!membarrier_ready() && std::chrono::steady_clock::now() < until) {
    std::this_thread::yield();
  }
  Rounds rounds;
  rounds.run(3000);
  CHECK_FALSE(rounds.failed());
  if (membarrier_ready()) CHECK(rounds.steady > 0);
}
