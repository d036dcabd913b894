// Receiver: sources that begin anew, and packets that lie.
#include <doctest/doctest.h>

#include "receiver_driver.hpp"

using namespace zerowire;
using namespace zerowire::pgm;
using namespace zerowire::pgm::test;

namespace {

/// 50 packets after a first SPM, then silence for a second.
struct Running : Driver {
  Running() {
    spm(0, 0, UINT32_MAX);
    for (uint32_t sequence = 0; sequence < 50; ++sequence) odata(sequence);
    spm(5, 0, 49);
    pass(1000 * kMillisecond);
    take();
  }
};

}  // namespace

TEST_CASE("a restart shows in SPMs that go back") {
  Running d;
  for (uint32_t sequence = 0; sequence < 3; ++sequence) d.spm(sequence, 0, UINT32_MAX);
  CHECK(d.take() == "lost(0+0 restart)");
  d.odata(0);
  d.odata(1);
  CHECK(d.take() == "0 1");
}

TEST_CASE("what the old stream still lacked is lost with a restart") {
  Running d;
  d.odata(52);
  d.spm(0, 0, 1);
  d.spm(1, 0, 1);
  CHECK(d.take() == "lost(50+2 restart) 52 lost(0+0 restart)");
  // It is asked for all of the new one.
  CHECK(d.next()[0].sequences == std::vector<uint32_t>{0, 1});
  d.rdata(0);
  d.rdata(1);
  CHECK(d.take() == "0 1");
}

TEST_CASE("a restart shows in data that begins anew, and nothing of it is lost") {
  Running d;
  for (uint32_t sequence = 0; sequence < 4; ++sequence) d.odata(sequence);
  CHECK(d.take() == "lost(0+0 restart)");
  CHECK(d.next()[0].sequences == std::vector<uint32_t>{0});
  d.rdata(0);
  CHECK(d.take() == "0 1 2 3");
}

TEST_CASE("a quick restart is seen as soon as the old stream could not be late any more") {
  Running d;
  d.odata(50);
  d.spm(6, 0, 50);
  for (uint32_t sequence = 0; sequence < 3; ++sequence) d.spm(sequence, 0, UINT32_MAX);
  for (uint32_t sequence = 0; sequence < 20; ++sequence) {
    d.odata(sequence);
    d.pass(10 * kMillisecond);
  }
  CHECK(d.take() == "50");
  d.pass(400 * kMillisecond);
  d.spm(3, 0, 19);
  d.spm(4, 0, 19);
  CHECK(d.take() == "lost(0+0 restart)");
  CHECK(d.next()[0].sequences.size() == 20);
}

TEST_CASE("a sink without room is told of a restart before the new stream") {
  Running d;
  d.room = 0;
  d.odata(50);
  d.odata(52);
  d.spm(0, 0, UINT32_MAX);
  d.spm(1, 0, UINT32_MAX);
  d.odata(0);
  CHECK(d.take().empty());
  d.room = -1;
  d.receiver.resume(d.now);
  CHECK(d.take() == "lost(50+3 restart) 0");
  CHECK(d.receiver.deadline() == kNever);
  for (uint32_t sequence = 1; sequence < 60; ++sequence) d.odata(sequence);
  CHECK(d.take().substr(0, 6) == "1 2 3 ");
  CHECK(d.receiver.stats().duplicates == 0);
}

TEST_CASE("duplicates of a slow path are no restart") {
  Driver d;
  d.spm(0, 0, UINT32_MAX);
  for (uint32_t sequence = 0; sequence < 500; ++sequence) {
    d.odata(sequence, sequence > 80 ? sequence - 80 : 0);
    if (sequence > 200) d.odata(sequence - 200, sequence > 280 ? sequence - 280 : 0);
    d.pass(kMillisecond);
  }
  for (uint32_t sequence = 300; sequence < 500; ++sequence) {
    d.odata(sequence, sequence - 80);
    d.pass(kMillisecond);
  }
  CHECK(d.losses == 0);
  CHECK(d.receiver.stats().data == 500);
}

TEST_CASE("SPMs that overtook one another change nothing") {
  Running d;
  d.odata(50);
  d.spm(7, 0, 50);
  d.spm(6, 0, 49);
  d.spm(5, 0, 48);
  d.odata(51);
  CHECK(d.take() == "50 51");
  CHECK(d.receiver.deadline() == kNever);
}

TEST_CASE("one forged packet far from all others changes nothing") {
  Running d;
  d.odata(1'000'000'000, 999'999'999);
  d.odata(3'000'000'000u, 2'999'999'999u);
  d.spm(6, 2'000'000'000, 2'000'000'000);
  d.spm(100'000, 50, 49);
  d.odata(50);
  d.spm(6, 0, 50);
  d.odata(51);
  CHECK(d.take() == "50 51");
  CHECK(d.receiver.deadline() == kNever);
}

TEST_CASE("a lead that was made up is taken back") {
  Running d;
  d.spm(6, 0, 50'000);
  d.pass(5 * kMillisecond);
  for (uint32_t sequence = 50; sequence < 60; ++sequence) d.odata(sequence);
  d.spm(7, 0, 59);
  CHECK(d.take() == "50 51 52 53 54 55 56 57 58 59");
  CHECK(d.receiver.deadline() == kNever);
  CHECK(d.losses == 0);
}

TEST_CASE("data that was made up is given up when SPMs contradict it") {
  Running d;
  d.odata(20'000);
  d.odata(50);
  CHECK(d.take() == "50");
  d.spm(7, 0, 50);
  d.spm(8, 0, 50);
  d.odata(51);
  CHECK(d.take() == "51");
  CHECK(d.receiver.deadline() == kNever);
  CHECK(d.losses == 0);
}

TEST_CASE("a trail that was made up costs a second, not the stream") {
  Running d;
  d.spm(6, 40'001, 40'000);
  CHECK(d.take() == "lost(50+39951 window)");
  uint32_t sequence = 50;
  for (; sequence < 250; ++sequence) {
    d.odata(sequence);
    if (sequence % 50 == 0) d.spm(6 + sequence / 50, 0, sequence);
    d.pass(10 * kMillisecond);
    if (d.losses > 1) break;
  }
  CHECK(sequence < 160);
  CHECK(d.take() == "lost(50+0 restart)");
  CHECK(d.next()[0].sequences.size() <= 3);
}

TEST_CASE("windows that contradict themselves are ignored") {
  Running d;
  d.spm(6, 60, 50);
  d.spm(7, 0x80000000, 10);
  d.odata(50, 60);
  d.odata(51, 0x80000010);
  d.rdata(40, 10'000);
  CHECK(d.take() == "50 51");
  CHECK(d.losses == 0);
}

TEST_CASE("a join at a made up position ends with the first data") {
  Driver d;
  d.spm(9, 2'000'000'000, 2'000'000'000);
  d.odata(50);
  d.odata(51);
  d.odata(52);
  CHECK(d.losses == 0);
  CHECK(d.take() == "");
  REQUIRE(d.next().size() >= 1);
  d.rdata(50);
  CHECK(d.take() == "50 51 52");
}
