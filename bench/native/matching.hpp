// What a publisher pays to find out that nobody wants a message, among many subscriptions.
#pragma once

#include "workloads.hpp"

namespace bench {

inline std::string topic(int number, char end) {
  char text[32];
  std::snprintf(text, sizeof text, "topic.%06d%c", number, end);
  return text;
}

/// XPUB with `count` subscriptions of one SUB: "topic.000000:", ...; what is published differs in
/// the last byte of the topic.
inline void run_matching(const Plan& plan, Line& line) {
  constexpr int kMessages = 200'000;
  Far side(false, plan.deadline, [&plan](const Near& near) {
    peer::Context context(plan.io_threads);
    peer::Socket socket(context, peer::Type::xpub, plan.hwm);
    near.report(socket.bind("tcp://127.0.0.1:*"));
    peer::Message subscription;
    for (int i = 0; i < plan.count; i++) socket.receive(subscription);
    std::vector<std::string> topics;
    for (int i = 0; i < 1024; i++) topics.push_back(topic(i * 7919 % plan.count, ';'));
    const int64_t cpu = cpu_ns(), start = now_ns();
    for (int i = 0; i < kMessages; i++) {
      const std::string& text = topics[static_cast<std::size_t>(i) % topics.size()];
      socket.send_copy(text.data(), text.size());
    }
    near.report(std::to_string(now_ns() - start) + " " + std::to_string(cpu_ns() - cpu));
    near.wait_until_done();
  });
  peer::Context context(plan.io_threads);
  const std::string endpoint = side.report();
  peer::Socket socket(context, peer::Type::sub, plan.hwm);
  for (int i = 0; i < plan.count; i++) socket.subscribe(topic(i, ':'));
  socket.connect(endpoint);
  double elapsed = 0, cpu = 0;
  if (std::sscanf(side.report().c_str(), "%lf %lf", &elapsed, &cpu) != 2) die("no result");
  line.add("rate", kMessages * 1e9 / elapsed).add("nanoseconds", elapsed / kMessages);
  line.add("cpuPerMessage", cpu / kMessages / 1e3);
}

}  // namespace bench
