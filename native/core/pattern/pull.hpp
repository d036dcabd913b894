// PULL: takes messages from all PUSH peers in turn (RFC 30).
#pragma once

#include "pattern/fairqueue.hpp"
#include "pattern/pattern.hpp"

namespace zerowire {

class Pull final : public Pattern {
 public:
  explicit Pull(SocketCore& socket) : Pattern(socket), peers_(socket) {}
  bool attach(Peer&) override { return true; }
  void detach(Peer& peer) override { peers_.remove(peer); }
  void readable(Peer& peer) override { peers_.add(peer); }
  Errc receive(Inbound& message) override {
    return peers_.receive(message) ? Errc::ok : Errc::again;
  }
  bool can_receive() override { return peers_.ready(); }
  Peer* only_reader() override { return peers_.only(); }
  bool rest() override { return peers_.rest(); }

 private:
  FairQueue peers_;
};

}  // namespace zerowire
