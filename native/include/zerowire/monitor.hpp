// Monitor events: what happens to a socket's endpoints and connections.
#pragma once

#include <cstdint>
#include <string>

namespace zerowire {

/// Bits of libzmq's zmq_socket_monitor, same values; ours start at 0x1000000.
enum class EventType : uint32_t {
  connected = 0x0001,        ///< value: file descriptor
  connect_delayed = 0x0002,  ///< value: errno (EINPROGRESS)
  connect_retried = 0x0004,  ///< value: milliseconds until the next attempt
  listening = 0x0008,        ///< value: file descriptor
  bind_failed = 0x0010,      ///< value: errno
  accepted = 0x0020,         ///< value: file descriptor
  accept_failed = 0x0040,    ///< value: errno
  closed = 0x0080,           ///< value: file descriptor
  close_failed = 0x0100,     ///< value: errno
  disconnected = 0x0200,     ///< value: file descriptor
  monitor_stopped = 0x0400,
  handshake_failed_no_detail = 0x0800,  ///< value: errno
  handshake_succeeded = 0x1000,
  handshake_failed_protocol = 0x2000,  ///< value: a ProtocolError
  handshake_failed_auth = 0x4000,      ///< value: ZAP status 300, 400 or 500
  multicast_gap = 0x1000000,           ///< value: a LossCause; first, count: what has been lost
  multicast_join = 0x2000000,          ///< a source is heard for the first time
  multicast_leave = 0x4000000,         ///< it has ended, or has not been heard of for minutes
};
inline constexpr uint32_t kAllEvents = 0x700FFFF;

/// ZMQ_PROTOCOL_ERROR_* of zmq.h, same values.
enum class ProtocolError : uint32_t {
  zmtp_unspecified = 0x10000000,
  zmtp_unexpected_command = 0x10000001,
  zmtp_invalid_sequence = 0x10000002,
  zmtp_malformed_unspecified = 0x10000011,
  zmtp_malformed_message = 0x10000012,
  zmtp_malformed_error = 0x10000015,
  zmtp_malformed_ready = 0x10000016,
  zmtp_invalid_metadata = 0x10000018,
  zmtp_mechanism_mismatch = 0x11000002,
};

/// Why multicast packets were lost for good.
enum class LossCause : uint8_t {
  window = 0,         ///< the source does not keep them any more
  timeout = 1,        ///< asked for in vain for the recovery interval
  slow_consumer = 2,  ///< the application left more unread than is kept
  restart = 3,        ///< the source began anew
  protocol = 4,       ///< they hold no messages, or some above a limit; reading goes on behind them
};

struct Event {
  EventType type{};
  uint32_t value = 0;
  std::string address;       ///< the endpoint bound or connected to
  std::string peer_address;  ///< remote host:port, or empty while unknown; multicast: the source
  uint32_t first = 0;        ///< multicast_gap: sequence number of the first lost packet
  uint32_t count = 0;        ///< multicast_gap: how many were lost
};

}  // namespace zerowire
