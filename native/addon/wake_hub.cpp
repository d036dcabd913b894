#include "wake_hub.hpp"

#include <new>
#include <utility>

namespace zerowire::addon {
namespace {

/// Values that the core is done with are freed in passing by the next send or wake; an idle
/// environment is woken for that only when they hold this much memory.
constexpr std::size_t kReleaseWake = 1024 * 1024;

template <class T>
void append(std::vector<T>& to, std::vector<T>& from) {
  if (to.empty()) {
    to.swap(from);
  } else {
    to.insert(to.end(), from.begin(), from.end());
    from.clear();
  }
}

}  // namespace

/// One sent value: owned by the Buffer that wraps its memory.
struct WakeHub::Held {
  std::shared_ptr<WakeHub> hub;
  napi_ref ref;
  std::size_t size;
};

void WakeHub::attach(std::array<napi_threadsafe_function, 2> wakes) {
  std::scoped_lock lock(calls_, mutex_);
  wakes_ = wakes;
  attached_ = true;
}

void WakeHub::detach() {
  std::scoped_lock lock(calls_, mutex_);
  wakes_ = {};
  attached_ = false;
}

void WakeHub::take(News& news) {
  std::lock_guard lock(mutex_);
  append(news.ready, news_.ready);
  append(news.ended, news_.ended);
  append(news.released, news_.released);
  news.quiet |= news_.quiet;
  news_.quiet = false;
  released_bytes_ = 0;
  any_released_.store(false, std::memory_order_relaxed);
  any_ready_.store(false, std::memory_order_relaxed);
  signalled_ = false;
}

void WakeHub::hold_back() {
  std::lock_guard lock(mutex_);
  held_back_ = true;
}

void WakeHub::resume(bool takes) {
  std::unique_lock lock(mutex_);
  held_back_ = false;
  if ((!takes && !news_.ready.empty()) || news_.quiet || !news_.ended.empty() ||
      released_bytes_ >= kReleaseWake) {
    signal(std::move(lock));
  }
}

bool WakeHub::take_released(std::vector<napi_ref>& released) {
  if (!any_released_.load(std::memory_order_relaxed)) return false;
  std::lock_guard lock(mutex_);
  append(released, news_.released);
  released_bytes_ = 0;
  any_released_.store(false, std::memory_order_relaxed);
  return true;
}

void WakeHub::signal(std::unique_lock<std::mutex> lock) {
  if (!attached_ || held_back_ || std::exchange(signalled_, true)) return;
  lock.unlock();
  std::lock_guard call(calls_);
  if (!wakes_[turn_]) return;  // detached meanwhile
  // Queues an item (the queue is unbounded) and writes to the loop's eventfd; never waits for
  // JavaScript.
  napi_call_threadsafe_function(wakes_[turn_], nullptr, napi_tsfn_nonblocking);
  turn_ ^= 1;
}

void WakeHub::notify(int32_t socket) {
  std::unique_lock lock(mutex_);
  if (!attached_) return;
  news_.ready.push_back(socket);
  any_ready_.store(true, std::memory_order_relaxed);
  signal(std::move(lock));
}

void WakeHub::proxy_ended(int32_t proxy) {
  std::unique_lock lock(mutex_);
  if (!attached_) return;
  news_.ended.push_back(proxy);
  signal(std::move(lock));
}

void WakeHub::linger(const std::function<void()>& watch) {
  {
    std::lock_guard lock(mutex_);
    ++lingering_;
  }
  watching_ = true;
  watch();
  watching_ = false;
}

void WakeHub::linger_ended() {
  std::unique_lock lock(mutex_);
  if (--lingering_ > 0) return;
  changed_.notify_all();
  // At once: JavaScript learns it from lingering(), which is 0 again.
  if (std::this_thread::get_id() == js_thread_ && watching_) return;
  news_.quiet = true;
  signal(std::move(lock));
}

int WakeHub::lingering() {
  std::lock_guard lock(mutex_);
  return lingering_;
}

Buffer* WakeHub::hold(napi_ref ref, void* data, std::size_t size) {
  Held* held = new (std::nothrow) Held{shared_from_this(), ref, size};
  if (!held) return nullptr;
  Buffer* buffer = buffer_external(data, size, release_held, held);
  if (!buffer) {
    delete held;
    return nullptr;
  }
  std::lock_guard lock(mutex_);
  ++held_;
  return buffer;
}

void WakeHub::release_held(void*, void* hint) {
  std::unique_ptr<Held> held(static_cast<Held*>(hint));
  WakeHub& hub = *held->hub;
  std::unique_lock lock(hub.mutex_);
  if (--hub.held_ == 0) hub.changed_.notify_all();
  if (!hub.attached_) return;
  hub.news_.released.push_back(held->ref);
  hub.released_bytes_ += held->size;
  hub.any_released_.store(true, std::memory_order_relaxed);
  if (hub.released_bytes_ >= kReleaseWake) hub.signal(std::move(lock));
}

bool WakeHub::wait_quiet(std::chrono::steady_clock::time_point deadline) {
  std::unique_lock lock(mutex_);
  return changed_.wait_until(lock, deadline, [&] { return lingering_ == 0 && held_ == 0; });
}

bool WakeHub::wait_released(std::chrono::steady_clock::time_point deadline) {
  std::unique_lock lock(mutex_);
  return changed_.wait_until(lock, deadline, [&] { return held_ == 0; });
}

}  // namespace zerowire::addon
