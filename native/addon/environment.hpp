// Environment: everything the addon keeps for one JavaScript environment (the main thread's or a
// worker's).
#pragma once

#include <node_api.h>

#include <array>
#include <memory>
#include <optional>
#include <vector>

#include "binary.hpp"
#include "handle_table.hpp"
#include "outgoing.hpp"
#include "shared_context.hpp"
#include "wake_hub.hpp"
#include "zerowire/zerowire.hpp"

namespace zerowire::addon {

/// A socket of this environment.
struct SocketEntry {
  SocketEntry(Socket s, std::shared_ptr<SharedContext> c, Context core)
      : socket(std::move(s)), context(std::move(c)), core_context(std::move(core)) {}

  /// Readiness of the socket, and of the message that receive() has taken but not passed on yet.
  unsigned readiness() { return socket.readiness() | (has_inbound ? kReadable : 0u); }

  Socket socket;
  std::shared_ptr<SharedContext> context;
  Context core_context;
  int32_t handle = 0;
  Inbound inbound;           ///< views into the socket, valid until it receives again
  bool has_inbound = false;  ///< `inbound` has not been passed on
  bool corked = false;
  bool armed = false;
  int endpoints = 0;  ///< bound and connected
  /// Peers may be other environments, which must not see memory that dies with this one.
  bool inproc = false;
};

/// A proxy that runs, or has ended and not told JavaScript yet.
struct ProxyEntry {
  std::unique_ptr<Proxy> proxy;
  napi_ref on_end = nullptr;
  /// Those of its sockets, where these linger once it has ended.
  std::vector<std::pair<std::shared_ptr<SharedContext>, Context>> contexts;
};

/// Created when the addon is loaded into an environment, torn down by its cleanup hook, freed with
/// its instance data. Used by the environment's JavaScript thread only; other threads reach it
/// through the WakeHub.
class Environment {
 public:
  /// Null, with an exception pending, when the engine refuses.
  static Environment* create(napi_env env);
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

  napi_env env() const { return env_; }
  const Builtins& builtins() const { return builtins_; }
  const std::shared_ptr<WakeHub>& hub() const { return hub_; }
  Outgoing& outgoing() { return outgoing_; }

  HandleTable<SocketEntry> sockets;
  HandleTable<std::shared_ptr<SharedContext>> contexts;
  HandleTable<ProxyEntry> proxies;
  int32_t default_context = 0;  ///< handle, once used

  /// The function to call when there is news.
  void set_on_wake(napi_value on_wake);
  /// Keeps the event loop alive. Running proxies do so on their own.
  void set_ref(bool on);
  void proxy_started();

  /// The socket behind a handle from JavaScript; null, with EBADF pending, if it is closed.
  SocketEntry* socket(napi_value handle);
  /// Arms the waker unless one of the `wanted` bits is set now: returns those, or 0 when armed.
  unsigned arm(SocketEntry& entry, unsigned wanted);
  /// Does the socket's housekeeping (new peers, subscriptions, ...), also while JavaScript waits
  /// for nothing, and has its waker called at the next occasion for more. Its readiness.
  unsigned park(SocketEntry& entry);
  /// The next armed socket that has news, disarmed, and its readiness; null when there is none.
  /// News need not be of what was wanted: a ROUTER is writable all the time, and that one peer has
  /// room again is what the sender waits for.
  SocketEntry* next_ready(unsigned& bits);

  /// Collects what is sent until flush().
  void cork(SocketEntry& entry);
  void uncork(SocketEntry& entry);
  void flush();
  /// At the end of a turn of the event loop: see LoopDriver. True: next_ready() has news.
  bool drive();
  /// Messages have been handed to JavaScript.
  void received(std::size_t messages, std::size_t bytes) { driver_.received(messages, bytes); }
  /// A socket has been added, or is about to go.
  void arrived(const SocketEntry& entry);
  void leaves(const SocketEntry& entry);
  void close(int32_t handle);
  /// Frees the sent values that the core is done with.
  void free_released();
  /// Closes everything and waits, for a second at most, for what lingers. Nothing can be used
  /// afterwards. The cleanup hook's work, or the process's when it exits without running hooks.
  void teardown();

 private:
  explicit Environment(napi_env env);
  bool create_wakes();
  void update_ref();
  void on_signal();
  void finish_proxies();
  void linger(SocketEntry& entry);
  void linger_in(const std::shared_ptr<SharedContext>& context, Context& core);
  void end(ProxyEntry& entry);

  static void call_js(napi_env env, napi_value, void* context, void*);
  static void on_cleanup(void* self);
  int shorten_linger(Socket& socket);

  const napi_env env_;
  const std::shared_ptr<WakeHub> hub_ = std::make_shared<WakeHub>();
  Builtins builtins_;
  Outgoing outgoing_{hub_, builtins_};
  std::array<napi_threadsafe_function, 2> wakes_{};
  napi_ref on_wake_ = nullptr;
  bool ref_wanted_ = false;
  bool ref_held_ = false;
  int running_proxies_ = 0;
  bool torn_down_ = false;
  WakeHub::News news_;
  std::size_t next_ready_ = 0;  // index in news_.ready
  std::vector<int32_t> corked_;
  /// The context that drive() is for: that of the first socket, and how many are in it.
  std::optional<Context> home_;
  int at_home_ = 0;
  LoopDriver driver_;
  /// Contexts that closed sockets of ours may still linger in; emptied when none does.
  std::vector<std::shared_ptr<SharedContext>> lingering_;
};

}  // namespace zerowire::addon
