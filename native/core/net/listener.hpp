// Listener: accepts connections for a bound socket.
#pragma once

#include <memory>
#include <string>

#include "net/transport.hpp"
#include "reactor/reactor.hpp"
#include "socket_shared.hpp"

namespace zerowire {

/// Lives on a reactor until its socket unbinds or closes. Out of descriptors it pauses instead of
/// spinning.
class Listener final : public Resident, private FdHandler, private Timer {
 public:
  /// `id`: the socket's number for it.
  Listener(std::shared_ptr<Reactor> reactor, std::shared_ptr<SocketShared> shared,
           const ListenSocket& socket, const SocketOptions& options, std::string address,
           uint32_t id);
  ~Listener() override;

  void start();
  void close();
  void abandon() override {}
  void socket_closed(const SocketShared& socket) override;

 private:
  void on_ready(unsigned ready) override;
  void on_timer(int64_t now) override;
  void watch();
  void pause(int error);
  void take(int fd, const Address& peer);

  const std::shared_ptr<Reactor> reactor_;
  const std::shared_ptr<SocketShared> shared_;
  ListenSocket socket_;
  const SocketOptions options_;
  const std::string address_;
  const uint32_t id_;
  bool watching_ = false;
};

}  // namespace zerowire
