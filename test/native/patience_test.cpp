#include "base/patience.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <initializer_list>
#include <vector>

using zerowire::Patience;

namespace {

/// The time looked for before each of the last waits of a pattern that is repeated.
std::vector<int64_t> spins(std::initializer_list<int64_t> waits, bool answer) {
  Patience patience(50);
  std::vector<int64_t> all;
  for (int round = 0; round < 50; ++round) {
    all.clear();
    for (const int64_t wait : waits) {
      all.push_back(patience.spin(answer));
      patience.waited(wait, answer);
    }
  }
  return all;
}

}  // namespace

TEST_CASE("a thread looks for work while its waits are short") {
  Patience patience(50);
  for (const bool answer : {true, false}) CHECK(patience.spin(answer) == 50'000);
  for (int i = 0; i < 100; ++i) patience.waited(1'000'000, false);
  for (const bool answer : {true, false}) CHECK(patience.spin(answer) == 0);
  patience.waited(45'000, false);
  CHECK(patience.spin(true) == 50'000);
  CHECK(patience.spin(false) > 45'000);
}

TEST_CASE("an answer that was slept for may have been long for that reason alone") {
  CHECK(spins({160'000}, true).back() == 50'000);
  CHECK(spins({160'000}, false).back() == 0);
}

TEST_CASE("one long wait among short ones does not matter") {
  for (const int64_t spin : spins({1'000'000, 10'000}, true)) CHECK(spin == 50'000);
}

TEST_CASE("where nothing is answered, a look is not much longer than what it has found before") {
  for (const int64_t spin : spins({85'000, 2'000, 3'000}, false)) {
    CHECK(spin >= 3'000);
    CHECK(spin < 15'000);
  }
  for (const int64_t spin : spins({25'000, 30'000, 10'000}, false)) {
    CHECK(spin > 25'000);
    CHECK(spin < 40'000);
  }
}

TEST_CASE("a spin of 0 never looks") {
  Patience patience(0);
  for (const bool answer : {true, false}) {
    CHECK(patience.spin(answer) == 0);
    patience.waited(0, answer);
    CHECK(patience.spin(answer) == 0);
  }
}
