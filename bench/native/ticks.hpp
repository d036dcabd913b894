// The ticks of a stream of a given rate.
#pragma once

#include <sys/prctl.h>

#include "harness.hpp"

namespace bench {

/// For `duration` ns calls `burst(messages)` at every tick: as many messages as the rate asks for.
template <class Burst>
void in_ticks(int64_t rate, int64_t duration, Burst burst) {
  constexpr int64_t kTick = 100'000, kSecond = 1'000'000'000;  // ns
  prctl(PR_SET_TIMERSLACK, 1);
  const int64_t interval = std::max(kTick, kSecond / rate);
  const int64_t messages = std::max<int64_t>(1, rate / (kSecond / kTick));
  const int64_t end = now_ns() + duration;
  for (int64_t due = now_ns(); due < end; due += interval) {
    const timespec time{due / kSecond, due % kSecond};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nullptr);
    burst(messages);
  }
}

}  // namespace bench
