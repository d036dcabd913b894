#include "binary.hpp"

#include <cstdint>

namespace zerowire::addon {
namespace {

constexpr uintptr_t kPage = 4096;

/// 0 for types that this version of Node-API does not know.
std::size_t element_size(napi_typedarray_type type) {
  switch (type) {
    case napi_int8_array:
    case napi_uint8_array:
    case napi_uint8_clamped_array:
      return 1;
    case napi_int16_array:
    case napi_uint16_array:
      return 2;
    case napi_int32_array:
    case napi_uint32_array:
    case napi_float32_array:
      return 4;
    case napi_float64_array:
    case napi_bigint64_array:
    case napi_biguint64_array:
      return 8;
  }
  return 0;
}

BinaryStatus checked(napi_env env, Binary& out, void* data) {
  out.data = static_cast<const char*>(data);
  if (data || out.size > 0 || !out.memory) return BinaryStatus::ok;
  // Without memory: empty, or detached. Asking a SharedArrayBuffer gives an error, and false.
  bool detached = false;
  napi_is_detached_arraybuffer(env, out.memory, &detached);
  return detached ? BinaryStatus::detached : BinaryStatus::ok;
}

BinaryStatus find_typed_array(napi_env env, napi_value value, Binary& out) {
  auto type = static_cast<napi_typedarray_type>(15);  // of no array, should the engine not set it
  void* data = nullptr;
  std::size_t length = 0;
  const napi_status status =
      napi_get_typedarray_info(env, value, &type, &length, &data, &out.memory, nullptr);
  if (status != napi_ok) return BinaryStatus::not_binary;
  out.size = length * element_size(type);
  bool known_to_node = false;
  if (element_size(type) == 0 && napi_is_buffer(env, value, &known_to_node) == napi_ok &&
      known_to_node) {
    napi_get_buffer_info(env, value, &data, &out.size);
  }
  return checked(env, out, data);
}

/// False, and no exception pending, when the call throws.
bool call_getter(napi_env env, napi_value getter, napi_value object, napi_value& result) {
  if (napi_call_function(env, object, getter, 0, nullptr, &result) == napi_ok) return true;
  napi_value ignored = nullptr;
  napi_get_and_clear_last_exception(env, &ignored);
  return false;
}

/// A SharedArrayBuffer has no function of its own in this version of Node-API: look through a
/// Uint8Array.
BinaryStatus find_shared(napi_env env, const Builtins& builtins, napi_value value, Binary& out) {
  napi_value size = nullptr;
  napi_value view = nullptr;
  if (!call_getter(env, builtins.shared_size_getter(env), value, size) ||
      napi_new_instance(env, builtins.uint8_array(env), 1, &value, &view) != napi_ok) {
    return BinaryStatus::not_binary;
  }
  return find_typed_array(env, view, out);
}

napi_ref evaluate(napi_env env, const char* source) {
  napi_value script = nullptr;
  napi_value result = nullptr;
  napi_ref ref = nullptr;
  napi_valuetype type = napi_undefined;
  napi_create_string_utf8(env, source, NAPI_AUTO_LENGTH, &script);
  if (napi_run_script(env, script, &result) != napi_ok) return nullptr;
  napi_typeof(env, result, &type);
  if (type == napi_function) napi_create_reference(env, result, 1, &ref);
  return ref;
}

}  // namespace

void Builtins::load(napi_env env) {
  resizable_ =
      evaluate(env, "Object.getOwnPropertyDescriptor(ArrayBuffer.prototype, 'resizable')?.get");
  shared_size_ = evaluate(
      env, "Object.getOwnPropertyDescriptor(SharedArrayBuffer.prototype, 'byteLength').get");
  uint8_array_ = evaluate(env, "Uint8Array");
}

napi_value Builtins::value_of(napi_env env, napi_ref ref) {
  napi_value value = nullptr;
  if (ref) napi_get_reference_value(env, ref, &value);
  return value;
}

BinaryStatus find_binary(napi_env env, const Builtins& builtins, napi_value value, Binary& out) {
  const BinaryStatus typed = find_typed_array(env, value, out);
  if (typed != BinaryStatus::not_binary) return typed;

  void* data = nullptr;
  if (napi_get_dataview_info(env, value, &out.size, &data, &out.memory, nullptr) == napi_ok) {
    return checked(env, out, data);
  }
  bool is_array_buffer = false;
  if (napi_is_arraybuffer(env, value, &is_array_buffer) == napi_ok && is_array_buffer) {
    out.memory = value;
    napi_get_arraybuffer_info(env, value, &data, &out.size);
    return checked(env, out, data);
  }
  napi_valuetype type = napi_undefined;
  napi_typeof(env, value, &type);
  return type == napi_object ? find_shared(env, builtins, value, out) : BinaryStatus::not_binary;
}

bool is_stable(napi_env env, const Builtins& builtins, const Binary& binary) {
  bool is_array_buffer = false;
  if (napi_is_arraybuffer(env, binary.memory, &is_array_buffer) != napi_ok || !is_array_buffer) {
    return false;
  }
  // WebAssembly's memory begins with a page; other memory of the engine does not, but by chance.
  void* data = nullptr;
  std::size_t size = 0;
  napi_get_arraybuffer_info(env, binary.memory, &data, &size);
  if (reinterpret_cast<uintptr_t>(data) % kPage == 0) return false;
  const napi_value getter = builtins.resizable_getter(env);
  if (!getter) return true;
  napi_value answer = nullptr;
  bool resizable = true;
  if (call_getter(env, getter, binary.memory, answer)) napi_get_value_bool(env, answer, &resizable);
  return !resizable;
}

}  // namespace zerowire::addon
