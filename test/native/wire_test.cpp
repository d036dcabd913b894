#include "zmtp/wire.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace zerowire;

namespace {

std::string frames(int count, std::size_t size, uint8_t flags = 0) {
  std::string all;
  for (int i = 0; i < count; ++i)
    wire::append_frame(all, flags, std::string(size, 'x').data(), size);
  return all;
}

uint64_t run(const std::string& bytes, std::size_t size, uint64_t most = UINT64_MAX) {
  return wire::run_of(bytes.data(), size + wire::kShortHeader, bytes.data() + bytes.size(), most);
}

}  // namespace

TEST_CASE("a run ends with another header, with the bytes and with what was asked for") {
  for (const std::size_t size : {0, 1, 40, 255}) {
    CAPTURE(size);
    for (int count = 1; count < 20; ++count) {
      CAPTURE(count);
      // Counted by four, behind the first.
      const auto whole = static_cast<uint64_t>(1 + (count - 1) / 4 * 4);
      const std::string bytes = frames(count, size);
      CHECK(run(bytes, size) == whole);
      CHECK(run(bytes + frames(1, size, wire::kMore) + frames(8, size), size) == whole);
      CHECK(run(bytes + frames(9, size + 1), size) == whole);
      CHECK(run(frames(40, size), size, static_cast<uint64_t>(count)) == whole);
      const std::string cut = bytes.substr(0, bytes.size() - 1);
      if (count > 1) CHECK(run(cut, size) == static_cast<uint64_t>(1 + (count - 2) / 4 * 4));
    }
  }
}
