// Processors: what this process may run on.
#pragma once

#include <sched.h>

namespace zerowire {

/// Whether all threads take turns on one processor: then looking for what another thread is to do
/// only keeps that from doing it.
inline bool one_processor() {
  cpu_set_t allowed;
  return ::sched_getaffinity(0, sizeof allowed, &allowed) == 0 && CPU_COUNT(&allowed) == 1;
}

}  // namespace zerowire
