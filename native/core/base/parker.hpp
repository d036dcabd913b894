// Parker: a thread's place to sleep until another one wakes it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>

#include "zerowire/socket.hpp"

namespace zerowire {

/// One sleeper, any number of wakers. A wake before the sleep makes the sleep return at once.
class Parker final : public Waker {
 public:
  /// The calling thread's own.
  static const std::shared_ptr<Parker>& mine() {
    thread_local const std::shared_ptr<Parker> parker = std::make_shared<Parker>();
    return parker;
  }

  void wake() override {
    {
      const std::lock_guard lock(mutex_);
      woken_ = true;
    }
    condition_.notify_one();  // outside: else the sleeper wakes up to wait for the lock
  }
  /// Until woken or `deadline` (steady clock; max() = for ever).
  void sleep(std::chrono::steady_clock::time_point deadline) {
    std::unique_lock lock(mutex_);
    const auto woken = [this] { return woken_; };
    if (deadline == std::chrono::steady_clock::time_point::max()) {
      condition_.wait(lock, woken);
    } else {
      condition_.wait_until(lock, deadline, woken);
    }
    woken_ = false;
  }

 private:
  std::mutex mutex_;
  std::condition_variable condition_;
  bool woken_ = false;
};

}  // namespace zerowire
