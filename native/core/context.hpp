// ContextCore: IO threads, the inproc name space, and the count of sockets.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_set>
#include <vector>

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
  explicit ContextCore(const ContextOptions& chosen) : options(chosen) {}
  ~ContextCore();

  /// The least loaded IO thread among those of the mask (0 = all), started if need be. Null when
  /// the context has none or the system refuses.
  std::shared_ptr<Reactor> choose_reactor(uint64_t affinity);
  /// Runs `fn` on each IO thread that has been started.
  void each_reactor(const std::function<void(Reactor&)>& fn);

  /// Counts a socket in: ok, fault (shut down) or too_many_files.
  Errc open(SocketShared* socket);
  /// Counts a socket out; it lingers from now on, until lingering_ended().
  void close(SocketShared* socket);
  void lingering_ended();

  void shutdown();
  bool terminated() const { return terminated_.load(std::memory_order_relaxed); }
  int open_sockets();
  bool wait_idle(std::chrono::milliseconds timeout);
  void on_idle(void (*fn)(void*), void* hint);

  const ContextOptions options;
  InprocRegistry inproc;
  Resolver resolver;

 private:
  bool start_reactors();

  std::atomic<bool> terminated_{false};
  std::mutex mutex_;
  std::condition_variable idle_;
  // Guarded by mutex_:
  std::vector<std::shared_ptr<Reactor>> reactors_;
  std::unordered_set<SocketShared*> sockets_;
  int lingering_ = 0;
  std::vector<std::pair<void (*)(void*), void*>> when_idle_;
};

}  // namespace zerowire
