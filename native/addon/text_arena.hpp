// TextArena: reusable memory for the UTF-8 form of strings on their way into the core.
#pragma once

#include <node_api.h>

#include <cstddef>
#include <memory>

namespace zerowire::addon {

/// Strings lie at offsets, because the memory moves when it grows. One per environment, used by
/// its thread only.
class TextArena {
 public:
  struct Text {
    std::size_t offset = 0;
    std::size_t size = 0;
  };

  /// Appends the UTF-8 form of a JavaScript string (lone surrogates become U+FFFD). False, with
  /// nothing thrown, when it is not a string or there is no memory for it.
  bool append(napi_env env, napi_value string, Text& text);
  const char* data() const { return memory_.get(); }
  /// Forgets all strings, and gives back memory that only a huge one needed.
  void clear();

 private:
  bool reserve(std::size_t free);

  std::unique_ptr<char[]> memory_;
  std::size_t capacity_ = 0;
  std::size_t used_ = 0;
};

}  // namespace zerowire::addon
