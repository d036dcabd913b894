// RxWindow: the packets that a receiver keeps until they are next.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "pgm/receiver_list.hpp"

namespace zerowire::pgm {

/// Copies of packets, one behind the other in large chunks: packets go about in the order in which
/// they came, so chunks become free as a whole. Memory is what is counted, not what is in it.
class PacketStore {
 public:
  struct Chunk;
  struct Held {
    Chunk* chunk;
    uint32_t offset;
    uint32_t size;
  };

  explicit PacketStore(std::size_t chunk_size) : chunk_size_(chunk_size) {}
  ~PacketStore();
  PacketStore(const PacketStore&) = delete;
  PacketStore& operator=(const PacketStore&) = delete;

  /// False: no memory.
  [[nodiscard]] bool put(std::string_view packet, Held& out);
  static std::string_view view(const Held& held);
  void release(const Held& held);
  /// Bytes of the chunks in use.
  std::size_t bytes() const { return bytes_; }

 private:
  Chunk* fresh_chunk(std::size_t need);
  void retire(Chunk* chunk);

  const std::size_t chunk_size_;
  Chunk* current_ = nullptr;
  std::vector<Chunk*> spare_;
  std::size_t bytes_ = 0;
};

/// Held packets by sequence number, in pages of 64: a page exists while it holds something, so a
/// gap costs nothing however long it is. All within half of the sequence space. Owned by a
/// Receiver.
class RxWindow {
 public:
  explicit RxWindow(std::size_t most_bytes);
  ~RxWindow() { clear(); }
  RxWindow(const RxWindow&) = delete;
  RxWindow& operator=(const RxWindow&) = delete;

  /// Copies the packet; `sequence` must not be held yet. False: no memory.
  [[nodiscard]] bool put(uint32_t sequence, std::string_view tsdu);
  bool holds(uint32_t sequence) const;
  /// A held packet; valid until it is released.
  std::string_view at(uint32_t sequence) const;
  void release(uint32_t sequence);
  /// Releases `first` and all behind it.
  void release_from(uint32_t first);
  void clear();

  bool empty() const { return pages_.empty(); }
  std::size_t bytes() const { return store_.bytes() + pages_.size() * sizeof(Page); }
  bool over() const { return bytes() > most_bytes_; }

 private:
  static constexpr uint32_t kPageSize = 64;
  static constexpr std::size_t kSparePages = 16;

  struct Page {
    uint32_t first;
    uint64_t have;  ///< one bit per slot
    std::array<PacketStore::Held, kPageSize> slots;
  };

  /// Index of the page that begins at `first`, or where it would be.
  std::size_t find(uint32_t first) const;
  const Page* page_of(uint32_t sequence) const;
  Page* add_page(std::size_t index, uint32_t first);
  void remove_page(std::size_t index);

  const std::size_t most_bytes_;
  PacketStore store_;
  SortedList<Page*> pages_;
  std::vector<Page*> spare_;
};

}  // namespace zerowire::pgm
