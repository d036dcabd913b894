// The few shorthands over raw Node-API that every file of the addon uses.
#pragma once

#include <node_api.h>

#include <cstdint>
#include <string_view>

namespace zerowire::addon {

/// Values that JavaScript gets back. All return null (and JavaScript sees the pending exception)
/// only when the engine itself fails, for example because the worker is being terminated.

inline napi_value undefined(napi_env env) {
  napi_value value = nullptr;
  napi_get_undefined(env, &value);
  return value;
}

inline napi_value null(napi_env env) {
  napi_value value = nullptr;
  napi_get_null(env, &value);
  return value;
}

inline napi_value to_js(napi_env env, bool flag) {
  napi_value value = nullptr;
  napi_get_boolean(env, flag, &value);
  return value;
}

inline napi_value to_js(napi_env env, int32_t number) {
  napi_value value = nullptr;
  napi_create_int32(env, number, &value);
  return value;
}

inline napi_value to_js(napi_env env, uint32_t number) {
  napi_value value = nullptr;
  napi_create_uint32(env, number, &value);
  return value;
}

inline napi_value to_js(napi_env env, int64_t number) {
  napi_value value = nullptr;
  napi_create_int64(env, number, &value);
  return value;
}

inline napi_value to_js(napi_env env, std::string_view text) {
  napi_value value = nullptr;
  napi_create_string_utf8(env, text.data(), text.size(), &value);
  return value;
}

/// Without it, a string literal would be taken for a boolean.
inline napi_value to_js(napi_env env, const char* text) {
  return to_js(env, std::string_view(text));
}

inline napi_valuetype type_of(napi_env env, napi_value value) {
  napi_valuetype type = napi_undefined;
  napi_typeof(env, value, &type);
  return type;
}

/// Opens a handle scope for one iteration of a loop that makes JavaScript values.
class Scope {
 public:
  explicit Scope(napi_env env) : env_(env) { napi_open_handle_scope(env, &scope_); }
  ~Scope() { napi_close_handle_scope(env_, scope_); }
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

 private:
  napi_env env_;
  napi_handle_scope scope_ = nullptr;
};

}  // namespace zerowire::addon
