// Binary: the bytes behind a Buffer, typed array, DataView, ArrayBuffer or SharedArrayBuffer.
#pragma once

#include <node_api.h>

#include <cstddef>

namespace zerowire::addon {

/// Parts from this size on are sent and received by reference, smaller ones copied: REFERENCE_FROM
/// of lib/native.ts.
inline constexpr std::size_t kByReferenceFrom = 32 * 1024;

/// Functions of the engine, taken before programs can replace them: they look at a value without
/// running code of the program, which could detach memory we have just found. One per environment.
class Builtins {
 public:
  void load(napi_env env);
  /// The getter of ArrayBuffer.prototype.resizable; null in engines without such buffers.
  napi_value resizable_getter(napi_env env) const { return value_of(env, resizable_); }
  /// The getter of SharedArrayBuffer.prototype.byteLength, which throws for anything else.
  napi_value shared_size_getter(napi_env env) const { return value_of(env, shared_size_); }
  napi_value uint8_array(napi_env env) const { return value_of(env, uint8_array_); }

 private:
  static napi_value value_of(napi_env env, napi_ref ref);

  napi_ref resizable_ = nullptr;
  napi_ref shared_size_ = nullptr;
  napi_ref uint8_array_ = nullptr;
};

/// Valid until JavaScript runs again, unless the value is referenced and its memory stable.
struct Binary {
  const char* data = nullptr;
  std::size_t size = 0;
  napi_value memory = nullptr;  ///< the ArrayBuffer or SharedArrayBuffer
};

enum class BinaryStatus { ok, not_binary, detached };

/// Throws nothing.
BinaryStatus find_binary(napi_env env, const Builtins& builtins, napi_value value, Binary& out);

/// True when the memory stays in place, with its size, as long as the value is referenced: not for
/// resizable ArrayBuffers (shrinking gives pages back), SharedArrayBuffers (other threads write to
/// them) and WebAssembly's memory (it moves when it grows).
bool is_stable(napi_env env, const Builtins& builtins, const Binary& binary);

}  // namespace zerowire::addon
