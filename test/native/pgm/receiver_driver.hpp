// Drives a Receiver in virtual time and notes down what it says.
#pragma once

#include <doctest/doctest.h>

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "pgm/receiver.hpp"

namespace zerowire::pgm::test {

inline Nla nla(uint8_t last) {
  Nla address;
  address.afi = Nla::kIpv4;
  address.bytes = {10, 77, 0, last};
  return address;
}

inline constexpr Tsi kTsi{{1, 2, 3, 4, 5, 6}, 4000};
inline constexpr int64_t kStart = 1'000'000 * kMillisecond;

inline ReceiverConfig receiver_config() {
  ReceiverConfig config;
  config.tsi = kTsi;
  config.destination_port = 7500;
  config.source = nla(1);
  config.group = nla(200);
  config.recovery = 10'000 * kMillisecond;
  config.most_bytes = 4 << 20;
  return config;
}

struct Sent {
  int64_t at;
  Upstream::Route route;
  Nla to;
  std::string bytes;
  std::vector<uint32_t> sequences;  ///< of a NAK

  bool kick() const { return bytes.size() == 8; }
  bool spmr() const { return bytes.size() == kHeaderSize; }
};

/// The log reads like "5 6 lost(7+2 window) 9": TSDUs are the sequence numbers as text.
struct Driver : ReceiverSink {
  explicit Driver(const ReceiverConfig& given = receiver_config(), uint64_t seed = 1)
      : random(seed), receiver(given, kStart, random, *this) {}

  virtual ~Driver() = default;

  bool on_tsdu(std::string_view tsdu) override {
    if (room == 0) return false;
    if (room > 0) --room;
    note(tsdu.size() > 20 ? std::string(tsdu.substr(0, tsdu.find('.'))) : std::string(tsdu));
    return true;
  }
  void on_loss(uint32_t first, uint32_t count, LossCause cause) override {
    constexpr const char* kCauses[] = {"window", "timeout", "slow", "restart", "protocol"};
    ++losses;
    note("lost(" + std::to_string(first) + "+" + std::to_string(count) + " " +
         kCauses[static_cast<int>(cause)] + ")");
  }
  void note(const std::string& text) { log += (log.empty() ? "" : " ") + text; }
  std::string take() { return std::exchange(log, {}); }

  Packet packet(Type type, uint32_t sequence) const {
    Packet made;
    made.type = type;
    made.gsi = kTsi.gsi;
    made.source_port = kTsi.port;
    made.destination_port = 7500;
    made.sequence = sequence;
    return made;
  }
  void data(Type type, uint32_t sequence, uint32_t trail, std::size_t pad = 0) {
    std::string text = std::to_string(sequence);
    if (pad) text.append(pad, '.');
    Packet made = packet(type, sequence);
    made.trail = trail;
    made.tsdu = text;
    receiver.on_packet(now, made);
  }
  void odata(uint32_t sequence, uint32_t trail = 0) { data(Type::odata, sequence, trail); }
  void rdata(uint32_t sequence, uint32_t trail = 0) { data(Type::rdata, sequence, trail); }
  void spm(uint32_t sequence, uint32_t trail, uint32_t lead, bool fin = false) {
    Packet made = packet(Type::spm, sequence);
    made.trail = trail;
    made.lead = lead;
    made.source = nla(9);
    made.fin = fin;
    receiver.on_packet(now, made);
  }
  /// The same with OPT_NAK_BO_IVL: a source that is not kicked.
  void announce(uint32_t sequence, uint32_t lead, uint32_t microseconds) {
    Packet made = packet(Type::spm, sequence);
    made.lead = lead;
    made.source = nla(9);
    made.nak_backoff = microseconds;
    receiver.on_packet(now, made);
  }
  void listed(Type type, const std::vector<uint32_t>& sequences) {
    Packet made = packet(type, sequences[0]);
    if (type == Type::nak) std::swap(made.source_port, made.destination_port);
    std::string list;
    for (std::size_t i = 1; i < sequences.size(); ++i) {
      for (int shift = 24; shift >= 0; shift -= 8) {
        list.push_back(static_cast<char>(sequences[i] >> shift));
      }
    }
    made.list = list;
    receiver.on_packet(now, made);
  }
  void ncf(const std::vector<uint32_t>& sequences) { listed(Type::ncf, sequences); }

  std::vector<Sent> poll() {
    std::vector<Sent> all;
    Upstream out[8];
    std::size_t count;
    do {
      count = receiver.poll(now, out, 8);
      for (std::size_t i = 0; i < count; ++i) all.push_back(read(out[i]));
      REQUIRE(all.size() < 100'000);
    } while (count == 8);
    CHECK(receiver.deadline() > now);
    return all;
  }
  Sent read(const Upstream& out) const {
    Sent sent{now, out.route, out.to, std::string(out.data, out.size), {}};
    Packet got;
    if (decode(sent.bytes, got) != Fault::none) {
      CHECK(sent.kick());
      return sent;
    }
    CHECK(got.tsi() == kTsi);
    CHECK(got.source_port == 7500);
    if (got.type != Type::nak) return sent;
    sent.sequences.push_back(got.sequence);
    for (std::size_t i = 0; i < got.listed(); ++i) sent.sequences.push_back(got.listed(i));
    CHECK(got.source == out.to);
    CHECK(got.group == nla(200));
    return sent;
  }
  /// Polls at every deadline up to `until`.
  std::vector<Sent> run(int64_t until) {
    std::vector<Sent> all;
    while (receiver.deadline() <= until) {
      now = std::max(now, receiver.deadline());
      ++wakes;
      for (Sent& sent : poll()) all.push_back(std::move(sent));
      REQUIRE(wakes < 1'000'000);
    }
    now = until;
    return all;
  }
  std::vector<Sent> pass(int64_t time) { return run(now + time); }
  /// Until it sends something.
  std::vector<Sent> next() {
    std::vector<Sent> all;
    while (all.empty() && receiver.deadline() != kNever) {
      now = std::max(now, receiver.deadline());
      all = poll();
    }
    return all;
  }

  int64_t now = kStart;
  Random random;
  Receiver receiver;
  std::string log;
  int losses = 0;
  int room = -1;  ///< TSDUs that the sink takes; -1 = all
  int wakes = 0;
};

}  // namespace zerowire::pgm::test
