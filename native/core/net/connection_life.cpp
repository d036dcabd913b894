// How a connection comes about, and goes.
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "net/connection.hpp"
#include "pipe/control.hpp"

namespace zerowire {
namespace {

/// After a flushed close the peer gets this long to take what the kernel still holds.
constexpr int64_t kHalfCloseLimit = 1000 * kMillisecond;

bool subscribes(SocketType type) { return type == SocketType::sub || type == SocketType::xsub; }

EngineConfig engine_config(const SocketOptions& options) {
  EngineConfig config;
  config.type = options.type;
  config.routing_id = options.routing_id;
  config.limits = message_limits(options);
  config.handshake_interval = options.handshake_interval * kMillisecond;
  config.heartbeat_interval = options.heartbeat_interval * kMillisecond;
  const int timeout =
      options.heartbeat_timeout < 0 ? options.heartbeat_interval : options.heartbeat_timeout;
  config.heartbeat_timeout = timeout * kMillisecond;
  config.heartbeat_ttl = options.heartbeat_ttl / 100;
  return config;
}

}  // namespace

Connection::Connection(std::shared_ptr<Reactor> reactor, std::shared_ptr<SocketShared> shared,
                       const SocketOptions& options, Link* link, std::string address)
    : reactor_(std::move(reactor)),
      shared_(std::move(shared)),
      options_(options),
      link_(link),
      address_(std::move(address)) {
  link_->ends[1].adopt(reactor_, this);
}

std::unique_ptr<Connection> Connection::dialing(std::shared_ptr<Reactor> reactor,
                                                std::shared_ptr<SocketShared> shared,
                                                const SocketOptions& options, Link* link,
                                                const Endpoint& endpoint) {
  std::unique_ptr<Connection> connection(
      new Connection(std::move(reactor), std::move(shared), options, link, endpoint.text));
  connection->attached_ = true;
  connection->dialer_.emplace(*connection->reactor_, *connection->shared_, endpoint, options,
                              *connection);
  return connection;
}

std::unique_ptr<Connection> Connection::accepted(std::shared_ptr<Reactor> reactor,
                                                 std::shared_ptr<SocketShared> shared,
                                                 const SocketOptions& options, int fd,
                                                 const std::string& address,
                                                 std::string peer_address, uint32_t listener) {
  Link* link =
      Link::create({options.send_high_water_mark, options.receive_high_water_mark}, {false, true});
  if (!link) {
    ::close(fd);
    return nullptr;
  }
  link->listener = listener;
  link->latest[0].on = conflates_output(options);
  link->latest[1].on = conflates_input(options);
  std::unique_ptr<Connection> connection(
      new Connection(std::move(reactor), std::move(shared), options, link, address));
  connection->peer_address_ = std::move(peer_address);
  connection->fd_ = fd;
  return connection;
}

void Connection::run(std::unique_ptr<Connection> connection) {
  Connection* raw = connection.release();
  raw->reactor_->run_soon([raw] {
    raw->reactor_->add(std::unique_ptr<Connection>(raw));
    raw->begin();
  });
}

Connection::~Connection() {
  if (!ended_) {  // the reactor is being stopped
    detach();
    dialer_.reset();
  }
  link_->ends[1].owner = nullptr;
  engine_.reset();
  if (!attached_) link_->unref();  // the socket's, which it never got
  link_->unref();
}

void Connection::begin() {
  if (!attached_ && shared_->closed) return end();
  if (dialer_) return dialer_->start();
  open(fd_);
}

// ---- the connection comes about -------------------------------------------------------------

void Connection::on_dialed(int fd) {
  peer_address_ = peer_address(fd).endpoint();
  open(fd);
}

void Connection::on_dial_ended() { end(); }

void Connection::open(int fd) {
  fd_ = fd;
  hung_up_ = false;
  if (link_->latest[1].on) scratch_ = std::make_unique<Pipe>(0, false);
  PipeWriter& input = scratch_ ? scratch_->writer : rx().writer;
  engine_ = std::make_unique<Engine>(engine_config(options_), input, reactor_->now());
  const int error = reactor_->poller().add(fd_, this, kIn);
  if (error) return lost();
  in_poller_ = true;
  watched_ = kIn;
  send();
  settle();
}

void Connection::handshake_done() {
  if (dialer_) dialer_->succeeded();
  const bool newcomer = !attached_;
  if (newcomer) {
    if (shared_->closed) return end();
    attached_ = true;
    link_->ends[0].adopt(shared_->mailbox, shared_->acceptor);
  }
  if (!control::write_up(rx().writer, link_->losses, engine_->peer().routing_id)) return lost();
  {
    const std::lock_guard lock(shared_->subscriptions.mutex);
    link_->changes.clear();
    for (const auto& [topic, count] : shared_->subscriptions.topics) {
      engine_->subscription(true, topic);
    }
    if (newcomer && subscribes(options_.type)) shared_->subscriptions.fresh.push_back(link_);
  }
  if (options_.probe_router) engine_->probe();
  link_->tx.attach(fd_, tx().reader);
  link_->tx.direct = !link_->latest[0].on;
  up_ = true;
  if (rx().writer.publish() != Claim::none) {
    link_->ends[0].notify(kToken | (newcomer ? uint32_t{kAttach} : 0u));
  }
  // Events come after what they tell of: who waits for one may rely on it.
  shared_->emit(EventType::handshake_succeeded, 0, address_, peer_address_);
  handle(engine_->begin_traffic());
}

// ---- the connection goes --------------------------------------------------------------------

void Connection::start_closing() {
  if (closing_) return;
  closing_ = true;
  const int linger = shared_->linger;
  if (linger == 0) return end();
  if (linger > 0) close_by_ = reactor_->now() + linger * kMillisecond;
  want_token();
  if (hung_up_) lost();
}

void Connection::check_closing() {
  if (!has_token_ || half_closed_) return;
  const bool flushed =
      !tx().reader.more() && (!engine_ || engine_->output().empty() || !engine_->ready());
  if (!flushed) return;
  if (fd_ < 0 || !engine_ || !engine_->ready()) return end();
  half_closed_ = true;
  close_by_ = std::min(close_by_, reactor_->now() + kHalfCloseLimit);
  ::shutdown(fd_, SHUT_WR);
  discard_input();
}

/// The engine refuses to go on.
void Connection::fail() {
  const Failure failure = engine_->failure();
  if (failure.event != EventType::disconnected && failure.value) {
    shared_->emit(failure.event, failure.value, address_, peer_address_);
  }
  if (!up_) (void)flush_output();  // an ERROR for the peer, if there is room
  lost();
}

/// The descriptor is of no use any more.
void Connection::lost() {
  if (ended_) return;
  if (engine_ && engine_->throttled() && !closing_) {
    // The peer hung up, but sent before: that is delivered first.
    if (in_poller_) reactor_->poller().remove(fd_, this);
    in_poller_ = false;
    hung_up_ = true;
    return;
  }
  losing_ = true;
  if (!want_token()) {
    if (in_poller_) reactor_->poller().remove(fd_, this);
    in_poller_ = false;
    return;
  }
  losing_ = false;
  if (up_) link_->losses.fetch_add(1);
  if (!dialer_) return end();
  const Lost last = detach();
  engine_.reset();
  publish();
  link_->ends[0].notify(kDown);
  tell(last);
  if (closing_ && !tx().reader.more()) return end();
  dialer_->retry();
}

Connection::Lost Connection::detach() {
  if (fd_ < 0) return {};
  link_->tx.detach();
  if (in_poller_) reactor_->poller().remove(fd_, this);
  in_poller_ = false;
  blocked_ = false;
  const Lost last{fd_, up_};
  ::close(fd_);
  fd_ = -1;
  up_ = false;
  return last;
}

void Connection::tell(const Lost& last) {
  if (last.fd < 0) return;
  shared_->emit(last.up ? EventType::disconnected : EventType::closed,
                static_cast<uint32_t>(last.fd), address_, peer_address_);
}

void Connection::end() {
  if (ended_) return;
  ended_ = true;
  // Without the token only a socket thread that has let go could hold it: kClose came after its
  // last send.
  const Lost last = detach();
  dialer_.reset();
  reactor_->timers().cancel(*this);
  engine_.reset();
  if (attached_) {
    control::write_plain(rx().writer, control::Kind::end);
    const bool token = rx().writer.publish() != Claim::none;
    link_->ends[0].notify(kGone | (token ? uint32_t{kToken} : 0u));
  }
  tell(last);
  reactor_->retire(this);
}

void Connection::abandon() {
  if (shared_->closed) end();
}

void Connection::socket_closed(const SocketShared& socket) {
  if (&socket == shared_.get() && !attached_) end();
}

}  // namespace zerowire
