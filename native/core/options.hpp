// SocketOptions: the values of a socket's options, and the table that checks and names them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/limits.hpp"
#include "zerowire/error.hpp"
#include "zerowire/options.hpp"

namespace zerowire {

/// Values as set by the user. Plain data: endpoints copy it when they are bound or connected.
struct SocketOptions {
  SocketType type = SocketType::pair;
  uint64_t affinity = 0;               ///< bit n: IO thread n may own new connections; 0 = any
  std::string routing_id;              ///< 0..255 bytes; must not start with a zero byte
  std::string connect_routing_id;      ///< one-shot name for the next connect (ROUTER)
  int send_buffer_size = -1;           ///< SO_SNDBUF bytes, -1 = system's
  int receive_buffer_size = -1;        ///< SO_RCVBUF bytes, -1 = system's, or tune_loopback()'s
  int linger = -1;                     ///< ms, -1 = for ever
  int reconnect_interval = 100;        ///< ms, -1 = never reconnect
  int reconnect_max_interval = 0;      ///< ms, 0 = no back-off
  int backlog = 100;                   ///< connections waiting to be accepted
  int64_t max_message_size = -1;       ///< bytes of one frame, -1 = no limit
  int64_t max_multipart_size = -1;     ///< bytes of one message, -1 = no limit
  int max_message_parts = 65536;       ///< frames of one message
  int send_high_water_mark = 1000;     ///< messages per peer, 0 = no limit
  int receive_high_water_mark = 1000;  ///< messages per peer, 0 = no limit
  int send_timeout = -1;               ///< ms, -1 = for ever
  int receive_timeout = -1;            ///< ms, -1 = for ever
  bool router_mandatory = false;
  bool router_handover = false;
  bool probe_router = false;
  bool req_correlate = false;
  bool req_relaxed = false;
  bool xpub_verbose = false;
  bool xpub_verboser = false;
  bool xpub_nodrop = false;
  bool xpub_manual = false;
  std::string xpub_welcome_message;  ///< empty = none
  bool invert_matching = false;
  bool conflate = false;
  bool immediate = false;
  bool ipv6 = false;
  int tcp_keepalive = -1;              ///< SO_KEEPALIVE: -1 system's, 0, 1
  int tcp_keepalive_count = -1;        ///< probes 1..127, less = system's
  int tcp_keepalive_idle = -1;         ///< s 1..32767, less = system's
  int tcp_keepalive_interval = -1;     ///< s 1..32767, less = system's
  int type_of_service = 0;             ///< IP_TOS / IPV6_TCLASS
  int handshake_interval = 30000;      ///< ms from the open connection to READY, 0 = no limit
  int heartbeat_interval = 0;          ///< ms between PINGs, 0 = off
  int heartbeat_ttl = 0;               ///< ms, multiple of 100, told to the peer
  int heartbeat_timeout = -1;          ///< ms without traffic after a PING, -1 = heartbeat_interval
  int connect_timeout = 0;             ///< ms, 0 = system's
  int tcp_max_retransmit_timeout = 0;  ///< ms, TCP_USER_TIMEOUT, 0 = system's
  std::string bind_to_device;          ///< SO_BINDTODEVICE, empty = any
  std::string tcp_congestion;          ///< TCP_CONGESTION, empty = system's
  int rate = 100;                      ///< multicast: kbit/s of data and repairs, headers included
  int recovery_interval = 10000;       ///< multicast: ms for which data is kept, or asked for
  int multicast_hops = 1;              ///< IP_MULTICAST_TTL
  int multicast_max_tpdu = 1500;       ///< multicast: bytes of an IP packet
  bool multicast_loop = true;          ///< IP_MULTICAST_LOOP: sockets on this machine hear it too
  int64_t multicast_lost = 0;          ///< packets; read only
  std::string last_endpoint;           ///< read only
};

/// What a peer may send to a socket with these options.
MessageLimits message_limits(const SocketOptions& options);

/// Whether option conflate, which other types ignore, acts on what the socket sends / receives.
bool conflates_output(const SocketOptions& options);
bool conflates_input(const SocketOptions& options);

/// Sets one option after checking name, type, range, socket type. EINVAL or ENOTSUP (option of
/// another socket type), naming option and value.
Result<void> set_option(SocketOptions& options, Option option, int64_t value);
Result<void> set_option(SocketOptions& options, Option option, std::string_view value);
Result<int64_t> get_int_option(const SocketOptions& options, Option option);
Result<std::string> get_string_option(const SocketOptions& options, Option option);

}  // namespace zerowire
