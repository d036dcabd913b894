// Where multicast can be tested on an interface like any other.
#pragma once

#include <cstdlib>
#include <string>

namespace zerowire::test {

/// An address of an interface that carries multicast, from the environment; empty = none. Linux'
/// loopback interface does not for IPv6, and what others lead to is not for tests: it is that of a
/// network namespace (see in_network.sh).
inline std::string interface_from(const char* variable) {
  const char* address = std::getenv(variable);
  return address ? address : "";
}

inline std::string ipv4_interface() { return interface_from("PGM_IPV4"); }
inline std::string ipv6_interface() { return interface_from("PGM_IPV6"); }

}  // namespace zerowire::test
