// Time: monotonic nanoseconds.
#pragma once

#include <cstdint>
#include <ctime>

namespace zerowire {

inline constexpr int64_t kMillisecond = 1'000'000;
inline constexpr int64_t kNever = INT64_MAX;

inline int64_t now_ns() {
  timespec time;
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * int64_t{1'000'000'000} + time.tv_nsec;
}

}  // namespace zerowire
