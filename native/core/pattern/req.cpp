#include "pattern/req.hpp"

#include "base/clock.hpp"
#include "base/random.hpp"
#include "socket_core.hpp"

namespace zerowire {

Req::Req(SocketCore& socket)
    : Pattern(socket),
      readers_(socket),
      id_(static_cast<uint32_t>(Random(static_cast<uint64_t>(now_ns())).next())) {}

void Req::detach(Peer& peer) {
  readers_.remove(peer);
  writers_.remove(peer);
  if (replier_ == &peer) replier_ = nullptr;
}

bool Req::may_send() const { return !waiting_ || socket_.options().req_relaxed; }

bool Req::can_send() { return may_send() && writers_.peek() != nullptr; }

Errc Req::send(std::span<const Part> parts) {
  if (!may_send()) return Errc::fsm;
  if (!writers_.peek()) return Errc::again;
  drop_strays();
  Peer* peer = writers_.next();
  if (!peer) return Errc::again;
  const bool correlate = socket_.options().req_correlate;
  if (waiting_ && replier_ && !correlate) ++replier_->stale_replies;
  ++id_;
  if (correlate) peer->frame({reinterpret_cast<const char*>(&id_), sizeof id_}, true);
  peer->frame({}, true);
  if (!peer->write(parts)) return Errc::no_memory;
  waiting_ = true;
  replier_ = peer;
  return Errc::ok;
}

/// What came unasked, or too late, must not pass for the reply to the next request.
void Req::drop_strays() {
  Inbound stray;
  while (Peer* peer = readers_.receive(stray)) {
    if (peer->stale_replies > 0)
      --peer->stale_replies;
    else if (peer == replier_)
      replier_ = nullptr;
    stray.frames.clear();
  }
}

Errc Req::receive(Inbound& message) {
  if (!waiting_) return Errc::fsm;
  while (Peer* peer = readers_.receive(message)) {
    if (accept(*peer, message)) {
      waiting_ = false;
      replier_ = nullptr;
      return Errc::ok;
    }
    message.frames.clear();
  }
  return Errc::again;
}

/// Strips the envelope; false when this is not the reply to the last request.
bool Req::accept(Peer& peer, Inbound& message) {
  if (replier_ && &peer != replier_) return false;
  if (peer.stale_replies > 0) {
    --peer.stale_replies;
    return false;
  }
  std::size_t envelope = 1;
  if (socket_.options().req_correlate) {
    const FrameView& id = message.frames[0];
    if (id.size != sizeof id_ || std::memcmp(id.data, &id_, sizeof id_) != 0) return false;
    envelope = 2;
  }
  if (message.frames.size() <= envelope || message.frames[envelope - 1].size != 0) return false;
  message.frames.erase(message.frames.begin(),
                       message.frames.begin() + static_cast<std::ptrdiff_t>(envelope));
  return true;
}

}  // namespace zerowire
