// Connection: the network side of a link: a descriptor, a ZMTP engine and the pipes between them.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "net/dialer.hpp"
#include "net/listener.hpp"
#include "pipe/link.hpp"
#include "reactor/reactor.hpp"
#include "zmtp/engine.hpp"

namespace zerowire {

/// Lives on one reactor, which owns it. A dialed one outlives its descriptors: it reconnects until
/// the socket lets go; an accepted one ends with its descriptor.
///
/// It reads the link's pipes[0] (what the socket sends; consumer token in turns with the socket's
/// own thread) and writes pipes[1]. The descriptor is replaced or closed only while it holds the
/// token, so that the socket's thread never writes to a stale one.
///
///   dialed:   dialing -> handshake -> traffic -> (lost) -> dialing ...
///   accepted:            handshake -> traffic -> (lost) -> ended
///   closing:  in any state, flushes what the pipe holds for linger, then ends
class Connection final : public Resident,
                         public EndOwner,
                         public DialerOwner,
                         private FdHandler,
                         private Timer {
 public:
  /// For a link whose ends[0] the socket holds already. Adopts ends[1].
  static std::unique_ptr<Connection> dialing(std::shared_ptr<Reactor> reactor,
                                             std::shared_ptr<SocketShared> shared,
                                             const SocketOptions& options, Link* link,
                                             const Endpoint& endpoint);
  /// Takes over the descriptor, with a new link that the socket gets after the handshake. Null when
  /// out of memory (the descriptor is closed).
  static std::unique_ptr<Connection> accepted(std::shared_ptr<Reactor> reactor,
                                              std::shared_ptr<SocketShared> shared,
                                              const SocketOptions& options, int fd,
                                              const std::string& address, std::string peer_address,
                                              uint32_t listener);
  /// Hands it to its reactor's thread.
  static void run(std::unique_ptr<Connection> connection);
  ~Connection() override;

  void on_mail(End& end, uint32_t todo) override;
  void abandon() override;
  void socket_closed(const SocketShared& socket) override;

 private:
  Connection(std::shared_ptr<Reactor> reactor, std::shared_ptr<SocketShared> shared,
             const SocketOptions& options, Link* link, std::string address);

  void begin();
  void on_dialed(int fd) override;
  void on_dial_ended() override;
  void on_ready(unsigned ready) override;
  bool on_guess() override;
  void on_timer(int64_t now) override;

  void open(int fd);
  void receive();
  enum class Read {
    nothing,  ///< there was none
    some,     ///< less than there was room for, or the end
    all,      ///< there may be more
  };
  Read receive_once();
  void discard_input();
  void handle(Engine::Outcome outcome);
  void handshake_done();
  void publish();
  void wake();
  void send();
  bool flush_output();
  void drain_pipe();
  void gather();
  bool let_gather();
  void send_latest();
  void keep_latest();
  void settle();
  bool give_up_token();
  bool want_token();
  void update_changes();
  void start_closing();
  void check_closing();
  void lost();
  void fail();
  /// A descriptor that was closed, for the event that tells of it.
  struct Lost {
    int fd = -1;
    bool up = false;
  };
  Lost detach();
  void tell(const Lost& last);
  void end();
  void watch();
  void set_timer();
  Pipe& rx() { return link_->pipes[1]; }
  Pipe& tx() { return link_->pipes[0]; }

  const std::shared_ptr<Reactor> reactor_;
  const Load load_{*reactor_};
  const std::shared_ptr<SocketShared> shared_;
  const SocketOptions options_;
  Link* const link_;           ///< one reference
  const std::string address_;  ///< the endpoint, for events
  std::string peer_address_;
  std::optional<Dialer> dialer_;  ///< dialed connections
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<Pipe> scratch_;  ///< conflated input: what was received since the last look
  int fd_ = -1;
  unsigned watched_ = 0;  ///< Ready bits the poller watches for
  bool in_poller_ = false;
  bool blocked_ = false;  ///< waiting for the kernel to take more
  bool has_token_ = true;
  bool recalling_ = false;    ///< the RECALL bit is set
  bool holds_wake_ = false;   ///< within receive(): others shall not be woken yet
  bool wake_due_ = false;     ///< the token of what was received is to be passed on
  bool attached_ = false;     ///< the socket knows the link
  bool hung_up_ = false;      ///< the peer is gone, but input it sent is still to be delivered
  bool losing_ = false;       ///< lost, waiting for the token
  bool closing_ = false;      ///< the socket let go
  bool half_closed_ = false;  ///< flushed and shut down; waiting for the peer to close
  bool up_ = false;           ///< the handshake succeeded on this descriptor
  bool ended_ = false;
  int gather_vain_ = 0;   ///< times in a row that waiting for more of a stream was in vain
  int gather_pause_ = 0;  ///< times to go before the next such wait
  int64_t close_by_ = kNever;
};

}  // namespace zerowire
