#include "pgm/endpoint.hpp"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>

namespace zerowire::pgm {
namespace {

constexpr std::size_t kMaxQuoted = 256;  // of an endpoint, in error texts
/// A socket of Linux joins no more (net.ipv4.igmp_max_memberships).
constexpr std::size_t kMaxGroups = 20;
/// What OpenPGM takes when none is named.
constexpr const char* kDefaultGroup = "239.192.0.1";
constexpr const char* kDefaultGroupIpv6 = "ff08::1";

Error failure(const Endpoint& endpoint, const char* complaint, Errc code = Errc::invalid) {
  return {code, endpoint.text.substr(0, kMaxQuoted) + ": " + complaint};
}

/// Takes off everything up to the next separator, and the separator.
std::string_view take_until(std::string_view& text, char separator) {
  const std::string_view taken = text.substr(0, text.find(separator));
  text.remove_prefix(std::min(taken.size() + 1, text.size()));
  return taken;
}

bool parse_port(std::string_view text, uint16_t& port) {
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, port);
  return parsed.ec == std::errc() && parsed.ptr == end && text.size() <= 5 && port != 0;
}

/// "[ff08::1]" is "ff08::1". False if a bracket is alone.
bool remove_brackets(std::string_view& text) {
  if (text.starts_with('[') != text.ends_with(']')) return false;
  if (text.starts_with('[')) text = text.substr(1, text.size() - 2);
  return text.find_first_of("[]") == std::string_view::npos;
}

in_addr ipv4_of(const sockaddr* address) {
  return reinterpret_cast<const sockaddr_in*>(address)->sin_addr;
}
in6_addr ipv6_of(const sockaddr* address) {
  return reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr;
}

/// An address as octets, so that those of both families can be compared.
std::string_view octets_of(const sockaddr* address) {
  if (address->sa_family == AF_INET) {
    const auto* in = reinterpret_cast<const sockaddr_in*>(address);
    return {reinterpret_cast<const char*>(&in->sin_addr), sizeof in->sin_addr};
  }
  const auto* in6 = reinterpret_cast<const sockaddr_in6*>(address);
  return {reinterpret_cast<const char*>(&in6->sin6_addr), sizeof in6->sin6_addr};
}

bool is_multicast(const Address& address) {
  if (address.family() == AF_INET) return IN_MULTICAST(ntohl(ipv4_of(address.get()).s_addr));
  const in6_addr in6 = ipv6_of(address.get());
  return IN6_IS_ADDR_MULTICAST(&in6);
}

/// Whether it is the address of a group; that its scope exists is only known when it is used.
bool is_group(std::string_view text) {
  Address address;
  const std::string_view plain = text.substr(0, text.find('%'));
  return numeric_address(std::string(plain), 0, address) && is_multicast(address);
}

/// "group,group"; null, or what is wrong with it.
const char* parse_groups(std::string_view text, std::vector<std::string>& groups) {
  while (!text.empty()) {
    const bool another = text.find(',') != std::string_view::npos;
    std::string_view group = take_until(text, ',');
    if (!remove_brackets(group) || !is_group(group)) return "a group must be a multicast address";
    if (groups.size() == kMaxGroups) return "too many groups";
    groups.emplace_back(group);
    if (another && text.empty()) return "a group is missing";
  }
  return nullptr;
}

/// "interface;groups;send group", "interface" or "group"; null, or what is wrong with it.
const char* parse_network(std::string_view text, Endpoint& endpoint) {
  std::string_view first = take_until(text, ';');
  if (!remove_brackets(first)) return "a bracket is missing";
  if (first.find(',') != std::string_view::npos) return "there can be only one interface";
  const char* complaint = parse_groups(take_until(text, ';'), endpoint.receive);
  if (complaint) return complaint;
  std::vector<std::string> send;
  complaint = parse_groups(text, send);
  if (complaint) return complaint;
  if (send.size() > 1) return "there can be only one group to send to";
  if (!send.empty()) endpoint.send = send[0];
  if (!is_group(first)) {
    endpoint.interface = first;
  } else if (endpoint.receive.empty() && endpoint.send.empty()) {
    endpoint.receive.emplace_back(first);
  } else {
    return "the address of a group cannot be that of an interface";
  }
  return nullptr;
}

/// What an endpoint says about its interface.
class Wanted {
 public:
  explicit Wanted(const std::string& text) : text_(text) {
    const std::size_t slash = text.find('/');
    if (!numeric_address(text.substr(0, slash), 0, address_)) return;
    const std::size_t bits = 8 * octets_of(address_.get()).size();
    if (slash == std::string::npos) return;
    const char* end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data() + slash + 1, end, prefix_);
    has_prefix_ = parsed.ec == std::errc() && parsed.ptr == end && prefix_ <= bits;
    if (!has_prefix_) address_ = {};
  }

  /// The more, the better it fits; 0 = not at all. A name goes before an address, and that before
  /// a network.
  int fits(const ifaddrs& item) const {
    if (text_.empty()) return fits_default(item);
    if (text_ == item.ifa_name) return 3;
    if (item.ifa_addr->sa_family != address_.family()) return 0;
    if (has_prefix_) return in_prefix(item.ifa_addr) ? 1 : 0;
    if (octets_of(item.ifa_addr) == octets_of(address_.get())) return in_scope(item) ? 2 : 0;
    return is_network_of(item) ? 1 : 0;
  }

 private:
  static int fits_default(const ifaddrs& item) {
    if (!(item.ifa_flags & IFF_UP)) return 0;
    if (item.ifa_flags & IFF_LOOPBACK) return 1;
    return item.ifa_flags & IFF_MULTICAST ? 2 : 0;
  }

  /// "fe80::1%eth0" is only that interface's.
  bool in_scope(const ifaddrs& item) const {
    if (address_.family() != AF_INET6) return true;
    const auto scope = reinterpret_cast<const sockaddr_in6*>(address_.get())->sin6_scope_id;
    return scope == 0 || scope == if_nametoindex(item.ifa_name);
  }

  bool in_prefix(const sockaddr* address) const {
    const std::string_view theirs = octets_of(address), ours = octets_of(address_.get());
    const std::size_t whole = prefix_ / 8, bits = prefix_ % 8;
    if (theirs.substr(0, whole) != ours.substr(0, whole)) return false;
    return bits == 0 || ((theirs[whole] ^ ours[whole]) & (0xff00 >> bits) & 0xff) == 0;
  }

  /// "10.77.0.0" is the network of 10.77.0.1 with a mask of 255.255.255.0.
  bool is_network_of(const ifaddrs& item) const {
    if (!item.ifa_netmask) return false;
    const std::string_view theirs = octets_of(item.ifa_addr), ours = octets_of(address_.get());
    // The kernel may leave the family of a mask out.
    sockaddr_storage mask_storage;
    std::memcpy(&mask_storage, item.ifa_netmask,
                theirs.size() == sizeof(in_addr) ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
    mask_storage.ss_family = item.ifa_addr->sa_family;
    const std::string_view mask = octets_of(reinterpret_cast<const sockaddr*>(&mask_storage));
    for (std::size_t i = 0; i < ours.size(); ++i) {
      if ((theirs[i] & mask[i]) != ours[i]) return false;
    }
    return true;
  }

  const std::string& text_;
  Address address_;  ///< also of a network; empty if it is a name
  bool has_prefix_ = false;
  unsigned prefix_ = 0;
};

/// Among addresses of the same interface: IPv4 unless the groups say otherwise, and of IPv6 one
/// that is not bound to the link.
int preference(const sockaddr* address) {
  if (address->sa_family == AF_INET) return 3;
  const in6_addr in6 = ipv6_of(address);
  return IN6_IS_ADDR_LINKLOCAL(&in6) ? 1 : 2;
}

void set_interface(const ifaddrs& item, Network& out) {
  out.interface_index = if_nametoindex(item.ifa_name);
  out.interface = any_address(item.ifa_addr->sa_family, 0);
  std::memcpy(&out.interface.storage, item.ifa_addr, out.interface.size);
}

/// `family`: that of the groups, AF_UNSPEC if none is named.
Result<void> find_interface(const Endpoint& endpoint, int family, Network& out) {
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) {
    return failure(endpoint, "the interfaces cannot be listed", static_cast<Errc>(errno));
  }
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owner(list, &freeifaddrs);
  const Wanted wanted(endpoint.interface);
  int best = 0;
  bool other_family = false;
  for (const ifaddrs* item = list; item; item = item->ifa_next) {
    if (!item->ifa_addr) continue;
    const int its = item->ifa_addr->sa_family;
    if (its != AF_INET && its != AF_INET6) continue;
    const int fits = wanted.fits(*item);
    if (fits == 0) continue;
    if (family != AF_UNSPEC && its != family) {
      other_family = true;
      continue;
    }
    const int rank = 4 * fits + preference(item->ifa_addr);
    if (rank <= best) continue;
    best = rank;
    set_interface(*item, out);
  }
  if (best > 0) return {};
  if (!other_family)
    return failure(endpoint, "no such interface, or it has no address", Errc::no_device);
  return failure(endpoint, "the interface has no address of the family of the groups");
}

/// A group whose scope is the link means one at the interface.
void set_scope(Address& group, unsigned interface_index) {
  if (group.family() != AF_INET6) return;
  auto* in6 = reinterpret_cast<sockaddr_in6*>(&group.storage);
  const bool local =
      IN6_IS_ADDR_MC_LINKLOCAL(&in6->sin6_addr) || IN6_IS_ADDR_MC_NODELOCAL(&in6->sin6_addr);
  if (local && in6->sin6_scope_id == 0) in6->sin6_scope_id = interface_index;
}

/// False: not a group's address, or not of the family of those before.
bool add_group(const std::string& text, uint16_t port, int& family, Address& out) {
  if (!numeric_address(text, port, out) || !is_multicast(out)) return false;
  if (family != AF_UNSPEC && out.family() != family) return false;
  family = out.family();
  return true;
}

}  // namespace

Result<Endpoint> parse_endpoint(std::string_view text, bool raw, std::string_view rest) {
  Endpoint endpoint;
  endpoint.text = text;
  endpoint.raw = raw;
  const std::size_t colon = rest.rfind(':');
  if (colon == std::string_view::npos) return failure(endpoint, "the port is missing");
  if (!parse_port(rest.substr(colon + 1), endpoint.port)) {
    return failure(endpoint, "the port must be 1..65535");
  }
  const char* complaint = parse_network(rest.substr(0, colon), endpoint);
  if (complaint) return failure(endpoint, complaint);
  return endpoint;
}

Result<Network> resolve(const Endpoint& endpoint) {
  Network network;
  int family = AF_UNSPEC;
  for (const std::string& text : endpoint.receive) {
    if (!add_group(text, endpoint.port, family, network.receive.emplace_back())) {
      return failure(endpoint, "not a group, or groups of several address families");
    }
  }
  if (!endpoint.send.empty() && !add_group(endpoint.send, endpoint.port, family, network.send)) {
    return failure(endpoint, "not a group, or groups of several address families");
  }
  const Result<void> found = find_interface(endpoint, family, network);
  if (!found) return found.error();
  if (network.receive.empty()) {
    const bool ipv6 = network.interface.family() == AF_INET6;
    (void)numeric_address(ipv6 ? kDefaultGroupIpv6 : kDefaultGroup, endpoint.port,
                          network.receive.emplace_back());
  }
  for (Address& group : network.receive) set_scope(group, network.interface_index);
  if (endpoint.send.empty()) network.send = network.receive[0];
  set_scope(network.send, network.interface_index);
  return network;
}

bool is_there(const Network& network) {
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return true;  // for all we know
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owner(list, &freeifaddrs);
  for (const ifaddrs* item = list; item; item = item->ifa_next) {
    if (item->ifa_addr && item->ifa_addr->sa_family == network.interface.family() &&
        octets_of(item->ifa_addr) == octets_of(network.interface.get()) &&
        if_nametoindex(item->ifa_name) == network.interface_index) {
      return true;
    }
  }
  return false;
}

Nla to_nla(const Address& address) {
  Nla nla;
  const int family = address.size ? address.family() : AF_UNSPEC;
  if (family != AF_INET && family != AF_INET6) return nla;
  nla.afi = family == AF_INET ? Nla::kIpv4 : Nla::kIpv6;
  std::memcpy(nla.bytes.data(), octets_of(address.get()).data(), nla.size());
  return nla;
}

Address to_address(const Nla& nla, uint16_t port) {
  if (nla.afi != Nla::kIpv4 && nla.afi != Nla::kIpv6) return {};
  Address address = any_address(nla.afi == Nla::kIpv4 ? AF_INET : AF_INET6, port);
  if (nla.afi == Nla::kIpv4) {
    auto* in = reinterpret_cast<sockaddr_in*>(&address.storage);
    std::memcpy(&in->sin_addr, nla.bytes.data(), sizeof in->sin_addr);
  } else {
    auto* in6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
    std::memcpy(&in6->sin6_addr, nla.bytes.data(), sizeof in6->sin6_addr);
  }
  return address;
}

}  // namespace zerowire::pgm
