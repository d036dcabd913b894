#include <algorithm>

#include "pgm/repair.hpp"

namespace zerowire::pgm {
namespace {

/// What would be due within that time goes along with a NAK.
constexpr int64_t kSoon = kMillisecond / 4;
/// Entries of the queue that need not hold any more.
constexpr std::size_t kMostStale = 1024;

}  // namespace

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

/// Calls `f` for the holes in the range that are being asked for, cut to fit it. The range is what
/// a packet says: only the part of it that lies among these holes has a place in their order.
template <class F>
void Repair::each_active(uint32_t first, uint32_t count, F&& f) {
  if (lost_ == active_) return;
  const uint32_t from = holes_[lost_].first, span = holes_[active_ - 1].end() - from;
  if (first - from >= span) {
    if (from - first >= count) return;
    count -= from - first;
    first = from;
  }
  const uint32_t end = first + std::min(count, span - (first - from));
  for (std::size_t i = std::max(find(first), lost_); i < active_; ++i) {
    ++visits_;
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
    if (!hole.naks) timing_.company(now);
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
    await_data(now, hole, jitter);
  });
}

void Repair::await_data(int64_t now, Hole& hole, int64_t jitter) {
  kicks_.confirmed(now, confirmed_ != 0);
  hole.stage = Stage::confirmed;
  hole.since = now;
  confirmed_ += hole.count;
  set_due(hole, now + data_wait(hole) + jitter);
}

/// A source that repairs one packet after the other is given the time for those before.
int64_t Repair::data_wait(const Hole& hole) const {
  if (!kicking() || !kicks_.help()) return timing_.data_wait(hole.naks);
  return timing_.kicked_data_wait(hole.naks) + kicks_.queue_time(confirmed_);
}

void Repair::suppress(int64_t now, uint32_t first, uint32_t count, int64_t jitter) {
  each_active(first, count, [&](Hole& hole) {
    if (hole.stage != Stage::back_off) return;
    hole.stage = Stage::asked;
    hole.since = now;
    set_due(hole, now + timing_.confirm_wait(hole.naks) + jitter);
  });
}

void Repair::expire(int64_t now) {
  // At once: else the next part of a long hole would be asked for, and be lost, and so on.
  std::size_t old = lost_;
  while (old < holes_.size() && now - holes_[old].born >= recovery_) ++old;
  if (old > lost_) lose_before(now, holes_[old - 1].end(), LossCause::timeout);
  while (losses_ < holes_.size() && holes_[losses_].due <= now) {
    holes_[losses_++].stage = Stage::queued;
  }
  activate(now);
}

bool Repair::next(int64_t now, Request& request) {
  if (timing_.ease(now)) unheard_ = 0;
  expire(now);
  std::size_t i = first_due();
  if (i == kNone || holes_[i].due > now) return false;
  request.count = 0;
  const int64_t soon = now + std::min(timing_.back_off() / 4, kSoon);
  const int64_t jitter = timing_.draw_jitter();
  bool unheard = false;
  for (; i != kNone && holes_[i].due <= soon && request.count < kMaxNakList; i = first_due()) {
    dues_.pop();
    const auto room = static_cast<uint32_t>(kMaxNakList - request.count);
    if (holes_[i].count > room) split(i, room);
    if (holes_[i].stage == Stage::confirmed) kicks_.late(holes_[i].since);
    unheard = unheard || (holes_[i].stage == Stage::asked && holes_[i].naks);
    ask(now, holes_[i], jitter, request);
  }
  std::sort(request.sequences, request.sequences + request.count,
            [](uint32_t a, uint32_t b) { return distance(a, b) < 0; });
  if (unheard) ++unheard_;
  request.widely = unheard || unheard_ >= kUnheard;
  return true;
}

void Repair::ask(int64_t now, Hole& hole, int64_t jitter, Request& request) {
  for (uint32_t k = 0; k < hole.count; ++k) request.sequences[request.count++] = hole.first + k;
  if (hole.naks < UINT8_MAX) ++hole.naks;
  if (hole.stage == Stage::confirmed) confirmed_ -= hole.count;
  hole.stage = Stage::asked;
  hole.since = now;
  set_due(hole, now + timing_.confirm_wait(hole.naks) + jitter);
}

bool Repair::kick(int64_t now) {
  if (!kicking() || kicks_.due() > now) return false;
  kicks_.sent(now, confirmed_);
  return true;
}

// --- Time -------------------------------------------------------------------------------------

void Repair::set_due(Hole& hole, int64_t due) {
  hole.due = due;
  dues_.push(due, hole.first);
  if (dues_.size() > kMostStale + 2 * (active_ - lost_)) rebuild_dues();
}

/// Most entries do not hold any more.
void Repair::rebuild_dues() {
  dues_.clear();
  for (std::size_t i = lost_; i < active_; ++i) dues_.push(holes_[i].due, holes_[i].first);
  visits_ += active_ - lost_;
}

/// Index of the hole that is due first among those being asked for; its entry is the first then.
std::size_t Repair::first_due() const {
  for (; !dues_.empty(); dues_.pop()) {
    const DueQueue::Entry& entry = dues_.first();
    const std::size_t i = find(entry.sequence);
    if (i >= lost_ && i < active_ && holes_[i].due == entry.due) return i;
  }
  return kNone;
}

/// Exact, so that nobody is woken in vain.
int64_t Repair::deadline() const {
  int64_t due = kNever;
  if (lost_ < holes_.size()) due = holes_[lost_].born + recovery_;
  if (losses_ < holes_.size()) due = std::min(due, holes_[losses_].due);
  if (active_ < losses_ && outstanding_ < kOutstanding) due = std::min(due, holes_[active_].due);
  const std::size_t first = first_due();
  if (first != kNone) due = std::min(due, holes_[first].due);
  if (kicking()) due = std::min(due, kicks_.due());
  return due;
}

}  // namespace zerowire::pgm
