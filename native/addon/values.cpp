#include "values.hpp"

#include <cmath>

#include "errors.hpp"
#include "napi_util.hpp"

namespace zerowire::addon {
namespace {

bool fail(napi_env env, const char* name, const char* expected) {
  throw_type_error(env, std::string(name) + " must be " + expected);
  return false;
}

std::string shown(double number) {
  const bool integral = std::abs(number) < 1e15 && number == std::floor(number);
  return integral ? std::to_string(static_cast<int64_t>(number)) : std::to_string(number);
}

template <class T>
bool read_typed(napi_env env, napi_value value, const char* name, napi_typedarray_type wanted,
                const char* expected, ArrayView<T>& out) {
  napi_typedarray_type type;
  void* data = nullptr;
  const napi_status status =
      napi_get_typedarray_info(env, value, &type, &out.length, &data, nullptr, nullptr);
  if (status != napi_ok || type != wanted) return fail(env, name, expected);
  out.data = static_cast<T*>(data);
  return true;
}

}  // namespace

bool read_integer(napi_env env, napi_value value, const char* name, int64_t min, int64_t max,
                  int64_t& out) {
  double number = 0;
  if (napi_get_value_double(env, value, &number) != napi_ok) {
    return fail(env, name, "an integer");
  }
  if (number != std::floor(number) || std::isinf(number)) {
    const std::string message = "must be an integer, not " + shown(number);
    throw_type_error(env, std::string(name) + " " + message);
    return false;
  }
  // As doubles: the bounds may round up to 2^63, which the conversion below must not see.
  const bool convertible = number >= -0x1p63 && number < 0x1p63;
  if (convertible) out = static_cast<int64_t>(number);
  if (convertible && out >= min && out <= max) return true;
  throw_range_error(env, std::string(name) + " must be in " + std::to_string(min) + ".." +
                             std::to_string(max) + ", not " + shown(number));
  return false;
}

bool read_string(napi_env env, napi_value value, const char* name, std::string& out) {
  std::size_t size = 0;
  if (napi_get_value_string_utf8(env, value, nullptr, 0, &size) != napi_ok) {
    return fail(env, name, "a string");
  }
  out.resize(size);
  return napi_get_value_string_utf8(env, value, out.data(), size + 1, &size) == napi_ok;
}

bool read_bytes(napi_env env, const Builtins& builtins, napi_value value, const char* name,
                std::string& out) {
  out.clear();
  switch (type_of(env, value)) {
    case napi_string:
      return read_string(env, value, name, out);
    case napi_null:
      return true;
    default:
      break;
  }
  Binary binary;
  switch (find_binary(env, builtins, value, binary)) {
    case BinaryStatus::ok:
      out.assign(binary.data, binary.size);
      return true;
    case BinaryStatus::detached:
      return fail(env, name, "a buffer that is not detached");
    case BinaryStatus::not_binary:
      break;
  }
  return fail(env, name, "a string, a buffer or null");
}

bool check_function(napi_env env, napi_value value, const char* name) {
  return type_of(env, value) == napi_function || fail(env, name, "a function");
}

bool read_array(napi_env env, napi_value value, const char* name, ArrayView<uint8_t>& out) {
  return read_typed(env, value, name, napi_uint8_array, "a Uint8Array", out);
}

bool read_array(napi_env env, napi_value value, const char* name, ArrayView<uint32_t>& out) {
  return read_typed(env, value, name, napi_uint32_array, "a Uint32Array", out);
}

bool read_array(napi_env env, napi_value value, const char* name, ArrayView<int32_t>& out) {
  return read_typed(env, value, name, napi_int32_array, "an Int32Array", out);
}

}  // namespace zerowire::addon
