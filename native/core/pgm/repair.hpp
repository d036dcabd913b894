// Repair: what a receiver misses, and when it asks for it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/random.hpp"
#include "pgm/due_queue.hpp"
#include "pgm/kicks.hpp"
#include "pgm/receiver.hpp"
#include "pgm/receiver_list.hpp"
#include "pgm/receiver_timing.hpp"
#include "pgm/wire.hpp"

namespace zerowire::pgm {

/// Missing packets that follow one another and share their fate (RFC 3208, section 6.3: the states
/// of a NAK). A hole of any length is one of these.
struct Hole {
  enum class Stage : uint8_t {
    fresh,      ///< perhaps only late: `due` says when it counts as lost
    queued,     ///< too much has been asked for already
    back_off,   ///< another receiver may ask first
    asked,      ///< waits for the NCF
    confirmed,  ///< waits for the data
    lost,       ///< given up, to be reported
  };

  uint32_t first;
  uint32_t count;
  Stage stage;
  LossCause cause;  ///< lost
  uint8_t naks;     ///< sent by us
  int64_t born;
  int64_t due;
  int64_t since;  ///< asked, confirmed: when it became so

  uint32_t end() const { return first + count; }
};

/// What poll() has to send.
struct Request {
  uint32_t sequences[kMaxNakList];
  std::size_t count = 0;
  bool widely = false;  ///< an earlier NAK was not heard: by another way too
};

/// The missing packets in order, and the state machine of their NAKs. Only the oldest
/// kOutstanding are being asked for at a time, so the traffic has a bound whatever is missing. A
/// packet, a request or a deadline costs a search, never a walk over the holes. Owned by a
/// Receiver; all holes lie within half of the sequence space.
class Repair {
 public:
  static constexpr uint32_t kOutstanding = 1024;
  /// More holes than that are not worth keeping apart.
  static constexpr std::size_t kMostHoles = 16 * 1024;
  static constexpr unsigned kUnheard = 3;

  Repair(Random& random, int64_t recovery, int64_t now)
      : recovery_(recovery), timing_(random, now) {}

  // The window.
  bool empty() const { return holes_.empty(); }
  std::size_t holes() const { return holes_.size(); }
  const Hole& front() const { return holes_[0]; }
  const Hole& hole(std::size_t i) const { return holes_[i]; }
  bool missing(uint32_t sequence) const;
  /// `count` packets from `first` on, behind all others, have not come.
  void add(int64_t now, uint32_t first, uint32_t count);
  /// A missing packet has come.
  void fill(int64_t now, uint32_t sequence, bool as_repair);
  /// A packet that is not missing has come again.
  void again(uint32_t sequence, bool as_repair);
  /// `lead` is the latest data packet: holes far enough before it are losses now.
  void later(int64_t now, uint32_t lead);
  /// All holes before `end` are lost.
  void lose_before(int64_t now, uint32_t end, LossCause cause);
  /// What has been missing for too long is lost, what is late for long enough is a loss.
  void expire(int64_t now);
  void pop_front();
  /// `sequence` and what is behind it never existed.
  void forget_from(uint32_t sequence);

  // The network.
  void on_ncf(int64_t now, const Packet& packet);
  void on_foreign_nak(int64_t now, const Packet& packet);
  /// What to ask for now. False: nothing; otherwise call again for more.
  bool next(int64_t now, Request& request);
  /// Whether a kick has to go out now; then it counts as sent.
  bool kick(int64_t now);
  int64_t deadline() const;
  Timing& timing() { return timing_; }
  /// Holes looked at so far, by which its work is measured.
  uint64_t visits() const { return visits_; }

 private:
  using Stage = Hole::Stage;

  std::size_t find(uint32_t sequence) const;
  void split(std::size_t i, uint32_t count);
  void erase(std::size_t i);
  void leave_active(const Hole& hole, uint32_t count);
  static bool is_lost(const Hole& hole) { return hole.stage == Stage::lost; }
  void take(std::size_t i, uint32_t sequence);
  void learn(int64_t now, const Hole& hole, uint32_t sequence, bool as_repair);
  void activate(int64_t now);
  void join_lost();
  void confirm(int64_t now, uint32_t first, uint32_t count, int64_t jitter);
  void suppress(int64_t now, uint32_t first, uint32_t count, int64_t jitter);
  template <class F>
  void each_range(const Packet& packet, F&& f);
  template <class F>
  void each_active(uint32_t first, uint32_t count, F&& f);
  void ask(int64_t now, Hole& hole, int64_t jitter, Request& request);
  void await_data(int64_t now, Hole& hole, int64_t jitter);
  int64_t data_wait(const Hole& hole) const;
  void set_due(Hole& hole, int64_t due);
  std::size_t first_due() const;
  void rebuild_dues();
  bool kicking() const { return confirmed_ && kicks_.on() && !timing_.announced(); }

  const int64_t recovery_;
  Timing timing_;
  Kicks kicks_;
  /// In this order: lost ones (before lost_), those being asked for (before active_), those in the
  /// queue (before losses_), fresh ones.
  SortedList<Hole> holes_;
  std::size_t lost_ = 0;
  std::size_t active_ = 0;
  std::size_t losses_ = 0;
  uint32_t outstanding_ = 0;  ///< packets being asked for
  uint32_t confirmed_ = 0;    ///< of these, confirmed
  mutable uint64_t visits_ = 0;
  mutable DueQueue dues_;      ///< each hole that is being asked for has an entry that holds
  int64_t round_ = INT64_MIN;  ///< when the back-off that is running ends: new losses join it
  /// NAKs in a row that were not confirmed. From kUnheard on all go by another way too, until it
  /// is time to see whether that has changed.
  unsigned unheard_ = 0;

  static constexpr std::size_t kNone = SIZE_MAX;
  static constexpr std::size_t kRemembered = 16;
  uint32_t repaired_[kRemembered] = {};  ///< lately, while they might still come by themselves
  std::size_t repairs_ = 0;
};

}  // namespace zerowire::pgm
