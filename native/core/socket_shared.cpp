#include "socket_shared.hpp"

#include "context.hpp"

namespace zerowire {

void SocketMailbox::wake() {
  std::shared_ptr<Waker> waker;
  std::shared_ptr<Waker> sleeper;
  {
    const std::lock_guard lock(mutex_);
    waker = waker_;
    sleeper = sleeper_;
  }
  if (waker) waker->wake();
  if (sleeper) sleeper->wake();
}

void SocketMailbox::set_waker(std::shared_ptr<Waker> waker) {
  const std::lock_guard lock(mutex_);
  waker_ = std::move(waker);
}

void SocketMailbox::set_sleeper(std::shared_ptr<Waker> sleeper) {
  const std::lock_guard lock(mutex_);
  sleeper_ = std::move(sleeper);
}

SocketShared::SocketShared(std::shared_ptr<ContextCore> owner) : context(std::move(owner)) {}

SocketShared::~SocketShared() {
  if (closed.load(std::memory_order_acquire)) context->lingering_ended();
}

void SocketShared::emit(EventType type, uint32_t value, const std::string& address,
                        const std::string& peer_address) {
  if (monitor.wants(type)) emit({type, value, address, peer_address});
}

void SocketShared::emit(Event event) {
  if (monitor.wants(event.type) && monitor.put(std::move(event))) mailbox->nudge();
}

}  // namespace zerowire
