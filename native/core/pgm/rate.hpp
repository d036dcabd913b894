// Rate: a token bucket in nanoseconds.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/clock.hpp"

namespace zerowire::pgm {

/// Lets bytes pass at a rate. What was not used is kept for `burst`, so that a thread that comes
/// late still reaches the rate. Belongs to a Source.
class Rate {
 public:
  Rate(uint64_t bytes_per_second, int64_t burst_ns, int64_t now);
  bool allows(int64_t now) const;
  void spend(uint64_t bytes, int64_t now);
  /// When allows() is true next.
  int64_t next() const;

 private:
  uint64_t bytes_per_second_;
  int64_t burst_;
  int64_t free_at_;
};

}  // namespace zerowire::pgm
