#include "pattern/fairqueue.hpp"

#include "socket_core.hpp"

namespace zerowire {

void FairQueue::add(Peer& peer) {
  if (peer.reader_slot != Peer::kNoSlot) return;
  peer.idle = false;
  peer.reader_slot = peers_.size();
  peers_.push_back(&peer);
}

void FairQueue::remove(Peer& peer) {
  if (peer.reader_slot == Peer::kNoSlot) return;
  peers_[peer.reader_slot] = peers_.back();
  peers_[peer.reader_slot]->reader_slot = peer.reader_slot;
  peers_.pop_back();
  peer.reader_slot = Peer::kNoSlot;
}

template <class Step>
Peer* FairQueue::next(Step step) {
  for (std::size_t left = peers_.size(); left > 0 && !peers_.empty(); --left) {
    if (turn_ >= peers_.size()) turn_ = 0;
    Peer& peer = *peers_[turn_];
    const Peer::Read result = step(peer);
    peer.idle = result == Peer::Read::none;
    if (result == Peer::Read::message) return &peer;
    if (result == Peer::Read::ended) {
      socket_.remove(peer);
    } else if (peer.reader_slot != Peer::kNoSlot) {  // else the pattern has put it aside
      if (peers_.size() > kMostIdle && peer.rest())
        remove(peer);
      else
        ++turn_;
    }
  }
  return nullptr;
}

bool FairQueue::rest() {
  bool quiet = true;
  for (std::size_t i = peers_.size(); i-- > 0;) {
    Peer& peer = *peers_[i];
    if (!peer.idle) continue;
    peer.idle = false;
    if (peer.rest())
      remove(peer);
    else
      quiet = false;
  }
  return quiet;
}

Peer* FairQueue::receive(Inbound& message) {
  Peer* peer = next([&message](Peer& p) { return p.read(message); });
  if (!peer) return nullptr;
  ++turn_;
  socket_.reading(*peer);
  return peer;
}

bool FairQueue::ready() {
  return next([](Peer& p) { return p.peek(); }) != nullptr;
}

}  // namespace zerowire
