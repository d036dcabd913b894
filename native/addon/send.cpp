// Messages from JavaScript into the core.
#include <algorithm>
#include <array>
#include <string>

#include "errors.hpp"
#include "functions.hpp"
#include "napi_util.hpp"
#include "values.hpp"

namespace zerowire::addon {
namespace {

/// Numbers per part of a packed message: the socket's handle, and size * 2 + whether more follow.
constexpr std::size_t kRecord = 2;
constexpr uint32_t kMore = 1;

/// The parts of one message as JavaScript values. They are all read before the socket and the
/// memory of the first are looked at: reading an element may run a getter of the program, which
/// could close the one and detach the other.
class PartValues {
 public:
  /// False with an exception pending.
  bool read(napi_env env, napi_value array) {
    if (napi_get_array_length(env, array, &count_) != napi_ok) {
      throw_type_error(env, "parts must be an array");
      return false;
    }
    if (count_ > kMostParts) {
      throw_range_error(env, "A message has at most " + std::to_string(kMostParts) + " parts");
      return false;
    }
    if (count_ > few_.size()) many_.resize(count_);
    napi_value* to = count_ > few_.size() ? many_.data() : few_.data();
    values_ = to;
    for (uint32_t i = 0; i < count_; ++i) {
      if (napi_get_element(env, array, i, to + i) != napi_ok) return false;
    }
    return true;
  }

  const napi_value* begin() const { return values_; }
  const napi_value* end() const { return values_ + count_; }

 private:
  /// A bound on what the length of a sparse array can make us allocate.
  static constexpr uint32_t kMostParts = 1024 * 1024;

  std::array<napi_value, 16> few_;
  std::vector<napi_value> many_;
  const napi_value* values_ = few_.data();
  uint32_t count_ = 0;
};

/// Sends what has been added to env.outgoing(), which is empty afterwards.
Errc send_added(Environment& env, SocketEntry& entry) {
  env.cork(entry);
  const Errc result = entry.socket.try_send(env.outgoing().parts());
  env.outgoing().clear();
  // Full: what has been collected is what the peers are waiting for.
  if (result == Errc::again) env.uncork(entry);
  return result;
}

bool add(Environment& env, const SocketEntry& entry, napi_value part) {
  if (env.outgoing().add(env.env(), part, !entry.inproc)) return true;
  env.outgoing().clear();
  return false;
}

napi_value outcome(Environment& env, Errc result) {
  if (result == Errc::ok) return to_js(env.env(), true);
  if (result == Errc::again) return to_js(env.env(), false);
  return throw_error(env.env(), result);
}

}  // namespace

napi_value send(Environment& env, Args args) {
  SocketEntry* entry = env.socket(args[0]);
  if (!entry || !add(env, *entry, args[1])) return nullptr;
  return outcome(env, send_added(env, *entry));
}

napi_value send_parts(Environment& env, Args args) {
  PartValues values;
  if (!values.read(env.env(), args[1])) return nullptr;
  SocketEntry* entry = env.socket(args[0]);
  if (!entry) return nullptr;
  for (const napi_value value : values) {
    if (!add(env, *entry, value)) return nullptr;
  }
  return outcome(env, send_added(env, *entry));
}

napi_value send_packed(Environment& env, Args args) {
  ArrayView<uint8_t> bytes;
  ArrayView<uint32_t> records;
  int64_t from = 0;
  int64_t to = 0;
  if (!read_array(env.env(), args[0], "bytes", bytes) ||
      !read_array(env.env(), args[1], "records", records)) {
    return nullptr;
  }
  const auto count = static_cast<int64_t>(records.length / kRecord);
  if (!read_integer(env.env(), args[3], "to", 0, count, to) ||
      !read_integer(env.env(), args[2], "from", 0, to, from)) {
    return nullptr;
  }
  std::size_t at = 0;
  int64_t done = from;
  for (int64_t i = 0; i < to; ++i) {
    const uint32_t* record = records.data + static_cast<std::size_t>(i) * kRecord;
    const std::size_t size = record[1] >> 1;
    if (size > bytes.length - at) break;
    if (i >= from) {
      env.outgoing().add(reinterpret_cast<const char*>(bytes.data) + at, size);
      if (!(record[1] & kMore)) {
        SocketEntry* entry = env.sockets.find(static_cast<int32_t>(record[0]));
        if (!entry || send_added(env, *entry) != Errc::ok) break;
        done = i + 1;
      }
    }
    at += size;
  }
  env.outgoing().clear();
  return to_js(env.env(), done);
}

napi_value stable(Environment& env, Args args) {
  Binary binary;
  binary.memory = args[0];
  return to_js(env.env(), is_stable(env.env(), env.builtins(), binary));
}

napi_value room(Environment& env, Args args) {
  SocketEntry* entry = env.socket(args[0]);
  if (!entry) return nullptr;
  return to_js(env.env(),
               static_cast<int32_t>(std::min<uint64_t>(entry->socket.room(), INT32_MAX)));
}

napi_value flush(Environment& env, Args) {
  env.flush();
  return undefined(env.env());
}

}  // namespace zerowire::addon
