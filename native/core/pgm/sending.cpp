#include "pgm/sending.hpp"

#include <sys/random.h>

#include <algorithm>

#include "pipe/control.hpp"

namespace zerowire::pgm {
namespace {

/// OpenPGM leaves room for an OPT_FRAGMENT that it never sends; receivers' buffers are as large.
constexpr std::size_t kFragmentRoom = 20;
/// After so many rounds others get a turn.
constexpr int kRounds = 16;

Tsi random_tsi(uint16_t not_port) {
  Tsi tsi;
  do {
    (void)!::getrandom(tsi.gsi.data(), tsi.gsi.size(), 0);
    (void)!::getrandom(&tsi.port, sizeof tsi.port, 0);
  } while (tsi.port == 0 || tsi.port == not_port);
  return tsi;
}

std::size_t max_tsdu(const SessionParts& parts) {
  const std::size_t headers = parts.port.overhead() + kDataHeaderSize + kFragmentRoom;
  return static_cast<std::size_t>(parts.options.multicast_max_tpdu) - headers;
}

/// Packets kept as libzmq would: its receivers stop for good when asked to keep more.
uint32_t window(const SocketOptions& options) {
  const uint64_t per_ms = static_cast<uint64_t>(options.rate) / 8;
  const uint64_t bytes = static_cast<uint64_t>(options.recovery_interval) * per_ms;
  const uint64_t packets = bytes / static_cast<uint64_t>(options.multicast_max_tpdu);
  return static_cast<uint32_t>(std::clamp<uint64_t>(packets, 1, INT32_MAX / 2));
}

SourceConfig config(const SessionParts& parts, const Tsi& tsi) {
  SourceConfig config;
  config.tsi = tsi;
  config.destination_port = parts.endpoint.port;
  config.path = to_nla(parts.network.interface);
  config.group = to_nla(parts.network.send);
  config.max_tsdu = max_tsdu(parts);
  config.overhead = parts.port.overhead();
  config.rate = bytes_per_second(parts.options);
  config.recovery = parts.options.recovery_interval * kMillisecond;
  config.window = window(parts.options);
  return config;
}

}  // namespace

Sending::Sending(const SessionParts& parts, int64_t now, PipeState& state)
    : parts_(parts),
      state_(state),
      tsi_(random_tsi(parts.endpoint.port)),
      max_tsdu_(max_tsdu(parts)),
      source_(config(parts, tsi_), now) {}

Sending::~Sending() {
  state_.inside = state_.inside || (framing_ ? more_ : in_message_);
  if (framing_ && !more_ && !latest_) pipe().consumed();  // it has been read, but is not sent
  if (latest_) latest_->unref();
}

void Sending::on_datagram(int64_t now, const Received& received, const Packet& packet) {
  if (packet.of(tsi_)) return source_.on_packet(now, packet);
  // We hear all that is sent to our address and the port, for other sources of this machine too.
  if (received.group.afi == 0 && !packet.downstream()) relay(received.packet, packet.group);
}

void Sending::on_kick(const Received& received) {
  if (received.group.afi == 0) relay(received.packet, {});
}

/// To the group of the source it is meant for, if it says so.
void Sending::relay(std::string_view packet, const Nla& group) {
  const Nla ours = to_nla(parts_.network.send);
  const bool usable = group.afi == ours.afi && group.multicast();
  parts_.port.send_group(packet, usable ? group : ours, Port::Reach::host);
}

void Sending::work(int64_t now) {
  again_ = false;
  if (blocked() && !transmit(now)) return;
  int rounds = kRounds;
  while (rounds > 0 && take_and_send(now)) --rounds;
  if (blocked() || source_.waiting() > 0) return;
  again_ = rounds == 0 || !give_up_token();
  if (again_ || !finishing_ || said_goodbye_) return;
  said_goodbye_ = true;
  source_.finish(now);
  (void)transmit(now);
}

void Sending::abandon(int64_t now) {
  source_.abandon(now);
  (void)transmit(now);
}

/// False when something waits to be packed.
bool Sending::give_up_token() {
  if (framing_ || partly_filled() || latest_at_ != latest_end_) return false;
  if (state_.has_token) state_.has_token = pipe().sleep() != PipeReader::Sleep::asleep;
  return !state_.has_token;
}

/// False when there is nothing more to do now.
bool Sending::take_and_send(int64_t now) {
  const bool more = pack(now);
  release();
  if (!transmit(now)) return false;
  if (source_.waiting() > 0) return false;  // the rate allows no more
  if (more) return !starved_;
  // What does not fill a packet goes out when nothing else waits.
  if (!partly_filled()) return false;
  seal();
  return true;
}

/// From the pipe into packets. True when there is more.
bool Sending::pack(int64_t now) {
  for (;;) {
    if (!framing_ && !next_frame()) return false;
    if (!writer_.is_open()) {
      char* tsdu = source_.open(now);
      starved_ = !tsdu && source_.waiting() == 0;
      if (!tsdu) return true;
      writer_.open(tsdu, max_tsdu_);
    }
    if (writer_.put_rest()) end_frame();
    if (framing_ || writer_.full()) seal();
  }
}

/// Begins the next frame; false when there is none.
bool Sending::next_frame() {
  for (;;) {
    if (next_latest()) return true;
    if (!state_.has_token || !pipe().more()) return false;
    const Frame frame = pipe().read();
    if (frame.flags & wire::kControl) {
      std::size_t size = 0;
      if (latest_) latest_->unref();
      latest_ = parts_.link.latest[0].take(size);
      latest_at_ = latest_ ? latest_->data() : nullptr;
      latest_end_ = latest_at_ + size;
      pipe().retire();
      continue;
    }
    const bool more = frame.flags & wire::kMore;
    if (!state_.inside) {
      take_frame(frame.data, frame.size, more);
      return true;
    }
    state_.inside = more;
    if (!more) pipe().consumed();
  }
}

bool Sending::next_latest() {
  if (latest_at_ == latest_end_) return false;
  const wire::Header header = wire::read_header(latest_at_);
  const char* data = latest_at_ + header.length;
  latest_at_ = data + header.size;
  take_frame(data, static_cast<std::size_t>(header.size), header.flags & wire::kMore);
  return true;
}

void Sending::take_frame(const char* data, std::size_t size, bool more) {
  framing_ = true;
  more_ = more;
  writer_.begin(data, size, more);
}

void Sending::end_frame() {
  framing_ = false;
  in_message_ = more_;
  if (!more_ && !latest_) pipe().consumed();
}

void Sending::seal() { source_.seal(writer_.close()); }

/// False when the kernel takes no more.
bool Sending::transmit(int64_t now) {
  for (;;) {
    if (next_ == count_) {
      next_ = 0;
      count_ = source_.poll(now, packets_, kBatch);
      if (count_ == 0) return true;
    }
    next_ += parts_.port.send(packets_ + next_, count_ - next_);
    if (next_ < count_) return false;
  }
}

void Sending::release() {
  if (framing_ || !state_.has_token) return;  // the frame's bytes are still used
  pipe().retire();
  if (pipe().release(!pipe().more())) parts_.link.ends[0].notify(kRoom);
}

int64_t Sending::deadline(int64_t now) {
  if (blocked()) return kNever;
  if (starved_) return now + kMillisecond;
  return again_ ? now + 1 : source_.deadline();  // others first
}

}  // namespace zerowire::pgm
