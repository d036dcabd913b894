#include "pgm/port_sockets.hpp"

#include <linux/filter.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "pgm/kicks.hpp"

namespace zerowire::pgm {
namespace {

constexpr int kProtocol = 113;  // IANA: PGM
/// Expedited forwarding, as libzmq marks its packets.
constexpr int kTypeOfService = 0xb8;
/// A burst of a fast source has to fit while the reactor does something else.
constexpr int kReceiveBuffer = 4 * 1024 * 1024;
/// What a filter lets through of a packet, in octets.
constexpr uint32_t kNothing = 0;
constexpr uint32_t kEverything = 0xffffffff;

int set(int fd, int level, int name, int value) {
  return setsockopt(fd, level, name, &value, sizeof value) == 0 ? 0 : errno;
}

/// Opens a descriptor step by step: after the first failure nothing more is done.
class Opener {
 public:
  Opener(const Endpoint& endpoint, const Network& network, const SocketOptions& options)
      : endpoint_(endpoint), network_(network), options_(options) {}

  int open() {
    const int type = endpoint_.raw ? SOCK_RAW : SOCK_DGRAM;
    const int protocol = endpoint_.raw ? kProtocol : IPPROTO_UDP;
    const int fd = ::socket(family(), type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
    if (fd < 0) fail(errno, "socket");
    return fd;
  }
  void option(int fd, int level, int name, int value, const char* what) {
    if (ok()) fail(set(fd, level, name, value), what);
  }
  void bind(int fd, Address address) {
    if (!ok()) return;
    scope(address);
    if (endpoint_.raw) set_port(address, 0);
    if (::bind(fd, address.get(), address.size) != 0) fail(errno, "bind");
  }
  void join(int fd, const Address& group) {
    if (ok()) fail(join(fd, group, network_.interface_index), "joining the group");
  }
  /// 0 or errno.
  int join(int fd, const Address& group, unsigned interface) const {
    group_req request{};
    request.gr_interface = interface;
    request.gr_group = group.storage;
    const int level = family() == AF_INET ? int{IPPROTO_IP} : int{IPPROTO_IPV6};
    const int result = setsockopt(fd, level, MCAST_JOIN_GROUP, &request, sizeof request);
    return result == 0 ? 0 : errno;
  }
  void filter(int fd, const sock_filter* code, std::size_t size) {
    if (!ok()) return;
    const sock_fprog program{static_cast<unsigned short>(size), const_cast<sock_filter*>(code)};
    if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) != 0) {
      fail(errno, "filter");
    }
  }
  void fail(int error, const char* what) {
    if (error_ || !error) return;
    error_ = error;
    what_ = what;
  }

  bool ok() const { return error_ == 0; }
  int family() const { return network_.interface.family(); }
  Error error() const;

  static void set_port(Address& address, uint16_t port) {
    if (address.family() == AF_INET6) {
      reinterpret_cast<sockaddr_in6*>(&address.storage)->sin6_port = htons(port);
    } else {
      reinterpret_cast<sockaddr_in*>(&address.storage)->sin_port = htons(port);
    }
  }

  const Endpoint& endpoint_;
  const Network& network_;
  const SocketOptions& options_;

 private:
  /// An address of link scope means nothing without its interface.
  void scope(Address& address) const {
    if (address.family() != AF_INET6) return;
    auto* in6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
    if (IN6_IS_ADDR_LINKLOCAL(&in6->sin6_addr) || IN6_IS_ADDR_MC_LINKLOCAL(&in6->sin6_addr)) {
      in6->sin6_scope_id = network_.interface_index;
    }
  }

  int error_ = 0;
  const char* what_ = "";
};

Error Opener::error() const {
  std::string text = endpoint_.text + ": " + what_ + ": " + errc_text(static_cast<Errc>(error_));
  if (endpoint_.raw && (error_ == EPERM || error_ == EACCES)) {
    text += "; pgm:// needs raw sockets, that is the capability CAP_NET_RAW (epgm:// does not)";
  } else if (error_ == EADDRINUSE) {
    text += "; a program of another user, or one that does not share, has the port";
  }
  return {static_cast<Errc>(error_), text};
}

/// What a descriptor is to hear.
enum class Hears : uint8_t {
  all,
  requests,  ///< NAKs and SPMRs: who sends hears its own packets too
  unicast,   ///< these, and kicks: other sources of this machine may be meant
};

/// Drops what is not for us before it costs a wake-up. Raw sockets hear all ports: downstream
/// packets have ours as destination port, upstream ones as source port.
void filter(Opener& opener, int fd, Hears hears) {
  const bool raw = opener.endpoint_.raw;
  const uint16_t port = opener.endpoint_.port;
  std::vector<sock_filter> code;
  if (!raw) {
    code.push_back(BPF_STMT(BPF_LDX | BPF_W | BPF_IMM, 8));  // behind the UDP header
  } else if (opener.family() == AF_INET6) {
    code.push_back(BPF_STMT(BPF_LDX | BPF_W | BPF_IMM, 0));
  } else {
    code.push_back(BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0));  // behind the IP header
  }
  if (raw) {
    code.push_back(BPF_STMT(BPF_LD | BPF_H | BPF_IND, 2));
    code.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, port, 3, 0));
    code.push_back(BPF_STMT(BPF_LD | BPF_H | BPF_IND, 0));
    code.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, port, 1, 0));
    code.push_back(BPF_STMT(BPF_RET | BPF_K, kNothing));
  }
  if (hears == Hears::unicast && !raw) {
    code.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0));
    code.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 8 + Kicks::kSize, 0, 1));
    code.push_back(BPF_STMT(BPF_RET | BPF_K, kEverything));
  }
  if (hears != Hears::all) {
    code.push_back(BPF_STMT(BPF_LD | BPF_B | BPF_IND, 4));
    code.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, uint8_t(Type::nak), 3, 0));
    code.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, uint8_t(Type::nnak), 2, 0));
    code.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, uint8_t(Type::spmr), 1, 0));
    code.push_back(BPF_STMT(BPF_RET | BPF_K, kNothing));
  }
  code.push_back(BPF_STMT(BPF_RET | BPF_K, kEverything));
  opener.filter(fd, code.data(), code.size());
}

void share_port(Opener& opener, int fd) {
  opener.option(fd, SOL_SOCKET, SO_REUSEADDR, 1, "SO_REUSEADDR");
  opener.option(fd, SOL_SOCKET, SO_REUSEPORT, 1, "SO_REUSEPORT");
}

void make_receiving(Opener& opener, int fd, Hears hears) {
  const int asked = opener.options_.receive_buffer_size;
  const int size = asked >= 0 ? asked : kReceiveBuffer;
  if (set(fd, SOL_SOCKET, SO_RCVBUFFORCE, size) != 0) (void)set(fd, SOL_SOCKET, SO_RCVBUF, size);
  filter(opener, fd, hears);
  // Nothing of groups that only other sockets of this machine have joined: raw ones of IPv6 hear
  // it even when bound to an address. Before Linux 4.20 more is heard than necessary.
  if (opener.family() == AF_INET) {
    opener.option(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0, "IP_MULTICAST_ALL");
  } else {
    (void)set(fd, IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0);
  }
  if (!opener.endpoint_.raw) share_port(opener, fd);
}

/// The loopback interface, if it is up; else 0.
unsigned loopback_interface(int fd) {
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  if (ioctl(fd, SIOCGIFFLAGS, &request) != 0 || !(request.ifr_flags & IFF_UP)) return 0;
  return ioctl(fd, SIOCGIFINDEX, &request) == 0 ? static_cast<unsigned>(request.ifr_ifindex) : 0;
}

/// Makes a source deaf to what this machine sends to the group, so that the kernel need not hand a
/// copy of every data packet back: it does so for whoever listens, as long as somebody does, and
/// without offload that is a fifth of a sender's time. Requests of this machine come by the
/// loopback interface, see Port::send_group(). IPv6 sockets are bound to their interface.
void hear_others_only(const Opener& opener, int fd, const Address& group) {
  const unsigned loopback = loopback_interface(fd);
  const unsigned interface = opener.network_.interface_index;
  if (opener.family() != AF_INET || loopback == 0 || loopback == interface) return;
  if (opener.join(fd, group, loopback) != 0) return;
  group_source_req request{};
  request.gsr_interface = interface;
  request.gsr_group = group.storage;
  request.gsr_source = opener.network_.interface.storage;
  (void)setsockopt(fd, IPPROTO_IP, MCAST_BLOCK_SOURCE, &request, sizeof request);
}

/// Hears what is sent to the group and comes in by the interface, and nothing of groups that other
/// sockets of this machine have joined.
int open_group(Opener& opener, const Address& group, bool sends) {
  const int fd = opener.open();
  if (fd < 0) return fd;
  make_receiving(opener, fd, sends ? Hears::requests : Hears::all);
  if (opener.family() == AF_INET6) {
    // Since Linux 5.7; without it, more is heard than necessary.
    (void)set(fd, SOL_SOCKET, SO_BINDTOIFINDEX, static_cast<int>(opener.network_.interface_index));
    // Raw sockets of IPv6 never hear IPv4, and refuse to be told so.
    if (!opener.endpoint_.raw) opener.option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1, "IPV6_V6ONLY");
  }
  opener.bind(fd, group);
  opener.join(fd, group);
  if (sends && opener.ok()) hear_others_only(opener, fd, group);
  return fd;
}

int open_unicast(Opener& opener) {
  const int fd = opener.open();
  if (fd < 0) return fd;
  make_receiving(opener, fd, Hears::unicast);
  Address address = opener.network_.interface;
  Opener::set_port(address, opener.endpoint_.port);
  opener.bind(fd, address);
  return fd;
}

void set_interface(Opener& opener, int fd) {
  const auto index = static_cast<int>(opener.network_.interface_index);
  if (opener.family() == AF_INET6) {
    return opener.option(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, index, "IPV6_MULTICAST_IF");
  }
  if (!opener.ok()) return;
  ip_mreqn request{};
  request.imr_ifindex = index;
  request.imr_address =
      reinterpret_cast<const sockaddr_in*>(opener.network_.interface.get())->sin_addr;
  if (setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &request, sizeof request) != 0) {
    opener.fail(errno, "IP_MULTICAST_IF");
  }
}

void set_type_of_service(Opener& opener, int fd) {
  const int asked = opener.options_.type_of_service;
  if (opener.family() == AF_INET) {
    opener.option(fd, IPPROTO_IP, IP_TOS, asked > 0 ? asked : kTypeOfService, "IP_TOS");
  } else if (asked > 0) {
    opener.option(fd, IPPROTO_IPV6, IPV6_TCLASS, asked, "IPV6_TCLASS");
  }
}

int open_sending(Opener& opener) {
  const int fd = opener.open();
  if (fd < 0) return fd;
  const sock_filter none = BPF_STMT(BPF_RET | BPF_K, kNothing);
  opener.filter(fd, &none, 1);
  const int size = opener.options_.send_buffer_size;
  if (size >= 0) opener.option(fd, SOL_SOCKET, SO_SNDBUF, size, "SO_SNDBUF");
  set_type_of_service(opener, fd);
  set_interface(opener, fd);
  const Leaving leaving{opener.options_.multicast_hops, opener.options_.multicast_loop};
  if (opener.ok()) opener.fail(set_leaving(fd, opener.family(), leaving), "multicast options");
  opener.bind(fd, opener.network_.interface);
  return fd;
}

}  // namespace

PortSockets::PortSockets(PortSockets&& other) noexcept
    : groups(std::exchange(other.groups, {})),
      unicast(std::exchange(other.unicast, -1)),
      sending(std::exchange(other.sending, -1)),
      loopback(other.loopback) {}

PortSockets::~PortSockets() {
  for (const Group& group : groups) ::close(group.fd);
  if (unicast >= 0) ::close(unicast);
  if (sending >= 0) ::close(sending);
}

Result<PortSockets> open_sockets(const Endpoint& endpoint, const Network& network,
                                 const SocketOptions& options, bool sends) {
  Opener opener(endpoint, network, options);
  PortSockets sockets;
  for (const Address& group : network.receive) {
    if (!opener.ok()) break;
    const int fd = open_group(opener, group, sends);
    if (fd >= 0) sockets.groups.push_back({fd, to_nla(group)});
  }
  if (opener.ok() && sends) sockets.unicast = open_unicast(opener);
  if (opener.ok()) sockets.sending = open_sending(opener);
  if (opener.ok()) sockets.loopback = loopback_interface(sockets.sending);
  if (!opener.ok()) return opener.error();
  return Result<PortSockets>(std::move(sockets));
}

int set_leaving(int fd, int family, const Leaving& leaving) {
  if (family == AF_INET) {
    const int error = set(fd, IPPROTO_IP, IP_MULTICAST_TTL, leaving.hops);
    return error ? error : set(fd, IPPROTO_IP, IP_MULTICAST_LOOP, leaving.loop);
  }
  const int error = set(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, leaving.hops);
  return error ? error : set(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, leaving.loop);
}

}  // namespace zerowire::pgm
