// The protocol of pipe words and mailboxes, explored in every interleaving of its atomic steps,
// where what the producer publishes by a plain store is seen at any later time. Variants with a
// step left out must be caught, else the models would prove nothing.
#include <doctest/doctest.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace {

enum Producer : uint8_t {
  kAsk,
  kLoadCredit,
  kSetWaiting,
  kPark,
  kParked,
  kPublish,
  kLookSteady,
  kExchange,
  kLook,
  kClaim,
  kPost,
  kDirectLoad,
  kDirectWrite,
  kDirectRelease,
  kDirectSleep,
};
enum Consumer : uint8_t {
  kIdle,
  kBlocked,
  kRecallSet,
  kRecallClaim,
  kLoad,
  kRead,
  kReadMore,
  kRelease,
  kNotify,
  kSleep,
  kSetAsleep,
  kBarrier,
  kLookAgain,
  kTakeBack,
  kKeep,
};
enum Box : uint8_t { kEmpty, kNode, kAway };
constexpr uint8_t kNothing = 255;

struct State {
  uint8_t producer = kAsk;
  uint8_t written = 0, seen = 0;
  uint8_t shown = 0;  ///< of what is written; the rest is on the way from the producer's processor
  uint8_t believes_steady = 0;
  uint8_t expect_credit = kNothing, expect_waiting = 0;
  uint8_t consumer = kIdle;
  uint8_t holds = 0;  ///< the consumer's thread holds the token
  uint8_t read = 0, released = 0, limit = 0;
  uint8_t left_at = 0;                         ///< read, when the consumer set ASLEEP
  uint8_t asleep = 1, recall = 0, steady = 0;  ///< the word token
  uint8_t credit = 0, waiting = 0;             ///< the word credit
  uint8_t consumer_box = kEmpty, producer_box = kEmpty;

  bool operator==(const State&) const = default;
};

struct Hash {
  std::size_t operator()(const State& state) const {
    static_assert(sizeof(State) == 20);
    return std::hash<std::string_view>()({reinterpret_cast<const char*>(&state), sizeof state});
  }
};

/// How a variant of the protocol is broken.
enum class Break {
  none,
  keep_asleep,          ///< a publish that finds the pipe asleep does not clear the bit
  look_once,            ///< the consumer does not look again once it has set ASLEEP
  no_barrier,           ///< it looks again without a barrier
  ignore_recall,        ///< the producer puts a recalled pipe to sleep
  direct_after_recall,  ///< the producer consumes though the claim said "recalled"
  no_waiting_check,     ///< the producer parks without comparing the credit word
  wait_without_notify,  ///< the consumer does not look at WAITING
};

struct Model {
  int messages;
  int mark;
  bool recalls;
  Break broken = Break::none;

  std::vector<State> next = {};
  std::string violation = {};

  bool direct(uint8_t producer) const { return producer >= kDirectLoad; }
  void require(bool condition, const char* what) {
    if (!condition && violation.empty()) violation = what;
  }
  template <class Change>
  void step(State state, Change change) {
    change(state);
    next.push_back(state);
  }

  /// True when nothing further may be expected in this state.
  bool complete(const State& s) const {
    return s.written == messages && s.read == messages && (!s.recall || s.holds);
  }

  void expand(const State& s) {
    next.clear();
    if (s.shown < s.written) step(s, [](State& t) { ++t.shown; });
    if (s.producer >= kPublish)
      publishing(s);
    else
      producing(s);
    if (s.consumer >= kLoad)
      consuming(s);
    else
      waking(s);
  }

  void producing(const State& s) {
    switch (s.producer) {
      case kAsk:
        if (s.written == messages) break;
        step(s, [&](State& t) { t.producer = s.written - s.seen < mark ? kPublish : kLoadCredit; });
        break;
      case kLoadCredit:
        step(s, [&](State& t) {
          t.seen = s.credit;
          t.producer = s.written - s.credit < mark ? kPublish : kSetWaiting;
          if (t.producer == kSetWaiting) t.expect_credit = s.credit, t.expect_waiting = s.waiting;
        });
        break;
      case kSetWaiting:
        step(s, [&](State& t) {
          const bool same = s.credit == s.expect_credit && s.waiting == s.expect_waiting;
          const bool set = same || broken == Break::no_waiting_check;
          t.producer = s.expect_waiting || set ? kPark : kLoadCredit;
          if (!s.expect_waiting && set) t.waiting = 1;
          t.expect_credit = kNothing, t.expect_waiting = 0;
          t.shown = s.written;
        });
        break;
      case kPark:
        step(s, [&](State& t) {
          t.producer = s.producer_box == kNode ? kAsk : kParked;
          t.producer_box = s.producer_box == kNode ? kEmpty : kAway;
          t.shown = s.written;
        });
        break;
      case kParked:
        if (s.producer_box != kAway) step(s, [](State& t) { t.producer = kPark; });
        break;
      default:
        break;
    }
  }

  void publishing(const State& s) {
    switch (s.producer) {
      case kPublish:
        step(s, [&](State& t) {
          ++t.written;
          t.producer = s.believes_steady ? kLookSteady : kExchange;
        });
        break;
      case kLookSteady:
        step(s, [&](State& t) {
          t.producer = s.steady ? kAsk : kExchange;
          t.believes_steady = s.steady;
        });
        break;
      case kExchange:
        step(s, [](State& t) { t.shown = t.written, t.producer = kLook; });
        break;
      case kLook:
        step(s, [&](State& t) { t.producer = s.asleep ? kClaim : kAsk; });
        if (!s.asleep && !s.recall) {
          step(s, [](State& t) { t.producer = kAsk, t.steady = t.believes_steady = 1; });
        }
        break;
      case kClaim:
        claim(s);
        break;
      case kPost:
        require(s.consumer_box != kNode, "posted twice");
        step(s, [](State& t) { t.producer = kAsk, t.consumer_box = kNode; });
        break;
      case kDirectLoad:
        require(!s.holds && s.consumer_box != kNode, "two owners");
        step(s, [](State& t) { t.producer = kDirectWrite, t.limit = t.written; });
        break;
      case kDirectWrite:
        step(s, [](State& t) { t.producer = kDirectRelease, t.read = t.limit; });
        if (s.limit > s.read) step(s, [](State& t) { t.producer = kPost; });
        break;
      case kDirectRelease:
        step(s, [](State& t) {
          t.producer = kDirectSleep, t.credit = t.released = t.read, t.waiting = 0;
        });
        break;
      case kDirectSleep:
        step(s, [&](State& t) {
          if (s.recall && broken != Break::ignore_recall)
            t.producer = kPost;
          else if (s.written == s.read)
            t.producer = kAsk, t.asleep = 1;
          else
            t.producer = kDirectLoad;
        });
        break;
      default:
        break;
    }
  }

  void claim(const State& s) {
    if (!s.asleep) return step(s, [](State& t) { t.producer = kAsk; });
    const uint8_t asleep = broken == Break::keep_asleep;
    step(s, [&](State& t) { t.producer = kPost, t.asleep = asleep; });
    if (s.recall && broken != Break::direct_after_recall) return;
    require(!s.recall, "used after the recall");
    step(s, [&](State& t) { t.producer = kDirectLoad, t.asleep = asleep; });
  }

  void waking(const State& s) {
    const bool may_recall = recalls && !s.recall;
    switch (s.consumer) {
      case kIdle:
        if (s.holds) return step(s, [](State& t) { t.consumer = kLoad; });
        if (s.consumer_box == kNode) {
          return step(s,
                      [](State& t) { t.consumer = kLoad, t.holds = 1, t.consumer_box = kEmpty; });
        }
        if (s.consumer_box == kEmpty) {
          step(s, [](State& t) { t.consumer = kBlocked, t.consumer_box = kAway; });
        }
        if (may_recall) step(s, [](State& t) { t.consumer = kRecallSet; });
        break;
      case kBlocked:
        if (s.consumer_box != kAway)
          step(s, [](State& t) { t.consumer = kIdle; });
        else if (may_recall) {
          step(s, [](State& t) { t.consumer = kRecallSet, t.consumer_box = kEmpty; });
        }
        break;
      case kRecallSet:
        step(s, [](State& t) { t.recall = 1, t.consumer = t.asleep ? kRecallClaim : kIdle; });
        break;
      case kRecallClaim:
        step(s, [](State& t) {
          if (t.asleep) t.asleep = 0, t.holds = 1;
          t.consumer = kIdle;
        });
        break;
      default:
        break;
    }
  }

  void consuming(const State& s) {
    switch (s.consumer) {
      case kLoad:
        require(!direct(s.producer), "two owners");
        step(s, [](State& t) { t.consumer = kRead, t.limit = t.shown; });
        break;
      case kRead:
        if (s.limit > s.read)
          step(s, [](State& t) { ++t.read, t.consumer = kReadMore; });
        else
          step(s, [](State& t) { t.consumer = kRelease; });
        break;
      case kReadMore:
        step(s, [](State& t) { t.consumer = kRead; });
        step(s, [](State& t) { t.consumer = kRelease; });
        break;
      case kRelease:
        step(s, [&](State& t) {
          if (s.released == s.read) return void(t.consumer = kSleep);
          t.consumer = s.waiting && broken != Break::wait_without_notify ? kNotify : kSleep;
          t.credit = t.released = s.read, t.waiting = 0;
        });
        break;
      case kNotify:
        require(s.producer_box != kNode, "posted twice");
        step(s, [](State& t) { t.consumer = kSleep, t.producer_box = kNode; });
        break;
      default:
        sleeping(s);
        break;
    }
  }

  void sleeping(const State& s) {
    switch (s.consumer) {
      case kSleep:
      case kKeep:
        if (s.shown != s.read) {
          step(s, [](State& t) { t.consumer = kLoad; });
        } else if (s.consumer == kSleep) {
          // A recalled pipe stays with its own thread.
          step(s, [&](State& t) { t.consumer = s.recall ? kKeep : kSetAsleep; });
        }
        break;
      case kSetAsleep:
        if (s.recall) return step(s, [](State& t) { t.consumer = kSleep; });
        step(s, [&](State& t) {
          t.consumer = s.steady && broken != Break::no_barrier ? kBarrier : kLookAgain;
          if (broken == Break::look_once) t.consumer = kIdle;
          t.holds = t.steady = 0, t.asleep = 1, t.left_at = s.read;
        });
        break;
      case kBarrier:
        step(s, [](State& t) { t.consumer = kLookAgain, t.shown = t.written; });
        break;
      case kLookAgain:
        step(s, [&](State& t) { t.consumer = s.shown == s.left_at ? kIdle : kTakeBack; });
        break;
      case kTakeBack:
        step(s, [&](State& t) {
          t.consumer = s.asleep ? kLoad : kIdle;
          if (s.asleep) t.asleep = 0, t.holds = 1;
        });
        break;
      default:
        break;
    }
  }
};

struct Explored {
  std::size_t states = 0;
  int finals = 0;
  std::string violation;
};

Explored explore(Model model) {
  std::unordered_set<State, Hash> seen = {State{}};
  std::vector<State> stack = {State{}};
  Explored result;
  while (!stack.empty() && result.violation.empty()) {
    const State state = stack.back();
    stack.pop_back();
    model.expand(state);
    result.violation = model.violation;
    if (model.next.empty() && !model.complete(state)) result.violation = "stuck";
    result.finals += model.next.empty();
    for (const State& next : model.next) {
      if (seen.insert(next).second) stack.push_back(next);
    }
  }
  result.states = seen.size();
  return result;
}

}  // namespace

TEST_CASE("no interleaving loses a wake-up, shares the token or posts twice") {
  for (const bool recalls : {false, true}) {
    for (int messages = 1; messages <= 7; ++messages) {
      for (int mark = 1; mark <= 4; ++mark) {
        CAPTURE(recalls);
        CAPTURE(messages);
        CAPTURE(mark);
        const Explored explored = explore({messages, mark, recalls});
        CHECK(explored.violation == "");
        CHECK(explored.finals > 0);
        CHECK(explored.states > 20);
      }
    }
  }
}

TEST_CASE("broken variants are caught") {
  const struct {
    Break broken;
    bool recalls;
    const char* violation;
  } cases[] = {
      {Break::keep_asleep, false, "two owners"},
      {Break::look_once, false, "stuck"},
      {Break::no_barrier, false, "stuck"},
      {Break::no_waiting_check, false, "stuck"},
      {Break::wait_without_notify, false, "stuck"},
      {Break::ignore_recall, true, "stuck"},
      {Break::direct_after_recall, true, "used after the recall"},
  };
  for (const auto& [broken, recalls, violation] : cases) {
    CAPTURE(static_cast<int>(broken));
    const Explored explored = explore({4, 2, recalls, broken});
    CHECK(explored.violation == violation);
  }
}
