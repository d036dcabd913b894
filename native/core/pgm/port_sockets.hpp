// The descriptors of a PGM endpoint, and how they are opened.
#pragma once

#include <vector>

#include "options.hpp"
#include "pgm/endpoint.hpp"
#include "zerowire/error.hpp"

namespace zerowire::pgm {

/// Owns its descriptors, which are non-blocking and close-on-exec.
struct PortSockets {
  struct Group {
    int fd;
    Nla group;
  };

  PortSockets() = default;
  PortSockets(PortSockets&& other) noexcept;
  PortSockets(const PortSockets&) = delete;
  PortSockets& operator=(const PortSockets&) = delete;
  ~PortSockets();

  std::vector<Group> groups;  ///< bound to a group, on the endpoint's interface only
  int unicast = -1;           ///< bound to the interface's address; -1 = nobody sends us NAKs
  int sending = -1;           ///< bound to the interface's address; what comes in is dropped
  unsigned loopback = 0;      ///< index of the loopback interface, if it is up
};

/// How packets leave `PortSockets::sending`.
struct Leaving {
  int hops;
  bool loop;
};

/// An Error names the endpoint and what failed.
Result<PortSockets> open_sockets(const Endpoint& endpoint, const Network& network,
                                 const SocketOptions& options, bool sends);
/// 0 or errno.
int set_leaving(int fd, int family, const Leaving& leaving);

}  // namespace zerowire::pgm
