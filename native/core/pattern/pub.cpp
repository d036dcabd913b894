#include "pattern/pub.hpp"

#include <algorithm>
#include <iterator>

#include "base/buffer.hpp"
#include "socket_core.hpp"
#include "zmtp/mechanism.hpp"

namespace zerowire {
namespace {

/// A peer that floods us gives way to the others after so many messages.
constexpr int kTurn = 4096;
constexpr int kSteady = 3;

}  // namespace

bool Pub::attach(Peer& peer) {
  (peer.link().everything ? everything_ : peers_).push_back(&peer);
  const std::string& welcome = socket_.options().xpub_welcome_message;
  const Part part{welcome.data(), welcome.size()};
  return welcome.empty() || peer.write({&part, 1});
}

void Pub::detach(Peer& peer) {
  std::erase(peers_, &peer);
  std::erase(everything_, &peer);
  std::erase(chosen_, &peer);
  previous_.clear();
  // What it has sent is still received, but no more of all that have gone than of one.
  const int mark = socket_.options().receive_high_water_mark;
  const bool keep = mark == 0 || orphans_ + peer.unheard <= mark;
  if (keep) orphans_ += peer.unheard;
  std::erase_if(pending_, [&](Upstream& upstream) {
    if (upstream.peer != &peer) return false;
    upstream.peer = nullptr;
    return upstream.message && !keep;
  });
  if (last_ == &peer) last_ = nullptr;
  const bool manual = socket_.options().xpub_manual;
  const auto gone = [this](std::string_view topic) {
    if (raw_) show(nullptr, topic, false);
  };
  if (manual) {
    index_.remove_peer(&peer, [](std::string_view) {});
    asked_.remove_peer(&peer, gone);
  } else {
    index_.remove_peer(&peer, gone);
  }
}

void Pub::readable(Peer& peer) {
  Inbound message;
  for (int i = 0; i < kTurn; ++i) {
    message.frames.clear();
    const Peer::Read result = peer.read(message);
    if (result == Peer::Read::none && peer.rest()) return;
    if (result == Peer::Read::none) continue;
    if (result == Peer::Read::ended) return socket_.remove(peer);
    take(peer, message);
    peer.retire();
  }
  peer.post_again();
}

void Pub::take(Peer& peer, const Inbound& message) {
  const std::string_view first(message.frames[0].data, message.frames[0].size);
  if (peer.command()) {
    std::string_view name, topic;
    if (split_command(first, name, topic)) take_subscription(peer, topic, name == "SUBSCRIBE");
    return;
  }
  if (!first.empty() && (first[0] == 0 || first[0] == 1)) {
    return take_subscription(peer, first.substr(1), first[0] == 1);
  }
  const int mark = socket_.options().receive_high_water_mark;
  if (!raw_ || (mark > 0 && peer.unheard >= mark)) return;
  Upstream upstream{{}, &peer, true};
  for (const FrameView& frame : message.frames) upstream.parts.emplace_back(frame.data, frame.size);
  pending_.push_back(std::move(upstream));
  ++peer.unheard;
}

void Pub::take_subscription(Peer& peer, std::string_view topic, bool on) {
  const bool news = update(peer, topic, on);
  if (raw_ && (news || socket_.options().xpub_manual)) show(&peer, topic, on);
}

/// True when the application should see it.
bool Pub::update(Peer& peer, std::string_view topic, bool on) {
  const SocketOptions& options = socket_.options();
  SubIndex& index = options.xpub_manual ? asked_ : index_;
  if (on) return index.add(topic, &peer) || options.xpub_verbose;
  const SubIndex::Removed removed = index.remove(topic, &peer);
  return removed == SubIndex::Removed::last || options.xpub_verboser;
}

void Pub::show(Peer* peer, std::string_view topic, bool on) {
  const std::string key(topic);
  if (!on && take_back(key)) return;
  Upstream upstream{{std::string(1, on ? '\1' : '\0')}, peer, false};
  upstream.parts[0].append(topic);
  pending_.push_back(std::move(upstream));
  if (!on) {
    unseen_.erase(key);
  } else if (!unseen_.try_emplace(key, std::prev(pending_.end())).second) {
    unseen_[key] = pending_.end();  // shown twice, by an option that may be gone later
  }
}

/// False: the end of the subscription has to be shown.
bool Pub::take_back(const std::string& topic) {
  const SocketOptions& options = socket_.options();
  const auto mark = static_cast<std::size_t>(options.receive_high_water_mark);
  if (mark == 0 || pending_.size() < mark) return false;
  if (options.xpub_manual || options.xpub_verbose || options.xpub_verboser) return false;
  const auto found = unseen_.find(topic);
  if (found == unseen_.end() || found->second == pending_.end()) return false;
  pending_.erase(found->second);
  unseen_.erase(found);
  return true;
}

Errc Pub::receive(Inbound& message) {
  if (!raw_) return Errc::not_supported;
  if (pending_.empty()) return Errc::again;
  const auto first = pending_.begin();
  if (!first->message) {
    const auto found = unseen_.find(first->parts[0].substr(1));
    if (found != unseen_.end() && found->second == first) unseen_.erase(found);
  }
  shown_ = std::move(*first);
  pending_.erase(first);
  last_ = shown_.peer;
  if (shown_.message) --(last_ ? last_->unheard : orphans_);
  for (const std::string& part : shown_.parts) {
    message.frames.push_back({part.data(), part.size(), nullptr});
  }
  return Errc::ok;
}

Errc Pub::subscribe(std::string_view prefix, bool on) {
  if (!raw_ || !socket_.options().xpub_manual) return Errc::not_supported;
  if (!last_) return Errc::ok;  // that subscriber is gone
  if (on)
    index_.add(prefix, last_);
  else
    index_.remove(prefix, last_);
  return Errc::ok;
}

/// Fills chosen_ with the peers that want the topic.
void Pub::choose(std::string_view topic) {
  chosen_ = everything_;
  ++epoch_;
  const bool invert = socket_.options().invert_matching;
  index_.match(topic, [this, invert](Peer* peer) {
    if (peer->mark == epoch_) return;
    peer->mark = epoch_;
    if (!invert) chosen_.push_back(peer);
  });
  if (!invert) return;
  for (Peer* peer : peers_) {
    if (peer->mark != epoch_) chosen_.push_back(peer);
  }
}

Errc Pub::send(std::span<const Part> parts) {
  choose({parts[0].data, parts[0].size});
  if (socket_.options().xpub_nodrop) {
    for (Peer* peer : chosen_) {
      if (peer->open() && !peer->room()) return Errc::again;
    }
  }
  if (chosen_.size() < 2) return write(parts);
  const auto large = [](const Part& part) { return !part.buffer && part.size >= kReferenceFrom; };
  return std::any_of(parts.begin(), parts.end(), large) ? write_large(parts) : write(parts);
}

/// Large bodies are copied once and shared by all.
Errc Pub::write_large(std::span<const Part> parts) {
  std::vector<Part> shared(parts.begin(), parts.end());
  std::vector<Buffer*> copies;
  bool ok = true;
  for (Part& part : shared) {
    if (part.buffer || part.size < kReferenceFrom) continue;
    Buffer* copy = Buffer::create(part.size);
    ok = ok && copy;
    if (!copy) continue;
    std::memcpy(copy->data(), part.data, part.size);
    part = {copy->data(), part.size, copy};
    copies.push_back(copy);
  }
  const Errc result = ok ? write(shared) : Errc::no_memory;
  for (Buffer* copy : copies) copy->unref();
  return result;
}

/// The same peers have been chosen for some messages: those to come will go to them as well, so
/// that the pipes refer to long stretches of the lane.
bool Pub::steady() {
  const bool same = chosen_ == previous_;
  repeated_ = same ? std::min(repeated_ + 1, kSteady) : 0;
  if (!same) previous_ = chosen_;
  return repeated_ == kSteady;
}

Errc Pub::write(std::span<const Part> parts) {
  const bool alone = chosen_.size() == 1;
  const Lane::Bytes shared = chosen_.size() > 1 && steady() ? lane_.add(parts) : Lane::Bytes();
  Errc result = Errc::ok;
  for (Peer* peer : chosen_) {
    if (!peer->has_room()) continue;
    const bool ok =
        shared.buffer && peer->can_share() ? peer->write_shared(shared) : peer->write(parts, alone);
    if (!ok) result = Errc::no_memory;
  }
  return result;
}

uint64_t Pub::room() { return socket_.options().xpub_nodrop ? 0 : UINT64_MAX; }

}  // namespace zerowire
