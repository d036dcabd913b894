// One-way latency and CPU time of a stream of a given rate.
#pragma once

#include <sys/prctl.h>

#include "workloads.hpp"

namespace bench {

/// Messages leave at ticks, as many at each as the rate asks for, each stamped with the time.
inline void send_paced(peer::Socket& socket, const Plan& plan) {
  constexpr int64_t kTick = 100'000;  // ns
  prctl(PR_SET_TIMERSLACK, 1);
  std::vector<char> payload(std::max<std::size_t>(plan.size, 16), kData);
  const int64_t interval = std::max<int64_t>(kTick, 1'000'000'000 / plan.rate);
  const int64_t burst = std::max<int64_t>(1, plan.rate / (1'000'000'000 / kTick));
  const int64_t end = now_ns() + plan.warm_up + plan.duration;
  for (int64_t due = now_ns(); due < end; due += interval) {
    const timespec time{due / 1'000'000'000, due % 1'000'000'000};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nullptr);
    for (int64_t i = 0; i < burst; i++) {
      const int64_t now = now_ns();
      std::memcpy(payload.data() + 8, &now, sizeof now);
      socket.send_copy(payload.data(), payload.size());
    }
  }
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
