#include "errors.hpp"

#include "napi_util.hpp"

namespace zerowire::addon {
namespace {

using CreateFn = napi_status (*)(napi_env, napi_value, napi_value, napi_value*);

napi_value throw_with(napi_env env, CreateFn create, Errc code, std::string_view message,
                      std::string_view address) {
  napi_value error = nullptr;
  if (create(env, to_js(env, errc_name(code)), to_js(env, message), &error) != napi_ok) {
    return nullptr;
  }
  napi_set_named_property(env, error, "errno", to_js(env, static_cast<int32_t>(code)));
  if (!address.empty()) napi_set_named_property(env, error, "address", to_js(env, address));
  napi_throw(env, error);
  return nullptr;
}

}  // namespace

napi_value throw_error(napi_env env, Errc code, std::string_view message,
                       std::string_view address) {
  return throw_with(env, napi_create_error, code, message.empty() ? errc_text(code) : message,
                    address);
}

napi_value throw_error(napi_env env, const Error& error, std::string_view address) {
  return throw_error(env, error.code, error.what, address);
}

napi_value throw_type_error(napi_env env, const std::string& message) {
  return throw_with(env, napi_create_type_error, Errc::invalid, message, {});
}

napi_value throw_range_error(napi_env env, const std::string& message) {
  return throw_with(env, napi_create_range_error, Errc::invalid, message, {});
}

void report_uncaught(napi_env env) {
  bool pending = false;
  napi_is_exception_pending(env, &pending);
  if (!pending) return;
  napi_value error = nullptr;
  if (napi_get_and_clear_last_exception(env, &error) == napi_ok) napi_fatal_exception(env, error);
}

}  // namespace zerowire::addon
