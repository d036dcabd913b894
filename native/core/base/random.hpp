// Random numbers for jitter and ids; not for secrets.
#pragma once

#include <cstdint>

namespace zerowire {

/// splitmix64: small, fast, any seed will do.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t next() {
    state_ += 0x9E3779B97F4A7C15u;
    uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }
  /// 0 .. bound - 1; 0 for a bound of 0.
  uint64_t below(uint64_t bound) { return bound ? next() % bound : 0; }

 private:
  uint64_t state_;
};

}  // namespace zerowire
