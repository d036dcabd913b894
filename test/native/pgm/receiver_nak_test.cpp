// Receiver: when it asks, how, how often, and when not.
#include <doctest/doctest.h>

#include <algorithm>

#include "receiver_driver.hpp"

using namespace zerowire;
using namespace zerowire::pgm;
using namespace zerowire::pgm::test;

using Route = Upstream::Route;

namespace {

/// Every second packet is missing: 6, 8 ... The losses count at once.
void lose(Driver& d, uint32_t losses) {
  d.spm(0, 0, 4);
  d.odata(5);
  for (uint32_t i = 0; i < losses; ++i) d.odata(7 + 2 * i);
  d.odata(6 + 2 * losses);
}

/// NAKs that are answered after `round_trip`, so that it is known. 185 packets have come then.
void settle(Driver& d, int64_t round_trip) {
  lose(d, 1);
  for (uint32_t sequence = 6; sequence < 186; sequence += 3) {
    if (sequence != 6) {
      d.odata(sequence + 1);
      d.odata(sequence + 2);
    }
    REQUIRE(d.next().size() == 1);
    d.pass(round_trip);
    d.ncf({sequence});
    d.rdata(sequence);
  }
  d.pass(kMillisecond);
  d.take();
}

}  // namespace

TEST_CASE("the first NAK waits for a random part of the back-off") {
  int64_t least = kNever, most = 0;
  for (uint64_t seed = 1; seed < 200; ++seed) {
    Driver d(receiver_config(), seed);
    lose(d, 1);
    const int64_t after = d.next()[0].at - kStart;
    least = std::min(least, after);
    most = std::max(most, after);
  }
  CHECK(least < 50'000);
  CHECK(most > 950'000);
  CHECK(most <= kMillisecond);
}

TEST_CASE("the source may say which back-off it wants") {
  int64_t most = 0;
  for (uint64_t seed = 1; seed < 100; ++seed) {
    Driver d(receiver_config(), seed);
    Packet spm = d.packet(Type::spm, 0);
    spm.lead = 4;
    spm.nak_backoff = 20'000;
    d.receiver.on_packet(d.now, spm);
    d.odata(5);
    for (const uint32_t sequence : {7, 8}) d.odata(sequence);
    most = std::max(most, d.next()[0].at - kStart);
  }
  CHECK(most > 18 * kMillisecond);
  CHECK(most <= 20 * kMillisecond);
}

TEST_CASE("losses go into lists of 63") {
  Driver d;
  lose(d, 150);
  const auto sent = d.next();
  REQUIRE(sent.size() == 3);
  CHECK(sent[0].sequences.size() == 63);
  CHECK(sent[1].sequences.size() == 63);
  CHECK(sent[2].sequences.size() == 24);
  CHECK(sent[2].sequences.back() == 6 + 2 * 149);
  CHECK(d.receiver.stats().naks == 3);
  CHECK(d.receiver.stats().requested == 150);
}

TEST_CASE("no NAK where an NCF or another receiver's NAK came first") {
  Driver confirmed;
  lose(confirmed, 1);
  confirmed.ncf({6});
  CHECK(confirmed.receiver.deadline() >= kStart + 2 * kMillisecond);
  confirmed.rdata(6);
  CHECK(confirmed.pass(100 * kMillisecond).empty());

  Driver asked;
  lose(asked, 3);
  asked.listed(Type::nak, {6, 8, 10});
  CHECK(asked.receiver.deadline() >= kStart + 20 * kMillisecond);
  asked.ncf({6, 8, 10});
  for (const uint32_t sequence : {6, 8, 10}) asked.rdata(sequence);
  CHECK(asked.pass(100 * kMillisecond).empty());
  CHECK(asked.receiver.stats().naks == 0);
}

TEST_CASE("an NCF for a part of a hole holds back that part") {
  Driver d;
  d.spm(0, 0, 4);
  d.odata(5);
  for (const uint32_t sequence : {20, 21}) d.odata(sequence);
  d.ncf({10, 11, 12, 30, 4});
  const auto sent = d.next();
  REQUIRE(sent.size() == 1);
  CHECK(sent[0].sequences == std::vector<uint32_t>{6, 7, 8, 9, 13, 14, 15, 16, 17, 18, 19});
}

TEST_CASE("without an NCF it asks again by both ways, ever more rarely") {
  Driver d;
  lose(d, 1);
  REQUIRE(d.next()[0].route == Route::unicast);
  int64_t before = d.now, wait = 20 * kMillisecond;
  for (int i = 0; i < 16; ++i) {
    const auto sent = d.next();
    REQUIRE(sent.size() == 1);
    CHECK(sent[0].route == Route::both);
    CHECK(sent[0].at - before >= wait);
    CHECK(sent[0].at - before <= wait + kMillisecond);
    before = sent[0].at;
    if (i >= 3) wait = std::min(wait * 3 / 2, 200 * kMillisecond);
  }
  CHECK(wait == 200 * kMillisecond);
}

TEST_CASE("what it waits for an NCF follows the round trip") {
  for (const int64_t trip : {kMillisecond / 10, 10 * kMillisecond, 30 * kMillisecond}) {
    Driver d;
    settle(d, trip);
    d.odata(187);
    d.odata(188);
    const int64_t asked = d.next()[0].at;
    const int64_t again = d.next()[0].at;
    const int64_t wait = std::clamp(4 * trip, 2 * kMillisecond, 200 * kMillisecond);
    CHECK(again - asked >= wait);
    CHECK(again - asked <= wait + kMillisecond);
  }
}

TEST_CASE("what it waits for data follows the time that repairs take") {
  Driver d;
  d.announce(0, 4, 1000);
  d.odata(5);
  uint32_t sequence = 6;
  for (int i = 0; i < 60; ++i, sequence += 3) {
    d.odata(sequence + 1);
    d.odata(sequence + 2);
    REQUIRE(!d.next().empty());
    const int64_t repaired = d.now + 10 * kMillisecond;
    d.ncf({sequence});
    while (d.receiver.deadline() < repaired) {
      if (!d.next()[0].kick()) d.ncf({sequence});
    }
    d.pass(repaired - d.now);
    d.rdata(sequence);
  }
  d.odata(sequence + 1);
  d.odata(sequence + 2);
  d.next();
  d.ncf({sequence});
  const int64_t confirmed = d.now;
  std::vector<Sent> sent = d.next();
  while (sent[0].kick()) sent = d.next();
  CHECK(sent[0].at - confirmed > 10 * kMillisecond);
  CHECK(sent[0].at - confirmed < 14 * kMillisecond);
  CHECK(sent[0].route == Route::unicast);
}

TEST_CASE("a repair that is lost is asked for again") {
  Driver d;
  settle(d, kMillisecond / 10);
  d.odata(187);
  d.odata(188);
  REQUIRE(d.next().size() == 1);
  d.pass(100'000);
  d.ncf({186});
  const int64_t confirmed = d.now;
  const auto again = d.next();
  REQUIRE(!again.empty());
  CHECK(again[0].sequences == std::vector<uint32_t>{186});
  CHECK(again[0].at - confirmed >= 2 * kMillisecond);
  CHECK(again[0].at - confirmed <= 3 * kMillisecond);
}

TEST_CASE("NAKs that nobody confirms at first go both ways from then on") {
  Driver d;
  settle(d, kMillisecond / 10);
  uint32_t sequence = 186;
  int first_both = 0;
  for (int i = 0; i < 6; ++i, sequence += 3) {
    d.odata(sequence + 1);
    d.odata(sequence + 2);
    auto sent = d.next();
    first_both += sent[0].route == Route::both;
    if (sent[0].route != Route::both) sent = d.next();
    REQUIRE(sent[0].route == Route::both);
    d.pass(100'000);
    d.ncf({sequence});
    d.rdata(sequence);
  }
  CHECK(first_both == 3);
}

TEST_CASE("to a source on the same machine it speaks through the group too") {
  ReceiverConfig config = receiver_config();
  config.same_host = true;
  Driver d(config);
  lose(d, 1);
  const auto sent = d.next();
  REQUIRE(sent.size() == 2);
  CHECK(sent[0].route == Route::host);
  CHECK(sent[1].route == Route::unicast);
  CHECK(sent[0].bytes == sent[1].bytes);
  CHECK(d.receiver.stats().naks == 1);
}

TEST_CASE("the back-off doubles when NAKs collide, and comes back") {
  Driver d;
  settle(d, 4 * kMillisecond);
  uint32_t sequence = 186;
  const auto spread = [&](int rounds, bool collide) {
    int64_t most = 0;
    for (int i = 0; i < rounds; ++i, sequence += 3) {
      d.odata(sequence + 1);
      d.odata(sequence + 2);
      const int64_t seen = d.now;
      const auto sent = d.next();
      most = std::max(most, sent[0].at - seen);
      d.pass(collide ? 100'000 : 4 * kMillisecond);
      d.ncf({sequence});
      d.rdata(sequence);
      d.pass(100 * kMillisecond);
    }
    return most;
  };
  CHECK(spread(40, false) <= kMillisecond);
  CHECK(spread(4, true) <= kMillisecond);  // alone, an early answer is just that
  // Somebody else asks first.
  d.odata(sequence + 1);
  d.odata(sequence + 2);
  d.ncf({sequence});
  d.rdata(sequence);
  d.pass(100 * kMillisecond);
  sequence += 3;
  CHECK(spread(4, true) <= 8 * kMillisecond);
  CHECK(spread(40, false) > 8 * kMillisecond);
  for (int i = 0; i < 8; ++i) {
    d.pass(10'000 * kMillisecond);
    d.odata(sequence);
    d.odata(sequence + 2);
    d.odata(sequence + 3);
    d.next();
    d.rdata(sequence + 1);
    sequence += 4;
  }
  CHECK(spread(40, false) <= kMillisecond);
}

TEST_CASE("a source that confirms but does not repair is kicked") {
  Driver d;
  lose(d, 2);
  REQUIRE(d.next().size() == 1);
  d.pass(100'000);
  d.ncf({6, 8});
  // Nothing for a few milliseconds: once more, and now with kicks.
  const auto again = d.next();
  REQUIRE(again.size() == 1);
  CHECK(again[0].sequences.size() == 2);
  d.pass(100'000);
  d.ncf({6, 8});
  const int64_t confirmed = d.now;
  const auto kicks = d.next();
  REQUIRE(kicks.size() == 1);
  CHECK(kicks[0].kick());
  CHECK(kicks[0].route == Route::unicast);
  CHECK(kicks[0].to == nla(9));
  CHECK(kicks[0].at - confirmed == 300'000);
  CHECK(kicks[0].bytes == std::string(8, '\0'));
  d.pass(20'000);
  d.rdata(6);
  // The source sends one at a time: the next kick follows the repair.
  const auto next = d.poll();
  REQUIRE(next.size() == 1);
  CHECK(next[0].kick());
  d.pass(50'000);
  d.rdata(8);
  CHECK(d.take() == "5 6 7 8 9 10");
  CHECK(d.pass(kMillisecond).empty());
  d.odata(12);
  d.odata(13);
  d.next();
  d.ncf({11});
  CHECK(d.next()[0].kick());
}

TEST_CASE("kicks in vain become rare, those that bring repairs follow them") {
  Driver d;
  lose(d, 200);
  std::vector<uint32_t> all;
  for (uint32_t i = 0; i < 200; ++i) all.push_back(6 + 2 * i);
  d.next();
  d.ncf(all);
  while (d.next()[0].kick()) {
  }
  d.ncf(all);
  std::size_t kicks = 0;
  std::size_t naks = 0;
  for (const Sent& sent : d.pass(20 * kMillisecond)) {
    if (!sent.kick()) ++naks;
    kicks += sent.kick();
  }
  CHECK(naks < 80);
  CHECK(kicks >= 10);
  CHECK(kicks <= 20);
  // One repair per kick, 60 us later.
  const int64_t now = d.now;
  d.next();
  for (const uint32_t sequence : all) {
    d.pass(60'000);
    d.rdata(sequence);
    for (const Sent& sent : d.poll()) kicks += sent.kick();
  }
  CHECK(d.now - now < 20 * kMillisecond);
  CHECK(kicks < 4 * 200);
  CHECK(d.losses == 0);
  CHECK(d.pass(100 * kMillisecond).empty());
}

TEST_CASE("a source that repairs at once is not kicked, nor one that names a back-off") {
  Driver d;
  d.spm(0, 0, 4);
  d.odata(5);
  uint32_t sequence = 6;
  std::size_t kicks = 0;
  for (int i = 0; i < 200; ++i, sequence += 3) {
    d.odata(sequence + 1);
    d.odata(sequence + 2);
    d.next();
    d.pass(100'000);
    d.ncf({sequence});
    // One repair of ten gets lost.
    if (i > 3 && i % 10 == 0) {
      while (d.next()[0].kick()) ++kicks;
    }
    d.rdata(sequence);
  }
  CHECK(kicks < 5);

  Driver named;
  Packet spm = named.packet(Type::spm, 0);
  spm.lead = 4;
  spm.nak_backoff = 500;
  named.receiver.on_packet(named.now, spm);
  lose(named, 1);
  for (int i = 0; i < 10; ++i) {
    for (const Sent& sent : named.next()) CHECK(!sent.kick());
    named.ncf({6});
  }
}

TEST_CASE("however much is missing, only so much is asked for at a time") {
  Driver d;
  d.spm(0, 0, 4);
  d.odata(5);
  d.odata(50'000);
  d.odata(50'001);
  const auto first = d.pass(15 * kMillisecond);
  std::size_t requested = 0;
  for (const Sent& sent : first) requested += sent.sequences.size();
  CHECK(requested == 1024);
  for (uint32_t sequence = 6; sequence < 106; ++sequence) d.rdata(sequence);
  d.take();
  requested = 0;
  for (const Sent& sent : d.pass(kMillisecond)) requested += sent.sequences.size();
  CHECK(requested == 100);
}

TEST_CASE("nothing wakes it while nothing is missing") {
  Driver d;
  settle(d, kMillisecond / 10);
  const int wakes = d.wakes;
  for (uint32_t sequence = 186; sequence < 1000; ++sequence) {
    d.odata(sequence);
    d.pass(kMillisecond);
  }
  CHECK(d.wakes == wakes);
  CHECK(d.receiver.deadline() == kNever);
}
