#include "pgm/session.hpp"

#include <algorithm>

#include "base/clock.hpp"
#include "context.hpp"
#include "net/endpoint.hpp"
#include "pgm/kicks.hpp"
#include "pipe/control.hpp"

namespace zerowire::pgm {
namespace {

constexpr int kReadsPerRound = 16;
/// How often the interface is looked for: in use, and gone.
constexpr int64_t kLookAgain = 5'000 * kMillisecond;
constexpr int64_t kLookSoon = 1'000 * kMillisecond;

bool does_send(SocketType type) { return type == SocketType::pub || type == SocketType::xpub; }

bool is_raw(const zerowire::Endpoint& endpoint) { return endpoint.text.starts_with("pgm"); }

}  // namespace

Session::Session(std::shared_ptr<SocketShared> shared, const SocketOptions& options,
                 Endpoint endpoint)
    : shared_(std::move(shared)),
      options_(options),
      endpoint_(std::move(endpoint)),
      sends_(does_send(options.type)) {}

Result<std::unique_ptr<Session>> Session::open(std::shared_ptr<SocketShared> shared,
                                               const SocketOptions& options,
                                               const zerowire::Endpoint& endpoint) {
  Result<Endpoint> parsed = parse_endpoint(endpoint.text, is_raw(endpoint), endpoint.host);
  if (!parsed) return parsed.error();
  std::unique_ptr<Session> session(
      new Session(std::move(shared), options, std::move(parsed.value())));
  const Result<void> opened = session->open_port();
  if (!opened) return opened.error();
  return session;
}

Result<void> Session::open_port() {
  Result<Network> network = resolve(endpoint_);
  if (!network) return network.error();
  Result<std::unique_ptr<Port>> port = Port::open(endpoint_, network.value(), options_, sends_);
  if (!port) return port.error();
  network_ = std::move(network.value());
  port_ = std::move(port.value());
  return {};
}

void Session::run(std::unique_ptr<Session> session, std::shared_ptr<Reactor> reactor, Link* link,
                  EventType joined) {
  Session* raw = session.release();
  raw->reactor_ = std::move(reactor);
  raw->load_.emplace(*raw->reactor_);
  raw->link_ = link;
  raw->joined_ = joined;
  raw->reactor_->run_soon([raw] {
    raw->reactor_->add(std::unique_ptr<Session>(raw));
    raw->begin();
  });
}

Session::~Session() {
  if (!link_) return;
  if (!ended_) {  // the reactor is being stopped
    stop();
    reactor_->timers().cancel(*this);
  }
  link_->ends[1].owner = nullptr;
  link_->unref();
}

void Session::begin() {
  control::write_up(link_->pipes[1].writer, 0, {});
  if (link_->pipes[1].writer.publish() != Claim::none) link_->ends[0].notify(kToken);
  const int64_t now = now_ns();
  start(now);
  link_->ends[1].adopt(reactor_, this);
  settle(now);
}

// ---- the interface comes and goes -----------------------------------------------------------

void Session::start(int64_t now) {
  look_at_ = now + kLookAgain;
  if (port_->watch(reactor_->poller(), this) != 0) {
    port_->unwatch(reactor_->poller(), this);
    port_.reset();
    look_at_ = now + kLookSoon;
    return;
  }
  const SessionParts parts{*reactor_, *shared_, *link_, options_, endpoint_, network_, *port_};
  if (sends_)
    sending_.emplace(parts, now, pipe_);
  else
    receiving_.emplace(parts);
  shared_->emit(joined_, static_cast<uint32_t>(port_->fd()), endpoint_.text);
}

void Session::stop() {
  if (!port_) return;
  if (sending_) sending_->abandon(now_ns());
  sending_.reset();
  receiving_.reset();
  wants_room_ = false;
  port_->unwatch(reactor_->poller(), this);
  const int fd = port_->fd();
  port_.reset();
  const EventType type = ended_ ? EventType::closed : EventType::disconnected;
  shared_->emit(type, static_cast<uint32_t>(fd), endpoint_.text);
}

/// Membership of a group ends with the interface or its address, and the kernel does not say so.
void Session::look(int64_t now) {
  look_at_ = now + kLookAgain;
  if (port_ && is_there(network_)) {
    if (receiving_) receiving_->expire(now);
    return;
  }
  if (receiving_) receiving_->leave();
  stop();
  if (open_port()) return start(now);
  look_at_ = now + kLookSoon;
  shared_->emit(EventType::connect_retried, kLookSoon / kMillisecond, endpoint_.text);
}

// ---- events ---------------------------------------------------------------------------------

void Session::on_mail(End&, uint32_t todo) {
  if (ended_) return;
  if (todo & kToken) pipe_.has_token = true;
  if (todo & kSubs) forget_changes();
  if (todo & kClose) close();
  if (ended_) return;
  const int64_t now = now_ns();
  if ((todo & kRoom) && receiving_) receiving_->room(now);
  settle(now);
}

void Session::on_ready(unsigned ready) {
  if (ready & kHangup) port_->forget_error();
  if (ready & (kIn | kHangup)) receive();
  settle(now_ns());
}

void Session::receive() {
  for (int i = 0; i < kReadsPerRound; ++i) {
    batch_time_ = now_ns();
    const bool more = port_->receive(*this);
    if (receiving_) receiving_->settle(batch_time_);
    if (!more) return;
  }
}

void Session::on_datagram(const Received& received) {
  Packet packet;
  if (decode(received.packet, packet) != Fault::none) {
    if (sending_ && received.packet.size() == Kicks::kSize) sending_->on_kick(received);
    return;
  }
  if (sending_) sending_->on_datagram(batch_time_, received, packet);
  if (receiving_) receiving_->on_datagram(batch_time_, received, packet);
}

void Session::on_timer(int64_t now) {
  if (now >= close_by_) return end();
  if (now >= look_at_) look(now);
  settle(now);
}

/// What an XSUB sends goes nowhere.
void Session::discard_output() {
  PipeReader& pipe = link_->pipes[0].reader;
  while (pipe_.has_token) {
    while (pipe.more()) {
      if (!(pipe.read().flags & wire::kMore)) pipe.consumed();
    }
    pipe.retire();
    if (pipe.release(true)) link_->ends[0].notify(kRoom);
    pipe_.has_token = pipe.sleep() != PipeReader::Sleep::asleep;
  }
}

/// Sources do not filter, so nobody is told of subscriptions.
void Session::forget_changes() {
  const std::lock_guard lock(shared_->subscriptions.mutex);
  link_->changes.clear();
}

// ---- the socket lets go ---------------------------------------------------------------------

void Session::close() {
  closing_ = true;
  const int linger = shared_->linger;
  if (!sending_) return end();
  sending_->finish();
  if (linger > 0) close_by_ = now_ns() + linger * kMillisecond;
  if (linger != 0) return;
  sending_->work(now_ns());
  end();
}

void Session::abandon() {
  if (shared_->closed) end();
}

void Session::end() {
  if (ended_) return;
  ended_ = true;
  stop();
  reactor_->timers().cancel(*this);
  control::write_plain(link_->pipes[1].writer, control::Kind::end);
  const bool token = link_->pipes[1].writer.publish() != Claim::none;
  link_->ends[0].notify(kGone | (token ? uint32_t{kToken} : 0u));
  reactor_->retire(this);
}

// ---- after every event ----------------------------------------------------------------------

void Session::settle(int64_t now) {
  if (ended_) return;
  if (sending_) {
    sending_->work(now);
    if (closing_ && sending_->finished(now)) return end();
    if (sending_->blocked() != wants_room_) {
      wants_room_ = !wants_room_;
      port_->want_room(reactor_->poller(), this, wants_room_);
    }
  } else {
    if (closing_) return end();
    if (!sends_) discard_output();
  }
  set_timer(now);
}

void Session::set_timer(int64_t now) {
  const int64_t sending = sending_ ? sending_->deadline(now) : kNever;
  reactor_->timers().set(*this, std::min({sending, close_by_, look_at_}));
}

}  // namespace zerowire::pgm
