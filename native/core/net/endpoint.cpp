// Parsing endpoints, and finding the addresses they mean.
#include "net/endpoint.hpp"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "pgm/endpoint.hpp"

namespace zerowire {
namespace {

constexpr size_t kMaxInprocName = 255;
constexpr size_t kMaxHostName = 255;
constexpr size_t kMaxQuoted = 256;  // of an endpoint, in error texts

Error malformed(std::string_view endpoint, const char* complaint, Errc code = Errc::invalid) {
  return {code, std::string(endpoint.substr(0, kMaxQuoted)) + ": " + complaint};
}

bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '-' || c == '_';
}

bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxHostName && name.front() != '-' &&
         name.front() != '.' && std::all_of(name.begin(), name.end(), is_name_char);
}

/// "::1" or "fe80::1%eth0". Whether the scope exists is only known when the address is used.
bool is_ipv6(std::string_view host) {
  const size_t percent = host.find('%');
  in6_addr ignored;
  if (inet_pton(AF_INET6, std::string(host.substr(0, percent)).c_str(), &ignored) != 1) {
    return false;
  }
  return percent == std::string_view::npos || is_name(host.substr(percent + 1));
}

bool parse_port(std::string_view text, uint16_t& port) {
  if (text == "*") {
    port = 0;
    return true;
  }
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, port);
  return parsed.ec == std::errc() && parsed.ptr == end && text.size() <= 5;
}

/// "host:port"; null, or what is wrong with it.
const char* parse_host_port(std::string_view text, std::string& host, uint16_t& port) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return "the port is missing";
  if (!parse_port(text.substr(colon + 1), port)) return "the port must be * or 0..65535";
  std::string_view name = text.substr(0, colon);
  if (name.starts_with('[')) {
    name.remove_prefix(1);
    if (!name.ends_with(']')) return "the closing bracket is missing";
    name.remove_suffix(1);
    if (!is_ipv6(name)) return "no IPv6 address in the brackets";
  } else if (name.find(':') != std::string_view::npos) {
    return "an IPv6 address must be in brackets";
  } else if (name != "*" && !is_name(name)) {
    return "the host is missing or has a character that names cannot have";
  }
  host = name;
  return nullptr;
}

Result<Endpoint> parse_tcp(Endpoint endpoint, std::string_view rest) {
  const size_t semicolon = rest.find(';');
  if (semicolon != std::string_view::npos) {
    const char* complaint =
        parse_host_port(rest.substr(0, semicolon), endpoint.source_host, endpoint.source_port);
    if (complaint) return malformed(endpoint.text, complaint);
    rest.remove_prefix(semicolon + 1);
  }
  const char* complaint = parse_host_port(rest, endpoint.host, endpoint.port);
  if (complaint) return malformed(endpoint.text, complaint);
  return endpoint;
}

Result<Endpoint> parse_ipc(Endpoint endpoint, std::string_view rest) {
  if (rest.empty() || rest == "@") return malformed(endpoint.text, "the path is missing");
  if (rest.size() > kMaxIpcPath) {
    return malformed(endpoint.text, "the path is too long", Errc::name_too_long);
  }
  endpoint.host = rest;
  return endpoint;
}

Result<Endpoint> parse_inproc(Endpoint endpoint, std::string_view rest) {
  if (rest.empty()) return malformed(endpoint.text, "the name is missing");
  if (rest.size() > kMaxInprocName) return malformed(endpoint.text, "the name is too long");
  endpoint.host = rest;
  return endpoint;
}

Result<Endpoint> parse_multicast(Endpoint endpoint, std::string_view rest) {
  endpoint.scheme = Scheme::multicast;
  const Result<pgm::Endpoint> parsed =
      pgm::parse_endpoint(endpoint.text, endpoint.text.starts_with("pgm"), rest);
  if (!parsed) return parsed.error();
  endpoint.host = rest;
  endpoint.port = parsed.value().port;
  return endpoint;
}

/// Whether an interface's address is a better choice than what has been found so far.
int preference(const sockaddr* address, bool ipv6) {
  if (address->sa_family == AF_INET) return ipv6 ? 1 : 3;
  if (address->sa_family != AF_INET6 || !ipv6) return 0;
  const auto* in6 = reinterpret_cast<const sockaddr_in6*>(address);
  return IN6_IS_ADDR_LINKLOCAL(&in6->sin6_addr) ? 2 : 3;
}

bool interface_address(const std::string& name, uint16_t port, bool ipv6, Address& out) {
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return false;
  int best = 0;
  for (const ifaddrs* item = list; item; item = item->ifa_next) {
    if (!item->ifa_addr || name != item->ifa_name) continue;
    const int rank = preference(item->ifa_addr, ipv6);
    if (rank <= best) continue;
    best = rank;
    out = any_address(item->ifa_addr->sa_family, port);
    std::memcpy(&out.storage, item->ifa_addr, out.size);
  }
  freeifaddrs(list);
  if (best == 0) return false;
  if (out.family() == AF_INET6) {
    reinterpret_cast<sockaddr_in6*>(&out.storage)->sin6_port = htons(port);
  } else {
    reinterpret_cast<sockaddr_in*>(&out.storage)->sin_port = htons(port);
  }
  return true;
}

bool local_address(const std::string& host, uint16_t port, bool ipv6, Address& out) {
  if (host == "*") {
    out = any_address(ipv6 ? AF_INET6 : AF_INET, port);
    return true;
  }
  if (host == "localhost") return numeric_address(ipv6 ? "::1" : "127.0.0.1", port, out);
  return numeric_address(host, port, out) || interface_address(host, port, ipv6, out);
}

}  // namespace

Result<Endpoint> parse_endpoint(std::string_view text) {
  Endpoint endpoint;
  endpoint.text = text;
  if (text.find('\0') != std::string_view::npos) return malformed(text, "contains a zero byte");
  const size_t mark = text.find("://");
  if (mark == std::string_view::npos || mark == 0) {
    return malformed(text, "not of the form transport://address");
  }
  const std::string_view scheme = text.substr(0, mark);
  const std::string_view rest = text.substr(mark + 3);
  if (scheme == "tcp") {
    endpoint.scheme = Scheme::tcp;
    return parse_tcp(std::move(endpoint), rest);
  }
  if (scheme == "ipc") {
    endpoint.scheme = Scheme::ipc;
    return parse_ipc(std::move(endpoint), rest);
  }
  if (scheme == "epgm" || scheme == "pgm") return parse_multicast(std::move(endpoint), rest);
  if (scheme == "inproc") return parse_inproc(std::move(endpoint), rest);
  return malformed(text, "the transport is not supported", Errc::protocol_not_supported);
}

bool is_multicast(std::string_view text) {
  return text.starts_with("epgm://") || text.starts_with("pgm://");
}

Result<void> check_connectable(const Endpoint& endpoint) {
  const bool wild = endpoint.scheme == Scheme::ipc || endpoint.scheme == Scheme::tcp;
  if (wild && endpoint.host == "*") {
    return malformed(endpoint.text, "cannot connect to a wildcard address");
  }
  if (endpoint.scheme == Scheme::tcp && endpoint.port == 0) {
    return malformed(endpoint.text, "cannot connect to a wildcard port");
  }
  return {};
}

Result<Address> bind_address(const Endpoint& endpoint, bool ipv6) {
  if (!endpoint.source_host.empty()) {
    return malformed(endpoint.text, "a source address is for connect only");
  }
  Address address;
  if (!local_address(endpoint.host, endpoint.port, ipv6, address)) {
    return malformed(endpoint.text, "no such interface or local address", Errc::no_device);
  }
  return address;
}

Result<Address> source_address(const Endpoint& endpoint, int family) {
  Address address;
  if (!local_address(endpoint.source_host, endpoint.source_port, family == AF_INET6, address)) {
    return malformed(endpoint.text, "no such interface or local source address", Errc::no_device);
  }
  return address;
}

Result<Address> resolve_address(const std::string& host, uint16_t port, bool ipv6, unsigned turn) {
  addrinfo hints{};
  hints.ai_family = ipv6 ? AF_UNSPEC : AF_INET;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* list = nullptr;
  const int failure = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &list);
  if (failure != 0) {
    Errc code = Errc::host_unreachable;
    if (failure == EAI_MEMORY) code = Errc::no_memory;
    if (failure == EAI_SYSTEM && errno != 0) code = static_cast<Errc>(errno);
    return Error{code, host + ": " + gai_strerror(failure)};
  }
  unsigned count = 0;
  for (const addrinfo* item = list; item; item = item->ai_next) ++count;
  const addrinfo* chosen = list;
  for (unsigned i = turn % count; i > 0; --i) chosen = chosen->ai_next;
  Address address;
  address.size = chosen->ai_addrlen;
  std::memcpy(&address.storage, chosen->ai_addr, chosen->ai_addrlen);
  freeaddrinfo(list);
  return address;
}

}  // namespace zerowire
