// Messages from JavaScript into the core.
#include <array>
#include <optional>
#include <string>

#include "errors.hpp"
#include "functions.hpp"
#include "napi_util.hpp"
#include "values.hpp"

namespace zerowire::addon {
namespace {

/// The parts of one message as JavaScript values. They are all read before the socket and the
/// memory of the first are looked at: reading an element may run a getter of the program, which
/// could close the one and detach the other.
class PartValues {
 public:
  /// False with an exception pending.
  bool read_array(napi_env env, napi_value array) {
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

  /// One part, or an array of them.
  bool read_message(napi_env env, napi_value message) {
    bool is_array = false;
    napi_is_array(env, message, &is_array);
    if (is_array) return read_array(env, message);
    few_[0] = message;
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
  uint32_t count_ = 1;
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

/// Nothing, with an exception pending, for arguments that are not valid.
std::optional<Errc> send_values(Environment& env, napi_value socket, const PartValues& values) {
  SocketEntry* entry = env.socket(socket);
  if (!entry) return std::nullopt;
  for (const napi_value value : values) {
    if (!add(env, *entry, value)) return std::nullopt;
  }
  return send_added(env, *entry);
}

napi_value outcome(Environment& env, std::optional<Errc> result) {
  if (!result) return nullptr;
  if (*result == Errc::ok) return to_js(env.env(), true);
  if (*result == Errc::again) return to_js(env.env(), false);
  return throw_error(env.env(), *result);
}

}  // namespace

napi_value send(Environment& env, Args args) {
  SocketEntry* entry = env.socket(args[0]);
  if (!entry || !add(env, *entry, args[1])) return nullptr;
  return outcome(env, send_added(env, *entry));
}

napi_value send_parts(Environment& env, Args args) {
  PartValues values;
  if (!values.read_array(env.env(), args[1])) return nullptr;
  return outcome(env, send_values(env, args[0], values));
}

/// A message that fails ends the batch before it; the exception comes with the next call, which
/// starts with that message.
napi_value send_many(Environment& env, Args args) {
  uint32_t length = 0;
  if (napi_get_array_length(env.env(), args[1], &length) != napi_ok) {
    return throw_type_error(env.env(), "messages must be an array");
  }
  int64_t from = 0;
  if (!env.socket(args[0]) || !read_integer(env.env(), args[2], "from", 0, length, from)) {
    return nullptr;
  }
  const auto first = static_cast<uint32_t>(from);
  uint32_t next = first;
  for (; next < length; ++next) {
    const Scope scope(env.env());
    napi_value message = nullptr;
    PartValues values;
    std::optional<Errc> result;
    if (napi_get_element(env.env(), args[1], next, &message) == napi_ok &&
        values.read_message(env.env(), message)) {
      result = send_values(env, args[0], values);
    }
    if (result == Errc::ok) continue;
    if (result == Errc::again) break;
    if (next == first) return outcome(env, result);
    napi_value later = nullptr;
    if (!result) napi_get_and_clear_last_exception(env.env(), &later);
    break;
  }
  return to_js(env.env(), next - first);
}

napi_value flush(Environment& env, Args) {
  env.flush();
  return undefined(env.env());
}

}  // namespace zerowire::addon
