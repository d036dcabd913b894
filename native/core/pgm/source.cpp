#include "pgm/source.hpp"

#include <vector>

#include "pgm/control_queue.hpp"
#include "pgm/spm_schedule.hpp"

namespace zerowire::pgm {
namespace {

/// Idle time earns so much of the rate, at least two packets.
constexpr int64_t kBurst = kMillisecond;
/// What a late thread makes up for, and no more bytes than receivers' socket buffers may hold.
constexpr int64_t kCatchUp = 25 * kMillisecond;
constexpr uint64_t kCatchUpBytes = 2 * 1024 * 1024;
/// While data waits, the owner is woken for so much of the rate, not for every packet; and for two
/// of those that take no longer than a pair may wait.
constexpr int64_t kTurn = kMillisecond / 2;
constexpr int64_t kPair = 2 * kMillisecond;
/// Data that waits in here, as time of the rate and in packets. The rest stays in the pipe, where
/// the high-water mark counts it.
constexpr int64_t kWaiting = 10 * kMillisecond;
constexpr int64_t kLeastWaiting = 4;
constexpr int64_t kMostWaiting = 256;

/// NCFs for the same packets come no closer, NCFs at all not more often than so many in that time.
constexpr int64_t kConfirmGap = kMillisecond;
constexpr int kConfirmations = 64;
/// Room in the control queue that NCFs leave to SPMs.
constexpr std::size_t kSpmRoom = 4;
/// A repair is not repeated before, however fast or slow the network seems to be.
constexpr int64_t kLeastHoldOff = kMillisecond;
constexpr int64_t kMostHoldOff = 10 * kMillisecond;
/// How long nobody may ask for a repair before the source ends. The least covers a NAK of libzmq
/// that was lost: it comes again after 200 to 250 ms.
constexpr int64_t kLeastLinger = 300 * kMillisecond;
constexpr int64_t kMostLinger = 2000 * kMillisecond;

constexpr std::size_t kLeastTsdu = 3;
constexpr std::size_t kMostTsdu = UINT16_MAX - kDataHeaderSize;

SourceConfig checked(SourceConfig config) {
  config.max_tsdu = std::clamp(config.max_tsdu, kLeastTsdu, kMostTsdu);
  config.window = std::clamp<uint32_t>(config.window, 1, INT32_MAX / 2);
  config.recovery = std::max(config.recovery, kMillisecond);
  config.rate = std::max<uint64_t>(config.rate, 1);
  return config;
}

Rate make_rate(const SourceConfig& config, int64_t now) {
  const auto ns = [&](uint64_t bytes) {
    return static_cast<int64_t>(bytes * 1'000'000'000 / config.rate);
  };
  const int64_t packet = ns(config.max_tsdu + kDataHeaderSize + config.overhead);
  // One packet more passes than what has been earned.
  const int64_t burst = std::max(packet, kBurst - packet);
  return Rate(config.rate, burst, std::min(kCatchUp, ns(kCatchUpBytes)), now);
}

uint32_t fold(uint64_t sum) {
  while (sum >> 32) sum = (sum & UINT32_MAX) + (sum >> 32);
  return static_cast<uint32_t>(sum);
}

}  // namespace

struct Source::State {
  State(const SourceConfig& given, int64_t now)
      : config(checked(given)),
        ports{config.tsi.gsi, config.tsi.port, config.destination_port},
        window(config.first_sequence, config.max_tsdu + kDataHeaderSize,
               {config.window, config.most_bytes, config.recovery}),
        rate(make_rate(config, now)),
        spms(now),
        latest(now) {
    const int64_t packet = rate.cost(config.max_tsdu + kDataHeaderSize + config.overhead);
    most_waiting = static_cast<uint32_t>(
        std::clamp(kWaiting / std::max<int64_t>(packet, 1), kLeastWaiting, kMostWaiting));
  }

  bool repairs_wait() const { return next_repair != repairs.size(); }
  bool anything_waits() const { return !abandoned && (window.waiting() || repairs_wait()); }
  int64_t hold_off() const { return std::clamp(fastest_nak / 2, kLeastHoldOff, kMostHoldOff); }

  void on_nak(int64_t now, const Packet& packet);
  bool request(int64_t now, uint32_t sequence);
  void confirm(int64_t now, const uint32_t* sequences, std::size_t count);

  void write_spms(int64_t now);
  TxPacket* front_repair(uint32_t& sequence);
  std::string_view send_data(int64_t now);
  std::string_view send_repair(int64_t now, uint32_t sequence, TxPacket& packet);
  std::size_t send_paced(int64_t now, std::string_view* out, std::size_t most);
  int64_t paced_deadline() const;
  int64_t quiet_at() const;
  bool over(int64_t now) const;

  const SourceConfig config;
  const Ports ports;
  TxWindow window;
  Rate rate;
  SpmSchedule spms;
  ControlQueue control;
  SourceStats stats;
  int64_t latest;  ///< the latest time told

  uint32_t most_waiting;
  uint32_t next_spm = 0;

  std::vector<uint32_t> repairs;  ///< sequence numbers; those before next_repair are done
  std::size_t next_repair = 0;
  bool repairs_turn = true;

  int64_t confirmations_since = kLongAgo;
  int confirmations = 0;

  int64_t fastest_nak = kNever;  ///< between a packet and the first NAK for it
  int64_t slowest_nak = 0;       ///< between a packet's last transmission and a NAK for it
  int64_t last_nak = kLongAgo;
  int64_t last_data = kLongAgo;

  bool finishing = false;
  int64_t finishing_at = 0;
  bool fin = false;  ///< all data is out: SPMs say that it was all
  bool abandoned = false;
  bool done = false;
};

Source::Source(const SourceConfig& config, int64_t now)
    : state_(std::make_unique<State>(config, now)) {}
Source::~Source() = default;

const SourceStats& Source::stats() const { return state_->stats; }
std::size_t Source::waiting() const { return state_->window.waiting(); }

// --- Data -------------------------------------------------------------------------------------

char* Source::open(int64_t now) {
  State& s = *state_;
  s.latest = std::max(s.latest, now);
  if (s.finishing || s.window.waiting() >= s.most_waiting) return nullptr;
  char* memory = s.window.open();
  return memory ? memory + kDataHeaderSize : nullptr;
}

void Source::seal(std::size_t size) {
  State& s = *state_;
  if (!s.anything_waits()) s.rate.begin(s.latest);
  s.window.seal(size + kDataHeaderSize);
}

/// The TSDU is summed up only now: right after it was written, its bytes would be waited for.
std::string_view Source::State::send_data(int64_t now) {
  const uint32_t sequence = window.sent();
  TxPacket& packet = window.next();
  window.mark_sent(now);
  const std::size_t size = packet.size - kDataHeaderSize;
  packet.sum = fold(partial_sum(packet.data + kDataHeaderSize, size));
  write_data_header(packet.data, Type::odata, ports, sequence, window.trail(), size, packet.sum);
  last_data = now;
  ++stats.data;
  return {packet.data, packet.size};
}

// --- NAKs -------------------------------------------------------------------------------------

void Source::on_packet(int64_t now, const Packet& packet) {
  State& s = *state_;
  s.latest = std::max(s.latest, now);
  if (s.done || s.abandoned || packet.downstream() || !packet.of(s.config.tsi)) return;
  if (packet.type == Type::spmr) {
    s.spms.answer(now);
  } else if (packet.type == Type::nak && !packet.parity) {
    s.on_nak(now, packet);
  }
  // A NNAK says that somebody else repairs: nothing to do.
}

void Source::State::on_nak(int64_t now, const Packet& packet) {
  uint32_t sequences[kMaxNakList];
  std::size_t count = 0;
  const std::size_t listed = std::min(packet.listed(), kMaxNakList - 1);
  ++stats.naks;
  stats.requested += listed + 1;
  for (std::size_t i = 0; i <= listed; ++i) {
    const uint32_t sequence = i ? packet.listed(i - 1) : packet.sequence;
    if (request(now, sequence)) sequences[count++] = sequence;
  }
  if (count) {
    last_nak = now;
    confirm(now, sequences, count);
  }
  // Who gets an NCF waits for the repair. Who does not, and learns of the trail from an SPM at
  // once, knows that it is lost.
  if (count <= listed) {
    stats.refused += listed + 1 - count;
    spms.refuse(now);
  }
}

/// Queues a repair, unless one is on its way; false: the packet is not kept.
bool Source::State::request(int64_t now, uint32_t sequence) {
  TxPacket* packet = window.find(sequence);
  if (!packet) return false;
  if (packet->repaired_at == kLongAgo) {
    fastest_nak = std::min(fastest_nak, now - packet->sent_at);
  }
  slowest_nak = std::max(slowest_nak, now - std::max(packet->sent_at, packet->repaired_at));
  if (packet->queued || now - packet->repaired_at < hold_off()) return true;
  if (!anything_waits()) rate.begin(now);
  packet->queued = true;
  // What is done is thrown away before the queue would grow.
  if (repairs.size() == repairs.capacity() && next_repair > repairs.size() / 2) {
    repairs.erase(repairs.begin(), repairs.begin() + static_cast<std::ptrdiff_t>(next_repair));
    next_repair = 0;
  }
  repairs.push_back(sequence);
  return true;
}

/// An NCF with the NAK's list, at once, as routers and other receivers expect it.
void Source::State::confirm(int64_t now, const uint32_t* sequences, std::size_t count) {
  bool news = false;
  for (std::size_t i = 0; i < count; ++i) {
    news = news || now - window.find(sequences[i])->confirmed_at >= kConfirmGap;
  }
  if (now - confirmations_since >= kConfirmGap) {
    confirmations_since = now;
    confirmations = 0;
  }
  if (!news || confirmations == kConfirmations || control.room() <= kSpmRoom) return;
  ++confirmations;
  for (std::size_t i = 0; i < count; ++i) window.find(sequences[i])->confirmed_at = now;
  control.push(
      write_nak(control.next(), Type::ncf, ports, config.path, config.group, sequences, count));
}

/// The next repair; null: there is none.
TxPacket* Source::State::front_repair(uint32_t& sequence) {
  for (; repairs_wait(); ++next_repair) {
    sequence = repairs[next_repair];
    // It may have left the window while it waited.
    if (TxPacket* packet = window.find(sequence)) return packet;
  }
  repairs.clear();
  next_repair = 0;
  return nullptr;
}

std::string_view Source::State::send_repair(int64_t now, uint32_t sequence, TxPacket& packet) {
  ++next_repair;
  packet.queued = false;
  packet.repaired_at = now;
  // What is kept beyond the trail may be repaired, but no packet says of itself that it is gone.
  const uint32_t trail = distance(sequence, window.trail()) < 0 ? sequence : window.trail();
  write_data_header(packet.data, Type::rdata, ports, sequence, trail, packet.size - kDataHeaderSize,
                    packet.sum);
  ++stats.repairs;
  return {packet.data, packet.size};
}

// --- Sending ----------------------------------------------------------------------------------

std::size_t Source::poll(int64_t now, std::string_view* out, std::size_t most) {
  State& s = *state_;
  s.latest = std::max(s.latest, now);
  s.control.release();
  s.window.trim(now);
  if (s.finishing && !s.fin && !s.window.waiting()) {
    s.fin = true;
    s.spms.finish(now);
  }
  if (!s.fin && s.window.waiting() && s.rate.allows(now)) s.spms.before_data(now);
  s.write_spms(now);

  std::size_t count = 0;
  while (count < most && !s.control.empty()) out[count++] = s.control.take();
  if (!s.abandoned) count += s.send_paced(now, out + count, most - count);
  if (!s.anything_waits()) s.rate.end(now);
  if (s.over(now)) s.done = true;
  return count;
}

void Source::State::write_spms(int64_t now) {
  if (control.room() < kSpmRoom) return;
  for (int i = spms.take(now); i > 0; --i) {
    Spm spm;
    spm.sequence = next_spm++;
    spm.trail = window.trail();
    spm.lead = window.sent() - 1;
    spm.path = config.path;
    spm.fin = fin;
    control.push(write_spm(control.next(), ports, spm));
  }
}

/// Repairs and data in turn, as the rate allows.
std::size_t Source::State::send_paced(int64_t now, std::string_view* out, std::size_t most) {
  std::size_t count = 0;
  bool data = false;
  while (count < most && rate.allows(now)) {
    uint32_t sequence = 0;
    TxPacket* repair = front_repair(sequence);
    if (!repair && !window.waiting()) break;
    const bool repairs_now = repair && (repairs_turn || !window.waiting());
    repairs_turn = !repairs_now;
    data = data || !repairs_now;
    out[count] = repairs_now ? send_repair(now, sequence, *repair) : send_data(now);
    rate.spend(out[count++].size() + config.overhead, now);
  }
  if (data) spms.after_data(now);
  return count;
}

int64_t Source::State::paced_deadline() const {
  const std::size_t count = window.waiting() + (repairs.size() - next_repair);
  const int64_t packet =
      std::max<int64_t>(rate.cost(config.max_tsdu + kDataHeaderSize + config.overhead), 1);
  const auto turn =
      static_cast<std::size_t>(packet <= kPair ? std::max<int64_t>(kTurn / packet, 1) : 0);
  return rate.next() + packet * static_cast<int64_t>(std::min(count - 1, turn));
}

int64_t Source::deadline() const {
  const State& s = *state_;
  if (s.done) return kNever;
  int64_t at = s.spms.deadline();
  const bool fin_due = s.finishing && !s.fin && !s.window.waiting();
  if (!s.control.empty() || fin_due) at = s.latest;
  if (s.anything_waits()) {
    at = std::min(at, s.rate.next() <= s.latest ? s.latest : s.paced_deadline());
  } else if (s.fin) {
    at = std::min(at, s.quiet_at());
  }
  return std::max(at, s.latest);
}

// --- The end ----------------------------------------------------------------------------------

void Source::finish(int64_t now) {
  State& s = *state_;
  s.latest = std::max(s.latest, now);
  if (s.finishing) return;
  s.finishing = true;
  s.finishing_at = now;
}

void Source::abandon(int64_t now) {
  finish(now);
  State& s = *state_;
  s.abandoned = true;
  if (s.fin) return;
  s.fin = true;
  s.spms.finish(now);
}

/// When nobody has asked for a repair for long enough.
int64_t Source::State::quiet_at() const {
  if (abandoned) return finishing_at;
  const int64_t linger = std::clamp(2 * slowest_nak, kLeastLinger, kMostLinger);
  const int64_t quiet = std::max(last_nak, last_data) + linger;
  // Whoever goes on asking does not keep the source for ever.
  return std::min(quiet, finishing_at + std::max(config.recovery, linger));
}

bool Source::State::over(int64_t now) const {
  return done || (fin && control.empty() && !anything_waits() && now >= quiet_at());
}

bool Source::finished(int64_t now) const { return state_->over(now); }

}  // namespace zerowire::pgm
