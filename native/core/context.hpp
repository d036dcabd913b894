// ContextCore: IO threads, the inproc name space, and the count of sockets.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <unordered_set>
#include <vector>

#include "base/processors.hpp"
#include "inproc.hpp"
#include "net/resolver.hpp"
#include "reactor/reactor.hpp"
#include "zerowire/context.hpp"

namespace zerowire {

class SocketShared;

/// Shared by the handles, by every socket and by every connection. Any thread may call anything.
/// Its destructor ends the IO threads; it may run on one of them.
class ContextCore {
 public:
  explicit ContextCore(const ContextOptions& chosen) : options(chosen) {
    reactors_.reserve(static_cast<std::size_t>(chosen.io_threads));
  }
  ~ContextCore();

  /// The IO thread with the fewest connections among those of the mask (0 = all), started if need
  /// be. Null when the context has none or the system refuses.
  std::shared_ptr<Reactor> choose_reactor(uint64_t affinity);
  /// Runs `fn` on each IO thread that has been started.
  void each_reactor(const std::function<void(Reactor&)>& fn);

  /// Counts a socket in: ok, fault (shut down) or too_many_files.
  Errc open(SocketShared* socket);
  /// Counts a socket out; it lingers from now on, until lingering_ended().
  void close(SocketShared* socket);
  void lingering_ended();

  /// The reactor that a waiting application thread may drive: the one that has all connections.
  /// Null when several IO threads have work to share, or none has been started.
  Reactor* drivable() const;
  /// Sees to it that some thread holds the wheel of each reactor.
  void attend() const;

  void shutdown();
  bool terminated() const { return terminated_.load(std::memory_order_relaxed); }
  int open_sockets();
  bool wait_idle(std::chrono::milliseconds timeout);
  void on_idle(void (*fn)(void*), void* hint);

  const ContextOptions options;
  const bool one_processor = zerowire::one_processor();
  InprocRegistry inproc;
  Resolver resolver;
  /// Threads (and sockets with wakers) that may be waiting for something the reactor does. Counted
  /// up before looking whether somebody holds the wheel, and looked at after leaving the wheel, all
  /// seq_cst: of two threads, one that leaves and one that is to sleep, one at least sees the
  /// other.
  std::atomic<int> waiting{0};

 private:
  bool start_reactors();
  std::span<const std::shared_ptr<Reactor>> started() const {
    return {reactors_.data(), started_.load(std::memory_order_acquire)};
  }

  std::atomic<bool> terminated_{false};
  std::mutex mutex_;
  std::condition_variable idle_;
  /// Grows, under mutex_, to its reserved size at most; any thread may read what is started().
  std::vector<std::shared_ptr<Reactor>> reactors_;
  std::atomic<std::size_t> started_{0};
  // Guarded by mutex_:
  std::unordered_set<SocketShared*> sockets_;
  int lingering_ = 0;
  std::vector<std::pair<void (*)(void*), void*>> when_idle_;
};

/// Counts a thread as waiting while it exists.
class Waiting {
 public:
  explicit Waiting(ContextCore& context) : context_(context) { context_.waiting.fetch_add(1); }
  ~Waiting() { context_.waiting.fetch_sub(1); }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

  bool alone() const { return context_.waiting.load() == 1; }
  /// To be called before sleeping: some thread shall hold the wheel.
  void attend() const { context_.attend(); }

 private:
  ContextCore& context_;
};

}  // namespace zerowire
