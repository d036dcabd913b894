// RxWindow: what is put in comes out, and memory is what is counted.
#include "pgm/rx_window.hpp"

#include <doctest/doctest.h>

#include <map>
#include <string>

#include "base/random.hpp"
#include "pgm/wire.hpp"

using namespace zerowire;
using namespace zerowire::pgm;

TEST_CASE("packets are held by number, in any order and across the wrap") {
  Random random(3);
  for (const uint32_t base : {0u, 1000u, 0u - 5000u, 0x80000000u - 5000u}) {
    RxWindow window(1 << 20);
    std::map<uint32_t, std::string> model;
    for (int i = 0; i < 20'000; ++i) {
      const uint32_t offset = static_cast<uint32_t>(random.below(10'000));
      const uint32_t sequence = base + offset;
      if (model.count(offset)) {
        REQUIRE(window.holds(sequence));
        REQUIRE(window.at(sequence) == model[offset]);
        window.release(sequence);
        model.erase(offset);
      } else {
        REQUIRE(!window.holds(sequence));
        const std::string text(random.below(100), static_cast<char>('a' + offset % 26));
        REQUIRE(window.put(sequence, text));
        model[offset] = text;
      }
    }
    window.release_from(base + 5000);
    for (uint32_t offset = 0; offset < 10'000; ++offset) {
      CHECK(window.holds(base + offset) == (offset < 5000 && model.count(offset)));
    }
    window.clear();
    CHECK(window.empty());
    CHECK(window.bytes() == 0);
  }
}

TEST_CASE("a gap costs nothing however long it is") {
  RxWindow window(1 << 20);
  REQUIRE(window.put(5, "a"));
  const std::size_t one = window.bytes();
  REQUIRE(window.put(5 + 0x7fffff00, "b"));
  CHECK(window.bytes() <= 2 * one);
  CHECK(window.at(5) == "a");
  CHECK(window.at(5 + 0x7fffff00) == "b");
  window.release_from(6);
  CHECK(window.holds(5));
  CHECK(!window.holds(5 + 0x7fffff00));
}

TEST_CASE("the limit is on memory, also where little of it is used") {
  RxWindow window(1 << 20);
  // One small packet stays of each chunk, and has a page of its own.
  uint32_t sequence = 0;
  for (; !window.over(); sequence += 100) {
    REQUIRE(window.put(sequence, "x"));
    for (uint32_t i = 1; i < 10; ++i) REQUIRE(window.put(sequence + i, std::string(2000, 'y')));
    for (uint32_t i = 1; i < 10; ++i) window.release(sequence + i);
    REQUIRE(sequence < 10'000'000);
  }
  CHECK(window.bytes() > 1 << 20);
  CHECK(window.bytes() < (1 << 20) + 40'000);
}

TEST_CASE("packets larger than a chunk have one of their own") {
  RxWindow window(0);
  const std::string large(60'000, 'l');
  REQUIRE(window.put(1, large));
  REQUIRE(window.put(2, "small"));
  REQUIRE(window.put(3, ""));
  CHECK(window.at(1) == large);
  CHECK(window.at(2) == "small");
  CHECK(window.at(3).empty());
  window.release(1);
  CHECK(window.bytes() < 10'000);
}
