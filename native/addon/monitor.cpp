// Monitor events.
#include "functions.hpp"
#include "napi_util.hpp"
#include "values.hpp"

namespace zerowire::addon {

napi_value monitor(Environment& env, Args args) {
  SocketEntry* entry = env.socket(args[0]);
  int64_t mask = 0;
  if (!entry || !read_integer(env.env(), args[1], "mask", 0, kAllEvents, mask)) return nullptr;
  entry->socket.monitor(static_cast<uint32_t>(mask));
  return undefined(env.env());
}

napi_value next_event(Environment& env, Args args) {
  SocketEntry* entry = env.socket(args[0]);
  if (!entry) return nullptr;
  Event event;
  if (!entry->socket.try_event(event)) return null(env.env());
  const napi_env js = env.env();
  napi_value object = nullptr;
  napi_create_object(js, &object);
  napi_set_named_property(js, object, "type", to_js(js, static_cast<uint32_t>(event.type)));
  napi_set_named_property(js, object, "value", to_js(js, event.value));
  napi_set_named_property(js, object, "address", to_js(js, std::string_view(event.address)));
  napi_set_named_property(js, object, "peerAddress",
                          to_js(js, std::string_view(event.peer_address)));
  napi_set_named_property(js, object, "first", to_js(js, event.first));
  napi_set_named_property(js, object, "count", to_js(js, event.count));
  return object;
}

}  // namespace zerowire::addon
