#include "pgm/repair.hpp"

#include <algorithm>

namespace zerowire::pgm {

/// Index of the hole that ends behind `sequence`: it contains it, or lies behind it.
std::size_t Repair::find(uint32_t sequence) const {
  std::size_t from = 0, to = holes_.size();
  ++visits_;
  if (to == 0 || distance(sequence, holes_[0].end()) < 0) return 0;
  if (distance(sequence, holes_[to - 1].first) >= 0) {
    return distance(sequence, holes_[to - 1].end()) < 0 ? to - 1 : to;
  }
  while (from < to) {
    ++visits_;
    const std::size_t middle = from + (to - from) / 2;
    if (distance(holes_[middle].end(), sequence) <= 0) {
      from = middle + 1;
    } else {
      to = middle;
    }
  }
  return from;
}

bool Repair::missing(uint32_t sequence) const {
  const std::size_t i = find(sequence);
  return i < holes_.size() && distance(sequence, holes_[i].first) >= 0;
}

void Repair::add(int64_t now, uint32_t first, uint32_t count) {
  Hole hole{};
  hole.first = first;
  hole.count = count;
  hole.born = now;
  hole.due = now + timing_.reorder_time();
  holes_.push_back(hole);
}

/// The hole keeps its first `count` packets, the rest becomes one of its own behind it.
void Repair::split(std::size_t i, uint32_t count) {
  Hole rest = holes_[i];
  rest.first += count;
  rest.count -= count;
  holes_[i].count = count;
  if (i >= lost_ && i < active_) dues_.push(rest.due, rest.first);
  holes_.insert(i + 1, rest);
  if (i < lost_) ++lost_;
  if (i < active_) ++active_;
  if (i < losses_) ++losses_;
}

void Repair::erase(std::size_t i) {
  holes_.erase(i);
  if (i < lost_) --lost_;
  if (i < active_) --active_;
  if (i < losses_) --losses_;
}

/// `count` packets of the hole are not being asked for any more.
void Repair::leave_active(const Hole& hole, uint32_t count) {
  if (is_lost(hole)) return;
  outstanding_ -= count;
  if (hole.stage == Stage::confirmed) confirmed_ -= count;
}

/// Takes one packet out of a hole.
void Repair::take(std::size_t i, uint32_t sequence) {
  if (i < active_) leave_active(holes_[i], 1);
  Hole& hole = holes_[i];
  if (hole.count == 1) return erase(i);
  if (sequence == hole.first) {
    ++hole.first;
  } else if (sequence != hole.end() - 1) {
    split(i, sequence - hole.first + 1);
  }
  --holes_[i].count;
}

void Repair::fill(int64_t now, uint32_t sequence, bool as_repair) {
  const std::size_t i = find(sequence);
  learn(now, holes_[i], sequence, as_repair);
  take(i, sequence);
  activate(now);
}

void Repair::learn(int64_t now, const Hole& hole, uint32_t sequence, bool as_repair) {
  if (!as_repair) {
    if (hole.naks) timing_.reordered(now - hole.born);
    return;
  }
  repaired_[repairs_++ % kRemembered] = sequence;
  if (hole.stage != Stage::confirmed && (hole.stage != Stage::asked || hole.naks == 0)) return;
  // As with NCFs: perhaps too short.
  timing_.repaired(now - hole.since);
  if (hole.stage == Stage::confirmed) {
    kicks_.repaired(now, hole.since, timing_.round_trip());
  }
}

void Repair::again(uint32_t sequence, bool as_repair) {
  if (as_repair) return;
  const std::size_t known = std::min(repairs_, kRemembered);
  for (std::size_t i = 0; i < known; ++i) {
    if (repaired_[i] == sequence) return timing_.reordered(0);
  }
}

void Repair::later(int64_t now, uint32_t lead) {
  const std::size_t before = losses_;
  const auto enough = static_cast<int32_t>(timing_.reorder_packets());
  while (losses_ < holes_.size()) {
    Hole& hole = holes_[losses_];
    if (hole.due > now && distance(lead, hole.end() - 1) < enough) break;
    hole.stage = Stage::queued;
    ++losses_;
  }
  if (losses_ != before) activate(now);
}

/// Lets losses into the back-off while not too much is being asked for.
void Repair::activate(int64_t now) {
  while (active_ < losses_ && outstanding_ < kOutstanding) {
    const uint32_t room = kOutstanding - outstanding_;
    if (holes_[active_].count > room) split(active_, room);
    ++visits_;
    if (round_ <= now) round_ = now + timing_.draw_back_off();
    Hole& hole = holes_[active_++];
    hole.stage = Stage::back_off;
    set_due(hole, round_);
    outstanding_ += hole.count;
  }
}

void Repair::lose_before(int64_t now, uint32_t end, LossCause cause) {
  while (lost_ < holes_.size() && distance(holes_[lost_].first, end) < 0) {
    if (distance(holes_[lost_].end(), end) > 0) split(lost_, end - holes_[lost_].first);
    Hole& hole = holes_[lost_];
    if (lost_ < active_) leave_active(hole, hole.count);
    hole.stage = Stage::lost;
    hole.cause = cause;
    ++lost_;
    active_ = std::max(active_, lost_);
    losses_ = std::max(losses_, lost_);
    join_lost();
  }
  activate(now);
}

/// What is lost bit by bit stays one hole.
void Repair::join_lost() {
  if (lost_ < 2) return;
  const Hole last = holes_[lost_ - 1];
  Hole& before = holes_[lost_ - 2];
  if (before.end() != last.first || before.cause != last.cause) return;
  before.count += last.count;
  erase(lost_ - 1);
}

void Repair::pop_front() {
  if (active_) leave_active(holes_[0], holes_[0].count);
  erase(0);
}

void Repair::forget_from(uint32_t sequence) {
  std::size_t i = find(sequence);
  if (i == holes_.size()) return;
  if (distance(sequence, holes_[i].first) > 0) {
    split(i, sequence - holes_[i].first);
    ++i;
  }
  for (std::size_t k = i; k < active_; ++k) leave_active(holes_[k], holes_[k].count);
  holes_.cut(i);
  lost_ = std::min(lost_, i);
  active_ = std::min(active_, i);
  losses_ = std::min(losses_, i);
  if (active_ == lost_) dues_.clear();
}

}  // namespace zerowire::pgm
