// Reactor: one IO thread, and whoever drives in its place.
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
#include "reactor/wheel.hpp"
#include "zerowire/socket.hpp"

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

/// Waits for descriptors, timers and its mailbox, and calls their handlers, all on one thread at a
/// time: its own, or one that drives (see Wheel). Everything but the calls for any thread is for
/// the one that holds the wheel; "the reactor's thread" means that one everywhere.
class Reactor final : public Mailbox, public std::enable_shared_from_this<Reactor> {
 public:
  /// Null when the system refuses a poller.
  static std::shared_ptr<Reactor> create(int spin_us);

  // ---- any thread (so is post())

  /// False when no thread could be started.
  bool start();
  /// Ends the loop; joins unless called on the reactor's own thread. Nobody drives any more.
  void stop();
  /// Runs `task` on the reactor's thread.
  void run_soon(std::function<void()> task);

  // ---- application threads that wait: driving

  /// Takes the wheel if nobody has it; leave() follows.
  bool enter();
  /// Asks the IO thread for the wheel: enter() until it succeeds, or withdraw().
  bool ask();
  /// False: the wheel is there to be taken.
  bool withdraw() { return wheel_.withdraw(); }
  /// Does what there is to do. `streams`: in the middle of sending a stream, so the driver will be
  /// back soon.
  void round(bool streams = false) {
    streams_ = streams;
    work(0);
    streams_ = false;
  }
  /// Sleeps until something is to be done, or `until`, and does it.
  void sleep(int64_t until);
  void leave();
  /// Sees to it that some thread holds the wheel.
  void attend() { wheel_.attend(); }
  /// Wakes whoever drives; for a SocketMailbox.
  std::shared_ptr<Waker> bell() { return {shared_from_this(), &bell_}; }

  // ---- the reactor's thread

  Poller& poller() { return *poller_; }
  TimerHeap& timers() { return timers_; }
  Random& random() { return random_; }
  /// The time at the start of this round, good enough for deadlines.
  int64_t now() const { return now_; }
  /// A connection that asks or answers, not only sends or receives, has had something to do.
  void talks() { talks_ = true; }
  /// An application thread has the wheel.
  bool driven() const { return driven_; }
  /// The driver is in the middle of sending a stream: see round().
  bool streams() const { return streams_; }

  /// Whether to favour a descriptor: not for the IO thread, whose reads in vain would hold up the
  /// socket's thread, which sends; and not where the next input may well be another's.
  bool may_guess() const { return driven_ && residents_.size() <= kFew; }

  void add(std::unique_ptr<Resident> resident);
  /// Destroys it at the end of this round.
  void retire(Resident* resident);
  void abandon_all();
  void socket_closed(const SocketShared& socket);

  /// How many connections it has: see Load.
  std::atomic<int> load{0};

  void wake() override { poller_->wake(); }

 private:
  /// Wakes the driver, unless it is the driver who calls.
  class Bell final : public Waker {
   public:
    explicit Bell(Reactor& reactor) : reactor_(reactor) {}
    void wake() override;

   private:
    Reactor& reactor_;
  };

  static constexpr std::size_t kFew = 4;

  Reactor(std::unique_ptr<Poller> poller, std::unique_ptr<Watchdog> watchdog, int spin_us)
      : poller_(std::move(poller)),
        wheel_(std::move(watchdog)),
        patience_(spin_us),
        random_(static_cast<uint64_t>(now_ns()) ^ reinterpret_cast<uintptr_t>(this)) {}
  void run();
  bool work(int64_t most);
  void idle();
  void wait(int64_t until);
  std::vector<Resident*> all() const;

  std::unique_ptr<Poller> poller_;
  Wheel wheel_;
  Bell bell_{*this};
  bool driven_ = false;
  bool streams_ = false;
  int short_sleeps_ = 0;  ///< in a row, of those who drive
  bool talks_ = true;     ///< see talks(); since the last wait began
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

/// Counts a connection as its reactor's, while it exists.
class Load {
 public:
  explicit Load(Reactor& reactor) : reactor_(reactor) { count(1); }
  ~Load() { count(-1); }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

 private:
  void count(int change) { reactor_.load.fetch_add(change, std::memory_order_relaxed); }

  Reactor& reactor_;
};

}  // namespace zerowire
