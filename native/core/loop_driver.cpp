#include "zerowire/loop_driver.hpp"

#include <sched.h>

#include <algorithm>

#include "base/clock.hpp"
#include "context.hpp"

namespace zerowire {
namespace {

/// So often the processor is given away: once for the peer to answer, and again if others were
/// first.
constexpr int kLooks = 3;
/// When others keep it for longer than this, somebody computes, from whom one that sleeps gets the
/// processor back sooner than one that gave it away. Then driving rests for some turns, and for
/// twice as many each time.
constexpr int64_t kTooLong = 300'000;  // ns
constexpr int kRest = 8;
constexpr int kLongestRest = 16 * 1024;
constexpr int kRecovery = 64;  // turns that go well, to a third of the caution

/// The IO thread lets go of the wheel as soon as it has nothing to do.
bool take_over(Reactor& reactor) {
  if (reactor.enter()) return true;
  if (!reactor.ask()) return false;
  for (int i = 0; i < kLooks; ++i) {
    sched_yield();
    if (reactor.enter()) return true;
  }
  return !reactor.withdraw() && reactor.enter();
}

}  // namespace

bool LoopDriver::drive(const Context& context, int sockets, const std::function<bool()>& news) {
  const ContextCore& core = *context.core();
  if (!core.one_processor) return false;
  if (core.waiting.load() != sockets) {
    core.attend();
    return false;
  }
  Reactor* reactor = core.drivable();
  if (!reactor) return false;
  const int64_t began = now_ns();
  if (!due(began)) {
    reactor->attend();
    return false;
  }
  if (!take_over(*reactor)) return false;
  bool found = news();
  // The network has its turn also where all news comes from elsewhere.
  if (found || reactor->pending()) {
    reactor->round();
    found = news();
  }
  for (int i = 0; i < kLooks && !found; ++i) {
    sched_yield();
    reactor->round();
    found = news();
  }
  learn(reactor->now() - began);
  reactor->leave();
  if (!found || core.waiting.load() != sockets) reactor->attend();
  return found;
}

bool LoopDriver::due(int64_t now) {
  brisk_ = now - last_ < Wheel::kLook ? std::min(brisk_ + 1, Wheel::kHabit) : 0;
  last_ = now;
  if (rest_ == 0) return brisk_ == Wheel::kHabit;
  --rest_;
  return false;
}

void LoopDriver::learn(int64_t time) {
  if (time > kTooLong) {
    rest_ = caution_ = std::min(2 * caution_ + kRest, kLongestRest);
  } else {
    caution_ -= (caution_ + kRecovery - 1) / kRecovery;
  }
}

}  // namespace zerowire
