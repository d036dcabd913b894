// Session: the network side of a link that goes to a multicast group.
#pragma once

#include <memory>
#include <optional>

#include "pgm/receiving.hpp"
#include "pgm/sending.hpp"
#include "pgm/session_parts.hpp"

namespace zerowire {
struct Endpoint;
}

namespace zerowire::pgm {

/// What a Connection is to a stream, a Session is to a group: one for each endpoint that a socket
/// has bound or connected to, which is the same here. It lives on one reactor, which owns it, until
/// the socket lets go. PUB and XPUB sockets send, SUB and XSUB sockets receive.
///
/// Each side of the link is there from the start, so the socket holds the token of pipes[0] only to
/// post it here. When the interface goes, the session begins anew as soon as it is there again.
class Session final : public Resident,
                      public EndOwner,
                      private FdHandler,
                      private Timer,
                      private PortSink {
 public:
  /// Any thread. The descriptors are opened, nothing is sent yet.
  static Result<std::unique_ptr<Session>> open(std::shared_ptr<SocketShared> shared,
                                               const SocketOptions& options,
                                               const zerowire::Endpoint& endpoint);
  /// Hands it to its reactor's thread; for a link whose ends[0] the socket holds already. `joined`
  /// is the event that tells that the descriptors are in use.
  static void run(std::unique_ptr<Session> session, std::shared_ptr<Reactor> reactor, Link* link,
                  EventType joined);
  ~Session() override;

  void on_mail(End& end, uint32_t todo) override;
  void abandon() override;
  void socket_closed(const SocketShared&) override {}  // its link tells

 private:
  Session(std::shared_ptr<SocketShared> shared, const SocketOptions& options, Endpoint endpoint);

  void begin();
  Result<void> open_port();
  void start(int64_t now);
  void stop();
  void look(int64_t now);
  void on_ready(unsigned ready) override;
  void on_timer(int64_t now) override;
  void on_datagram(const Received& received) override;
  void receive();
  void discard_output();
  void forget_changes();
  void close();
  void settle(int64_t now);
  void set_timer(int64_t now);
  void end();

  const std::shared_ptr<SocketShared> shared_;
  const SocketOptions options_;
  const Endpoint endpoint_;
  const bool sends_;
  std::shared_ptr<Reactor> reactor_;  ///< from run() on
  std::optional<Load> load_;
  Link* link_ = nullptr;  ///< one reference, from run() on
  EventType joined_{};
  Network network_;
  std::unique_ptr<Port> port_;  ///< null while the interface is not there
  PipeState pipe_;
  std::optional<Sending> sending_;
  std::optional<Receiving> receiving_;
  int64_t batch_time_ = 0;  ///< when the present batch of datagrams was read
  int64_t look_at_ = kNever;
  int64_t close_by_ = kNever;
  bool wants_room_ = false;
  bool closing_ = false;
  bool ended_ = false;
};

}  // namespace zerowire::pgm
