#include "simulated_hosts.hpp"

#include <algorithm>
#include <cstring>

namespace zerowire::test {

using namespace pgm;

namespace {

constexpr int kGuard = 10'000;

/// The number of a message, which its first part begins with.
uint64_t number_of(std::string_view part) {
  uint64_t number = 0;
  if (part.size() >= sizeof number) std::memcpy(&number, part.data(), sizeof number);
  return number;
}

}  // namespace

Nla address_of(int node) {
  Nla address;
  address.afi = Nla::kIpv4;
  address.bytes = {10, 0, 0, static_cast<uint8_t>(node + 1)};
  return address;
}

int node_of(const Nla& address) { return address.bytes[3] - 1; }

// --- Packing ----------------------------------------------------------------------------------

void Packer::add(std::vector<std::string> parts, int64_t due) {
  const uint64_t number = log_.messages.size();
  if (parts[0].size() < sizeof number) parts[0].resize(sizeof number);
  std::memcpy(parts[0].data(), &number, sizeof number);
  log_.messages.push_back({std::move(parts), due, 0, 0});
}

std::size_t Packer::fill(int64_t now, char* tsdu, std::size_t capacity) {
  writer_.open(tsdu, capacity);
  while (due(now) && !writer_.full()) {
    SentLog::Message& message = log_.messages[next_];
    if (!begun_) {
      if (part_ == 0) message.first = log_.next_sequence();
      const std::string& part = message.parts[part_];
      writer_.begin(part.data(), part.size(), part_ + 1 < message.parts.size());
      begun_ = true;
    }
    if (!writer_.put_rest()) break;
    begun_ = false;
    if (++part_ < message.parts.size()) continue;
    message.last = log_.next_sequence();
    part_ = 0;
    ++next_;
  }
  const std::size_t size = writer_.close();
  if (size) log_.tsdus.emplace_back(tsdu, size);
  return size;
}

void RateMeter::count(int64_t now, std::size_t bytes) {
  level = std::max(0.0, level - rate * static_cast<double>(now - last) / 1e9);
  last = now;
  level += static_cast<double>(bytes);
  highest = std::max(highest, level);
}

// --- A source ---------------------------------------------------------------------------------

SourceHost::SourceHost(SimulatedNetwork& network, const SourceConfig& config)
    : network_(network), config_([&] {
        SourceConfig mine = config;
        id = network.add(this);
        mine.path = address_of(id);
        return mine;
      }()) {
  log.tsi = config.tsi;
  log.first_sequence = config.first_sequence;
  meter.rate = static_cast<double>(config.rate);
  source_ = std::make_unique<Source>(config_, network.now);
}

int64_t SourceHost::deadline() const {
  if (next_) return kNever;
  if (network_.now < begin_at_) return begin_at_;
  int64_t at = source_->deadline();
  // What is due and not taken waits for room in the source.
  if (packer.next_due() > network_.now) at = std::min(at, packer.next_due());
  if (finish_at_ > network_.now) at = std::min(at, finish_at_);
  return at;
}

void SourceHost::hand_over(SourceHost& next) {
  next_ = &next;
  next.address_ = address_;
  log.vanished = true;
}

void SourceHost::on_datagram(int64_t now, int from, const std::string& bytes) {
  if (next_) {
    next_->on_datagram(now, from, bytes);
    network_.wake(next_->id);
    return;
  }
  Packet packet;
  if (decode(bytes, packet) != Fault::none) return;
  source_->on_packet(now, packet);
  work(now);
}

void SourceHost::work(int64_t now) {
  if (next_ || now < begin_at_) return;
  std::string_view out[16];
  for (int guard = 0; guard < kGuard; ++guard) {
    while (packer.due(now)) {
      char* tsdu = source_->open(now);
      if (!tsdu) break;
      source_->seal(packer.fill(now, tsdu, config_.max_tsdu));
    }
    if (finish_at_ <= now && !packer.due(now)) source_->finish(now);
    const std::size_t count = source_->poll(now, out, std::size(out));
    for (std::size_t i = 0; i < count; ++i) {
      const bool paced = (out[i][4] & 0x0e) == 4;  // ODATA, RDATA
      if (paced) meter.count(now, out[i].size() + kUdpOverhead);
      network_.multicast(address_, out[i]);
    }
    if (count == 0) return;
  }
}

// --- libzmq's source --------------------------------------------------------------------------

LibzmqSourceHost::LibzmqSourceHost(SimulatedNetwork& network, const SourceConfig& config)
    : network_(network),
      config_(config),
      ports_{config.tsi.gsi, config.tsi.port, config.destination_port} {
  id = network.add(this);
  log.tsi = config.tsi;
  log.first_sequence = config.first_sequence;
}

void LibzmqSourceHost::spm() {
  char bytes[kMaxControlSize];
  Spm spm;
  spm.sequence = spms_++;
  spm.lead = log.next_sequence() - 1;
  const auto sent = static_cast<uint32_t>(log.tsdus.size());
  spm.trail = log.first_sequence + (sent > config_.window ? sent - config_.window : 0);
  spm.path = address_of(id);
  network_.multicast(id, {bytes, write_spm(bytes, ports_, spm)});
}

void LibzmqSourceHost::data(Type type, uint32_t sequence) {
  const std::string& tsdu = *log.tsdu(sequence);
  std::string bytes(kDataHeaderSize, '\0');
  const auto sent = static_cast<uint32_t>(log.tsdus.size());
  const uint32_t trail = log.first_sequence + (sent > config_.window ? sent - config_.window : 0);
  write_data_header(bytes.data(), type, ports_, sequence, trail, tsdu.size(),
                    partial_sum(tsdu.data(), tsdu.size()));
  network_.multicast(id, bytes + tsdu);
}

void LibzmqSourceHost::send_repair() {
  if (queue_.empty()) return;
  data(Type::rdata, queue_.front());
  queue_.pop_front();
  ++repairs;
}

void LibzmqSourceHost::on_time(int64_t now) {
  if (spms_ == 0) {
    for (int i = 0; i < 3; ++i) spm();
    heartbeat_ = now + 100 * kMillisecond;
  }
  while (packer.due(now)) {
    std::string tsdu(config_.max_tsdu, '\0');
    (void)packer.fill(now, tsdu.data(), tsdu.size());
    data(Type::odata, log.next_sequence() - 1);
    heartbeat_ = now + 100 * kMillisecond;
  }
  if (now < tick_) return;
  send_repair();
  if (now >= heartbeat_) {
    spm();
    heartbeat_ = now + 100 * kMillisecond;
  }
  tick_ = now + (10 + static_cast<int64_t>(network_.random.below(75))) * kMillisecond;
}

void LibzmqSourceHost::on_datagram(int64_t, int, const std::string& bytes) {
  send_repair();
  Packet packet;
  if (decode(bytes, packet) != Fault::none || packet.downstream()) return;
  if (packet.tsi() != config_.tsi) return;
  if (packet.type == Type::spmr) spm();
  if (packet.type != Type::nak) return;
  std::vector<uint32_t> list{packet.sequence};
  for (std::size_t i = 0; i < packet.listed(); ++i) list.push_back(packet.listed(i));
  char ncf[kMaxControlSize];
  network_.multicast(id, {ncf, write_nak(ncf, Type::ncf, ports_, packet.source, packet.group,
                                         list.data(), list.size())});
  for (const uint32_t sequence : list) {
    const bool kept = log.tsdu(sequence) && log.next_sequence() - sequence <= config_.window;
    const bool queued = std::find(queue_.begin(), queue_.end(), sequence) != queue_.end();
    if (kept && !queued) queue_.push_back(sequence);
  }
}

// --- Checks -----------------------------------------------------------------------------------

void Checker::tsdu(std::string_view tsdu) {
  std::vector<uint32_t> next = places(tsdu);
  if (next.empty() && restarted_) {
    ++log_;
    restarted_ = false;
    expected_.clear();
    gaps_.clear();
    next_message_.reset();
    next = places(tsdu);
  }
  if (next.empty()) {
    const std::string at = expected_.empty() ? "the start" : std::to_string(expected_[0]);
    fail("not the packet expected at " + at + ", of " + std::to_string(tsdu.size()) + " octets");
    return;
  }
  for (uint32_t& sequence : next) ++sequence;
  expected_ = std::move(next);
}

std::vector<uint32_t> Checker::places(std::string_view tsdu) const {
  std::vector<uint32_t> found;
  const auto try_at = [&](uint32_t sequence) {
    const std::string* sent = log().tsdu(sequence);
    if (sent && *sent == tsdu) found.push_back(sequence);
  };
  if (expected_.empty()) {
    for (std::size_t i = 0; i < log().tsdus.size(); ++i) {
      try_at(log().first_sequence + static_cast<uint32_t>(i));
    }
  }
  for (const uint32_t sequence : expected_) try_at(sequence);
  return found;
}

void Checker::loss(uint32_t first, uint32_t count, LossCause cause) {
  lost += count;
  if (cause == LossCause::restart) {
    // What was held behind a hole of the old stream still comes.
    restarted_ = log_ + 1 < logs_.size();
    if (!restarted_) fail("a restart that there was not");
    if (count == 0) return;
  }
  if (count == 0) return fail("an empty gap");
  losses += " " + std::to_string(count) + " at " + std::to_string(first) + " cause " +
            std::to_string(static_cast<int>(cause)) + ",";
  const bool known =
      expected_.empty() || std::find(expected_.begin(), expected_.end(), first) != expected_.end();
  if (!known) {
    fail("a gap at " + std::to_string(first) + ", expected " + std::to_string(expected_[0]));
  }
  expected_ = {first + count};
  gaps_.emplace_back(first, count);
}

void Checker::skip_to(std::size_t until) {
  for (std::size_t i = *next_message_; i < until; ++i) {
    const SentLog::Message& message = log().messages[i];
    bool excused = false;
    for (uint32_t at = message.first; !excused; ++at) {
      for (const auto& [first, count] : gaps_) excused = excused || at - first < count;
      if (at == message.last) break;
    }
    if (!excused) {
      fail("message " + std::to_string(i) + " in packets " + std::to_string(message.first) + ".." +
           std::to_string(message.last) + " did not come");
    }
  }
}

void Checker::message(int64_t now, const std::vector<StreamFrame>& frames) {
  const uint64_t number = number_of({frames[0].data, frames[0].size});
  if (number >= log().messages.size()) return fail("a message that was not sent");
  const SentLog::Message& sent = log().messages[number];
  bool same = frames.size() == sent.parts.size();
  for (std::size_t i = 0; same && i < frames.size(); ++i) {
    same = std::string_view(frames[i].data, frames[i].size) == sent.parts[i];
  }
  if (!same) fail("message " + std::to_string(number) + " is not as sent");
  if (next_message_ && number < *next_message_) {
    fail("message " + std::to_string(number) + " comes again or late");
  } else if (next_message_) {
    skip_to(number);
  }
  next_message_ = number + 1;
  ++messages;
  latencies.push_back(now - sent.due);
}

void Checker::finish() {
  if (expected_.empty() || log().vanished) return;
  if (expected_.size() != 1 || expected_[0] != log().next_sequence()) {
    fail("ends at " + std::to_string(expected_[0]) + " of " +
         std::to_string(log().next_sequence()));
  } else if (next_message_) {
    skip_to(log().messages.size());
  }
}

// --- A receiver -------------------------------------------------------------------------------

struct ReceiverHost::Session final : ReceiverSink, MessageSink {
  Session(ReceiverHost& owner, std::vector<const SentLog*> logs, const ReceiverConfig& config,
          int from, int64_t now)
      : host(owner),
        node(from),
        tsi(config.tsi),
        checker(std::move(logs)),
        reader({}, *this),
        receiver(config, now, owner.network_.random, *this) {}

  bool on_tsdu(std::string_view tsdu) override {
    if (resume_at != kNever) return false;
    checker.tsdu(tsdu);
    take(reader.take(tsdu));
    return true;
  }
  void on_loss(uint32_t first, uint32_t count, LossCause cause) override {
    if (resume_at != kNever) checker.errors.push_back("a loss is reported to a full sink");
    checker.loss(first, count, cause);
    reader.lose();
  }
  bool on_message(const std::vector<StreamFrame>& frames) override {
    if (chance(host.network_.random, host.full)) return false;
    checker.message(host.network_.now, frames);
    return true;
  }
  void take(StreamReader::Status status) {
    resume_at = kNever;
    if (status == StreamReader::Status::malformed) checker.errors.push_back("malformed");
    if (status != StreamReader::Status::full) return;
    resume_at = host.network_.now + static_cast<int64_t>(host.network_.random.below(5'000'000));
  }

  ReceiverHost& host;
  const int node;
  const Tsi tsi;
  Checker checker;
  StreamReader reader;
  int64_t resume_at = kNever;
  Receiver receiver;
};

ReceiverHost::ReceiverHost(SimulatedNetwork& network, std::vector<const SentLog*> logs,
                           int64_t recovery)
    : network_(network), logs_(std::move(logs)), recovery_(recovery) {
  id = network.add(this);
}

ReceiverHost::~ReceiverHost() = default;

int64_t ReceiverHost::deadline() const {
  int64_t at = kNever;
  for (const auto& session : sessions) {
    at = std::min({at, session->receiver.deadline(), session->resume_at});
  }
  return at;
}

ReceiverHost::Session* ReceiverHost::find(const Tsi& tsi, const int* from) {
  for (const auto& session : sessions) {
    if (session->tsi == tsi && (!from || session->node == *from)) return session.get();
  }
  return nullptr;
}

ReceiverHost::Session* ReceiverHost::join(int64_t now, int from, const Packet& packet) {
  std::vector<const SentLog*> logs;
  for (const SentLog* log : logs_) {
    if (log->tsi == packet.tsi()) logs.push_back(log);
  }
  if (logs.empty()) return nullptr;
  ReceiverConfig config;
  config.tsi = packet.tsi();
  config.destination_port = kGroupPort;
  config.source = address_of(from);
  config.group = address_of(200);
  config.recovery = recovery_;
  config.most_bytes = most_bytes;
  sessions.push_back(std::make_unique<Session>(*this, std::move(logs), config, from, now));
  return sessions.back().get();
}

void ReceiverHost::on_datagram(int64_t now, int from, const std::string& bytes) {
  Packet packet;
  if (decode(bytes, packet) != Fault::none) return;
  const bool down = packet.downstream();
  Session* session = find(packet.tsi(), down ? &from : nullptr);
  if (!session && down && packet.type != Type::ncf) session = join(now, from, packet);
  if (!session) return;
  session->receiver.on_packet(now, packet);
  work(now);
}

void ReceiverHost::work(int64_t now) {
  Upstream out[8];
  for (const auto& session : sessions) {
    if (session->resume_at <= now) {
      session->take(session->reader.resume());
      if (session->resume_at == kNever) session->receiver.resume(now);
    }
    std::size_t count = 0;
    int guard = 0;
    do {
      count = session->receiver.poll(now, out, std::size(out));
      for (std::size_t i = 0; i < count; ++i) send(out[i]);
    } while (count == std::size(out) && ++guard < kGuard);
  }
}

void ReceiverHost::send(const Upstream& packet) {
  const std::string_view bytes(packet.data, packet.size);
  const bool unicast = packet.route == Upstream::Route::unicast;
  const bool multicast = packet.route == Upstream::Route::multicast;
  const bool both = packet.route == Upstream::Route::both;
  if (unicast || both) network_.send(id, node_of(packet.to), bytes);
  if (multicast || both) network_.multicast(id, bytes);
}

void ReceiverHost::finish() {
  for (const auto& session : sessions) session->checker.finish();
}

uint64_t ReceiverHost::messages() const {
  uint64_t all = 0;
  for (const auto& session : sessions) all += session->checker.messages;
  return all;
}

int64_t ReceiverHost::last_message(const SentLog& log) const {
  int64_t last = -1;
  for (const auto& session : sessions) last = std::max(last, session->checker.last_message(log));
  return last;
}

bool ReceiverHost::over() const {
  return std::all_of(sessions.begin(), sessions.end(),
                     [&](const auto& session) { return session->receiver.over(network_.now); });
}

uint64_t ReceiverHost::lost() const {
  uint64_t all = 0;
  for (const auto& session : sessions) all += session->checker.lost;
  return all;
}

std::string ReceiverHost::losses() const {
  std::string all;
  for (const auto& session : sessions) all += session->checker.losses;
  return all;
}

ReceiverStats ReceiverHost::stats() const {
  ReceiverStats all;
  for (const auto& session : sessions) {
    const ReceiverStats& one = session->receiver.stats();
    all.data += one.data;
    all.duplicates += one.duplicates;
    all.repaired += one.repaired;
    all.lost += one.lost;
    all.naks += one.naks;
    all.requested += one.requested;
  }
  return all;
}

std::vector<std::string> ReceiverHost::errors() const {
  std::vector<std::string> all;
  for (const auto& session : sessions) {
    const auto& some = session->checker.errors;
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

std::vector<int64_t> ReceiverHost::latencies() const {
  std::vector<int64_t> all;
  for (const auto& session : sessions) {
    const auto& some = session->checker.latencies;
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

}  // namespace zerowire::test
