// Endpoints: "tcp://host:port", "ipc://path", "inproc://name", "epgm://group:port" as text and
// taken apart.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "net/address.hpp"
#include "zerowire/error.hpp"

namespace zerowire {

enum class Scheme {
  inproc,
  ipc,
  tcp,
  multicast,  ///< pgm and epgm
};

/// An endpoint as written by the user, checked for form only: no name has been looked up.
struct Endpoint {
  Scheme scheme = Scheme::inproc;
  std::string text;         ///< as the user wrote it
  std::string host;         ///< tcp: name, address (no brackets), interface, "*"; ipc: path or "*"
                            ///< or "@name"; inproc: name; multicast: what follows "://", for
                            ///< pgm::parse_endpoint
  uint16_t port = 0;        ///< tcp; 0 = wildcard ("*" or 0), bind only
  std::string source_host;  ///< tcp connect "tcp://source:port;host:port": empty if none
  uint16_t source_port = 0;
};

/// Takes `text` apart. EINVAL (malformed), EPROTONOSUPPORT (unknown scheme), ENAMETOOLONG (ipc
/// path); the error text contains the endpoint.
Result<Endpoint> parse_endpoint(std::string_view text);
/// Whether the text has the scheme of a multicast transport; bind and connect mean the same there.
bool is_multicast(std::string_view text);
/// EINVAL if the endpoint has a wildcard where only bind allows one.
Result<void> check_connectable(const Endpoint& endpoint);

/// The local address to bind: numeric address, interface name, "*", "localhost". Never looks up
/// other names: ENODEV. EINVAL for the source form, which is for connect. `ipv6` as the option of
/// that name: "*" is then dual stack; addresses written out are taken whatever it says.
Result<Address> bind_address(const Endpoint& endpoint, bool ipv6);
/// The same for the source address of a connection to an address of `family`.
Result<Address> source_address(const Endpoint& endpoint, int family);
/// tcp connect: looks the host up (blocks; never call it on an IO or application thread). Unknown
/// hosts are EHOSTUNREACH. IPv4 only, or with `ipv6` any. Of several addresses, in the order that
/// the system prefers, number `turn`, counted round and round.
Result<Address> resolve_address(const std::string& host, uint16_t port, bool ipv6, unsigned turn);

}  // namespace zerowire
