// Timers: a heap of deadlines.
#pragma once

#include <cstddef>
#include <vector>

#include "base/clock.hpp"

namespace zerowire {

/// Something with a deadline. In at most one heap; removed when destroyed by its owner calling
/// TimerHeap::cancel.
class Timer {
 public:
  virtual void on_timer(int64_t now) = 0;

 protected:
  ~Timer() = default;

 private:
  friend class TimerHeap;
  static constexpr std::size_t kIdle = static_cast<std::size_t>(-1);
  std::size_t index_ = kIdle;
  int64_t at_ = kNever;
};

/// Belongs to one thread.
class TimerHeap {
 public:
  /// (Re)sets a timer; kNever cancels it.
  void set(Timer& timer, int64_t at) {
    if (at == kNever) return cancel(timer);
    if (timer.index_ == Timer::kIdle) {
      timer.index_ = heap_.size();
      heap_.push_back(&timer);
    }
    timer.at_ = at;
    sift_up(timer.index_);
    sift_down(timer.index_);
  }
  void cancel(Timer& timer) {
    const std::size_t index = timer.index_;
    if (index == Timer::kIdle) return;
    timer.index_ = Timer::kIdle;
    Timer* last = heap_.back();
    heap_.pop_back();
    if (last == &timer) return;
    place(index, last);
    sift_up(index);
    sift_down(last->index_);
  }
  /// The earliest deadline, kNever if none.
  int64_t next() const { return heap_.empty() ? kNever : heap_[0]->at_; }
  /// Fires what is due; each timer is cancelled before it fires.
  void run(int64_t now) {
    while (!heap_.empty() && heap_[0]->at_ <= now) {
      Timer* timer = heap_[0];
      cancel(*timer);
      timer->on_timer(now);
    }
  }

 private:
  void place(std::size_t index, Timer* timer) {
    heap_[index] = timer;
    timer->index_ = index;
  }
  void sift_up(std::size_t index) {
    while (index > 0) {
      const std::size_t parent = (index - 1) / 2;
      if (heap_[parent]->at_ <= heap_[index]->at_) return;
      swap(index, parent);
      index = parent;
    }
  }
  void sift_down(std::size_t index) {
    for (;;) {
      std::size_t least = index;
      for (std::size_t child = 2 * index + 1; child <= 2 * index + 2; ++child) {
        if (child < heap_.size() && heap_[child]->at_ < heap_[least]->at_) least = child;
      }
      if (least == index) return;
      swap(index, least);
      index = least;
    }
  }
  void swap(std::size_t a, std::size_t b) {
    Timer* timer = heap_[a];
    place(a, heap_[b]);
    place(b, timer);
  }

  std::vector<Timer*> heap_;
};

}  // namespace zerowire
