#include "pgm/receiver_delivery.hpp"

#include <algorithm>

namespace zerowire::pgm {

void Delivery::start(uint32_t next) {
  window_.clear();
  if (!repair_.empty()) repair_.forget_from(repair_.front().first);
  next_ = next;
  lead_ = data_lead_ = next - 1;
}

bool Delivery::take(int64_t now, uint32_t sequence, std::string_view tsdu, bool as_repair) {
  if (sequence == next_ && sequence == lead_ + 1 && !blocked_) {
    lead_ = data_lead_ = sequence;
    if (offer(tsdu)) {
      ++next_;
    } else {
      keep(now, sequence, tsdu);
    }
    return true;
  }
  const bool ahead = distance(sequence, lead_) > 0;
  if (!ahead && !repair_.missing(sequence)) {
    repair_.again(sequence, as_repair);
    return false;
  }
  const bool at_once = sequence == next_ && !blocked_;
  if (!at_once && !window_.put(sequence, tsdu)) return false;
  if (ahead) {
    if (sequence != lead_ + 1) repair_.add(now, lead_ + 1, sequence - lead_ - 1);
    lead_ = sequence;
  } else {
    repair_.fill(now, sequence, as_repair);
  }
  if (distance(sequence, data_lead_) > 0) data_lead_ = sequence;
  if (at_once) {
    if (offer(tsdu)) {
      ++next_;
    } else {
      keep(now, sequence, tsdu);
    }
    pump();
  }
  repair_.later(now, data_lead_);
  evict(now);
  return true;
}

void Delivery::claim(int64_t now, uint32_t lead) {
  if (distance(lead, lead_) <= 0 || lead - next_ > kMostAhead) return;
  repair_.add(now, lead_ + 1, lead - lead_);
  lead_ = lead;
}

void Delivery::retract(uint32_t lead) {
  if (distance(lead, next_ - 1) < 0) lead = next_ - 1;
  if (distance(lead_, lead) <= 0) return;
  repair_.forget_from(lead + 1);
  window_.release_from(lead + 1);
  lead_ = lead;
  if (distance(data_lead_, lead) > 0) data_lead_ = lead;
  pump();
}

void Delivery::trail(int64_t now, uint32_t trail) {
  if (distance(trail, next_) <= 0 || repair_.empty()) return;
  repair_.lose_before(now, trail, LossCause::window);
  pump();
}

void Delivery::restart(int64_t now, uint32_t next) {
  repair_.lose_before(now, lead_ + 1, LossCause::restart);
  pump();
  if (next_ != lead_ + 1) drop(lead_ + 1 - next_);
  start(next);
  if (blocked_) {
    if (!owed_) owed_first_ = next;
    owed_ = true;
    owed_cause_ = LossCause::restart;
  } else if (!told_restart_) {
    report(next, 0, LossCause::restart);
  }
}

void Delivery::pump() {
  while (!blocked_ && !in_sink_ && next_ != lead_ + 1) {
    if (next_is_missing()) {
      if (!report_lost()) return;
    } else {
      if (!offer(window_.at(next_))) return;
      window_.release(next_++);
    }
  }
}

void Delivery::resume(int64_t now) {
  if (in_sink_) return;
  blocked_ = false;
  if (owed_) {
    owed_ = false;
    report(owed_first_, owed_count_, owed_cause_);
    owed_count_ = 0;
    owed_cause_ = LossCause::slow_consumer;
  }
  pump();
  evict(now);
}

bool Delivery::offer(std::string_view tsdu) {
  in_sink_ = true;
  blocked_ = !sink_.on_tsdu(tsdu);
  in_sink_ = false;
  if (!blocked_) told_restart_ = false;
  return !blocked_;
}

/// The sink had no room for the next packet: it is held, or dropped if there is no memory.
void Delivery::keep(int64_t now, uint32_t sequence, std::string_view tsdu) {
  if (!window_.put(sequence, tsdu)) drop(1);
  evict(now);
}

/// Steps over the lost holes at the front. False: it is not, or not yet, lost.
bool Delivery::report_lost() {
  const LossCause cause = repair_.front().cause;
  uint32_t count = 0;
  std::size_t n = 0;
  for (; n < repair_.holes() && repair_.hole(n).first == next_ + count; ++n) {
    const Hole& hole = repair_.hole(n);
    if (hole.stage != Hole::Stage::lost) return false;
    if (hole.cause != cause) break;
    count += hole.count;
  }
  while (n-- > 0) repair_.pop_front();
  const uint32_t first = next_;
  next_ += count;
  report(first, count, cause);
  return true;
}

void Delivery::report(uint32_t first, uint32_t count, LossCause cause) {
  stats_.lost += count;
  told_restart_ = cause == LossCause::restart;
  in_sink_ = true;
  sink_.on_loss(first, count, cause);
  in_sink_ = false;
}

/// Gives up the next packets although the sink has no room to be told: it will be.
void Delivery::drop(uint32_t count) {
  if (!owed_) owed_first_ = next_;
  owed_ = true;
  owed_count_ += std::min(count, UINT32_MAX - owed_count_);
  next_ += count;
}

/// The oldest goes first: the hole that the rest waits for, or what the application has not read.
void Delivery::evict(int64_t now) {
  while (next_ != lead_ + 1 && (window_.over() || repair_.holes() > Repair::kMostHoles)) {
    if (!blocked_) {
      if (next_is_missing()) repair_.lose_before(now, front_hole_end(), LossCause::window);
      pump();
    } else if (next_is_missing()) {
      const uint32_t count = repair_.front().count;
      repair_.pop_front();
      drop(count);
    } else {
      window_.release(next_);
      drop(1);
    }
  }
}

uint32_t Delivery::front_hole_end() const {
  uint32_t end = next_;
  for (std::size_t i = 0; i < repair_.holes() && repair_.hole(i).first == end; ++i) {
    end = repair_.hole(i).end();
  }
  return end;
}

}  // namespace zerowire::pgm
