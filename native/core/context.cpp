#include "context.hpp"

#include "socket_shared.hpp"

namespace zerowire {

ContextCore::~ContextCore() {
  for (const auto& reactor : reactors_) reactor->stop();
}

bool ContextCore::start_reactors() {
  while (reactors_.size() < static_cast<std::size_t>(options.io_threads)) {
    std::shared_ptr<Reactor> reactor = Reactor::create(options.spin_us);
    if (!reactor || !reactor->start()) break;
    reactors_.push_back(std::move(reactor));
    started_.store(reactors_.size(), std::memory_order_release);
  }
  return !reactors_.empty();
}

std::shared_ptr<Reactor> ContextCore::choose_reactor(uint64_t affinity) {
  const std::lock_guard lock(mutex_);
  if (!start_reactors()) return nullptr;
  std::shared_ptr<Reactor> best;
  for (std::size_t i = 0; i < reactors_.size(); ++i) {
    if (affinity && !(affinity >> i & 1)) continue;
    if (!best || reactors_[i]->load < best->load) best = reactors_[i];
  }
  if (!best) best = reactors_[0];  // the mask names no thread that exists
  return best;
}

Reactor* ContextCore::drivable() const {
  Reactor* found = nullptr;
  for (const auto& reactor : started()) {
    if (reactor->load.load(std::memory_order_relaxed) == 0) continue;
    if (found) return nullptr;
    found = reactor.get();
  }
  return found || started().empty() ? found : started()[0].get();
}

void ContextCore::attend() const {
  for (const auto& reactor : started()) reactor->attend();
}

void ContextCore::each_reactor(const std::function<void(Reactor&)>& fn) {
  const std::lock_guard lock(mutex_);
  for (const auto& reactor : reactors_) {
    reactor->run_soon([raw = reactor.get(), fn] { fn(*raw); });
  }
}

Errc ContextCore::open(SocketShared* socket) {
  const std::lock_guard lock(mutex_);
  if (terminated()) return Errc::fault;
  if (sockets_.size() >= static_cast<std::size_t>(options.max_sockets)) return Errc::too_many_files;
  sockets_.insert(socket);
  return Errc::ok;
}

void ContextCore::close(SocketShared* socket) {
  const std::lock_guard lock(mutex_);
  sockets_.erase(socket);
  ++lingering_;
}

void ContextCore::lingering_ended() {
  std::vector<std::pair<void (*)(void*), void*>> callbacks;
  {
    const std::lock_guard lock(mutex_);
    if (--lingering_ > 0) return;
    callbacks.swap(when_idle_);
    idle_.notify_all();
  }
  for (const auto& [fn, hint] : callbacks) fn(hint);
}

void ContextCore::shutdown() {
  const std::lock_guard lock(mutex_);
  terminated_.store(true, std::memory_order_relaxed);
  for (SocketShared* socket : sockets_) socket->mailbox->nudge();
}

int ContextCore::open_sockets() {
  const std::lock_guard lock(mutex_);
  return static_cast<int>(sockets_.size());
}

bool ContextCore::wait_idle(std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  const auto idle = [this] { return lingering_ == 0; };
  if (timeout.count() >= 0) return idle_.wait_for(lock, timeout, idle);
  idle_.wait(lock, idle);
  return true;
}

void ContextCore::on_idle(void (*fn)(void*), void* hint) {
  {
    const std::lock_guard lock(mutex_);
    if (lingering_ > 0) {
      when_idle_.emplace_back(fn, hint);
      return;
    }
  }
  fn(hint);
}

Result<Context> Context::create(const ContextOptions& options) {
  if (options.io_threads < 0 || options.io_threads > 64) {
    return Error{Errc::invalid,
                 "ioThreads must be 0..64, not " + std::to_string(options.io_threads)};
  }
  if (options.max_sockets < 1 || options.max_sockets > 65535) {
    return Error{Errc::invalid,
                 "maxSockets must be 1..65535, not " + std::to_string(options.max_sockets)};
  }
  if (options.spin_us < 0 || options.spin_us > 1000) {
    return Error{Errc::invalid, "spin must be 0..1000 us, not " + std::to_string(options.spin_us)};
  }
  return Context(std::make_shared<ContextCore>(options));
}

void Context::shutdown() { core_->shutdown(); }
int Context::open_sockets() const { return core_->open_sockets(); }
bool Context::wait_idle(std::chrono::milliseconds timeout) { return core_->wait_idle(timeout); }
void Context::on_idle(void (*fn)(void*), void* hint) { core_->on_idle(fn, hint); }

void Context::abandon_lingering() {
  core_->inproc.abandon();
  core_->each_reactor([](Reactor& reactor) { reactor.abandon_all(); });
}

}  // namespace zerowire
