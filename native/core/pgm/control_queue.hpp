// ControlQueue: control packets of a source that wait to be sent.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "pgm/wire.hpp"

namespace zerowire::pgm {

/// A ring in place. What was taken stays valid until release(). Part of a Source.
class ControlQueue {
 public:
  bool empty() const { return waiting_ == 0; }
  std::size_t room() const { return kCapacity - taken_ - waiting_; }
  /// Memory for a packet of up to kMaxControlSize octets; there must be room.
  char* next() { return slot(taken_ + waiting_).data; }
  void push(std::size_t size) { slot(taken_ + waiting_++).size = size; }
  /// The packet that has waited longest; there must be one.
  std::string_view take() {
    const Slot& packet = slot(taken_++);
    --waiting_;
    return {packet.data, packet.size};
  }
  void release() {
    first_ += taken_;
    taken_ = 0;
  }

 private:
  static constexpr std::size_t kCapacity = 64;
  struct Slot {
    std::size_t size;
    char data[kMaxControlSize];
  };
  Slot& slot(std::size_t index) { return slots_[(first_ + index) % kCapacity]; }

  std::size_t first_ = 0;
  std::size_t taken_ = 0;
  std::size_t waiting_ = 0;
  Slot slots_[kCapacity];
};

}  // namespace zerowire::pgm
