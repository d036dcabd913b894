// RoundRobin: gives each message to the next peer that has room.
#pragma once

#include <algorithm>
#include <vector>

#include "peer.hpp"

namespace zerowire {

/// Belongs to a pattern. Lists the peers that were not full when last looked at.
class RoundRobin {
 public:
  void add(Peer& peer) {
    if (peer.writer_slot != Peer::kNoSlot || !peer.open()) return;
    peer.writer_slot = peers_.size();
    peers_.push_back(&peer);
  }
  void remove(Peer& peer) {
    if (peer.writer_slot == Peer::kNoSlot) return;
    peers_[peer.writer_slot] = peers_.back();
    peers_[peer.writer_slot]->writer_slot = peer.writer_slot;
    peers_.pop_back();
    peer.writer_slot = Peer::kNoSlot;
  }
  /// The peer whose turn it is, null when all are full or there is none. A full one is left out
  /// until the pattern hears that it is writable.
  Peer* peek() {
    while (!peers_.empty()) {
      if (turn_ >= peers_.size()) turn_ = 0;
      Peer& peer = *peers_[turn_];
      if (peer.room()) return &peer;
      remove(peer);
    }
    return nullptr;
  }
  /// The only peer listed, if there is just one.
  Peer* only() const { return peers_.size() == 1 ? peers_[0] : nullptr; }
  /// How many messages all of them together have room for.
  uint64_t free() const {
    uint64_t sum = 0;
    for (Peer* peer : peers_) sum += std::min(peer->free(), UINT64_MAX - sum);
    return sum;
  }
  /// peek(), and the turn passes on.
  Peer* next() {
    Peer* peer = peek();
    if (peer) ++turn_;
    return peer;
  }

 private:
  std::vector<Peer*> peers_;
  std::size_t turn_ = 0;
};

}  // namespace zerowire
