// Rate: a token bucket in nanoseconds.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/clock.hpp"

namespace zerowire::pgm {

/// Lets bytes pass at a rate. Idle time earns no more than `burst`. While something waits, up to
/// `catch_up` is earned: what a thread that comes late has missed, it may send at once, so that the
/// rate is reached beside busy processes too. Belongs to a Source.
class Rate {
 public:
  /// Times in ns; starts idle, with `burst` earned.
  Rate(uint64_t bytes_per_second, int64_t burst, int64_t catch_up, int64_t now);

  /// Something waits from now on.
  void begin(int64_t now);
  /// Nothing waits any more.
  void end(int64_t now);

  bool allows(int64_t now) const { return now >= free_at_; }
  void spend(uint64_t bytes, int64_t now);
  /// When allows() is true next.
  int64_t next() const { return free_at_; }
  /// ns that `bytes` take.
  int64_t cost(uint64_t bytes) const;

 private:
  const uint64_t bytes_per_second_;
  const int64_t burst_;
  const int64_t catch_up_;
  bool idle_ = true;
  int64_t idle_since_;
  int64_t free_at_;         ///< everything that has passed is paid for then
  uint64_t remainder_ = 0;  ///< of a ns, in 1 / bytes_per_second_
};

}  // namespace zerowire::pgm
