// Arguments from JavaScript: checked and converted. What does not fit throws and gives false.
#pragma once

#include <node_api.h>

#include <cstdint>
#include <string>

#include "binary.hpp"

namespace zerowire::addon {

/// An integer in [min, max]: TypeError for what is not an integral number, RangeError otherwise.
/// Both name the value and `name`.
bool read_integer(napi_env env, napi_value value, const char* name, int64_t min, int64_t max,
                  int64_t& out);
bool read_string(napi_env env, napi_value value, const char* name, std::string& out);
/// A string (as UTF-8), any kind of buffer, or null for no bytes.
bool read_bytes(napi_env env, const Builtins& builtins, napi_value value, const char* name,
                std::string& out);
bool check_function(napi_env env, napi_value value, const char* name);

/// The memory of a typed array, valid until JavaScript runs again.
template <class T>
struct ArrayView {
  T* data = nullptr;
  std::size_t length = 0;
};
bool read_array(napi_env env, napi_value value, const char* name, ArrayView<uint8_t>& out);
bool read_array(napi_env env, napi_value value, const char* name, ArrayView<uint32_t>& out);
bool read_array(napi_env env, napi_value value, const char* name, ArrayView<int32_t>& out);

}  // namespace zerowire::addon
