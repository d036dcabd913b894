// HandleTable: objects that JavaScript refers to by a small integer.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace zerowire::addon {

/// Owns the objects. A handle is an index and the generation of its slot, so that one kept after
/// its object is gone is recognised (lib/wake.ts knows where the index is), and is positive and
/// below 2^30: a small integer to V8 in all its configurations. A slot whose generations are used
/// up is never used again.
///
/// Used by the environment's thread only.
template <class T>
class HandleTable {
 public:
  static constexpr int32_t kInvalid = 0;

  /// kInvalid when a million objects are alive.
  int32_t insert(std::unique_ptr<T> object) {
    uint32_t index;
    if (!free_.empty()) {
      index = free_.back();
      free_.pop_back();
    } else if (slots_.size() < kMaxSlots) {
      index = static_cast<uint32_t>(slots_.size());
      slots_.emplace_back();
    } else {
      return kInvalid;
    }
    Slot& slot = slots_[index];
    slot.object = std::move(object);
    return static_cast<int32_t>(slot.generation << kIndexBits | index);
  }

  /// Null for handles that never were, or no longer are, valid.
  T* find(int32_t handle) const {
    const Slot* slot = slot_of(handle);
    return slot ? slot->object.get() : nullptr;
  }

  /// Takes the object out; null if there is none.
  std::unique_ptr<T> remove(int32_t handle) {
    Slot* slot = const_cast<Slot*>(slot_of(handle));
    if (!slot || !slot->object) return nullptr;
    if (++slot->generation <= kMaxGeneration) {
      free_.push_back(static_cast<uint32_t>(handle) & (kMaxSlots - 1));
    }
    return std::move(slot->object);
  }

  /// Empties the table and calls `fn(std::unique_ptr<T>)` with each object.
  template <class Fn>
  void drain(Fn&& fn) {
    free_.clear();
    std::vector<Slot> slots = std::move(slots_);
    slots_.clear();
    for (Slot& slot : slots) {
      if (slot.object) fn(std::move(slot.object));
    }
  }

 private:
  static constexpr uint32_t kIndexBits = 20;
  static constexpr uint32_t kMaxSlots = 1u << kIndexBits;
  static constexpr uint32_t kMaxGeneration = (1u << (30 - kIndexBits)) - 1;

  struct Slot {
    std::unique_ptr<T> object;
    uint32_t generation = 1;
  };

  const Slot* slot_of(int32_t handle) const {
    const uint32_t bits = static_cast<uint32_t>(handle);
    const uint32_t index = bits & (kMaxSlots - 1);
    if (index >= slots_.size()) return nullptr;
    const Slot& slot = slots_[index];
    return slot.generation == bits >> kIndexBits ? &slot : nullptr;
  }

  std::vector<Slot> slots_;
  std::vector<uint32_t> free_;
};

}  // namespace zerowire::addon
