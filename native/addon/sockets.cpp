// Sockets: creation, end, options.
#include <utility>

#include "errors.hpp"
#include "functions.hpp"
#include "napi_util.hpp"
#include "values.hpp"

namespace zerowire::addon {
namespace {

/// Options are numbered by the core, which knows those that exist.
bool read_option(napi_env env, napi_value value, Option& option) {
  int64_t number = 0;
  if (!read_integer(env, value, "option", 0, INT32_MAX, number)) return false;
  option = static_cast<Option>(number);
  return true;
}

}  // namespace

napi_value create_socket(Environment& env, Args args) {
  std::shared_ptr<SharedContext> context = context_of(env, args[0]);
  if (!context) return nullptr;
  int64_t type = 0;
  if (!read_integer(env.env(), args[1], "type", 0, static_cast<int>(SocketType::xsub), type)) {
    return nullptr;
  }
  const Result<Context> core = context->get();
  if (!core) return throw_error(env.env(), core.error());
  auto waker = std::make_shared<SocketWaker>(env.hub());
  Result<Socket> socket =
      Socket::create(core.value(), static_cast<SocketType>(static_cast<int>(type)), waker);
  if (!socket) return throw_error(env.env(), socket.error());

  auto entry =
      std::make_unique<SocketEntry>(std::move(socket.value()), std::move(context), core.value());
  SocketEntry* const kept = entry.get();
  const int32_t handle = env.sockets.insert(std::move(entry));
  if (!handle) return throw_error(env.env(), Errc::too_many_files);
  kept->handle = handle;
  waker->set_handle(handle);
  env.arrived(*kept);
  env.park(*kept);
  return to_js(env.env(), handle);
}

napi_value close_socket(Environment& env, Args args) {
  int32_t handle = 0;
  napi_get_value_int32(env.env(), args[0], &handle);
  env.close(handle);
  return undefined(env.env());
}

napi_value set_option_number(Environment& env, Args args) {
  SocketEntry* entry = env.socket(args[0]);
  if (!entry) return nullptr;
  Option option{};
  int64_t value = 0;
  if (!read_option(env.env(), args[1], option) ||
      !read_integer(env.env(), args[2], "value", INT64_MIN, INT64_MAX, value)) {
    return nullptr;
  }
  const Result<void> done = entry->socket.set(option, value);
  return done ? undefined(env.env()) : throw_error(env.env(), done.error());
}

napi_value set_option_string(Environment& env, Args args) {
  SocketEntry* entry = env.socket(args[0]);
  if (!entry) return nullptr;
  Option option{};
  std::string value;
  if (!read_option(env.env(), args[1], option) ||
      !read_bytes(env.env(), env.builtins(), args[2], "value", value)) {
    return nullptr;
  }
  const Result<void> done = entry->socket.set(option, std::string_view(value));
  return done ? undefined(env.env()) : throw_error(env.env(), done.error());
}

napi_value get_option_number(Environment& env, Args args) {
  SocketEntry* entry = env.socket(args[0]);
  Option option{};
  if (!entry || !read_option(env.env(), args[1], option)) return nullptr;
  const Result<int64_t> value = entry->socket.get_int(option);
  return value ? to_js(env.env(), value.value()) : throw_error(env.env(), value.error());
}

napi_value get_option_string(Environment& env, Args args) {
  SocketEntry* entry = env.socket(args[0]);
  Option option{};
  if (!entry || !read_option(env.env(), args[1], option)) return nullptr;
  const Result<std::string> found = entry->socket.get_string(option);
  if (!found) return throw_error(env.env(), found.error());
  const std::string& bytes = found.value();
  if (bytes.empty()) return null(env.env());
  napi_value buffer = nullptr;
  napi_create_buffer_copy(env.env(), bytes.size(), bytes.data(), nullptr, &buffer);
  return buffer;
}

}  // namespace zerowire::addon
