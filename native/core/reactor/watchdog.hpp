// Watchdog: a sleep whose end other threads set.
#pragma once

#include <cstdint>
#include <memory>

namespace zerowire {

/// One sleeper; any thread may set the time. The sleeper need not run for the time to change, and
/// while none is set there is nothing that would ever wake it.
class Watchdog {
 public:
  /// Null when the system refuses (descriptors).
  static std::unique_ptr<Watchdog> create();
  virtual ~Watchdog() = default;

  /// Goes off once, `delay` ns from now (at least 1), instead of when it would have.
  virtual void set(int64_t delay) = 0;
  virtual void clear() = 0;
  /// Sleeps until it goes off; returns at once if it has since it was last waited for.
  virtual void wait() = 0;
};

}  // namespace zerowire
