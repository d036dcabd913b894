// TxWindow: the packets that a source keeps for repair.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "pgm/wire.hpp"

namespace zerowire::pgm {

/// Before any time, with room for differences.
inline constexpr int64_t kLongAgo = INT64_MIN / 2;

/// What TxWindow knows of a packet. Times in ns.
struct TxPacket {
  char* data = nullptr;             ///< kDataHeaderSize octets for the header, then the TSDU
  int64_t sent_at = kLongAgo;       ///< as ODATA
  int64_t confirmed_at = kLongAgo;  ///< the last NCF
  int64_t repaired_at = kLongAgo;   ///< the last RDATA
  uint32_t sum = 0;                 ///< partial_sum() of the TSDU, folded; set by the owner
  uint16_t size = 0;                ///< octets, header included
  bool queued = false;              ///< a repair waits
};

/// Packets by sequence number: [kept .. trail .. sent .. end). Those from `sent` on wait to be sent
/// first. From `trail` on they are advertised; what lies before is kept a little longer, for NAKs
/// that are on their way when the trail moves. Packets lie one behind the other in chunks, so that
/// memory grows with what is kept, and full packets of a turn are usually contiguous. One thread.
class TxWindow {
 public:
  struct Limits {
    uint32_t packets = 1;          ///< advertised at most
    std::size_t bytes = SIZE_MAX;  ///< advertised at most
    int64_t time = INT64_MAX;      ///< ns that a packet stays advertised
  };

  /// `largest`: octets of a packet, header included, 65535 at most.
  TxWindow(uint32_t first, std::size_t largest, const Limits& limits);
  ~TxWindow();
  TxWindow(const TxWindow&) = delete;
  TxWindow& operator=(const TxWindow&) = delete;

  /// Memory for the next packet, the same until seal(); null: there is none.
  char* open();
  /// The opened packet joins those that wait.
  void seal(std::size_t size);

  uint32_t waiting() const { return end_ - sent_; }
  /// The packet to be sent next; something must wait.
  TxPacket& next() { return at(sent_); }
  /// The next one is being sent: the trail moves where it has to.
  void mark_sent(int64_t now);
  /// Moves the trail and lets go of what is kept no longer. Bounded work.
  void trim(int64_t now);

  /// A packet that has been sent and is kept, else null.
  TxPacket* find(uint32_t sequence) {
    return sequence - kept_ < sent_ - kept_ ? &at(sequence) : nullptr;
  }
  uint32_t trail() const { return trail_; }
  /// Behind the last that was sent.
  uint32_t sent() const { return sent_; }
  /// Octets of packet memory and bookkeeping, spare memory included.
  std::size_t memory() const;

 private:
  static constexpr uint32_t kBlock = 256;
  struct Block {
    TxPacket packets[kBlock];
  };
  struct Chunk {
    Chunk* next;
    uint32_t end;  ///< behind the last packet in it
    char* bytes() { return reinterpret_cast<char*>(this + 1); }
  };

  TxPacket& at(uint32_t sequence) {
    return blocks_[(sequence / kBlock) & (blocks_.size() - 1)]->packets[sequence % kBlock];
  }
  bool ready_block();
  bool grow_directory();
  Chunk* new_chunk();
  void move_trail(int64_t now);
  void drop_oldest();
  void drop_block(uint32_t sequence);
  void drop_chunks();
  bool too_much(const Limits& limits, uint32_t first, std::size_t bytes, int64_t now);

  const std::size_t largest_;
  const std::size_t chunk_size_;
  const Limits advertised_;
  const Limits kept_limits_;

  uint32_t kept_;
  uint32_t trail_;
  uint32_t sent_;
  uint32_t end_;
  std::size_t advertised_bytes_ = 0;
  std::size_t kept_bytes_ = 0;

  std::vector<Block*> blocks_;  ///< ring, a power of two; index: sequence / kBlock
  Block* spare_block_ = nullptr;
  Chunk* oldest_ = nullptr;
  Chunk* newest_ = nullptr;
  std::size_t used_ = 0;  ///< octets of newest_
  std::size_t chunks_ = 0;
  Chunk* spare_ = nullptr;
  std::size_t spares_ = 0;
};

}  // namespace zerowire::pgm
