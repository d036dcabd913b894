// A mailbox whose thread waits with a deadline.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "pipe/mailbox.hpp"

namespace zerowire::test {

/// Long enough to mean "never" on any machine.
inline constexpr std::chrono::seconds kPatience{30};

class ThreadMailbox final : public Mailbox {
 public:
  void wake() override {
    const std::lock_guard lock(mutex_);
    ++wakes;
    woken_ = true;
    condition_.notify_one();
  }
  /// Delivers what comes, waiting for it; false when nothing came: a wake-up was lost.
  bool deliver_or_wait() {
    if (deliver()) return true;
    if (park()) {
      std::unique_lock lock(mutex_);
      if (!condition_.wait_for(lock, kPatience, [this] { return woken_; })) return false;
      woken_ = false;
    }
    deliver();
    return true;
  }

  int wakes = 0;

 private:
  std::mutex mutex_;
  std::condition_variable condition_;
  bool woken_ = false;
};

}  // namespace zerowire::test
