// Poller: readiness of descriptors, the seam between the reactor and the operating system.
#pragma once

#include <cstdint>
#include <memory>

namespace zerowire {

/// What a descriptor is ready for, or is to be watched for; bits.
enum Ready : unsigned { kIn = 1, kOut = 2, kHangup = 4 };

/// Told about one descriptor. Called on the reactor's thread.
class FdHandler {
 public:
  virtual void on_ready(unsigned ready) = 0;
  /// There may be input, the system was not asked; false when there was none. See favour().
  virtual bool on_guess() { return false; }

 protected:
  ~FdHandler() = default;
};

/// Level triggered. All calls from the reactor's thread, but wake().
class Poller {
 public:
  /// Null when the system refuses (descriptors).
  static std::unique_ptr<Poller> create();
  virtual ~Poller() = default;

  /// 0 or errno.
  virtual int add(int fd, FdHandler* handler, unsigned wanted) = 0;
  virtual void change(int fd, FdHandler* handler, unsigned wanted) = 0;
  virtual void remove(int fd, FdHandler* handler) = 0;
  /// Waits up to `timeout` ns (negative: until something happens) and calls the handlers; returns
  /// how many were called. A handler removed by another one of the same round is not called.
  virtual int wait(int64_t timeout) = 0;
  /// More input is expected for this one. As long as the system reports no other, most waits of
  /// timeout 0 just call its on_guess(): a read in vain costs no more than asking the system, and
  /// one that succeeds saves that.
  /// Null: ends the favour.
  virtual void favour(FdHandler* handler) = 0;
  /// Any thread: ends the present or the next wait.
  virtual void wake() = 0;
};

}  // namespace zerowire
