#include "pattern/router.hpp"

#include <algorithm>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "socket_core.hpp"

namespace zerowire {

Router::Router(SocketCore& socket)
    : Pattern(socket),
      readers_(socket),
      next_id_(static_cast<uint32_t>(Random(static_cast<uint64_t>(now_ns())).next())) {}

bool Router::attach(Peer& peer) {
  // Named by connect_routing_id: may be addressed before it is there.
  if (!peer.routing_id.empty()) enter(peer);
  return true;
}

void Router::detach(Peer& peer) {
  readers_.remove(peer);
  std::erase(waiting_, &peer);
  peer.waiting = false;
  forget(peer);
}

void Router::up(Peer& peer) {
  if (peer.routing_id.empty()) {
    char id[5] = {0};
    std::memcpy(id + 1, &next_id_, sizeof next_id_);
    ++next_id_;
    peer.routing_id.assign(id, sizeof id);
  }
  if (peer.open()) return enter(peer);
  // On its way out: no id is taken by it, nor is it heard in the name of another one.
  const auto found = table_.find(peer.routing_id);
  peer.waiting = found != table_.end() && found->second != &peer;
}

void Router::unwritable(Peer& peer) {
  if (!peer.waiting) {
    forget(peer);
  } else if (!peer.open()) {
    socket_.remove(peer);  // it was never heard
  }
}

void Router::enter(Peer& peer) {
  const auto [place, fresh] = table_.try_emplace(peer.routing_id, &peer);
  if (fresh || place->second == &peer) return;
  if (socket_.options().router_handover) {
    Peer* old = place->second;
    place->second = &peer;
    old->disconnect();
    return;
  }
  peer.waiting = true;
  waiting_.push_back(&peer);
  readers_.remove(peer);
}

void Router::forget(Peer& peer) {
  const auto found = table_.find(peer.routing_id);
  if (found == table_.end() || found->second != &peer) return;
  if (peer.open() && peer.fixed_id) return;  // messages queue until it is back
  table_.erase(found);
  promote(peer.routing_id);
}

void Router::promote(const std::string& id) {
  const auto next = std::find_if(waiting_.begin(), waiting_.end(),
                                 [&id](Peer* peer) { return peer->routing_id == id; });
  if (next == waiting_.end()) return;
  Peer& peer = **next;
  waiting_.erase(next);
  peer.waiting = false;
  table_.emplace(id, &peer);
  if (peer.holds_token()) readers_.add(peer);
}

void Router::readable(Peer& peer) {
  if (!peer.waiting) readers_.add(peer);
}

Errc Router::send(std::span<const Part> parts) {
  if (parts.size() < 2) return Errc::invalid;
  const bool mandatory = socket_.options().router_mandatory;
  const auto found = table_.find(std::string(parts[0].data, parts[0].size));
  if (found == table_.end()) return mandatory ? Errc::host_unreachable : Errc::ok;
  Peer& peer = *found->second;
  if (!peer.room()) {
    if (!peer.open()) return mandatory ? Errc::host_unreachable : Errc::ok;
    return mandatory ? Errc::again : Errc::ok;
  }
  return peer.write(parts.subspan(1)) ? Errc::ok : Errc::no_memory;
}

Errc Router::receive(Inbound& message) {
  message.frames.push_back({});
  Peer* peer = readers_.receive(message);
  if (!peer) {
    message.frames.clear();
    return Errc::again;
  }
  shown_id_ = peer->routing_id;
  message.frames[0] = {shown_id_.data(), shown_id_.size(), nullptr};
  return Errc::ok;
}

/// libzmq's rule: a ROUTER that drops what it cannot send can always send.
bool Router::can_send() {
  if (!socket_.options().router_mandatory) return true;
  return std::any_of(table_.begin(), table_.end(),
                     [](const auto& item) { return item.second->room(); });
}

uint64_t Router::room() { return socket_.options().router_mandatory ? 0 : UINT64_MAX; }

}  // namespace zerowire
