// Multicast: a publisher that numbers and stamps its messages, and a subscriber that looks at what
// becomes of them. Each is a program of its own, to be put into a network of its own; times are of
// one clock, that of the machine. Include a peer_*.hpp first.
#pragma once

#include <poll.h>
#include <sys/prctl.h>

#include <limits>

#include "harness.hpp"

namespace bench::multicast {

/// What a part begins with.
struct Mark {
  enum Kind : uint32_t { hello = 0x5a570001, data, end };
  uint32_t kind;
  uint32_t source;
  uint64_t number;  ///< of the message; end: how many there were
  int64_t sent;
  uint32_t part;
  uint32_t parts;
};

struct Plan {
  explicit Plan(const Args& args)
      : endpoint(args.text("endpoint", "")),
        rate(static_cast<int>(args.number("rate", 100))),
        recovery(static_cast<int>(args.number("recovery", 10'000))),
        buffers(static_cast<int>(args.number("buffers", 0))),
        size(std::max(sizeof(Mark), static_cast<std::size_t>(args.number("size", 1000)))),
        parts(static_cast<uint32_t>(args.number("parts", 1))),
        source(static_cast<uint32_t>(args.number("source", 0))),
        pace(static_cast<int64_t>(args.number("pace", 0))),
        duration(static_cast<int64_t>(args.number("seconds", 1) * 1e9)),
        sources(static_cast<std::size_t>(args.number("sources", 1))),
        patience(static_cast<int>(args.number("patience", 3) * 1e3)) {
    if (endpoint.empty()) die("--endpoint is needed");
  }
  std::string endpoint;
  int rate, recovery, buffers;  ///< see peer::Socket::multicast
  std::size_t size;             ///< of each part
  uint32_t parts;               ///< of each message
  uint32_t source;              ///< number of this publisher
  int64_t pace;                 ///< messages/s, 0 = as many as the rate allows
  int64_t duration;             ///< ns
  std::size_t sources;          ///< publishers that the subscriber waits for
  int patience;                 ///< ms of silence after which the subscriber gives up
};

// ---- the publisher -----------------------------------------------------------------------------

class Publisher {
 public:
  Publisher(const Plan& plan, peer::Socket& socket)
      : plan_(plan), socket_(socket), payload_(plan.size, 'x') {}

  void send(Mark::Kind kind, uint64_t number) {
    for (uint32_t part = 0; part < plan_.parts; part++) {
      const Mark mark{kind, plan_.source, number, now_ns(), part, plan_.parts};
      std::memcpy(payload_.data(), &mark, sizeof mark);
      // Marks of hello and end are as short as can be: they are not what is measured.
      const std::size_t size = kind == Mark::data ? plan_.size : sizeof mark;
      socket_.send_copy(payload_.data(), size, part + 1 < plan_.parts);
    }
  }

  uint64_t send_all() {
    const int64_t start = now_ns(), end = start + plan_.duration;
    const uint64_t stride = plan_.pace > 0 || plan_.size > 4096 ? 1 : 64;
    uint64_t count = 0;
    for (;; count++) {
      if (plan_.pace > 0)
        wait_until(start + static_cast<int64_t>(count) * 1'000'000'000 / plan_.pace);
      if (count % stride == 0 && now_ns() >= end) return count;
      send(Mark::data, count);
    }
  }

 private:
  static void wait_until(int64_t due) {
    const timespec time{due / 1'000'000'000, due % 1'000'000'000};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nullptr);
  }

  const Plan& plan_;
  peer::Socket& socket_;
  std::vector<char> payload_;
};

/// Whether standard input says something, or ends, within `ms`.
inline bool told(int ms) {
  pollfd input{STDIN_FILENO, POLLIN, 0};
  return ::poll(&input, 1, ms) > 0;
}

/// Says hello until it is told to begin (a line on standard input), sends, says so, and repeats
/// that this was the end until standard input ends.
inline void publish(const Plan& plan) {
  prctl(PR_SET_TIMERSLACK, 1);
  peer::Context context(1);
  peer::Socket socket(context, peer::Type::xpub, 1000);
  socket.deliver_all();
  socket.multicast(plan.rate, plan.recovery, plan.buffers);
  socket.connect(plan.endpoint);
  Publisher publisher(plan, socket);
  while (!told(20)) publisher.send(Mark::hello, 0);
  [[maybe_unused]] char line[16];
  if (read(STDIN_FILENO, line, sizeof line) <= 0) _exit(1);
  const int64_t cpu = cpu_ns(), start = now_ns();
  const uint64_t count = publisher.send_all();
  const double seconds = static_cast<double>(now_ns() - start) / 1e9;
  Line result;
  result.add("peer", peer::kName).add("version", peer::version());
  result.add("sent", static_cast<double>(count)).add("seconds", seconds);
  result.add("cpuSeconds", static_cast<double>(cpu_ns() - cpu) / 1e9);
  result.print();
  std::fflush(stdout);
  while (!told(20)) publisher.send(Mark::end, count);
  _exit(0);
}

// ---- the subscriber ----------------------------------------------------------------------------

/// What has come from one publisher.
class Account {
 public:
  void take(uint64_t number) {
    if (number >= seen_.size()) {
      lost_ += number - seen_.size();
      seen_.resize(number + 1);
    } else if (seen_[number]) {
      duplicates_++;
      return;
    } else {
      lost_--;
      disordered_++;
    }
    seen_[number] = true;
    received_++;
  }
  void end(uint64_t count) {
    if (count > seen_.size()) lost_ += count - seen_.size();
    ended_ = true;
  }
  bool ended() const { return ended_; }
  uint64_t received() const { return received_; }
  uint64_t lost() const { return lost_; }
  uint64_t duplicates() const { return duplicates_; }
  uint64_t disordered() const { return disordered_; }

 private:
  std::vector<bool> seen_;
  uint64_t received_ = 0, lost_ = 0, duplicates_ = 0, disordered_ = 0;
  bool ended_ = false;
};

class Subscriber {
 public:
  Subscriber(const Plan& plan, peer::Socket& socket)
      : plan_(plan), socket_(socket), accounts_(plan.sources) {
    samples_.reserve(1 << 20);
  }

  /// Until every publisher has ended, or been silent for too long.
  void run() {
    peer::Message part;
    while (socket_.receive_in_time(part)) {
      Mark mark{};
      const bool whole = take_message(part, mark);
      if (mark.source >= accounts_.size()) continue;
      if (mark.kind == Mark::hello && !heard_) hear();
      if (mark.kind == Mark::data && whole) take(mark);
      if (mark.kind != Mark::end) continue;
      if (!accounts_[mark.source].ended()) accounts_[mark.source].end(mark.number);
      if (++ends_ % 8 == 0 || plan_.sources == 1) {
        bool all = true;
        for (const Account& account : accounts_) all = all && account.ended();
        if (all) return;
      }
    }
    stalled_ = true;
  }

  void report() {
    if (!samples_.empty()) cpu_ = cpu_at_last_ - cpu_at_first_;
    Line line;
    line.add("peer", peer::kName).add("version", peer::version());
    add(line, "received", &Account::received);
    add(line, "lost", &Account::lost);
    add(line, "duplicates", &Account::duplicates);
    add(line, "disordered", &Account::disordered);
    line.add("mixed", static_cast<double>(mixed_)).add("stalled", stalled_);
    line.add("seconds", static_cast<double>(last_ - first_) / 1e9);
    line.add("cpuSeconds", static_cast<double>(cpu_) / 1e9);
    line.add("pause", static_cast<double>(pause_) / 1e3);
    line.add("resumed", static_cast<double>(resumed_) / 1e3);
    uint64_t gaps = 0, packets = 0;
    socket_.count_gaps(gaps, packets);
    line.add("gaps", static_cast<double>(gaps)).add("gapPackets", static_cast<double>(packets));
    if (!samples_.empty()) {
      add_latency(line, samples_);
      line.add("max", samples_.back() / 1e3);
    }
    line.print();
  }

 private:
  void hear() {
    heard_ = true;
    std::printf("ready\n");
    std::fflush(stdout);
  }

  /// Receives the parts behind `part`; `mark` is the first one's. False: parts are missing, come
  /// from different messages, or are none of ours.
  bool take_message(peer::Message& part, Mark& mark) {
    bool good = read_mark(part, mark);
    uint32_t parts = 1;
    for (; part.more(); parts++) {
      if (!socket_.receive_in_time(part)) break;
      Mark next{};
      good = read_mark(part, next) && good && next.source == mark.source &&
             next.number == mark.number && next.part == parts;
    }
    good = good && parts == mark.parts && mark.source < accounts_.size();
    if (!good) mixed_++;
    return good;
  }

  static bool read_mark(peer::Message& part, Mark& mark) {
    if (part.size() < sizeof mark) return false;
    std::memcpy(&mark, part.data(), sizeof mark);
    return true;
  }

  void take(const Mark& mark) {
    const int64_t now = now_ns();
    if (samples_.empty()) {
      first_ = last_ = now;
      cpu_at_first_ = cpu_at_last_ = cpu_ns();
    }
    if (samples_.size() % 256 == 0) cpu_at_last_ = cpu_ns();
    if (now - last_ > pause_) {
      pause_ = now - last_;
      resumed_ = now;
    }
    last_ = now;
    accounts_[mark.source].take(mark.number);
    constexpr int64_t kMost = std::numeric_limits<uint32_t>::max();
    samples_.push_back(static_cast<uint32_t>(std::min(now - mark.sent, kMost)));
  }

  void add(Line& line, const char* key, uint64_t (Account::*field)() const) const {
    uint64_t sum = 0;
    for (const Account& account : accounts_) sum += (account.*field)();
    line.add(key, static_cast<double>(sum));
  }

  const Plan& plan_;
  peer::Socket& socket_;
  std::vector<Account> accounts_;
  std::vector<uint32_t> samples_;  ///< ns, at most 4.3 s
  int64_t first_ = 0, last_ = 0;   ///< when messages came
  int64_t pause_ = 0;              ///< the longest between two
  int64_t resumed_ = 0;            ///< when it ended
  int64_t cpu_at_first_ = 0, cpu_at_last_ = 0, cpu_ = 0;
  uint64_t mixed_ = 0, ends_ = 0;
  bool heard_ = false;
  bool stalled_ = false;
};

inline void subscribe(const Plan& plan) {
  peer::Context context(1);
  peer::Socket socket(context, peer::Type::sub, 1000);
  socket.multicast(plan.rate, plan.recovery, plan.buffers);
  socket.subscribe("");
  socket.receive_timeout(plan.patience);
  socket.connect(plan.endpoint);
  Subscriber subscriber(plan, socket);
  subscriber.run();
  subscriber.report();
  std::fflush(stdout);
  _exit(0);
}

}  // namespace bench::multicast

int main(int argc, char** argv) {
  const bench::Args args(argc, argv);
  bench::set_deadline(static_cast<unsigned>(args.number("deadline", 60)));
  const bench::multicast::Plan plan(args);
  if (args.mode() == "publish") bench::multicast::publish(plan);
  if (args.mode() == "subscribe") bench::multicast::subscribe(plan);
  bench::die("modes: publish, subscribe");
}
