// Failures are values: every fallible call returns an Errc, an Error or a Result, never throws, and
// never ends the process.
#pragma once

#include <cerrno>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace zerowire {

/// Numbers libzmq gives to errors that POSIX has no errno for (ZMQ_HAUSNUMERO in zmq.h).
inline constexpr int kErrnoBase = 156384712;

/// What went wrong. Values below kErrnoBase are the platform's errno, so any errno can be cast.
/// `errc_name()` gives the stable text ("EAGAIN") that JavaScript sees as `error.code`.
enum class Errc : int {
  ok = 0,
  again = EAGAIN,               ///< would block, or the timeout passed
  invalid = EINVAL,             ///< argument, endpoint or option value not acceptable
  bad_socket = EBADF,           ///< the socket has been closed
  busy = EBUSY,                 ///< not possible in the present state
  not_supported = ENOTSUP,      ///< the socket type has no such operation
  no_entry = ENOENT,            ///< no such endpoint on this socket
  address_in_use = EADDRINUSE,  ///< bind: taken
  address_not_available = EADDRNOTAVAIL,
  no_device = ENODEV,                        ///< bind: no such interface or local host
  protocol_not_supported = EPROTONOSUPPORT,  ///< unknown transport scheme
  host_unreachable = EHOSTUNREACH,           ///< ROUTER with mandatory routing: no such peer
  too_many_files = EMFILE,                   ///< the socket limit of the context, or of the process
  message_size = EMSGSIZE,
  name_too_long = ENAMETOOLONG,  ///< ipc path does not fit sockaddr_un
  no_memory = ENOMEM,
  fault = EFAULT,  ///< the context has been terminated
  connection_refused = ECONNREFUSED,
  timed_out = ETIMEDOUT,
  protocol = EPROTO,                         ///< the peer broke ZMTP
  fsm = kErrnoBase + 51,                     ///< EFSM: REQ/REP call out of turn
  no_compatible_protocol = kErrnoBase + 52,  ///< ENOCOMPATPROTO: transport and socket type differ
  terminated = kErrnoBase + 53,              ///< ETERM: the context is being closed
};

/// "EAGAIN", "EFSM", ...; "EUNKNOWN" for a number without a name. Static storage.
const char* errc_name(Errc code);
/// A sentence for people, static storage.
const char* errc_text(Errc code);

/// A failure together with the value that caused it, for calls that are not hot.
struct Error {
  Errc code = Errc::ok;
  std::string what;  ///< names the offending endpoint, option or value
};

/// Either a T or an Error.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Result(Error error) : state_(std::move(error)) {}  // NOLINT(google-explicit-constructor)

  explicit operator bool() const { return state_.index() == 0; }
  T& value() { return *std::get_if<0>(&state_); }
  const T& value() const { return *std::get_if<0>(&state_); }
  const Error& error() const { return *std::get_if<1>(&state_); }

 private:
  std::variant<T, Error> state_;
};

/// Success, or an Error.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT(google-explicit-constructor)

  explicit operator bool() const { return !error_; }
  const Error& error() const { return *error_; }

 private:
  std::optional<Error> error_;
};

}  // namespace zerowire
