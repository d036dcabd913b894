// Dialer: opens the connecting side's connection, again and again.
#pragma once

#include <memory>
#include <string>

#include "net/transport.hpp"
#include "reactor/reactor.hpp"
#include "socket_shared.hpp"

namespace zerowire {

/// Who gets the descriptor.
class DialerOwner {
 public:
  /// A connected descriptor, the owner's from now on.
  virtual void on_dialed(int fd) = 0;
  /// No further attempt will be made (reconnect_interval is -1).
  virtual void on_dial_ended() = 0;

 protected:
  ~DialerOwner() = default;
};

/// Looks the name up, connects with a time limit, waits with back-off and jitter between attempts,
/// which take the addresses of the name in turn.
/// Belongs to a Connection, used on its reactor's thread.
class Dialer final : private FdHandler, private Timer {
 public:
  Dialer(Reactor& reactor, SocketShared& shared, const Endpoint& endpoint,
         const SocketOptions& options, DialerOwner& owner)
      : reactor_(reactor), shared_(shared), endpoint_(endpoint), options_(options), owner_(owner) {}
  ~Dialer() { stop(); }

  /// Connects now.
  void start();
  /// The connection was lost: connects after the reconnect interval.
  void retry();
  /// A connection came about: the next back-off starts anew.
  void succeeded() { interval_ = 0; }
  void stop();
  const std::string& address() const { return endpoint_.text; }

 private:
  void on_ready(unsigned ready) override;
  void on_timer(int64_t now) override;
  void connect_to(const Address& address);
  void resolve();
  void failed(int error);
  void close_fd();
  int64_t next_delay();

  Reactor& reactor_;
  SocketShared& shared_;
  const Endpoint endpoint_;
  const SocketOptions options_;
  DialerOwner& owner_;
  int fd_ = -1;           ///< connecting
  bool waiting_ = false;  ///< for the next attempt
  int64_t interval_ = 0;  ///< ms, the present back-off; 0 = none yet
  unsigned turn_ = 0;     ///< which of a name's addresses is tried
  /// Answers of look-ups that were started before the last stop() find this gone.
  std::shared_ptr<Dialer*> alive_;
};

}  // namespace zerowire
