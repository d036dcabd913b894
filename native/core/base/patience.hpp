// Patience: whether a thread that has run out of work looks for more before it sleeps.
#pragma once

#include <algorithm>
#include <cstdint>

namespace zerowire {

/// Waking a sleeping thread costs both sides far more than a few looks do, as long as the wait is
/// short. Recent waits tell what to expect of the next one. Belongs to the thread that waits.
class Patience {
 public:
  explicit Patience(int spin_us) : limit_(spin_us * int64_t{1000}) {}

  /// How long to look, in ns; 0 = sleep at once.
  int64_t spin() const { return brief() ? limit_ : 0; }
  /// Whether the next wait is expected to be a short one.
  bool brief() const { return score_ > 0; }
  /// A wait has taken so long, in ns. Where it was slept through, looking would have ended it
  /// earlier, hence twice; and where the threads of both sides sleep in turn, each waits for the
  /// wake-ups of all, which would go on for ever if that were a reason to go on sleeping.
  void waited(int64_t time) {
    score_ = std::clamp(score_ + (time < std::max(2 * limit_, kSleepy) ? 1 : -1), 0, kMost);
  }

 private:
  static constexpr int kMost = 4;
  /// What a round trip takes between threads that all sleep.
  static constexpr int64_t kSleepy = 250'000;

  const int64_t limit_;
  int score_ = kMost;
};

}  // namespace zerowire
