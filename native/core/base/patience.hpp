// Patience: whether a thread that has run out of work looks for more before it sleeps.
#pragma once

#include <algorithm>
#include <cstdint>

namespace zerowire {

/// Waking a sleeping thread costs both sides far more than a few looks do, as long as the wait is
/// short. Recent waits tell what to expect of the next one. Belongs to the thread that waits.
///
/// A wait may be one for an `answer`: to what this thread has done before. Then it may have been
/// long only because both sides slept, and each waited for the wake-ups of the other: that must be
/// no reason to go on sleeping. Other waits are as long as they are, so it is worth to look a bit
/// longer than what has found something of late, and no longer.
class Patience {
 public:
  explicit Patience(int spin_us) : limit_(spin_us * int64_t{1000}), reach_(limit_) {}

  /// How long to look, in ns; 0 = sleep at once.
  int64_t spin(bool answer) const {
    if (score_ == 0) return 0;  // it would be in vain
    return answer ? limit_ : std::min(limit_, reach_ + kMargin);
  }
  /// A wait has taken so long, in ns.
  void waited(int64_t time, bool answer) {
    // Where an answer was slept for, looking would have brought it earlier, hence twice.
    const bool is_short = time < (answer ? std::max(2 * limit_, kSleepy) : limit_);
    score_ = std::clamp(score_ + (is_short ? 1 : -1), 0, kMost);
    if (time < limit_) reach_ = std::max(time, reach_ - reach_ / 8);
  }

 private:
  static constexpr int kMost = 4;
  /// What a round trip takes between threads that all sleep.
  static constexpr int64_t kSleepy = 250'000;
  static constexpr int64_t kMargin = 3'000;

  const int64_t limit_;
  int64_t reach_;  ///< about the longest of the recent waits that were not beyond the limit
  int score_ = kMost;
};

}  // namespace zerowire
