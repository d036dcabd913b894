// Receivers on a network with loss: how long repairs take, and what they cost.
#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>

#include "receiver_driver.hpp"

using namespace zerowire;
using namespace zerowire::pgm;
using namespace zerowire::pgm::test;

namespace {

constexpr int64_t kOneWay = kMillisecond / 20;

struct Plan {
  double loss = 0;         ///< of every packet, per receiver, both ways
  double common_loss = 0;  ///< of data, for all receivers alike
  int receivers = 1;
  bool libzmq = false;  ///< repairs wait for a timer or the next packet, one each
  int64_t interval = kMillisecond;
  int packets = 10'000;
  uint64_t seed = 1;
};

/// One source that answers at once, or as libzmq does, and its receivers.
class Net {
 public:
  explicit Net(const Plan& given) : plan_(given), random_(given.seed) {
    for (int i = 0; i < plan_.receivers; ++i) {
      drivers_.push_back(std::make_unique<Driver>(receiver_config(), plan_.seed * 100 + i));
      delivered_.emplace_back();
    }
  }

  void run() {
    for (int i = 0; i < plan_.packets; ++i) at(kStart + i * plan_.interval, [this] { send(); });
    for (int i = 0; i < 100; ++i) {
      at(kStart + plan_.packets * plan_.interval + i * 100 * kMillisecond, [this] { send_spm(); });
    }
    spm_ = 0;
    send_spm();
    while (step()) {
    }
  }

  /// Milliseconds from sending to delivery, the `part` quantile over all receivers.
  double quantile(double part) {
    std::vector<int64_t> all;
    for (const auto& times : delivered_) {
      for (std::size_t i = 0; i < times.size(); ++i) {
        all.push_back(times[i] - kStart - static_cast<int64_t>(i) * plan_.interval);
      }
    }
    std::sort(all.begin(), all.end());
    const auto index = static_cast<std::size_t>(part * static_cast<double>(all.size() - 1));
    return static_cast<double>(all[index]) / kMillisecond;
  }
  bool complete() const {
    for (std::size_t i = 0; i < drivers_.size(); ++i) {
      if (drivers_[i]->losses || delivered_[i].size() != sent_) return false;
    }
    return true;
  }
  int lost = 0;  ///< data packets, summed over the receivers
  int naks = 0;
  int requested = 0;
  int kicks = 0;
  int repairs = 0;
  int wakes() const {
    int sum = 0;
    for (const auto& driver : drivers_) sum += driver->wakes;
    return sum;
  }

 private:
  void at(int64_t time, std::function<void()> f) {
    events_.emplace(std::make_pair(time, order_++), std::move(f));
  }
  bool chance(double part) {
    return static_cast<double>(random_.below(1'000'000)) < part * 1'000'000;
  }

  bool step() {
    int64_t first = events_.empty() ? kNever : events_.begin()->first.first;
    for (auto& driver : drivers_) first = std::min(first, driver->receiver.deadline());
    if (first == kNever) return false;
    now_ = std::max(now_, first);
    if (!events_.empty() && events_.begin()->first.first <= now_) {
      const auto f = std::move(events_.begin()->second);
      events_.erase(events_.begin());
      f();
    }
    for (std::size_t i = 0; i < drivers_.size(); ++i) {
      Driver& driver = *drivers_[i];
      driver.now = now_;
      if (driver.receiver.deadline() > now_) continue;
      ++driver.wakes;
      for (const Sent& sent : driver.poll()) upstream(sent);
    }
    return true;
  }
  void upstream(const Sent& sent) {
    if (sent.kick()) ++kicks;
    naks += !sent.sequences.empty();
    requested += static_cast<int>(sent.sequences.size());
    if (chance(plan_.loss)) return;
    at(now_ + kOneWay, [this, sent] { on_upstream(sent); });
  }

  /// To each receiver, `f(driver)`.
  void multicast(bool data, std::function<void(Driver&)> f) {
    const bool common = data && chance(plan_.common_loss);
    for (std::size_t i = 0; i < drivers_.size(); ++i) {
      if (common || chance(plan_.loss)) {
        lost += data;
        continue;
      }
      at(now_ + kOneWay, [this, i, f] {
        Driver& driver = *drivers_[i];
        driver.now = now_;
        f(driver);
        for (const std::string text = driver.take(); delivered_[i].size() < sent_;) {
          if (driver.receiver.stats().data == 0) break;
          const std::size_t have = delivered_[i].size();
          const auto count = static_cast<std::size_t>(
              text.empty() ? 0 : 1 + std::count(text.begin(), text.end(), ' '));
          for (std::size_t k = 0; k < count; ++k) delivered_[i].push_back(now_);
          CHECK((count == 0 || text.substr(0, text.find(' ')) == std::to_string(have)));
          break;
        }
      });
    }
  }
  void send() {
    const auto sequence = static_cast<uint32_t>(sent_++);
    multicast(true, [sequence](Driver& driver) { driver.odata(sequence); });
  }
  void send_spm() {
    const uint32_t sequence = spm_++;
    const auto lead = static_cast<uint32_t>(sent_) - 1;
    multicast(false, [=](Driver& driver) { driver.spm(sequence, 0, lead); });
  }
  void on_upstream(const Sent& sent) {
    if (!sent.sequences.empty()) {
      const auto sequences = sent.sequences;
      multicast(false, [sequences](Driver& driver) { driver.ncf(sequences); });
      for (const uint32_t sequence : sequences) {
        if (std::find(queue_.begin(), queue_.end(), sequence) != queue_.end()) continue;
        if (now_ - repaired_at_[sequence] >= kMillisecond) queue_.push_back(sequence);
      }
    }
    if (!plan_.libzmq) {
      while (!queue_.empty()) repair();
      return;
    }
    if (sent.sequences.empty()) return wake();
    at(now_ + (10 + static_cast<int64_t>(random_.below(75))) * kMillisecond, [this] { repair(); });
  }
  /// What comes in while its thread wakes up is read at once: one repair for all.
  void wake() {
    if (wakes_at_ > now_) return;
    wakes_at_ = now_ + 20'000;
    at(wakes_at_, [this] { repair(); });
  }
  void repair() {
    if (queue_.empty()) return;
    const uint32_t sequence = queue_.front();
    queue_.pop_front();
    repaired_at_[sequence] = now_;
    ++repairs;
    multicast(false, [sequence](Driver& driver) { driver.rdata(sequence); });
  }

  const Plan plan_;
  Random random_;
  int64_t now_ = kStart;
  std::vector<std::unique_ptr<Driver>> drivers_;
  std::vector<std::vector<int64_t>> delivered_;
  std::map<std::pair<int64_t, uint64_t>, std::function<void()>> events_;
  uint64_t order_ = 0;
  std::size_t sent_ = 0;
  uint32_t spm_ = 0;
  std::deque<uint32_t> queue_;
  int64_t wakes_at_ = 0;
  std::map<uint32_t, int64_t> repaired_at_;
};

}  // namespace

TEST_CASE("repairs by a source that answers at once take few milliseconds") {
  struct Case {
    double loss, p99, most;
  };
  for (const auto& [loss, p99, most] : {Case{0.01, 3, 15}, Case{0.05, 8, 30}, Case{0.2, 25, 80}}) {
    Plan plan;
    plan.loss = loss;
    Net net(plan);
    net.run();
    CAPTURE(loss);
    CHECK(net.complete());
    CHECK(net.quantile(0.99) <= p99);
    CHECK(net.quantile(1) <= most);
    CHECK(net.kicks <= net.lost / 4);
  }
}

TEST_CASE("repairs by a source like libzmq's do not wait for its timers") {
  struct Case {
    double loss, p99;
  };
  for (const auto& [loss, p99] : {Case{0.01, 5}, Case{0.05, 15}, Case{0.2, 40}}) {
    Plan plan;
    plan.loss = loss;
    plan.libzmq = true;
    Net net(plan);
    net.run();
    CAPTURE(loss);
    CHECK(net.complete());
    CHECK(net.quantile(0.99) <= p99);
    CHECK(net.kicks < 4 * net.lost);
  }
}

TEST_CASE("eight receivers that lose the same ask hardly more than one") {
  Plan plan;
  plan.common_loss = 0.02;
  plan.receivers = 8;
  Net net(plan);
  net.run();
  CHECK(net.complete());
  const int holes = net.lost / 8;
  CHECK(2 * net.naks <= 3 * holes);
  CHECK(net.quantile(0.99) <= 10);
}

TEST_CASE("eight receivers that lose on their own ask once each") {
  Plan plan;
  plan.loss = 0.02;
  plan.receivers = 8;
  Net net(plan);
  net.run();
  CHECK(net.complete());
  CHECK(2 * net.naks <= 3 * net.lost);
}

TEST_CASE("with many packets a millisecond, losses share NAKs") {
  for (const double loss : {0.01, 0.2}) {
    Plan plan;
    plan.loss = loss;
    plan.interval = 20'000;
    plan.packets = 50'000;
    Net net(plan);
    net.run();
    CAPTURE(loss);
    CHECK(net.complete());
    CHECK(net.quantile(0.99) <= 40);
    CHECK(2 * net.requested <= 5 * net.lost);
    CHECK(net.naks < net.lost);
    CHECK(net.wakes() <= 2 * net.lost);
  }
}
