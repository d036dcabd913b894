#include "pgm/receiving.hpp"

#include <cstring>
#include <utility>

#include "pipe/control.hpp"
#include "zmtp/wire.hpp"

namespace zerowire::pgm {
namespace {

/// Sources heard at the same time.
constexpr std::size_t kMostSources = 1024;
/// A source that has sent so many packets is not given up for a newcomer while it is heard.
constexpr uint64_t kEstablished = 2;
constexpr int64_t kIdle = 30'000 * kMillisecond;
/// When all places are taken, newcomers are turned away at once for so long.
constexpr int64_t kTurnAway = kMillisecond;

}  // namespace

std::size_t Receiving::Hash::operator()(const Key& key) const {
  uint64_t a = 0, b = 0, c = 0;
  std::memcpy(&a, key.address.bytes.data(), 8);
  std::memcpy(&b, key.address.bytes.data() + 8, 8);
  std::memcpy(&c, key.tsi.gsi.data(), key.tsi.gsi.size());
  c = c << 16 | key.tsi.port;
  return static_cast<std::size_t>(Random(a ^ (b * 31) ^ (c * 131)).next());
}

Receiving::Receiving(const SessionParts& parts) : parts_(parts) {}

Receiving::~Receiving() = default;

RemoteSource* Receiving::find(const Nla& address, const Packet& packet) {
  if (last_ && packet.of(last_->tsi()) && last_->address() == address) return last_;
  const auto found = sources_.find({address, packet.tsi()});
  if (found == sources_.end()) return nullptr;
  return last_ = found->second.get();
}

void Receiving::on_datagram(int64_t now, const Received& received, const Packet& packet) {
  const bool downstream = packet.downstream();
  const uint16_t port = downstream ? packet.destination_port : packet.source_port;
  if (port != parts_.endpoint.port) return;
  RemoteSource* source = find(downstream ? received.from : packet.source, packet);
  if (!source) {
    // Repairs may be of a source that is over.
    const bool begins = downstream && packet.type != Type::ncf && packet.type != Type::rdata;
    if (!begins || packet.fin || received.group.afi == 0) return;
    source = add(received, packet, now);
    if (!source) return;
  }
  source->on_packet(now, packet);
  touch(*source);
}

RemoteSource* Receiving::add(const Received& received, const Packet& packet, int64_t now) {
  if (sources_.size() >= kMostSources && !make_room(now)) return nullptr;
  auto source = std::make_unique<RemoteSource>(*this, received, packet, now);
  last_ = source.get();
  sources_.emplace(Key{received.from, packet.tsi()}, std::move(source));
  tell(EventType::multicast_join, *last_);
  return last_;
}

/// Gives up the source that has been silent for longest, but none that is in use.
bool Receiving::make_room(int64_t now) {
  if (now < no_room_until_) return false;
  no_room_until_ = now + kTurnAway;
  RemoteSource* oldest = nullptr;
  for (const auto& [key, source] : sources_) {
    const Receiver& receiver = source->receiver();
    const bool established = receiver.stats().data >= kEstablished;
    if (established && now - receiver.last_heard() < kIdle) continue;
    if (!oldest || receiver.last_heard() < oldest->receiver().last_heard()) oldest = source.get();
  }
  if (!oldest) return false;
  remove(*oldest);
  return true;
}

void Receiving::remove(RemoteSource& source) {
  tell(EventType::multicast_leave, source);
  std::erase(touched_, &source);
  std::erase(waiting_, &source);
  last_ = nullptr;
  sources_.erase({source.address(), source.tsi()});
}

void Receiving::touch(RemoteSource& source) {
  if (source.touched) return;
  source.touched = true;
  touched_.push_back(&source);
}

void Receiving::settle(int64_t now) {
  while (!touched_.empty()) {
    RemoteSource* source = touched_.back();
    touched_.pop_back();
    source->touched = false;
    if (!source->serve(now)) remove(*source);
  }
  publish();
}

void Receiving::wait_for_room(RemoteSource& source) {
  if (source.waits) return;
  source.waits = true;
  waiting_.push_back(&source);
}

void Receiving::room(int64_t now) {
  std::vector<RemoteSource*> waiting = std::exchange(waiting_, {});
  for (RemoteSource* source : waiting) {
    source->waits = false;
    if (!source->resume(now)) wait_for_room(*source);
    touch(*source);
  }
  settle(now);
}

void Receiving::expire(int64_t now) {
  for (const auto& [key, source] : sources_) {
    if (source->over(now)) touch(*source);
  }
  settle(now);
}

void Receiving::leave() const {
  for (const auto& [key, source] : sources_) tell(EventType::multicast_leave, *source);
}

bool Receiving::deliver(const std::vector<StreamFrame>& frames) {
  if (parts_.link.latest[1].on) return keep_latest(frames);
  PipeWriter& pipe = parts_.link.pipes[1].writer;
  if (!pipe.room_or_wait()) return false;
  bool ok = true;
  for (std::size_t i = 0; i < frames.size() && ok; ++i) {
    const uint8_t flags = i + 1 < frames.size() ? wire::kMore : 0;
    ok = pipe.write(flags, frames[i].data, frames[i].size);
  }
  if (ok)
    pipe.commit();
  else
    pipe.rollback();  // out of memory: the message is lost
  return true;
}

bool Receiving::keep_latest(const std::vector<StreamFrame>& frames) {
  std::string bytes;
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const uint8_t flags = i + 1 < frames.size() ? wire::kMore : 0;
    wire::append_frame(bytes, flags, frames[i].data, frames[i].size);
  }
  (void)control::put_latest(parts_.link.pipes[1].writer, parts_.link.latest[1], bytes);
  return true;  // out of memory: the message is lost
}

void Receiving::publish() {
  if (parts_.link.pipes[1].writer.publish() != Claim::none) parts_.link.ends[0].notify(kToken);
}

void Receiving::tell(EventType type, const RemoteSource& source) const {
  if (!parts_.shared.monitor.wants(type)) return;
  parts_.shared.emit(type, 0, parts_.endpoint.text, source.name());
}

void Receiving::tell_loss(const RemoteSource& source, uint32_t first, uint32_t count,
                          LossCause cause) const {
  parts_.shared.multicast_lost.fetch_add(count, std::memory_order_relaxed);
  if (!parts_.shared.monitor.wants(EventType::multicast_gap)) return;
  Event event{EventType::multicast_gap, static_cast<uint32_t>(cause), parts_.endpoint.text,
              source.name()};
  event.first = first;
  event.count = count;
  parts_.shared.emit(std::move(event));
}

}  // namespace zerowire::pgm
