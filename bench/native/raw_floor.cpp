// What the kernel's sockets allow with one thread per process: the floor under every figure.
//   pingpong  round trips; --wait block, or hybrid (yield up to 50 us before blocking)
//   stream    length-prefixed frames in 64 KiB writes, decoded and counted
//   bulk      256 KiB writes, bytes counted
//   paced     length-prefixed frames in ticks of 100 us, one write for each tick
#include <arpa/inet.h>
#include <sched.h>
#include <sys/uio.h>
#include <sys/un.h>

#include "congestion.hpp"
#include "far.hpp"
#include "ticks.hpp"

namespace bench {
namespace {

constexpr int64_t kSpin = 50'000;
constexpr std::size_t kBatch = 64 * 1024, kRead = 256 * 1024;

struct Plan {
  explicit Plan(const Args& args)
      : mode(args.mode()),
        transport(args.text("transport", "tcp")),
        hybrid(args.text("wait", "block") == "hybrid"),
        size(static_cast<std::size_t>(args.number("size", 64))),
        rate(static_cast<int64_t>(args.number("rate", 100'000))),
        warm_up(static_cast<int64_t>(args.number("warm-up", 0.1) * 1e9)),
        duration(static_cast<int64_t>(args.number("seconds", 0.4) * 1e9)),
        deadline(static_cast<unsigned>(args.number("deadline", 20))) {
    if (mode == "bulk") size = kRead;
    if (size == 0) die("--size must be at least 1");
    if (mode == "paced") size = std::max<std::size_t>(size, 16);
    if (rate <= 0) die("--rate must be at least 1");
    if (transport != "tcp" && transport != "ipc") die("--transport must be tcp or ipc");
  }
  std::string mode, transport;
  bool hybrid;
  std::size_t size;
  int64_t rate;
  int64_t warm_up, duration;
  unsigned deadline;
};

/// Listens, reports the address (port or path), and returns the one connection.
int accept_one(const Plan& plan, const Near& near) {
  int listener, fd;
  if (plan.transport == "tcp") {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, reinterpret_cast<sockaddr*>(&address), length) != 0) die("bind");
    if (listen(listener, 1) != 0) die("listen");
    getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length);
    near.report(std::to_string(ntohs(address.sin_port)));
  } else {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = "/tmp/zerowire-bench-" + std::to_string(getpid());
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    listener = socket(AF_UNIX, SOCK_STREAM, 0);
    unlink(path.c_str());
    if (bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) die("bind");
    if (listen(listener, 1) != 0) die("listen");
    near.report(path);
  }
  fd = accept(listener, nullptr, nullptr);
  if (fd < 0) die("accept");
  close(listener);
  const int on = 1;
  if (plan.transport == "tcp") setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

int connect_to(const Plan& plan, const std::string& where) {
  int fd, result;
  const int on = 1;
  if (plan.transport == "tcp") {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<uint16_t>(std::atoi(where.c_str())));
    fd = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    result = connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address);
  } else {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    where.copy(address.sun_path, sizeof address.sun_path - 1);
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    result = connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address);
    unlink(where.c_str());
  }
  if (result != 0) die("connect");
  return fd;
}

/// False at the end of input.
bool read_all(int fd, char* data, std::size_t size, bool hybrid) {
  const int64_t give_up = hybrid ? now_ns() + kSpin : 0;
  while (size > 0) {
    const bool poll = hybrid && now_ns() < give_up;
    const ssize_t got = recv(fd, data, size, poll ? MSG_DONTWAIT : 0);
    if (got > 0) {
      data += got;
      size -= static_cast<std::size_t>(got);
    } else if (got < 0 && errno == EAGAIN) {
      sched_yield();
    } else {
      return false;
    }
  }
  return true;
}

bool write_all(int fd, const char* data, std::size_t size) {
  while (size > 0) {
    const ssize_t put = send(fd, data, size, MSG_NOSIGNAL);
    if (put <= 0) return false;
    data += put;
    size -= static_cast<std::size_t>(put);
  }
  return true;
}

void run_pingpong(const Plan& plan, Line& line) {
  Far far(false, plan.deadline, [&](const Near& near) {
    const int fd = accept_one(plan, near);
    std::vector<char> data(plan.size);
    while (read_all(fd, data.data(), plan.size, plan.hybrid)) write_all(fd, data.data(), plan.size);
    near.wait_until_done();
  });
  const int fd = connect_to(plan, far.report());
  std::vector<char> data(plan.size, 'D');
  std::vector<uint32_t> samples;
  samples.reserve(1 << 20);
  auto trip = [&] {
    if (!write_all(fd, data.data(), plan.size) ||
        !read_all(fd, data.data(), plan.size, plan.hybrid)) {
      die("the connection broke");
    }
  };
  for (const int64_t end = now_ns() + plan.warm_up; now_ns() < end;) trip();
  Window window(far);
  window.open();
  for (int64_t start = now_ns(), end = start + plan.duration; start < end;) {
    trip();
    const int64_t stop = now_ns();
    samples.push_back(static_cast<uint32_t>(stop - start));
    start = stop;
  }
  window.close(line, static_cast<double>(samples.size()), plan.size);
  add_latency(line, samples);
  close(fd);
}

/// Appends one frame: flags, length in 1 or 8 bytes, payload.
std::size_t encode(char* out, const std::vector<char>& payload) {
  std::size_t header = 2;
  if (payload.size() < 256) {
    out[0] = 0;
    out[1] = static_cast<char>(payload.size());
  } else {
    const uint64_t length = payload.size();
    out[0] = 2;
    std::memcpy(out + 1, &length, sizeof length);
    header = 9;
  }
  std::memcpy(out + header, payload.data(), payload.size());
  return header + payload.size();
}

void send_frames(int fd, const Plan& plan) {
  const std::vector<char> payload(plan.size, 'D');
  const std::size_t frame = plan.size + 9;
  std::vector<char> batch(std::max(kBatch, frame));
  for (const int64_t end = now_ns() + plan.warm_up + plan.duration; now_ns() < end;) {
    std::size_t filled = 0;
    if (plan.mode == "bulk") {
      filled = kRead;
    } else if (frame > kBatch / 2) {  // no batch: the payload goes by reference
      std::vector<char> header(9, 2);
      const uint64_t length = plan.size;
      std::memcpy(header.data() + 1, &length, sizeof length);
      if (send(fd, header.data(), 9, MSG_MORE | MSG_NOSIGNAL) != 9) return;
      if (!write_all(fd, payload.data(), plan.size)) return;
      continue;
    } else {
      while (filled + frame <= kBatch) filled += encode(batch.data() + filled, payload);
    }
    if (!write_all(fd, batch.data(), filled)) return;
  }
}

/// A far side that sends until it closes the connection.
Far sender(const Plan& plan, void (*send)(int fd, const Plan& plan)) {
  return Far(false, plan.deadline, [&](const Near& near) {
    const int fd = accept_one(plan, near);
    send(fd, plan);
    close(fd);
    near.wait_until_done();
  });
}

/// Counts the frames in a byte stream.
class Decoder {
 public:
  explicit Decoder(bool bulk) : bulk_(bulk) {}
  /// Consumes all of `data` but an incomplete header at its end; returns the bytes consumed.
  std::size_t feed(const char* data, std::size_t size) {
    std::size_t at = 0;
    if (bulk_) {
      count += static_cast<double>(size) / kRead;
      return size;
    }
    while (at < size) {
      const std::size_t step = std::min(rest_, size - at);
      at += step;
      rest_ -= step;
      if (rest_ > 0 || at == size) break;
      const std::size_t header = data[at] == 0 ? 2 : 9;
      if (size - at < header) break;
      rest_ = static_cast<unsigned char>(data[at + 1]);
      if (header == 9) std::memcpy(&rest_, data + at + 1, sizeof rest_);
      at += header;
      count++;
    }
    return at;
  }
  double count = 0;

 private:
  bool bulk_;
  std::size_t rest_ = 0;
};

void run_stream(const Plan& plan, Line& line) {
  Far far = sender(plan, send_frames);
  const int fd = connect_to(plan, far.report());
  std::vector<char> buffer(kRead + 16);
  Decoder decoder(plan.mode == "bulk");
  Window window(far);
  double before = 0;
  std::size_t kept = 0;
  for (const int64_t first = now_ns();;) {
    const ssize_t got = recv(fd, buffer.data() + kept, kRead, 0);
    if (got <= 0) break;
    const std::size_t filled = kept + static_cast<std::size_t>(got);
    const std::size_t used = decoder.feed(buffer.data(), filled);
    kept = filled - used;
    std::memmove(buffer.data(), buffer.data() + used, kept);
    if (!window.is_open() && now_ns() - first >= plan.warm_up) {
      before = decoder.count;
      window.open();
    }
  }
  window.close(line, decoder.count - before, plan.size);
}

void send_paced(int fd, const Plan& plan) {
  std::vector<char> payload(plan.size, 'D'), batch;
  in_ticks(plan.rate, plan.warm_up + plan.duration, [&](int64_t messages) {
    batch.resize(static_cast<std::size_t>(messages) * (plan.size + 9));
    std::size_t filled = 0;
    for (int64_t i = 0; i < messages; i++) {
      const int64_t now = now_ns();
      std::memcpy(payload.data() + 8, &now, sizeof now);
      filled += encode(batch.data() + filled, payload);
    }
    write_all(fd, batch.data(), filled);
  });
}

void run_paced(const Plan& plan, Line& line) {
  Far far = sender(plan, send_paced);
  const int fd = connect_to(plan, far.report());
  const std::size_t frame = plan.size + (plan.size < 256 ? 2 : 9);
  std::vector<char> buffer(kRead + frame);
  std::vector<uint32_t> samples;
  samples.reserve(1 << 20);
  Window window(far);
  std::size_t filled = 0;
  for (const int64_t first = now_ns();;) {
    const ssize_t got = recv(fd, buffer.data() + filled, kRead, 0);
    if (got <= 0) break;
    filled += static_cast<std::size_t>(got);
    std::size_t at = 0;
    for (; filled - at >= frame; at += frame) {
      const int64_t now = now_ns();
      int64_t sent;
      std::memcpy(&sent, buffer.data() + at + frame - plan.size + 8, sizeof sent);
      if (window.is_open()) samples.push_back(static_cast<uint32_t>(now - sent));
    }
    filled -= at;
    std::memmove(buffer.data(), buffer.data() + at, filled);
    if (!window.is_open() && now_ns() - first >= plan.warm_up) window.open();
  }
  window.close(line, static_cast<double>(samples.size()), plan.size);
  add_latency(line, samples);
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  const bench::Plan plan{bench::Args(argc, argv)};
  bench::Line line;
  line.add("peer", "raw").add("mode", plan.mode).add("transport", plan.transport);
  line.add("size", static_cast<double>(plan.size));
  if (plan.mode == "pingpong") {
    line.add("wait", plan.hybrid ? "hybrid" : "block");
    bench::run_pingpong(plan, line);
  } else if (plan.mode == "stream" || plan.mode == "bulk") {
    bench::run_stream(plan, line);
  } else if (plan.mode == "paced") {
    bench::run_paced(plan, line);
  } else {
    bench::die("modes: pingpong, stream, bulk, paced");
  }
  line.print();
  return 0;
}
