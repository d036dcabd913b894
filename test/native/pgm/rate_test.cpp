// Rate: what passes in how long.
#include "pgm/rate.hpp"

#include <doctest/doctest.h>

#include "base/random.hpp"

using namespace zerowire;
using pgm::Rate;

namespace {

constexpr uint64_t kMegabyte = 1'000'000;

/// Sends packets of `size` until the rate says no; returns their bytes.
uint64_t drain(Rate& rate, uint64_t size, int64_t now) {
  uint64_t bytes = 0;
  while (rate.allows(now)) {
    rate.spend(size, now);
    bytes += size;
  }
  return bytes;
}

}  // namespace

TEST_CASE("idle time earns a burst and no more") {
  Rate rate(10 * kMegabyte, kMillisecond, 25 * kMillisecond, 0);
  rate.begin(0);
  CHECK(drain(rate, 1000, 0) == 11 * 1000);  // 10 kB earned, and one that goes into debt
  rate.end(0);
  rate.begin(3000 * kMillisecond);
  CHECK(drain(rate, 1000, 3000 * kMillisecond) == 11 * 1000);
}

TEST_CASE("what a late thread missed while something waited is made up for, up to a limit") {
  Rate rate(10 * kMegabyte, kMillisecond, 25 * kMillisecond, 0);
  rate.begin(0);
  (void)drain(rate, 1000, 0);
  const int64_t late = rate.next() + 20 * kMillisecond;
  CHECK(drain(rate, 1000, late) == 201 * 1000);
  CHECK(drain(rate, 1000, rate.next() + 1000 * kMillisecond) == 251 * 1000);
}

TEST_CASE("a short pause keeps what was earned, a longer one does not") {
  for (const int64_t pause : {100'000, 2'000'000}) {
    Rate rate(10 * kMegabyte, kMillisecond, 25 * kMillisecond, 0);
    rate.begin(0);
    (void)drain(rate, 1000, 0);
    const int64_t late = rate.next() + 20 * kMillisecond;
    rate.spend(1000, late);
    rate.end(late);
    rate.begin(late + pause);
    CHECK(drain(rate, 1000, late + pause) == (pause == 100'000 ? 200 * 1000 : 11 * 1000));
  }
}

TEST_CASE("the rate is exact, however it divides, slow or fast") {
  for (const uint64_t bytes_per_second : {uint64_t{1}, uint64_t{12'500}, 7 * kMegabyte + 13,
                                          10'000 * kMegabyte, uint64_t{1'000'000'000'000}}) {
    CAPTURE(bytes_per_second);
    Random random(bytes_per_second);
    Rate rate(bytes_per_second, kMillisecond, 25 * kMillisecond, 0);
    rate.begin(0);
    (void)drain(rate, 1452, 0);
    const int64_t start = rate.next();
    uint64_t bytes = 0;
    for (int i = 0; i < 1000; ++i) {
      const uint64_t size = 30 + random.below(1423);
      rate.spend(size, rate.next());
      bytes += size;
    }
    const double expected = static_cast<double>(bytes) / static_cast<double>(bytes_per_second);
    CHECK(static_cast<double>(rate.next() - start) / 1e9 ==
          doctest::Approx(expected).epsilon(0.0001));
  }
}
