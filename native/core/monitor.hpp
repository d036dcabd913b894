// Monitor: a socket's queue of events.
#pragma once

#include <atomic>
#include <deque>
#include <mutex>

#include "pipe/mailbox.hpp"
#include "zerowire/monitor.hpp"

namespace zerowire {

/// Written by IO threads and the socket's own, read by the socket's own. Costs one relaxed load
/// while nobody listens.
class Monitor {
 public:
  /// False when this event is not wanted.
  bool wants(EventType type) const {
    return mask_.load(std::memory_order_relaxed) & static_cast<uint32_t>(type);
  }
  /// True when the socket should be told that there is something.
  bool put(Event event);
  bool take(Event& event);
  bool empty();
  void set_mask(uint32_t mask) { mask_.store(mask, std::memory_order_relaxed); }
  uint32_t mask() const { return mask_.load(std::memory_order_relaxed); }

 private:
  static constexpr std::size_t kMaxEvents = 10'000;

  std::atomic<uint32_t> mask_{0};
  std::mutex mutex_;
  std::deque<Event> events_;  ///< guarded by mutex_
};

}  // namespace zerowire
