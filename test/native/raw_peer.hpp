// RawPeer: a plain TCP socket that says what a test tells it to, not what ZMTP wants.
#pragma once

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

namespace zerowire::test {

/// Bytes of ZMTP 3 as a peer with the NULL mechanism sends them.
inline std::string zmtp_greeting(char minor = 1) {
  std::string bytes("\xFF\0\0\0\0\0\0\0\x01\x7F\x03", 11);
  bytes += minor;
  bytes += "NULL";
  bytes.resize(64);
  return bytes;
}
inline std::string zmtp_frame(char flags, std::string_view body) {
  std::string bytes(1, static_cast<char>(body.size() > 255 ? flags | 2 : flags));
  const int octets = body.size() > 255 ? 8 : 1;
  for (int i = octets - 1; i >= 0; --i) bytes += static_cast<char>(body.size() >> (8 * i));
  return bytes.append(body);
}
inline std::string zmtp_command(std::string_view name, std::string_view data) {
  std::string body(1, static_cast<char>(name.size()));
  return zmtp_frame(4, body.append(name).append(data));
}
inline std::string zmtp_ready(std::string_view type, std::string_view id = {}) {
  std::string data("\x0BSocket-Type\0\0\0", 15);
  data += static_cast<char>(type.size());
  data.append(type);
  if (!id.empty()) data.append("\x08Identity\0\0\0", 12) += static_cast<char>(id.size());
  return zmtp_command("READY", data.append(id));
}
/// All that a peer says before its first message; `id` is its routing id.
inline std::string zmtp_handshake(std::string_view type, std::string_view id = {}) {
  return zmtp_greeting() + zmtp_ready(type, id);
}

/// One descriptor, blocking, with a receive deadline.
class RawPeer {
 public:
  explicit RawPeer(int fd) : fd_(fd) {
    const timeval limit{20, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  }
  RawPeer(RawPeer&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  RawPeer& operator=(RawPeer&&) = delete;
  ~RawPeer() { close(); }

  /// Connects to "tcp://127.0.0.1:port".
  static RawPeer to(const std::string& endpoint) {
    const int port = std::atoi(endpoint.substr(endpoint.rfind(':') + 1).c_str());
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    return RawPeer(fd);
  }

  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  /// Exactly that many bytes, or fewer when the other side closes.
  std::string receive(std::size_t size) {
    std::string bytes(size, '\0');
    std::size_t got = 0;
    while (got < size) {
      const ssize_t n = ::recv(fd_, bytes.data() + got, size - got, 0);
      if (n <= 0) break;
      got += static_cast<std::size_t>(n);
    }
    bytes.resize(got);
    return bytes;
  }
  /// The body of the next frame, and its flags.
  std::string frame(char* flags = nullptr) {
    const std::string head = receive(1);
    if (head.empty()) return {};
    if (flags) *flags = head[0];
    uint64_t size = 0;
    for (const char c : receive(head[0] & 2 ? 8 : 1)) size = size << 8 | static_cast<uint8_t>(c);
    return receive(size);
  }
  /// Reads the other side's greeting and READY.
  void take_handshake() {
    REQUIRE(receive(64).size() == 64);
    REQUIRE(frame().substr(1, 5) == "READY");
  }
  /// True when the other side closes (whatever it sends before).
  bool closed() {
    char scratch[4096];
    for (;;) {
      const ssize_t n = ::recv(fd_, scratch, sizeof scratch, 0);
      if (n == 0) return true;
      if (n < 0) return errno == ECONNRESET || errno == EPIPE;
    }
  }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  /// Closes with RST, unread or unsent bytes are lost.
  void reset() {
    const linger hard{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close();
  }
  int fd() const { return fd_; }

 private:
  int fd_;
};

/// Listens on a port of the loopback interface.
class RawListener {
 public:
  /// `backlog` and `port` as of listen(2) and bind(2); 0 = any port.
  explicit RawListener(uint16_t port = 0) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int on = 1;
    ::setsockopt(fd_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    REQUIRE(::bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::listen(fd_, 16) == 0);
    socklen_t size = sizeof address;
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
  }
  ~RawListener() { close(); }
  RawListener(const RawListener&) = delete;
  RawListener& operator=(const RawListener&) = delete;

  RawPeer accept() {
    pollfd item{fd_, POLLIN, 0};
    REQUIRE(::poll(&item, 1, 20'000) == 1);
    return RawPeer(::accept(fd_, nullptr, nullptr));
  }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  uint16_t port() const { return port_; }
  std::string endpoint() const { return "tcp://127.0.0.1:" + std::to_string(port_); }

 private:
  int fd_;
  uint16_t port_ = 0;
};

}  // namespace zerowire::test
