#include "pgm/receiver.hpp"

#include <algorithm>
#include <cstring>

#include "base/clock.hpp"
#include "pgm/receiver_state.hpp"

namespace zerowire::pgm {
namespace {

constexpr int64_t kExpiry = 300'000 * kMillisecond;
/// An SPM is asked for when data comes without, as OpenPGM does; a few times, ever more rarely.
constexpr int64_t kSpmrWait = 25 * kMillisecond;
constexpr int64_t kSpmrSpread = 5 * kMillisecond;
constexpr int kMostSpmrs = 3;

/// A single packet so far ahead is taken for a forgery.
constexpr int32_t kMostJump = 64 * 1024;
/// A run of packets may miss so many between two of them.
constexpr uint32_t kRunMissing = 64;
/// Data that the source has sent already, one after the other, and nothing new for so long: the
/// source began anew.
constexpr int64_t kRestartAfter = 500 * kMillisecond;
/// What it has sent since is asked for if it is not more.
constexpr uint32_t kMostRun = 1024;

}  // namespace

Receiver::Receiver(const ReceiverConfig& config, int64_t now, Random& random, ReceiverSink& sink)
    : state_(std::make_unique<State>(config, now, random, sink)) {}
Receiver::~Receiver() = default;

uint32_t Receiver::next() const { return state_->delivery.next(); }
int64_t Receiver::last_heard() const { return state_->heard_at; }
const ReceiverStats& Receiver::stats() const { return state_->stats; }

bool Receiver::over(int64_t now) const {
  const State& s = *state_;
  if (now - s.heard_at >= kExpiry) return true;
  return s.fin && !s.delivery.owes() && distance(s.delivery.next(), s.fin_lead) > 0;
}

// --- Packets ----------------------------------------------------------------------------------

void Receiver::on_packet(int64_t now, const Packet& packet) {
  State& s = *state_;
  if (packet.type == Type::nak) {
    s.repair.on_foreign_nak(now, packet);
    return;
  }
  if (!packet.downstream()) return;
  s.heard_at = now;
  switch (packet.type) {
    case Type::odata:
    case Type::rdata:
      if (!packet.parity) s.on_data(now, packet);
      break;
    case Type::spm:
      s.on_spm(now, packet);
      break;
    case Type::ncf:
      if (packet.nak_backoff) s.repair.timing().announce(*packet.nak_backoff);
      s.repair.on_ncf(now, packet);
      break;
    default:
      break;
  }
}

void Receiver::State::on_data(int64_t now, const Packet& packet) {
  const uint32_t sequence = packet.sequence;
  const bool as_repair = packet.type == Type::rdata;
  if (!joined) {
    // A repair may be older than what its source has in hand.
    if (as_repair) return;
    join(sequence);
  }
  if (sequence != delivery.next() && outside(now, packet)) return;
  // A piece of an APDU is of no use alone: the sink finds out that nothing can be read.
  const std::string_view tsdu = packet.fragment ? std::string_view() : packet.tsdu;
  if (delivery.take(now, sequence, tsdu, as_repair)) {
    if (!data_seen && !spm_seen) {
      spmr_due = now + kSpmrWait + static_cast<int64_t>(random.below(kSpmrSpread));
    }
    data_seen = true;
    progress_at = now;
    data_run.end();
    if (fin && distance(sequence, fin_lead) > 0) fin = false;
    ++stats.data;
    stats.repaired += as_repair;
  } else {
    ++stats.duplicates;
  }
  on_data_trail(now, packet);
}

/// Only once the packet itself is in: it may be the last of the window.
void Receiver::State::on_data_trail(int64_t now, const Packet& packet) {
  const bool sound = packet.type == Type::odata ? distance(packet.trail, packet.sequence) <= 0
                                                : distance(packet.trail, delivery.lead() + 1) <= 0;
  if (sound) delivery.trail(now, packet.trail);
}

/// True for a packet that is not to be taken: older than the window, or far ahead of all.
bool Receiver::State::outside(int64_t now, const Packet& packet) {
  const uint32_t sequence = packet.sequence;
  if (sequence - delivery.next() > Delivery::kMostAhead) return before(now, packet);
  if (distance(sequence, delivery.lead()) <= kMostJump) return false;
  if (packet.type == Type::rdata) return true;
  if (data_run.add(sequence, kRunMissing) < 2) return true;
  // Where an SPM alone said that the source is, it is not.
  if (!data_seen) join(data_run.first);
  return false;
}

bool Receiver::State::before(int64_t now, const Packet& packet) {
  const bool as_repair = packet.type == Type::rdata;
  repair.again(packet.sequence, as_repair);
  const bool restarted = !as_repair && data_run.add(packet.sequence, kRunMissing) >= 2 &&
                         (!data_seen || now - progress_at >= kRestartAfter);
  if (!restarted) {
    ++stats.duplicates;
    return true;
  }
  const bool all = packet.sequence - data_run.first <= kMostRun;
  const uint32_t next = all ? data_run.first : packet.sequence;
  if (data_seen) {
    delivery.restart(now, next);
  } else {
    join(next);
  }
  spm_seen = fin = false;
  return false;
}

void Receiver::resume(int64_t now) { state_->delivery.resume(now); }

// --- Upstream ---------------------------------------------------------------------------------

std::size_t Receiver::poll(int64_t now, Upstream* out, std::size_t most) {
  State& s = *state_;
  s.repair.expire(now);
  s.delivery.pump();
  std::size_t count = 0;
  if (count < most && s.spmr_due <= now) count += s.ask_for_spm(now, out[count]);
  count += s.send_naks(now, out + count, most - count);
  if (count < most && s.repair.kick(now)) s.put_kick(out[count++]);
  return count;
}

int64_t Receiver::deadline() const { return std::min(state_->repair.deadline(), state_->spmr_due); }

bool Receiver::State::ask_for_spm(int64_t now, Upstream& out) {
  if (spm_seen || spmrs == kMostSpmrs) {
    spmr_due = kNever;
    return false;
  }
  ++spmrs;
  spmr_due = spmrs == kMostSpmrs ? kNever : now + (kSpmrWait << 2 * spmrs);
  out.route = Upstream::Route::both;
  out.to = nak_to;
  out.size = write_spmr(out.data, ports);
  return true;
}

std::size_t Receiver::State::send_naks(int64_t now, Upstream* out, std::size_t most) {
  std::size_t count = 0;
  Request request;
  while (count < most && repair.next(now, request)) {
    count += put_nak(request, out + count, most - count);
  }
  return count;
}

/// On the source's own machine a unicast NAK may end up in another process that shares the port,
/// so it goes to the group as well, without leaving the machine.
std::size_t Receiver::State::put_nak(const Request& request, Upstream* out, std::size_t most) {
  using Route = Upstream::Route;
  ++stats.naks;
  stats.requested += request.count;
  out[0].route = config.same_host ? Route::host : request.widely ? Route::both : Route::unicast;
  out[0].to = nak_to;
  out[0].size = write_nak(out[0].data, Type::nak, ports, nak_to, config.group, request.sequences,
                          request.count);
  if (!config.same_host || most < 2) return 1;
  out[1].route = request.widely ? Route::both : Route::unicast;
  out[1].to = nak_to;
  out[1].size = out[0].size;
  std::memcpy(out[1].data, out[0].data, out[0].size);
  return 2;
}

void Receiver::State::put_kick(Upstream& out) const {
  out.route = config.same_host ? Upstream::Route::host : Upstream::Route::unicast;
  out.to = nak_to;
  out.size = Kicks::kSize;
  std::memset(out.data, 0, Kicks::kSize);
}

}  // namespace zerowire::pgm
