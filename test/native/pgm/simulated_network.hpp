// A network in memory, with a clock of its own: what happens follows from the seed alone.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <queue>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/random.hpp"

namespace zerowire::test {

/// True with the given probability.
inline bool chance(Random& random, double probability) {
  return static_cast<double>(random.next() >> 11) < probability * 9007199254740992.0;
}

/// What one direction between two nodes does to packets.
struct LinkModel {
  double loss = 0;          ///< of each packet for itself
  double burst_begin = 0;   ///< Gilbert-Elliott: probability per packet that a bad time begins,
  double burst_end = 0.2;   ///< that it ends,
  double burst_loss = 0.8;  ///< and of loss meanwhile
  std::array<double, 16> type_loss{};  ///< further loss by PGM type
  int64_t delay = 50'000;              ///< ns
  int64_t jitter = 0;                  ///< ns, at most; packets keep their order
  double reorder = 0;                  ///< probability that a packet is overtaken,
  int64_t reorder_delay = 300'000;     ///< by those of at most so many ns
  double duplicate = 0;
  double flip = 0;  ///< probability that one bit changes
};

using Bytes = std::shared_ptr<const std::string>;

/// A host. Its deadline() is looked at again after each call.
class Node {
 public:
  virtual ~Node() = default;
  virtual void on_datagram(int64_t now, int from, const std::string& bytes) = 0;
  virtual void on_time(int64_t now) = 0;
  virtual int64_t deadline() const = 0;
};

class SimulatedNetwork {
 public:
  explicit SimulatedNetwork(uint64_t seed) : random(seed) {}

  /// Before run(); returns the node's number.
  int add(Node* node);
  LinkModel& link(int from, int to) { return links_[index(from, to)].model; }
  void all_links(const LinkModel& model);
  /// Nothing passes between two nodes, both ways, in [from, until).
  void cut(int a, int b, int64_t from, int64_t until) { cuts_.push_back({a, b, from, until}); }
  void send(int from, int to, std::string_view bytes);
  void multicast(int from, std::string_view bytes);
  /// Looks at a node's deadline again.
  void wake(int node);
  /// Runs until that time, or until `most` events have happened; false then.
  bool run(int64_t until, uint64_t most = UINT64_MAX);

  Random random;
  int64_t now = 0;
  int64_t lateness = 0;       ///< ns that nodes wake up late, at most
  uint64_t lost_data = 0;     ///< ODATA and RDATA that did not reach a node, flipped ones included
  uint64_t overtaken = 0;     ///< packets that others may have overtaken
  uint64_t sent = 0;          ///< packets, each receiver of a multicast counted
  int64_t bad_deadlines = 0;  ///< not behind the time that a node has just been told

 private:
  static constexpr int kMost = 16;
  struct Link {
    LinkModel model;
    bool bad = false;
    int64_t last = 0;  ///< arrival of the latest packet in order
  };
  struct Cut {
    int a, b;
    int64_t from, until;
  };
  struct Event {
    int64_t at;
    uint64_t number;  ///< order among those of one time
    int from;         ///< -1: a timer
    int to;
    Bytes bytes;
    bool operator<(const Event& other) const {
      return at != other.at ? at > other.at : number > other.number;
    }
  };

  static std::size_t index(int from, int to) { return static_cast<std::size_t>(from * kMost + to); }
  void transmit(int from, int to, const Bytes& bytes);
  bool lost(Link& link, int from, int to, const std::string& bytes);

  std::vector<Node*> nodes_;
  std::vector<int64_t> timers_;  ///< of each node, kNever = none
  std::array<Link, kMost * kMost> links_{};
  std::vector<Cut> cuts_;
  std::priority_queue<Event> events_;
  uint64_t numbers_ = 0;
};

}  // namespace zerowire::test
