#include "reactor/wheel.hpp"

namespace zerowire {

bool Wheel::take() {
  Word word = word_.load(std::memory_order_seq_cst);
  while (holder(word) == kNobody) {
    if (change(word, word - kNobody + kApplication)) return true;
  }
  return false;
}

bool Wheel::ask() {
  Word word = word_.load(std::memory_order_relaxed);
  while (holder(word) == kThread) {
    if (change(word, word | kWanted)) return true;
  }
  return false;
}

bool Wheel::withdraw() {
  Word word = word_.load(std::memory_order_relaxed);
  while (holder(word) == kThread) {
    if (change(word, word & ~kWanted)) return true;
  }
  return false;
}

void Wheel::rest() {
  if (!(word_.load(std::memory_order_relaxed) & kArmed)) return;
  word_.fetch_and(~kArmed, std::memory_order_relaxed);
  watchdog_->clear();
}

void Wheel::leave() {
  Word word = word_.load(std::memory_order_relaxed);
  while (!change(word, (word - kApplication + kNobody + kTurn) | kArmed)) {
  }
  if (!(word & kArmed)) watchdog_->set(kLook);
}

void Wheel::give() {
  Word word = word_.load(std::memory_order_relaxed);
  while (!change(word, word - kApplication + kOffered)) {
  }
  watchdog_->set(1);
}

void Wheel::hand_over() {
  Word word = word_.load(std::memory_order_relaxed);
  do {
    if (!(word & kWanted)) return;
  } while (!change(word, (word & ~kWanted) - kThread + kNobody + kArmed));
  watchdog_->set(kLook);
  Word seen = turns(word);
  do {
    watchdog_->wait();
  } while (!retake(seen));
}

/// After the watchdog went off. False: to be waited for again.
bool Wheel::retake(Word& seen) {
  Word word = word_.load(std::memory_order_relaxed);
  for (;;) {
    if (turns(word) != seen && holder(word) != kOffered && (word & kArmed)) {
      seen = turns(word);
      watchdog_->set(kLook);
      return false;
    } else if (holder(word) == kApplication) {
      if (change(word, word & ~kArmed)) return false;  // leave() will set the watchdog
    } else if (change(word, turns(word) * kTurn + kThread)) {
      return true;
    }
  }
}

}  // namespace zerowire
