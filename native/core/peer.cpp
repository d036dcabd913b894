#include "peer.hpp"

#include "base/clock.hpp"
#include "pipe/control.hpp"
#include "socket_core.hpp"

namespace zerowire {
namespace {

/// A connection that was written to a moment ago is busy: then collecting messages for the IO
/// thread is worth more than sending this one at once.
constexpr int64_t kDirectPause = 5'000;  // ns
/// So it is with one that had more than this to send since it was last empty: the next message is
/// taken for the first of a burst, and one write of an IO thread for all costs less than two.
constexpr uint64_t kLone = 1;

bool is_latest(const Frame& frame) {
  return frame.data[0] == static_cast<char>(control::Kind::latest);
}

}  // namespace

Peer::Peer(SocketCore& socket, End& end, Kind kind)
    : in_(end.reads().reader),
      out_(end.writes().writer),
      puts_(end.puts()),
      socket_(socket),
      end_(end),
      kind_(kind) {}

Peer::~Peer() {
  disconnect();
  if (kind_ == Kind::inproc) say_goodbye();
  drop_latest();
  end_.owner = nullptr;
  end_.link().unref();
}

void Peer::frame(const Part& part, bool more) {
  const uint8_t flags = more ? wire::kMore : 0;
  if (puts_.on) {
    return wire::append_frame(frames_, flags, part.data, part.size);
  }
  const bool ok = part.buffer && part.size >= kReferenceFrom
                      ? refer(flags, part)
                      : out_.write(flags, part.data, part.size);
  failed_ |= !ok;
}

bool Peer::refer(uint8_t flags, const Part& part) {
  return kind_ == Kind::inproc ? out_.write_pointer(flags, part)
                               : out_.write_reference(flags, part);
}

bool Peer::finish(bool direct) {
  if (puts_.on) return finish_latest();
  if (failed_) {
    failed_ = false;
    out_.rollback();
    return false;
  }
  out_.commit();
  if (socket_.corked()) {
    socket_.collect(*this);
  } else {
    flush(direct ? By::caller_one : By::thread);
  }
  return true;
}

bool Peer::finish_latest() {
  const bool ok = control::put_latest(out_, puts_, frames_);
  flush(By::thread);
  frames_.clear();
  return ok;
}

[[gnu::flatten]] bool Peer::write(std::span<const Part> parts, bool direct) {
  for (std::size_t i = 0; i < parts.size(); ++i) frame(parts[i], i + 1 < parts.size());
  return finish(direct);
}

void Peer::write_command(std::string_view name, std::string_view data) {
  std::string body(1, static_cast<char>(name.size()));
  body.append(name).append(data);
  if (out_.write(wire::kCommand, body.data(), body.size())) out_.commit();
  flush(By::thread);
}

void Peer::flush(By whom) {
  const Claim claim = out_.publish();
  if (claim == Claim::none) return;
  if (claim == Claim::claimed && whom != By::thread && kind_ != Kind::inproc) {
    return send_directly(whom);
  }
  end_.other().notify(kToken);
}

/// Holding the token: writes to the descriptor from here, if that is allowed and wise.
void Peer::send_directly(By whom) {
  TxStream& tx = link().tx;
  End& connection = end_.other();
  const bool burst = whom == By::caller_one && out_.messages() - claimed_ > kLone;
  claimed_ = out_.messages();
  if (!tx.direct || burst || now_ns() - tx.last_direct_end < kDirectPause) {
    return connection.notify(kToken);
  }
  PipeReader& pipe = end_.writes().reader;
  const TxStream::Status status = tx.drain_directly(pipe);
  if (pipe.release(true)) end_.notify(kRoom);
  tx.last_direct_end = now_ns();
  if (status != TxStream::Status::drained || pipe.sleep() != PipeReader::Sleep::asleep) {
    connection.notify(kToken);
  }
}

bool Peer::rest() {
  holds_token_ = in_.sleep() != PipeReader::Sleep::asleep;
  return !holds_token_;
}

Peer::Read Peer::nothing() {
  if (in_.release(true)) end_.other().notify(kRoom);
  return Read::none;
}

[[gnu::flatten]] Peer::Read Peer::read(Inbound& message) {
  for (;;) {
    if (!in_.more()) return nothing();
    Frame frame = in_.read();
    if (frame.flags & wire::kControl) {
      if (is_latest(frame)) {
        if (read_latest(message)) return Read::message;
        continue;
      }
      if (!control(frame)) return Read::ended;
      if (waiting) return Read::none;
      continue;
    }
    command_ = frame.flags & wire::kCommand;
    message.frames.push_back({frame.data, frame.size, frame.buffer});
    while (frame.flags & wire::kMore) {
      frame = in_.read();
      message.frames.push_back({frame.data, frame.size, frame.buffer});
    }
    in_.consumed();
    in_.prefetch();
    return Read::message;
  }
}

[[gnu::flatten]] bool Peer::read_plain(Message& message) {
  retire();
  // Nothing special about it, a whole message of its own.
  if (!in_.more() || in_.ahead()[0] & ~wire::kLong) return false;
  const Frame frame = in_.read();
  message.assign(frame.data, frame.size, frame.buffer, false);
  in_.consumed();
  in_.prefetch();
  return true;
}

Peer::Read Peer::peek() {
  for (;;) {
    if (!in_.more()) return nothing();
    const std::string_view ahead = in_.ahead();
    if (!(ahead[0] & wire::kControl)) return Read::message;
    if (ahead[wire::kShortHeader] == static_cast<char>(control::Kind::latest)) {
      return Read::message;
    }
    if (!control(in_.read())) return Read::ended;
    if (waiting) return Read::none;
  }
}

/// False when it has been taken already.
bool Peer::read_latest(Inbound& message) {
  drop_latest();
  std::size_t size = 0;
  latest_ = end_.takes().take(size);
  if (!latest_) return false;
  for (const char* at = latest_->data(); at < latest_->data() + size;) {
    const wire::Header header = wire::read_header(at);
    at += header.length;
    message.frames.push_back({at, static_cast<std::size_t>(header.size), latest_});
    at += header.size;
  }
  return true;
}

void Peer::drop_latest() {
  if (latest_) latest_->unref();
  latest_ = nullptr;
}

/// False at the end of the stream.
bool Peer::control(const Frame& frame) {
  const control::Record record = control::read(frame);
  if (record.kind == control::Kind::end) {
    open_ = false;
    return false;
  }
  // A connection that came and went before anybody looked has not been taken down yet.
  if (up) socket_.peer_down(*this);
  losses = record.losses;
  if (record.conflate) puts_.on = true;
  socket_.peer_up(*this, record.routing_id);
  if (record.mark >= 0) {
    out_.set_high_water_mark(record.mark);
    socket_.peer_writable(*this);
  }
  return true;
}

void Peer::on_mail(End&, uint32_t todo) {
  if (todo & kDown) {
    if (up && link().losses.load(std::memory_order_acquire) > losses) socket_.peer_down(*this);
  }
  if (todo & kToken) take_token();
  if (todo & (kGone | kClose)) {
    open_ = false;
    socket_.peer_gone(*this);
  }
  if (todo & kRoom) socket_.peer_writable(*this);
}

/// Deals with control records at once: a socket that only sends has to hear of them too.
void Peer::take_token() {
  holds_token_ = true;
  Read found = Read::none;
  while (!waiting && found == Read::none) {
    found = peek();
    if (found == Read::none && rest()) return;
  }
  if (found == Read::message) socket_.peer_readable(*this);
  if (found == Read::ended) socket_.remove(*this);
}

void Peer::disconnect() {
  if (!open_) return;
  flush(By::thread);  // nothing may be sent from here once the connection has been told to close
  open_ = false;
  if (kind_ == Kind::inproc)
    say_goodbye();
  else
    end_.other().notify(kClose);
}

void Peer::refuse() {
  disconnect();
  end_.owner = nullptr;
}

void Peer::say_goodbye() {
  if (told_) return;
  told_ = true;
  control::write_plain(out_, control::Kind::end);
  flush(By::thread);
  end_.other().notify(kGone);
}

}  // namespace zerowire
