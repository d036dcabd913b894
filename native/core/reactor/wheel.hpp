// Wheel: which thread runs a reactor: its own IO thread, or an application thread that waits.
//
// A message that the IO thread receives crosses to the application thread, which costs a wake-up
// if that one waits. So whoever waits drives: an application thread about to wait for a message
// takes the wheel and runs the reactor's rounds itself, and the IO thread sleeps. When the
// application has its message it leaves the wheel to nobody: most come back within microseconds,
// far sooner than another thread could be woken. The IO thread's watchdog sees to those that do
// not. A thread that has an event loop of its own drives at the end of its turns (LoopDriver).
//
// One word says who holds the wheel; every transition is one compare-and-exchange of it, so there
// is nothing to lose between two accesses:
//
//            ask, then hand_over             take
//   thread ----------------------> nobody <--------> application
//      ^                              |     leave         |
//      |            the watchdog         |                   | give
//      +------------------------------+                   v
//      +---------------------------------------------- offered
//
// Taking the wheel acquires what the one who let go of it released: all that the reactor owns.
//
// ARMED: the watchdog is set, or will be by the thread that has just set the bit. `nobody` is
// always ARMED, so the IO thread looks again. Seeing that the turns have gone up since it last did,
// it sleeps on; else the application is busy with something else and the IO thread takes over. A
// driver that goes to sleep in the kernel for long clears the watchdog; one that expects to be
// woken soon saves the calls, and at worst the watchdog goes off twice: an idle process has no
// wake-ups. A watchdog may go off in vain (set late by a thread that was interrupted), but is never
// missing.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "reactor/watchdog.hpp"

namespace zerowire {

class Wheel {
 public:
  explicit Wheel(std::unique_ptr<Watchdog> watchdog) : watchdog_(std::move(watchdog)) {}

  /// How long descriptors and mail may be left alone before the IO thread looks: twice this.
  static constexpr int64_t kLook = 1'000'000;  // ns
  /// So many in a row make a habit: of breaks shorter than this, that asking for it pays; of sleeps
  /// far shorter, that the watchdog may stay set.
  static constexpr int kHabit = 3;

  // ---- application threads

  /// Takes it if nobody has it. Then leave() or give() follows, by the same thread.
  bool take();
  /// Asks the IO thread to let go of it once it runs out of work. False: it does not hold it.
  bool ask();
  /// Takes that back. False: the IO thread has let go already.
  bool withdraw();
  /// Holding it: before a long sleep in the kernel, since nobody else needs to look after the
  /// reactor meanwhile.
  void rest();
  /// Expects to come back.
  void leave();
  /// Hands it to the IO thread and wakes that.
  void give();
  /// Sees to it that it is with some thread, if need be the IO thread.
  void attend() {
    if (holder(word_.load(std::memory_order_seq_cst)) == kNobody && take()) give();
  }

  // ---- the IO thread, which holds it at first

  bool wanted() const { return word_.load(std::memory_order_relaxed) & kWanted; }
  /// Lets go of it, if it is still wanted, and sleeps until it has it again.
  void hand_over();

 private:
  using Word = uint64_t;
  static constexpr Word kThread = 0, kApplication = 1, kNobody = 2, kOffered = 3, kHolder = 3;
  static constexpr Word kArmed = 4;
  static constexpr Word kWanted = 8;  ///< with kThread only
  static constexpr Word kTurn = 16;   ///< times an application has left it, above

  static Word holder(Word word) { return word & kHolder; }
  static Word turns(Word word) { return word / kTurn; }
  bool change(Word& from, Word to) {
    // seq_cst: see ContextCore::waiting.
    return word_.compare_exchange_strong(from, to, std::memory_order_seq_cst,
                                         std::memory_order_acquire);
  }
  bool retake(Word& seen);

  std::atomic<Word> word_{kThread};
  const std::unique_ptr<Watchdog> watchdog_;
};

}  // namespace zerowire
