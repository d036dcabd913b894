// The hash table and the cross references of SubIndex.
#include "pattern/subindex.hpp"

#include <algorithm>

namespace zerowire {
namespace {

constexpr size_t kFirstSlots = 16;

}  // namespace

bool SubIndex::add(std::string_view prefix, Peer* peer) {
  std::vector<Wish>& wishes = peers_[peer];
  uint32_t index = find(prefix);
  const bool fresh = index == kNone;
  if (fresh) {
    index = insert(prefix);
  } else if (place_of(index, peer, wishes) != kNone) {
    return false;
  }
  std::vector<Subscriber>& subscribers = entries_[index].subscribers;
  subscribers.push_back({peer, static_cast<uint32_t>(wishes.size())});
  wishes.push_back({index, static_cast<uint32_t>(subscribers.size() - 1)});
  return fresh;
}

SubIndex::Removed SubIndex::remove(std::string_view prefix, Peer* peer) {
  const auto found = peers_.find(peer);
  const uint32_t index = find(prefix);
  if (found == peers_.end() || index == kNone) return Removed::absent;
  const uint32_t place = place_of(index, peer, found->second);
  if (place == kNone) return Removed::absent;
  detach(found->second, entries_[index].subscribers[place].place);
  if (found->second.empty()) peers_.erase(found);
  if (!entries_[index].subscribers.empty()) return Removed::others_left;
  erase(index);
  return Removed::last;
}

/// Searches the shorter of the two lists that could tell.
uint32_t SubIndex::place_of(uint32_t index, Peer* peer, const std::vector<Wish>& wishes) const {
  const std::vector<Subscriber>& subscribers = entries_[index].subscribers;
  if (wishes.size() < subscribers.size()) {
    for (const Wish& wish : wishes) {
      if (wish.entry == index) return wish.place;
    }
    return kNone;
  }
  for (size_t place = 0; place < subscribers.size(); ++place) {
    if (subscribers[place].peer == peer) return static_cast<uint32_t>(place);
  }
  return kNone;
}

/// Takes one wish out of its peer's list and of its prefix' list; the last of each fills the gap.
void SubIndex::detach(std::vector<Wish>& wishes, uint32_t place) {
  const Wish gone = wishes[place];
  std::vector<Subscriber>& subscribers = entries_[gone.entry].subscribers;
  const Subscriber moved = subscribers.back();
  subscribers[gone.place] = moved;
  subscribers.pop_back();
  if (gone.place < subscribers.size()) peers_[moved.peer][moved.place].place = gone.place;

  const Wish last = wishes.back();
  wishes[place] = last;
  wishes.pop_back();
  if (place < wishes.size()) entries_[last.entry].subscribers[last.place].place = place;
}

uint32_t SubIndex::find(std::string_view prefix) const {
  if (prefix.empty()) return empty_;
  return find(PrefixHash(seed_, prefix).of_first(prefix.size()), prefix);
}

uint32_t SubIndex::find(uint64_t hash, std::string_view prefix) const {
  const size_t mask = slots_.size() - 1;
  if (slots_.empty()) return kNone;
  for (size_t at = hash & mask; slots_[at].entry != kNone; at = (at + 1) & mask) {
    if (slots_[at].tag != tag_of(hash)) continue;
    const Entry& entry = entries_[slots_[at].entry];
    if (entry.hash == hash && entry.prefix == prefix) return slots_[at].entry;
  }
  return kNone;
}

uint32_t SubIndex::insert(std::string_view prefix) {
  uint32_t index = static_cast<uint32_t>(entries_.size());
  if (free_.empty()) {
    entries_.emplace_back();
  } else {
    index = free_.back();
    free_.pop_back();
  }
  Entry& entry = entries_[index];
  entry.prefix = prefix;
  ++used_;
  if (prefix.empty()) {
    empty_ = index;
    return index;
  }
  entry.hash = PrefixHash(seed_, prefix).of_first(prefix.size());
  if (slots_.size() < 2 * used_) grow();
  place_slot(entry.hash, index);
  count_length(prefix.size(), true);
  return index;
}

void SubIndex::erase(uint32_t index) {
  Entry& entry = entries_[index];
  if (entry.prefix.empty()) {
    empty_ = kNone;
  } else {
    clear_slot(index);
    count_length(entry.prefix.size(), false);
  }
  entry = {};
  free_.push_back(index);
  --used_;
}

void SubIndex::place_slot(uint64_t hash, uint32_t index) {
  const size_t mask = slots_.size() - 1;
  size_t at = hash & mask;
  while (slots_[at].entry != kNone) at = (at + 1) & mask;
  slots_[at] = {tag_of(hash), index};
}

/// Empties the entry's slot and moves later ones of the run up, so that no run has a gap.
void SubIndex::clear_slot(uint32_t index) {
  const size_t mask = slots_.size() - 1;
  size_t gap = entries_[index].hash & mask;
  while (slots_[gap].entry != index) gap = (gap + 1) & mask;
  for (size_t at = (gap + 1) & mask; slots_[at].entry != kNone; at = (at + 1) & mask) {
    const size_t home = entries_[slots_[at].entry].hash & mask;
    // It may move back to the gap unless that lies before its home.
    if (((at - home) & mask) < ((at - gap) & mask)) continue;
    slots_[gap] = slots_[at];
    gap = at;
  }
  slots_[gap] = {};
}

void SubIndex::grow() {
  std::vector<Slot> old(std::max(kFirstSlots, 2 * slots_.size()));
  old.swap(slots_);
  for (const Slot& slot : old) {
    if (slot.entry != kNone) place_slot(entries_[slot.entry].hash, slot.entry);
  }
}

void SubIndex::count_length(size_t length, bool more) {
  auto at = std::lower_bound(lengths_.begin(), lengths_.end(), length,
                             [](const Length& a, size_t b) { return a.length < b; });
  if (more) {
    if (at == lengths_.end() || at->length != length) at = lengths_.insert(at, {length, 0});
    ++at->prefixes;
  } else if (--at->prefixes == 0) {
    lengths_.erase(at);
  }
}

}  // namespace zerowire
