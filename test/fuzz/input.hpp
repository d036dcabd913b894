// Input: what a fuzzer makes its choices from.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

/// Functions of a fuzzer itself: new paths in them are nothing new, and counting them takes time.
#define FUZZ_HARNESS __attribute__((no_sanitize("coverage")))

/// Little memory in quarantine and short stacks: several times as many runs a second. Not inline,
/// since the runtime has a weak one too, which the linker would take.
extern "C" FUZZ_HARNESS [[gnu::visibility("default")]] const char* __asan_default_options() {
  return "quarantine_size_mb=1:malloc_context_size=4:max_malloc_fill_size=0";
}

namespace zerowire::fuzz {

/// Takes choices off the front of the data; zeros when there is no more.
class Input {
 public:
  Input(const uint8_t* data, std::size_t size) : rest_(reinterpret_cast<const char*>(data), size) {}

  FUZZ_HARNESS bool empty() const { return rest_.empty(); }
  FUZZ_HARNESS uint8_t byte() {
    const std::string_view one = take(1);
    return one.empty() ? uint8_t{0} : static_cast<uint8_t>(one[0]);
  }
  FUZZ_HARNESS std::string_view take(std::size_t most) {
    const std::string_view taken = rest_.substr(0, most);
    rest_.remove_prefix(taken.size());
    return taken;
  }

 private:
  std::string_view rest_;
};

/// Ends the process: the fuzzer has found something.
FUZZ_HARNESS inline void require(bool condition) {
  if (!condition) __builtin_trap();
}

}  // namespace zerowire::fuzz
