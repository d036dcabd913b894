// Address: a socket address of any family, printable as an endpoint.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace zerowire {

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;

  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  int family() const { return storage.ss_family; }
  /// 127.0.0.0/8 or ::1, also as a mapped IPv4 address.
  bool loopback() const;
  /// "tcp://127.0.0.1:80", "tcp://[::1]:80", "ipc:///tmp/x", "ipc://@abstract"; "" if empty.
  std::string endpoint() const;
};

/// Longest ipc path, and longest abstract name with its "@", in bytes.
extern const size_t kMaxIpcPath;

/// `path` as in an ipc endpoint, at most kMaxIpcPath bytes; "@name" is Linux' abstract name space.
Address ipc_address(std::string_view path);

/// The address if the host is numeric (no look-up needed): dotted decimal, or IPv6 as in RFC 4291
/// without brackets, with "%eth0" or "%2" for a scope (RFC 4007). False if it is neither, or names
/// a scope that this machine does not have. Does not depend on the option ipv6: who writes an IPv6
/// address wants it.
bool numeric_address(const std::string& host, uint16_t port, Address& out);

/// 0.0.0.0 or, for AF_INET6, [::].
Address any_address(int family, uint16_t port);

}  // namespace zerowire
