// FairQueue: takes one message from each peer that has some in turn.
#pragma once

#include <vector>

#include "peer.hpp"

namespace zerowire {

class SocketCore;

/// Belongs to a pattern. Lists the peers whose token the socket holds. Peers that have nothing stay
/// listed until the socket waits (rest()): a sender that is about as fast as we are then finds us
/// awake, and needs to tell nobody.
class FairQueue {
 public:
  explicit FairQueue(SocketCore& socket) : socket_(socket) {}

  void add(Peer& peer);
  void remove(Peer& peer);
  /// Appends the frames of the next message; its peer, or null when there is none.
  Peer* receive(Inbound& message);
  /// The only peer listed, if there is just one.
  Peer* only() const { return peers_.size() == 1 ? peers_[0] : nullptr; }
  /// True when a message is at hand.
  bool ready();
  /// See Pattern::rest().
  bool rest();

 private:
  /// Asks the peers, from the one whose turn it is on, until `step` finds a message.
  template <class Step>
  Peer* next(Step step);

  SocketCore& socket_;
  std::vector<Peer*> peers_;
  std::size_t turn_ = 0;

  /// With more than so many, looking at idle peers in vain costs too much.
  static constexpr std::size_t kMostIdle = 4;
};

}  // namespace zerowire
