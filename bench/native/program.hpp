// main() of a peer's benchmark program. Include a peer_*.hpp first.
#pragma once

#include "congestion.hpp"
#include "connections.hpp"
#include "matching.hpp"
#include "paced.hpp"
#include "workloads.hpp"

int main(int argc, char** argv) {
  const bench::Plan plan{bench::Args(argc, argv)};
  bench::Line line;
  line.add("peer", peer::kName).add("version", peer::version()).add("mode", plan.mode);
  line.add("transport", plan.transport).add("size", static_cast<double>(plan.size));
  line.add("count", plan.count).add("hwm", plan.hwm).add("ioThreads", plan.io_threads);
  if (plan.mode == "throughput" || plan.mode == "fanout") {
    bench::run_stream(plan, line);
  } else if (plan.mode == "latency") {
    bench::run_latency(plan, line);
  } else if (plan.mode == "outstanding") {
    bench::run_outstanding(plan, line);
  } else if (plan.mode == "paced") {
    bench::run_paced(plan, line);
  } else if (plan.mode == "connections") {
    bench::run_connections(plan, line);
  } else if (plan.mode == "matching") {
    bench::run_matching(plan, line);
  } else {
    bench::die("modes: throughput, latency, fanout, outstanding, paced, connections, matching");
  }
  line.print();
  return 0;
}
