// Delivery: puts a source's packets in order for the sink.
#pragma once

#include <cstdint>
#include <string_view>

#include "pgm/receiver.hpp"
#include "pgm/repair.hpp"
#include "pgm/rx_window.hpp"

namespace zerowire::pgm {

/// All from next() to lead() is either held or missing: the holes of the Repair. Whatever cannot
/// be had or kept is reported and stepped over. Owned by a Receiver.
class Delivery {
 public:
  /// next() and lead() lie no further apart, which keeps distance() unambiguous.
  static constexpr uint32_t kMostAhead = 0x7fffff00;

  Delivery(std::size_t most_bytes, Repair& repair, ReceiverSink& sink, ReceiverStats& stats)
      : window_(most_bytes), repair_(repair), sink_(sink), stats_(stats) {}

  /// The packet that the sink gets next.
  uint32_t next() const { return next_; }
  /// The latest packet that is known of, and that has been seen; next() - 1 if there is none.
  uint32_t lead() const { return lead_; }
  uint32_t data_lead() const { return data_lead_; }
  /// What was dropped of a sink without room has yet to be reported.
  bool owes() const { return owed_; }

  /// Begins at `next`, with nothing held and nothing missing.
  void start(uint32_t next);
  /// A packet that is not before next() nor too far ahead. False: it is known already, or there is
  /// no memory.
  bool take(int64_t now, uint32_t sequence, std::string_view tsdu, bool as_repair);
  /// The source says that it has sent everything up to `lead`.
  void claim(int64_t now, uint32_t lead);
  /// What is behind `lead` does not exist, whatever was said or seen.
  void retract(uint32_t lead);
  /// The source does not keep what is before `trail`.
  void trail(int64_t now, uint32_t trail);
  /// The source began anew: what is missing will never come.
  void restart(int64_t now, uint32_t next);
  /// Hands over what it can. A hole of which a part is lost is reported when the fate of the rest
  /// is known, as one.
  void pump();
  void resume(int64_t now);

 private:
  bool offer(std::string_view tsdu);
  void keep(int64_t now, uint32_t sequence, std::string_view tsdu);
  bool report_lost();
  void report(uint32_t first, uint32_t count, LossCause cause);
  void drop(uint32_t count);
  void evict(int64_t now);
  uint32_t front_hole_end() const;
  bool next_is_missing() const { return !repair_.empty() && repair_.front().first == next_; }

  RxWindow window_;
  Repair& repair_;
  ReceiverSink& sink_;
  ReceiverStats& stats_;
  uint32_t next_ = 0;
  uint32_t lead_ = UINT32_MAX;
  uint32_t data_lead_ = UINT32_MAX;
  bool blocked_ = false;  ///< the sink has no room
  bool in_sink_ = false;
  bool told_restart_ = false;  ///< of that the sink was told last
  bool owed_ = false;
  uint32_t owed_first_ = 0;
  uint32_t owed_count_ = 0;
  LossCause owed_cause_ = LossCause::slow_consumer;
};

}  // namespace zerowire::pgm
