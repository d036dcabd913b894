// Stream sockets of tcp and ipc, by way of the operating system.
#include "net/transport.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "net/tuning.hpp"

namespace zerowire {
namespace {

int open_socket(int family) {
  const int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  return fd >= 0 ? fd : -errno;
}

/// Closes without changing errno; what close says about a socket leaves nothing to be done.
int close_and_fail(int fd, int error) {
  close(fd);
  return -error;
}

Error failure(const Endpoint& endpoint, int error) {
  const auto code = static_cast<Errc>(error);
  return {code, endpoint.text + ": " + errc_text(code)};
}

Address local_address_of(int fd) {
  Address address;
  address.size = sizeof address.storage;
  if (getsockname(fd, address.get(), &address.size) != 0) address.size = 0;
  return address;
}

/// 0, or an errno.
int listen_at(const Address& address, const SocketOptions& options, ListenSocket& listener) {
  const bool tcp = address.family() != AF_UNIX;
  const int fd = open_socket(address.family());
  if (fd < 0) return -fd;
  int error = tune_socket(fd, address.family(), options);
  if (!error && tcp) error = tune_tcp_listener(fd, address.family());
  if (!error && tcp) listener.pacing = leave_pacing(fd, options);
  if (!error && address.loopback()) tune_loopback(fd, options);
  if (!error && bind(fd, address.get(), address.size) != 0) error = errno;
  if (!error && listen(fd, options.backlog) != 0) error = errno;
  if (error) {
    close(fd);
    return error;
  }
  listener.fd = fd;
  listener.address = local_address_of(fd);
  return 0;
}

Result<ListenSocket> listen_tcp(const Endpoint& endpoint, const SocketOptions& options, bool ipv6) {
  Result<Address> address = bind_address(endpoint, ipv6);
  if (!address) return address.error();
  ListenSocket listener;
  const int error = listen_at(address.value(), options, listener);
  // A machine without IPv6 still serves those names that can mean IPv4 too.
  const bool no_ipv6 = error == EAFNOSUPPORT || error == EADDRNOTAVAIL;
  if (no_ipv6 && ipv6 && (endpoint.host == "*" || endpoint.host == "localhost")) {
    return listen_tcp(endpoint, options, false);
  }
  if (error) return failure(endpoint, error);
  return listener;
}

/// True if `path` is a socket file that no process listens on any more.
bool is_stale(const std::string& path, const Address& address) {
  struct stat file;
  if (lstat(path.c_str(), &file) != 0 || !S_ISSOCK(file.st_mode)) return false;
  const int probe = open_socket(AF_UNIX);
  if (probe < 0) return false;
  const bool refused = connect(probe, address.get(), address.size) != 0 && errno == ECONNREFUSED;
  close(probe);
  return refused;
}

/// A new directory that only this user can enter; empty with errno set if that fails.
std::string make_directory() {
  const char* parent = std::getenv("TMPDIR");
  std::string path = parent && *parent ? parent : "/tmp";
  path += "/zerowire-XXXXXX";
  return mkdtemp(path.data()) ? path : std::string();
}

Result<ListenSocket> listen_ipc(const Endpoint& endpoint, const SocketOptions& options) {
  ListenSocket listener;
  const bool abstract = endpoint.host.front() == '@';
  std::string path = endpoint.host;
  if (path == "*") {
    listener.directory = make_directory();
    if (listener.directory.empty()) return failure(endpoint, errno);
    path = listener.directory + "/socket";
    if (path.size() > kMaxIpcPath) {
      close_listener(listener);
      return failure(endpoint, ENAMETOOLONG);
    }
  }
  const Address address = ipc_address(path);
  int error = listen_at(address, options, listener);
  if (error == EADDRINUSE && !abstract && is_stale(path, address)) {
    unlink(path.c_str());
    error = listen_at(address, options, listener);
  }
  if (error) {
    close_listener(listener);
    return failure(endpoint, error);
  }
  struct stat file;
  if (!abstract && lstat(path.c_str(), &file) == 0) {
    listener.path = path;
    listener.device = file.st_dev;
    listener.inode = file.st_ino;
  }
  return listener;
}

/// Before the descriptor goes: afterwards another process may have put its own file there.
void unlink_own(const ListenSocket& listener) {
  struct stat file;
  if (!listener.path.empty() && lstat(listener.path.c_str(), &file) == 0 &&
      file.st_dev == listener.device && file.st_ino == listener.inode) {
    unlink(listener.path.c_str());
  }
}

/// Connecting to a local port that nobody listens on can meet itself, when the system chooses that
/// very port for our side.
bool connected_to_itself(int fd) {
  const Address local = local_address_of(fd);
  const Address remote = peer_address(fd);
  return local.family() != AF_UNIX && local.size != 0 && local.size == remote.size &&
         std::memcmp(&local.storage, &remote.storage, local.size) == 0;
}

/// 0, or an errno.
int bind_source(int fd, const Address& remote, const Endpoint& endpoint) {
  const Result<Address> source = source_address(endpoint, remote.family());
  if (!source) return static_cast<int>(source.error().code);
  const int error = tune_source(fd, endpoint.source_port);
  if (error) return error;
  return bind(fd, source.value().get(), source.value().size) == 0 ? 0 : errno;
}

}  // namespace

Result<ListenSocket> open_listener(const Endpoint& endpoint, const SocketOptions& options) {
  return endpoint.scheme == Scheme::ipc ? listen_ipc(endpoint, options)
                                        : listen_tcp(endpoint, options, options.ipv6);
}

void stop_listener(const ListenSocket& listener) {
  unlink_own(listener);
  // A call under way on the owner's thread keeps the socket alive for a moment, but not listening.
  // It would also call that thread; and an abstract ipc name is free once the socket is gone only.
  if (listener.address.family() != AF_UNIX) shutdown(listener.fd, SHUT_RD);
  const int hole = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (hole < 0) return;
  dup3(hole, listener.fd, O_CLOEXEC);
  close(hole);
}

void close_listener(ListenSocket& listener) {
  unlink_own(listener);
  if (listener.fd >= 0) close(listener.fd);
  if (!listener.directory.empty()) rmdir(listener.directory.c_str());
  listener = {};
}

int accept_connection(const ListenSocket& listener, const SocketOptions& options, Address& peer) {
  int fd = -1;
  do {
    peer = {};
    peer.size = sizeof peer.storage;
    fd = accept4(listener.fd, peer.get(), &peer.size, SOCK_NONBLOCK | SOCK_CLOEXEC);
  } while (fd < 0 && errno == EINTR);
  if (fd < 0) {
    const int error = errno;
    peer = {};
    return -error;
  }
  if (peer.family() == AF_UNIX) return fd;
  if (peer.loopback()) {
    tune_loopback(fd, options);
  } else {
    resume_pacing(fd, listener.pacing);
  }
  const int error = tune_tcp_connection(fd, options);
  return error ? close_and_fail(fd, error) : fd;
}

int start_connect(const Address& remote, const Endpoint& endpoint, const SocketOptions& options,
                  bool& in_progress) {
  in_progress = false;
  const int fd = open_socket(remote.family());
  if (fd < 0) return fd;
  int error = tune_socket(fd, remote.family(), options);
  if (!error && remote.family() != AF_UNIX) error = tune_tcp_connection(fd, options);
  if (!error && remote.loopback()) tune_loopback(fd, options);
  if (!error && !endpoint.source_host.empty()) error = bind_source(fd, remote, endpoint);
  if (error) return close_and_fail(fd, error);
  if (connect(fd, remote.get(), remote.size) == 0) {
    return connected_to_itself(fd) ? close_and_fail(fd, ECONNREFUSED) : fd;
  }
  // Interrupted by a signal it goes on in the background all the same.
  if (errno != EINPROGRESS && errno != EINTR) return close_and_fail(fd, errno);
  in_progress = true;
  return fd;
}

int connect_result(int fd) {
  int error = 0;
  socklen_t size = sizeof error;
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) return errno;
  if (error) return error;
  if (peer_address(fd).size == 0) return ENOTCONN;
  return connected_to_itself(fd) ? ECONNREFUSED : 0;
}

Address peer_address(int fd) {
  Address address;
  address.size = sizeof address.storage;
  if (getpeername(fd, address.get(), &address.size) != 0) address.size = 0;
  return address;
}

}  // namespace zerowire
