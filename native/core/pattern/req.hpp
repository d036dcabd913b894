// REQ: sends a request round robin, then takes its reply only (RFC 28).
#pragma once

#include "pattern/fairqueue.hpp"
#include "pattern/pattern.hpp"
#include "pattern/roundrobin.hpp"

namespace zerowire {

/// On the wire: [request id, 4 bytes, with req_correlate] [empty] body...
class Req final : public Pattern {
 public:
  explicit Req(SocketCore& socket);
  bool attach(Peer&) override { return true; }
  void detach(Peer& peer) override;
  void writable(Peer& peer) override { writers_.add(peer); }
  void unwritable(Peer& peer) override { writers_.remove(peer); }
  void readable(Peer& peer) override { readers_.add(peer); }
  void down(Peer& peer) override { peer.stale_replies = 0; }
  Errc send(std::span<const Part> parts) override;
  Errc receive(Inbound& message) override;
  bool can_send() override;
  bool can_receive() override { return waiting_ && readers_.ready(); }
  bool rest() override { return readers_.rest(); }

 private:
  bool may_send() const;
  void drop_strays();
  bool accept(Peer& peer, Inbound& message);

  FairQueue readers_;
  RoundRobin writers_;
  bool waiting_ = false;     ///< for a reply
  Peer* replier_ = nullptr;  ///< who was asked; null when it is gone
  uint32_t id_;              ///< of the last request
};

}  // namespace zerowire
