// Receiver: in order, complete or reported, whatever comes.
#include "pgm/receiver.hpp"

#include <doctest/doctest.h>

#include "receiver_driver.hpp"

using namespace zerowire;
using namespace zerowire::pgm;
using namespace zerowire::pgm::test;

using Route = Upstream::Route;

TEST_CASE("a receiver joins at the first data packet, and asks for nothing older") {
  Driver d;
  d.odata(100, 20);
  d.odata(101, 20);
  d.odata(99, 20);
  CHECK(d.take() == "100 101");
  CHECK(d.receiver.stats().duplicates == 1);
  d.spm(0, 20, 101);
  CHECK(d.pass(1000 * kMillisecond).empty());
  CHECK(d.receiver.deadline() == kNever);
}

TEST_CASE("before the first packet there is nothing to do") {
  Driver d;
  CHECK(d.poll().empty());
  d.receiver.resume(d.now);
  d.ncf({7});
  d.listed(Type::nak, {7});
  CHECK(d.pass(1000 * kMillisecond).empty());
  CHECK(d.take().empty());
}

TEST_CASE("a receiver joins behind what an SPM says, but not at a repair") {
  Driver d;
  d.rdata(7);
  CHECK(d.take().empty());
  d.spm(0, 0, 9);
  d.odata(9);
  d.odata(10);
  CHECK(d.take() == "10");
  CHECK(d.receiver.deadline() == kNever);

  Driver fresh;
  fresh.spm(0, 0, UINT32_MAX);
  fresh.odata(0);
  CHECK(fresh.take() == "0");
}

TEST_CASE("an SPM that makes no window only names the path") {
  Driver d;
  d.spm(0, 0, 0x80000000);
  d.odata(5);
  d.odata(7);
  d.odata(8);
  CHECK(d.take() == "5");
  CHECK(d.next()[0].to == nla(9));
}

TEST_CASE("a loss is asked for, at the address of the data until an SPM names another") {
  for (const bool with_spm : {false, true}) {
    Driver d;
    if (with_spm) d.spm(0, 0, 4);
    d.odata(5);
    for (const uint32_t sequence : {7, 8}) d.odata(sequence);
    const auto sent = d.next();
    REQUIRE(sent.size() == 1);
    CHECK(sent[0].route == Route::unicast);
    CHECK(sent[0].to == nla(with_spm ? 9 : 1));
    CHECK(sent[0].sequences == std::vector<uint32_t>{6});
    CHECK(sent[0].at - kStart <= kMillisecond);
    d.ncf({6});
    d.rdata(6);
    CHECK(d.take() == "5 6 7 8");
    CHECK(d.receiver.stats().repaired == 1);
    CHECK(d.receiver.stats().naks == 1);
    CHECK(d.receiver.stats().requested == 1);
  }
}

TEST_CASE("a hole counts as a loss after two more packets or a millisecond") {
  Driver late;
  late.spm(0, 0, 4);
  late.odata(5);
  late.odata(7);
  CHECK(late.receiver.deadline() == kStart + kMillisecond);
  late.odata(6);
  CHECK(late.take() == "5 6 7");
  CHECK(late.receiver.deadline() == kNever);

  late.odata(9);
  const int64_t seen = late.now;
  const auto sent = late.next();
  REQUIRE(sent.size() == 1);
  CHECK(sent[0].at - seen >= kMillisecond);
  CHECK(sent[0].at - seen <= 2 * kMillisecond);
}

TEST_CASE("it is more patient where packets overtake one another") {
  Driver d;
  d.spm(0, 0, 4);
  d.odata(5);
  for (uint32_t sequence = 6; sequence < 14; sequence += 4) {
    d.odata(sequence + 1);
    d.odata(sequence + 2);
    REQUIRE(d.next().size() == 1);
    d.pass(kMillisecond / 2);
    d.odata(sequence);
    d.odata(sequence + 3);
  }
  CHECK(d.take() == "5 6 7 8 9 10 11 12 13");
  for (uint32_t sequence = 15; sequence < 20; ++sequence) d.odata(sequence);
  CHECK(d.pass(3 * kMillisecond).empty());
  d.odata(14);
  CHECK(d.take() == "14 15 16 17 18 19");
  CHECK(d.receiver.deadline() == kNever);
}

TEST_CASE("a repair that was overtaken by the packet itself counts as reordering too") {
  Driver d;
  d.spm(0, 0, 4);
  for (const uint32_t sequence : {5, 7, 8}) d.odata(sequence);
  REQUIRE(d.next().size() == 1);
  d.rdata(6);
  d.odata(6);
  for (const uint32_t sequence : {10, 11}) d.odata(sequence);
  CHECK(d.receiver.deadline() == d.now + 2 * kMillisecond);
}

TEST_CASE("duplicates and late packets are counted and dropped") {
  Driver d;
  for (const uint32_t sequence : {5, 5, 7, 7, 6, 6, 5, 4}) d.odata(sequence);
  CHECK(d.take() == "5 6 7");
  CHECK(d.receiver.stats().data == 3);
  CHECK(d.receiver.stats().duplicates == 5);
}

TEST_CASE("sequence numbers wrap") {
  Driver d;
  d.spm(UINT32_MAX, UINT32_MAX - 5, UINT32_MAX - 3);
  d.odata(UINT32_MAX - 2, UINT32_MAX - 5);
  d.odata(UINT32_MAX, UINT32_MAX - 5);
  d.odata(1, UINT32_MAX - 5);
  d.spm(0, UINT32_MAX - 5, 2);
  const auto sent = d.next();
  REQUIRE(sent.size() == 1);
  CHECK(sent[0].sequences[0] == UINT32_MAX - 1);
  d.rdata(2, UINT32_MAX - 5);
  d.rdata(0, UINT32_MAX - 5);
  d.rdata(UINT32_MAX - 1, UINT32_MAX - 5);
  CHECK(d.take() == "4294967293 4294967294 4294967295 0 1 2");
}

TEST_CASE("an SPM or FIN shows that the tail is missing") {
  Driver d;
  d.spm(0, 0, 4);
  d.odata(5);
  d.spm(1, 0, 7);
  const auto sent = d.next();
  REQUIRE(sent.size() == 1);
  CHECK(sent[0].sequences == std::vector<uint32_t>{6, 7});
  d.rdata(6);
  d.rdata(7);
  d.spm(2, 0, 8, true);
  CHECK(!d.receiver.over(d.now));
  CHECK(d.next()[0].sequences == std::vector<uint32_t>{8});
  d.rdata(8);
  CHECK(d.take() == "5 6 7 8");
  CHECK(d.receiver.over(d.now));
}

TEST_CASE("it is over when the end is delivered or lost, or after 300 s of silence") {
  Driver d;
  d.odata(5);
  d.spm(1, 0, 6, true);
  d.pass(9'900 * kMillisecond);
  CHECK(!d.receiver.over(d.now));
  d.pass(200 * kMillisecond);
  CHECK(d.take() == "5 lost(6+1 timeout)");
  CHECK(d.receiver.over(d.now));

  Driver silent;
  silent.pass(kMillisecond);
  silent.odata(5);
  CHECK(silent.receiver.last_heard() == silent.now);
  silent.pass(299'999 * kMillisecond);
  CHECK(!silent.receiver.over(silent.now));
  silent.pass(kMillisecond);
  CHECK(silent.receiver.over(silent.now));

  Driver on;
  on.odata(5);
  on.spm(1, 0, 5, true);
  on.odata(6);
  CHECK(!on.receiver.over(on.now));
}

TEST_CASE("an SPM is asked for when data comes without, a few times") {
  Driver d;
  d.odata(5);
  const auto sent = d.pass(5000 * kMillisecond);
  REQUIRE(sent.size() == 3);
  CHECK(sent[0].at - kStart >= 25 * kMillisecond);
  CHECK(sent[0].at - kStart <= 30 * kMillisecond);
  for (const Sent& one : sent) {
    CHECK(one.spmr());
    CHECK(one.route == Route::both);
    CHECK(one.to == nla(1));
  }
  CHECK(d.receiver.deadline() == kNever);

  Driver told;
  told.odata(5);
  told.pass(20 * kMillisecond);
  told.spm(0, 0, 5);
  CHECK(told.receiver.deadline() == kNever);
}

TEST_CASE("a trail beyond what is missing closes the hole, in the same call and as one") {
  Driver d;
  d.odata(5);
  d.odata(300, 299);
  CHECK(d.take() == "5");
  d.rdata(299, 299);
  CHECK(d.take() == "lost(6+293 window) 299 300");
  d.odata(400, 400);
  CHECK(d.take() == "lost(301+99 window) 400");
  CHECK(d.losses == 2);
  CHECK(d.receiver.stats().lost == 392);
}

TEST_CASE("after a long blackout there is one gap, and it goes on within a moment") {
  Driver d;
  uint32_t sequence = 0;
  for (; sequence < 100; ++sequence) d.odata(sequence);
  d.take();
  d.pass(2000 * kMillisecond);
  // The source keeps 80 packets and goes on at 100 a second; it answers at once.
  for (sequence = 300; sequence < 400; ++sequence) {
    d.odata(sequence, sequence - 79);
    for (const Sent& sent : d.pass(10 * kMillisecond)) {
      if (sent.sequences.empty()) continue;
      d.ncf(sent.sequences);
      for (const uint32_t wanted : sent.sequences) {
        if (wanted >= sequence - 79) d.rdata(wanted, sequence - 79);
      }
    }
  }
  CHECK(d.losses == 1);
  CHECK(d.receiver.stats().lost <= 123);
  CHECK(d.take().find("399") != std::string::npos);
}

TEST_CASE("a gap of any length costs nothing") {
  Driver d;
  d.odata(5);
  d.odata(5 + 0x7ffff000, 5);
  d.odata(6 + 0x7ffff000, 5);
  std::size_t requested = 0;
  for (const Sent& sent : d.pass(100 * kMillisecond)) requested += sent.sequences.size();
  CHECK(requested > 1000);
  CHECK(requested < 20 * 1024);
  d.pass(20'000 * kMillisecond);
  // The first packet so far ahead was not believed.
  CHECK(d.take() == "5 lost(6+2147479552 timeout) 2147479558");
  CHECK(d.receiver.deadline() == kNever);
}

TEST_CASE("what is asked for in vain is given up after the recovery interval, at bounded cost") {
  Driver d;
  d.spm(0, 0, 4);
  d.odata(5);
  for (const uint32_t sequence : {7, 8}) d.odata(sequence);
  const auto sent = d.pass(9'999 * kMillisecond);
  CHECK(d.take() == "5");
  CHECK(sent.size() > 40);
  CHECK(sent.size() < 120);
  d.pass(kMillisecond);
  CHECK(d.take() == "lost(6+1 timeout) 7 8");
}

TEST_CASE("more than is kept behind a hole gives the hole up") {
  ReceiverConfig config = receiver_config();
  config.most_bytes = 100'000;
  Driver d(config);
  d.spm(0, 0, 4);
  d.odata(5);
  for (uint32_t sequence = 8; sequence < 200; ++sequence) {
    d.data(Type::odata, sequence, 0, 1000);
    if (d.losses) break;
  }
  CHECK(d.log.substr(0, 25) == "5 lost(6+2 window) 8 9 10");
  d.take();
  d.odata(300);
  d.odata(299);
  CHECK(d.take().empty());
}

TEST_CASE("for a sink without room packets are kept, then the oldest dropped") {
  ReceiverConfig config = receiver_config();
  config.most_bytes = 100'000;
  Driver d(config);
  d.spm(0, 0, 4);
  d.room = 1;
  for (uint32_t sequence = 5; sequence < 10; ++sequence) d.odata(sequence);
  CHECK(d.take() == "5");
  d.room = 2;
  d.receiver.resume(d.now);
  CHECK(d.take() == "6 7");
  for (uint32_t sequence = 10; sequence < 1000; ++sequence) {
    d.data(Type::odata, sequence, 0, 1000);
  }
  CHECK(d.take().empty());
  d.room = -1;
  d.receiver.resume(d.now);
  const std::string log = d.take();
  CHECK(log.substr(0, 7) == "lost(8+");
  CHECK(d.losses == 1);
  CHECK(log.substr(log.size() - 3) == "999");
  const uint64_t lost = d.receiver.stats().lost;
  CHECK(lost > 850);
  CHECK(lost < 950);
  CHECK(log.find(" slow) " + std::to_string(8 + lost) + " ") != std::string::npos);
}

TEST_CASE("holes between packets that wait for the sink are repaired meanwhile") {
  Driver d;
  d.spm(0, 0, 4);
  d.room = 0;
  for (const uint32_t sequence : {5, 7, 8}) d.odata(sequence);
  CHECK(d.next()[0].sequences == std::vector<uint32_t>{6});
  d.rdata(6);
  d.odata(11, 10);
  d.spm(1, 12, 11, true);
  CHECK(!d.receiver.over(d.now));
  d.room = -1;
  d.receiver.resume(d.now);
  CHECK(d.take() == "5 6 7 8 lost(9+2 window) 11");
  CHECK(d.receiver.over(d.now));
}

TEST_CASE("pieces of an APDU and parity are not handed on as data") {
  Driver d;
  d.odata(5);
  Packet piece = d.packet(Type::odata, 6);
  piece.tsdu = "piece";
  piece.fragment = true;
  d.receiver.on_packet(d.now, piece);
  Packet parity = d.packet(Type::odata, 7);
  parity.parity = true;
  parity.tsdu = "parity";
  d.receiver.on_packet(d.now, parity);
  d.odata(7);
  CHECK(d.take() == "5  7");
}
