// Sources and receivers on a simulated network, with what networks do to packets.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <sstream>

#include "simulated_hosts.hpp"

using namespace zerowire;
using namespace zerowire::test;
using pgm::SourceConfig;

namespace {

constexpr int64_t kSecond = 1000 * kMillisecond;

/// How many seeds a test tries; PGM_SEEDS=n makes it n times as many.
uint64_t seeds(uint64_t count) {
  const char* factor = std::getenv("PGM_SEEDS");
  return count * (factor ? std::strtoull(factor, nullptr, 10) : 1);
}

/// Where to begin: PGM_SEED=n replays from there.
uint64_t first_seed() {
  const char* seed = std::getenv("PGM_SEED");
  return seed ? std::strtoull(seed, nullptr, 10) : 1;
}

SourceConfig source_config(uint8_t number, uint64_t rate) {
  SourceConfig config;
  config.tsi = {{number, 2, 3, 4, 5, 6}, static_cast<uint16_t>(40'000 + number)};
  config.destination_port = kGroupPort;
  config.group = address_of(200);
  config.max_tsdu = 1428;
  config.overhead = kUdpOverhead;
  config.rate = rate;
  config.recovery = 10 * kSecond;
  config.window = 100'000;
  return config;
}

/// Messages that differ from each other in every place.
std::vector<std::string> make_message(Random& random, std::size_t most) {
  std::vector<std::string> parts(chance(random, 0.1) ? 1 + random.below(4) : 1);
  for (std::string& part : parts) {
    const std::size_t size = chance(random, 0.1) ? random.below(most) : random.below(300);
    part.resize(size);
    for (char& c : part) c = static_cast<char>(random.next());
  }
  return parts;
}

/// Messages at random times; returns when the last is due.
int64_t add_messages(Packer& packer, Random& random, int count, int64_t interval,
                     std::size_t most) {
  int64_t at = kMillisecond;
  for (int i = 0; i < count; ++i) {
    packer.add(make_message(random, most), at);
    if (chance(random, 0.5)) at += static_cast<int64_t>(random.below(2 * interval * 2));
  }
  return at;
}

std::string describe(const LinkModel& link) {
  std::ostringstream text;
  text << "loss " << link.loss << " bursts " << link.burst_begin << " jitter " << link.jitter
       << " delay " << link.delay << " reorder " << link.reorder << " duplicate " << link.duplicate
       << " flip " << link.flip;
  for (std::size_t i = 0; i < link.type_loss.size(); ++i) {
    if (link.type_loss[i] > 0) text << " type " << i << ": " << link.type_loss[i];
  }
  return text.str();
}

LinkModel random_link(Random& random) {
  static constexpr double kLosses[] = {0, 0.01, 0.05, 0.2};
  static constexpr std::size_t kTypes[] = {0x00, 0x05, 0x08, 0x0a, 0x0c};
  LinkModel link;
  link.delay =
      10'000 + static_cast<int64_t>(random.below(chance(random, 0.1) ? 30'000'000 : 300'000));
  link.loss = kLosses[random.below(4)];
  if (chance(random, 0.2)) link.burst_begin = 0.01;
  if (chance(random, 0.3)) link.jitter = static_cast<int64_t>(random.below(500'000));
  if (chance(random, 0.3)) link.reorder = 0.05;
  if (chance(random, 0.3)) link.duplicate = 0.03;
  if (chance(random, 0.3)) link.flip = 0.02;
  if (chance(random, 0.3)) link.type_loss[kTypes[random.below(5)]] = 0.5;
  return link;
}

/// One network with its hosts, and what must hold at the end.
struct Run {
  explicit Run(uint64_t seed) : network(seed) { text << "seed " << seed; }

  SourceHost& add_source(const SourceConfig& config) {
    sources.push_back(std::make_unique<SourceHost>(network, config));
    logs.push_back(&sources.back()->log);
    return *sources.back();
  }
  ReceiverHost& add_receiver(int64_t recovery = 10 * kSecond) {
    receivers.push_back(std::make_unique<ReceiverHost>(network, logs, recovery));
    return *receivers.back();
  }
  void all_links(const LinkModel& model) {
    network.all_links(model);
    text << ", " << describe(model);
  }
  /// From then on the network is well, and there is one message more: whoever has lost the tail and
  /// all SPMs after it finds out.
  void calm(int64_t at) {
    for (const auto& source : sources) {
      if (!source->log.vanished) source->packer.add({"the end"}, at);
    }
    CHECK_MESSAGE(network.run(at - kMillisecond, 20'000'000), text.str());
    network.all_links({});
  }
  /// Runs on, and on for half a minute in which nothing may happen but heartbeats.
  void finish(int64_t until) {
    CHECK_MESSAGE(network.run(until, 20'000'000), text.str());
    const uint64_t before = network.sent;
    CHECK_MESSAGE(network.run(until + 30 * kSecond, 1'000'000), text.str());
    const std::size_t nodes = sources.size() + receivers.size();
    CHECK_MESSAGE(network.sent - before <= 12 * nodes * nodes, text.str());
    CHECK_MESSAGE(network.bad_deadlines == 0, text.str());
    for (const auto& receiver : receivers) {
      receiver->finish();
      for (const std::string& error : receiver->errors()) {
        FAIL_CHECK(text.str() << ", receiver " << receiver->id << ": " << error);
      }
    }
    check_rates();
  }
  void check_rates() {
    for (const auto& source : sources) {
      const double late = network.lateness ? 25e6 : 1e6;
      const double most = source->meter.rate * late / 1e9 + 2 * 1480;
      CHECK_MESSAGE(source->meter.highest <= most, text.str());
    }
  }
  uint64_t lost() const {
    uint64_t all = 0;
    for (const auto& receiver : receivers) all += receiver->lost();
    return all;
  }
  std::string losses() const {
    std::string all;
    for (const auto& receiver : receivers) all += receiver->losses() + ";";
    return all;
  }
  uint64_t requested() const {
    uint64_t all = 0;
    for (const auto& receiver : receivers) all += receiver->stats().requested;
    return all;
  }
  uint64_t messages() const {
    uint64_t all = 0;
    for (const auto& receiver : receivers) all += receiver->messages();
    return all;
  }
  std::vector<int64_t> latencies() const {
    std::vector<int64_t> all;
    for (const auto& receiver : receivers) {
      const auto some = receiver->latencies();
      all.insert(all.end(), some.begin(), some.end());
    }
    std::sort(all.begin(), all.end());
    return all;
  }

  SimulatedNetwork network;
  std::vector<std::unique_ptr<SourceHost>> sources;
  std::vector<const SentLog*> logs;
  std::vector<std::unique_ptr<ReceiverHost>> receivers;
  std::ostringstream text;
};

double milliseconds(const std::vector<int64_t>& sorted, double part) {
  if (sorted.empty()) return 1e9;
  const auto at = static_cast<std::size_t>(part * static_cast<double>(sorted.size() - 1));
  return static_cast<double>(sorted[at]) / 1e6;
}

}  // namespace

TEST_CASE("whatever the network does, every message arrives once and in order") {
  static constexpr uint32_t kFirst[] = {0, UINT32_MAX - 30, UINT32_MAX / 2 - 20, 12345};
  static constexpr uint64_t kRates[] = {1'000'000, 10'000'000, 100'000'000, 1'000'000'000};
  for (uint64_t seed = first_seed(), n = seeds(1500); n > 0; ++seed, --n) {
    Run run(seed);
    Random& random = run.network.random;
    const uint64_t rate = kRates[random.below(4)];
    const auto sources = 1 + random.below(2);
    const auto receivers = 1 + random.below(4);
    if (chance(random, 0.2)) run.network.lateness = 3 * kMillisecond;
    run.text << ", " << sources << " x " << receivers << ", rate " << rate << ", lateness "
             << run.network.lateness;
    run.all_links(random_link(random));
    int64_t end = 0;
    for (uint64_t i = 0; i < sources; ++i) {
      SourceConfig config = source_config(static_cast<uint8_t>(i), rate);
      config.first_sequence = kFirst[random.below(4)];
      SourceHost& source = run.add_source(config);
      const int64_t interval = static_cast<int64_t>(random.below(2 * kMillisecond));
      end = std::max(end, add_messages(source.packer, random, 60, interval, 8000));
    }
    for (uint64_t i = 0; i < receivers; ++i) {
      ReceiverHost& receiver = run.add_receiver();
      if (chance(random, 0.2)) receiver.full = 0.1;
    }
    run.calm(end + 3 * kSecond);
    run.finish(end + 13 * kSecond);
    CHECK_MESSAGE(run.lost() == 0, run.text.str() << run.losses());
    const uint64_t troubles = run.network.lost_data + run.network.overtaken;
    CHECK_MESSAGE(run.requested() <= 8 * troubles + 40 * receivers, run.text.str());
  }
}

TEST_CASE("an outage longer than the window: one gap, then it goes on") {
  for (uint64_t seed = first_seed(), n = seeds(100); n > 0; ++seed, --n) {
    Run run(seed);
    LinkModel link;
    link.loss = seed % 2 ? 0.05 : 0;
    run.all_links(link);
    SourceConfig config = source_config(1, 10'000'000);
    config.window = 80;
    config.first_sequence = seed % 3 ? 0 : UINT32_MAX - 200;
    SourceHost& source = run.add_source(config);
    for (int i = 0; i < 400; ++i) {
      source.packer.add({std::string(100 + run.network.random.below(100), 'x')},
                        (1 + i * 10) * kMillisecond);
    }
    ReceiverHost& receiver = run.add_receiver();
    const int64_t back = 3000 * kMillisecond;
    run.network.cut(source.id, receiver.id, 1000 * kMillisecond, back);
    run.network.run(back + 60 * kMillisecond);
    const uint64_t soon = receiver.messages();
    CHECK_MESSAGE(soon > 100, run.text.str());
    run.finish(10 * kSecond);
    CHECK_MESSAGE(receiver.lost() > 0, run.text.str());
    CHECK_MESSAGE(receiver.lost() < 200, run.text.str());
    CHECK_MESSAGE(receiver.messages() + receiver.lost() == 400, run.text.str());
  }
}

TEST_CASE("a source that begins anew, as the same session or another") {
  for (uint64_t seed = first_seed(), n = seeds(200); n > 0; ++seed, --n) {
    Run run(seed);
    Random& random = run.network.random;
    run.all_links(random_link(random));
    const bool same = seed % 2;
    run.text << (same ? ", same session" : ", another session");
    SourceHost& first = run.add_source(source_config(1, 10'000'000));
    SourceHost& second = run.add_source(source_config(same ? 1 : 2, 10'000'000));
    add_messages(first.packer, random, 100, kMillisecond, 3000);
    ReceiverHost& receiver = run.add_receiver();
    // The same session can be told from late packets only after a pause.
    const int begin = same ? 1200 : 100;
    second.sleep_until(begin * kMillisecond);
    for (int i = 0; i < 200; ++i) {
      second.packer.add(make_message(random, 3000), (begin + i * 2) * kMillisecond);
    }
    run.network.run(100 * kMillisecond - 1);
    first.hand_over(second);
    run.calm(5 * kSecond);
    run.finish(12 * kSecond);
    REQUIRE_MESSAGE(!receiver.sessions.empty(), run.text.str());
    CHECK_MESSAGE(receiver.last_message(second.log) == 200, run.text.str());
  }
}

TEST_CASE("NAKs and repairs are at most 1.5 times the losses, for eight receivers") {
  for (const double loss : {0.01, 0.05, 0.2}) {
    for (uint64_t seed = first_seed(), n = seeds(10); n > 0; ++seed, --n) {
      Run run(seed);
      LinkModel link;
      link.loss = loss;
      link.delay = 50'000;
      link.jitter = 100'000;
      run.all_links(link);
      SourceHost& source = run.add_source(source_config(1, 10'000'000));
      for (int i = 0; i < 2000; ++i) {
        source.packer.add({std::string(1000, static_cast<char>(i))}, i * 200'000);
      }
      for (int i = 0; i < 8; ++i) run.add_receiver();
      run.finish(5 * kSecond);
      CHECK_MESSAGE(run.lost() == 0, run.text.str() << run.losses());
      CHECK_MESSAGE(run.messages() == 16'000, run.text.str());
      const auto losses = static_cast<double>(run.network.lost_data);
      const auto repairs = static_cast<double>(source.source().stats().repairs);
      const auto requested = static_cast<double>(run.requested());
      CAPTURE(losses);
      CHECK_MESSAGE(requested <= 1.5 * losses, run.text.str());
      CHECK_MESSAGE(repairs <= 1.5 * losses, run.text.str());
    }
  }
}

TEST_CASE("one receiver: how soon a lost packet comes") {
  for (const double loss : {0.01, 0.05, 0.2}) {
    Run run(first_seed());
    LinkModel link;
    link.loss = loss;
    run.all_links(link);
    SourceHost& source = run.add_source(source_config(1, 10'000'000));
    for (int i = 0; i < 10'000; ++i) {
      source.packer.add({std::string(200, static_cast<char>(i))}, i * kMillisecond);
    }
    run.add_receiver();
    run.finish(12 * kSecond);
    CHECK_MESSAGE(run.messages() == 10'000, run.text.str());
    const std::vector<int64_t> latencies = run.latencies();
    const double p99 = milliseconds(latencies, 0.99);
    const double most = milliseconds(latencies, 1);
    CAPTURE(p99);
    CAPTURE(milliseconds(latencies, 1));
    CHECK_MESSAGE(p99 <= (loss < 0.02 ? 3 : loss < 0.1 ? 8 : 25), run.text.str());
    CHECK_MESSAGE(most <= (loss < 0.02 ? 15 : loss < 0.1 ? 30 : 80), run.text.str());
  }
}

TEST_CASE("a source like libzmq's, which holds repairs back") {
  for (const double loss : {0.01, 0.05, 0.2}) {
    for (uint64_t seed = first_seed(), n = seeds(10); n > 0; ++seed, --n) {
      Run run(seed);
      LinkModel link;
      link.loss = loss;
      run.all_links(link);
      LibzmqSourceHost source(run.network, source_config(1, 10'000'000));
      run.logs.push_back(&source.log);
      for (int i = 0; i < 3000; ++i) {
        source.packer.add({std::string(200, static_cast<char>(i))}, i * kMillisecond);
      }
      ReceiverHost& receiver = run.add_receiver();
      run.network.run(10 * kSecond);
      receiver.finish();
      for (const std::string& error : receiver.errors()) FAIL_CHECK(run.text.str() << error);
      CHECK_MESSAGE(run.lost() == 0, run.text.str() << run.losses());
      CHECK_MESSAGE(run.messages() == 3000, run.text.str());
      const std::vector<int64_t> latencies = run.latencies();
      const double p99 = milliseconds(latencies, 0.99);
      CAPTURE(p99);
      CAPTURE(milliseconds(latencies, 1));
      CHECK_MESSAGE(p99 <= (loss < 0.02 ? 20 : loss < 0.1 ? 40 : 150), run.text.str());
      CHECK_MESSAGE(
          static_cast<double>(source.repairs) <= 2 * static_cast<double>(run.network.lost_data),
          run.text.str());
    }
  }
}

TEST_CASE("a source that ends: the tail is repaired before it is gone") {
  for (uint64_t seed = first_seed(), n = seeds(300); n > 0; ++seed, --n) {
    Run run(seed);
    LinkModel link;
    link.loss = 0.1;
    run.all_links(link);
    SourceHost& source = run.add_source(source_config(1, 10'000'000));
    for (int i = 0; i < 20; ++i) {
      source.packer.add({std::string(3000, static_cast<char>(i))}, (1 + i) * kMillisecond);
    }
    source.finish_at(21 * kMillisecond);
    ReceiverHost& receiver = run.add_receiver();
    run.finish(10 * kSecond);
    CHECK_MESSAGE(source.source().finished(run.network.now), run.text.str());
    CHECK_MESSAGE(receiver.last_message(source.log) == 19, run.text.str());
    CHECK_MESSAGE(receiver.over(), run.text.str());
  }
}
