// The transports that suites run over, each with an endpoint that can be bound again and again.
#pragma once

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include "sockets.hpp"

namespace zerowire::test {

/// Where a test binds. `wildcard` lets bind choose; `fixed()` is an address that can be connected
/// to before it is bound.
class Transport {
 public:
  enum class Kind { tcp4, tcp6, ipc_path, ipc_abstract, inproc };

  explicit Transport(Kind kind) : kind_(kind) {}

  const char* name() const {
    switch (kind_) {
      case Kind::tcp4:
        return "tcp IPv4";
      case Kind::tcp6:
        return "tcp IPv6";
      case Kind::ipc_path:
        return "ipc path";
      case Kind::ipc_abstract:
        return "ipc abstract";
      case Kind::inproc:
        return "inproc";
    }
    return "";
  }

  std::string fixed() {
    static int number = 0;
    const std::string unique = std::to_string(::getpid()) + "-" + std::to_string(++number);
    switch (kind_) {
      case Kind::tcp4:
        return free_port("tcp://127.0.0.1:");
      case Kind::tcp6:
        return free_port("tcp://[::1]:");
      case Kind::ipc_path:
        return "ipc://" + directory() + "/" + unique;
      case Kind::ipc_abstract:
        return "ipc://@zerowire-test-" + unique;
      case Kind::inproc:
        return "inproc://" + unique;
    }
    return {};
  }

  /// Those that this machine has.
  static std::vector<Transport> all() {
    std::vector<Transport> list;
    list.emplace_back(Kind::tcp4);
    if (has_ipv6_loopback()) list.emplace_back(Kind::tcp6);
    list.emplace_back(Kind::ipc_path);
    list.emplace_back(Kind::ipc_abstract);
    list.emplace_back(Kind::inproc);
    return list;
  }

 private:
  /// An endpoint nobody listens on. Below the ports that systems choose for connections, and
  /// another range for each process, so that nobody takes it meanwhile.
  static std::string free_port(const std::string& host) {
    constexpr int kFirst = 12'000, kRanges = 200, kPerRange = 100;
    static int next = 0;
    const Context context = make_context();
    Socket socket = make(context, SocketType::pull);
    for (int tries = 0; tries < kPerRange; ++tries) {
      const int port = kFirst + ::getpid() % kRanges * kPerRange + next++ % kPerRange;
      const std::string endpoint = host + std::to_string(port);
      if (socket.bind(endpoint) && socket.unbind(endpoint)) return endpoint;
    }
    FAIL("no free port");
    return {};
  }
  static bool has_ipv6_loopback() {
    const int fd = ::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return false;
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_addr = in6addr_loopback;
    const bool ok = ::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    ::close(fd);
    return ok;
  }
  const std::string& directory() {
    if (!directory_) directory_ = std::make_shared<TemporaryDirectory>();
    return directory_->path();
  }

  Kind kind_;
  std::shared_ptr<TemporaryDirectory> directory_;
};

}  // namespace zerowire::test
