// Timing: how long a receiver waits for what, learnt from what it sees.
#pragma once

#include <cstdint>

#include "base/clock.hpp"
#include "base/random.hpp"

namespace zerowire::pgm {

/// Mean and deviation of a duration, as TCP keeps them for its round trips (RFC 6298).
class Estimate {
 public:
  void add(int64_t sample);
  bool known() const { return known_; }
  int64_t mean() const { return mean_; }
  int64_t deviation() const { return deviation_; }

 private:
  int64_t mean_ = 0;
  int64_t deviation_ = 0;
  bool known_ = false;
};

/// All in nanoseconds. Owned by a Repair.
class Timing {
 public:
  Timing(Random& random, int64_t now) : random_(random), eased_(now) {}

  /// From a NAK to its NCF, and from an NCF to the data; longer after many NAKs.
  int64_t confirm_wait(unsigned naks) const;
  int64_t data_wait(unsigned naks) const;
  /// The same for a source that repairs at once when it is kicked.
  int64_t kicked_data_wait(unsigned naks) const;
  /// To be added to these: keeps receivers that wait for the same apart.
  int64_t draw_jitter() { return random(back_off_ / 2); }
  /// Before the first NAK: the time in which another receiver's may come first.
  int64_t draw_back_off() { return random(back_off_); }
  int64_t back_off() const { return back_off_; }
  int64_t reorder_time() const { return reorder_time_; }
  uint32_t reorder_packets() const { return reorder_packets_; }

  void confirmed(int64_t after);
  /// Too soon to be the answer to our NAK.
  bool foreign(int64_t after) const { return after < round_trip_ / 4 * 3; }
  /// From a NAK to its NCF when nothing delays it; 0 = not known.
  int64_t round_trip() const { return round_trip_; }
  void repaired(int64_t after) { data_.add(after); }
  /// What nobody here has asked for was confirmed: there are other receivers.
  void company(int64_t now) { company_at_ = now; }
  /// Ours and another receiver's NAK were under way together, if there is one.
  void collided(int64_t now);
  /// What was asked for came by itself, `late` after it was missed.
  void reordered(int64_t late);
  /// The source says which back-off it wants.
  void announce(uint32_t microseconds);
  bool announced() const { return announced_; }
  /// Takes back what collisions and reordering have made longer, bit by bit. True each time.
  bool ease(int64_t now);

 private:
  int64_t random(int64_t below) {
    return static_cast<int64_t>(random_.below(static_cast<uint64_t>(below) + 1));
  }

  Random& random_;
  Estimate confirm_;
  Estimate data_;
  int64_t round_trip_ = 0;
  int64_t back_off_ = kMillisecond;
  bool announced_ = false;
  int64_t collided_at_ = INT64_MIN / 2;
  int64_t company_at_ = INT64_MIN / 2;
  unsigned undisturbed_ = 0;  ///< confirmations since the last collision
  int64_t reorder_time_ = kMillisecond;
  uint32_t reorder_packets_ = 2;
  int64_t eased_;
};

}  // namespace zerowire::pgm
