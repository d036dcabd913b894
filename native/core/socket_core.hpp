// SocketCore: a socket: options, endpoints, peers, and the pattern that rules them.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/patience.hpp"
#include "context.hpp"
#include "net/transport.hpp"
#include "options.hpp"
#include "pattern/pattern.hpp"
#include "peer.hpp"
#include "socket_shared.hpp"
#include "zerowire/socket.hpp"

namespace zerowire {

/// `what`: the endpoint, option or call that failed.
Error failure(Errc code, std::string_view what);

/// Behind zerowire::Socket, whose contracts hold here. Used by one thread at a time; other threads
/// reach it through its mailbox only, which every call looks into first.
class SocketCore final : private EndOwner {
 public:
  static Result<std::unique_ptr<SocketCore>> create(const std::shared_ptr<ContextCore>& context,
                                                    SocketType type, std::shared_ptr<Waker> waker);
  ~SocketCore() { close(); }

  // ---- the public calls

  bool closed() const { return closed_; }
  Result<void> set(Option option, int64_t value);
  Result<void> set(Option option, std::string_view value);
  Result<int64_t> get_int(Option option);
  Result<std::string> bind(std::string_view text);
  Result<void> connect(std::string_view text);
  Result<void> unbind(std::string_view text);
  Result<void> disconnect(std::string_view text);
  void close();

  Errc try_send(std::span<const Part> parts);
  Errc try_receive(Inbound& message);
  Errc send(std::span<const Part> parts, int timeout_ms);
  Errc send_frame(Message&& frame, bool more);
  Errc send_bytes(std::string_view bytes, bool more);
  Errc receive(Inbound& message, int timeout_ms);
  Errc receive_frame(Message& frame);
  void cork() { corked_ = true; }
  void uncork();

  unsigned readiness();
  uint64_t room();
  bool arm();
  void set_waker(std::shared_ptr<Waker> waker);
  /// Who is woken, besides the waker, once armed.
  void sleep_with(const std::shared_ptr<Waker>& parker) {
    if (!closed_) shared_->mailbox->set_sleeper(parker);
  }
  /// Counts the calling thread as waiting for the socket until the entry goes.
  void waits(std::list<Waiting>& waiting) {
    if (!closed_) waiting.emplace_back(*shared_->context).attend();
  }
  void monitor(uint32_t mask) {
    if (!closed_) shared_->monitor.set_mask(mask);
  }
  bool try_event(Event& event);
  Result<void> subscribe(std::string_view prefix, bool on);
  bool endpoints() const { return !bound_.empty() || !connected_.empty(); }

  // ---- for peers and patterns

  SocketOptions& options() { return options_; }
  const SocketOptions& options() const { return options_; }
  SocketShared& shared() { return *shared_; }
  bool corked() const { return corked_; }
  /// The peer has messages to be sent off by uncork().
  void collect(Peer& peer);
  void peer_up(Peer& peer, std::string_view routing_id);
  void peer_down(Peer& peer);
  void peer_gone(Peer& peer);
  void peer_writable(Peer& peer);
  void peer_readable(Peer& peer) { pattern_->readable(peer); }
  /// Nothing will come from it any more.
  void remove(Peer& peer);
  /// A message of this peer has been given out as views.
  void reading(Peer& peer);
  /// For patterns that do not receive.
  void discard_input(Peer& peer);

 private:
  /// Sending from the caller's thread to more peers than this would hold it up for too long.
  static constexpr std::size_t kMostDirect = 2;

  struct Bound {
    std::string text;      ///< as the user wrote it
    std::string endpoint;  ///< as bound
    uint32_t id = 0;       ///< Link::listener of its connections; 0 = inproc
    ListenSocket socket;   ///< a copy: stopped from here, closed by the listener
    std::shared_ptr<Reactor> reactor;
    Resident* listener = nullptr;  ///< on that reactor
  };
  struct Connected {
    std::string text;
    Peer* peer;
  };

  SocketCore(const std::shared_ptr<ContextCore>& context, SocketType type);

  void on_mail(End& end, uint32_t todo) override;
  void process() {
    if (mailbox_->pending()) take_mail();
    if (!gone_.empty()) drop_gone();
  }
  void take_mail();
  Errc attempt_send(std::span<const Part> parts);
  /// process() for the hot calls; false when the socket can no longer be used (`usable_` says why).
  bool prepare() {
    if (usable_ == Errc::ok) process();
    return usable_ == Errc::ok;
  }
  Errc state() const;
  Peer& add_peer(End& end, Peer::Kind kind);
  Peer* add_dialed(const Endpoint& endpoint);
  bool attach(Peer& peer);
  void unlearn() { source_ = sink_ = nullptr; }
  bool receive_streamed(Message& frame);
  void note_sent(std::span<const Part> parts);
  void drop_gone();
  void forget_views();
  void flush_collected(bool direct);
  bool shares_work(bool receiving) const;
  bool wait(std::chrono::steady_clock::time_point deadline, bool receiving);
  bool drive(Reactor& reactor, std::chrono::steady_clock::time_point deadline, int64_t began,
             bool receiving);
  void drive_on();
  void leave_wheel(Reactor& reactor, int own);
  template <class Try>
  Errc block(int timeout_ms, bool receiving, Try attempt);
  Result<void> connect_endpoint(const Endpoint& endpoint);
  Result<void> connect_inproc(const Endpoint& endpoint);
  Result<void> connect_network(const Endpoint& endpoint);
  Result<void> join_multicast(const Endpoint& endpoint, EventType joined);
  Result<std::string> bind_endpoint(const Endpoint& endpoint);
  Result<std::string> bind_inproc(const Endpoint& endpoint);
  Result<std::string> bind_network(const Endpoint& endpoint);
  InprocSide inproc_side() const;

  std::shared_ptr<SocketShared> shared_;  ///< null once closed
  // What every message needs comes first:
  SocketMailbox* const mailbox_;  ///< shared_'s
  /// ok; bad_socket once closed; terminated once the mail has told so.
  Errc usable_ = Errc::ok;
  bool bulk_ = false;          ///< the last message was large
  uint64_t received_ = 0;      ///< messages since the last wait, and attempts in vain
  std::size_t sent_ = 0;       ///< bytes or so since this thread last looked whether to drive
  Peer* last_read_ = nullptr;  ///< views into its pipe may be in use
  // Short ways for streams; null as soon as something may have changed (see unlearn()):
  Peer* source_ = nullptr;  ///< last_read_, when it is all there is to read from, as it is
  Peer* sink_ = nullptr;    ///< all there is to write to
  // Frame-wise use:
  std::size_t incoming_next_ = 0;
  Inbound incoming_;
  std::vector<Message> outgoing_;     ///< frames sent with `more`
  std::vector<Part> outgoing_parts_;  ///< of these and the last one, while they are sent

  SocketOptions options_;
  std::unique_ptr<Pattern> pattern_;
  Patience patience_;
  std::optional<Waiting> waker_;  ///< the socket has one, so it may always be waiting
  bool networked_ = false;        ///< it has, or had, more than inproc peers
  int64_t left_ = 0;              ///< when the last wait ended
  int short_breaks_ = 0;          ///< in a row, between two waits
  std::vector<std::unique_ptr<Peer>> peers_;
  std::vector<std::unique_ptr<Peer>> gone_;  ///< views into them may be in use
  std::vector<Bound> bound_;
  std::vector<Connected> connected_;
  uint32_t listeners_ = 0;
  bool closed_ = false;
  bool corked_ = false;
  std::vector<Peer*> collected_;  ///< dirty peers
  std::size_t collected_messages_ = 0;
};

}  // namespace zerowire
