// DueQueue: which holes of a receiver are due, and when.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "pgm/wire.hpp"

namespace zerowire::pgm {

/// The earliest comes first; of those with one time, the lowest sequence number. What has changed
/// since is not taken out: who reads an entry checks whether it still holds. Owned by a Repair.
class DueQueue {
 public:
  struct Entry {
    int64_t due;
    uint32_t sequence;  ///< of a packet in the hole
  };

  bool empty() const { return entries_.empty(); }
  std::size_t size() const { return entries_.size(); }
  const Entry& first() const { return entries_.front(); }
  void push(int64_t due, uint32_t sequence) {
    entries_.push_back({due, sequence});
    std::push_heap(entries_.begin(), entries_.end(), later);
  }
  void pop() {
    std::pop_heap(entries_.begin(), entries_.end(), later);
    entries_.pop_back();
  }
  void clear() { entries_.clear(); }

 private:
  static bool later(const Entry& a, const Entry& b) {
    return a.due != b.due ? a.due > b.due : distance(a.sequence, b.sequence) > 0;
  }

  std::vector<Entry> entries_;
};

}  // namespace zerowire::pgm
