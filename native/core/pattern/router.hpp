// ROUTER: addresses each message by the peer's routing id, its first frame (RFC 28).
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

#include "pattern/fairqueue.hpp"
#include "pattern/pattern.hpp"

namespace zerowire {

/// A peer without a routing id gets one made up: a zero byte and a number. A second peer with an
/// id in use waits, unheard, until the first one goes, or takes over with router_handover.
class Router final : public Pattern {
 public:
  explicit Router(SocketCore& socket);
  bool attach(Peer& peer) override;
  void detach(Peer& peer) override;
  void readable(Peer& peer) override;
  void unwritable(Peer& peer) override;
  void up(Peer& peer) override;
  void down(Peer& peer) override { forget(peer); }
  Errc send(std::span<const Part> parts) override;
  Errc receive(Inbound& message) override;
  bool can_send() override;
  bool can_receive() override { return readers_.ready(); }
  uint64_t room() override;
  bool rest() override { return readers_.rest(); }

 private:
  void enter(Peer& peer);
  void forget(Peer& peer);
  void promote(const std::string& id);

  FairQueue readers_;
  std::unordered_map<std::string, Peer*> table_;
  std::vector<Peer*> waiting_;  ///< peers whose id is in use
  std::string shown_id_;        ///< of the last message's peer, which may be another one by now
  uint32_t next_id_;
};

}  // namespace zerowire
