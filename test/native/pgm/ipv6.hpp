// Where multicast over IPv6 can be tested.
#pragma once

#include <cstdlib>
#include <string>

namespace zerowire::test {

/// An address of an interface that carries IPv6 multicast, from the environment variable PGM_IPV6;
/// empty = none. Linux' loopback interface does not, and what others lead to is not for tests: it
/// is that of a network namespace.
inline std::string ipv6_interface() {
  const char* address = std::getenv("PGM_IPV6");
  return address ? address : "";
}

}  // namespace zerowire::test
