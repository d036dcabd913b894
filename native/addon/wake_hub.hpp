// WakeHub: where other threads leave news for the JavaScript thread of one environment.
#pragma once

#include <node_api.h>

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "zerowire/message.hpp"
#include "zerowire/socket.hpp"

namespace zerowire::addon {

/// Shared by the environment and by everything that may call it from elsewhere (wakers, sent
/// buffers, lingering sockets, proxies), which may outlive the environment: after `detach()` news
/// is dropped. Methods may be called from any thread unless they say otherwise; none of them waits
/// for JavaScript.
class WakeHub : public std::enable_shared_from_this<WakeHub> {
 public:
  /// What has happened since it was last taken.
  struct News {
    std::vector<int32_t> ready;      ///< handles of sockets whose waker was called
    std::vector<int32_t> ended;      ///< handles of proxies that ended
    std::vector<napi_ref> released;  ///< references on sent values that are no longer needed
    bool quiet = false;              ///< the last lingering socket has ended
  };

  WakeHub() : js_thread_(std::this_thread::get_id()) {}

  /// JS thread: news signals these from now on. Two of them take turns, because Node runs one
  /// again and again, without a look at timers and I/O, when it is signalled from its own callback.
  void attach(std::array<napi_threadsafe_function, 2> wakes);
  /// JS thread: no signal is sent any more once this returns.
  void detach();
  /// JS thread: appends the news to `news`. The next news sends a signal again.
  void take(News& news);
  /// JS thread: until resume() news sends no signal, since it looks for news itself: any_ready().
  void hold_back();
  bool any_ready() const { return any_ready_.load(std::memory_order_relaxed); }
  /// `takes`: will take ready sockets without a signal.
  void resume(bool takes);
  /// JS thread: appends the references that are no longer needed alone; false if there are none.
  bool take_released(std::vector<napi_ref>& released);

  void notify(int32_t socket);
  void proxy_ended(int32_t proxy);

  /// JS thread: one more closed socket may be flushing in the background. `watch` sees to it that
  /// linger_ended() is called once it no longer is, perhaps at once.
  void linger(const std::function<void()>& watch);
  void linger_ended();
  int lingering();

  /// JS thread: wraps memory that `ref` keeps alive; the reference comes back through `take()` when
  /// the core is done with the memory. Null when out of memory.
  Buffer* hold(napi_ref ref, void* data, std::size_t size);
  /// Waits until nothing lingers and no held memory is in use; false after the deadline.
  bool wait_quiet(std::chrono::steady_clock::time_point deadline);
  /// The same for held memory alone.
  bool wait_released(std::chrono::steady_clock::time_point deadline);

 private:
  struct Held;
  static void release_held(void* data, void* hint);
  void signal(std::unique_lock<std::mutex> lock);  // of mutex_

  const std::thread::id js_thread_;
  bool watching_ = false;  // JS thread: in linger()
  /// Keeps the functions from being released under our feet. Not mutex_: a call wakes the
  /// JavaScript thread, perhaps on this very processor, and it shall not wait for us at once.
  std::mutex calls_;
  unsigned turn_ = 0;  // guarded by calls_, as the next one
  std::array<napi_threadsafe_function, 2> wakes_{};

  std::mutex mutex_;
  std::condition_variable changed_;
  News news_;                              // guarded by mutex_, as all below
  std::size_t released_bytes_ = 0;         // behind news_.released
  std::atomic<bool> any_released_{false};  // hints that may be read without mutex_
  std::atomic<bool> any_ready_{false};
  int lingering_ = 0;
  int held_ = 0;
  bool attached_ = false;
  bool signalled_ = false;
  bool held_back_ = false;
};

/// The waker of one socket.
class SocketWaker : public Waker {
 public:
  explicit SocketWaker(std::shared_ptr<WakeHub> hub) : hub_(std::move(hub)) {}
  /// Before the socket is armed for the first time.
  void set_handle(int32_t handle) { handle_ = handle; }
  void wake() override { hub_->notify(handle_); }

 private:
  std::shared_ptr<WakeHub> hub_;
  int32_t handle_ = 0;
};

}  // namespace zerowire::addon
