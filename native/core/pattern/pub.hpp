// PUB and XPUB: each message to every peer that subscribed to a prefix of its first frame (RFC 29).
#pragma once

#include <list>
#include <string>
#include <unordered_map>
#include <vector>

#include "pattern/pattern.hpp"
#include "pattern/subindex.hpp"

namespace zerowire {

/// A peer that is full misses the message (or, with xpub_nodrop, nobody gets it until it has
/// room). XPUB shows its application the subscriptions as messages: a one or zero byte and the
/// topic; with xpub_manual they only count once the application repeats them by subscribe(). Other
/// messages of its peers wait for it as well; of each peer, and of all that have gone, no more than
/// receive_high_water_mark, or they are dropped. Once so much waits, a subscription that is taken
/// back before the application has seen it is not shown, unless it wants to see more than the first
/// and last of a topic.
class Pub final : public Pattern {
 public:
  Pub(SocketCore& socket, bool raw) : Pattern(socket), raw_(raw) {}
  bool attach(Peer& peer) override;
  void detach(Peer& peer) override;
  void readable(Peer& peer) override;
  Errc send(std::span<const Part> parts) override;
  Errc receive(Inbound& message) override;
  bool can_send() override { return true; }
  bool can_receive() override { return !pending_.empty(); }
  uint64_t room() override;
  Errc subscribe(std::string_view prefix, bool on) override;

 private:
  /// For the application: parts, and the subscriber they came from (null: gone).
  struct Upstream {
    std::vector<std::string> parts;
    Peer* peer;
    bool message;  ///< not a subscription
  };

  void take(Peer& peer, const Inbound& message);
  void take_subscription(Peer& peer, std::string_view topic, bool on);
  bool update(Peer& peer, std::string_view topic, bool on);
  void show(Peer* peer, std::string_view topic, bool on);
  bool take_back(const std::string& topic);
  void choose(std::string_view topic);
  Errc write(std::span<const Part> parts);
  Errc write_large(std::span<const Part> parts);
  bool steady();

  const bool raw_;
  SubIndex index_;  ///< who gets what
  SubIndex asked_;  ///< xpub_manual: who asked for what
  std::vector<Peer*> peers_;
  std::vector<Peer*> everything_;  ///< those that get every message unasked (Link::everything)
  std::vector<Peer*> chosen_;      ///< for the present message
  std::vector<Peer*> previous_;    ///< chosen_ for the message before
  int repeated_ = 0;               ///< how often in a row the choice was the same
  Lane lane_;
  uint64_t epoch_ = 0;  ///< numbers messages, see Peer::mark
  std::list<Upstream> pending_;
  /// By topic: the subscription in pending_ that nothing about the topic follows.
  std::unordered_map<std::string, std::list<Upstream>::iterator> unseen_;
  int orphans_ = 0;       ///< messages in pending_ of peers that have gone
  Upstream shown_{};      ///< what the application received last: its views
  Peer* last_ = nullptr;  ///< subscriber of that, for manual subscriptions
};

}  // namespace zerowire
