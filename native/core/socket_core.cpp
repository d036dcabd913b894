#include "socket_core.hpp"

#include "pipe/control.hpp"
#include "reactor/reactor.hpp"

namespace zerowire {
namespace {

/// Collected messages are handed on when there are so many of them: enough to be worth a write, few
/// enough that the peer has something to do meanwhile.
constexpr std::size_t kMostCollected = 32;
constexpr int kDiscardTurn = 4096;
/// A thread that drives sends on when it has got so many bytes ahead: enough to be worth a write,
/// little enough that the peer has something to do meanwhile. Small parts count for more.
constexpr std::size_t kSendAhead = 128 * 1024;
constexpr std::size_t kPartWeight = 128;

}  // namespace

Error failure(Errc code, std::string_view what) {
  return {code, std::string(errc_text(code)) + ": " + std::string(what)};
}

Result<std::unique_ptr<SocketCore>> SocketCore::create(const std::shared_ptr<ContextCore>& context,
                                                       SocketType type,
                                                       std::shared_ptr<Waker> waker) {
  std::unique_ptr<SocketCore> socket(new SocketCore(context, type));
  const Errc error = context->open(socket->shared_.get());
  if (error != Errc::ok) {
    socket->closed_ = true;
    socket->usable_ = Errc::bad_socket;
    return failure(error, "socket");
  }
  socket->set_waker(std::move(waker));
  return socket;
}

void SocketCore::set_waker(std::shared_ptr<Waker> waker) {
  if (closed_) return;
  if (waker) {
    waker_.emplace(*shared_->context);
    waker_->attend();
  } else {
    waker_.reset();
  }
  shared_->mailbox->set_waker(std::move(waker));
}

SocketCore::SocketCore(const std::shared_ptr<ContextCore>& context, SocketType type)
    : shared_(std::make_shared<SocketShared>(context)),
      mailbox_(shared_->mailbox.get()),
      pattern_(Pattern::create(*this, type)),
      patience_(context->options.spin_us) {
  options_.type = type;
  shared_->acceptor = this;
}

Errc SocketCore::state() const {
  if (closed_) return Errc::bad_socket;
  return shared_->context->terminated() ? Errc::terminated : Errc::ok;
}

/// The context's end is told by a nudge too.
void SocketCore::take_mail() {
  unlearn();
  mailbox_->deliver();
  if (shared_->context->terminated()) usable_ = Errc::terminated;
}

// ---- options --------------------------------------------------------------------------------

Result<void> SocketCore::set(Option option, int64_t value) {
  if (closed_) return failure(Errc::bad_socket, "set option");
  unlearn();
  return set_option(options_, option, value);
}

Result<void> SocketCore::set(Option option, std::string_view value) {
  if (closed_) return failure(Errc::bad_socket, "set option");
  if (option == Option::subscribe) return subscribe(value, true);
  if (option == Option::unsubscribe) return subscribe(value, false);
  return set_option(options_, option, value);
}

Result<int64_t> SocketCore::get_int(Option option) {
  if (shared_) options_.multicast_lost = shared_->multicast_lost.load(std::memory_order_relaxed);
  return get_int_option(options_, option);
}

Result<void> SocketCore::subscribe(std::string_view prefix, bool on) {
  Errc error = state();
  if (error == Errc::ok) {
    process();
    unlearn();
    error = pattern_->subscribe(prefix, on);
  }
  if (error != Errc::ok) return failure(error, on ? "subscribe" : "unsubscribe");
  return {};
}

void SocketCore::close() {
  if (closed_) return;
  flush_collected(true);
  closed_ = true;
  usable_ = Errc::bad_socket;
  shared_->linger = options_.linger;
  shared_->closed = true;
  ContextCore& context = *shared_->context;
  context.inproc.unbind_all(shared_.get());
  for (const Connected& connected : connected_) {
    Link& link = connected.peer->link();
    if (connected.peer->kind() != Peer::Kind::inproc) continue;
    context.inproc.let_go(&link, options_.linger != 0 && link.pipes[0].writer.messages() > 0);
  }
  unlearn();
  last_read_ = nullptr;
  peers_.clear();
  gone_.clear();
  pattern_.reset();
  shared_->mailbox->close();
  context.close(shared_.get());
  for (const Bound& bound : bound_) {
    if (bound.id != 0) stop_listener(bound.socket);
  }
  if (listeners_ > 0) {
    context.each_reactor([shared = shared_](Reactor& r) { r.socket_closed(*shared); });
  }
  bound_.clear();
  waker_.reset();
  context.attend();  // there is mail to read now
  shared_.reset();
}

// ---- peers ----------------------------------------------------------------------------------

Peer& SocketCore::add_peer(End& end, Peer::Kind kind) {
  peers_.push_back(std::make_unique<Peer>(*this, end, kind));
  peers_.back()->slot = peers_.size() - 1;
  return *peers_.back();
}

bool SocketCore::attach(Peer& peer) {
  if (peer.kind() != Peer::Kind::accepted && options_.type == SocketType::router &&
      !options_.connect_routing_id.empty()) {
    peer.routing_id = std::move(options_.connect_routing_id);
    options_.connect_routing_id.clear();
    peer.fixed_id = true;
  }
  if (!pattern_->attach(peer)) {
    remove(peer);
    return false;
  }
  peer_writable(peer);
  return true;
}

/// A new peer: a connection after its handshake, or an inproc socket that connected to us.
void SocketCore::on_mail(End& end, uint32_t todo) {
  Link& link = end.link();
  const bool inproc = &end == &link.ends[1];
  Peer& peer = add_peer(end, inproc ? Peer::Kind::inproc : Peer::Kind::accepted);
  end.owner = &peer;
  if (inproc) {
    const int mark = inproc_mark(options_.send_high_water_mark, link.receive_mark);
    end.writes().writer.set_high_water_mark(mark);
    end.puts().on = link.conflate || conflates_output(options_);
    control::write_up(end.writes().writer, 0, options_.routing_id,
                      inproc_mark(link.send_mark, options_.receive_high_water_mark),
                      conflates_input(options_));
    peer.flush(Peer::By::thread);
  }
  if (!attach(peer)) return;
  const auto accepts = [&link](const Bound& bound) { return bound.id == link.listener; };
  // Accepted, but its listener has been unbound since.
  if (!inproc && std::none_of(bound_.begin(), bound_.end(), accepts)) peer.disconnect();
  end.owner->on_mail(end, todo & ~kAttach);
}

void SocketCore::peer_up(Peer& peer, std::string_view routing_id) {
  if (!peer.fixed_id) peer.routing_id = routing_id;
  peer.up = true;
  pattern_->up(peer);
  if (options_.immediate) peer_writable(peer);
  if (options_.probe_router && peer.kind() == Peer::Kind::inproc && peer.open()) {
    const Part empty;
    peer.write({&empty, 1});
  }
}

void SocketCore::peer_down(Peer& peer) {
  unlearn();
  peer.up = false;
  pattern_->down(peer);
  if (options_.immediate) pattern_->unwritable(peer);
}

void SocketCore::peer_gone(Peer& peer) {
  unlearn();
  std::erase_if(connected_, [&peer](const Connected& item) { return item.peer == &peer; });
  pattern_->unwritable(peer);
}

void SocketCore::peer_writable(Peer& peer) {
  unlearn();
  if (!peer.open()) return;
  if (options_.immediate && peer.kind() == Peer::Kind::dialed && !peer.up) return;
  pattern_->writable(peer);
}

void SocketCore::remove(Peer& peer) {
  if (peer.dirty) flush_collected(false);
  std::erase_if(connected_, [&peer](const Connected& item) { return item.peer == &peer; });
  unlearn();
  pattern_->detach(peer);
  const std::size_t slot = peer.slot;
  std::swap(peers_[slot], peers_.back());
  peers_[slot]->slot = slot;
  gone_.push_back(std::move(peers_.back()));
  peers_.pop_back();
}

void SocketCore::reading(Peer& peer) {
  if (last_read_ && last_read_ != &peer) last_read_->retire();
  last_read_ = &peer;
}

void SocketCore::drop_gone() {
  std::erase_if(gone_, [this](const auto& peer) { return peer.get() != last_read_; });
}

void SocketCore::forget_views() {
  last_read_->retire();
  last_read_ = source_ = nullptr;
}

void SocketCore::discard_input(Peer& peer) {
  Inbound message;
  for (int i = 0; i < kDiscardTurn; ++i) {
    message.frames.clear();
    const Peer::Read result = peer.read(message);
    if (result == Peer::Read::none && peer.rest()) return;
    if (result == Peer::Read::ended) return remove(peer);
    peer.retire();
  }
  peer.post_again();
}

// ---- messages -------------------------------------------------------------------------------

void SocketCore::collect(Peer& peer) {
  if (!peer.dirty) {
    peer.dirty = true;
    collected_.push_back(&peer);
  }
  if (++collected_messages_ >= kMostCollected) flush_collected(false);
}

void SocketCore::flush_collected(bool direct) {
  direct = direct && collected_.size() <= kMostDirect;
  collected_messages_ = 0;
  for (Peer* peer : collected_) {
    peer->dirty = false;
    peer->flush(direct ? Peer::By::caller_all : Peer::By::thread);
  }
  collected_.clear();
}

void SocketCore::uncork() {
  corked_ = false;
  if (!closed_) flush_collected(true);
}

inline Errc SocketCore::attempt_send(std::span<const Part> parts) {
  if (!prepare()) return usable_;
  if (parts.empty()) return Errc::invalid;
  const Errc result = pattern_->send(parts);
  if (result == Errc::again && !collected_.empty()) flush_collected(false);
  note_sent(parts);
  return result;
}

inline void SocketCore::note_sent(std::span<const Part> parts) {
  for (const Part& part : parts) sent_ += kPartWeight + part.size;
  bulk_ = parts.back().size >= kReferenceFrom;
  if (sent_ >= kSendAhead) drive_on();
}

Errc SocketCore::try_send(std::span<const Part> parts) { return attempt_send(parts); }

Errc SocketCore::try_receive(Inbound& message) {
  if (last_read_) forget_views();
  if (!prepare()) return usable_;
  message.frames.clear();
  ++received_;
  const Errc result = pattern_->receive(message);
  if (result == Errc::ok) bulk_ = message.frames.back().size >= kReferenceFrom;
  return result;
}

unsigned SocketCore::readiness() {
  if (state() != Errc::ok) return 0;
  process();
  return (pattern_->can_receive() ? unsigned{kReadable} : 0u) |
         (pattern_->can_send() ? unsigned{kWritable} : 0u) |
         (shared_->monitor.empty() ? 0u : unsigned{kEvent});
}

uint64_t SocketCore::room() { return prepare() ? pattern_->room() : 0; }

bool SocketCore::arm() {
  unlearn();
  return closed_ || (pattern_->rest() && shared_->mailbox->park());
}

// ---- blocking calls -------------------------------------------------------------------------

/// What has been tried in vain is tried again whenever something has happened.
template <class Try>
Errc SocketCore::block(int timeout_ms, bool receiving, Try attempt) {
  Errc result = Errc::again;
  using Clock = std::chrono::steady_clock;
  const auto deadline = timeout_ms < 0 ? Clock::time_point::max()
                                       : Clock::now() + std::chrono::milliseconds(timeout_ms);
  bool in_time = true;
  while (result == Errc::again && in_time) {
    in_time = wait(deadline, receiving);
    result = attempt();
  }
  return result;
}

Errc SocketCore::send(std::span<const Part> parts, int timeout_ms) {
  const Errc result = attempt_send(parts);
  if (result != Errc::again || timeout_ms == 0) return result;
  return block(timeout_ms, false, [this, parts] { return try_send(parts); });
}

Errc SocketCore::receive(Inbound& message, int timeout_ms) {
  const Errc result = try_receive(message);
  if (result != Errc::again || timeout_ms == 0) return result;
  return block(timeout_ms, true, [this, &message] { return try_receive(message); });
}

Errc SocketCore::send_frame(Message&& frame, bool more) {
  if (!frame.ok()) return Errc::no_memory;
  if (more) {
    outgoing_.push_back(std::move(frame));
    return state();
  }
  const auto part = [](const Message& m) { return Part{m.data_, m.size_, m.buffer_}; };
  Errc result;
  if (outgoing_.empty()) {
    const Part only = part(frame);
    result = send({&only, 1}, options_.send_timeout);
  } else {
    outgoing_parts_.clear();
    for (const Message& message : outgoing_) outgoing_parts_.push_back(part(message));
    outgoing_parts_.push_back(part(frame));
    result = send(outgoing_parts_, options_.send_timeout);
  }
  if (result == Errc::again) return result;  // frames are kept: the caller may try again
  outgoing_.clear();
  if (result == Errc::ok) frame.clear();
  return result;
}

Errc SocketCore::send_bytes(std::string_view bytes, bool more) {
  if (more || !outgoing_.empty()) return send_frame(Message(bytes), more);
  const Part only{bytes.data(), bytes.size()};
  if (sink_ && !mailbox_->pending() && sink_->room()) {  // the next one of a stream
    const bool written = sink_->write({&only, 1});
    note_sent({&only, 1});
    return written ? Errc::ok : Errc::no_memory;
  }
  const Errc result = send({&only, 1}, options_.send_timeout);
  if (result == Errc::ok) sink_ = pattern_->only_writer();
  return result;
}

/// A stream from one peer, whose last message nobody has views into but us: its next one takes a
/// short way, if it is there.
bool SocketCore::receive_streamed(Message& frame) {
  if (!source_ || mailbox_->pending() || !source_->read_plain(frame)) return false;
  ++received_;
  bulk_ = frame.size() >= kReferenceFrom;
  return true;
}

Errc SocketCore::receive_frame(Message& frame) {
  if (incoming_next_ == incoming_.frames.size()) {
    if (receive_streamed(frame)) return frame.ok() ? Errc::ok : Errc::no_memory;
    incoming_next_ = 0;
    const Errc result = receive(incoming_, options_.receive_timeout);
    if (result != Errc::ok) {
      incoming_.frames.clear();
      return result;
    }
    if (last_read_ && pattern_->only_reader() == last_read_) source_ = last_read_;
  }
  const FrameView& view = incoming_.frames[incoming_next_++];
  frame.assign(view.data, view.size, view.buffer, incoming_next_ < incoming_.frames.size());
  return frame.ok() ? Errc::ok : Errc::no_memory;
}

bool SocketCore::try_event(Event& event) { return !closed_ && shared_->monitor.take(event); }

}  // namespace zerowire
