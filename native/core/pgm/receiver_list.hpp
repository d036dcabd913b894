// SortedList: what a receiver keeps in the order of sequence numbers.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace zerowire::pgm {

/// A vector that is also cheap at its front: what is taken there leaves room that later inserts
/// use. In the middle the shorter side moves.
template <class T>
class SortedList {
 public:
  std::size_t size() const { return items_.size() - head_; }
  bool empty() const { return size() == 0; }
  T& operator[](std::size_t i) { return items_[head_ + i]; }
  const T& operator[](std::size_t i) const { return items_[head_ + i]; }
  T& back() { return items_.back(); }

  void push_back(const T& item) {
    close_up();
    items_.push_back(item);
  }
  void insert(std::size_t i, const T& item) {
    close_up();
    const auto at = items_.begin() + static_cast<std::ptrdiff_t>(head_ + i);
    if (head_ == 0 || i > size() / 2) {
      items_.insert(at, item);
      return;
    }
    const auto front = items_.begin() + static_cast<std::ptrdiff_t>(head_);
    std::move(front, at, front - 1);
    *(at - 1) = item;
    --head_;
  }
  void erase(std::size_t i) {
    const auto at = items_.begin() + static_cast<std::ptrdiff_t>(head_ + i);
    if (i >= size() / 2 && i > 0) {
      items_.erase(at);
    } else {
      std::move_backward(items_.begin() + static_cast<std::ptrdiff_t>(head_), at, at + 1);
      ++head_;
    }
    if (empty()) clear();
  }
  /// Removes all from `i` on.
  void cut(std::size_t i) {
    items_.resize(head_ + i);
    if (empty()) clear();
  }
  void clear() {
    items_.clear();
    head_ = 0;
  }

 private:
  static constexpr std::size_t kSlack = 64;

  void close_up() {
    if (head_ <= kSlack || head_ < items_.size() / 2) return;
    items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(head_));
    head_ = 0;
  }

  std::vector<T> items_;
  std::size_t head_ = 0;  ///< items before it are gone
};

}  // namespace zerowire::pgm
