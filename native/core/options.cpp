// The table of socket options, and the functions that check and store values by it.
#include "options.hpp"

#include <climits>
#include <initializer_list>
#include <variant>

namespace zerowire {
namespace {

using SO = SocketOptions;

/// Where the value lives, which also says of what kind it is. Monostate: a constant 0.
using Field = std::variant<std::monostate, SocketType SO::*, bool SO::*, int SO::*, int64_t SO::*,
                           uint64_t SO::*, std::string SO::*>;

constexpr unsigned types(std::initializer_list<SocketType> list) {
  unsigned mask = 0;
  for (SocketType type : list) mask |= 1u << static_cast<int>(type);
  return mask;
}

constexpr unsigned kAny = ~0u;
constexpr unsigned kReq = types({SocketType::req});
constexpr unsigned kRouter = types({SocketType::router});
constexpr unsigned kXpub = types({SocketType::xpub});
constexpr unsigned kPub = types({SocketType::pub, SocketType::xpub});
constexpr unsigned kFilter = types({SocketType::pub, SocketType::xpub, SocketType::sub});
constexpr unsigned kProbe = types({SocketType::router, SocketType::dealer, SocketType::req});

enum Access { kRead = 1, kWrite = 2, kReadWrite = 3 };

/// `min` and `max` bound a number's value, or a string's length in bytes. Units and defaults are
/// written at the fields of SocketOptions.
struct Row {
  Option id;
  const char* name;
  Field field;
  int64_t min;
  int64_t max;
  unsigned types = kAny;
  Access access = kReadWrite;
};

constexpr int64_t kMs = INT_MAX;
constexpr int64_t kNameMax = 15;  // of network interfaces and congestion controls, without NUL

constexpr Row kRows[] = {
    // Immediate: they act on the whole socket at once.
    {Option::linger, "linger", &SO::linger, -1, kMs},
    {Option::send_high_water_mark, "sendHighWaterMark", &SO::send_high_water_mark, 0, INT_MAX},
    {Option::receive_high_water_mark, "receiveHighWaterMark", &SO::receive_high_water_mark, 0,
     INT_MAX},
    {Option::send_timeout, "sendTimeout", &SO::send_timeout, -1, kMs},
    {Option::receive_timeout, "receiveTimeout", &SO::receive_timeout, -1, kMs},
    {Option::router_mandatory, "mandatory", &SO::router_mandatory, 0, 1, kRouter},
    {Option::router_handover, "handover", &SO::router_handover, 0, 1, kRouter},
    {Option::probe_router, "probeRouter", &SO::probe_router, 0, 1, kProbe},
    {Option::req_correlate, "correlate", &SO::req_correlate, 0, 1, kReq},
    {Option::req_relaxed, "relaxed", &SO::req_relaxed, 0, 1, kReq},
    {Option::xpub_verbose, "xpubVerbose", &SO::xpub_verbose, 0, 1, kPub},
    {Option::xpub_verboser, "xpubVerboser", &SO::xpub_verboser, 0, 1, kXpub},
    {Option::xpub_nodrop, "noDrop", &SO::xpub_nodrop, 0, 1, kPub},
    {Option::xpub_manual, "manual", &SO::xpub_manual, 0, 1, kXpub},
    {Option::xpub_welcome_message, "welcomeMessage", &SO::xpub_welcome_message, 0, INT_MAX, kPub},
    {Option::invert_matching, "invertMatching", &SO::invert_matching, 0, 1, kFilter},
    {Option::connect_routing_id, "connectRoutingId", &SO::connect_routing_id, 1, 255, kRouter,
     kWrite},

    // For endpoints bound or connected afterwards. Any socket type may set a routing id and
    // conflate, as in libzmq; conflate has an effect on DEALER, PULL, PUSH, PUB and SUB.
    {Option::affinity, "affinity", &SO::affinity, INT64_MIN, INT64_MAX},
    {Option::routing_id, "routingId", &SO::routing_id, 0, 255},
    {Option::send_buffer_size, "sendBufferSize", &SO::send_buffer_size, -1, INT_MAX},
    {Option::receive_buffer_size, "receiveBufferSize", &SO::receive_buffer_size, -1, INT_MAX},
    {Option::reconnect_interval, "reconnectInterval", &SO::reconnect_interval, -1, kMs},
    {Option::reconnect_max_interval, "reconnectMaxInterval", &SO::reconnect_max_interval, 0, kMs},
    {Option::backlog, "backlog", &SO::backlog, 0, INT_MAX},
    {Option::max_message_size, "maxMessageSize", &SO::max_message_size, -1, INT64_MAX},
    {Option::max_multipart_size, "maxMultipartSize", &SO::max_multipart_size, -1, INT64_MAX},
    {Option::max_message_parts, "maxMessageParts", &SO::max_message_parts, 1, INT_MAX},
    {Option::immediate, "immediate", &SO::immediate, 0, 1},
    {Option::conflate, "conflate", &SO::conflate, 0, 1},
    {Option::ipv6, "ipv6", &SO::ipv6, 0, 1},
    {Option::handshake_interval, "handshakeInterval", &SO::handshake_interval, 0, kMs},
    {Option::heartbeat_interval, "heartbeatInterval", &SO::heartbeat_interval, 0, kMs},
    {Option::heartbeat_ttl, "heartbeatTimeToLive", &SO::heartbeat_ttl, 0, 6553599},
    {Option::heartbeat_timeout, "heartbeatTimeout", &SO::heartbeat_timeout, -1, kMs},
    {Option::connect_timeout, "connectTimeout", &SO::connect_timeout, 0, kMs},
    {Option::tcp_keepalive, "tcpKeepalive", &SO::tcp_keepalive, -1, 1},
    {Option::tcp_keepalive_count, "tcpKeepaliveCount", &SO::tcp_keepalive_count, -1, 127},
    {Option::tcp_keepalive_idle, "tcpKeepaliveIdle", &SO::tcp_keepalive_idle, -1, 32767},
    {Option::tcp_keepalive_interval, "tcpKeepaliveInterval", &SO::tcp_keepalive_interval, -1,
     32767},
    {Option::tcp_max_retransmit_timeout, "tcpMaxRetransmitTimeout", &SO::tcp_max_retransmit_timeout,
     0, kMs},
    {Option::tcp_congestion, "tcpCongestion", &SO::tcp_congestion, 0, kNameMax},
    {Option::type_of_service, "typeOfService", &SO::type_of_service, 0, 255},
    {Option::rate, "rate", &SO::rate, 1, INT_MAX},
    {Option::recovery_interval, "recoveryInterval", &SO::recovery_interval, 0, kMs},
    {Option::multicast_hops, "multicastHops", &SO::multicast_hops, 1, 255},
    // Below, headers would leave no room for data; above, no IP packet is longer.
    {Option::multicast_max_transport_data_unit, "multicastMaxTransportDataUnit",
     &SO::multicast_max_tpdu, 128, 65535},
    {Option::multicast_loop, "multicastLoop", &SO::multicast_loop, 0, 1},
    {Option::bind_to_device, "interface", &SO::bind_to_device, 0, kNameMax},

    // Only to be read.
    {Option::type, "type", &SO::type, 0, 0, kAny, kRead},
    {Option::multicast_lost, "multicastLost", &SO::multicast_lost, 0, 0, kAny, kRead},
    {Option::last_endpoint, "lastEndpoint", &SO::last_endpoint, 0, 0, kAny, kRead},
    {Option::mechanism, "securityMechanism", {}, 0, 0, kAny, kRead},
    {Option::thread_safe, "threadSafe", {}, 0, 0, kAny, kRead},
};

Error invalid(const Row& row, const std::string& complaint) {
  return {Errc::invalid, std::string(row.name) + ": " + complaint};
}

/// The row for an option if this socket's type has it and `access` is allowed; else why not.
Result<const Row*> find_row(const SocketOptions& options, Option option, Access access) {
  for (const Row& row : kRows) {
    if (row.id != option) continue;
    if (!(row.types >> static_cast<int>(options.type) & 1u)) {
      return Error{Errc::not_supported, std::string(row.name) + ": not an option of this socket"};
    }
    if (!(row.access & access)) {
      return invalid(row, access == kRead ? "cannot be read" : "cannot be set");
    }
    return &row;
  }
  return Error{Errc::invalid, "unknown option " + std::to_string(static_cast<int>(option))};
}

/// Setting one of the two verbosities decides about both: verbose passes on repeated
/// subscriptions, verboser also repeated unsubscriptions (as XPUB_VERBOSE and XPUB_VERBOSER do).
void couple_verbosity(SocketOptions& options, Option set) {
  if (set == Option::xpub_verbose) options.xpub_verboser = false;
  if (set == Option::xpub_verboser) options.xpub_verbose = options.xpub_verboser;
}

bool starts_with_zero(const std::string_view id) { return !id.empty() && id.front() == '\0'; }

}  // namespace

Result<void> set_option(SocketOptions& options, Option option, int64_t value) {
  const Result<const Row*> found = find_row(options, option, kWrite);
  if (!found) return found.error();
  const Row& row = *found.value();
  if (std::holds_alternative<std::string SO::*>(row.field)) {
    return invalid(row, "takes bytes, not the number " + std::to_string(value));
  }
  if (value < row.min || value > row.max) {
    return invalid(row, std::to_string(value) + " is not in " + std::to_string(row.min) + ".." +
                            std::to_string(row.max));
  }
  // The peer is told in units of 100 ms.
  if (option == Option::heartbeat_ttl) value -= value % 100;

  if (const auto* flag = std::get_if<bool SO::*>(&row.field)) options.*(*flag) = value != 0;
  if (const auto* number = std::get_if<int SO::*>(&row.field)) {
    options.*(*number) = static_cast<int>(value);
  }
  if (const auto* wide = std::get_if<int64_t SO::*>(&row.field)) options.*(*wide) = value;
  if (const auto* bits = std::get_if<uint64_t SO::*>(&row.field)) {
    options.*(*bits) = static_cast<uint64_t>(value);
  }
  couple_verbosity(options, option);
  return {};
}

Result<void> set_option(SocketOptions& options, Option option, std::string_view value) {
  const Result<const Row*> found = find_row(options, option, kWrite);
  if (!found) return found.error();
  const Row& row = *found.value();
  const auto* bytes = std::get_if<std::string SO::*>(&row.field);
  if (!bytes) return invalid(row, "takes a number, not bytes");
  const auto size = static_cast<int64_t>(value.size());
  if (size < row.min || size > row.max) {
    return invalid(row, std::to_string(size) + " bytes, not " + std::to_string(row.min) + ".." +
                            std::to_string(row.max));
  }
  const bool is_id = option == Option::routing_id || option == Option::connect_routing_id;
  if (is_id && starts_with_zero(value)) {
    return invalid(row, "a first byte of zero is reserved for generated ids");
  }
  const bool is_name = option == Option::bind_to_device || option == Option::tcp_congestion;
  if (is_name && value.find('\0') != std::string_view::npos) {
    return invalid(row, "contains a zero byte");
  }
  options.*(*bytes) = value;
  return {};
}

Result<int64_t> get_int_option(const SocketOptions& options, Option option) {
  const Result<const Row*> found = find_row(options, option, kRead);
  if (!found) return found.error();
  const Field& field = found.value()->field;
  if (const auto* type = std::get_if<SocketType SO::*>(&field)) {
    return static_cast<int64_t>(options.*(*type));
  }
  if (const auto* flag = std::get_if<bool SO::*>(&field)) return int64_t{options.*(*flag)};
  if (const auto* number = std::get_if<int SO::*>(&field)) return int64_t{options.*(*number)};
  if (const auto* wide = std::get_if<int64_t SO::*>(&field)) return options.*(*wide);
  if (const auto* bits = std::get_if<uint64_t SO::*>(&field)) {
    return static_cast<int64_t>(options.*(*bits));
  }
  if (std::holds_alternative<std::monostate>(field)) return int64_t{0};
  return invalid(*found.value(), "is not a number");
}

Result<std::string> get_string_option(const SocketOptions& options, Option option) {
  const Result<const Row*> found = find_row(options, option, kRead);
  if (!found) return found.error();
  const auto* bytes = std::get_if<std::string SO::*>(&found.value()->field);
  if (!bytes) return invalid(*found.value(), "is a number");
  return options.*(*bytes);
}

MessageLimits message_limits(const SocketOptions& options) {
  const auto limit = [](int64_t value) {
    return value < 0 ? UINT64_MAX : static_cast<uint64_t>(value);
  };
  return {limit(options.max_message_size), limit(options.max_multipart_size),
          static_cast<uint32_t>(options.max_message_parts)};
}

bool conflates_output(const SocketOptions& options) {
  const SocketType type = options.type;
  return options.conflate &&
         (type == SocketType::dealer || type == SocketType::push || type == SocketType::pub);
}

bool conflates_input(const SocketOptions& options) {
  const SocketType type = options.type;
  return options.conflate &&
         (type == SocketType::dealer || type == SocketType::pull || type == SocketType::sub);
}

}  // namespace zerowire
