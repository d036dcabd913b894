// PGM receivers: any packets at any time, in order or lying, neither stop them nor make them grow.
#include <algorithm>
#include <string>

#include "base/clock.hpp"
#include "input.hpp"
#include "pgm/receiver.hpp"

using namespace zerowire;
using namespace zerowire::pgm;
using fuzz::Input;
using fuzz::require;

namespace {

constexpr std::size_t kMostSteps = 400;
constexpr std::size_t kPerPoll = 16;

/// What comes out continues what came out before, or a restart says that it does not.
struct Sink final : ReceiverSink {
  bool on_tsdu(std::string_view tsdu) override {
    if (full) return false;
    bytes += tsdu.size();
    ++packets;
    any = true;
    return true;
  }
  void on_loss(uint32_t first, uint32_t count, LossCause cause) override {
    require(cause == LossCause::restart || count > 0);
    if (known && cause != LossCause::restart) require(first == next + packets);
    // Before the first data SPMs may place the receiver anew.
    known = any && cause != LossCause::restart;
    next = first + count;
    packets = 0;
  }
  bool full = false;
  bool known = false;
  bool any = false;
  uint32_t next = 0;
  uint32_t packets = 0;
  std::size_t bytes = 0;
};

uint32_t word(Input& input) {
  uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value = value << 8 | input.byte();
  return value;
}

/// Near what was last, mostly.
uint32_t sequence(Input& input, uint32_t last) {
  const uint8_t how = input.byte();
  if (how < 240) return last + static_cast<uint32_t>(how) - 100;
  return how < 248 ? last + 1000 * input.byte() : word(input);
}

struct Fuzz {
  explicit Fuzz(uint8_t choice) : random(choice), receiver(config(choice), now, random, sink) {}

  static ReceiverConfig config(uint8_t choice) {
    ReceiverConfig config;
    config.source.afi = config.group.afi = choice & 1 ? Nla::kIpv4 : Nla::kIpv6;
    // What is asked for until it is given up takes most of the time: rarely for very long.
    config.recovery = (choice & 2 ? 50 : choice >= 16 ? 1000 : 10'000) * kMillisecond;
    config.most_bytes = choice & 4 ? 0 : 100'000;
    config.same_host = choice & 8;
    return config;
  }

  void packet(Type type, Input& input) {
    Packet packet;
    packet.type = type;
    packet.sequence = type == Type::spm ? spm += input.byte() % 4 : sequence(input, last);
    packet.trail = sequence(input, last - 50);
    const uint8_t flags = input.byte();
    if (type == Type::spm) {
      packet.lead = sequence(input, last);
      packet.fin = flags & 1;
      packet.source.afi = flags & 2 ? Nla::kIpv4 : Nla::kIpv6;
      packet.source.bytes[0] = flags;
      if (flags & 4) packet.nak_backoff = word(input);
      if (flags & 8) packet.sequence = sequence(input, spm);
    }
    packet.fragment = flags & 16;
    packet.parity = (flags & 96) == 96;
    std::string tsdu;
    if (type == Type::odata || type == Type::rdata) {
      tsdu.assign(flags & 128 ? 9000 : flags, 'x');
      if (!packet.parity) last = packet.sequence;
    }
    packet.tsdu = tsdu;
    const std::string_view list = input.take(flags & 60);
    packet.list = list.substr(0, list.size() / 4 * 4);
    receiver.on_packet(now, packet);
  }

  void poll() {
    Upstream out[kPerPoll];
    std::size_t count;
    int rounds = 0;
    do {
      count = receiver.poll(now, out, kPerPoll);
      require(count <= kPerPoll && ++rounds < 200);
      for (std::size_t i = 0; i < count; ++i)
        require(out[i].size && out[i].size <= kMaxControlSize);
    } while (count == kPerPoll);
    require(receiver.deadline() > now);
  }

  void step(Input& input) {
    const uint8_t choice = input.byte();
    switch (choice & 7) {
      case 0:
      case 1:
        return packet(Type::odata, input);
      case 2:
        return packet(Type::rdata, input);
      case 3:
        return packet(Type::spm, input);
      case 4:
        return packet(choice & 8 ? Type::ncf : Type::nak, input);
      case 5:
        now += int64_t{choice} * choice * 1000;
        return poll();
      case 6:
        if (receiver.deadline() != kNever) now = std::max(now, receiver.deadline());
        return poll();
      default:
        sink.full = choice & 8;
        if (!sink.full) receiver.resume(now);
    }
  }

  int64_t now = kMillisecond;
  uint32_t last = 0;
  uint32_t spm = 0;
  Random random;
  Sink sink;
  Receiver receiver;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  Input input(data, size);
  Fuzz fuzz(input.byte());
  for (std::size_t i = 0; i < kMostSteps && !input.empty(); ++i) fuzz.step(input);
  // It comes to rest: what it misses is given up after a while.
  fuzz.sink.full = false;
  fuzz.receiver.resume(fuzz.now);
  const int64_t end = fuzz.now + 11'000 * kMillisecond;
  for (int i = 0; fuzz.receiver.deadline() != kNever && fuzz.now < end; ++i) {
    require(i < 100'000);
    fuzz.now = std::max(fuzz.now, fuzz.receiver.deadline());
    fuzz.poll();
  }
  return 0;
}
