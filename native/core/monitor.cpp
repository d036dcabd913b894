#include "monitor.hpp"

#include <utility>

namespace zerowire {

bool Monitor::put(Event event) {
  const std::lock_guard lock(mutex_);
  if (events_.size() == kMaxEvents) events_.pop_front();
  events_.push_back(std::move(event));
  return events_.size() == 1;
}

bool Monitor::take(Event& event) {
  const std::lock_guard lock(mutex_);
  if (events_.empty()) return false;
  event = std::move(events_.front());
  events_.pop_front();
  return true;
}

bool Monitor::empty() {
  const std::lock_guard lock(mutex_);
  return events_.empty();
}

}  // namespace zerowire
