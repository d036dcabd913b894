// Proxy: moves messages between two sockets on a thread of its own.
#pragma once

#include <memory>

#include "zerowire/socket.hpp"

namespace zerowire {

/// Forwards whole messages in both directions until terminated (zmq_proxy_steerable of libzmq).
/// The sockets belong to the proxy's thread from start() on and are closed when it ends.
/// Methods may be called from any thread.
class Proxy {
 public:
  /// `done(hint)` is called once from the proxy's thread after both sockets are closed.
  /// Errors: EBADF (a closed socket), EINVAL (one that is neither bound nor connected).
  static Result<std::unique_ptr<Proxy>> start(Socket front, Socket back, void (*done)(void*),
                                              void* hint);
  ~Proxy();  ///< terminates and joins

  void pause();  ///< messages stay queued in the sockets
  void resume();
  void terminate();

 private:
  class Impl;
  explicit Proxy(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace zerowire
