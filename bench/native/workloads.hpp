// The workloads, written once for every peer. Include a peer_*.hpp first.
//
// The far side (a forked process, or a thread for inproc) binds and serves or sends; the near side
// connects, receives, and measures.
#pragma once

#include <optional>

#include "far.hpp"

namespace bench {

inline constexpr char kData = 'D', kEnd = 'E';

/// From this size on senders hand their memory over by reference, on every peer; below they copy,
/// which is faster there.
inline constexpr std::size_t kExternalFrom = 8 * 1024;

/// The default of both libraries; less for messages so large that it would queue gigabytes.
inline int default_hwm(std::size_t size) {
  const std::size_t fitting = std::size_t{64} * 1024 * 1024 / size;
  return static_cast<int>(std::clamp<std::size_t>(fitting, 8, 1000));
}

struct Plan {
  explicit Plan(const Args& args)
      : mode(args.mode()),
        transport(args.text("transport", "tcp")),
        copy(args.text("copy", "auto")),
        size(static_cast<std::size_t>(args.number("size", 64))),
        hwm(static_cast<int>(args.number("hwm", 0))),
        io_threads(static_cast<int>(args.number("io-threads", 1))),
        count(static_cast<int>(args.number("count", 1))),
        rate(static_cast<int>(args.number("rate", 100'000))),
        corked(args.number("corked", 0) > 0),
        warm_up(static_cast<int64_t>(args.number("warm-up", 0.1) * 1e9)),
        duration(static_cast<int64_t>(args.number("seconds", 0.4) * 1e9)),
        deadline(static_cast<unsigned>(args.number("deadline", 20))) {
    if (size == 0) die("--size must be at least 1");
    if (copy != "auto" && copy != "yes" && copy != "no") die("--copy must be auto, yes or no");
    if (count < 1) die("--count must be at least 1");
    if (hwm == 0) hwm = default_hwm(size);
    refers = copy == "no" || (copy == "auto" && size >= kExternalFrom);
  }
  bool in_process() const { return transport == "inproc"; }
  /// Whether receivers copy what they receive into memory of their own.
  bool copies_received() const { return copy == "yes"; }
  /// How many operations between two looks at the clock.
  int stride() const { return size <= 4096 ? 64 : 1; }
  std::string endpoint() const {
    if (transport == "inproc") return "inproc://bench";
    if (transport == "ipc") return "ipc:///tmp/zerowire-bench-" + std::to_string(getpid());
    if (transport == "tcp") return "tcp://127.0.0.1:*";
    die("--transport must be tcp, ipc or inproc");
  }

  std::string mode, transport;
  std::string copy;  ///< by both sides: yes, no, or "auto": what is best for the size
  std::size_t size;
  bool refers;  ///< senders hand their memory over by reference
  int hwm, io_threads;
  int count;    ///< subscribers, requests outstanding, connections or subscriptions
  int rate;     ///< messages/s of the paced sender
  bool corked;  ///< which collects the messages of a tick
  int64_t warm_up, duration;
  unsigned deadline;
};

/// The two sides of a run. `far` gets a bound socket of its own.
class Pair {
 public:
  template <class FarBody>
  Pair(const Plan& plan, peer::Type far_type, FarBody far) {
    if (plan.in_process()) context.emplace(plan.io_threads);
    side.emplace(plan.in_process(), plan.deadline, [this, &plan, far_type, far](const Near& near) {
      std::optional<peer::Context> own;
      if (!plan.in_process()) own.emplace(plan.io_threads);
      peer::Socket socket(own ? *own : *context, far_type, plan.hwm);
      if (far_type == peer::Type::xpub) socket.deliver_all();
      near.report(socket.bind(plan.endpoint()));
      far(socket);
      near.wait_until_done();
    });
    if (!plan.in_process()) context.emplace(plan.io_threads);
    endpoint = side->report();
  }
  ~Pair() {
    if (endpoint.rfind("ipc://", 0) == 0) unlink(endpoint.c_str() + 6);
  }

  std::optional<peer::Context> context;  ///< the near side's; outlives the far thread
  std::optional<Far> side;
  std::string endpoint;
};

/// Sends messages for the run's time (from the first one accepted on), then `end_count` end marks.
inline void send_stream(peer::Socket& socket, const Plan& plan) {
  static std::vector<char> payload;  // referred to until the far side ends
  payload.assign(plan.size, kData);
  auto send = [&](char mark) {
    if (!plan.refers) {
      payload[0] = mark;
      socket.send_copy(payload.data(), plan.size);
    } else if (mark == kData) {
      socket.send_external(payload.data(), plan.size);
    } else {
      socket.send_copy(&mark, 1);
    }
  };
  send(kData);
  const int64_t end = now_ns() + plan.warm_up + plan.duration;
  do {
    for (int i = 0; i < plan.stride(); i++) send(kData);
  } while (now_ns() < end);
  send(kEnd);
}

/// PUSH to PULL, and XPUB (delivering all) to `count` SUBs that are read in turn.
inline void run_stream(const Plan& plan, Line& line) {
  const bool fan_out = plan.mode == "fanout";
  Pair pair(plan, fan_out ? peer::Type::xpub : peer::Type::push, [&](peer::Socket& socket) {
    peer::Message subscription;
    for (int i = 0; fan_out && i < plan.count; i++) socket.receive(subscription);
    send_stream(socket, plan);
  });
  std::vector<peer::Socket> sockets;
  for (int i = 0; i < (fan_out ? plan.count : 1); i++) {
    peer::Socket& socket =
        sockets.emplace_back(*pair.context, fan_out ? peer::Type::sub : peer::Type::pull, plan.hwm);
    if (fan_out) socket.subscribe("");
    socket.connect(pair.endpoint);
  }
  peer::Message message;
  for (peer::Socket& socket : sockets) socket.receive(message);
  const int64_t first = now_ns();
  Window window(*pair.side);
  std::vector<char> copy(plan.copies_received() ? plan.size : 0);
  int64_t count = 0, rounds = 0;
  for (bool ended = false; !ended; rounds++) {
    for (peer::Socket& socket : sockets) {
      socket.receive(message);
      if (message.data()[0] == kEnd) ended = true;
      if (!copy.empty()) std::memcpy(copy.data(), message.data(), message.size());
    }
    if (ended) break;
    if (window.is_open()) {
      count += static_cast<int64_t>(sockets.size());
    } else if (rounds % plan.stride() == 0 && now_ns() - first >= plan.warm_up) {
      window.open();
    }
  }
  window.close(line, static_cast<double>(count), plan.size);
}

/// REQ to REP, one round trip after the other.
inline void run_latency(const Plan& plan, Line& line) {
  Pair pair(plan, peer::Type::rep, [](peer::Socket& socket) {
    peer::Message message;
    for (bool ended = false; !ended;) {
      socket.receive(message);
      ended = message.data()[0] == kEnd;
      socket.send(message);
    }
  });
  peer::Socket socket(*pair.context, peer::Type::req, plan.hwm);
  socket.connect(pair.endpoint);
  std::vector<char> payload(plan.size, kData);
  std::vector<uint32_t> samples;
  samples.reserve(1 << 20);
  peer::Message reply;
  auto trip = [&] {
    if (!plan.refers) {
      socket.send_copy(payload.data(), plan.size);
    } else {
      socket.send_external(payload.data(), plan.size);
    }
    socket.receive(reply);
  };
  trip();
  for (const int64_t end = now_ns() + plan.warm_up; now_ns() < end;) trip();
  Window window(*pair.side);
  window.open();
  for (int64_t start = now_ns(), end = start + plan.duration; start < end;) {
    trip();
    const int64_t stop = now_ns();
    samples.push_back(static_cast<uint32_t>(stop - start));
    start = stop;
  }
  window.close(line, static_cast<double>(samples.size()), plan.size);
  add_latency(line, samples);
  payload[0] = kEnd;
  trip();
}

/// DEALER to ROUTER with `count` requests outstanding.
inline void run_outstanding(const Plan& plan, Line& line) {
  Pair pair(plan, peer::Type::router, [](peer::Socket& socket) {
    peer::Message id, body;
    for (bool ended = false; !ended;) {
      socket.receive(id);
      socket.receive(body);
      ended = body.data()[0] == kEnd;
      socket.send(id, true);
      socket.send(body);
    }
  });
  peer::Socket socket(*pair.context, peer::Type::dealer, plan.hwm);
  socket.connect(pair.endpoint);
  std::vector<char> payload(std::max<std::size_t>(plan.size, 16), kData);
  std::vector<uint32_t> samples;
  samples.reserve(1 << 20);
  peer::Message reply;
  auto send = [&](int64_t time) {
    std::memcpy(payload.data() + 8, &time, sizeof time);
    socket.send_copy(payload.data(), payload.size());
  };
  int64_t time = now_ns();
  for (int i = 0; i < plan.count; i++) send(time);
  const int64_t warm = time + plan.warm_up, end = warm + plan.duration;
  Window window(*pair.side);
  while (time < end) {
    int64_t sent;
    socket.receive(reply);
    std::memcpy(&sent, reply.data() + 8, sizeof sent);
    time = now_ns();
    if (window.is_open()) {
      samples.push_back(static_cast<uint32_t>(time - sent));
    } else if (time >= warm) {
      window.open();
    }
    send(time);
  }
  window.close(line, static_cast<double>(samples.size()), payload.size());
  add_latency(line, samples);
  for (int i = 0; i < plan.count; i++) socket.receive(reply);
  payload[0] = kEnd;
  send(time);
  socket.receive(reply);
}

}  // namespace bench
