#include <arpa/inet.h>

#include <algorithm>
#include <utility>

#include "pgm/receiving.hpp"

namespace zerowire::pgm {
namespace {

constexpr std::size_t kUpstreamBatch = 8;
/// Packets for the source at a time, and the pause after them, so that others get their turn.
constexpr int kMostBatches = 8;
constexpr int64_t kPause = 20'000;  // ns
/// What is kept of a source behind a hole, or for a socket that is not read.
constexpr uint64_t kLeastKept = 4 * 1024 * 1024;
constexpr uint64_t kMostKept = 64 * 1024 * 1024;
/// Of each one that comes when there are more, the less the more there are.
constexpr std::size_t kFewSources = 16;

/// An address as people write it.
std::string to_text(const Nla& address) {
  char text[INET6_ADDRSTRLEN] = "";
  const int family = address.afi == Nla::kIpv6 ? AF_INET6 : AF_INET;
  (void)::inet_ntop(family, address.bytes.data(), text, sizeof text);
  return text;
}

ReceiverConfig config(const SessionParts& parts, const Received& first, const Packet& packet,
                      std::size_t sources) {
  ReceiverConfig config;
  config.tsi = packet.tsi();
  config.destination_port = parts.endpoint.port;
  config.source = first.from;
  config.group = first.group;
  config.recovery = parts.options.recovery_interval * kMillisecond;
  config.most_bytes = std::clamp(recovery_bytes(parts.options), kLeastKept, kMostKept);
  config.most_bytes /= std::max<uint64_t>(1, sources / kFewSources);
  config.same_host = first.from == to_nla(parts.network.interface);
  return config;
}

}  // namespace

RemoteSource::RemoteSource(Receiving& owner, const Received& first, const Packet& packet,
                           int64_t now)
    : owner_(owner),
      tsi_(packet.tsi()),
      address_(first.from),
      group_(first.group),
      reader_(message_limits(owner.parts().options), *this),
      receiver_(config(owner.parts(), first, packet, owner.sources()), now,
                owner.parts().reactor.random(), *this) {}

RemoteSource::~RemoteSource() { owner_.parts().reactor.timers().cancel(*this); }

bool RemoteSource::serve(int64_t now) {
  using Route = Upstream::Route;
  Port& port = owner_.parts().port;
  Upstream out[kUpstreamBatch];
  std::size_t count = kUpstreamBatch;
  for (int batch = 0; batch < kMostBatches && count == kUpstreamBatch; ++batch) {
    count = receiver_.poll(now, out, kUpstreamBatch);
    for (std::size_t i = 0; i < count; ++i) {
      const std::string_view packet(out[i].data, out[i].size);
      const Route route = out[i].route;
      if (route == Route::unicast || route == Route::both) port.send_to(packet, out[i].to);
      if (route == Route::multicast || route == Route::both) {
        port.send_group(packet, group_, Port::Reach::link);
      }
      if (route == Route::host) port.send_group(packet, group_, Port::Reach::host);
    }
  }
  if (over(now)) {
    tell_malformed();
    return false;
  }
  owner_.parts().reactor.timers().set(*this, std::max(receiver_.deadline(), now + kPause));
  return true;
}

bool RemoteSource::resume(int64_t now) {
  const StreamReader::Status status = reader_.resume();
  full_ = status == StreamReader::Status::full;
  if (full_) return false;
  note(status, receiver_.next() - 1);
  receiver_.resume(now);
  return !full_;
}

std::string RemoteSource::name() const {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text = owner_.parts().endpoint.raw ? "pgm://" : "epgm://";
  text += to_text(address_) + "/";
  for (const uint8_t byte : tsi_.gsi) {
    text.push_back(kDigits[byte >> 4]);
    text.push_back(kDigits[byte & 15]);
  }
  return text + "." + std::to_string(tsi_.port);
}

bool RemoteSource::on_tsdu(std::string_view tsdu) {
  if (full_) return false;
  const StreamReader::Status status = reader_.take(tsdu);
  full_ = status == StreamReader::Status::full;
  if (full_)
    owner_.wait_for_room(*this);
  else
    note(status, receiver_.next());
  return true;
}

void RemoteSource::note(StreamReader::Status status, uint32_t sequence) {
  if (status != StreamReader::Status::malformed) return tell_malformed();
  if (!malformed_) {
    malformed_ = true;
    return owner_.tell_loss(*this, sequence, 1, LossCause::protocol);
  }
  if (malformed_count_++ == 0) malformed_first_ = sequence;
}

void RemoteSource::tell_malformed() {
  malformed_ = false;
  const uint32_t count = std::exchange(malformed_count_, 0);
  if (count) owner_.tell_loss(*this, malformed_first_, count, LossCause::protocol);
}

void RemoteSource::on_loss(uint32_t first, uint32_t count, LossCause cause) {
  reader_.lose();
  tell_malformed();
  owner_.tell_loss(*this, first, count, cause);
}

bool RemoteSource::on_message(const std::vector<StreamFrame>& frames) {
  return owner_.deliver(frames);
}

void RemoteSource::on_timer(int64_t now) {
  owner_.touch(*this);
  owner_.settle(now);
}

}  // namespace zerowire::pgm
