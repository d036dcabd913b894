// What the addon exports, and its registration with Node.
#include <dlfcn.h>

#include "functions.hpp"
#include "napi_util.hpp"
#include "version.hpp"

namespace zerowire::addon {
namespace {

using Function = napi_value (*)(Environment& env, Args args);

template <Function kFunction, std::size_t kArgs>
napi_value call(napi_env env, napi_callback_info info) {
  napi_value args[kArgs + 1];
  std::size_t count = kArgs;
  void* self = nullptr;
  if (napi_get_cb_info(env, info, &count, args, nullptr, &self) != napi_ok) return nullptr;
  return kFunction(*static_cast<Environment*>(self), args);
}

struct Export {
  const char* name;
  napi_callback callback;
};

constexpr Export kExports[] = {
    {"init", call<init, 1>},
    {"ref", call<ref, 1>},
    {"ready", call<ready, 1>},
    {"arm", call<arm, 2>},
    {"readiness", call<readiness, 1>},
    {"lingering", call<lingering, 0>},
    {"finish", call<finish, 0>},
    {"defaultContext", call<default_context, 0>},
    {"createContext", call<create_context, 1>},
    {"contextOption", call<context_option, 2>},
    {"setContextOption", call<set_context_option, 3>},
    {"releaseContext", call<release_context, 1>},
    {"createSocket", call<create_socket, 2>},
    {"closeSocket", call<close_socket, 1>},
    {"setOptionNumber", call<set_option_number, 3>},
    {"setOptionString", call<set_option_string, 3>},
    {"getOptionNumber", call<get_option_number, 2>},
    {"getOptionString", call<get_option_string, 2>},
    {"bind", call<bind, 2>},
    {"unbind", call<unbind, 2>},
    {"connect", call<connect, 2>},
    {"disconnect", call<disconnect, 2>},
    {"subscribe", call<subscribe, 2>},
    {"unsubscribe", call<unsubscribe, 2>},
    {"send", call<send, 2>},
    {"sendParts", call<send_parts, 2>},
    {"sendPacked", call<send_packed, 4>},
    {"stable", call<stable, 1>},
    {"room", call<room, 1>},
    {"flush", call<flush, 0>},
    {"drive", call<drive, 1>},
    {"receive", call<receive, 6>},
    {"monitor", call<monitor, 2>},
    {"nextEvent", call<next_event, 1>},
    {"proxy", call<proxy, 3>},
    {"proxyControl", call<proxy_control, 2>},
};

/// Keeps this library in memory until the process ends. When it was loaded by workers only, Node
/// unloads it with the last of them, while IO threads may still be running its code.
void stay_loaded() {
  Dl_info self;
  if (dladdr(reinterpret_cast<void*>(&stay_loaded), &self) != 0) {
    dlopen(self.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
  }
}

bool define(napi_env env, napi_value exports, Environment* self) {
  for (const Export& entry : kExports) {
    napi_value function = nullptr;
    if (napi_create_function(env, entry.name, NAPI_AUTO_LENGTH, entry.callback, self, &function) !=
            napi_ok ||
        napi_set_named_property(env, exports, entry.name, function) != napi_ok) {
      return false;
    }
  }
  return napi_set_named_property(env, exports, "version", to_js(env, kVersion)) == napi_ok;
}

}  // namespace
}  // namespace zerowire::addon

NAPI_MODULE_INIT() {
  zerowire::addon::stay_loaded();
  zerowire::addon::Environment* self = zerowire::addon::Environment::create(env);
  if (!self || !zerowire::addon::define(env, exports, self)) return nullptr;
  return exports;
}
