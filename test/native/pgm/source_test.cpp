// Source: what it sends, and when.
#include "pgm/source.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <string>
#include <vector>

#include "base/random.hpp"

using namespace zerowire;
using namespace zerowire::pgm;

namespace {

Nla nla(uint8_t last) {
  Nla address;
  address.afi = Nla::kIpv4;
  address.bytes = {10, 77, 0, last};
  return address;
}

SourceConfig config() {
  SourceConfig config;
  config.tsi = {{1, 2, 3, 4, 5, 6}, 4000};
  config.destination_port = 7500;
  config.path = nla(1);
  config.group = nla(200);
  config.max_tsdu = 1428;
  config.overhead = 28;
  config.rate = 10'000'000;
  config.recovery = 10'000 * kMillisecond;
  config.window = 100;
  return config;
}

constexpr Tsi kTsi{{1, 2, 3, 4, 5, 6}, 4000};

/// A source and its clock. Starts after the first SPMs.
struct Fixture {
  explicit Fixture(const SourceConfig& given = config()) : source(given, 0) { first = poll(); }

  struct Sent {
    int64_t at;
    std::string bytes;
    Packet packet;
  };

  std::vector<Sent> poll() {
    std::vector<Sent> sent;
    std::string_view out[16];
    std::size_t count = 0;
    do {
      count = source.poll(now, out, 16);
      for (std::size_t i = 0; i < count; ++i) sent.push_back({now, std::string(out[i]), {}});
    } while (count == 16);
    for (Sent& one : sent) {
      REQUIRE(decode(one.bytes, one.packet) == Fault::none);
      CHECK(one.packet.tsi() == kTsi);
      CHECK(one.packet.destination_port == 7500);
    }
    return sent;
  }
  /// Polls at every deadline up to a time.
  std::vector<Sent> run(int64_t until) {
    std::vector<Sent> all;
    for (int guard = 0; source.deadline() <= until; ++guard) {
      REQUIRE(guard < 100'000);
      REQUIRE(source.deadline() >= now);
      now = source.deadline();
      for (Sent& one : poll()) {
        all.push_back(std::move(one));
        // Its views have moved.
        REQUIRE(decode(all.back().bytes, all.back().packet) == Fault::none);
      }
    }
    now = until;
    return all;
  }
  bool put(const std::string& tsdu) {
    char* memory = source.open(now);
    if (!memory) return false;
    std::memcpy(memory, tsdu.data(), tsdu.size());
    source.seal(tsdu.size());
    return true;
  }
  void nak(const std::vector<uint32_t>& sequences, Type type = Type::nak,
           uint16_t port = kTsi.port) {
    char bytes[kMaxControlSize];
    const Ports ports{kTsi.gsi, 7500, port};
    const std::size_t size =
        write_nak(bytes, type, ports, nla(1), nla(200), sequences.data(), sequences.size());
    take({bytes, size});
  }
  void spmr() {
    char bytes[kMaxControlSize];
    take({bytes, write_spmr(bytes, {kTsi.gsi, 7500, kTsi.port})});
  }
  void take(std::string_view bytes) {
    Packet packet;
    REQUIRE(decode(bytes, packet) == Fault::none);
    source.on_packet(now, packet);
  }

  Random random{1};
  Source source;
  int64_t now = 0;
  std::vector<Sent> first;
};

std::vector<Type> types(const std::vector<Fixture::Sent>& sent) {
  std::vector<Type> all;
  for (const auto& one : sent) all.push_back(one.packet.type);
  return all;
}

std::vector<int64_t> milliseconds(const std::vector<Fixture::Sent>& sent, Type type) {
  std::vector<int64_t> all;
  for (const auto& one : sent) {
    if (one.packet.type == type) all.push_back(one.at / kMillisecond);
  }
  return all;
}

using Types = std::vector<Type>;

}  // namespace

TEST_CASE("three SPMs at the start announce an empty window") {
  Fixture fixture;
  REQUIRE(types(fixture.first) == Types{Type::spm, Type::spm, Type::spm});
  for (uint32_t i = 0; i < 3; ++i) {
    const Packet& spm = fixture.first[i].packet;
    CHECK(spm.sequence == i);
    CHECK(spm.trail == 0);
    CHECK(spm.lead == UINT32_MAX);
    CHECK(spm.source == nla(1));
    CHECK(!spm.fin);
  }
}

TEST_CASE("data goes out at once, numbered from 0, and heartbeats follow at libzmq's intervals") {
  Fixture fixture;
  fixture.now = 50 * kMillisecond;
  REQUIRE(fixture.put("hello"));
  REQUIRE(fixture.put("world"));
  CHECK(fixture.source.waiting() == 2);
  CHECK(fixture.source.deadline() == fixture.now);
  const auto sent = fixture.poll();
  REQUIRE(types(sent) == Types{Type::odata, Type::odata});
  CHECK(sent[0].packet.sequence == 0);
  CHECK(sent[0].packet.tsdu == "hello");
  CHECK(sent[1].packet.sequence == 1);
  CHECK(sent[1].packet.trail == 0);
  CHECK(sent[1].packet.tsdu == "world");

  const auto idle = fixture.run(120'000 * kMillisecond);
  CHECK(milliseconds(idle, Type::spm) ==
        std::vector<int64_t>{150, 250, 350, 450, 1750, 8750, 24750, 49750, 79750, 109750});
  CHECK(idle.front().packet.lead == 1);
}

TEST_CASE("among data there is an SPM every 500 ms") {
  Fixture fixture;
  std::vector<Fixture::Sent> all;
  for (int i = 0; i < 200; ++i) {
    fixture.put("data");
    for (auto& one : fixture.run(fixture.now + 10 * kMillisecond)) all.push_back(one);
  }
  CHECK(milliseconds(all, Type::spm) == std::vector<int64_t>{500, 1000, 1500});
}

TEST_CASE("an SPMR is answered at once, and once in 100 ms") {
  Fixture fixture;
  fixture.now = 10 * kMillisecond;
  fixture.spmr();
  CHECK(types(fixture.poll()) == Types{Type::spm});
  for (; fixture.now < 60 * kMillisecond; fixture.now += kMillisecond) {
    fixture.spmr();
    CHECK(fixture.poll().empty());
  }
  // The heartbeat answers what would have been answered at 110 ms.
  CHECK(milliseconds(fixture.run(190 * kMillisecond), Type::spm) == std::vector<int64_t>{100});
}

TEST_CASE("a NAK is confirmed at once with its list, and repaired with the same octets") {
  for (const uint32_t first : {0u, UINT32_MAX - 2}) {
    SourceConfig given = config();
    given.first_sequence = first;
    Fixture fixture(given);
    CHECK(fixture.first[0].packet.lead == first - 1);
    std::vector<std::string> tsdus;
    for (int i = 0; i < 5; ++i) {
      tsdus.push_back(std::string(static_cast<std::size_t>(100 + i), static_cast<char>('a' + i)));
      fixture.put(tsdus.back());
    }
    CHECK(fixture.poll().size() == 5);
    fixture.now = 5 * kMillisecond;
    fixture.nak({first + 1, first + 3, first + 4});
    CHECK(fixture.source.deadline() == fixture.now);
    const auto sent = fixture.poll();
    REQUIRE(types(sent) == Types{Type::ncf, Type::rdata, Type::rdata, Type::rdata});
    CHECK(sent[0].packet.sequence == first + 1);
    REQUIRE(sent[0].packet.listed() == 2);
    CHECK(sent[0].packet.listed(0) == first + 3);
    CHECK(sent[0].packet.listed(1) == first + 4);
    CHECK(sent[0].packet.source == nla(1));
    CHECK(sent[0].packet.group == nla(200));
    CHECK(sent[1].packet.sequence == first + 1);
    CHECK(sent[1].packet.tsdu == tsdus[1]);
    CHECK(sent[3].packet.sequence == first + 4);
    CHECK(sent[3].packet.tsdu == tsdus[4]);
    CHECK(fixture.source.stats().repairs == 3);
    CHECK(fixture.source.stats().requested == 3);
  }
}

TEST_CASE("the same NAK again: no second NCF within 1 ms, no second repair before it can arrive") {
  Fixture fixture;
  fixture.put("data");
  fixture.poll();
  fixture.now = 8 * kMillisecond;
  fixture.nak({0});
  CHECK(types(fixture.poll()) == Types{Type::ncf, Type::rdata});
  fixture.now += kMillisecond / 2;
  fixture.nak({0});
  CHECK(fixture.poll().empty());
  fixture.now += 2 * kMillisecond;  // half of the shortest time a NAK took would be 4 ms
  fixture.nak({0});
  CHECK(types(fixture.poll()) == Types{Type::ncf});
  fixture.now += 2 * kMillisecond;
  fixture.nak({0});
  CHECK(types(fixture.poll()) == Types{Type::ncf, Type::rdata});
}

TEST_CASE("what is not kept is not confirmed; an SPM tells what is") {
  SourceConfig given = config();
  given.window = 10;
  Fixture fixture(given);
  for (int i = 0; i < 200; ++i) {
    fixture.put("data");
    fixture.run(fixture.now + kMillisecond);
  }
  fixture.nak({3, 195, 250});
  auto sent = fixture.poll();
  REQUIRE(types(sent) == Types{Type::ncf, Type::spm, Type::rdata});
  CHECK(sent[0].packet.sequence == 195);
  CHECK(sent[0].packet.listed() == 0);
  CHECK(sent[1].packet.trail == 190);
  CHECK(sent[1].packet.lead == 199);
  CHECK(fixture.source.stats().refused == 2);
  // Not an SPM for every such NAK.
  int spms = 0;
  for (int i = 0; i < 50; ++i) {
    fixture.nak({3});
    for (const auto& one : fixture.run(fixture.now + kMillisecond)) {
      spms += one.packet.type == Type::spm;
    }
  }
  CHECK(spms == 5);
  // A little more than advertised is kept, and nothing says of itself that it is gone.
  fixture.nak({185});
  sent = fixture.poll();
  REQUIRE(sent.back().packet.type == Type::rdata);
  CHECK(sent.back().packet.trail == 185);
}

TEST_CASE("NAKs of other sessions, NNAKs and downstream packets change nothing") {
  Fixture fixture;
  fixture.put("data");
  fixture.poll();
  fixture.nak({0}, Type::nak, 4001);
  fixture.nak({0}, Type::nnak);
  fixture.nak({0}, Type::ncf);
  CHECK(fixture.poll().empty());
}

TEST_CASE("a flood of NAKs makes few NCFs, and repairs within the rate") {
  Fixture fixture;
  std::size_t data = 0;
  for (; data < 90; ++data) {
    fixture.put(std::string(1428, 'x'));
    fixture.run(fixture.now + kMillisecond);
  }
  const auto before = fixture.source.stats();
  std::size_t ncfs = 0;
  std::size_t bytes = 0;
  const int64_t start = fixture.now;
  std::vector<uint32_t> list;
  for (int64_t i = 0; i < 100'000; ++i) {
    list.clear();
    for (uint32_t k = 0; k < 40; ++k) list.push_back(static_cast<uint32_t>(i * 7 + k) % 90);
    fixture.nak(list);
    fixture.now += 1000;
    for (const auto& one : fixture.poll()) {
      ncfs += one.packet.type == Type::ncf;
      if (one.packet.type == Type::rdata) bytes += one.bytes.size() + 28;
    }
  }
  CHECK(fixture.now - start == 100 * kMillisecond);
  CHECK(ncfs <= 64 * 101);
  CHECK(bytes <= 1'000'000 + 20'000);
  CHECK(fixture.source.stats().repairs - before.repairs <= 90 * 100);
}

TEST_CASE("repairs and data take turns when both wait") {
  Fixture fixture;
  for (int i = 0; i < 40; ++i) {
    fixture.put(std::string(1428, 'x'));
    fixture.run(fixture.now + kMillisecond);
  }
  fixture.nak({0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19});
  std::size_t data = 0;
  std::size_t repairs = 0;
  while (repairs < 20) {
    while (fixture.put(std::string(1428, 'y'))) {
    }
    fixture.now = fixture.source.deadline();
    for (const auto& one : fixture.poll()) {
      data += one.packet.type == Type::odata;
      repairs += one.packet.type == Type::rdata;
    }
    if (repairs < 20) CHECK(std::max(data, repairs) - std::min(data, repairs) <= 1);
  }
}

TEST_CASE("a full source keeps the rate within 1 %, in bursts of at most 1 ms or two packets") {
  for (const uint64_t rate :
       {uint64_t{12'500}, uint64_t{1'000'000}, uint64_t{100'000'000}, uint64_t{1'000'000'000}}) {
    CAPTURE(rate);
    SourceConfig given = config();
    given.rate = rate;
    Fixture fixture(given);
    const int64_t packet = 1480'000'000'000 / static_cast<int64_t>(rate);
    const int64_t length = std::max(200 * kMillisecond, 200 * packet);
    uint64_t bytes = 0;
    int wakes = 0;
    while (fixture.now < length) {
      while (fixture.put(std::string(1428, 'x'))) {
      }
      CHECK(fixture.source.waiting() <= 256);
      CHECK(fixture.source.deadline() >= fixture.now);
      fixture.now = fixture.source.deadline();
      uint64_t burst = 0;
      for (const auto& one : fixture.poll()) {
        if (one.packet.type == Type::odata) burst += one.bytes.size() + 28;
      }
      CHECK(burst <= std::max<uint64_t>(2 * 1480, rate / 1000 + 1));
      bytes += burst;
      ++wakes;
    }
    const double expected = static_cast<double>(rate) * static_cast<double>(fixture.now) / 1e9;
    CHECK(static_cast<double>(bytes) == doctest::Approx(expected).epsilon(0.015));
    const int64_t heartbeats = length / (100 * kMillisecond);
    CHECK(wakes <= length / std::max<int64_t>(packet, 350'000) + heartbeats + 10);
  }
}

TEST_CASE("a thread that comes up to 20 ms late still reaches the rate") {
  SourceConfig given = config();
  given.rate = 50'000'000;
  Fixture fixture(given);
  uint64_t bytes = 0;
  while (fixture.now < 2'000 * kMillisecond) {
    std::size_t count = 0;
    do {
      count = 0;
      while (fixture.put(std::string(1428, 'x'))) {
      }
      for (const auto& one : fixture.poll()) {
        if (one.packet.type != Type::odata) continue;
        bytes += one.bytes.size() + 28;
        ++count;
      }
    } while (count);
    fixture.now =
        fixture.source.deadline() + static_cast<int64_t>(fixture.random.below(20 * kMillisecond));
  }
  const double expected = 50e6 * static_cast<double>(fixture.now) / 1e9;
  CHECK(static_cast<double>(bytes) == doctest::Approx(expected).epsilon(0.015));
}

TEST_CASE("the end: what waits, three SPMs with OPT_FIN, repairs of the tail, then quiet") {
  SourceConfig given = config();
  given.rate = 1'000'000;
  Fixture fixture(given);
  for (int i = 0; i < 4; ++i) fixture.put(std::string(1428, 'x'));
  fixture.source.finish(fixture.now);
  CHECK(!fixture.source.open(fixture.now));
  auto sent = fixture.run(20 * kMillisecond);
  REQUIRE(types(sent) == Types{Type::odata, Type::odata, Type::odata, Type::odata, Type::spm,
                               Type::spm, Type::spm});
  CHECK(sent[6].packet.fin);
  CHECK(sent[6].packet.lead == 3);
  CHECK(!fixture.source.finished(fixture.now));
  fixture.now = 200 * kMillisecond;
  fixture.nak({3});
  sent = fixture.run(fixture.now);
  CHECK(sent.back().packet.sequence == 3);
  CHECK(!fixture.source.finished(fixture.now));
  const auto last = fixture.run(10'000 * kMillisecond);
  CHECK(fixture.source.finished(fixture.now));
  CHECK(fixture.source.deadline() == kNever);
  CHECK(last.back().at < 700 * kMillisecond);
  CHECK(last.back().packet.fin);
}

TEST_CASE("abandoned, it says at once that it ends, with what has been sent") {
  SourceConfig given = config();
  given.rate = 100'000;
  Fixture fixture(given);
  for (int i = 0; i < 4; ++i) fixture.put(std::string(1428, 'x'));
  const auto before = fixture.run(20 * kMillisecond);
  REQUIRE(before.back().packet.sequence < 3);
  fixture.source.abandon(fixture.now);
  const auto sent = fixture.poll();
  REQUIRE(types(sent) == Types{Type::spm, Type::spm, Type::spm});
  for (const auto& spm : sent) {
    CHECK(spm.packet.fin);
    CHECK(spm.packet.lead == fixture.source.stats().data - 1);
  }
  fixture.nak({0});
  CHECK(fixture.run(200 * kMillisecond).empty());
}

TEST_CASE("without data the end is quick; with NAKs for ever it comes all the same") {
  Fixture quick;
  quick.source.finish(quick.now);
  CHECK(types(quick.poll()) == Types{Type::spm, Type::spm, Type::spm});
  CHECK(quick.source.finished(quick.now));

  Fixture slow;
  slow.put("data");
  slow.source.finish(slow.now);
  while (!slow.source.finished(slow.now)) {
    REQUIRE(slow.now < 20'000 * kMillisecond);
    slow.run(slow.now + 50 * kMillisecond);
    slow.nak({0});
  }
  CHECK(slow.now >= 9'900 * kMillisecond);
}
