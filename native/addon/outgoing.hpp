// Outgoing: the parts of one message on their way from JavaScript values into the core.
#pragma once

#include <node_api.h>

#include <memory>
#include <span>
#include <vector>

#include "binary.hpp"
#include "text_arena.hpp"
#include "wake_hub.hpp"
#include "zerowire/message.hpp"

namespace zerowire::addon {

/// Collects parts that stay valid until JavaScript runs again, so: read all values first, then add
/// them, then send, then clear. One per environment, used by its thread only.
class Outgoing {
 public:
  Outgoing(std::shared_ptr<WakeHub> hub, const Builtins& builtins)
      : hub_(std::move(hub)), builtins_(builtins) {}

  /// False, with an exception pending, for values that cannot be sent. `may_refer`: large memory
  /// is kept alive and read by IO threads later instead of being copied by the core at once.
  bool add(napi_env env, napi_value value, bool may_refer);
  /// Bytes that are copied by the core.
  void add(const char* data, std::size_t size) { parts_.push_back({data, size, nullptr}); }
  std::span<const Part> parts();
  /// Gives up our references: the core has taken its own, or the memory is released.
  void clear();

 private:
  bool add_string(napi_env env, napi_value value);
  bool add_binary(napi_env env, napi_value value, const Binary& binary, bool may_refer);

  std::shared_ptr<WakeHub> hub_;
  const Builtins& builtins_;
  TextArena texts_;
  std::vector<Part> parts_;
  std::vector<std::pair<std::size_t, std::size_t>> text_parts_;  // index of part, offset of text
  std::vector<Buffer*> buffers_;                                 // one reference on each
};

}  // namespace zerowire::addon
