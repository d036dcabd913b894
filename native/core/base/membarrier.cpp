#include "base/membarrier.hpp"

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>

#include "base/thread.hpp"

namespace zerowire {
namespace {

enum class State { unknown, asked, ready };
std::atomic<State> state{State::unknown};

bool call(int command) { return ::syscall(SYS_membarrier, command, 0, 0) == 0; }

void* ask(void*) {
  if (call(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) && membarrier()) {
    state.store(State::ready, std::memory_order_release);
  }
  return nullptr;
}

}  // namespace

bool membarrier_ready() {
  State now = state.load(std::memory_order_acquire);
  if (now != State::unknown) return now == State::ready;
  pthread_t thread;
  if (state.compare_exchange_strong(now, State::asked) && start_thread(thread, ask, nullptr)) {
    ::pthread_detach(thread);
  }
  return false;
}

bool membarrier() { return call(MEMBARRIER_CMD_PRIVATE_EXPEDITED); }

}  // namespace zerowire
