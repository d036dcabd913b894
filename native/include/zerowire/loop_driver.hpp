// LoopDriver: the IO thread's work done by a thread that has an event loop of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "zerowire/context.hpp"

namespace zerowire {

class ContextCore;
class Reactor;

/// A message crosses faster from peer to peer when the thread that waits for it takes it from the
/// network than when the IO thread does and wakes the other one. Threads in blocking calls do so by
/// themselves; this is for one whose sockets have wakers. Belongs to that thread.
class LoopDriver {
 public:
  /// Messages have been taken from a socket: of so many bytes, all together.
  void received(std::size_t messages, std::size_t bytes);
  /// Something has been sent.
  void sent() { turn_.sent = true; }
  /// Whether drive() has anything to do at the end of this turn of the event loop.
  bool wanted() const { return found_ || (turn_.sent && turn_.heard); }
  /// After a turn in which messages have come and have been sent: if such turns follow each other
  /// briskly, does the IO thread's work until `news()`: whether a waker has been called. True if
  /// there is news; then it is to be called again at the end of the next turn. Until then the IO
  /// thread sees to everything again after 2 ms at the latest.
  ///
  /// On one processor it looks three times, and gives that to others in between. On several it
  /// looks for up to 50 us (or ContextOptions::spin_us, if that is less), where turns are shorter
  /// than that and bring few small messages. Where looking is in vain, or others compute, it rests.
  ///
  /// Does nothing unless the thread uses all the `sockets` of the context.
  bool drive(const Context& context, int sockets, const std::function<bool()>& news);

 private:
  /// What has happened since drive() was called last.
  struct Turn {
    int64_t heard = 0;     ///< when the first message came, in ns
    std::size_t load = 0;  ///< bytes, and some for each message
    bool sent = false;
  };

  bool due(const Turn& turn, const ContextCore& core, int64_t now);
  bool take_over(Reactor& reactor, const std::function<bool()>& news) const;
  bool goes_on(int looks) const;
  void learn(int64_t time);

  Turn turn_;
  bool found_ = false;  ///< by the last drive()
  int64_t last_ = 0;    ///< when it was called last, in ns
  int64_t until_ = 0;   ///< on several processors: when looking ends
  int brisk_ = 0;       ///< calls in a row without a long break between them
  int vain_ = 0;        ///< grows with looks in vain, falls with others
  int rest_ = 0;        ///< so many turns are to pass without driving
  int caution_ = 0;     ///< and about twice as many, should there be a reason again
};

}  // namespace zerowire
