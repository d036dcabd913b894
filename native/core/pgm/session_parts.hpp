// What the halves of a session work with.
#pragma once

#include <string>

#include "options.hpp"
#include "pgm/endpoint.hpp"
#include "pgm/port.hpp"
#include "pipe/link.hpp"
#include "reactor/reactor.hpp"
#include "socket_shared.hpp"

namespace zerowire::pgm {

/// All of it outlives the halves.
struct SessionParts {
  Reactor& reactor;
  SocketShared& shared;
  Link& link;
  const SocketOptions& options;
  const Endpoint& endpoint;
  const Network& network;
  Port& port;
};

/// The rate of a sender with these options.
inline uint64_t bytes_per_second(const SocketOptions& options) {
  constexpr uint64_t kBytesPerKbit = 125;
  return static_cast<uint64_t>(options.rate) * kBytesPerKbit;
}

/// Octets that it keeps for repair.
inline uint64_t recovery_bytes(const SocketOptions& options) {
  return bytes_per_second(options) / 1000 * static_cast<uint64_t>(options.recovery_interval);
}

}  // namespace zerowire::pgm
