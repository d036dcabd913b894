// SubIndex: which subscribers want a message, by prefix.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "pattern/prefixhash.hpp"

namespace zerowire {

class Peer;

/// Prefix -> set of subscribers. Matching looks each distinct prefix length up once in a hash
/// table (one rolling pass over the topic), so it costs O(distinct lengths), independent of the
/// number of subscriptions. A subscriber counts once per prefix however often it subscribed.
/// Not synchronised: belongs to one socket. Callbacks must not change the index.
class SubIndex {
 public:
  /// True when the prefix was not subscribed by anybody before.
  bool add(std::string_view prefix, Peer* peer);
  enum class Removed { absent, others_left, last };
  Removed remove(std::string_view prefix, Peer* peer);
  /// Removes a subscriber; calls fn(prefix) for each prefix that nobody wants any more.
  template <class Fn>
  void remove_peer(Peer* peer, Fn fn);
  /// Calls fn(Peer*) for each subscription that is a prefix of the topic: a peer with several
  /// matching prefixes is seen several times (callers mark).
  template <class Fn>
  void match(std::string_view topic, Fn fn) const;
  /// Distinct prefixes subscribed by anybody.
  size_t prefixes() const { return used_; }

 private:
  static constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();

  /// A subscription is written down twice, at its prefix and at its peer, and each note tells the
  /// place of the other, so that taking one out does not search for the other.
  struct Subscriber {
    Peer* peer;
    uint32_t place;  ///< in peers_[peer]
  };
  struct Wish {
    uint32_t entry;
    uint32_t place;  ///< in entries_[entry].subscribers
  };
  struct Entry {
    uint64_t hash = 0;
    std::string prefix;
    std::vector<Subscriber> subscribers;
  };
  /// One of the places of the open-addressing table; `tag` saves looking at entries of other hash.
  struct Slot {
    uint32_t tag = 0;
    uint32_t entry = kNone;
  };
  struct Length {
    size_t length;
    size_t prefixes;
  };

  static uint32_t tag_of(uint64_t hash) { return static_cast<uint32_t>(hash >> 32); }
  uint32_t find(uint64_t hash, std::string_view prefix) const;
  uint32_t find(std::string_view prefix) const;
  uint32_t insert(std::string_view prefix);
  void erase(uint32_t index);
  void place_slot(uint64_t hash, uint32_t index);
  void clear_slot(uint32_t index);
  void grow();
  void count_length(size_t length, bool more);
  /// The place of `peer` among the entry's subscribers, or kNone.
  uint32_t place_of(uint32_t index, Peer* peer, const std::vector<Wish>& wishes) const;
  void detach(std::vector<Wish>& wishes, uint32_t place);

  std::vector<Entry> entries_;   ///< some unused, see free_
  std::vector<uint32_t> free_;   ///< indices of unused entries
  std::vector<Slot> slots_;      ///< a power of two, at most half of them in use
  std::vector<Length> lengths_;  ///< of the prefixes but "", ascending
  std::unordered_map<Peer*, std::vector<Wish>> peers_;
  uint32_t empty_ = kNone;  ///< the entry of "", which needs no look-up
  size_t used_ = 0;
  PrefixHashSeed seed_ = PrefixHashSeed::random();
};

template <class Fn>
void SubIndex::remove_peer(Peer* peer, Fn fn) {
  const auto found = peers_.find(peer);
  if (found == peers_.end()) return;
  std::vector<Wish>& wishes = found->second;
  while (!wishes.empty()) {
    const uint32_t index = wishes.back().entry;
    detach(wishes, static_cast<uint32_t>(wishes.size() - 1));
    if (!entries_[index].subscribers.empty()) continue;
    fn(std::string_view(entries_[index].prefix));
    erase(index);
  }
  peers_.erase(found);
}

template <class Fn>
void SubIndex::match(std::string_view topic, Fn fn) const {
  if (empty_ != kNone) {
    for (const Subscriber& subscriber : entries_[empty_].subscribers) fn(subscriber.peer);
  }
  PrefixHash rolling(seed_, topic);
  for (const Length& length : lengths_) {
    if (length.length > topic.size()) return;
    const uint32_t index = find(rolling.of_first(length.length), topic.substr(0, length.length));
    if (index == kNone) continue;
    for (const Subscriber& subscriber : entries_[index].subscribers) fn(subscriber.peer);
  }
}

}  // namespace zerowire
