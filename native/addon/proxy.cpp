// Proxies on native threads.
#include "errors.hpp"
#include "functions.hpp"
#include "napi_util.hpp"
#include "values.hpp"

namespace zerowire::addon {
namespace {

/// Tells the environment, which may be gone by then, that a proxy ended.
struct Ended {
  std::shared_ptr<WakeHub> hub;
  int32_t handle;

  static void call(void* hint) {
    const std::unique_ptr<Ended> ended(static_cast<Ended*>(hint));
    ended->hub->proxy_ended(ended->handle);
  }
};

/// A socket that a proxy can take over; null with an exception pending.
SocketEntry* read_side(Environment& env, napi_value handle, const char* name) {
  SocketEntry* entry = env.socket(handle);
  if (!entry) return nullptr;
  if (entry->endpoints <= 0) {
    throw_error(env.env(), Errc::invalid, std::string(name) + " is neither bound nor connected");
    return nullptr;
  }
  return entry;
}

/// Passes on the message that receive() has taken from the core but not handed out. False, with an
/// exception pending, when the other side is full.
bool pass_on(Environment& env, SocketEntry& from, SocketEntry& to) {
  if (!from.has_inbound) return true;
  std::vector<Part> parts;
  for (const FrameView& frame : from.inbound.frames) {
    parts.push_back({frame.data, frame.size, frame.buffer});
  }
  const Errc error = to.socket.try_send(parts);
  from.has_inbound = error != Errc::ok;
  if (error == Errc::ok) return true;
  throw_error(env.env(), Errc::busy, "A message of the other side does not fit in");
  return false;
}

/// Takes the socket from JavaScript: its handle is invalid and its waker silent from now on.
Socket take(Environment& env, SocketEntry& entry) {
  env.uncork(entry);
  entry.socket.set_waker(nullptr);
  env.leaves(entry);
  return std::move(env.sockets.remove(entry.handle)->socket);
}

}  // namespace

napi_value proxy(Environment& env, Args args) {
  SocketEntry* front = read_side(env, args[0], "front");
  SocketEntry* back = front ? read_side(env, args[1], "back") : nullptr;
  if (!back || !check_function(env.env(), args[2], "onEnd")) return nullptr;
  if (front == back)
    return throw_error(env.env(), Errc::invalid, "The sides of a proxy must be two sockets");
  if (!pass_on(env, *front, *back) || !pass_on(env, *back, *front)) return nullptr;

  auto owned = std::make_unique<ProxyEntry>();
  ProxyEntry* const entry = owned.get();
  const int32_t handle = env.proxies.insert(std::move(owned));
  if (!handle) return throw_error(env.env(), Errc::too_many_files, "Too many proxies");
  for (const SocketEntry* side : {front, back}) {
    entry->contexts.emplace_back(side->context, side->core_context);
  }
  auto* ended = new Ended{env.hub(), handle};
  Result<std::unique_ptr<Proxy>> started =
      Proxy::start(take(env, *front), take(env, *back), Ended::call, ended);
  if (!started) {
    delete ended;
    env.proxies.remove(handle);
    return throw_error(env.env(), started.error());
  }
  entry->proxy = std::move(started.value());
  napi_create_reference(env.env(), args[2], 1, &entry->on_end);
  env.proxy_started();
  return to_js(env.env(), handle);
}

napi_value proxy_control(Environment& env, Args args) {
  int32_t handle = 0;
  napi_get_value_int32(env.env(), args[0], &handle);
  ProxyEntry* entry = env.proxies.find(handle);
  if (!entry) return throw_error(env.env(), Errc::bad_socket);
  std::string command;
  if (!read_string(env.env(), args[1], "command", command)) return nullptr;
  if (command == "pause") {
    entry->proxy->pause();
  } else if (command == "resume") {
    entry->proxy->resume();
  } else if (command == "terminate") {
    entry->proxy->terminate();
  } else {
    return throw_error(env.env(), Errc::invalid, "Unknown proxy command " + command);
  }
  return undefined(env.env());
}

}  // namespace zerowire::addon
