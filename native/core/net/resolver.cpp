#include "net/resolver.hpp"

#include <utility>

#include "base/thread.hpp"

namespace zerowire {

void Resolver::resolve(Query query) {
  {
    const std::lock_guard lock(state_->mutex);
    state_->queue.push_back(std::move(query));
    if (state_->threads == kThreads) return;
    ++state_->threads;
  }
  auto* argument = new std::shared_ptr<State>(state_);
  const auto run = [](void* pointer) -> void* {
    const std::unique_ptr<std::shared_ptr<State>> state(
        static_cast<std::shared_ptr<State>*>(pointer));
    work(*state);
    return nullptr;
  };
  pthread_t thread;
  if (start_thread(thread, run, argument)) {
    pthread_detach(thread);
    return;
  }
  const std::unique_ptr<std::shared_ptr<State>> state(argument);
  work(*state);
}

void Resolver::work(const std::shared_ptr<State>& state) {
  for (;;) {
    Query query;
    {
      const std::lock_guard lock(state->mutex);
      if (state->queue.empty()) {
        --state->threads;
        return;
      }
      query = std::move(state->queue.front());
      state->queue.pop_front();
    }
    query.done(resolve_address(query.host, query.port, query.ipv6, query.turn));
  }
}

}  // namespace zerowire
