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
constexpr unsigned kUndisturbed = 32;
constexpr int64_t kMostBackOff = 50 * kMillisecond;
constexpr int64_t kMostAnnounced = 200 * kMillisecond;

constexpr int64_t kMostReorderTime = 50 * kMillisecond;
constexpr uint32_t kLeastReorderPackets = 2;
constexpr uint32_t kMostReorderPackets = 256;
constexpr int64_t kEase = 10'000 * kMillisecond;

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

int64_t Timing::kicked_data_wait(unsigned naks) const { return stretched(kLeastWait, naks); }

/// Follows what is short quickly, and what is long slowly: among microseconds, half of the mean is
/// nothing unusual. So many in a row without a collision show that the back-off is long enough.
void Timing::confirmed(int64_t after) {
  const int64_t error = after - round_trip_;
  round_trip_ = confirm_.known() ? round_trip_ + (error < 0 ? error / 2 : error / 32) : after;
  confirm_.add(after);
  if (announced_ || ++undisturbed_ < kUndisturbed) return;
  undisturbed_ = 0;
  back_off_ = std::max(back_off_ / 2, kLeastBackOff);
}

/// Once per back-off: a batch of NAKs that collides is one collision.
void Timing::collided(int64_t now) {
  if (announced_ || now - company_at_ > kEase || now - collided_at_ < 2 * back_off_) return;
  collided_at_ = now;
  undisturbed_ = 0;
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

}  // namespace zerowire::pgm
