// REP: takes a request, then sends its reply to whoever asked (RFC 28).
#pragma once

#include <string>
#include <vector>

#include "pattern/fairqueue.hpp"
#include "pattern/pattern.hpp"

namespace zerowire {

/// Keeps the request's envelope (all frames up to the first empty one) and sends it back first.
class Rep final : public Pattern {
 public:
  explicit Rep(SocketCore& socket) : Pattern(socket), readers_(socket) {}
  bool attach(Peer&) override { return true; }
  void detach(Peer& peer) override;
  void readable(Peer& peer) override { readers_.add(peer); }
  Errc send(std::span<const Part> parts) override;
  Errc receive(Inbound& message) override;
  bool can_send() override { return replying_; }
  bool can_receive() override { return !replying_ && readers_.ready(); }
  bool rest() override { return readers_.rest(); }

 private:
  bool open_envelope(Inbound& message);

  FairQueue readers_;
  bool replying_ = false;
  Peer* asker_ = nullptr;  ///< null when it is gone: the reply is dropped
  std::vector<std::string> envelope_;
};

}  // namespace zerowire
