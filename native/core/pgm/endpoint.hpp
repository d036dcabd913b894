// PGM endpoints as libzmq and OpenPGM write them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "net/address.hpp"
#include "pgm/wire.hpp"
#include "zerowire/error.hpp"

namespace zerowire::pgm {

/// "interface;group,group;send group:port". Taken apart, nothing looked up.
struct Endpoint {
  std::string text;                  ///< as written, with the scheme
  bool raw = false;                  ///< pgm:// (IP protocol 113), else epgm:// (UDP)
  std::string interface;             ///< name, address or network; empty = the default
  std::vector<std::string> receive;  ///< groups; empty = the default group
  std::string send;                  ///< empty = the first receive group
  uint16_t port = 0;
};

/// `rest` is what follows "://". EINVAL names what is wrong.
Result<Endpoint> parse_endpoint(std::string_view text, bool raw, std::string_view rest);

/// Addresses of an endpoint on this machine.
struct Network {
  unsigned interface_index = 0;
  Address interface;             ///< its address, port 0
  std::vector<Address> receive;  ///< groups, with the endpoint's port
  Address send;                  ///< group, with the endpoint's port
};

/// Finds the interface among those of the machine; never asks a name server. ENODEV: no such
/// interface. EINVAL: a group that is none, or families that do not go together.
Result<Network> resolve(const Endpoint& endpoint);

/// The interface still has its address.
bool is_there(const Network& network);

Nla to_nla(const Address& address);
Address to_address(const Nla& nla, uint16_t port);

}  // namespace zerowire::pgm
