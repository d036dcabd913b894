// LoopDriver: the IO thread's work done by a thread that has an event loop of its own.
#pragma once

#include <cstdint>
#include <functional>

#include "zerowire/context.hpp"

namespace zerowire {

/// Where there is but one processor, a message crosses faster from peer to peer when the thread
/// that waits for it takes it from the network than when the IO thread does and wakes the other
/// one. Threads in blocking calls do so by themselves; this is for one whose sockets have wakers.
/// Belongs to that thread.
class LoopDriver {
 public:
  /// To be called at the end of a turn of the event loop in which messages have come and have been
  /// sent. As long as such turns follow each other briskly, gives the processor to others a few
  /// times and does the IO thread's work in between, until `news()`: whether a waker has been
  /// called. True if there is news; then it is to be called again at the end of the next turn.
  /// Until then the IO thread sees to everything again after 2 ms at the latest.
  ///
  /// Does nothing unless the process has but one processor, and the thread uses all the `sockets`
  /// of the context.
  bool drive(const Context& context, int sockets, const std::function<bool()>& news);

 private:
  bool due(int64_t now);
  void learn(int64_t time);

  int64_t last_ = 0;  ///< when it was called last, in ns
  int brisk_ = 0;     ///< calls in a row without a long break between them
  int rest_ = 0;      ///< so many turns are to pass without driving
  int caution_ = 0;   ///< and about twice as many, should others keep the processor for long again
};

}  // namespace zerowire
