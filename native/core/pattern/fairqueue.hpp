// FairQueue: takes one message from each peer that has some in turn.
#pragma once

#include <vector>

#include "peer.hpp"

namespace zerowire {

class SocketCore;

/// Belongs to a pattern. Lists the peers whose token the socket holds.
class FairQueue {
 public:
  explicit FairQueue(SocketCore& socket) : socket_(socket) {}

  void add(Peer& peer);
  void remove(Peer& peer);
  /// Appends the frames of the next message; its peer, or null when there is none.
  Peer* receive(Inbound& message);
  /// True when a message is at hand.
  bool ready();

 private:
  /// What `step` says of the peer whose turn it is; drops peers that have nothing.
  template <class Step>
  Peer* next(Step step);

  SocketCore& socket_;
  std::vector<Peer*> peers_;
  std::size_t turn_ = 0;
};

}  // namespace zerowire
