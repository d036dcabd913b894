// Contexts: creation, options, release.
#include "errors.hpp"
#include "functions.hpp"
#include "napi_util.hpp"
#include "values.hpp"

namespace zerowire::addon {
namespace {

struct Setting {
  const char* name;
  ContextSetting id;
  int min;
  int max;
};

constexpr Setting kSettings[] = {
    {"ioThreads", ContextSetting::io_threads, 0, 64},
    {"maxSockets", ContextSetting::max_sockets, 1, 65535},
    {"spin", ContextSetting::spin, 0, 1000},
};

const Setting* setting_of(napi_env env, napi_value name) {
  std::string text;
  if (!read_string(env, name, "name", text)) return nullptr;
  for (const Setting& setting : kSettings) {
    if (text == setting.name) return &setting;
  }
  throw_error(env, Errc::invalid, "Unknown context option " + text);
  return nullptr;
}

bool read_value(napi_env env, const Setting& setting, napi_value value, int& out) {
  int64_t number = 0;
  if (!read_integer(env, value, setting.name, setting.min, setting.max, number)) return false;
  out = static_cast<int>(number);
  return true;
}

napi_value add_context(Environment& env, std::shared_ptr<SharedContext> context) {
  const int32_t handle =
      env.contexts.insert(std::make_unique<std::shared_ptr<SharedContext>>(std::move(context)));
  if (!handle) return throw_error(env.env(), Errc::too_many_files, "Too many contexts");
  return to_js(env.env(), handle);
}

}  // namespace

std::shared_ptr<SharedContext> context_of(Environment& env, napi_value handle) {
  int32_t number = 0;
  napi_get_value_int32(env.env(), handle, &number);
  const std::shared_ptr<SharedContext>* context = env.contexts.find(number);
  if (context) return *context;
  throw_error(env.env(), Errc::fault);
  return nullptr;
}

napi_value default_context(Environment& env, Args) {
  const std::shared_ptr<SharedContext> context = SharedContext::process_default();
  const std::shared_ptr<SharedContext>* known = env.contexts.find(env.default_context);
  if (known && *known == context) return to_js(env.env(), env.default_context);
  const napi_value handle = add_context(env, context);
  if (handle) napi_get_value_int32(env.env(), handle, &env.default_context);
  return handle;
}

napi_value create_context(Environment& env, Args args) {
  if (type_of(env.env(), args[0]) != napi_object) {
    return throw_type_error(env.env(), "options must be an object");
  }
  auto context = std::make_shared<SharedContext>(SharedContext::default_options());
  for (const Setting& setting : kSettings) {
    napi_value value = nullptr;
    if (napi_get_named_property(env.env(), args[0], setting.name, &value) != napi_ok) {
      return nullptr;  // a getter threw
    }
    if (type_of(env.env(), value) == napi_undefined) continue;
    int number = 0;
    if (!read_value(env.env(), setting, value, number)) return nullptr;
    context->set(setting.id, number);
  }
  return add_context(env, std::move(context));
}

napi_value context_option(Environment& env, Args args) {
  const std::shared_ptr<SharedContext> context = context_of(env, args[0]);
  if (!context) return nullptr;
  const Setting* setting = setting_of(env.env(), args[1]);
  if (!setting) return nullptr;
  return to_js(env.env(), static_cast<int32_t>(context->setting(setting->id)));
}

napi_value set_context_option(Environment& env, Args args) {
  const std::shared_ptr<SharedContext> context = context_of(env, args[0]);
  if (!context) return nullptr;
  const Setting* setting = setting_of(env.env(), args[1]);
  int number = 0;
  if (!setting || !read_value(env.env(), *setting, args[2], number)) return nullptr;
  const Errc error = context->set(setting->id, number);
  if (error == Errc::ok) return undefined(env.env());
  return throw_error(env.env(), error,
                     std::string(setting->name) + " is fixed once the context has had a socket");
}

napi_value release_context(Environment& env, Args args) {
  int32_t handle = 0;
  napi_get_value_int32(env.env(), args[0], &handle);
  if (!env.contexts.remove(handle)) return throw_error(env.env(), Errc::fault);
  return undefined(env.env());
}

}  // namespace zerowire::addon
