#include "net/tx_stream.hpp"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>

namespace zerowire {
namespace {

constexpr int kMaxIov = 64;
/// One call writes at most this much.
constexpr uint64_t kMost = 2 * 1024 * 1024;
/// Before so much goes a small piece, so that the peer wakes up while the rest is being copied. The
/// rest is copied by the IO thread: systems tend to wake the peer up on the writer's processor,
/// where it would wait for the copy to end.
constexpr uint64_t kMuch = 128 * 1024;
constexpr uint64_t kPrelude = 8 * 1024;

ssize_t send_pieces(int fd, iovec* pieces, int count) {
  constexpr int kFlags = MSG_NOSIGNAL | MSG_DONTWAIT;
  if (count == 1) return ::send(fd, pieces->iov_base, pieces->iov_len, kFlags);  // cheaper
  msghdr header{};
  header.msg_iov = pieces;
  header.msg_iovlen = static_cast<std::size_t>(count);
  return ::sendmsg(fd, &header, kFlags);
}

/// Walks raw bytes of a pipe without consuming them.
struct Walker {
  Chunk* chunk;
  std::size_t offset;

  std::size_t run() {
    std::size_t end = chunk->end.load(std::memory_order_relaxed);
    while (offset == end) {
      chunk = chunk->next;
      offset = 0;
      end = chunk->end.load(std::memory_order_relaxed);
    }
    return end - offset;
  }
  void skip(uint64_t bytes) {
    while (bytes) {
      const uint64_t step = std::min<uint64_t>(bytes, run());
      offset += step;
      bytes -= step;
    }
  }
};

}  // namespace

void TxStream::attach(int to, PipeReader& pipe) {
  fd = to;
  if (between_messages()) return;
  account(pipe, rest_of_message(pipe));
  frame_left_ = 0;
  in_message_ = false;
}

uint64_t TxStream::rest_of_message(PipeReader& pipe) const {
  (void)pipe.more();
  const PipeReader::Cursor cursor = pipe.cursor();
  Walker walker{cursor.chunk, cursor.offset};
  uint64_t total = frame_left_;
  bool more = in_message_;
  if (frame_left_) {
    walker.skip(frame_left_);
    more = frame_flags_ & wire::kMore;
  }
  while (more) {
    walker.run();
    const wire::Header header = wire::read_header(walker.chunk->data + walker.offset);
    walker.skip(header.length + header.size);
    total += header.length + header.size;
    more = header.flags & wire::kMore;
  }
  return total;
}

void TxStream::begin_frame(PipeReader& pipe) {
  (void)pipe.more();
  const wire::Header header = wire::read_header(pipe.ahead().data());
  frame_flags_ = header.flags;
  frame_left_ = header.length + header.size;
}

void TxStream::end_frame(PipeReader& pipe) {
  in_message_ = frame_flags_ & wire::kMore;
  if (!in_message_) pipe.consumed();
}

/// Steps over the frames that lie within the next `bytes` as a whole, as far as the chunk goes.
/// Returns how many bytes they are.
uint64_t TxStream::account_whole(PipeReader& pipe, uint64_t bytes) {
  (void)pipe.more();
  const char* const from = pipe.ahead().data();
  const std::size_t most = std::min<uint64_t>(bytes, pipe.ahead().size());
  std::size_t done = 0;
  uint64_t messages = 0;
  while (most - done >= wire::kLongHeader) {
    const wire::Header header = wire::read_header(from + done);
    if (header.size > most - done - header.length) break;
    const std::size_t size = header.length + header.size;
    const uint64_t run = header.length == wire::kShortHeader
                             ? wire::run_of(from + done, size, from + most, UINT64_MAX)
                             : 1;
    done += run * size;
    in_message_ = header.flags & wire::kMore;
    if (!in_message_) messages += run;
  }
  pipe.skip(done);
  pipe.consumed(messages);
  return done;
}

void TxStream::account(PipeReader& pipe, uint64_t bytes) {
  while (bytes) {
    if (frame_left_ == 0) {
      bytes -= account_whole(pipe, bytes);
      if (bytes == 0) return;
      begin_frame(pipe);
    }
    const uint64_t step = std::min(bytes, frame_left_);
    pipe.skip(step);
    frame_left_ -= step;
    bytes -= step;
    if (frame_left_ == 0) end_frame(pipe);
  }
}

int TxStream::gather(PipeReader& pipe, uint64_t most, iovec* out, uint64_t& bytes) const {
  int count = 0;
  bytes = 0;
  if (!pipe.more()) return 0;
  const PipeReader::Cursor cursor = pipe.cursor();
  most = std::min(most, pipe.limit() - pipe.position());
  Walker walker{cursor.chunk, cursor.offset};
  while (bytes < most && count < kMaxIov) {
    const uint64_t run = std::min<uint64_t>(walker.run(), most - bytes);
    out[count++] = {walker.chunk->data + walker.offset, static_cast<std::size_t>(run)};
    walker.offset += run;
    bytes += run;
  }
  return count;
}

TxStream::Status TxStream::write(PipeReader& pipe, std::string* control, uint64_t most) {
  iovec iov[kMaxIov + 1];
  int first = 1;
  std::size_t ahead = 0;
  if (control && !control->empty()) {
    if (between_messages()) {
      iov[0] = {control->data(), control->size()};
      ahead = control->size();
      first = 0;
    } else {
      most = rest_of_message(pipe);
    }
  }
  uint64_t bytes = 0;
  const int count = gather(pipe, most, iov + 1, bytes) + (1 - first);
  if (count == 0) return Status::drained;
  const ssize_t sent = send_pieces(fd, iov + first, count);
  if (sent < 0) {
    if (errno == EINTR) return Status::drained;
    return errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM ? Status::blocked
                                                                  : Status::failed;
  }
  const auto written = static_cast<uint64_t>(sent);
  const std::size_t of_control = std::min<std::size_t>(ahead, written);
  if (of_control) control->erase(0, of_control);
  account(pipe, written - of_control);
  pipe.retire();
  return written < ahead + bytes ? Status::blocked : Status::drained;
}

bool TxStream::much(PipeReader& pipe) const { return between_messages() && pipe.unread() > kMuch; }

TxStream::Status TxStream::drain(PipeReader& pipe, std::string& control) {
  if (much(pipe)) {
    const Status begun = write(pipe, &control, kPrelude);
    if (begun != Status::drained) return begun;
  }
  Status status;
  do {
    status = write(pipe, &control, kMost);
  } while (status == Status::drained && !control.empty());
  return status;
}

TxStream::Status TxStream::drain_directly(PipeReader& pipe) {
  if (!much(pipe)) return write(pipe, nullptr, kMost);
  const Status begun = write(pipe, nullptr, kPrelude);
  return begun == Status::drained ? Status::blocked : begun;
}

}  // namespace zerowire
