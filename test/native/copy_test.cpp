#include "base/copy.hpp"

#include <doctest/doctest.h>

#include <string>

using zerowire::copy_bytes;

TEST_CASE("all bytes are copied, and no others written") {
  constexpr std::size_t kMost = 200, kAround = 64;
  std::string from(kMost, '\0');
  for (std::size_t i = 0; i < kMost; ++i) from[i] = static_cast<char>('!' + i % 90);
  for (std::size_t size = 0; size <= kMost; ++size) {
    CAPTURE(size);
    std::string to(kMost + 2 * kAround, ' ');
    copy_bytes(to.data() + kAround, from.data(), size);
    CHECK(to == std::string(kAround, ' ') + from.substr(0, size) +
                    std::string(kMost + kAround - size, ' '));
  }
}
