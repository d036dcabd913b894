#include "base/patience.hpp"

#include <doctest/doctest.h>

using zerowire::Patience;

TEST_CASE("a thread looks for work while its waits are short") {
  Patience patience(50);
  CHECK(patience.spin() == 50'000);
  for (int i = 0; i < 100; ++i) patience.waited(1'000'000);
  CHECK(patience.spin() == 0);
  patience.waited(160'000);  // both sides slept, and yet short
  CHECK(patience.spin() == 50'000);
}

TEST_CASE("one long wait among short ones does not matter") {
  Patience patience(50);
  for (int i = 0; i < 100; ++i) {
    patience.waited(1'000'000);
    CHECK(patience.spin() == 50'000);
    patience.waited(10'000);
  }
}

TEST_CASE("a spin of 0 never looks") {
  Patience patience(0);
  CHECK(patience.spin() == 0);
  patience.waited(0);
  CHECK(patience.spin() == 0);
}
