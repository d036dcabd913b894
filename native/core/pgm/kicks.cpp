#include "pgm/kicks.hpp"

#include <algorithm>

namespace zerowire::pgm {
namespace {

constexpr int kMostScore = 16;
/// As long as no kick has helped.
constexpr int kMostSuspicion = 4;
constexpr int kLeastScore = -8;
/// A kick is what brought a repair if that came so soon.
constexpr int64_t kSoon = kMillisecond;
constexpr uint32_t kFew = 8;

/// Before a round trip has been measured, and at most.
constexpr int64_t kFirstTrip = 150'000;
constexpr int64_t kLeastTrip = 30'000;
constexpr int64_t kMostTrip = kMillisecond;
/// Under way at a time.
constexpr uint32_t kWindow = 4;
constexpr int64_t kLeastInterval = 20'000;
constexpr int64_t kMostInterval = 5 * kMillisecond;
constexpr uint32_t kMostDoublings = 10;

}  // namespace

int64_t Kicks::trip() const {
  return trip_.known() ? std::clamp(trip_.mean(), kLeastTrip, kMostTrip) : kFirstTrip;
}

bool Kicks::help() const { return score_ > kMostSuspicion; }

void Kicks::confirmed(int64_t now, bool waits) {
  const int64_t due = now + (score_ == kMostScore ? kShortDelay : kDelay);
  due_ = waits ? std::min(due_, due) : due;
  unanswered_ = 0;
}

void Kicks::sent(int64_t now, uint32_t waiting) {
  sent_at_ = now;
  ++unanswered_;
  const uint32_t window = std::clamp<uint32_t>(waiting, 1, kWindow);
  // One alone is not repeated before its answer is late.
  int64_t interval = window == 1 ? 2 * trip() : trip() / window;
  if (unanswered_ > window) interval <<= std::min(unanswered_ - window, kMostDoublings);
  due_ = now + std::clamp(interval, kLeastInterval, kMostInterval);
}

void Kicks::judge(int points) { score_ = std::clamp(score_ + points, kLeastScore, kMostScore); }

void Kicks::repaired(int64_t now, int64_t since, int64_t round_trip) {
  const int64_t after = now - sent_at_;
  const int64_t waited = now - since;
  if (sent_at_ > since) {
    if (after > kSoon || unanswered_ > kFew) {
      judge(-1);
    } else if (waited >= round_trip / 2) {
      judge(1);
    }
    if (unanswered_ == 1 && after >= round_trip / 2) trip_.add(after);
  } else if (waited < kDelay && !(help() && after <= kSoon)) {
    judge(-1);  // it needs none
  }
  unanswered_ = 0;
  due_ = std::min(due_, std::max(now, sent_at_ + kLeastInterval));
}

void Kicks::late(int64_t since) {
  if (sent_at_ < since && !help()) score_ = std::min(score_ + 2, kMostSuspicion);
}

}  // namespace zerowire::pgm
