#include "environment.hpp"

#include <algorithm>

#include "errors.hpp"
#include "napi_util.hpp"

namespace zerowire::addon {
namespace {

/// Attempts to arm a socket to which things happen all the time that JavaScript does not wait for,
/// before the rest is left to the next turn of the event loop.
constexpr int kArmAttempts = 32;

}  // namespace

Environment::Environment(napi_env env) : env_(env) { builtins_.load(env); }

Environment* Environment::create(napi_env env) {
  std::unique_ptr<Environment> self(new Environment(env));
  const auto finalize = [](napi_env, void* data, void*) { delete static_cast<Environment*>(data); };
  if (!self->create_wakes() ||
      napi_set_instance_data(env, self.get(), finalize, nullptr) != napi_ok) {
    napi_throw_error(env, nullptr, "The event loop refuses a wake-up handle");
    return nullptr;
  }
  // After the wake-up functions: hooks run in reverse order, and ours has to be the first.
  napi_add_env_cleanup_hook(env, on_cleanup, self.get());
  return self.release();
}

bool Environment::create_wakes() {
  for (napi_threadsafe_function& wake : wakes_) {
    if (napi_create_threadsafe_function(env_, nullptr, nullptr, to_js(env_, "zerowire"), 0, 1,
                                        nullptr, nullptr, this, call_js, &wake) != napi_ok ||
        napi_unref_threadsafe_function(env_, wake) != napi_ok) {
      return false;
    }
  }
  hub_->attach(wakes_);
  return true;
}

void Environment::set_on_wake(napi_value on_wake) {
  if (on_wake_) napi_delete_reference(env_, on_wake_);
  napi_create_reference(env_, on_wake, 1, &on_wake_);
}

void Environment::set_ref(bool on) {
  ref_wanted_ = on;
  update_ref();
}

void Environment::proxy_started() {
  ++running_proxies_;
  update_ref();
}

void Environment::update_ref() {
  const bool hold = ref_wanted_ || running_proxies_ > 0;
  if (hold == ref_held_ || torn_down_) return;
  ref_held_ = hold;
  if (hold) {
    napi_ref_threadsafe_function(env_, wakes_[0]);
  } else {
    napi_unref_threadsafe_function(env_, wakes_[0]);
  }
}

void Environment::call_js(napi_env env, napi_value, void* context, void*) {
  if (env) static_cast<Environment*>(context)->on_signal();
}

void Environment::on_signal() {
  hub_->take(news_);
  free_released();
  finish_proxies();
  const bool quiet = std::exchange(news_.quiet, false);
  if (quiet && hub_->lingering() == 0) lingering_.clear();
  if (!on_wake_ || (!quiet && next_ready_ == news_.ready.size())) return;
  napi_value on_wake = nullptr;
  napi_get_reference_value(env_, on_wake_, &on_wake);
  napi_call_function(env_, undefined(env_), on_wake, 0, nullptr, nullptr);
  report_uncaught(env_);
}

void Environment::free_released() {
  for (napi_ref ref : news_.released) napi_delete_reference(env_, ref);
  news_.released.clear();
}

void Environment::finish_proxies() {
  for (const int32_t handle : std::exchange(news_.ended, {})) {
    const Scope scope(env_);
    std::unique_ptr<ProxyEntry> entry = proxies.remove(handle);
    if (!entry) continue;
    end(*entry);
    --running_proxies_;
    update_ref();
    napi_value on_end = nullptr;
    napi_get_reference_value(env_, entry->on_end, &on_end);
    napi_delete_reference(env_, entry->on_end);
    napi_call_function(env_, undefined(env_), on_end, 0, nullptr, nullptr);
    report_uncaught(env_);
  }
}

SocketEntry* Environment::socket(napi_value handle) {
  int32_t number = 0;
  napi_get_value_int32(env_, handle, &number);
  SocketEntry* entry = sockets.find(number);
  if (!entry) throw_error(env_, Errc::bad_socket);
  return entry;
}

unsigned Environment::arm(SocketEntry& entry, unsigned wanted) {
  entry.armed = false;
  for (int i = 0; i < kArmAttempts; ++i) {
    if (const unsigned bits = entry.readiness() & wanted) return bits;
    if (entry.socket.arm()) {
      entry.armed = true;
      return 0;
    }
  }
  entry.armed = true;
  hub_->notify(entry.handle);
  return 0;
}

SocketEntry* Environment::next_ready(unsigned& bits) {
  if (next_ready_ == news_.ready.size()) {
    news_.ready.clear();
    next_ready_ = 0;
    hub_->take(news_);
  }
  while (next_ready_ < news_.ready.size()) {
    SocketEntry* entry = sockets.find(news_.ready[next_ready_++]);
    if (!entry) continue;
    bits = park(*entry);
    if (std::exchange(entry->armed, false)) return entry;
  }
  return nullptr;
}

unsigned Environment::park(SocketEntry& entry) {
  unsigned bits = 0;
  for (int i = 0; i < kArmAttempts; ++i) {
    bits = entry.readiness();
    if (entry.socket.arm()) return bits;
  }
  hub_->notify(entry.handle);
  return bits;
}

void Environment::cork(SocketEntry& entry) {
  if (entry.corked) return;
  entry.corked = true;
  entry.socket.cork();
  corked_.push_back(entry.handle);
}

void Environment::uncork(SocketEntry& entry) {
  if (!entry.corked) return;
  entry.corked = false;
  entry.socket.uncork();
}

void Environment::flush() {
  if (!corked_.empty()) driver_.sent();
  for (const int32_t handle : corked_) {
    if (SocketEntry* entry = sockets.find(handle)) uncork(*entry);
  }
  corked_.clear();
  // Programs that send from microtasks alone never get to the loop, where wakes arrive.
  if (hub_->take_released(news_.released)) free_released();
}

bool Environment::drive() {
  if (!home_ || !driver_.wanted()) return false;
  hub_->hold_back();
  const bool found = driver_.drive(*home_, at_home_, [this] { return hub_->any_ready(); });
  hub_->resume(found);
  return found;
}

void Environment::arrived(const SocketEntry& entry) {
  if (!home_) home_ = entry.core_context;
  if (home_->core() == entry.core_context.core()) ++at_home_;
}

void Environment::leaves(const SocketEntry& entry) {
  if (!home_ || home_->core() != entry.core_context.core()) return;
  if (--at_home_ == 0) home_.reset();
}

void Environment::close(int32_t handle) {
  std::unique_ptr<SocketEntry> entry = sockets.remove(handle);
  if (!entry) return;
  leaves(*entry);
  uncork(*entry);
  linger(*entry);
}

void Environment::linger(SocketEntry& entry) {
  entry.socket.close();
  linger_in(entry.context, entry.core_context);
}

/// Joins its thread, which has closed the sockets, or does so now.
void Environment::end(ProxyEntry& entry) {
  entry.proxy.reset();
  for (auto& [context, core] : entry.contexts) linger_in(context, core);
}

/// After a socket was closed: has itself told when nothing lingers in its context any more. Sockets
/// that other environments closed in the process-wide context count too: the core tells per
/// context.
void Environment::linger_in(const std::shared_ptr<SharedContext>& context, Context& core) {
  const auto on_idle = [](void* hint) {
    std::unique_ptr<std::shared_ptr<WakeHub>> hub(static_cast<std::shared_ptr<WakeHub>*>(hint));
    (*hub)->linger_ended();
  };
  hub_->linger([&] { core.on_idle(on_idle, new std::shared_ptr<WakeHub>(hub_)); });
  if (hub_->lingering() == 0) {
    lingering_.clear();
    return;
  }
  if (std::find(lingering_.begin(), lingering_.end(), context) == lingering_.end()) {
    lingering_.push_back(context);
  }
}

}  // namespace zerowire::addon
