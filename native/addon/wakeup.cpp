// How JavaScript learns that sockets have news.
#include "errors.hpp"
#include "functions.hpp"
#include "napi_util.hpp"
#include "values.hpp"

namespace zerowire::addon {

napi_value init(Environment& env, Args args) {
  if (!check_function(env.env(), args[0], "onWake")) return nullptr;
  env.set_on_wake(args[0]);
  return undefined(env.env());
}

napi_value ref(Environment& env, Args args) {
  bool on = false;
  napi_get_value_bool(env.env(), args[0], &on);
  env.set_ref(on);
  return undefined(env.env());
}

namespace {

/// The sockets that have news.
napi_value ready(Environment& env, napi_value array) {
  ArrayView<int32_t> out;
  if (!read_array(env.env(), array, "out", out)) return nullptr;
  env.free_released();
  int32_t pairs = 0;
  for (std::size_t at = 0; at + 2 <= out.length; at += 2) {
    unsigned bits = 0;
    const SocketEntry* entry = env.next_ready(bits);
    if (!entry) break;
    out.data[at] = entry->handle;
    out.data[at + 1] = static_cast<int32_t>(bits);
    ++pairs;
  }
  return to_js(env.env(), pairs);
}

}  // namespace

napi_value ready(Environment& env, Args args) { return ready(env, args[0]); }

napi_value drive(Environment& env, Args args) {
  env.flush();
  return env.drive() ? ready(env, args[0]) : to_js(env.env(), int32_t{-1});
}

napi_value arm(Environment& env, Args args) {
  SocketEntry* entry = env.socket(args[0]);
  if (!entry) return nullptr;
  uint32_t wanted = 0;
  napi_get_value_uint32(env.env(), args[1], &wanted);
  return to_js(env.env(), env.arm(*entry, wanted));
}

napi_value readiness(Environment& env, Args args) {
  SocketEntry* entry = env.socket(args[0]);
  if (!entry) return nullptr;
  return to_js(env.env(), entry->readiness());
}

napi_value finish(Environment& env, Args) {
  env.teardown();
  return undefined(env.env());
}

napi_value lingering(Environment& env, Args) {
  return to_js(env.env(), static_cast<int32_t>(env.hub()->lingering()));
}

}  // namespace zerowire::addon
