#include "pattern/push.hpp"

#include "socket_core.hpp"

namespace zerowire {

void Push::readable(Peer& peer) { socket_.discard_input(peer); }

Errc Push::send(std::span<const Part> parts) {
  Peer* peer = peers_.next();
  if (!peer) return Errc::again;
  return peer->write(parts) ? Errc::ok : Errc::no_memory;
}

}  // namespace zerowire
