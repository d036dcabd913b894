// PrefixHash: hashes of several prefixes of one text in a single pass over it.
#pragma once

#include <sys/random.h>

#include <bit>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace zerowire {

/// Secret of one table, so that peers cannot choose texts that collide.
struct PrefixHashSeed {
  uint64_t word;
  uint64_t end;

  static PrefixHashSeed random() {
    PrefixHashSeed seed{};
    // Without entropy (only very early at boot) there is still the clock.
    if (getentropy(&seed, sizeof seed) != 0) {
      seed.word =
          static_cast<uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
      seed.end = ~seed.word * 0x9E3779B97F4A7C15u;
    }
    return seed;
  }
};

/// Folds 8 bytes at a time into a state, and finishes a copy of the state for each length asked.
/// Not synchronised; refers to the text.
class PrefixHash {
 public:
  PrefixHash(const PrefixHashSeed& seed, std::string_view text)
      : seed_(seed), text_(text), state_(seed.end) {}

  /// Hash of the first `length` bytes. Lengths must not decrease from call to call.
  uint64_t of_first(size_t length) {
    for (; done_ + 8 <= length; done_ += 8) state_ = mix(state_ ^ load(8), seed_.word);
    return mix(state_ ^ load(length - done_), seed_.word + 2 * length);
  }

 private:
  __extension__ using Wide = unsigned __int128;

  static uint64_t mix(uint64_t a, uint64_t b) {
    const Wide product = static_cast<Wide>(a ^ 0xA0761D6478BD642Fu) * (b | 1u);
    return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
  }

  /// The next `count` (0..8) bytes as a number, those after them being zero.
  uint64_t load(size_t count) const {
    uint64_t word = 0;
    const char* from = text_.data() + done_;
    if (std::endian::native == std::endian::little && done_ + 8 <= text_.size()) {
      std::memcpy(&word, from, 8);
      return count == 8 ? word : word & ((uint64_t{1} << 8 * count) - 1);
    }
    for (size_t i = 0; i < count; ++i) {
      word |= static_cast<uint64_t>(static_cast<unsigned char>(from[i])) << 8 * i;
    }
    return word;
  }

  const PrefixHashSeed& seed_;
  std::string_view text_;
  uint64_t state_;
  size_t done_ = 0;
};

}  // namespace zerowire
