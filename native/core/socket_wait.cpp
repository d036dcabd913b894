// What a thread does that waits in a blocking call: the reactor's work, or looking for its result,
// or sleeping.
#include <sched.h>

#include <algorithm>

#include "base/clock.hpp"
#include "base/parker.hpp"
#include "socket_core.hpp"

namespace zerowire {
namespace {

/// How long a receiver leaves a stream alone that it has emptied.
constexpr int64_t kStreamPause = 2'000;  // ns
/// More messages than this received between two waits are a stream.
constexpr uint64_t kStream = 64;
/// How long a thread that has asked for the wheel looks for it.
constexpr int64_t kHandOver = 200'000;  // ns

}  // namespace

/// Whether there is work for two threads: a stream that takes the system more time than this one,
/// or sending to many, or sending by somebody who does other things in between.
bool SocketCore::shares_work(bool receiving) const {
  const bool sends = !receiving && received_ == 0;
  const bool receives = received_ > kStream && sent_ == 0;
  return ((sends || receives) && bulk_) ||
         (sends && (peers_.size() > kMostDirect || short_breaks_ < Wheel::kHabit));
}

/// Until something has happened that may let the socket receive (or send). False when the deadline
/// has passed.
bool SocketCore::wait(std::chrono::steady_clock::time_point deadline, bool receiving) {
  SocketMailbox& mailbox = *shared_->mailbox;
  const Waiting waiting(*shared_->context);
  const int64_t began = now_ns();
  const bool answer = sent_ > 0;
  int64_t until = began + patience_.spin(answer);
  bool asked = false;
  Reactor* reactor = nullptr;
  if (networked_) {
    short_breaks_ = began - left_ < Wheel::kLook ? std::min(short_breaks_ + 1, Wheel::kHabit) : 0;
    if (!shares_work(receiving) && waiting.alone()) reactor = shared_->context->drivable();
    if (!reactor) {
      waiting.attend();
    } else if (reactor->enter()) {
      return drive(*reactor, deadline, began, receiving);
    } else {
      asked = short_breaks_ == Wheel::kHabit && reactor->ask();
      if (asked) until = std::max(until, began + kHandOver);
    }
  }
  // A sender of a stream gets some messages ahead: taking each at once would cost both sides the
  // transfer of a cache line per message.
  const int64_t look_from = began + (received_ > 3 ? kStreamPause : 0);
  received_ = 0;
  for (int64_t now = began; now < until; now = now_ns()) {
    sched_yield();
    if (asked && reactor->enter()) return drive(*reactor, deadline, began, receiving);
    if (now < look_from) continue;
    if (mailbox.pending() || (receiving && pattern_->can_receive())) {
      if (asked && !reactor->withdraw() && reactor->enter()) leave_wheel(*reactor, 1);
      patience_.waited(now - began, answer);
      left_ = now;
      return true;
    }
  }
  if (asked && !reactor->withdraw() && reactor->enter()) {
    return drive(*reactor, deadline, began, receiving);
  }
  mailbox.set_sleeper(Parker::mine());
  if (!arm()) return true;
  Parker::mine()->sleep(deadline);
  left_ = now_ns();
  patience_.waited(left_ - began, answer);
  return mailbox.pending() || std::chrono::steady_clock::now() < deadline;
}

/// Holding the wheel: waits as above, and does the reactor's work meanwhile.
bool SocketCore::drive(Reactor& reactor, std::chrono::steady_clock::time_point deadline,
                       int64_t began, bool receiving) {
  using Clock = std::chrono::steady_clock;
  const int64_t last =
      deadline == Clock::time_point::max()
          ? kNever
          : std::chrono::duration_cast<std::chrono::nanoseconds>(deadline.time_since_epoch())
                .count();
  SocketMailbox& mailbox = *shared_->mailbox;
  const auto news = [&] { return mailbox.pending() || (receiving && pattern_->can_receive()); };
  const bool answer = sent_ > 0;
  const int64_t until = std::min(began + patience_.spin(answer), last);
  bool yield = answer && shared_->context->one_processor;  // then it can't be there yet
  received_ = 0;
  sent_ = 0;
  bool found = false;
  for (int64_t now = began; !found && now < until; now = reactor.now()) {
    if (yield) sched_yield();
    reactor.round();
    found = news();
    yield = !yield || shared_->context->one_processor;  // a yield takes as long as a look
  }
  if (!found) mailbox.set_sleeper(reactor.bell());
  while (!found && reactor.now() < last) {
    found = !arm();
    if (found) break;
    reactor.sleep(last);
    found = mailbox.pending();
  }
  left_ = std::max(began, reactor.now());
  leave_wheel(reactor, 1);
  patience_.waited(left_ - began, answer);
  return found;
}

/// What this thread sends without waiting is collected for when it drives next. Some of it goes off
/// now, for the peer to have something to do meanwhile.
void SocketCore::drive_on() {
  sent_ = 0;
  Reactor* reactor = networked_ ? shared_->context->drivable() : nullptr;
  if (!reactor || !reactor->enter()) return;
  reactor->round(!corked_);  // uncork() writes the end itself, to a pipe that is asleep
  leave_wheel(*reactor, waker_ ? 1 : 0);
}

/// `own`: how many of those who wait the caller is.
void SocketCore::leave_wheel(Reactor& reactor, int own) {
  reactor.leave();
  // Others are not served by our coming back soon.
  if (shared_->context->waiting.load() > own) reactor.attend();
}

}  // namespace zerowire
