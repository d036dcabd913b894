#include "base/membarrier.hpp"

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>

#include "base/thread.hpp"

namespace zerowire {
namespace {

enum class State { unknown, asked, ready, refused };
std::atomic<State> state{State::unknown};

bool call(int command) { return ::syscall(SYS_membarrier, command, 0, 0) == 0; }

void* ask(void*) {
  const bool granted = call(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
  state.store(granted ? State::ready : State::refused, std::memory_order_release);
  return nullptr;
}

}  // namespace

bool membarrier_ready() {
  State now = state.load(std::memory_order_acquire);
  if (now != State::unknown) return now == State::ready;
  if (!state.compare_exchange_strong(now, State::asked)) return false;
  pthread_t thread;
  if (start_thread(thread, ask, nullptr)) {
    ::pthread_detach(thread);
  } else {
    state.store(State::refused, std::memory_order_release);
  }
  return false;
}

void membarrier() {
  if (call(MEMBARRIER_CMD_PRIVATE_EXPEDITED)) return;
  // Granted once and refused now, as by a filter that was set since. Processors do not hold back
  // for so long what was written.
  state.store(State::refused, std::memory_order_release);
  ::usleep(1000);
}

}  // namespace zerowire
