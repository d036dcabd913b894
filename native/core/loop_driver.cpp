#include "zerowire/loop_driver.hpp"

#include <sched.h>

#include <algorithm>
#include <utility>

#include "base/clock.hpp"
#include "context.hpp"

namespace zerowire {
namespace {

/// On one processor: once for the peer to answer, and again if others were first.
constexpr int kLooks = 3;
/// On several: for so long, at most.
constexpr int64_t kLookTime = 50'000;  // ns
/// Of more than this in a turn two threads do better than one: some 20 messages, or 16 KiB.
constexpr std::size_t kLight = 20 * 1024;
constexpr std::size_t kMessageLoad = 1024;
/// A look in vain counts so much, one that found something one less; beyond so many driving rests.
constexpr int kVain = 2;
constexpr int kMostVain = 8;
/// When others keep a processor for longer than this, somebody computes, from whom one that sleeps
/// gets it back sooner than one that gave it away. Then driving rests, unless it was only once
/// (garbage collection, a host that takes its processor back), twice as long each time.
constexpr int64_t kTooLong = 300'000;  // ns
constexpr int kLongestRest = 1024;     // turns
constexpr int kRecovery = 64;          // turns that go well, to a third of the caution

}  // namespace

void LoopDriver::received(std::size_t messages, std::size_t bytes) {
  if (!turn_.heard) turn_.heard = now_ns();
  turn_.load += messages * kMessageLoad + bytes;
}

bool LoopDriver::drive(const Context& context, int sockets, const std::function<bool()>& news) {
  const Turn turn = std::exchange(turn_, {});
  found_ = false;
  const ContextCore& core = *context.core();
  Reactor* reactor = core.waiting.load() == sockets ? core.drivable() : nullptr;
  const int64_t began = now_ns();
  if (!reactor || !due(turn, core, began)) {
    core.attend();
    return false;
  }
  const bool driving = take_over(*reactor, news);
  found_ = news();
  if (driving) {
    // The network has its turn also where all news comes from elsewhere.
    if (found_ || reactor->pending()) {
      reactor->round();
      found_ = news();
    }
    for (int looks = 0; !found_ && goes_on(looks); ++looks) {
      if (looks % 2 || core.one_processor) sched_yield();
      reactor->round();
      found_ = news();
    }
    reactor->leave();
    if (!found_ || core.waiting.load() != sockets) reactor->attend();
  }
  learn(now_ns() - began);
  return found_;
}

/// The IO thread lets go of the wheel as soon as it has nothing to do.
bool LoopDriver::take_over(Reactor& reactor, const std::function<bool()>& news) const {
  if (reactor.enter()) return true;
  if (!reactor.ask()) return false;
  for (int looks = 0; !news() && goes_on(looks); ++looks) {
    sched_yield();
    if (reactor.enter()) return true;
  }
  return !reactor.withdraw() && reactor.enter();
}

bool LoopDriver::due(const Turn& turn, const ContextCore& core, int64_t now) {
  brisk_ = now - last_ < Wheel::kLook ? std::min(brisk_ + 1, Wheel::kHabit) : 0;
  last_ = now;
  until_ = 0;
  if (!core.one_processor) {
    const int64_t most = std::min(core.options.spin_us * int64_t{1000}, kLookTime);
    // Who computes, or has other events to attend to, does not wait for messages alone.
    if (!turn.sent || turn.load > kLight || now - turn.heard >= most) return false;
    until_ = now + most;
  }
  if (rest_ == 0) return brisk_ == Wheel::kHabit;
  --rest_;
  return false;
}

bool LoopDriver::goes_on(int looks) const { return until_ ? now_ns() < until_ : looks < kLooks; }

void LoopDriver::learn(int64_t time) {
  if (until_) vain_ = std::max(0, vain_ + (found_ ? -1 : kVain));
  if (time > kTooLong || vain_ > kMostVain) {
    rest_ = std::exchange(caution_, std::min(2 * caution_ + 1, kLongestRest));
    vain_ = 0;
  } else if (found_) {
    caution_ -= (caution_ + kRecovery - 1) / kRecovery;
  }
}

}  // namespace zerowire
