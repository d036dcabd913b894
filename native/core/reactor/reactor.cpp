#include "reactor/reactor.hpp"

#include <sched.h>

#include <algorithm>
#include <utility>

#include "base/memory.hpp"
#include "base/thread.hpp"

namespace zerowire {
namespace {

/// A function to be run once on the reactor's thread.
class TaskNode final : public Node {
 public:
  explicit TaskNode(std::function<void()> task) : task_(std::move(task)) {}
  void deliver(uint32_t) override {
    task_();
    delete this;
  }
  void drop(uint32_t) override { delete this; }

 private:
  std::function<void()> task_;
};

/// Who drives and sleeps for less than this each time leaves the watchdog set, which goes off once
/// per kLook: that costs less than clearing and setting it again for each sleep.
constexpr int64_t kShort = Wheel::kLook / 4;

/// The reactor that this (application) thread drives.
thread_local const Reactor* driving = nullptr;

}  // namespace

std::shared_ptr<Reactor> Reactor::create(int spin_us) {
  std::unique_ptr<Poller> poller = Poller::create();
  std::unique_ptr<Watchdog> watchdog = Watchdog::create();
  if (!poller || !watchdog) return nullptr;
  return std::shared_ptr<Reactor>(new Reactor(std::move(poller), std::move(watchdog), spin_us));
}

bool Reactor::start() {
  auto* self = new std::shared_ptr<Reactor>(shared_from_this());
  const auto run = [](void* argument) -> void* {
    std::unique_ptr<std::shared_ptr<Reactor>> reactor(
        static_cast<std::shared_ptr<Reactor>*>(argument));
    (*reactor)->run();
    return nullptr;
  };
  started_ = start_thread(thread_, run, self);
  if (!started_) delete self;
  return started_;
}

void Reactor::stop() {
  if (!started_) return;
  started_ = false;
  if (pthread_equal(pthread_self(), thread_)) {
    stop_.store(true, std::memory_order_relaxed);
    pthread_detach(thread_);
    return;
  }
  run_soon([this] { stop_.store(true, std::memory_order_relaxed); });
  pthread_join(thread_, nullptr);
}

void Reactor::run_soon(std::function<void()> task) {
  auto* node = new TaskNode(std::move(task));
  node->todo.store(1, std::memory_order_relaxed);
  if (!post(node)) node->drop(0);
  attend();
}

void Reactor::add(std::unique_ptr<Resident> resident) {
  resident->index_ = residents_.size();
  residents_.push_back(std::move(resident));
}

void Reactor::retire(Resident* resident) {
  const std::size_t index = resident->index_;
  std::swap(residents_[index], residents_.back());
  residents_[index]->index_ = index;
  retired_.push_back(std::move(residents_.back()));
  residents_.pop_back();
}

/// A copy, because residents may retire while one walks them.
std::vector<Resident*> Reactor::all() const {
  std::vector<Resident*> copy;
  for (const auto& resident : residents_) copy.push_back(resident.get());
  return copy;
}

void Reactor::abandon_all() {
  for (Resident* resident : all()) resident->abandon();
}

void Reactor::socket_closed(const SocketShared& socket) {
  for (Resident* resident : all()) resident->socket_closed(socket);
}

/// Sleeps until something is to be done, or `until`, and does it.
void Reactor::wait(int64_t until) {
  const int64_t next = std::min({timers_.next(), until, unused_until()});
  work(next == kNever ? -1 : std::max<int64_t>(0, next - now_ns()));
}

bool Reactor::work(int64_t most) {
  const int called = poller_->wait(most);
  now_ = now_ns();
  const bool mail = deliver();
  bool fired = timers_.next() <= now_;
  if (fired) timers_.run(now_);
  retired_.clear();
  if (now_ >= unused_until()) drop_unused(now_);
  return called > 0 || mail || fired;
}

void Reactor::Bell::wake() {
  if (driving != &reactor_) reactor_.wake();
}

bool Reactor::enter() {
  if (!wheel_.take()) return false;
  driving = this;
  driven_ = true;
  return true;
}

bool Reactor::ask() {
  if (!wheel_.ask()) return false;
  nudge();
  return true;
}

void Reactor::sleep(int64_t until) {
  if (!park()) return round();
  if (short_sleeps_ < Wheel::kHabit) wheel_.rest();
  const int64_t began = now_ns();
  wait(until);
  short_sleeps_ = now_ - began < kShort ? std::min(short_sleeps_ + 1, Wheel::kHabit) : 0;
}

void Reactor::leave() {
  driven_ = false;
  driving = nullptr;
  wheel_.leave();
}

/// Looks for work for a while, giving the processor to others in between, then sleeps.
void Reactor::idle() {
  const int64_t began = now_;
  const bool answer = std::exchange(talks_, false);
  const int64_t until = began + patience_.spin(answer);
  bool found = false;
  while (!found && now_ < until && !wheel_.wanted()) {
    sched_yield();
    found = work(0);
  }
  if (!found && wheel_.wanted()) {
    wheel_.hand_over();
    poller_->favour(nullptr);
    now_ = now_ns();
    return;
  }
  if (!found && park()) wait(kNever);
  patience_.waited(now_ - began, answer);
}

void Reactor::run() {
  now_ = now_ns();
  while (!stop_.load(std::memory_order_relaxed)) {
    if (!work(0)) idle();
  }
  close();
  residents_.clear();
  retired_.clear();
  drop_unused(kNever);  // there may be nobody else who would
}

}  // namespace zerowire
