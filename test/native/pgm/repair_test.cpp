// Repair: holes stay in order and add up, whatever happens to them.
#include "pgm/repair.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>

#include "receiver_driver.hpp"

using namespace zerowire;
using namespace zerowire::pgm;

namespace {

Packet packet_for(Type type, uint32_t sequence) {
  Packet packet;
  packet.type = type;
  packet.sequence = sequence;
  return packet;
}

void ask_for_all(Repair& repair, int64_t now) {
  Request request;
  while (repair.next(now, request)) {
  }
}

/// The sequence numbers in the holes, which must be in order and apart.
std::set<uint32_t> contents(const Repair& repair, uint32_t base) {
  std::set<uint32_t> all;
  uint32_t end = 0;
  for (std::size_t i = 0; i < repair.holes(); ++i) {
    const Hole& hole = repair.hole(i);
    REQUIRE(hole.count > 0);
    REQUIRE(hole.first - base >= end);
    end = hole.end() - base;
    for (uint32_t k = 0; k < hole.count; ++k) all.insert(hole.first - base + k);
  }
  return all;
}

}  // namespace

TEST_CASE("holes agree with a model of single packets") {
  for (uint64_t seed = 1; seed < 40; ++seed) {
    Random random(seed);
    const auto base = static_cast<uint32_t>(random.next());
    Repair repair(random, 50 * kMillisecond, 0);
    std::set<uint32_t> model;
    uint32_t end = 0;
    int64_t now = 0;
    for (int step = 0; step < 2000; ++step) {
      now += static_cast<int64_t>(random.below(200'000));
      const auto any = static_cast<uint32_t>(random.below(end + 1));
      switch (random.below(8)) {
        case 0:
        case 1: {
          const auto count = static_cast<uint32_t>(1 + random.below(random.below(8) ? 4 : 2000));
          end += static_cast<uint32_t>(random.below(3));
          repair.add(now, base + end, count);
          for (uint32_t k = 0; k < count; ++k) model.insert(end++);
          repair.later(now, base + end + 1);
          break;
        }
        case 2:
        case 3:
          REQUIRE(repair.missing(base + any) == (model.count(any) != 0));
          if (model.erase(any)) repair.fill(now, base + any, random.below(2));
          break;
        case 4:
          repair.on_ncf(now, packet_for(Type::ncf, base + any));
          repair.on_foreign_nak(now, packet_for(Type::nak, base + any / 2));
          // And for what nobody can miss.
          repair.on_ncf(now, packet_for(Type::ncf, static_cast<uint32_t>(random.next())));
          break;
        case 5:
          if (random.below(20) == 0) {
            repair.forget_from(base + any);
            model.erase(model.lower_bound(any), model.end());
          }
          break;
        case 6:
          if (random.below(20) == 0) repair.lose_before(now, base + any, LossCause::window);
          while (!repair.empty() && repair.front().stage == Hole::Stage::lost) {
            for (uint32_t k = 0; k < repair.front().count; ++k) {
              REQUIRE(model.erase(repair.front().first - base + k) == 1);
            }
            repair.pop_front();
          }
          break;
        default: {
          Request request;
          int guard = 0;
          while (repair.next(now, request)) {
            REQUIRE(++guard < 100);
            REQUIRE(request.count > 0);
            for (std::size_t i = 0; i < request.count; ++i) {
              REQUIRE(model.count(request.sequences[i] - base) == 1);
            }
          }
          while (repair.kick(now)) {
          }
          REQUIRE(repair.deadline() > now);
        }
      }
      if (step % 50 == 0) REQUIRE(contents(repair, base) == model);
    }
    REQUIRE(contents(repair, base) == model);
  }
}

TEST_CASE("what is lost bit by bit stays one hole") {
  Random random(1);
  Repair repair(random, 1000 * kMillisecond, 0);
  repair.add(0, 100, 1000);
  for (uint32_t trail = 101; trail < 1000; ++trail) {
    repair.lose_before(0, trail, LossCause::window);
    REQUIRE(repair.holes() == 2);
  }
  CHECK(repair.front().count == 899);
}

TEST_CASE("an NCF or a NAK from the other half of the sequence space changes nothing") {
  for (const Type type : {Type::ncf, Type::nak}) {
    CAPTURE(static_cast<int>(type));
    Random random(1);
    Repair repair(random, 1000 * kMillisecond, 0);
    repair.add(0, 0, 50);
    repair.lose_before(0, 50, LossCause::window);
    repair.add(0, 100, 50);
    ask_for_all(repair, 10 * kMillisecond);
    for (uint32_t far = 0x80000000u - 60; far != 0x80000000u + 160; ++far) {
      const Packet packet = packet_for(type, far);
      if (type == Type::ncf) {
        repair.on_ncf(11 * kMillisecond, packet);
      } else {
        repair.on_foreign_nak(11 * kMillisecond, packet);
      }
    }
    REQUIRE(repair.holes() == 2);
    CHECK(repair.hole(0).count == 50);
    CHECK(repair.hole(1).first == 100);
    CHECK(repair.hole(1).count == 50);
  }
}

TEST_CASE("one list may name what came, what is missing and what was given up") {
  Random random(1);
  Repair repair(random, 1000 * kMillisecond, 0);
  repair.add(0, 0, 8);
  repair.lose_before(0, 4, LossCause::window);
  repair.add(0, 10, 2);
  ask_for_all(repair, 10 * kMillisecond);
  std::string list;
  for (char sequence = 3; sequence < 20; ++sequence) list.append({0, 0, 0, sequence});
  Packet packet = packet_for(Type::ncf, 2);
  packet.list = list;
  repair.on_ncf(11 * kMillisecond, packet);
  REQUIRE(repair.holes() == 3);
  CHECK(repair.hole(0).stage == Hole::Stage::lost);
  CHECK(repair.hole(0).count == 4);
  CHECK(repair.hole(1).stage == Hole::Stage::confirmed);
  CHECK(repair.hole(1).count == 4);
  CHECK(repair.hole(2).stage == Hole::Stage::confirmed);
}

TEST_CASE("all of a hole that is in the middle of being asked for is counted once") {
  Random random(1);
  Repair repair(random, 1000 * kMillisecond, 0);
  repair.add(0, 0, 5000);
  Request request;
  int64_t now = 0;
  std::set<uint32_t> asked;
  for (int i = 0; i < 5000 && !repair.empty(); ++i) {
    now = std::max(now, repair.deadline());
    std::size_t most = 0;
    while (repair.next(now, request)) {
      for (std::size_t k = 0; k < request.count; ++k) asked.insert(request.sequences[k]);
      most += request.count;
    }
    CHECK(most <= Repair::kOutstanding);
    for (const uint32_t sequence : asked) repair.fill(now, sequence, true);
    asked.clear();
  }
  CHECK(repair.empty());
  CHECK(repair.deadline() == kNever);
}

TEST_CASE("a hole of any length is given up in one step") {
  Random random(1);
  Repair repair(random, 50 * kMillisecond, 0);
  repair.add(0, 0, 0x7fffff00);
  ask_for_all(repair, 20 * kMillisecond);
  CHECK(repair.holes() < 40);
  repair.expire(50 * kMillisecond);
  CHECK(repair.holes() == 1);
  CHECK(repair.front().count == 0x7fffff00);
  CHECK(repair.front().stage == Hole::Stage::lost);
}

TEST_CASE("work per packet grows with the logarithm of the holes at most") {
  // Every third packet is lost. The source confirms, and repairs late, one at a time, or never.
  for (const uint32_t holes : {100u, 1000u, 16'000u}) {
    for (const bool answers : {false, true}) {
      CAPTURE(holes);
      CAPTURE(answers);
      Random random(1);
      Repair repair(random, 10'000 * kMillisecond, 0);
      std::set<uint32_t> waiting;
      uint64_t packets = 0, turns = 0;
      int64_t now = 0;
      for (uint32_t i = 0; i < holes; ++i) {
        now += 30'000;
        ++packets;
        repair.add(now, 3 * i, 1);
        repair.later(now, 3 * i + 2);
        Request request;
        while (repair.next(now, request)) {
          for (std::size_t k = 0; k < request.count; ++k) {
            ++packets;
            waiting.insert(request.sequences[k]);
            repair.on_ncf(now, packet_for(Type::ncf, request.sequences[k]));
          }
        }
        turns += repair.kick(now);
        ++turns;
        REQUIRE(repair.deadline() > now);
        if (!answers || i % 4 || waiting.empty()) continue;
        ++packets;
        repair.fill(now, *waiting.begin(), true);
        waiting.erase(waiting.begin());
      }
      CHECK(repair.visits() < 60 * (packets + turns));
    }
  }
}
