#include "pgm/spm_schedule.hpp"

#include <iterator>

namespace zerowire::pgm {
namespace {

/// ms between heartbeats after the last data, as libzmq; the last one repeats.
constexpr int kHeartbeats[] = {100, 100, 100, 100, 1300, 7000, 16000, 25000, 30000};
constexpr int64_t kAmbient = 500 * kMillisecond;
/// RFC 3208, section 13.4: SPMRs are answered once per IHB_MIN.
constexpr int64_t kAnswers = 100 * kMillisecond;
constexpr int64_t kRefusals = 10 * kMillisecond;

}  // namespace

int64_t SpmSchedule::interval(int rung) { return kHeartbeats[rung] * kMillisecond; }

void SpmSchedule::before_data(int64_t now) {
  if (now - sent_at_ >= kAmbient) due_ = std::min(due_, now);
}

void SpmSchedule::after_data(int64_t now) {
  rung_ = 0;
  heartbeat_ = now + interval(0);
}

void SpmSchedule::answer(int64_t now) {
  // Until then an answer is due already.
  if (answered_at_ <= now) answered_at_ = std::max(now, answered_at_ + kAnswers);
  due_ = std::min(due_, answered_at_);
}

void SpmSchedule::refuse(int64_t now) {
  due_ = std::min(due_, std::max(now, sent_at_ + kRefusals));
}

void SpmSchedule::finish(int64_t now) {
  burst_ = 3;
  due_ = now;
}

int SpmSchedule::take(int64_t now) {
  if (now < deadline()) return 0;
  if (now >= heartbeat_) {
    rung_ = std::min<int>(rung_ + 1, std::size(kHeartbeats) - 1);
    heartbeat_ = now + interval(rung_);
  }
  due_ = kNever;
  sent_at_ = now;
  const int count = burst_;
  burst_ = 1;
  return count;
}

}  // namespace zerowire::pgm
