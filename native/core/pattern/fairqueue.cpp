#include "pattern/fairqueue.hpp"

#include "socket_core.hpp"

namespace zerowire {

void FairQueue::add(Peer& peer) {
  if (peer.reader_slot != Peer::kNoSlot) return;
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
  while (!peers_.empty()) {
    if (turn_ >= peers_.size()) turn_ = 0;
    Peer& peer = *peers_[turn_];
    switch (step(peer)) {
      case Peer::Read::message: return &peer;
      case Peer::Read::none: remove(peer); break;
      case Peer::Read::ended: socket_.remove(peer); break;
    }
  }
  return nullptr;
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
