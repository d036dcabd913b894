// Building and printing socket addresses.
#include "net/address.hpp"

#include <arpa/inet.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <charconv>
#include <cstddef>
#include <cstring>

namespace zerowire {
namespace {

constexpr size_t kUnixHeader = offsetof(sockaddr_un, sun_path);

std::string ip_endpoint(const Address& address) {
  char host[NI_MAXHOST];
  char port[NI_MAXSERV];
  if (getnameinfo(address.get(), address.size, host, sizeof host, port, sizeof port,
                  NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return {};
  }
  const bool brackets = address.family() == AF_INET6;
  return std::string(brackets ? "tcp://[" : "tcp://") + host + (brackets ? "]:" : ":") + port;
}

std::string unix_endpoint(const Address& address) {
  if (address.size <= kUnixHeader) return {};  // unnamed, as the connecting side is
  const char* path = reinterpret_cast<const sockaddr_un*>(&address.storage)->sun_path;
  const size_t size = address.size - kUnixHeader;
  if (path[0] == '\0') return "ipc://@" + std::string(path + 1, size - 1);
  return "ipc://" + std::string(path, strnlen(path, size));
}

/// The interface index that "eth0" or "2" stands for; 0 if there is none.
uint32_t scope_index(const std::string& scope) {
  const uint32_t index = if_nametoindex(scope.c_str());
  if (index != 0) return index;
  uint32_t number = 0;
  const char* end = scope.data() + scope.size();
  const auto parsed = std::from_chars(scope.data(), end, number);
  return parsed.ec == std::errc() && parsed.ptr == end ? number : 0;
}

bool parse_ipv6(const std::string& host, uint16_t port, Address& out) {
  const size_t percent = host.find('%');
  auto* in6 = reinterpret_cast<sockaddr_in6*>(&out.storage);
  if (inet_pton(AF_INET6, host.substr(0, percent).c_str(), &in6->sin6_addr) != 1) return false;
  if (percent != std::string::npos) {
    in6->sin6_scope_id = scope_index(host.substr(percent + 1));
    if (in6->sin6_scope_id == 0) return false;
  }
  in6->sin6_family = AF_INET6;
  in6->sin6_port = htons(port);
  out.size = sizeof(sockaddr_in6);
  return true;
}

}  // namespace

const size_t kMaxIpcPath = sizeof(sockaddr_un::sun_path) - 1;

bool Address::loopback() const {
  if (family() == AF_INET) {
    const auto* in = reinterpret_cast<const sockaddr_in*>(&storage);
    return ntohl(in->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
  }
  if (family() != AF_INET6) return false;
  const in6_addr& in6 = reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_addr;
  if (IN6_IS_ADDR_V4MAPPED(&in6)) return in6.s6_addr[12] == IN_LOOPBACKNET;
  return IN6_IS_ADDR_LOOPBACK(&in6);
}

std::string Address::endpoint() const {
  if (size == 0) return {};
  return family() == AF_UNIX ? unix_endpoint(*this) : ip_endpoint(*this);
}

Address ipc_address(std::string_view path) {
  Address address;
  auto* un = reinterpret_cast<sockaddr_un*>(&address.storage);
  un->sun_family = AF_UNIX;
  std::memcpy(un->sun_path, path.data(), path.size());
  const bool abstract = path.starts_with('@');
  if (abstract) un->sun_path[0] = '\0';
  // Every byte counts in an abstract name, so its end is not marked by a zero.
  address.size = static_cast<socklen_t>(kUnixHeader + path.size() + (abstract ? 0 : 1));
  return address;
}

bool numeric_address(const std::string& host, uint16_t port, Address& out) {
  out = {};
  auto* in = reinterpret_cast<sockaddr_in*>(&out.storage);
  if (inet_pton(AF_INET, host.c_str(), &in->sin_addr) != 1) {
    out = {};
    return parse_ipv6(host, port, out);
  }
  in->sin_family = AF_INET;
  in->sin_port = htons(port);
  out.size = sizeof(sockaddr_in);
  return true;
}

Address any_address(int family, uint16_t port) {
  Address address;
  address.storage.ss_family = static_cast<sa_family_t>(family);
  if (family == AF_INET6) {
    reinterpret_cast<sockaddr_in6*>(&address.storage)->sin6_port = htons(port);
    address.size = sizeof(sockaddr_in6);
  } else {
    reinterpret_cast<sockaddr_in*>(&address.storage)->sin_port = htons(port);
    address.size = sizeof(sockaddr_in);
  }
  return address;
}

}  // namespace zerowire
