// SUB and XSUB: take messages from all publishers in turn, and tell them what is wanted (RFC 29).
#pragma once

#include "pattern/fairqueue.hpp"
#include "pattern/pattern.hpp"
#include "pattern/subindex.hpp"

namespace zerowire {

/// Subscriptions go to network peers through Link::changes and the connection, past any
/// high-water mark; the connection replays them when it reconnects. SUB filters again what it
/// receives: publishers may not filter, or not have heard of an unsubscription yet. XSUB does not;
/// its application subscribes by sending messages that start with a one or zero byte.
class Sub final : public Pattern {
 public:
  Sub(SocketCore& socket, bool raw) : Pattern(socket), readers_(socket), raw_(raw) {}
  bool attach(Peer& peer) override;
  void detach(Peer& peer) override;
  void readable(Peer& peer) override { readers_.add(peer); }
  Errc send(std::span<const Part> parts) override;
  Errc receive(Inbound& message) override;
  bool can_send() override { return raw_; }
  bool can_receive() override { return readers_.ready(); }
  Errc subscribe(std::string_view prefix, bool on) override;
  Peer* only_reader() override { return wants_all() ? readers_.only() : nullptr; }
  bool rest() override { return readers_.rest(); }

 private:
  bool count(std::string_view prefix, bool on);
  bool wants_all() const;
  bool wanted(const FrameView& topic) const;

  FairQueue readers_;
  const bool raw_;
  SubIndex own_;      ///< SUB: the prefixes, each with a null peer
  bool all_ = false;  ///< the empty prefix is among them
  std::vector<Peer*> peers_;
};

}  // namespace zerowire
