// Engine: one ZMTP connection, sans-I/O: bytes and time in, bytes, messages and outcomes out.
#pragma once

#include <sys/uio.h>

#include <memory>
#include <string>

#include "base/clock.hpp"
#include "zmtp/decoder.hpp"
#include "zmtp/mechanism.hpp"

namespace zerowire {

struct EngineConfig {
  SocketType type = SocketType::pair;
  std::string routing_id;
  MessageLimits limits;
  int64_t handshake_interval = 30'000 * kMillisecond;  ///< 0 = no deadline
  int64_t heartbeat_interval = 0;                      ///< 0 = no PINGs
  int64_t heartbeat_timeout = 0;                       ///< silence after a PING; 0 = no limit
  int heartbeat_ttl = 0;                               ///< 1/10 s, told to the peer
};

/// Greeting, handshake, then traffic: received messages are committed to `rx` (not published).
/// Speaks ZMTP 3.1, and 3.0 with peers that do. No descriptor, clock or thread inside: time is a
/// parameter. Belongs to a Connection, used on its thread.
class Engine final : private CommandSink {
 public:
  enum class Outcome {
    ok,
    ready,   ///< the handshake has just succeeded: peer() is known, `rx` has nothing of it yet
    failed,  ///< the connection has to be closed after output() is sent; see failure()
  };

  Engine(const EngineConfig& config, PipeWriter& rx, int64_t now);

  /// Memory to read into, 1 or 2 pieces; 0 when no input is wanted now.
  int prepare(iovec (&out)[2]);
  /// `bytes` have been read into it.
  Outcome commit(std::size_t bytes, int64_t now);
  /// After Outcome::ready: takes in what came behind the handshake.
  Outcome begin_traffic();
  /// The consumer of `rx` has returned credit.
  Outcome resume(int64_t now);
  /// At or after deadline().
  Outcome on_timer(int64_t now);
  /// When on_timer wants to be called; kNever.
  int64_t deadline() const;

  /// Bytes to be sent as soon as the messages being sent allow: between two messages.
  std::string& output() { return output_; }
  /// A subscription change, as the peer's version wants it. Only when ready.
  void subscription(bool subscribe, std::string_view topic);
  /// An empty message, before all others (PROBE_ROUTER). Only when ready.
  void probe();

  bool ready() const { return state_ == State::traffic; }
  /// Input stands still because the application does not take messages.
  bool throttled() const { return decoder_.throttled(); }
  const PeerProperties& peer() const { return mechanism_->peer; }
  const Failure& failure() const { return failure_; }

 private:
  enum class State { greeting, handshake, held, traffic, failed };

  bool on_command(std::string_view name, std::string_view data) override;
  bool on_ping(std::string_view data);
  Outcome handshake(int64_t now);
  bool take_greeting();
  Outcome take_command(bool& progress);
  Outcome check_peer();
  Outcome fail(Failure failure);
  Outcome outcome(Decoder::Status status);
  void heard(int64_t now);

  const EngineConfig config_;
  std::unique_ptr<Mechanism> mechanism_;
  Decoder decoder_;
  State state_ = State::greeting;
  std::string output_;
  Failure failure_;
  int peer_minor_ = 0;
  // Handshake input: small and bounded, not in the pipe.
  std::string input_;
  std::size_t input_used_ = 0;  ///< bytes of input_ that have been received
  std::size_t input_total_ = 0;
  // Deadlines, kNever if off.
  int64_t handshake_by_ = kNever;
  int64_t ping_at_ = kNever;
  int64_t heard_by_ = kNever;  ///< our timeout after a PING
  int64_t ttl_by_ = kNever;    ///< what the peer asked for
  int64_t ttl_ = 0;
  int64_t heard_at_ = 0;
};

}  // namespace zerowire
