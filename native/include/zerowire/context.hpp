// Context: the IO threads and the inproc name space that a program's sockets share.
#pragma once

#include <chrono>
#include <memory>

#include "zerowire/error.hpp"

namespace zerowire {

struct ContextOptions {
  /// 0 = inproc only; 1..64 (ZMQ_IO_THREADS). Each connection belongs to one. While only one of
  /// them has connections, the only thread that waits in a blocking call does its work meanwhile;
  /// when that thread goes on to compute, the IO thread looks after everything again within 2 ms.
  int io_threads = 1;
  int max_sockets = 1023;  ///< more fail with EMFILE (ZMQ_MAX_SOCKETS)
  /// Microseconds for which, at most, a native thread yields to others, looking for work, before it
  /// sleeps in the kernel (0..1000); fewer or none while recent waits make it look vain. Lowers
  /// latency for processor time.
  int spin_us = 50;
};

class ContextCore;

/// Handle on a context; copies refer to the same one. All methods may be called from any thread.
/// The IO threads end when the last handle and the last socket (lingering ones too) are gone.
class Context {
 public:
  static Result<Context> create(const ContextOptions& options = {});

  /// Makes every call on the context's sockets fail with ETERM. Sockets must still be closed.
  void shutdown();
  /// Sockets not yet closed.
  int open_sockets() const;
  /// Waits until every closed socket has flushed what linger promises; false when `timeout`
  /// passed before. A negative timeout waits for ever.
  bool wait_idle(std::chrono::milliseconds timeout);
  /// Drops what closed sockets still linger for, at once.
  void abandon_lingering();
  /// Calls `fn(hint)` once, from any thread (perhaps this one), when no closed socket lingers any
  /// more.
  void on_idle(void (*fn)(void*), void* hint);

  const std::shared_ptr<ContextCore>& core() const { return core_; }

 private:
  explicit Context(std::shared_ptr<ContextCore> core) : core_(std::move(core)) {}
  std::shared_ptr<ContextCore> core_;
};

}  // namespace zerowire
