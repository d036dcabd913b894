// PUSH: each message to the next PULL that has room (RFC 30).
#pragma once

#include "pattern/pattern.hpp"
#include "pattern/roundrobin.hpp"

namespace zerowire {

class Push final : public Pattern {
 public:
  using Pattern::Pattern;
  bool attach(Peer&) override { return true; }
  void detach(Peer& peer) override { peers_.remove(peer); }
  void writable(Peer& peer) override { peers_.add(peer); }
  void unwritable(Peer& peer) override { peers_.remove(peer); }
  void readable(Peer& peer) override;
  Errc send(std::span<const Part> parts) override;
  bool can_send() override { return peers_.peek() != nullptr; }
  Peer* only_writer() override { return peers_.only(); }
  uint64_t room() override { return peers_.free(); }

 private:
  RoundRobin peers_;
};

}  // namespace zerowire
