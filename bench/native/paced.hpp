// One-way latency and CPU time of a stream of a given rate.
#pragma once

#include "ticks.hpp"
#include "workloads.hpp"

namespace bench {

/// Messages leave at ticks, each stamped with the time.
inline void send_paced(peer::Socket& socket, const Plan& plan) {
  std::vector<char> payload(std::max<std::size_t>(plan.size, 16), kData);
  in_ticks(plan.rate, plan.warm_up + plan.duration, [&](int64_t messages) {
    if (plan.corked) socket.cork();
    for (int64_t i = 0; i < messages; i++) {
      const int64_t now = now_ns();
      std::memcpy(payload.data() + 8, &now, sizeof now);
      socket.send_copy(payload.data(), payload.size());
    }
    if (plan.corked) socket.uncork();
  });
  payload[0] = kEnd;
  socket.send_copy(payload.data(), payload.size());
}

/// PUSH to PULL at `rate` messages per second.
inline void run_paced(const Plan& plan, Line& line) {
  Pair pair(plan, peer::Type::push, [&](peer::Socket& socket) {
    socket.send_copy("D", 1);  // returns when the other side has connected
    send_paced(socket, plan);
  });
  peer::Socket socket(*pair.context, peer::Type::pull, plan.hwm);
  socket.connect(pair.endpoint);
  peer::Message message;
  socket.receive(message);
  Window window(*pair.side);
  std::vector<uint32_t> samples;
  samples.reserve(1 << 20);
  const int64_t warm = now_ns() + plan.warm_up;
  for (;;) {
    socket.receive(message);
    const int64_t now = now_ns();
    if (message.data()[0] == kEnd) break;
    int64_t sent;
    std::memcpy(&sent, message.data() + 8, sizeof sent);
    if (window.is_open()) {
      samples.push_back(static_cast<uint32_t>(now - sent));
    } else if (now >= warm) {
      window.open();
    }
  }
  window.close(line, static_cast<double>(samples.size()), plan.size);
  add_latency(line, samples);
}

}  // namespace bench
