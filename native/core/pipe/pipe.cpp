#include "pipe/pipe.hpp"

#include <algorithm>
#include <new>
#include <utility>

#include "base/membarrier.hpp"

namespace zerowire {

namespace {

/// The body of a frame with wire::kPointer; holds a reference to the buffer.
struct Pointer {
  const char* data;
  std::size_t size;
  Buffer* buffer;
};

Pointer load_pointer(const char* from) {
  Pointer pointer;
  std::memcpy(&pointer, from, sizeof pointer);
  return pointer;
}

void delete_all(Chunk* chunk) {
  while (chunk) delete std::exchange(chunk, chunk->next);
}

void destroy_all(Chunk* chunk) {
  while (chunk) Chunk::destroy(std::exchange(chunk, chunk->next));
}

}  // namespace

PipeWriter::~PipeWriter() {
  delete_all(spare_);  // the reader frees the chain
}

bool PipeWriter::room_or_wait() {
  while (!room()) {
    uint64_t seen = seen_ << 1;
    // Fails when credit has come meanwhile, or when WAITING is set already.
    if (words_.credit.compare_exchange_strong(seen, seen | PipeWords::kWaiting,
                                              std::memory_order_acq_rel,
                                              std::memory_order_acquire)) {
      return false;
    }
    if (seen == ((seen_ << 1) | PipeWords::kWaiting)) return false;
  }
  return true;
}

Claim PipeWriter::claim() {
  awake_ = 0;
  const uint32_t old = words_.token.fetch_and(~PipeWords::kAsleep, std::memory_order_acq_rel);
  if (!(old & PipeWords::kAsleep)) return Claim::none;  // a recall, or the consumer itself
  return (old & PipeWords::kRecall) ? Claim::recalled : Claim::claimed;
}

void PipeWriter::settle() {
  awake_ = 0;
  // Whose messages are awaited one by one is heard of sooner by an exchange.
  const uint64_t read = words_.credit.load(std::memory_order_relaxed) >> 1;
  uint32_t quiet = 0;
  steady_ = messages_ - read >= kSteadyBehind && membarrier_ready() &&
            words_.token.compare_exchange_strong(
                quiet, PipeWords::kSteady, std::memory_order_acq_rel, std::memory_order_relaxed);
}

Chunk* PipeWriter::create(std::size_t capacity) {
  Buffer* buffer = Buffer::create(capacity);
  Chunk* chunk = buffer ? wrap(buffer, buffer->data(), capacity) : nullptr;
  if (buffer && !chunk) buffer->unref();
  return chunk;
}

Chunk* PipeWriter::rest(char* from) {
  Chunk* chunk = wrap(tail_->buffer, from, static_cast<std::size_t>(limit_ - from));
  if (chunk) chunk->buffer->ref();
  return chunk;
}

Chunk* PipeWriter::wrap(Buffer* buffer, char* data, std::size_t capacity) {
  if (!spare_) spare_ = words_.spare.exchange(nullptr, std::memory_order_acquire);
  if (!spare_) return new (std::nothrow) Chunk(buffer, data, capacity);
  Chunk* chunk = std::exchange(spare_, spare_->next);
  return new (chunk) Chunk(buffer, data, capacity);
}

void PipeWriter::link(Chunk* chunk) {
  if (tail_) {
    tail_->next = chunk;
    tail_->end.store(static_cast<std::size_t>(at_ - tail_->data), std::memory_order_relaxed);
  } else {
    first_ = chunk;
  }
  tail_ = chunk;
}

bool PipeWriter::next_chunk(std::size_t need) {
  Chunk* chunk = create(std::max(need, chunk_size_));
  if (!chunk) return false;
  chunk_size_ = std::min(chunk_size_ * 2, kLastChunk);
  append_open(chunk);
  return true;
}

void PipeWriter::append_open(Chunk* chunk) {
  link(chunk);
  at_ = chunk->data;
  limit_ = chunk->data + chunk->capacity;
}

void PipeWriter::append_full(Chunk* full, std::size_t size, Chunk* open) {
  full->full = true;
  link(full);
  at_ = full->data + size;
  written_ += size;
  append_open(open);
}

bool PipeWriter::write_reference(uint8_t flags, const Part& part) {
  if (static_cast<std::size_t>(limit_ - at_) < wire::kLongHeader &&
      !next_chunk(wire::kLongHeader)) {
    return false;
  }
  // What is left behind the header takes the next frames.
  const std::size_t header = wire::header_size(part.size);
  Chunk* open = rest(at_ + header);
  Chunk* full = open ? wrap(part.buffer, const_cast<char*>(part.data), part.size) : nullptr;
  if (!full) {
    if (open) Chunk::destroy(open);
    return false;
  }
  part.buffer->ref();
  (void)wire::write_header(at_, flags, part.size);
  extend(header);
  append_full(full, part.size, open);
  return true;
}

bool PipeWriter::write_pointer(uint8_t flags, const Part& part) {
  const Pointer pointer{part.data, part.size, part.buffer};
  if (!write(flags | wire::kPointer, reinterpret_cast<const char*>(&pointer), sizeof pointer)) {
    return false;
  }
  part.buffer->ref();
  pointers_ = true;
  return true;
}

/// Of the frames since the last commit; a pipe with pointers has whole frames in its chunks.
void PipeWriter::drop_pointers() {
  const Chunk* chunk = mark_chunk_ ? mark_chunk_ : first_;
  const char* at = mark_chunk_ ? mark_at_ : chunk->data;
  for (uint64_t left = written_ - committed_; left > 0;) {
    if (static_cast<std::size_t>(at - chunk->data) == chunk->end.load(std::memory_order_relaxed)) {
      chunk = chunk->next;
      at = chunk->data;
      continue;
    }
    const wire::Header header = wire::read_header(at);
    if (header.flags & wire::kPointer) load_pointer(at + header.length).buffer->unref();
    at += header.length + header.size;
    left -= header.length + header.size;
  }
}

bool PipeWriter::append_shared(const Lane::Bytes& frames) {
  const bool follows =
      tail_ && tail_->shared && tail_->buffer == frames.buffer && at_ == frames.data;
  if (!follows) {
    Chunk* chunk = wrap(frames.buffer, frames.data, 0);
    if (!chunk) return false;
    frames.buffer->ref();
    chunk->shared = true;
    append_open(chunk);
  }
  extend(frames.size);
  limit_ = at_;  // what follows in the lane is not ours to write to
  return true;
}

void PipeWriter::rollback() {
  if (written_ == committed_) return;
  if (pointers_) drop_pointers();
  if (tail_ != mark_chunk_) {
    destroy_all(mark_chunk_ ? mark_chunk_->next : first_);
    tail_ = mark_chunk_;
    if (tail_) {
      tail_->next = nullptr;
      tail_->end.store(Chunk::kOpen, std::memory_order_relaxed);
    } else {
      first_ = nullptr;
    }
  }
  at_ = mark_at_;
  limit_ = tail_ && !tail_->shared ? tail_->data + tail_->capacity : at_;
  written_ = committed_;
}

PipeReader::~PipeReader() {
  if (writer_.pointers_) {
    writer_.rollback();
    (void)writer_.publish();
    while (more()) (void)read();
    drop_followed();
  }
  destroy_all(head_ ? head_ : writer_.first());
  delete_all(retired_);
  delete_all(words_.spare.load(std::memory_order_relaxed));
}

/// Finds the next bytes. False when there are none.
bool PipeReader::go_on() {
  if (limit_ == stop_position_) look();
  const uint64_t unread = limit_ - stop_position_;
  if (unread == 0) return false;
  if (!chunk_) enter(head_ = writer_.first());
  std::size_t end;
  // An open chunk has all bytes up to limit_: it would be sealed before any behind it came.
  while ((end = chunk_->end.load(std::memory_order_relaxed)) ==
         static_cast<std::size_t>(at_ - chunk_->data)) {
    enter(chunk_->next);
  }
  const std::size_t left = end - static_cast<std::size_t>(at_ - chunk_->data);
  const std::size_t run = std::min<uint64_t>(unread, left);
  stop_ = at_ + run;
  stop_position_ += run;
  return true;
}

void PipeReader::enter(Chunk* chunk) {
  chunk_ = chunk;
  at_ = stop_ = chunk->data;
  buffer_ = chunk->buffer;
}

/// If it has been read as a whole.
void PipeReader::leave_full() {
  const auto offset = static_cast<std::size_t>(at_ - chunk_->data);
  if (offset == chunk_->end.load(std::memory_order_relaxed)) enter(chunk_->next);
}

Frame PipeReader::follow(uint8_t flags, const char* record) {
  const Pointer pointer = load_pointer(record);
  followed_.push_back(pointer.buffer);
  follows_ = true;
  return {flags, pointer.data, pointer.size, pointer.buffer};
}

void PipeReader::drop_followed() {
  for (Buffer* buffer : followed_) buffer->unref();
  followed_.clear();
  follows_ = false;
}

void PipeReader::retire_head() {
  Chunk* chunk = head_;
  head_ = chunk->next;
  if (retired_count_ == kMostRetired) return Chunk::destroy(chunk);
  chunk->buffer->unref();
  chunk->next = std::exchange(retired_, chunk);
  ++retired_count_;
}

bool PipeReader::release_now() {
  released_ = consumed_;
  due_ = released_ + step_;
  Chunk* none = nullptr;
  if (retired_ && words_.spare.compare_exchange_strong(none, retired_, std::memory_order_release,
                                                       std::memory_order_relaxed)) {
    retired_ = nullptr;
    retired_count_ = 0;
  }
  const uint64_t old = words_.credit.exchange(consumed_ << 1, std::memory_order_acq_rel);
  return old & PipeWords::kWaiting;
}

PipeReader::Sleep PipeReader::sleep() {
  const uint64_t seen = position();
  uint32_t token = words_.token.load(std::memory_order_relaxed);
  do {
    if (token & PipeWords::kRecall) return Sleep::recalled;
    if (unread() > 0) return Sleep::more;
  } while (!words_.token.compare_exchange_weak(token, PipeWords::kAsleep, std::memory_order_seq_cst,
                                               std::memory_order_relaxed));
  // From here on the other fields may be somebody else's.
  if (token & PipeWords::kSteady) membarrier();
  if (words_.shown.load(std::memory_order_seq_cst) == seen) return Sleep::asleep;
  token = words_.token.fetch_and(~PipeWords::kAsleep, std::memory_order_acq_rel);
  if (!(token & PipeWords::kAsleep)) return Sleep::asleep;  // the producer's now, or a recall's
  return (token & PipeWords::kRecall) ? Sleep::recalled : Sleep::more;
}

bool PipeReader::recall() {
  const uint32_t old = words_.token.fetch_or(PipeWords::kRecall, std::memory_order_acq_rel);
  if (!(old & PipeWords::kAsleep)) return false;
  return words_.token.fetch_and(~PipeWords::kAsleep, std::memory_order_acq_rel) &
         PipeWords::kAsleep;
}

void PipeReader::skip(uint64_t bytes) {
  while (bytes && more()) {
    const uint64_t step = std::min<uint64_t>(bytes, ahead().size());
    at_ += step;
    bytes -= step;
  }
}

}  // namespace zerowire
