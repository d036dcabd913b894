#include "pgm/tx_window.hpp"

#include <cstdlib>
#include <new>

namespace zerowire::pgm {
namespace {

/// Holds 45 packets of an Ethernet frame.
constexpr std::size_t kChunk = 64 * 1024;
/// Large packets still come several to a chunk.
constexpr std::size_t kPacketsPerChunk = 4;
constexpr std::size_t kMostSpares = 4;
/// Packets begin at multiples of it: their checksums are faster.
constexpr std::size_t kAlign = 4;
/// Packets that one call steps over at most, so that no turn takes long after a pause.
constexpr int kSteps = 4096;

/// What is kept goes a quarter beyond what is advertised, and some packets.
TxWindow::Limits kept(const TxWindow::Limits& limits) {
  TxWindow::Limits more = limits;
  more.packets = std::min<uint32_t>(limits.packets, UINT32_MAX / 4);
  more.packets += more.packets / 4 + 16;
  if (limits.bytes < SIZE_MAX / 2) more.bytes += limits.bytes / 4;
  if (limits.time < INT64_MAX / 2) more.time += limits.time / 4;
  return more;
}

}  // namespace

TxWindow::TxWindow(uint32_t first, std::size_t largest, const Limits& limits)
    : largest_(std::min<std::size_t>(largest, UINT16_MAX)),
      chunk_size_(std::max(kChunk, kPacketsPerChunk * (largest_ + kAlign)) - sizeof(Chunk)),
      advertised_(limits),
      kept_limits_(kept(limits)),
      kept_(first),
      trail_(first),
      sent_(first),
      end_(first) {}

TxWindow::~TxWindow() {
  for (Block* block : blocks_) delete block;
  delete spare_block_;
  for (Chunk* list : {oldest_, spare_}) {
    while (list) {
      Chunk* next = list->next;
      std::free(list);
      list = next;
    }
  }
}

char* TxWindow::open() {
  if (!ready_block()) return nullptr;
  if (!newest_ || chunk_size_ - used_ < largest_) {
    Chunk* chunk = new_chunk();
    if (!chunk) return nullptr;
    chunk->next = nullptr;
    chunk->end = end_;
    (newest_ ? newest_->next : oldest_) = chunk;
    newest_ = chunk;
    used_ = 0;
  }
  return newest_->bytes() + used_;
}

void TxWindow::seal(std::size_t size) {
  TxPacket& packet = at(end_);
  packet = TxPacket{};
  packet.data = newest_->bytes() + used_;
  packet.size = static_cast<uint16_t>(size);
  used_ = std::min(chunk_size_, (used_ + size + kAlign - 1) / kAlign * kAlign);
  newest_->end = ++end_;
}

void TxWindow::mark_sent(int64_t now) {
  TxPacket& packet = next();
  packet.sent_at = now;
  advertised_bytes_ += packet.size;
  kept_bytes_ += packet.size;
  ++sent_;
  move_trail(now);
}

/// Whether the packets from `first` on, so many bytes, are more than the limits allow.
bool TxWindow::too_much(const Limits& limits, uint32_t first, std::size_t bytes, int64_t now) {
  if (first == sent_) return false;
  return sent_ - first > limits.packets || bytes > limits.bytes ||
         now - at(first).sent_at > limits.time;
}

void TxWindow::move_trail(int64_t now) {
  for (int i = 0; i < kSteps && too_much(advertised_, trail_, advertised_bytes_, now); ++i) {
    advertised_bytes_ -= at(trail_++).size;
  }
}

void TxWindow::trim(int64_t now) {
  move_trail(now);
  for (int i = 0; i < kSteps && kept_ != trail_; ++i) {
    if (!too_much(kept_limits_, kept_, kept_bytes_, now)) break;
    drop_oldest();
  }
  drop_chunks();
}

void TxWindow::drop_oldest() {
  kept_bytes_ -= at(kept_).size;
  if (++kept_ % kBlock == 0) drop_block(kept_ - 1);
}

void TxWindow::drop_block(uint32_t sequence) {
  Block*& block = blocks_[(sequence / kBlock) & (blocks_.size() - 1)];
  delete spare_block_;
  spare_block_ = block;
  block = nullptr;
}

void TxWindow::drop_chunks() {
  // The newest one stays: the next packet goes there.
  while (oldest_ != newest_ && distance(oldest_->end, kept_) <= 0) {
    Chunk* chunk = oldest_;
    oldest_ = chunk->next;
    if (spares_ < kMostSpares) {
      chunk->next = spare_;
      spare_ = chunk;
      ++spares_;
    } else {
      std::free(chunk);
      --chunks_;
    }
  }
}

TxWindow::Chunk* TxWindow::new_chunk() {
  if (spare_) {
    Chunk* chunk = spare_;
    spare_ = chunk->next;
    --spares_;
    return chunk;
  }
  void* memory = std::malloc(sizeof(Chunk) + chunk_size_);
  if (!memory) return nullptr;
  ++chunks_;
  return new (memory) Chunk;
}

/// Makes sure that there is a place for the packet `end_`.
bool TxWindow::ready_block() {
  // All of the ring may be in use, by a block that begins before kept_ and one that ends behind.
  if ((end_ / kBlock - kept_ / kBlock) % (UINT32_MAX / kBlock + 1) >= blocks_.size() &&
      !grow_directory()) {
    return false;
  }
  Block*& block = blocks_[(end_ / kBlock) & (blocks_.size() - 1)];
  if (block) return true;
  block = spare_block_ ? spare_block_ : new (std::nothrow) Block;
  spare_block_ = nullptr;
  return block;
}

bool TxWindow::grow_directory() {
  constexpr uint32_t kNumbers = UINT32_MAX / kBlock + 1;
  const std::size_t size = std::max<std::size_t>(blocks_.size() * 2, 4);
  if (size > kNumbers) return false;
  std::vector<Block*> larger(size);
  for (std::size_t i = 0; i < blocks_.size(); ++i) {
    const std::size_t number = (kept_ / kBlock + i) % kNumbers;
    larger[number & (size - 1)] = blocks_[number & (blocks_.size() - 1)];
  }
  blocks_.swap(larger);
  return true;
}

std::size_t TxWindow::memory() const {
  std::size_t blocks = spare_block_ ? 1 : 0;
  for (const Block* block : blocks_) blocks += block != nullptr;
  return chunks_ * (sizeof(Chunk) + chunk_size_) + blocks * sizeof(Block);
}

}  // namespace zerowire::pgm
