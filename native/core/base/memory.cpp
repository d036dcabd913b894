#include "base/memory.hpp"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <new>
#include <utility>

#include "base/clock.hpp"

namespace zerowire {
namespace {

constexpr std::size_t kMiB = std::size_t{1024} * 1024;
constexpr std::size_t kLarge = kMiB / 32;  // below, allocators keep what is freed
/// Where many sizes are in use, the right one may lie deep.
constexpr int kMostLooks = 16;
constexpr std::size_t kLargest = 32 * kMiB;
constexpr std::size_t kMostKept = 256 * kMiB;
constexpr int64_t kKeep = 1'000'000'000;  // ns
constexpr int kDropTurn = 16;
constexpr std::size_t kPage = 4096;
/// Large pieces begin in the middle of a page: the system's copy of a message begins near the start
/// of one, and AMD's Zen 3 and 4 copy ten times slower to where lies 1 to 15 bytes above the
/// source, modulo 4096.
constexpr std::size_t kStart = kPage / 2;

/// A piece that is kept, until then at most; lies at its start.
struct Piece {
  std::size_t size;
  int64_t until;
  Piece* older;
  Piece* newer;
};

/// A list of them. The one released last, which may still be in a cache, is used first.
class Kept {
 public:
  void* take(std::size_t size) {
    const std::lock_guard lock(mutex_);
    wanted_until_.store(now_ns() + kKeep, std::memory_order_relaxed);
    Piece* piece = newest_;
    for (int looks = 1; piece && piece->size != size; ++looks) {
      piece = looks < kMostLooks ? piece->older : nullptr;
    }
    if (piece) unlink(piece);
    return piece;
  }
  void put(void* memory, std::size_t size) {
    const int64_t now = now_ns();
    Piece* surplus = nullptr;
    {
      const std::lock_guard lock(mutex_);
      newest_ = new (memory) Piece{size, now + kKeep, newest_, nullptr};
      (newest_->older ? newest_->older->newer : oldest_) = newest_;
      total_ += size;
      while (oldest_ && (total_ > kMostKept || oldest_->until <= now || until() == kNever)) {
        surplus = cut(surplus);
      }
    }
    free_all(surplus);
    if (now >= until()) drop(now);
  }
  void drop(int64_t now) {
    Piece* surplus = nullptr;
    {
      const std::lock_guard lock(mutex_);
      if (now < until()) return;
      for (int i = 0; oldest_ && (i < kDropTurn || now == kNever); ++i) surplus = cut(surplus);
      if (!oldest_) wanted_until_.store(kNever, std::memory_order_relaxed);
    }
    free_all(surplus);
  }
  int64_t until() const { return wanted_until_.load(std::memory_order_relaxed); }

 private:
  /// Takes out the oldest, in front of `others`.
  Piece* cut(Piece* others) {
    Piece* const piece = oldest_;
    unlink(piece);
    piece->older = others;
    return piece;
  }
  static void free_all(Piece* pieces) {
    while (pieces) std::free(std::exchange(pieces, pieces->older));
  }
  void unlink(Piece* piece) {
    (piece->older ? piece->older->newer : oldest_) = piece->newer;
    (piece->newer ? piece->newer->older : newest_) = piece->older;
    total_ -= piece->size;
  }

  std::mutex mutex_;
  Piece* oldest_ = nullptr;
  Piece* newest_ = nullptr;
  std::size_t total_ = 0;
  std::atomic<int64_t> wanted_until_{kNever};  ///< kNever: nothing is kept
};

/// Never destroyed: buffers may be freed at the very end of the process.
Kept& kept() {
  static Kept* const kept = new Kept;
  return *kept;
}

bool is_kept(std::size_t size) { return size >= kLarge && size <= kLargest; }

/// Eight sizes to a doubling, so that pieces of about the same size can be used for each other.
std::size_t rounded(std::size_t size) {
  size += kStart;
  std::size_t step = kLarge / 8;
  while (step < size / 16) step *= 2;
  return (size + step - 1) / step * step;
}

void* obtain(std::size_t size) {
  void* memory = nullptr;
  return ::posix_memalign(&memory, kPage, size) == 0 ? memory : nullptr;
}

}  // namespace

void* allocate(std::size_t size) {
  if (!is_kept(size)) return std::malloc(size);
  const std::size_t all = rounded(size);
  void* memory = kept().take(all);
  if (!memory) memory = obtain(all);
  if (!memory) {
    drop_unused(kNever);
    memory = obtain(all);
  }
  return memory ? static_cast<char*>(memory) + kStart : nullptr;
}

void release(void* memory, std::size_t size) {
  if (!is_kept(size)) return std::free(memory);
  kept().put(static_cast<char*>(memory) - kStart, rounded(size));
}

void* reallocate(void* memory, std::size_t size, std::size_t wanted) {
  if (!is_kept(size) && !is_kept(wanted)) return std::realloc(memory, wanted);
  if (is_kept(size) && is_kept(wanted) && rounded(size) == rounded(wanted)) return memory;
  void* const moved = allocate(wanted);
  if (!moved) return nullptr;
  std::memcpy(moved, memory, std::min(size, wanted));
  release(memory, size);
  return moved;
}

int64_t unused_until() { return kept().until(); }

void drop_unused(int64_t now) { kept().drop(now); }

}  // namespace zerowire
