#include "zmtp/decoder.hpp"

#include <algorithm>

#include "zmtp/mechanism.hpp"

namespace zerowire {
namespace {

constexpr std::size_t kMaxChunk = 256 * 1024;
/// A body that does not fit the chunk gets memory of its own from this size on.
constexpr std::size_t kBodyFrom = 8 * 1024;
/// Read along with the end of a large body, so that the next header comes without a call.
constexpr std::size_t kAfterSize = 8 * 1024;
constexpr std::size_t kAfterChunk = 4 * kAfterSize;
constexpr uint64_t kMaxCommand = 64 * 1024;
/// RFC 23: the most significant bit of a size is zero.
constexpr uint64_t kMaxSize = UINT64_MAX >> 1;

}  // namespace

Decoder::~Decoder() {
  if (body_) Chunk::destroy(body_);
  if (after_) Chunk::destroy(after_);
  pipe_.rollback();
}

int Decoder::prepare(iovec (&out)[2]) {
  if (throttled_) return 0;
  if (!body_) {
    if (!make_room()) return 0;
    out[0] = {fill_, static_cast<std::size_t>(pipe_.limit() - fill_)};
    return 1;
  }
  if (body_have_ == body_->capacity && !grow_body()) return 0;
  out[0] = {body_->data + body_have_, body_->capacity - static_cast<std::size_t>(body_have_)};
  if (body_->capacity < body_size_) return 1;
  out[1] = {after_->data, std::min(after_->capacity, kAfterSize)};
  return 2;
}

/// Makes the frame being received fit, and leaves enough to make a read worth it.
bool Decoder::make_room() {
  const auto have = static_cast<std::size_t>(fill_ - pipe_.at());
  const auto room = static_cast<std::size_t>(pipe_.limit() - pipe_.at());
  if (room >= need_ && room - have >= chunk_size_ / 4) return true;
  if (filled_) chunk_size_ = std::min(chunk_size_ * 2, kMaxChunk);
  const char* partial = pipe_.at();
  if (!pipe_.next_chunk(std::max(need_ + need_ / 4, chunk_size_))) return false;
  if (have) std::memcpy(pipe_.at(), partial, have);
  fill_ = pipe_.at() + have;
  return true;
}

Decoder::Status Decoder::commit(std::size_t bytes) {
  if (!body_) {
    fill_ += bytes;
    filled_ = fill_ == pipe_.limit();
    return scan();
  }
  const std::size_t part = std::min(bytes, body_->capacity - static_cast<std::size_t>(body_have_));
  body_have_ += part;
  if (body_have_ < body_size_) return Status::ok;
  body_step_ = std::max(body_step_, body_size_);
  pipe_.append_full(body_, body_->capacity, after_);
  fill_ = pipe_.at() + (bytes - part);
  body_ = after_ = nullptr;
  finish_frame(body_flags_);
  return scan();
}

Decoder::Status Decoder::begin(const char* data, std::size_t size) {
  fill_ = pipe_.at();
  if (size == 0) return Status::ok;
  if (!pipe_.next_chunk(std::max(size, chunk_size_))) return Status::no_memory;
  std::memcpy(pipe_.at(), data, size);
  fill_ = pipe_.at() + size;
  return scan();
}

Decoder::Status Decoder::resume() {
  throttled_ = false;
  return body_ ? Status::ok : scan();
}

/// Takes complete frames off the received bytes. Commands leave holes, so what follows is moved
/// down over them: each frame at most once.
Decoder::Status Decoder::scan() {
  char* from = pipe_.at();
  Status status = Status::ok;
  bool complete = true;
  need_ = wire::kLongHeader;
  while (status == Status::ok && complete && !body_ && from != fill_) {
    if (parts_ == 0 && !pipe_.room() && !pipe_.room_or_wait()) {
      throttled_ = true;
      break;
    }
    if (!take_short(from)) status = take_frame(from, complete);
  }
  if (!body_ && from != pipe_.at()) {
    const auto left = static_cast<std::size_t>(fill_ - from);
    std::memmove(pipe_.at(), from, left);
    fill_ = pipe_.at() + left;
  }
  return status;
}

/// Messages of one short frame, as far as they follow each other: what most streams are made of.
bool Decoder::take_short(char*& from) {
  if (parts_ > 0 || from != pipe_.at() || !allowed(UINT8_MAX)) return false;
  char* at = from;
  uint64_t messages = 0;
  for (const uint64_t most = pipe_.free(); messages < most && at != fill_;) {
    if (at[0] != 0 || fill_ - at < 2) break;
    const std::size_t size = wire::kShortHeader + static_cast<uint8_t>(at[1]);
    if (static_cast<std::size_t>(fill_ - at) < size) break;
    const uint64_t run = wire::run_of(at, size, fill_, most - messages);
    messages += run;
    at += run * size;
  }
  if (messages == 0) return false;
  pipe_.extend(static_cast<std::size_t>(at - from));
  pipe_.commit(messages);
  from = at;
  return true;
}

Decoder::Status Decoder::take_frame(char*& from, bool& complete) {
  const auto have = static_cast<std::size_t>(fill_ - from);
  const auto flags = static_cast<uint8_t>(from[0]);
  if (flags & wire::kReserved) return Status::malformed;
  complete = have >= ((flags & wire::kLong) ? wire::kLongHeader : wire::kShortHeader);
  if (!complete) return Status::ok;
  const wire::Header header = wire::read_header(from);
  if (header.size > kMaxSize) return Status::malformed;
  if (flags & wire::kCommand) {
    if ((flags & wire::kMore) || header.size > kMaxCommand) return Status::malformed;
  } else if (!allowed(header.size)) {
    return Status::too_large;
  }
  const uint64_t total = header.length + header.size;
  if (have < total) {
    const auto room = static_cast<std::size_t>(pipe_.limit() - pipe_.at());
    if (!(flags & wire::kCommand) && header.size >= kBodyFrom && room < total) {
      return begin_body(header, from);
    }
    need_ = static_cast<std::size_t>(total);
    complete = false;
    return Status::ok;
  }
  if (flags & wire::kCommand) return take_command(header, from);
  count(header.size);
  keep_frame(from, static_cast<std::size_t>(total), flags);
  return Status::ok;
}

/// As soon as a part's size is known, whether it has come or not.
bool Decoder::allowed(uint64_t size) const {
  return size <= limits_.frame && parts_ < limits_.parts && size <= limits_.message - bytes_;
}

void Decoder::count(uint64_t size) {
  bytes_ += size;
  ++parts_;
}

void Decoder::keep_frame(char*& from, std::size_t size, uint8_t flags) {
  if (from != pipe_.at()) std::memmove(pipe_.at(), from, size);
  from += size;
  pipe_.extend(size);
  finish_frame(flags);
}

void Decoder::finish_frame(uint8_t flags) {
  if (flags & wire::kMore) return;
  pipe_.commit();
  parts_ = 0;
  bytes_ = 0;
}

Decoder::Status Decoder::take_command(const wire::Header& header, char*& from) {
  const char* body = from + header.length;
  const auto size = static_cast<std::size_t>(header.size);
  std::string_view name, data;
  if (!split_command({body, size}, name, data)) return Status::malformed;
  if (keep_subscriptions_ && parts_ == 0 && (name == "SUBSCRIBE" || name == "CANCEL")) {
    keep_frame(from, header.length + size, header.flags);
    return Status::ok;
  }
  from += header.length + size;
  return sink_.on_command(name, data) ? Status::ok : Status::malformed;
}

Decoder::Status Decoder::begin_body(const wire::Header& header, char* from) {
  count(header.size);
  const char* received = from + header.length;
  const auto have = static_cast<std::size_t>(fill_ - received);
  const auto capacity = static_cast<std::size_t>(std::min(header.size, body_step_));
  Buffer* buffer = Buffer::create_growable(capacity);
  body_ = buffer ? pipe_.wrap(buffer, buffer->data(), capacity) : nullptr;
  if (buffer && !body_) buffer->unref();
  if (!body_) return Status::no_memory;
  std::memcpy(body_->data, received, have);
  if (from != pipe_.at()) std::memmove(pipe_.at(), from, header.length);
  pipe_.extend(header.length);
  fill_ = pipe_.at();
  // Behind a body it goes on in the rest of the present chunk, while that is worth it.
  const auto left = static_cast<std::size_t>(pipe_.limit() - pipe_.at());
  after_ = left < kAfterSize ? pipe_.create(kAfterChunk) : pipe_.rest(pipe_.at());
  if (!after_) return Status::no_memory;
  body_size_ = header.size;
  body_have_ = have;
  body_flags_ = header.flags;
  return Status::ok;
}

bool Decoder::grow_body() {
  const uint64_t capacity = std::min(body_size_, uint64_t{body_->capacity} * 2);
  if (capacity > SIZE_MAX || !body_->buffer->resize(static_cast<std::size_t>(capacity)))
    return false;
  body_->data = body_->buffer->data();
  body_->capacity = static_cast<std::size_t>(capacity);
  return true;
}

}  // namespace zerowire
