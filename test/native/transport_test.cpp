// Listening, connecting and accepting on the loopback interface and in the file system.
#include "net/transport.hpp"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <string>

using namespace zerowire;

namespace {

Endpoint at(const std::string& text) {
  Result<Endpoint> endpoint = parse_endpoint(text);
  REQUIRE(endpoint);
  return endpoint.value();
}

/// A listener that is closed at the end of the test.
struct Listening {
  explicit Listening(const std::string& text, const SocketOptions& options = {}) {
    Result<ListenSocket> opened = open_listener(at(text), options);
    REQUIRE_MESSAGE(opened, text);
    socket = opened.value();
  }
  ~Listening() { close_listener(socket); }
  std::string endpoint() const { return socket.address.endpoint(); }
  ListenSocket socket;
};

struct Descriptor {
  explicit Descriptor(int number) : fd(number) {}
  ~Descriptor() {
    if (fd >= 0) close(fd);
  }
  Descriptor(const Descriptor&) = delete;
  int fd;
};

bool wait_for(int fd, short events) {
  pollfd item{fd, events, 0};
  return poll(&item, 1, 5000) == 1;
}

Address remote_of(const Endpoint& endpoint) {
  if (endpoint.scheme == Scheme::ipc) return ipc_address(endpoint.host);
  Address address;
  CHECK(numeric_address(endpoint.host, endpoint.port, address));
  return address;
}

/// Connects and waits for the result; -errno if it fails.
int connect_to(const std::string& text, const SocketOptions& options = {}) {
  const Endpoint endpoint = at(text);
  bool in_progress = false;
  const int fd = start_connect(remote_of(endpoint), endpoint, options, in_progress);
  if (fd < 0 || !in_progress) return fd;
  CHECK(wait_for(fd, POLLOUT));
  const int error = connect_result(fd);
  if (!error) return fd;
  close(fd);
  return -error;
}

int accept_on(const Listening& listening, Address& peer, const SocketOptions& options = {}) {
  CHECK(wait_for(listening.socket.fd, POLLIN));
  return accept_connection(listening.socket, options, peer);
}

/// Both sides of a tcp connection over loopback.
struct Connection {
  explicit Connection(const SocketOptions& options)
      : listening("tcp://127.0.0.1:*", options),
        client(connect_to(listening.endpoint(), options)),
        server(accept_on(listening, peer, options)) {
    REQUIRE(client.fd >= 0);
    REQUIRE(server.fd >= 0);
  }
  Address peer;
  const Listening listening;
  const Descriptor client;
  const Descriptor server;
};

int option_of(int fd, int level, int name) {
  int value = -1;
  socklen_t size = sizeof value;
  CHECK(getsockopt(fd, level, name, &value, &size) == 0);
  return value;
}

std::string congestion_of(int fd) {
  char name[16] = {};
  socklen_t size = sizeof name;
  REQUIRE(getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &size) == 0);
  return name;
}

/// Bytes of a processor's second-level cache, 0 if unknown.
int own_cache() {
#ifdef _SC_LEVEL2_CACHE_SIZE
  return static_cast<int>(sysconf(_SC_LEVEL2_CACHE_SIZE));
#else
  return 0;
#endif
}

/// An IPv4 address of this machine that is not a loopback one, "" if it has none.
std::string other_address() {
  ifaddrs* list = nullptr;
  REQUIRE(getifaddrs(&list) == 0);
  std::string found;
  for (const ifaddrs* item = list; item; item = item->ifa_next) {
    if (!item->ifa_addr || item->ifa_addr->sa_family != AF_INET) continue;
    if ((item->ifa_flags & IFF_LOOPBACK) || !(item->ifa_flags & IFF_UP)) continue;
    char text[INET_ADDRSTRLEN];
    const auto* address = reinterpret_cast<const sockaddr_in*>(item->ifa_addr);
    found = inet_ntop(AF_INET, &address->sin_addr, text, sizeof text);
  }
  freeifaddrs(list);
  return found;
}

void check_flags(int fd) {
  CHECK((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
  CHECK((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
}

bool exists(const std::string& path) {
  struct stat file;
  return lstat(path.c_str(), &file) == 0;
}

Errc listen_error(const std::string& text, const SocketOptions& options = {}) {
  Result<ListenSocket> opened = open_listener(at(text), options);
  if (!opened) return opened.error().code;
  close_listener(opened.value());
  return Errc::ok;
}

/// A directory for socket files, removed at the end of the test with what is in it.
struct TempDir {
  TempDir() {
    char name[] = "/tmp/zerowire-test-XXXXXX";
    REQUIRE(mkdtemp(name) != nullptr);
    path = name;
  }
  ~TempDir() {
    unlink(file().c_str());
    rmdir(path.c_str());
  }
  std::string file() const { return path + "/s"; }
  std::string path;
};

void talk(int from, int to) {
  REQUIRE(send(from, "hi", 2, MSG_NOSIGNAL) == 2);
  REQUIRE(wait_for(to, POLLIN));
  char text[8];
  CHECK(recv(to, text, sizeof text, 0) == 2);
}

}  // namespace

TEST_CASE("each transport connects, is accepted and carries bytes both ways") {
  for (const char* text : {"tcp://127.0.0.1:*", "ipc://*", "ipc://@zerowire-transport-test"}) {
    CAPTURE(text);
    const Listening listening(text);
    check_flags(listening.socket.fd);
    Descriptor client(connect_to(listening.endpoint()));
    REQUIRE(client.fd >= 0);
    Address peer;
    Descriptor server(accept_on(listening, peer));
    REQUIRE(server.fd >= 0);
    check_flags(client.fd);
    check_flags(server.fd);
    CHECK(peer_address(client.fd).endpoint() == listening.endpoint());
    CHECK(peer_address(server.fd).endpoint() == peer.endpoint());
    CHECK(peer.endpoint().empty() == (listening.socket.address.family() == AF_UNIX));
    talk(client.fd, server.fd);
    talk(server.fd, client.fd);
    CHECK(accept_connection(listening.socket, {}, peer) == -EAGAIN);
  }
}

TEST_CASE("a wildcard port becomes a real one, and is then taken") {
  const Listening listening("tcp://127.0.0.1:*");
  CHECK(listening.endpoint() != "tcp://127.0.0.1:0");
  CHECK(listen_error(listening.endpoint()) == Errc::address_in_use);
  const Result<ListenSocket> failed = open_listener(at(listening.endpoint()), {});
  CHECK(failed.error().what.starts_with(listening.endpoint()));
}

TEST_CASE("a port can be bound again right after a connection on it was closed") {
  std::string endpoint;
  {
    const Listening listening("tcp://127.0.0.1:*");
    endpoint = listening.endpoint();
    Descriptor client(connect_to(endpoint));
    Address peer;
    Descriptor server(accept_on(listening, peer));
    shutdown(server.fd, SHUT_RDWR);
  }
  CHECK(listen_error(endpoint) == Errc::ok);
}

TEST_CASE("with ipv6, * takes IPv4 connections as well") {
  SocketOptions options;
  options.ipv6 = true;
  const Listening listening("tcp://*:*", options);
  const std::string port = listening.endpoint().substr(listening.endpoint().rfind(':'));
  Descriptor client(connect_to("tcp://127.0.0.1" + port));
  CHECK(client.fd >= 0);
  const Listening local("tcp://localhost:*", options);
  Descriptor other(connect_to(local.endpoint()));
  CHECK(other.fd >= 0);
}

TEST_CASE("failures to listen are values") {
  CHECK(listen_error("tcp://192.0.2.1:5555") == Errc::address_not_available);
  CHECK(listen_error("tcp://nosuchdevice0:5555") == Errc::no_device);
  CHECK(listen_error("ipc:///no/such/directory/x") == Errc::no_entry);
  CHECK(listen_error("ipc:///dev/null/x") == static_cast<Errc>(ENOTDIR));
}

TEST_CASE("nobody listening is a refused connection") {
  std::string endpoint;
  {
    const Listening listening("tcp://127.0.0.1:*");
    endpoint = listening.endpoint();
  }
  CHECK(connect_to(endpoint) == -ECONNREFUSED);
  CHECK(connect_to("ipc:///tmp/zerowire-no-such-socket") == -ENOENT);
}

TEST_CASE("a tcp socket that meets itself is a refused connection") {
  std::string endpoint;
  {
    const Listening listening("tcp://127.0.0.1:*");
    endpoint = listening.endpoint().substr(6);
  }
  CHECK(connect_to("tcp://" + endpoint + ";" + endpoint) == -ECONNREFUSED);
}

TEST_CASE("the source address and port are used") {
  const Listening listening("tcp://127.0.0.1:*");
  const std::string target = ";" + listening.endpoint().substr(6);
  Address peer;
  Descriptor client(connect_to("tcp://127.0.0.3:0" + target));
  REQUIRE(client.fd >= 0);
  Descriptor server(accept_on(listening, peer));
  CHECK(peer.endpoint().starts_with("tcp://127.0.0.3:"));

  const std::string used = peer.endpoint().substr(peer.endpoint().rfind(':'));
  Descriptor second(connect_to("tcp://127.0.0.4" + used + target));
  REQUIRE(second.fd >= 0);
  Descriptor second_server(accept_on(listening, peer));
  CHECK(peer.endpoint() == "tcp://127.0.0.4" + used);

  CHECK(connect_to("tcp://192.0.2.1:0" + target) == -EADDRNOTAVAIL);
  CHECK(connect_to("tcp://nosuchdevice0:0" + target) == -ENODEV);
}

TEST_CASE("a source port can be used again right after its connection was closed") {
  const Listening first("tcp://127.0.0.1:*");
  const Listening second("tcp://127.0.0.1:*");
  Address peer;
  Listening free_port("tcp://127.0.0.5:*");
  const std::string source = free_port.endpoint();
  close_listener(free_port.socket);
  for (const Listening* listening : {&first, &second}) {
    const Descriptor client(connect_to(source + ";" + listening->endpoint().substr(6)));
    REQUIRE(client.fd >= 0);
    const Descriptor server(accept_on(*listening, peer));
    CHECK(peer.endpoint() == source);
    // The client closes first, so that the port stays in TIME_WAIT.
    shutdown(client.fd, SHUT_WR);
    CHECK(wait_for(server.fd, POLLIN));
  }
}

TEST_CASE("tuning reaches both sides of a tcp connection") {
  SocketOptions options;
  options.tcp_keepalive = 1;
  options.tcp_keepalive_count = 3;
  options.tcp_keepalive_idle = 44;
  options.tcp_keepalive_interval = 55;
  options.tcp_max_retransmit_timeout = 6000;
  options.type_of_service = 0x10;
  options.send_buffer_size = 20000;
  options.receive_buffer_size = 30000;
  options.tcp_congestion = "reno";
  const Connection connection(options);
  for (int fd : {connection.client.fd, connection.server.fd}) {
    CHECK(option_of(fd, IPPROTO_TCP, TCP_NODELAY) != 0);
    CHECK(option_of(fd, SOL_SOCKET, SO_KEEPALIVE) == 1);
    CHECK(option_of(fd, IPPROTO_TCP, TCP_KEEPCNT) == 3);
    CHECK(option_of(fd, IPPROTO_TCP, TCP_KEEPIDLE) == 44);
    CHECK(option_of(fd, IPPROTO_TCP, TCP_KEEPINTVL) == 55);
    CHECK(option_of(fd, IPPROTO_TCP, TCP_USER_TIMEOUT) == 6000);
    CHECK(option_of(fd, IPPROTO_IP, IP_TOS) == 0x10);
    // Linux doubles what is asked for.
    CHECK(option_of(fd, SOL_SOCKET, SO_SNDBUF) == 40000);
    CHECK(option_of(fd, SOL_SOCKET, SO_RCVBUF) == 60000);
    CHECK(congestion_of(fd) == "reno");
  }
}

TEST_CASE(
    "within the machine nothing is paced, and who only receives has a window that fits a cache") {
  const auto sides = [](SocketType type, const std::function<void(int)>& check) {
    SocketOptions options;
    options.type = type;
    const Connection connection(options);
    for (int fd : {connection.listening.socket.fd, connection.client.fd, connection.server.fd}) {
      check(fd);
    }
  };
  Descriptor other(socket(AF_INET, SOCK_STREAM, 0));
  const int size = std::clamp(own_cache() / 2, 512 * 1024, 1024 * 1024);
  REQUIRE(setsockopt(other.fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size) == 0);
  const int expected = option_of(other.fd, SOL_SOCKET, SO_RCVBUF);
  for (const SocketType type : {SocketType::pull, SocketType::sub, SocketType::xsub}) {
    sides(type, [&](int fd) {
      CHECK(option_of(fd, SOL_SOCKET, SO_RCVBUF) == expected);
      CHECK(congestion_of(fd).substr(0, 3) != "bbr");
    });
  }
  for (const SocketType type : {SocketType::dealer, SocketType::push, SocketType::rep}) {
    sides(type, [&](int fd) {
      if (expected == 2 * size) CHECK(option_of(fd, SOL_SOCKET, SO_RCVBUF) < expected);
      CHECK(congestion_of(fd).substr(0, 3) != "bbr");
    });
  }
}

TEST_CASE(
    "behind a wildcard, connections from this machine are not paced, and others as they were") {
  const Descriptor plain(socket(AF_INET, SOCK_STREAM, 0));
  const std::string systems = congestion_of(plain.fd);
  const Listening listening("tcp://0.0.0.0:*");
  const std::string port = listening.endpoint().substr(listening.endpoint().rfind(':'));
  // Whatever began with it would stay paced.
  CHECK(congestion_of(listening.socket.fd).substr(0, 3) != "bbr");
  const auto accepted = [&](const std::string& host) {
    const Descriptor client(connect_to("tcp://" + host + port));
    Address peer;
    const Descriptor server(accept_on(listening, peer));
    return congestion_of(server.fd);
  };
  CHECK(accepted("127.0.0.1").substr(0, 3) != "bbr");
  if (const std::string other = other_address(); !other.empty()) CHECK(accepted(other) == systems);
}

TEST_CASE("tuning that the system refuses is an error") {
  SocketOptions congestion;
  congestion.tcp_congestion = "nosuchcontrol";
  CHECK(listen_error("tcp://127.0.0.1:*", congestion) == Errc::no_entry);
  CHECK(connect_to("tcp://127.0.0.1:9", congestion) == -ENOENT);
  SocketOptions device;
  device.bind_to_device = "nosuchdevice0";
  CHECK(listen_error("tcp://127.0.0.1:*", device) != Errc::ok);
  // They are about tcp; local sockets have none.
  CHECK(listen_error("ipc://*", congestion) == Errc::ok);
}

TEST_CASE("ipc: the wildcard is a private directory that goes away with the listener") {
  std::string path;
  {
    Listening listening("ipc://*");
    path = listening.endpoint().substr(6);
    struct stat file;
    REQUIRE(stat(listening.socket.directory.c_str(), &file) == 0);
    CHECK((file.st_mode & 0777) == 0700);
    CHECK(exists(path));
    close_listener(listening.socket);
    CHECK(!exists(path));
  }
  CHECK(!exists(path.substr(0, path.rfind('/'))));
}

TEST_CASE("ipc: a live path is in use") {
  const TempDir dir;
  const Listening listening("ipc://" + dir.file());
  CHECK(listen_error("ipc://" + dir.file()) == Errc::address_in_use);
  Descriptor client(connect_to("ipc://" + dir.file()));
  CHECK(client.fd >= 0);
}

TEST_CASE("ipc: a socket file left behind is replaced") {
  const TempDir dir;
  {
    Descriptor crashed(socket(AF_UNIX, SOCK_STREAM, 0));
    const Address address = ipc_address(dir.file());
    REQUIRE(bind(crashed.fd, address.get(), address.size) == 0);
    REQUIRE(listen(crashed.fd, 1) == 0);
  }
  REQUIRE(exists(dir.file()));
  const Listening listening("ipc://" + dir.file());
  Descriptor client(connect_to("ipc://" + dir.file()));
  CHECK(client.fd >= 0);
}

TEST_CASE("ipc: a file that is no socket is never replaced") {
  const TempDir dir;
  std::ofstream(dir.file()) << "precious";
  CHECK(listen_error("ipc://" + dir.file()) == Errc::address_in_use);
  std::string text;
  std::ifstream(dir.file()) >> text;
  CHECK(text == "precious");
}

TEST_CASE("ipc: closing leaves a file that another process put there meanwhile") {
  const TempDir dir;
  Listening first("ipc://" + dir.file());
  // The replacement is made before the old file is gone, so that it has an inode of its own.
  const Listening second("ipc://" + dir.file() + "2");
  REQUIRE(rename((dir.file() + "2").c_str(), dir.file().c_str()) == 0);
  close_listener(first.socket);
  CHECK(exists(dir.file()));
}

TEST_CASE("ipc: a full backlog asks to try again") {
  const TempDir dir;
  SocketOptions options;
  options.backlog = 0;
  const Listening listening("ipc://" + dir.file(), options);
  Descriptor first(connect_to("ipc://" + dir.file()));
  CHECK(first.fd >= 0);
  CHECK(connect_to("ipc://" + dir.file()) == -EAGAIN);
}

TEST_CASE("a connection that is not made yet has no peer") {
  Descriptor lonely(socket(AF_INET, SOCK_STREAM, 0));
  CHECK(peer_address(lonely.fd).endpoint().empty());
  CHECK(connect_result(lonely.fd) == ENOTCONN);
  CHECK(connect_result(-1) == EBADF);
}
