#include "base/memory.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <memory>
#include <mutex>
#include <vector>

#include "base/clock.hpp"

namespace zerowire {
namespace {

constexpr std::size_t kMiB = std::size_t{1024} * 1024;
constexpr std::size_t kLarge = kMiB / 8;  // as much as most allocators ask the system for
constexpr std::size_t kHugePage = 2 * kMiB;
constexpr std::size_t kPage = 4096;
/// Large pieces begin in the middle of a page: the system's copy of a message begins near the start
/// of one, and AMD's Zen 3 and 4 copy ten times slower to where lies 1 to 15 bytes above the
/// source, modulo 4096.
constexpr std::size_t kStart = kPage / 2;
constexpr int64_t kKeep = 1'000'000'000;  // ns

struct Free {
  void operator()(void* memory) const { std::free(memory); }
};
struct Piece {
  std::unique_ptr<void, Free> memory;
  std::size_t size;
  int64_t until;
};

/// The pieces that are kept. The one freed last, which may still be in a cache, is used first.
class Kept {
 public:
  void* take(std::size_t size) {
    const std::lock_guard lock(mutex_);
    wanted_until_.store(now_ns() + kKeep, std::memory_order_relaxed);
    const auto found = std::find_if(pieces_.rbegin(), pieces_.rend(),
                                    [size](const Piece& piece) { return piece.size == size; });
    if (found == pieces_.rend()) return nullptr;
    void* const memory = found->memory.release();
    pieces_.erase(std::next(found).base());
    return memory;
  }
  void put(void* memory, std::size_t size) {
    const int64_t now = now_ns();
    std::vector<Piece> old;  // freed when the lock is not held any more
    const std::lock_guard lock(mutex_);
    pieces_.push_back({std::unique_ptr<void, Free>(memory), size, now + kKeep});
    old = cut(wanted(now) ? now : kNever);
  }
  void drop(int64_t now) {
    if (now < wanted_until()) return;
    std::vector<Piece> old;
    const std::lock_guard lock(mutex_);
    if (now < wanted_until()) return;
    wanted_until_.store(kNever, std::memory_order_relaxed);
    old = cut(kNever);
  }
  /// Nothing is kept beyond this. kNever: nothing is.
  int64_t wanted_until() const { return wanted_until_.load(std::memory_order_relaxed); }

 private:
  bool wanted(int64_t now) const { return now < wanted_until() && wanted_until() != kNever; }
  /// Takes out what is kept until `now` at most.
  std::vector<Piece> cut(int64_t now) {
    const auto end = std::find_if(pieces_.begin(), pieces_.end(),
                                  [now](const Piece& piece) { return piece.until > now; });
    std::vector<Piece> old(std::make_move_iterator(pieces_.begin()), std::make_move_iterator(end));
    pieces_.erase(pieces_.begin(), end);
    return old;
  }

  std::mutex mutex_;
  std::vector<Piece> pieces_;  ///< the oldest first
  std::atomic<int64_t> wanted_until_{kNever};
};

/// Never destroyed: buffers may be freed at the very end of the process.
Kept& kept() {
  static Kept* const kept = new Kept;
  return *kept;
}

/// Eight sizes to a doubling, so that pieces of about the same size can be used for each other.
std::size_t rounded(std::size_t size) {
  std::size_t step = kLarge / 8;
  while (step < size / 16) step *= 2;
  return (size + step - 1) / step * step;
}

void* obtain(std::size_t size) {
  void* memory = nullptr;
  if (::posix_memalign(&memory, size < kHugePage ? kPage : kHugePage, size)) return nullptr;
#ifdef MADV_HUGEPAGE
  (void)::madvise(memory, size / kHugePage * kHugePage, MADV_HUGEPAGE);
#endif
  return memory;
}

}  // namespace

void* allocate(std::size_t size) {
  if (size < kLarge) return std::malloc(size);
  if (size > SIZE_MAX / 2) return nullptr;
  const std::size_t all = rounded(size + kStart);
  void* memory = kept().take(all);
  if (!memory) memory = obtain(all);
  return memory ? static_cast<char*>(memory) + kStart : nullptr;
}

void release(void* memory, std::size_t size) {
  if (size < kLarge) return std::free(memory);
  kept().put(static_cast<char*>(memory) - kStart, rounded(size + kStart));
}

void* reallocate(void* memory, std::size_t size, std::size_t wanted) {
  if (size < kLarge && wanted < kLarge) return std::realloc(memory, wanted);
  void* const moved = allocate(wanted);
  if (!moved) return nullptr;
  std::memcpy(moved, memory, std::min(size, wanted));
  release(memory, size);
  return moved;
}

int64_t unused_until() { return kept().wanted_until(); }

void drop_unused(int64_t now) { kept().drop(now); }

}  // namespace zerowire
