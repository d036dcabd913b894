#include "pattern/pair.hpp"

#include "socket_core.hpp"

namespace zerowire {

bool Pair::attach(Peer& peer) {
  if (peer_) {
    peer.refuse();
    return false;
  }
  peer_ = &peer;
  return true;
}

void Pair::detach(Peer& peer) {
  if (peer_ != &peer) return;
  peer_ = nullptr;
  writable_ = readable_ = false;
}

Errc Pair::send(std::span<const Part> parts) {
  if (!can_send()) return Errc::again;
  return peer_->write(parts) ? Errc::ok : Errc::no_memory;
}

/// True when a message was found; notes what else was learnt.
bool Pair::keep(Peer::Read result) {
  if (result == Peer::Read::none) peer_->idle = true;
  if (result == Peer::Read::ended) socket_.remove(*peer_);
  return result == Peer::Read::message;
}

Errc Pair::receive(Inbound& message) {
  if (!readable_) return Errc::again;
  if (!keep(peer_->read(message))) return Errc::again;
  socket_.reading(*peer_);
  return Errc::ok;
}

bool Pair::rest() {
  if (!readable_ || !peer_->idle) return true;
  peer_->idle = false;
  if (!peer_->rest()) return false;
  readable_ = false;
  return true;
}

bool Pair::can_receive() { return readable_ && keep(peer_->peek()); }

}  // namespace zerowire
