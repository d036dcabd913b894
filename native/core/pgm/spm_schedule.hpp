// SpmSchedule: when a source sends SPMs.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/clock.hpp"

namespace zerowire::pgm {

/// Three at the start and three at the end, heartbeats at growing intervals after the last data,
/// ambient ones among data, and answers. Nothing is due in between. Times in ns. Part of a Source.
class SpmSchedule {
 public:
  explicit SpmSchedule(int64_t now) : due_(now), heartbeat_(now + interval(0)) {}

  /// Data is about to be sent: among data SPMs come too, so that newcomers and receivers that have
  /// lost track get the window.
  void before_data(int64_t now);
  /// Data has been sent: the heartbeats begin anew.
  void after_data(int64_t now);
  /// Somebody asks for an SPM.
  void answer(int64_t now);
  /// Somebody asks for what is not kept: the next SPM tells so.
  void refuse(int64_t now);
  void finish(int64_t now);

  /// SPMs to be sent now; they count as sent.
  int take(int64_t now);
  int64_t deadline() const { return std::min(due_, heartbeat_); }

 private:
  static int64_t interval(int rung);

  int64_t due_;  ///< besides heartbeats; kNever = none
  int64_t heartbeat_;
  int rung_ = 0;
  int burst_ = 3;  ///< so many at once
  int64_t sent_at_ = INT64_MIN / 2;
  int64_t answered_at_ = INT64_MIN / 2;
};

}  // namespace zerowire::pgm
