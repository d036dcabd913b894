// Mechanism: the part of the handshake that differs between NULL, PLAIN and CURVE.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "zerowire/monitor.hpp"
#include "zmtp/metadata.hpp"

namespace zerowire {

/// Why a connection is given up, as the monitor reports it.
struct Failure {
  EventType event = EventType::handshake_failed_no_detail;
  uint32_t value = 0;
};

inline Failure protocol_failure(ProtocolError error) {
  return {EventType::handshake_failed_protocol, static_cast<uint32_t>(error)};
}

/// One handshake. Sans-I/O: commands in, commands out. Belongs to its Engine.
class Mechanism {
 public:
  enum class Step { more, done, failed };

  virtual ~Mechanism() = default;
  /// As in the greeting, without padding.
  virtual std::string_view name() const = 0;
  /// Both greetings are through: what to say first. Appends whole frames to `out`.
  virtual void start(std::string& out) = 0;
  /// A command from the peer: its name and the rest. Appends answers to `out`.
  virtual Step receive(std::string_view command, std::string_view data, std::string& out) = 0;

  PeerProperties peer;
  Failure failure;
};

/// RFC 23: READY each way, nothing is proved.
std::unique_ptr<Mechanism> null_mechanism(SocketType type, std::string_view routing_id);

/// Appends a command frame.
void append_command(std::string& out, std::string_view name, std::string_view data);
/// Splits a command's body; false when malformed.
bool split_command(std::string_view body, std::string_view& name, std::string_view& data);

}  // namespace zerowire
