#include "net/connection.hpp"

#include <sched.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "base/clock.hpp"
#include "pipe/control.hpp"

namespace zerowire {
namespace {

constexpr int kReadsPerRound = 8;
/// A reader that sleeps is woken for so many messages, or what a round brings: waking costs about
/// as much as reading 64 KiB.
constexpr uint64_t kWorthWaking = 256;
/// So much is sent before others get a turn.
constexpr uint64_t kTurn = 512 * 1024;
/// A connection that has just written so much is expected to go on at that rate.
constexpr uint64_t kStreaming = 4 * 1024;
constexpr uint64_t kGatherSize = 48 * 1024;
constexpr int64_t kGatherTime = 15'000;  // ns
constexpr int64_t kGatherLook = 4'000;   // ns
constexpr int kMostVain = 6;

/// Whether a socket's messages may be answers to those of its peers.
bool converses(SocketType type) {
  return type == SocketType::req || type == SocketType::rep || type == SocketType::dealer ||
         type == SocketType::router || type == SocketType::pair;
}

}  // namespace

// ---- mail -----------------------------------------------------------------------------------

void Connection::on_mail(End&, uint32_t todo) {
  if (ended_) return;
  if (todo & kToken) has_token_ = true;
  if (losing_) {
    if (todo & kClose) start_closing();
    if (has_token_) lost();
    return;
  }
  if (todo & kSubs) update_changes();
  if (todo & kClose) start_closing();
  if (ended_) return;
  if ((todo & kRoom) && engine_) {
    handle(engine_->resume(reactor_->now()));
    publish();
    do {
      if (hung_up_ && engine_) engine_->output().clear();  // nobody reads answers any more
      if (engine_ && !engine_->throttled()) receive();
    } while (hung_up_ && !losing_ && engine_ && !engine_->throttled() && fd_ >= 0);
  }
  if (ended_) return;
  send();
  settle();
}

void Connection::update_changes() {
  std::vector<SubscriptionChange> changes;
  {
    const std::lock_guard lock(shared_->subscriptions.mutex);
    changes.swap(link_->changes);
  }
  if (!engine_ || !engine_->ready()) return;  // the handshake will replay all of them
  for (const SubscriptionChange& change : changes) {
    engine_->subscription(change.subscribe, change.topic);
  }
}

// ---- receiving ------------------------------------------------------------------------------

void Connection::on_ready(unsigned ready) {
  if (ready & kOut) blocked_ = false;
  if ((ready & kHangup) && !(watched_ & kIn) && !half_closed_) {
    // Level triggered: it would be reported again and again while we do not want input.
    reactor_->poller().remove(fd_, this);
    in_poller_ = false;
    hung_up_ = true;
    if (closing_) return lost();
  } else if (ready & (kIn | kHangup)) {
    receive();
  }
  if (ended_ || fd_ < 0) return;
  send();
  settle();
  if (ready == kIn && in_poller_ && watched_ == kIn && reactor_->may_guess()) {
    reactor_->poller().favour(this);
  }
}

bool Connection::on_guess() {
  // Once only: the system has not been asked about others.
  if (closing_ || receive_once() == Read::nothing) return false;
  if (ended_ || fd_ < 0) return true;
  send();
  settle();
  return true;
}

void Connection::receive() {
  if (closing_ && up_) return discard_input();
  const uint64_t before = rx().writer.messages();
  holds_wake_ = true;
  for (int i = 0; i < kReadsPerRound; ++i) {
    if (receive_once() != Read::all) break;
    if (rx().writer.messages() - before >= kWorthWaking) wake();
  }
  wake();
}

void Connection::wake() {
  holds_wake_ = false;
  if (std::exchange(wake_due_, false)) link_->ends[0].notify(kToken);
}

Connection::Read Connection::receive_once() {
  iovec iov[2];
  const int count = engine_ ? engine_->prepare(iov) : 0;
  if (count == 0) {
    if (!engine_ || engine_->throttled() || !engine_->output().empty()) return Read::nothing;
    fail();  // out of memory
    return Read::some;
  }
  // One piece the short way: it saves the system a tenth of the call.
  const ssize_t got = count == 1 ? ::recv(fd_, iov[0].iov_base, iov[0].iov_len, MSG_DONTWAIT)
                                 : ::readv(fd_, iov, count);
  if (got <= 0) {
    if (got < 0 && errno == EINTR) return Read::all;
    if (got < 0 && errno == EAGAIN && !hung_up_) return Read::nothing;
    lost();
    return Read::some;
  }
  const std::size_t room = iov[0].iov_len + (count == 2 ? iov[1].iov_len : 0);
  handle(engine_->commit(static_cast<std::size_t>(got), reactor_->now()));
  publish();
  return engine_ && fd_ >= 0 && static_cast<std::size_t>(got) == room ? Read::all : Read::some;
}

/// The socket is closed: what the peer still sends is read and dropped, because closing a
/// descriptor with unread input would make the kernel drop our output too.
void Connection::discard_input() {
  char scratch[16 * 1024];
  for (int i = 0; i < kReadsPerRound; ++i) {
    const ssize_t got = ::read(fd_, scratch, sizeof scratch);
    if (got > 0) continue;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return;
    return lost();
  }
}

void Connection::handle(Engine::Outcome outcome) {
  if (outcome == Engine::Outcome::ready) handshake_done();
  if (outcome == Engine::Outcome::failed) fail();
}

void Connection::publish() {
  if (scratch_) keep_latest();
  if (!attached_ || rx().writer.publish() == Claim::none) return;
  wake_due_ = true;
  if (!holds_wake_) wake();
}

/// Of what was received only the newest message is left for the socket.
void Connection::keep_latest() {
  if (scratch_->writer.publish() == Claim::none && !scratch_->reader.more()) return;
  std::string frames;
  bool found = false;
  for (bool inside = false; scratch_->reader.more();) {
    const Frame frame = scratch_->reader.read();
    if (!inside) frames.clear();
    wire::append_frame(frames, frame.flags & wire::kMore, frame.data, frame.size);
    inside = frame.flags & wire::kMore;
    found = true;
  }
  scratch_->reader.retire();
  if (found) (void)control::put_latest(rx().writer, link_->latest[1], frames);
}

// ---- sending --------------------------------------------------------------------------------

void Connection::send() {
  if (fd_ < 0 || !engine_ || blocked_ || half_closed_) return;
  if (!engine_->ready()) {
    if (!flush_output()) lost();
    return;
  }
  if (!has_token_ && (engine_->output().empty() || !want_token())) return;
  if (link_->latest[0].on) return send_latest();
  drain_pipe();
}

/// The handshake's bytes, which do not mix with messages. False when the connection is broken.
bool Connection::flush_output() {
  std::string& output = engine_->output();
  while (!output.empty()) {
    const ssize_t sent = ::send(fd_, output.data(), output.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) {
      output.erase(0, static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN || errno == ENOBUFS) {
      blocked_ = true;
      return true;
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

void Connection::drain_pipe() {
  for (const uint64_t turn = tx().reader.position() + kTurn; tx().reader.position() < turn;) {
    const uint64_t before = tx().reader.position();
    const TxStream::Status status = link_->tx.drain(tx().reader, engine_->output());
    const bool drained = status == TxStream::Status::drained;
    const bool awaited = tx().reader.release(drained);
    if (awaited) link_->ends[0].notify(kRoom);
    if (status == TxStream::Status::failed) return lost();
    if (!drained) break;
    const bool stream = tx().reader.position() - before >= kStreaming;
    if (!reactor_->driven()) {
      // A sender that is producing right now gets the chance to add to the next write.
      sched_yield();
      if (stream && !reactor_->pending()) gather();
    } else if ((awaited || (stream && reactor_->streams())) && !closing_ && !tx().reader.more()) {
      // It goes on at once: until the next round the pipe stays awake.
      return link_->ends[1].notify(kGoOn);
    }
    if (!tx().reader.more() && (closing_ || give_up_token())) return;
    if (reactor_->pending()) return link_->ends[1].notify(kGoOn);  // others' turn
  }
  blocked_ = true;  // or others' turn: writability calls back
}

/// Waits for more of a stream, the less often the more often it was in vain.
void Connection::gather() {
  if (gather_pause_ > 0) {
    --gather_pause_;
  } else if (let_gather()) {
    gather_vain_ = 0;
  } else {
    gather_vain_ = std::min(gather_vain_ + 1, kMostVain);
    gather_pause_ = (1 << gather_vain_) - 1;
  }
}

/// A stream of small messages: waits a little for enough of them to be worth a call. Each look at
/// the pipe takes a cache line from its writer, so there are few. False: there were not enough.
bool Connection::let_gather() {
  const auto enough = [this] {
    return tx().reader.unread() >= kGatherSize || tx().reader.producer_waits();
  };
  int64_t look = now_ns();
  for (const int64_t until = look + kGatherTime; look < until;) {
    if (enough()) return true;
    look += kGatherLook;
    do {
      sched_yield();
    } while (now_ns() < look);
  }
  return enough();
}

/// Conflated output: takes the newest message when the one before is out.
void Connection::send_latest() {
  for (;;) {
    if (!flush_output()) return lost();
    if (blocked_) return;
    if (!tx().reader.more()) {
      if (closing_ || give_up_token()) return;
      continue;
    }
    tx().reader.read();
    tx().reader.retire();
    std::size_t size = 0;
    Buffer* frames = link_->latest[0].take(size);
    if (!frames) continue;
    engine_->output().append(frames->data(), size);
    frames->unref();
  }
}

/// False when there is more to send.
bool Connection::give_up_token() {
  if (recalling_) tx().reader.clear_recall();
  recalling_ = false;
  has_token_ = tx().reader.sleep() != PipeReader::Sleep::asleep;
  return !has_token_;
}

bool Connection::want_token() {
  if (has_token_) return true;
  if (recalling_) return false;
  recalling_ = true;
  has_token_ = tx().reader.recall();
  return has_token_;
}

// ---- after every event ----------------------------------------------------------------------

void Connection::settle() {
  if (converses(options_.type)) reactor_->talks();
  if (closing_ && !ended_) check_closing();
  if (ended_) return;
  watch();
  set_timer();
}

void Connection::watch() {
  if (fd_ < 0 || !in_poller_) return;
  unsigned wanted = blocked_ ? unsigned{kOut} : 0u;
  const bool stalled = engine_ && (engine_->throttled() || !engine_->output().empty());
  if (closing_ || !stalled) wanted |= kIn;
  if (wanted == watched_) return;
  watched_ = wanted;
  reactor_->poller().change(fd_, this, wanted);
}

void Connection::set_timer() {
  const int64_t engine = engine_ && !hung_up_ ? engine_->deadline() : kNever;
  reactor_->timers().set(*this, std::min(engine, close_by_));
}

void Connection::on_timer(int64_t now) {
  if (now >= close_by_) return end();
  if (engine_ && engine_->deadline() <= now) handle(engine_->on_timer(now));
  if (ended_) return;
  send();
  settle();
}

}  // namespace zerowire
