// DEALER: sends round robin, receives fairly (RFC 28).
#pragma once

#include "pattern/fairqueue.hpp"
#include "pattern/pattern.hpp"
#include "pattern/roundrobin.hpp"

namespace zerowire {

class Dealer final : public Pattern {
 public:
  explicit Dealer(SocketCore& socket) : Pattern(socket), readers_(socket) {}
  bool attach(Peer&) override { return true; }
  void detach(Peer& peer) override {
    readers_.remove(peer);
    writers_.remove(peer);
  }
  void writable(Peer& peer) override { writers_.add(peer); }
  void unwritable(Peer& peer) override { writers_.remove(peer); }
  void readable(Peer& peer) override { readers_.add(peer); }
  Errc send(std::span<const Part> parts) override {
    Peer* peer = writers_.next();
    if (!peer) return Errc::again;
    return peer->write(parts) ? Errc::ok : Errc::no_memory;
  }
  Errc receive(Inbound& message) override {
    return readers_.receive(message) ? Errc::ok : Errc::again;
  }
  bool can_send() override { return writers_.peek() != nullptr; }
  bool can_receive() override { return readers_.ready(); }
  uint64_t room() override { return writers_.free(); }
  Peer* only_reader() override { return readers_.only(); }
  Peer* only_writer() override { return writers_.only(); }
  bool rest() override { return readers_.rest(); }

 private:
  FairQueue readers_;
  RoundRobin writers_;
};

}  // namespace zerowire
