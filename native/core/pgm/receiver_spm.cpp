// What a receiver makes of SPMs. They are not authenticated: one packet alone can make it skip at
// most kMostJump packets, and what honest SPMs and data say next sets it right again.
#include "base/clock.hpp"
#include "pgm/receiver_state.hpp"

namespace zerowire::pgm {
namespace {

/// SPMs may overtake one another by so many, and be late by so much.
constexpr int32_t kMostOvertaken = 8;
constexpr int64_t kMostLate = 500 * kMillisecond;
/// At one every 500 ms more than what a session lives in silence.
constexpr int32_t kMostMissed = 4096;
constexpr uint32_t kRunMissing = 16;

/// How far an SPM may be away from what has been seen: ahead of it, or behind as it was overtaken.
constexpr int32_t kMostJump = 64 * 1024;
constexpr int32_t kMostBehind = 4096;

/// A source that began anew is asked for all that it has sent, if it is not more.
constexpr int32_t kMostAnew = 1024;

/// RFC 3208 says "no window" so; anything else that makes none is of no use either.
bool has_window(const Packet& packet) { return distance(packet.lead, packet.trail) >= -1; }

bool usable(const Nla& nla) {
  if (nla.afi != Nla::kIpv4 && nla.afi != Nla::kIpv6) return false;
  const bool multicast = nla.afi == Nla::kIpv4 ? nla.bytes[0] >= 224 : nla.bytes[0] == 0xff;
  bool any = false;
  for (std::size_t i = 0; i < nla.size(); ++i) any = any || nla.bytes[i];
  return any && !multicast;
}

}  // namespace

void Receiver::State::on_spm(int64_t now, const Packet& packet) {
  if (!has_window(packet)) {
    if (usable(packet.source)) nak_to = packet.source;
    return;
  }
  if (!joined) join(packet.lead + 1);
  if (!believe_spm(now, packet)) return;
  if (usable(packet.source)) nak_to = packet.source;
  if (packet.nak_backoff) repair.timing().announce(*packet.nak_backoff);
  spm_seen = true;
  spm_sequence = packet.sequence;
  spm_at = now;
  spm_run.end();
  spmr_due = kNever;
  delivery.claim(now, packet.lead);
  // An earlier SPM that said more was wrong.
  if (distance(packet.lead, delivery.data_lead()) < 0) {
    delivery.retract(delivery.data_lead());
  } else {
    delivery.retract(packet.lead);
  }
  delivery.trail(now, packet.trail);
  if (packet.fin) {
    fin = true;
    fin_lead = packet.lead;
  }
}

/// False: it changes nothing, because it is late or stands alone with what it says.
bool Receiver::State::believe_spm(int64_t now, const Packet& packet) {
  const int32_t order = distance(packet.sequence, spm_sequence);
  if (spm_seen) {
    if (order == 0) return false;
    if (order < 0 && order >= -kMostOvertaken && now - spm_at < kMostLate) return false;
  }
  const bool follows = !spm_seen || (order > 0 && order <= kMostMissed);
  if (follows && plausible(now, packet)) return true;
  if (spm_run.add(packet.sequence, kRunMissing) < 2) return false;
  contradict(now, packet);
  return true;
}

bool Receiver::State::plausible(int64_t now, const Packet& packet) const {
  const int32_t ahead = distance(packet.lead, delivery.data_lead());
  if (ahead < 0 && (ahead < -kMostBehind || now - progress_at >= kMostLate)) return false;
  return distance(packet.lead, delivery.lead()) <= kMostJump;
}

/// Several SPMs agree that the source is not where it seems to be.
void Receiver::State::contradict(int64_t now, const Packet& packet) {
  if (!data_seen) return join(packet.lead + 1);
  if (distance(packet.lead, delivery.data_lead()) >= 0) return;
  const bool follows = spm_seen && distance(packet.sequence, spm_sequence) > 0;
  if (follows && distance(packet.lead, delivery.next() - 1) >= 0) {
    // It is the data in hand that never existed.
    delivery.retract(packet.lead);
    return;
  }
  fin = false;
  delivery.restart(now, first_anew(packet, follows));
}

/// Where to go on when the source began anew, or everything of late was wrong. Nothing that it has
/// sent before may come again.
uint32_t Receiver::State::first_anew(const Packet& packet, bool follows) const {
  if (!follows && distance(packet.lead, packet.trail) < kMostAnew) return packet.trail;
  const int32_t refused = distance(packet.lead, data_run.first);
  if (data_run.count && refused >= 0 && refused < kMostAnew) return data_run.first;
  return packet.lead + 1;
}

}  // namespace zerowire::pgm
