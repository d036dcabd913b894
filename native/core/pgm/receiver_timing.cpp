#include "pgm/receiver_timing.hpp"

#include <algorithm>

namespace zerowire::pgm {
namespace {

constexpr int64_t kLeastWait = 2 * kMillisecond;
constexpr int64_t kMostWait = 200 * kMillisecond;
/// Before anything has been measured.
constexpr int64_t kFirstConfirmWait = 20 * kMillisecond;
constexpr int64_t kFirstDataWait = 5 * kMillisecond;

constexpr int64_t kLeastBackOff = kMillisecond;
/// What OpenPGM takes as a rule.
constexpr int64_t kMostBackOff = 50 * kMillisecond;
constexpr int64_t kMostAnnounced = 200 * kMillisecond;

constexpr int64_t kMostReorderTime = 50 * kMillisecond;
constexpr uint32_t kLeastReorderPackets = 2;
constexpr uint32_t kMostReorderPackets = 256;
constexpr int64_t kEase = 10'000 * kMillisecond;

constexpr int kMostScore = 8;
constexpr int64_t kSoon = 2 * kMillisecond;

/// At high loss several NAKs in a row are in vain, and all that follows waits for the packet: only
/// then each waits half as long again.
constexpr unsigned kPatient = 4;

int64_t stretched(int64_t wait, unsigned naks) {
  for (; naks > kPatient && wait < kMostWait; --naks) wait += wait / 2;
  return std::min(wait, kMostWait);
}

}  // namespace

void Estimate::add(int64_t sample) {
  if (!known_) {
    known_ = true;
    mean_ = sample;
    deviation_ = sample / 2;
    return;
  }
  const int64_t error = sample - mean_;
  mean_ += error / 8;
  deviation_ += ((error < 0 ? -error : error) - deviation_) / 4;
}

int64_t Timing::confirm_wait(unsigned naks) const {
  const int64_t wait =
      confirm_.known() ? std::clamp(4 * confirm_.mean(), kLeastWait, kMostWait) : kFirstConfirmWait;
  return stretched(wait, naks);
}

int64_t Timing::data_wait(unsigned naks) const {
  const int64_t wait = data_.known()
                           ? std::clamp(data_.mean() + 4 * data_.deviation(), kLeastWait, kMostWait)
                           : kFirstDataWait;
  return stretched(wait, naks);
}

/// Once per back-off: a batch of NAKs that collides is one collision.
void Timing::collided(int64_t now) {
  if (announced_ || now - collided_at_ < 2 * back_off_) return;
  collided_at_ = now;
  back_off_ = std::min(2 * back_off_, kMostBackOff);
}

void Timing::reordered(int64_t late) {
  reorder_time_ = std::min(std::max(2 * reorder_time_, late), kMostReorderTime);
  reorder_packets_ = std::min(2 * reorder_packets_, kMostReorderPackets);
}

void Timing::announce(uint32_t microseconds) {
  announced_ = true;
  back_off_ = std::min(int64_t{microseconds} * 1000, kMostAnnounced);
}

bool Timing::ease(int64_t now) {
  if (now - eased_ < kEase) return false;
  eased_ = now;
  if (!announced_) back_off_ = std::max(back_off_ / 2, kLeastBackOff);
  reorder_time_ = std::max(reorder_time_ / 2, kMillisecond);
  reorder_packets_ = std::max(reorder_packets_ / 2, kLeastReorderPackets);
  return true;
}

void Kicks::late() { score_ = std::min(score_ + 2, kMostScore); }

void Kicks::prompt() { score_ = std::max(score_ - 1, -kMostScore); }

void Kicks::kicked(int64_t after) {
  if (after > kSoon) return prompt();
  score_ = std::min(score_ + 1, kMostScore);
}

uint32_t Kicks::grant(int64_t now, uint32_t wanted) {
  if (now - period_ >= kMillisecond) {
    period_ = now;
    sent_ = 0;
  }
  const uint32_t granted = std::min(wanted, kPerMillisecond - sent_);
  sent_ += granted;
  return granted;
}

int64_t Kicks::next(int64_t now) const {
  return sent_ < kPerMillisecond ? now : period_ + kMillisecond;
}

}  // namespace zerowire::pgm
