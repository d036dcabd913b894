#include "pgm/repair.hpp"

#include <algorithm>

namespace zerowire::pgm {
namespace {

/// What would be due within that time goes along with a NAK.
constexpr int64_t kSoon = kMillisecond / 4;

}  // namespace

// --- Holes ------------------------------------------------------------------------------------

/// Index of the hole that ends behind `sequence`: it contains it, or lies behind it.
std::size_t Repair::find(uint32_t sequence) const {
  std::size_t from = 0, to = holes_.size();
  if (to == 0 || distance(sequence, holes_[0].end()) < 0) return 0;
  if (distance(sequence, holes_[to - 1].first) >= 0) {
    return distance(sequence, holes_[to - 1].end()) < 0 ? to - 1 : to;
  }
  while (from < to) {
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
  stale_ = true;
}

/// The hole keeps its first `count` packets, the rest becomes one of its own behind it.
void Repair::split(std::size_t i, uint32_t count) {
  Hole rest = holes_[i];
  rest.first += count;
  rest.count -= count;
  rest.kicked -= std::min(rest.kicked, count);
  holes_[i].count = count;
  holes_[i].kicked = std::min(holes_[i].kicked, count);
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
  stale_ = true;
}

/// Takes one packet out of a hole.
void Repair::take(std::size_t i, uint32_t sequence) {
  if (i < active_) leave_active(holes_[i], 1);
  Hole& hole = holes_[i];
  if (hole.count == 1) return erase(i);
  if (sequence == hole.first) {
    ++hole.first;
    if (hole.kicked) --hole.kicked;
  } else if (sequence != hole.end() - 1) {
    split(i, sequence - hole.first + 1);
  }
  Hole& before = holes_[i];
  --before.count;
  before.kicked = std::min(before.kicked, before.count);
  stale_ = true;
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
  if (hole.stage != Stage::confirmed) return;
  if (hole.kicked) {
    kicks_.kicked(now - hole.kicked_at);
  } else if (now - hole.since < Kicks::kDelay) {
    kicks_.prompt();
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
    if (round_ <= now) round_ = now + timing_.draw_back_off();
    Hole& hole = holes_[active_++];
    hole.stage = Stage::back_off;
    hole.due = round_;
    outstanding_ += hole.count;
    stale_ = true;
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
    stale_ = true;
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
  stale_ = true;
}

// --- NAKs -------------------------------------------------------------------------------------

/// Calls `f` for the runs of the packet's sequence numbers.
template <class F>
void Repair::each_range(const Packet& packet, F&& f) {
  uint32_t first = packet.sequence, count = 1;
  for (std::size_t i = 0; i < packet.listed(); ++i) {
    const uint32_t sequence = packet.listed(i);
    if (sequence == first + count) {
      ++count;
      continue;
    }
    f(first, count);
    first = sequence;
    count = 1;
  }
  f(first, count);
}

/// Calls `f` for the holes in the range that are being asked for, cut to fit it.
template <class F>
void Repair::each_active(uint32_t first, uint32_t count, F&& f) {
  const uint32_t end = first + count;
  for (std::size_t i = std::max(find(first), lost_); i < active_; ++i) {
    if (distance(holes_[i].first, end) >= 0) return;
    if (distance(first, holes_[i].first) > 0) {
      split(i, first - holes_[i].first);
      ++i;
    }
    if (distance(holes_[i].end(), end) > 0) split(i, end - holes_[i].first);
    f(holes_[i]);
  }
}

void Repair::on_ncf(int64_t now, const Packet& packet) {
  const int64_t jitter = timing_.draw_jitter();
  each_range(packet, [&](uint32_t first, uint32_t count) { confirm(now, first, count, jitter); });
}

void Repair::on_foreign_nak(int64_t now, const Packet& packet) {
  const int64_t jitter = timing_.draw_jitter();
  each_range(packet, [&](uint32_t first, uint32_t count) { suppress(now, first, count, jitter); });
}

void Repair::confirm(int64_t now, uint32_t first, uint32_t count, int64_t jitter) {
  each_active(first, count, [&](Hole& hole) {
    if (hole.stage == Stage::confirmed) return;
    if (hole.stage == Stage::asked && hole.naks) {
      if (hole.naks == 1 && unheard_ < kUnheard) unheard_ = 0;
      // After a second NAK this may be the answer to the first: too short, never too long.
      const int64_t after = now - hole.since;
      if (!timing_.foreign(after)) {
        timing_.confirmed(after);
      } else if (hole.naks == 1) {
        timing_.collided(now);
      }
    }
    hole.stage = Stage::confirmed;
    hole.since = now;
    hole.due = now + timing_.data_wait(hole.naks) + jitter;
    hole.kicked = 0;
    stale_ = true;
  });
}

void Repair::suppress(int64_t now, uint32_t first, uint32_t count, int64_t jitter) {
  each_active(first, count, [&](Hole& hole) {
    if (hole.stage != Stage::back_off) return;
    hole.stage = Stage::asked;
    hole.since = now;
    hole.due = now + timing_.confirm_wait(hole.naks) + jitter;
    stale_ = true;
  });
}

void Repair::expire(int64_t now) {
  // At once: else the next part of a long hole would be asked for, and be lost, and so on.
  std::size_t old = lost_;
  while (old < holes_.size() && now - holes_[old].born >= recovery_) ++old;
  if (old > lost_) lose_before(now, holes_[old - 1].end(), LossCause::timeout);
  while (losses_ < holes_.size() && holes_[losses_].due <= now) {
    holes_[losses_++].stage = Stage::queued;
    stale_ = true;
  }
  activate(now);
}

bool Repair::next(int64_t now, Request& request) {
  if (timing_.ease(now)) unheard_ = 0;
  expire(now);
  bool due = false;
  if (deadline() <= now) {
    for (std::size_t i = lost_; i < active_ && !due; ++i) due = holes_[i].due <= now;
  }
  if (!due) return false;
  request = {};
  const int64_t soon = now + std::min(timing_.back_off() / 4, kSoon);
  const int64_t jitter = timing_.draw_jitter();
  bool late = false, unheard = false;
  for (std::size_t i = lost_; i < active_ && request.count < kMaxNakList; ++i) {
    if (holes_[i].due > soon) continue;
    const auto room = static_cast<uint32_t>(kMaxNakList - request.count);
    if (holes_[i].count > room) split(i, room);
    late = late || (holes_[i].stage == Stage::confirmed && holes_[i].kicked == 0);
    unheard = unheard || (holes_[i].stage == Stage::asked && holes_[i].naks);
    ask(now, holes_[i], jitter, request);
  }
  if (late) kicks_.late();
  if (unheard) ++unheard_;
  request.widely = unheard || unheard_ >= kUnheard;
  stale_ = true;
  return true;
}

void Repair::ask(int64_t now, Hole& hole, int64_t jitter, Request& request) {
  for (uint32_t k = 0; k < hole.count; ++k) request.sequences[request.count++] = hole.first + k;
  if (hole.naks < UINT8_MAX) ++hole.naks;
  hole.stage = Stage::asked;
  hole.since = now;
  hole.due = now + timing_.confirm_wait(hole.naks) + jitter;
}

int64_t Repair::kick_due(const Hole& hole) const {
  if (hole.stage != Stage::confirmed || hole.kicked == hole.count) return kNever;
  return hole.since + Kicks::kDelay;
}

uint32_t Repair::kicks(int64_t now, uint32_t most) {
  if (!kicks_.on() || timing_.announced()) return 0;
  uint32_t granted = 0;
  for (std::size_t i = lost_; i < active_ && granted < most; ++i) {
    Hole& hole = holes_[i];
    if (kick_due(hole) > now) continue;
    const uint32_t more = kicks_.grant(now, std::min(hole.count - hole.kicked, most - granted));
    if (more == 0) break;
    hole.kicked += more;
    hole.kicked_at = now;
    granted += more;
  }
  if (granted) stale_ = true;
  return granted;
}

/// Exact, so that nobody is woken in vain; computed again only after a change.
int64_t Repair::deadline() const {
  if (!stale_) return due_;
  stale_ = false;
  due_ = kNever;
  if (lost_ < holes_.size()) due_ = holes_[lost_].born + recovery_;
  if (losses_ < holes_.size()) due_ = std::min(due_, holes_[losses_].due);
  if (active_ < losses_ && outstanding_ < kOutstanding) due_ = std::min(due_, holes_[active_].due);
  int64_t kick = kNever;
  for (std::size_t i = lost_; i < active_; ++i) {
    due_ = std::min(due_, holes_[i].due);
    kick = std::min(kick, kick_due(holes_[i]));
  }
  if (kicks_.on() && !timing_.announced() && kick != kNever) {
    due_ = std::min(due_, std::max(kick, kicks_.next(kick)));
  }
  return due_;
}

}  // namespace zerowire::pgm
