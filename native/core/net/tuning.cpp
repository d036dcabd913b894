// Socket options of the operating system. The names that only some platforms have are here.
#include "net/tuning.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <string_view>

namespace zerowire {
namespace {

constexpr int kAbsent = -1;
/// What is on its way should fit a processor's own cache: with a buffer of half its size the window
/// is somewhat smaller than that. Systems that do not allow as much take what they do.
constexpr long kLeastStreamBuffer = 512 * 1024;
constexpr long kMostStreamBuffer = 1024 * 1024;

#ifdef __linux__
constexpr int kBindToDevice = SO_BINDTODEVICE;
constexpr int kBindNoPort = IP_BIND_ADDRESS_NO_PORT;
constexpr int kCongestion = TCP_CONGESTION;
constexpr int kUserTimeout = TCP_USER_TIMEOUT;
constexpr int kKeepaliveIdle = TCP_KEEPIDLE;
#else
constexpr int kBindToDevice = kAbsent;
constexpr int kBindNoPort = kAbsent;
constexpr int kCongestion = kAbsent;
constexpr int kUserTimeout = kAbsent;
constexpr int kKeepaliveIdle = TCP_KEEPALIVE;
#endif

int set(int fd, int level, int name, int value) {
  if (name == kAbsent) return ENOPROTOOPT;
  return setsockopt(fd, level, name, &value, sizeof value) == 0 ? 0 : errno;
}

int set(int fd, int level, int name, std::string_view value) {
  if (name == kAbsent) return ENOPROTOOPT;
  const auto size = static_cast<socklen_t>(value.size());
  return setsockopt(fd, level, name, value.data(), size) == 0 ? 0 : errno;
}

int set_type_of_service(int fd, int family, int value) {
  if (family == AF_INET) return set(fd, IPPROTO_IP, IP_TOS, value);
  // Connections to mapped IPv4 addresses take the IPv4 field; a socket that is IPv6 only has none.
  (void)set(fd, IPPROTO_IP, IP_TOS, value);
  return set(fd, IPPROTO_IPV6, IPV6_TCLASS, value);
}

int stream_buffer() {
  long cache = 0;  // unknown
#ifdef _SC_LEVEL2_CACHE_SIZE
  static const long found = sysconf(_SC_LEVEL2_CACHE_SIZE);
  cache = found;
#endif
  return static_cast<int>(std::clamp(cache / 2, kLeastStreamBuffer, kMostStreamBuffer));
}

bool only_receives(SocketType type) {
  return type == SocketType::pull || type == SocketType::sub || type == SocketType::xsub;
}

}  // namespace

int tune_socket(int fd, int family, const SocketOptions& options) {
  int error = 0;
  if (options.send_buffer_size >= 0) {
    error = set(fd, SOL_SOCKET, SO_SNDBUF, options.send_buffer_size);
  }
  if (!error && options.receive_buffer_size >= 0) {
    error = set(fd, SOL_SOCKET, SO_RCVBUF, options.receive_buffer_size);
  }
  if (error || family == AF_UNIX) return error;
  if (!options.bind_to_device.empty()) {
    error = set(fd, SOL_SOCKET, kBindToDevice, options.bind_to_device);
  }
  if (!error && options.type_of_service > 0) {
    error = set_type_of_service(fd, family, options.type_of_service);
  }
  if (!error && !options.tcp_congestion.empty()) {
    error = set(fd, IPPROTO_TCP, kCongestion, options.tcp_congestion);
  }
  return error;
}

int tune_tcp_connection(int fd, const SocketOptions& options) {
  int error = set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  if (!error && options.tcp_keepalive >= 0) {
    error = set(fd, SOL_SOCKET, SO_KEEPALIVE, options.tcp_keepalive);
  }
  if (!error && options.tcp_keepalive_count > 0) {
    error = set(fd, IPPROTO_TCP, TCP_KEEPCNT, options.tcp_keepalive_count);
  }
  if (!error && options.tcp_keepalive_idle > 0) {
    error = set(fd, IPPROTO_TCP, kKeepaliveIdle, options.tcp_keepalive_idle);
  }
  if (!error && options.tcp_keepalive_interval > 0) {
    error = set(fd, IPPROTO_TCP, TCP_KEEPINTVL, options.tcp_keepalive_interval);
  }
  if (!error && options.tcp_max_retransmit_timeout > 0) {
    error = set(fd, IPPROTO_TCP, kUserTimeout, options.tcp_max_retransmit_timeout);
  }
  return error;
}

std::string leave_pacing(int fd, const SocketOptions& options) {
  char name[16] = {};
  socklen_t size = sizeof name;
  if (kCongestion == kAbsent || !options.tcp_congestion.empty()) return {};
  if (getsockopt(fd, IPPROTO_TCP, kCongestion, name, &size) != 0) return {};
  if (!std::string_view(name).starts_with("bbr")) return {};
  return set(fd, IPPROTO_TCP, kCongestion, "reno") == 0 ? name : "";
}

void resume_pacing(int fd, const std::string& left) {
  if (!left.empty()) (void)set(fd, IPPROTO_TCP, kCongestion, left);
}

void tune_loopback(int fd, const SocketOptions& options) {
  (void)leave_pacing(fd, options);
  if (options.receive_buffer_size < 0 && only_receives(options.type)) {
    (void)set(fd, SOL_SOCKET, SO_RCVBUF, stream_buffer());
  }
}

int tune_tcp_listener(int fd, int family) {
  const int error = set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  return error || family != AF_INET6 ? error : set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
}

int tune_source(int fd, uint16_t port) {
  if (port != 0) return set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  // Only saves ports, so kernels that cannot do it are no failure.
  (void)set(fd, IPPROTO_IP, kBindNoPort, 1);
  return 0;
}

}  // namespace zerowire
