// TxWindow: what is kept, and for how long.
#include "pgm/tx_window.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <string>

#include "base/random.hpp"

using namespace zerowire;
using namespace zerowire::pgm;

namespace {

std::string content(uint32_t sequence, std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(sequence * 31 + i);
  return text;
}

void add(TxWindow& window, uint32_t sequence, std::size_t size) {
  char* memory = window.open();
  REQUIRE(memory);
  CHECK(window.open() == memory);
  std::memcpy(memory, content(sequence, size).data(), size);
  window.seal(size);
}

void send(TxWindow& window, int64_t now) {
  window.next().sum = window.sent();
  window.mark_sent(now);
  window.trim(now);
}

}  // namespace

TEST_CASE("packets are found by number once they are sent, across the end of the numbers") {
  for (const uint32_t first : {0u, 300u, UINT32_MAX - 500, UINT32_MAX - 255}) {
    CAPTURE(first);
    Random random(first);
    TxWindow window(first, 1452, {1000});
    for (uint32_t i = 0; i < 5000; ++i) {
      const std::size_t size = 27 + i % 1426;
      add(window, first + i, size);
      CHECK(!window.find(first + i));
      CHECK(window.waiting() == 1);
      send(window, i);
      CHECK(window.sent() == first + i + 1);
      CHECK(window.sent() - window.trail() <= 1000);
      const uint32_t back = static_cast<uint32_t>(random.below(i + 1));
      TxPacket* packet = window.find(first + i - back);
      if (back < 1000) REQUIRE(packet);
      if (back > 1300) CHECK(!packet);
      if (!packet) continue;
      CHECK(std::string(packet->data, packet->size) ==
            content(first + i - back, 27 + (i - back) % 1426));
      CHECK(packet->sum == first + i - back);
    }
  }
}

TEST_CASE("many may wait, none of them is let go") {
  TxWindow window(7, 100, {1});
  for (uint32_t i = 0; i < 2000; ++i) add(window, 7 + i, 50);
  window.trim(1);
  CHECK(window.waiting() == 2000);
  for (uint32_t i = 0; i < 2000; ++i) {
    CHECK(std::string(window.next().data, 50) == content(7 + i, 50));
    send(window, i);
    CHECK(window.trail() == window.sent() - 1);
  }
}

TEST_CASE("time and bytes limit what is advertised, and a quarter more is kept") {
  TxWindow timed(0, 100, {UINT32_MAX, SIZE_MAX, 100});
  for (uint32_t i = 0; i < 1000; ++i) {
    add(timed, i, 60);
    send(timed, i);
  }
  CHECK(timed.trail() == 1000 - 101);
  CHECK(timed.find(1000 - 126));
  CHECK(!timed.find(1000 - 127));
  timed.trim(100'000);
  CHECK(timed.trail() == timed.sent());
  CHECK(!timed.find(999));

  TxWindow sized(0, 100, {UINT32_MAX, 6000});
  for (uint32_t i = 0; i < 1000; ++i) {
    add(sized, i, 60);
    send(sized, 0);
  }
  CHECK(sized.trail() == 1000 - 100);
  CHECK(sized.find(1000 - 125));
  CHECK(!sized.find(1000 - 126));
}

TEST_CASE("memory follows what is kept") {
  TxWindow window(0, 1452, {UINT32_MAX, SIZE_MAX, 1'000'000});
  CHECK(window.memory() == 0);
  for (uint32_t i = 0; i < 10'000; ++i) {
    add(window, i, 100);
    send(window, i);
  }
  const std::size_t full = window.memory();
  CHECK(full < 10'000 * 170);
  window.trim(10'000'000);
  window.trim(10'000'000);
  window.trim(10'000'000);
  CHECK(window.memory() < 6 * 65536);
  // In steady state nothing grows.
  TxWindow steady(0, 1452, {1000});
  std::size_t most = 0;
  for (uint32_t i = 0; i < 50'000; ++i) {
    add(steady, i, 1452);
    send(steady, i);
    if (i == 5'000) most = steady.memory();
  }
  CHECK(steady.memory() <= most + 65536);
}

TEST_CASE("the largest packets fit") {
  TxWindow window(0, 70'000, {10});
  for (uint32_t i = 0; i < 100; ++i) {
    add(window, i, 65'535);
    send(window, i);
    CHECK(std::string(window.find(i)->data, 65'535) == content(i, 65'535));
  }
}
