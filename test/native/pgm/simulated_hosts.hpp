// Hosts of the simulated network: sources and receivers with applications that check each other.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pgm/receiver.hpp"
#include "pgm/source.hpp"
#include "pgm/stream.hpp"
#include "simulated_network.hpp"

namespace zerowire::test {

constexpr uint16_t kGroupPort = 7500;
constexpr std::size_t kUdpOverhead = 28;

pgm::Nla address_of(int node);
int node_of(const pgm::Nla& address);

/// What a source has sent: receivers are checked against it.
struct SentLog {
  struct Message {
    std::vector<std::string> parts;
    int64_t due = 0;
    uint32_t first = 0;  ///< packets that carry it
    uint32_t last = 0;
  };
  pgm::Tsi tsi;
  uint32_t first_sequence = 0;
  std::vector<std::string> tsdus;
  std::deque<Message> messages;
  bool vanished = false;  ///< its source ended without a word

  uint32_t next_sequence() const { return first_sequence + static_cast<uint32_t>(tsdus.size()); }
  const std::string* tsdu(uint32_t sequence) const {
    const uint32_t at = sequence - first_sequence;
    return at < tsdus.size() ? &tsdus[at] : nullptr;
  }
};

/// Messages of an application, cut into TSDUs as a session does it.
class Packer {
 public:
  explicit Packer(SentLog& log) : log_(log) {}
  void add(std::vector<std::string> parts, int64_t due);
  /// Fills a TSDU from the messages that are due; 0: there is none.
  std::size_t fill(int64_t now, char* tsdu, std::size_t capacity);
  bool due(int64_t now) const { return next_ < log_.messages.size() && next_due() <= now; }
  int64_t next_due() const {
    return next_ < log_.messages.size() ? log_.messages[next_].due : kNever;
  }

 private:
  SentLog& log_;
  pgm::StreamWriter writer_;
  std::size_t next_ = 0;  ///< message that is not wholly packed
  std::size_t part_ = 0;
  bool begun_ = false;  ///< its part is
};

/// Measures what leaves a source against a token bucket.
struct RateMeter {
  void count(int64_t now, std::size_t bytes);
  double rate = 1;
  double level = 0;
  double highest = 0;  ///< bytes beyond the rate, in any window
  int64_t last = 0;
};

class SourceHost : public Node {
 public:
  SourceHost(SimulatedNetwork& network, const pgm::SourceConfig& config);

  void on_datagram(int64_t now, int from, const std::string& bytes) override;
  void on_time(int64_t now) override { work(now); }
  int64_t deadline() const override;
  /// Once the messages are all sent.
  void finish_at(int64_t when) { finish_at_ = when; }
  /// It does nothing before.
  void sleep_until(int64_t when) { begin_at_ = when; }
  /// This one is gone; from now on `next` has its address.
  void hand_over(SourceHost& next);
  pgm::Source& source() { return *source_; }

  int id = 0;
  SentLog log;
  Packer packer{log};
  RateMeter meter;

 private:
  void work(int64_t now);

  SimulatedNetwork& network_;
  const pgm::SourceConfig config_;
  std::unique_ptr<pgm::Source> source_;
  int64_t begin_at_ = 0;
  int64_t finish_at_ = kNever;
  int address_ = id;            ///< the node that its packets come from
  SourceHost* next_ = nullptr;  ///< set when it is gone
};

/// libzmq's source: confirms at once, but sends one repair per wake-up only, and wakes up for
/// datagrams and rarely by itself.
class LibzmqSourceHost : public Node {
 public:
  LibzmqSourceHost(SimulatedNetwork& network, const pgm::SourceConfig& config);

  void on_datagram(int64_t now, int from, const std::string& bytes) override;
  void on_time(int64_t now) override;
  int64_t deadline() const override { return std::min(tick_, packer.next_due()); }

  int id = 0;
  SentLog log;
  Packer packer{log};
  uint64_t repairs = 0;

 private:
  void spm();
  void data(pgm::Type type, uint32_t sequence);
  void send_repair();

  SimulatedNetwork& network_;
  const pgm::SourceConfig config_;
  const pgm::Ports ports_;
  std::deque<uint32_t> queue_;
  uint32_t spms_ = 0;
  int64_t tick_ = 0;
  int64_t heartbeat_ = 0;
};

/// What a receiver had of one source: checks order, completeness, and that gaps are reported.
class Checker {
 public:
  explicit Checker(std::vector<const SentLog*> logs) : logs_(std::move(logs)) {}
  void tsdu(std::string_view tsdu);
  void loss(uint32_t first, uint32_t count, pgm::LossCause cause);
  void message(int64_t now, const std::vector<pgm::StreamFrame>& frames);
  /// Nothing is open any more: all that was sent has come or is reported.
  void finish();

  int64_t last_message(const SentLog& log) const {
    return logs_[log_] == &log && next_message_ ? static_cast<int64_t>(*next_message_) - 1 : -1;
  }

  std::vector<std::string> errors;
  uint64_t messages = 0;
  uint64_t lost = 0;   ///< packets
  std::string losses;  ///< in words
  std::vector<int64_t> latencies;

 private:
  void fail(std::string text) {
    if (errors.size() < 5) errors.push_back(std::move(text));
  }
  /// Where in the log it may be, of the places where it is expected.
  std::vector<uint32_t> places(std::string_view tsdu) const;
  /// Messages before `until` that have not come must be in gaps.
  void skip_to(std::size_t until);
  const SentLog& log() const { return *logs_[log_]; }

  std::vector<const SentLog*> logs_;  ///< of a source that restarts: one after the other
  std::size_t log_ = 0;
  bool restarted_ = false;                           ///< the next packet may be of the next log
  std::vector<uint32_t> expected_;                   ///< where it may be: one, but at first
  std::vector<std::pair<uint32_t, uint32_t>> gaps_;  ///< sequence, count
  std::optional<std::size_t> next_message_;
};

class ReceiverHost : public Node {
 public:
  /// Knows every log that may turn up.
  ReceiverHost(SimulatedNetwork& network, std::vector<const SentLog*> logs, int64_t recovery);
  ~ReceiverHost() override;

  void on_datagram(int64_t now, int from, const std::string& bytes) override;
  void on_time(int64_t now) override { work(now); }
  int64_t deadline() const override;
  void finish();

  struct Session;
  int id = 0;
  double full = 0;  ///< probability that the application has no room for a message
  std::size_t most_bytes = 64 * 1024 * 1024;
  std::vector<std::unique_ptr<Session>> sessions;

  uint64_t messages() const;
  /// The number of the latest message in a log, -1 if there was none.
  int64_t last_message(const SentLog& log) const;
  /// All sessions are.
  bool over() const;
  uint64_t lost() const;
  std::string losses() const;
  pgm::ReceiverStats stats() const;
  std::vector<std::string> errors() const;
  std::vector<int64_t> latencies() const;

 private:
  void work(int64_t now);
  void send(const pgm::Upstream& packet);
  Session* find(const pgm::Tsi& tsi, const int* from);
  Session* join(int64_t now, int from, const pgm::Packet& packet);

  SimulatedNetwork& network_;
  const std::vector<const SentLog*> logs_;
  const int64_t recovery_;
};

}  // namespace zerowire::test
