// Pipe: ZMTP frames as bytes from one producer to one consumer, without locks.
//
// The producer writes frames in wire form into a chain of chunks; a consumer that is a network
// connection hands these very bytes to the kernel, one that is a socket reads the frames back.
//
// Three words carry the protocol:
//
//   shown  = bytes published, written by the producer alone
//   token  = STEADY | RECALL | ASLEEP
//   credit = messages consumed << 1 | WAITING
//
// The consumer end is a token. ASLEEP set: nobody holds it. Whoever clears the bit (the producer
// when it publishes, a thread that recalls, or the consumer that has just set it) holds the token
// and must either consume or pass it on to the consumer's mailbox; only the holder touches the
// consumer's fields. The holder gives the token up by sleep(), which fails while there are bytes it
// has not seen: the producer publishes and then looks for ASLEEP; the consumer sets ASLEEP and then
// looks for what was published, all in one order for both (seq_cst), so at least one of them sees
// the other.
// RECALL asks the present holder to pass the token to the consumer's own thread instead of putting
// the pipe to sleep.
// WAITING: the producer found the pipe full and wants to hear of the next credit.
//
// That order takes an atomic exchange per publish, which waits for all that was written before.
// STEADY, set by the producer: so many publishes in a row have found the consumer awake, and
// behind, that the producer does without, by a plain store. The consumer makes up for it when it
// next sets ASLEEP, which clears STEADY: before it looks, it calls for a barrier in all threads
// (membarrier). Then either the producer's next look finds the bit gone, or what it published
// before can be seen.
//
// Messages are counted for the high-water mark when they are committed and when the consumer
// releases them; commands and control records are not counted by the producer's own choice.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include "base/copy.hpp"
#include "pipe/chunk.hpp"
#include "pipe/lane.hpp"
#include "zerowire/message.hpp"
#include "zmtp/wire.hpp"

namespace zerowire {

/// The shared words.
struct PipeWords {
  static constexpr uint32_t kAsleep = 1;
  static constexpr uint32_t kRecall = 2;
  static constexpr uint32_t kSteady = 4;
  static constexpr uint64_t kWaiting = 1;

  alignas(kCacheLine) std::atomic<uint64_t> shown{0};
  std::atomic<uint32_t> token{0};
  alignas(kCacheLine) std::atomic<uint64_t> credit{0};
  /// Chunks without memory that the consumer hands back for use by the producer, in one list.
  std::atomic<Chunk*> spare{nullptr};
};

/// Who has to act after a publish.
enum class Claim {
  none,      ///< the consumer will see the bytes by itself
  claimed,   ///< the caller now holds the token: consume, or post it to the consumer
  recalled,  ///< the caller holds the token and must post it to the consumer
};

/// The producer's end. One thread at a time.
class PipeWriter {
 public:
  PipeWriter(PipeWords& words, int high_water_mark)
      : words_(words), limit_messages_(high_water_mark) {}
  ~PipeWriter();
  PipeWriter(const PipeWriter&) = delete;
  PipeWriter& operator=(const PipeWriter&) = delete;

  /// True when another message may be written (always, with a mark of 0).
  bool room() {
    if (limit_messages_ == 0 || messages_ - seen_ < static_cast<uint64_t>(limit_messages_))
      return true;
    seen_ = words_.credit.load(std::memory_order_acquire) >> 1;
    return messages_ - seen_ < static_cast<uint64_t>(limit_messages_);
  }
  /// How many messages may be written without asking again.
  uint64_t free() {
    if (limit_messages_ == 0) return UINT64_MAX;
    seen_ = words_.credit.load(std::memory_order_acquire) >> 1;
    const auto limit = static_cast<uint64_t>(limit_messages_);
    return limit - std::min(limit, messages_ - seen_);
  }
  /// As room(), but when full also asks to be told: the consumer's next release() returns true.
  bool room_or_wait();
  void set_high_water_mark(int messages) { limit_messages_ = messages; }

  /// Appends a frame to the message being written; false when out of memory (then roll back).
  bool write(uint8_t flags, const char* data, std::size_t size) {
    const std::size_t need = wire::header_size(size) + size;
    if (static_cast<std::size_t>(limit_ - at_) < need && !next_chunk(need)) return false;
    char* body = wire::write_header(at_, flags, size);
    copy_bytes(body, data, size);
    at_ = body + size;
    written_ += need;
    // The consumer had that line before. Longer bodies are copied faster without.
    if (size <= kCacheLine) expect_write(at_ + 4 * kCacheLine);
    return true;
  }
  /// The same for a body that is referenced, not copied.
  bool write_reference(uint8_t flags, const Part& part);
  /// The same for a consumer that reads frames, not raw bytes: cheaper, since the body needs no
  /// chunks of its own.
  bool write_pointer(uint8_t flags, const Part& part);
  /// The same for frames in wire form that other pipes carry too (see Lane).
  bool append_shared(const Lane::Bytes& frames);

  /// Ends a message: what was written becomes part of the stream. `messages` is what it counts
  /// for the high-water mark (0 for commands and control records).
  void commit(uint64_t messages = 1) {
    messages_ += messages;
    committed_ = written_;
    mark_chunk_ = tail_;
    mark_at_ = at_;
  }
  /// Forgets what was written since the last commit.
  void rollback();
  bool dirty() const { return committed_ != published_; }

  /// Shows everything committed to the consumer.
  [[nodiscard]] Claim publish() {
    if (!dirty()) return Claim::none;
    published_ = committed_;
    if (steady_) {
      words_.shown.store(published_, std::memory_order_release);
      // For the compiler; the processor's part is the consumer's.
      std::atomic_signal_fence(std::memory_order_seq_cst);
      if (words_.token.load(std::memory_order_relaxed) & PipeWords::kSteady) return Claim::none;
      steady_ = false;
    }
    words_.shown.exchange(published_, std::memory_order_seq_cst);
    if (words_.token.load(std::memory_order_seq_cst) & PipeWords::kAsleep) return claim();
    if (++awake_ == kSteadyFrom) settle();
    return Claim::none;
  }

  // For a producer that reads from a socket straight into the pipe: bytes between at() and
  // limit() may be written, and become part of the stream by extend().
  char* at() { return at_; }
  char* limit() { return limit_; }
  Chunk* tail() { return tail_; }
  void extend(std::size_t bytes) {
    at_ += bytes;
    written_ += bytes;
  }
  // Chunks to be appended; null when out of memory.
  /// With memory of its own.
  Chunk* create(std::size_t capacity);
  /// Takes over one reference on success.
  Chunk* wrap(Buffer* buffer, char* data, std::size_t capacity);
  /// What the chunk at at() has left from `from` on.
  Chunk* rest(char* from);
  /// Seals the chunk at at() and goes on in a new one with room for `need` bytes or more.
  bool next_chunk(std::size_t need);
  /// Seals the chunk at at(), appends one that is full already, and goes on in the empty `open`.
  void append_full(Chunk* full, std::size_t size, Chunk* open);
  uint64_t messages() const { return messages_; }
  Chunk* first() const { return first_; }

 private:
  friend class PipeReader;  // its destructor drops what nobody has read

  Claim claim();
  void settle();
  void drop_pointers();
  void link(Chunk* chunk);
  void append_open(Chunk* chunk);

  PipeWords& words_;
  // tail_ and at_ apart: compilers copy neighbours (to mark_*) with one wide load, which would wait
  // until the stores of the message, at_ the last of them, have reached the cache.
  Chunk* tail_ = nullptr;
  char* limit_ = nullptr;
  char* at_ = nullptr;
  uint64_t written_ = 0;    ///< bytes, including the message being written
  uint64_t committed_ = 0;  ///< bytes of whole messages
  uint64_t published_ = 0;
  bool steady_ = false;    ///< as far as is known
  int awake_ = 0;          ///< publishes in a row that found the consumer awake
  uint64_t messages_ = 0;  ///< committed
  uint64_t seen_ = 0;      ///< consumed, as last read from credit
  int limit_messages_;
  bool pointers_ = false;  ///< write_pointer() has been used
  std::size_t chunk_size_ = kFirstChunk;
  Chunk* mark_chunk_ = nullptr;  ///< where the last commit ended
  char* mark_at_ = nullptr;
  Chunk* first_ = nullptr;  ///< start of the stream; the consumer picks it up with the first bytes
  Chunk* spare_ = nullptr;  ///< taken from PipeWords::spare

  static constexpr std::size_t kFirstChunk = 2 * 1024;
  static constexpr std::size_t kLastChunk = 64 * 1024;
  /// A barrier takes as long as some hundred exchanges, and interrupts the other threads that run.
  static constexpr int kSteadyFrom = 512;
  static constexpr uint64_t kSteadyBehind = 32;  ///< messages that the consumer has not read yet
};

/// A frame in the pipe.
struct Frame {
  uint8_t flags;
  const char* data;
  std::size_t size;
  Buffer* buffer;
};

/// The consumer's end. Only the holder of the token calls anything but recall().
class alignas(kCacheLine) PipeReader {
 public:
  PipeReader(PipeWords& words, PipeWriter& writer, int high_water_mark)
      : words_(words), writer_(writer) {
    set_high_water_mark(high_water_mark);
  }
  ~PipeReader();
  PipeReader(const PipeReader&) = delete;
  PipeReader& operator=(const PipeReader&) = delete;

  /// True when there are published bytes that have not been read.
  bool more() { return at_ != stop_ || go_on(); }
  /// Reads the next frame; only after more(), and within a message without asking again.
  /// The bytes stay valid until retire().
  Frame read() {
    (void)more();
    const wire::Header header = wire::read_header(at_);
    at_ += header.length;
    if (header.size) (void)more();  // a large body has a chunk of its own
    const char* data = at_;
    at_ += header.size;
    if (header.flags & wire::kPointer) return follow(header.flags, data);
    return {header.flags, data, static_cast<std::size_t>(header.size), buffer_};
  }
  /// The header of the next frame, and whatever of the stream lies in a row with it; only after
  /// more().
  std::string_view ahead() const { return {at_, static_cast<std::size_t>(stop_ - at_)}; }

  /// Of many pipes that are read in turn the processor does not foresee what comes next. Leaves
  /// the lines alone that the producer may be writing to.
  void prefetch() const {
    if (static_cast<std::size_t>(stop_ - at_) < 4 * kCacheLine) return;
    __builtin_prefetch(at_);
    __builtin_prefetch(at_ + kCacheLine);
  }
  /// Counts a message as consumed.
  void consumed(uint64_t messages = 1) { consumed_ += messages; }
  /// Frees the memory of what has been read.
  void retire() {
    if (follows_) drop_followed();
    if (at_ == stop_ && chunk_ && chunk_->full) leave_full();
    while (head_ != chunk_) retire_head();
  }
  /// Tells the producer of consumed messages, when it is worth it or `all`; true when the producer
  /// waits and must be notified.
  [[nodiscard]] bool release(bool all) {
    if (all ? consumed_ == released_ : consumed_ < due_) return false;
    return release_now();
  }

  enum class Sleep {
    asleep,    ///< the token is given up
    more,      ///< there are new bytes (or were), the caller still holds the token
    recalled,  ///< the caller must post the token to the consumer's thread
  };
  [[nodiscard]] Sleep sleep();

  /// Any thread of the consumer's side: asks for the token. True: the caller holds it now; else
  /// the present holder will post it to the consumer's mailbox.
  [[nodiscard]] bool recall();
  /// By the holder, once recalled.
  void clear_recall() { words_.token.fetch_and(~PipeWords::kRecall, std::memory_order_acq_rel); }

  void set_high_water_mark(int messages) {
    // Half the mark, as libzmq: a blocked producer goes on when half of the pipe is drained.
    step_ = messages > 0 ? (static_cast<uint64_t>(messages) + 1) / 2 : UINT64_MAX / 2;
    due_ = released_ + step_;
  }

  /// Where the consumer stands: raw bytes, for handing them to the kernel.
  struct Cursor {
    Chunk* chunk;
    std::size_t offset;
  };
  /// Only after more().
  Cursor cursor() const { return {chunk_, static_cast<std::size_t>(at_ - chunk_->data)}; }
  /// Bytes published, as last seen, and bytes read.
  uint64_t limit() const { return limit_; }
  uint64_t position() const { return stop_position_ - static_cast<uint64_t>(stop_ - at_); }
  /// Bytes published and not read, as of now.
  uint64_t unread() {
    look();
    return limit_ - position();
  }
  /// True when the producer has found the pipe full and nothing has been released since.
  bool producer_waits() const {
    return words_.credit.load(std::memory_order_relaxed) & PipeWords::kWaiting;
  }
  /// Moves over `bytes` raw bytes that lie before limit().
  void skip(uint64_t bytes);

 private:
  void look() { limit_ = words_.shown.load(std::memory_order_acquire); }
  bool go_on();
  void enter(Chunk* chunk);
  Frame follow(uint8_t flags, const char* record);
  void drop_followed();
  void leave_full();
  void retire_head();
  bool release_now();

  // What every message needs is in one line.
  const char* at_ = nullptr;
  const char* stop_ = nullptr;  ///< from at_ to here lie published bytes, in chunk_
  Buffer* buffer_ = nullptr;    ///< chunk_'s
  Chunk* chunk_ = nullptr;
  Chunk* head_ = nullptr;  ///< oldest chunk not freed
  uint64_t consumed_ = 0;
  uint64_t due_ = 0;      ///< what consumed_ has to reach for release(false)
  bool follows_ = false;  ///< followed_ is not empty

  uint64_t stop_position_ = 0;  ///< of stop_, in bytes of the stream
  uint64_t limit_ = 0;
  uint64_t released_ = 0;
  uint64_t step_ = 0;
  PipeWords& words_;
  PipeWriter& writer_;        ///< only for first(), which is set before the first publish
  Chunk* retired_ = nullptr;  ///< for PipeWords::spare, which gets them along with credit
  int retired_count_ = 0;
  std::vector<Buffer*> followed_;  ///< of pointers that were read, until retire()

  static constexpr int kMostRetired = 1024;
};

/// Both ends and the words. Created by one side, freed when both are done with it (Link).
struct Pipe {
  /// `asleep`: nobody holds the token at first; else the consumer's own thread does.
  Pipe(int high_water_mark, bool asleep)
      : writer(words, high_water_mark), reader(words, writer, high_water_mark) {
    words.token.store(asleep ? PipeWords::kAsleep : 0, std::memory_order_relaxed);
  }

  PipeWords words;
  alignas(kCacheLine) PipeWriter writer;
  PipeReader reader;
};

}  // namespace zerowire
