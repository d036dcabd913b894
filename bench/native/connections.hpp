// Many connections to one socket: how fast they come about, what they cost while idle.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>

#include <fstream>

#include "workloads.hpp"

namespace bench {

/// A ZMTP 3.0 PUSH peer's greeting and READY (RFC 23), as bytes.
inline std::string push_handshake() {
  using namespace std::string_literals;
  return "\xFF\0\0\0\0\0\0\0\1\x7F\3\0NULL"s + std::string(48, '\0') +
         "\4\x1A\5READY\xBSocket-Type\0\0\0\4PUSH"s;
}

/// Of another process: memory in KiB ("VmRSS"), or how often its threads have gone to sleep.
inline double status_of(const std::string& file, const std::string& key) {
  std::ifstream status(file);
  for (std::string line; std::getline(status, line);) {
    if (line.rfind(key + ":", 0) == 0) return std::atof(line.c_str() + key.size() + 1);
  }
  return 0;
}
inline double sleeps_of(pid_t pid) {
  double total = 0;
  const std::string folder = "/proc/" + std::to_string(pid) + "/task/";
  // The threads of both libraries are started before the first connection, right after each other.
  for (int task = pid; task < pid + 16; task++) {
    total += status_of(folder + std::to_string(task) + "/status", "voluntary_ctxt_switches");
  }
  return total;
}

/// Raw clients: `connect()` starts one, `wait()` until some have had their handshakes.
class Clients {
 public:
  explicit Clients(const std::string& endpoint) : epoll_(epoll_create1(0)) {
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const auto port = std::atoi(endpoint.c_str() + endpoint.rfind(':') + 1);
    address_.sin_port = htons(static_cast<uint16_t>(port));
  }
  void connect() {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0) die("too few file descriptors");
    if (::connect(fd, reinterpret_cast<sockaddr*>(&address_), sizeof address_) != 0) die("connect");
    if (write(fd, handshake_.data(), handshake_.size()) < 0) die("write");
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
    received_.resize(std::max<std::size_t>(received_.size(), static_cast<std::size_t>(fd) + 1));
  }
  /// How many handshakes have ended meanwhile.
  int wait() {
    epoll_event events[64];
    const int count = epoll_wait(epoll_, events, 64, -1);
    int done = 0;
    for (int i = 0; i < count; i++) {
      char bytes[1024];
      const int fd = events[i].data.fd;
      const ssize_t size = read(fd, bytes, sizeof bytes);
      if (size <= 0) die("a connection was closed");
      std::size_t& all = received_[static_cast<std::size_t>(fd)];
      const bool before = all > kGreeting;
      all += static_cast<std::size_t>(size);
      done += !before && all > kGreeting ? 1 : 0;
    }
    return done;
  }

 private:
  static constexpr std::size_t kGreeting = 64;
  const int epoll_;
  const std::string handshake_ = push_handshake();
  sockaddr_in address_{};
  std::vector<std::size_t> received_;
};

/// `count` raw PUSH peers connect to a PULL socket, 64 at a time, then idle for a second.
inline void run_connections(const Plan& plan, Line& line) {
  constexpr int kAtOnce = 64;
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  Pair pair(plan, peer::Type::pull, [](peer::Socket&) {});
  const std::string status = "/proc/" + std::to_string(pair.side->pid()) + "/status";
  Clients clients(pair.endpoint);
  const double memory = status_of(status, "VmRSS");
  const int64_t cpu = pair.side->cpu(), start = now_ns();
  for (int started = 0, done = 0; done < plan.count; done += clients.wait()) {
    for (; started < plan.count && started - done < kAtOnce; started++) clients.connect();
  }
  const double elapsed = static_cast<double>(now_ns() - start);
  line.add("rate", plan.count * 1e9 / elapsed).add("seconds", elapsed / 1e9);
  line.add("cpuPerMessage", static_cast<double>(pair.side->cpu() - cpu) / plan.count / 1e3);
  line.add("kibibytes", (status_of(status, "VmRSS") - memory) / plan.count);
  usleep(200'000);
  const int64_t idle_cpu = pair.side->cpu();
  const double sleeps = sleeps_of(pair.side->pid());
  usleep(1'000'000);
  line.add("idleCpuMs", static_cast<double>(pair.side->cpu() - idle_cpu) / 1e6);
  line.add("idleWakeUps", sleeps_of(pair.side->pid()) - sleeps);
}

}  // namespace bench
