// Kicks: datagrams that make a source send what it holds back.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"
#include "pgm/receiver_timing.hpp"

namespace zerowire::pgm {

/// OpenPGM below libzmq queues repairs and sends one per wake-up: when a timer of its own runs out,
/// 10 to 85 ms later, or when a packet comes in. A kick is such a packet, one that no decoder
/// accepts. Those that come in together make one wake-up, so kicks follow the repairs that they
/// have brought, a few at a time, and become rare when nothing comes.
///
/// Whether a source is of that kind shows in what it does: confirmed, but not repaired in time.
/// Times in ns. Owned by a Repair.
class Kicks {
 public:
  static constexpr int64_t kDelay = 300'000;      ///< after the NCF
  static constexpr int64_t kShortDelay = 50'000;  ///< the same, once the source is known well
  static constexpr std::size_t kSize = 8;         ///< octets; half a PGM header

  /// Whether to try them.
  bool on() const { return score_ > 0; }
  /// Whether they are what brings repairs.
  bool help() const;
  /// When the next one is due while repairs are waited for.
  int64_t due() const { return due_; }
  /// The source has confirmed a request; `waits`: earlier ones have not all been answered.
  void confirmed(int64_t now, bool waits);
  /// A kick goes out while `waiting` packets are confirmed and have not come.
  void sent(int64_t now, uint32_t waiting);
  /// A packet has come that was confirmed at `since`. What comes sooner than half a `round_trip`
  /// after that was sent together with the NCF.
  void repaired(int64_t now, int64_t since, int64_t round_trip);
  /// A packet was confirmed at `since` and has not come in time.
  void late(int64_t since);
  /// What `waiting` packets take that wait in the source's queue.
  int64_t queue_time(uint32_t waiting) const { return trip() * int64_t{waiting}; }

 private:
  int64_t trip() const;
  void judge(int points);

  int score_ = 0;
  int64_t due_ = 0;
  int64_t sent_at_ = INT64_MIN / 2;
  uint32_t unanswered_ = 0;  ///< since a repair last came
  Estimate trip_;            ///< from a kick to the repair
};

}  // namespace zerowire::pgm
