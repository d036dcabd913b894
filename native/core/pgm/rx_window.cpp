#include "pgm/rx_window.hpp"

#include <cstdlib>
#include <cstring>
#include <new>

#include "pgm/wire.hpp"

namespace zerowire::pgm {
namespace {

/// Less would hold next to nothing.
constexpr std::size_t kLeastBytes = 64 * 1024;
constexpr std::size_t kLeastChunk = 4 * 1024;
constexpr std::size_t kMostChunk = 64 * 1024;
/// What a socket that is read in bursts needs again and again: memory that is freed and allocated
/// anew costs a fault for every page.
constexpr std::size_t kSpareChunks = 64;
/// Parts of the whole that a chunk may be: what is left over in chunks stays small.
constexpr std::size_t kChunks = 64;

}  // namespace

struct PacketStore::Chunk {
  std::size_t capacity;
  std::size_t used;
  std::size_t live;  ///< packets in it

  char* data() { return reinterpret_cast<char*>(this + 1); }
};

PacketStore::~PacketStore() {
  std::free(current_);
  for (Chunk* chunk : spare_) std::free(chunk);
}

bool PacketStore::put(std::string_view packet, Held& out) {
  if (!current_ || current_->capacity - current_->used < packet.size()) {
    Chunk* chunk = fresh_chunk(packet.size());
    if (!chunk) return false;
    current_ = chunk;
  }
  out = {current_, static_cast<uint32_t>(current_->used), static_cast<uint32_t>(packet.size())};
  if (!packet.empty()) std::memcpy(current_->data() + current_->used, packet.data(), packet.size());
  current_->used += packet.size();
  ++current_->live;
  return true;
}

std::string_view PacketStore::view(const Held& held) {
  return {held.chunk->data() + held.offset, held.size};
}

void PacketStore::release(const Held& held) {
  Chunk* chunk = held.chunk;
  if (--chunk->live) return;
  if (chunk == current_) current_ = nullptr;
  retire(chunk);
}

PacketStore::Chunk* PacketStore::fresh_chunk(std::size_t need) {
  if (need <= chunk_size_ && !spare_.empty()) {
    Chunk* chunk = spare_.back();
    spare_.pop_back();
    bytes_ += chunk->capacity;
    return chunk;
  }
  const std::size_t capacity = std::max(need, chunk_size_);
  void* memory = std::malloc(sizeof(Chunk) + capacity);
  if (!memory) return nullptr;
  bytes_ += capacity;
  return new (memory) Chunk{capacity, 0, 0};
}

void PacketStore::retire(Chunk* chunk) {
  bytes_ -= chunk->capacity;
  chunk->used = 0;
  if (chunk->capacity == chunk_size_ && spare_.size() < kSpareChunks) {
    spare_.push_back(chunk);
  } else {
    std::free(chunk);
  }
}

RxWindow::RxWindow(std::size_t most_bytes)
    : most_bytes_(std::max(most_bytes, kLeastBytes)),
      store_(std::clamp(most_bytes / kChunks, kLeastChunk, kMostChunk)) {}

bool RxWindow::put(uint32_t sequence, std::string_view tsdu) {
  const uint32_t first = sequence & ~(kPageSize - 1);
  const std::size_t index = find(first);
  const bool exists = index < pages_.size() && pages_[index]->first == first;
  PacketStore::Held held;
  if (!store_.put(tsdu, held)) return false;
  Page* page = exists ? pages_[index] : add_page(index, first);
  if (!page) {
    store_.release(held);
    return false;
  }
  page->slots[sequence - first] = held;
  page->have |= uint64_t{1} << (sequence - first);
  return true;
}

bool RxWindow::holds(uint32_t sequence) const {
  const Page* page = page_of(sequence);
  return page && (page->have >> (sequence - page->first) & 1);
}

std::string_view RxWindow::at(uint32_t sequence) const {
  const Page* page = page_of(sequence);
  return PacketStore::view(page->slots[sequence - page->first]);
}

void RxWindow::release(uint32_t sequence) {
  const std::size_t index = find(sequence & ~(kPageSize - 1));
  Page* page = pages_[index];
  store_.release(page->slots[sequence - page->first]);
  page->have &= ~(uint64_t{1} << (sequence - page->first));
  if (!page->have) remove_page(index);
}

void RxWindow::release_from(uint32_t first) {
  while (!pages_.empty()) {
    Page* page = pages_.back();
    for (uint32_t i = kPageSize; i-- > 0;) {
      if (distance(page->first + i, first) < 0) return;
      if (!(page->have >> i & 1)) continue;
      const bool last = page->have == uint64_t{1} << i;
      release(page->first + i);
      if (last) break;
    }
  }
}

void RxWindow::clear() {
  while (!pages_.empty()) {
    Page* page = pages_.back();
    for (uint32_t i = 0; i < kPageSize; ++i) {
      if (page->have >> i & 1) store_.release(page->slots[i]);
    }
    remove_page(pages_.size() - 1);
  }
  for (Page* page : spare_) delete page;
  spare_.clear();
}

/// Most packets belong to the last page when they come, and to the first when they go.
std::size_t RxWindow::find(uint32_t first) const {
  std::size_t from = 0, to = pages_.size();
  if (to == 0 || distance(first, pages_[0]->first) <= 0) return 0;
  if (const int32_t behind = distance(first, pages_[to - 1]->first); behind >= 0) {
    return behind == 0 ? to - 1 : to;
  }
  while (from < to) {
    const std::size_t middle = from + (to - from) / 2;
    if (distance(pages_[middle]->first, first) < 0) {
      from = middle + 1;
    } else {
      to = middle;
    }
  }
  return from;
}

const RxWindow::Page* RxWindow::page_of(uint32_t sequence) const {
  const uint32_t first = sequence & ~(kPageSize - 1);
  const std::size_t index = find(first);
  return index < pages_.size() && pages_[index]->first == first ? pages_[index] : nullptr;
}

RxWindow::Page* RxWindow::add_page(std::size_t index, uint32_t first) {
  Page* page = nullptr;
  if (!spare_.empty()) {
    page = spare_.back();
    spare_.pop_back();
  } else {
    page = new (std::nothrow) Page;
    if (!page) return nullptr;
  }
  page->first = first;
  page->have = 0;
  pages_.insert(index, page);
  return page;
}

void RxWindow::remove_page(std::size_t index) {
  Page* page = pages_[index];
  pages_.erase(index);
  if (spare_.size() < kSparePages) {
    spare_.push_back(page);
  } else {
    delete page;
  }
}

}  // namespace zerowire::pgm
