#include "pattern/sub.hpp"

#include "socket_core.hpp"

namespace zerowire {

bool Sub::attach(Peer& peer) {
  peers_.push_back(&peer);
  Subscriptions& subscriptions = socket_.shared().subscriptions;
  if (peer.kind() == Peer::Kind::inproc) {
    // Only this thread changes the map, so reading needs no lock.
    for (const auto& [topic, times] : subscriptions.topics) peer.write_command("SUBSCRIBE", topic);
  } else {
    const std::lock_guard lock(subscriptions.mutex);
    std::erase(subscriptions.fresh, &peer.link());
  }
  return true;
}

void Sub::detach(Peer& peer) {
  readers_.remove(peer);
  std::erase(peers_, &peer);
}

Errc Sub::subscribe(std::string_view prefix, bool on) {
  Subscriptions& subscriptions = socket_.shared().subscriptions;
  std::vector<Link*> links;
  {
    const std::lock_guard lock(subscriptions.mutex);
    if (!count(prefix, on)) return Errc::ok;
    links = subscriptions.fresh;
    for (Peer* peer : peers_) {
      if (peer->kind() != Peer::Kind::inproc) links.push_back(&peer->link());
    }
    for (Link* link : links) link->changes.push_back({on, std::string(prefix)});
  }
  for (Link* link : links) link->ends[1].notify(kSubs);
  for (Peer* peer : peers_) {
    if (peer->kind() != Peer::Kind::inproc) continue;
    peer->write_command(on ? "SUBSCRIBE" : "CANCEL", prefix);
  }
  return Errc::ok;
}

/// True when peers have to hear of it: repeated subscriptions too (XPUB shows them), but of
/// unsubscriptions only the last.
bool Sub::count(std::string_view prefix, bool on) {
  auto& topics = socket_.shared().subscriptions.topics;
  const auto found = topics.find(prefix);
  if (on) {
    if (found == topics.end())
      topics.emplace(prefix, 1);
    else
      ++found->second;
    own_.add(prefix, nullptr);
    all_ |= prefix.empty();
    return true;
  }
  if (found == topics.end() || --found->second > 0) return false;
  topics.erase(found);
  own_.remove(prefix, nullptr);
  if (prefix.empty()) all_ = false;
  return true;
}

Errc Sub::send(std::span<const Part> parts) {
  if (!raw_) return Errc::not_supported;
  const std::string_view first(parts[0].data, parts[0].size);
  if (parts.size() == 1 && !first.empty() && (first[0] == 0 || first[0] == 1)) {
    return subscribe(first.substr(1), first[0] == 1);
  }
  for (Peer* peer : peers_) {
    if (peer->has_room() && !peer->write(parts, peers_.size() == 1)) return Errc::no_memory;
  }
  return Errc::ok;
}

Errc Sub::receive(Inbound& message) {
  while (readers_.receive(message)) {
    if (wants_all() || wanted(message.frames[0])) return Errc::ok;
    message.frames.clear();
  }
  return Errc::again;
}

bool Sub::wants_all() const { return raw_ || (all_ && !socket_.options().invert_matching); }

bool Sub::wanted(const FrameView& topic) const {
  bool matches = false;
  own_.match({topic.data, topic.size}, [&matches](Peer*) { matches = true; });
  return matches != socket_.options().invert_matching;
}

}  // namespace zerowire
