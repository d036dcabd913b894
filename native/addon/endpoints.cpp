// Endpoints and subscriptions.
#include "errors.hpp"
#include "functions.hpp"
#include "napi_util.hpp"
#include "values.hpp"

namespace zerowire::addon {
namespace {

bool is_inproc(std::string_view endpoint) { return endpoint.starts_with("inproc://"); }

/// The socket and endpoint of a call; null with an exception pending.
SocketEntry* read_call(Environment& env, Args args, std::string& endpoint) {
  SocketEntry* entry = env.socket(args[0]);
  return entry && read_string(env.env(), args[1], "endpoint", endpoint) ? entry : nullptr;
}

using Change = Result<void> (Socket::*)(std::string_view);

/// unbind and disconnect: what has been collected goes out before the connection ends.
napi_value drop_endpoint(Environment& env, Args args, Change change) {
  std::string endpoint;
  SocketEntry* entry = read_call(env, args, endpoint);
  if (!entry) return nullptr;
  env.uncork(*entry);
  const Result<void> done = (entry->socket.*change)(endpoint);
  if (!done) return throw_error(env.env(), done.error(), endpoint);
  --entry->endpoints;
  return undefined(env.env());
}

napi_value change_subscription(Environment& env, Args args, Change change) {
  SocketEntry* entry = env.socket(args[0]);
  if (!entry) return nullptr;
  std::string prefix;
  if (!read_bytes(env.env(), env.builtins(), args[1], "prefix", prefix)) return nullptr;
  const Result<void> done = (entry->socket.*change)(prefix);
  return done ? undefined(env.env()) : throw_error(env.env(), done.error());
}

}  // namespace

napi_value bind(Environment& env, Args args) {
  std::string endpoint;
  SocketEntry* entry = read_call(env, args, endpoint);
  if (!entry) return nullptr;
  const Result<std::string> bound = entry->socket.bind(endpoint);
  if (!bound) return throw_error(env.env(), bound.error(), endpoint);
  ++entry->endpoints;
  entry->inproc |= is_inproc(endpoint);
  return to_js(env.env(), std::string_view(bound.value()));
}

napi_value connect(Environment& env, Args args) {
  std::string endpoint;
  SocketEntry* entry = read_call(env, args, endpoint);
  if (!entry) return nullptr;
  const Result<void> done = entry->socket.connect(endpoint);
  if (!done) return throw_error(env.env(), done.error(), endpoint);
  ++entry->endpoints;
  entry->inproc |= is_inproc(endpoint);
  return undefined(env.env());
}

napi_value unbind(Environment& env, Args args) { return drop_endpoint(env, args, &Socket::unbind); }

napi_value disconnect(Environment& env, Args args) {
  return drop_endpoint(env, args, &Socket::disconnect);
}

napi_value subscribe(Environment& env, Args args) {
  return change_subscription(env, args, &Socket::subscribe);
}

napi_value unsubscribe(Environment& env, Args args) {
  return change_subscription(env, args, &Socket::unsubscribe);
}

}  // namespace zerowire::addon
