// Socket options: one enumerator each, numbered as in libzmq's zmq.h (ours start at 10000).
#pragma once

namespace zerowire {

/// Socket types, numbered as in libzmq's zmq.h; names on the wire are in RFC 28 and RFC 37.
enum class SocketType : int {
  pair = 0,
  pub = 1,
  sub = 2,
  req = 3,
  rep = 4,
  dealer = 5,
  router = 6,
  pull = 7,
  push = 8,
  xpub = 9,
  xsub = 10,
};

/// Unit, default and range of each are in the table of native/core/options.cpp, which also says
/// which can be read or written, for which socket types, and which act at once ("immediate"); the
/// others apply to endpoints bound or connected afterwards.
enum class Option : int {
  affinity = 4,
  routing_id = 5,
  subscribe = 6,
  unsubscribe = 7,
  rate = 8,
  recovery_interval = 9,
  send_buffer_size = 11,
  receive_buffer_size = 12,
  type = 16,
  linger = 17,
  reconnect_interval = 18,
  backlog = 19,
  reconnect_max_interval = 21,
  max_message_size = 22,
  send_high_water_mark = 23,
  receive_high_water_mark = 24,
  multicast_hops = 25,
  receive_timeout = 27,
  send_timeout = 28,
  last_endpoint = 32,
  router_mandatory = 33,
  tcp_keepalive = 34,
  tcp_keepalive_count = 35,
  tcp_keepalive_idle = 36,
  tcp_keepalive_interval = 37,
  immediate = 39,
  xpub_verbose = 40,
  ipv6 = 42,
  mechanism = 43,
  probe_router = 51,
  req_correlate = 52,
  req_relaxed = 53,
  conflate = 54,
  router_handover = 56,
  type_of_service = 57,
  connect_routing_id = 61,
  handshake_interval = 66,
  xpub_nodrop = 69,
  xpub_manual = 71,
  xpub_welcome_message = 72,
  invert_matching = 74,
  heartbeat_interval = 75,
  heartbeat_ttl = 76,
  heartbeat_timeout = 77,
  xpub_verboser = 78,
  connect_timeout = 79,
  tcp_max_retransmit_timeout = 80,
  thread_safe = 81,
  multicast_max_transport_data_unit = 84,
  bind_to_device = 92,
  multicast_loop = 96,
  /// Bytes of a whole multipart message a peer may send (libzmq has no such limit).
  max_multipart_size = 10000,
  /// Parts of one message a peer may send (libzmq has no such limit).
  max_message_parts = 10001,
  /// Name of the TCP congestion control (TCP_CONGESTION), "" = the system's.
  tcp_congestion = 10002,
  /// Multicast packets that this socket has lost for good so far.
  multicast_lost = 10003,
};

}  // namespace zerowire
