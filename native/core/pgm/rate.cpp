#include "pgm/rate.hpp"

namespace zerowire::pgm {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;
/// A pause as short as this is the owner fetching more: it does not cost what has been earned.
constexpr int64_t kTurn = kMillisecond / 2;

}  // namespace

Rate::Rate(uint64_t bytes_per_second, int64_t burst, int64_t catch_up, int64_t now)
    : bytes_per_second_(std::max<uint64_t>(bytes_per_second, 1)),
      burst_(burst),
      catch_up_(std::max(burst, catch_up)),
      idle_since_(now),
      free_at_(now - burst) {}

void Rate::begin(int64_t now) {
  if (!idle_) return;
  idle_ = false;
  int64_t most = burst_;
  if (now - idle_since_ <= kTurn) most = std::max(most, idle_since_ - free_at_);
  free_at_ = std::max(free_at_, now - most);
}

void Rate::end(int64_t now) {
  if (idle_) return;
  idle_ = true;
  idle_since_ = now;
}

void Rate::spend(uint64_t bytes, int64_t now) {
  free_at_ = std::max(free_at_, now - catch_up_);
  const uint64_t scaled = bytes * kSecond + remainder_;
  free_at_ += static_cast<int64_t>(scaled / bytes_per_second_);
  remainder_ = scaled % bytes_per_second_;
}

int64_t Rate::cost(uint64_t bytes) const {
  return static_cast<int64_t>(bytes * kSecond / bytes_per_second_);
}

}  // namespace zerowire::pgm
