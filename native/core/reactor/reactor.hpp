// Reactor: one IO thread.
#pragma once

#include <pthread.h>

#include <atomic>
#include <functional>
#include <memory>
#include <vector>

#include "base/patience.hpp"
#include "base/random.hpp"
#include "pipe/mailbox.hpp"
#include "reactor/poller.hpp"
#include "reactor/timers.hpp"

namespace zerowire {

class SocketShared;

/// Something a reactor runs until it is destroyed: a connection or a listener.
class Resident {
 public:
  virtual ~Resident() = default;
  /// The context does not wait any longer: end now, unless a socket still uses it.
  virtual void abandon() = 0;
  /// A socket was closed: end if it is the resident's own, unless told to linger.
  virtual void socket_closed(const SocketShared& socket) = 0;

 private:
  friend class Reactor;
  std::size_t index_ = 0;
};

/// Waits for descriptors, timers and its mailbox, and calls their handlers, all on its own thread.
/// Everything but post(), run_soon(), start() and stop() is for that thread.
class Reactor final : public Mailbox, public std::enable_shared_from_this<Reactor> {
 public:
  /// Null when the system refuses a poller.
  static std::shared_ptr<Reactor> create(int spin_us);

  /// False when no thread could be started.
  bool start();
  /// Ends the loop; joins unless called on the reactor's own thread.
  void stop();
  /// Runs `task` on the reactor's thread.
  void run_soon(std::function<void()> task);

  Poller& poller() { return *poller_; }
  TimerHeap& timers() { return timers_; }
  Random& random() { return random_; }
  /// The time at the start of this round, good enough for deadlines.
  int64_t now() const { return now_; }

  void add(std::unique_ptr<Resident> resident);
  /// Destroys it at the end of this round.
  void retire(Resident* resident);
  void abandon_all();
  void socket_closed(const SocketShared& socket);

  /// How many residents it has: to choose the least loaded one.
  std::atomic<int> load{0};

  void wake() override { poller_->wake(); }

 private:
  Reactor(std::unique_ptr<Poller> poller, int spin_us)
      : poller_(std::move(poller)),
        patience_(spin_us),
        random_(static_cast<uint64_t>(now_ns()) ^ reinterpret_cast<uintptr_t>(this)) {}
  void run();
  bool work(int64_t most);
  void idle();
  int64_t timeout() const;
  std::vector<Resident*> all() const;

  std::unique_ptr<Poller> poller_;
  Patience patience_;
  Random random_;
  TimerHeap timers_;
  int64_t now_ = 0;
  std::vector<std::unique_ptr<Resident>> residents_;
  std::vector<std::unique_ptr<Resident>> retired_;
  std::atomic<bool> stop_{false};
  pthread_t thread_{};
  bool started_ = false;
};

}  // namespace zerowire
