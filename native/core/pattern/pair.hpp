// PAIR: one peer, exclusively (RFC 31). Others are refused while it is there.
#pragma once

#include "pattern/pattern.hpp"

namespace zerowire {

class Pair final : public Pattern {
 public:
  using Pattern::Pattern;
  bool attach(Peer& peer) override;
  void detach(Peer& peer) override;
  void writable(Peer&) override { writable_ = true; }
  void unwritable(Peer& peer) override {
    if (&peer == peer_) writable_ = false;
  }
  void readable(Peer&) override { readable_ = true; }
  Errc send(std::span<const Part> parts) override;
  Errc receive(Inbound& message) override;
  bool can_send() override { return writable_ && peer_->room(); }
  bool can_receive() override;
  uint64_t room() override { return writable_ ? peer_->free() : 0; }
  bool rest() override;

 private:
  bool keep(Peer::Read result);

  Peer* peer_ = nullptr;
  bool writable_ = false;
  bool readable_ = false;  ///< the token is held
};

}  // namespace zerowire
