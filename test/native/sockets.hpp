// Helpers of the socket tests: sockets with deadlines, whole messages as strings, monitor events.
#pragma once

#include <doctest/doctest.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "base/clock.hpp"
#include "zerowire/zerowire.hpp"

namespace zerowire::test {

/// Longer than anything takes on a busy machine; only a failing test waits that long.
inline constexpr int kDeadline = 4'000;

using Parts = std::vector<std::string>;
using Settings = std::vector<std::pair<Option, std::variant<int64_t, std::string>>>;

inline Context make_context(const ContextOptions& options = {}) {
  Result<Context> context = Context::create(options);
  REQUIRE(context);
  return context.value();
}

inline void set(Socket& socket, Option option, int64_t value) {
  const Result<void> done = socket.set(option, value);
  REQUIRE_MESSAGE(done, static_cast<int>(option));
}
inline void set(Socket& socket, Option option, const std::string& value) {
  const Result<void> done = socket.set(option, std::string_view(value));
  REQUIRE_MESSAGE(done, static_cast<int>(option));
}

/// A socket whose blocking calls give up at the deadline, and that does not linger.
inline Socket make(const Context& context, SocketType type, const Settings& settings = {}) {
  Result<Socket> socket = Socket::create(context, type);
  REQUIRE(socket);
  set(socket.value(), Option::linger, 0);
  set(socket.value(), Option::send_timeout, kDeadline);
  set(socket.value(), Option::receive_timeout, kDeadline);
  set(socket.value(), Option::reconnect_interval, 1);
  for (const auto& [option, value] : settings) {
    if (const auto* number = std::get_if<int64_t>(&value))
      set(socket.value(), option, *number);
    else
      set(socket.value(), option, std::get<std::string>(value));
  }
  return std::move(socket.value());
}

inline std::string bind(Socket& socket, const std::string& endpoint = "tcp://127.0.0.1:*") {
  const Result<std::string> bound = socket.bind(endpoint);
  REQUIRE_MESSAGE(bound, endpoint << ": " << (bound ? "" : bound.error().what));
  return bound.value();
}

inline void connect(Socket& socket, const std::string& endpoint) {
  const Result<void> done = socket.connect(endpoint);
  REQUIRE_MESSAGE(done, endpoint << ": " << (done ? "" : done.error().what));
}

inline std::vector<Part> as_parts(const Parts& strings) {
  std::vector<Part> parts;
  for (const std::string& string : strings) parts.push_back({string.data(), string.size()});
  return parts;
}

inline Errc try_send(Socket& socket, const Parts& message) {
  return socket.try_send(as_parts(message));
}

/// Blocks while the socket is full.
inline void send(Socket& socket, const Parts& message) {
  const Errc result = socket.send(as_parts(message), kDeadline);
  REQUIRE_MESSAGE(result == Errc::ok, errc_name(result));
}

inline Parts copy(const Inbound& message) {
  Parts parts;
  for (const FrameView& frame : message.frames) parts.emplace_back(frame.data, frame.size);
  return parts;
}

/// The next message, which has to come.
inline Parts receive(Socket& socket) {
  Inbound message;
  const Errc result = socket.receive(message, kDeadline);
  REQUIRE_MESSAGE(result == Errc::ok, errc_name(result));
  return copy(message);
}

/// A waker that says so.
struct Flag final : Waker {
  void wake() override { up = true; }
  std::atomic<bool> up{false};
};

/// What is at hand, if anything.
inline std::optional<Parts> try_receive(Socket& socket) {
  Inbound message;
  if (socket.try_receive(message) != Errc::ok) return std::nullopt;
  return copy(message);
}

/// Keeps the thread busy for so many ns.
inline void compute(int64_t time) {
  for (const int64_t until = now_ns() + time; now_ns() < until;) {
  }
}

/// Looks again and again; false when the deadline passes.
inline bool eventually(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(kDeadline);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

/// The next event of one of these types; others are skipped. The socket must be monitored.
inline Event wait_for(Socket& socket, uint32_t types) {
  Event event;
  const auto found = [&] {
    while (socket.try_event(event)) {
      if (static_cast<uint32_t>(event.type) & types) return true;
    }
    return false;
  };
  while (!found()) {
    PollItem item{&socket, kEvent};
    REQUIRE_MESSAGE(poll({&item, 1}, kDeadline) == 1, "no event " << types);
  }
  return event;
}
inline Event wait_for(Socket& socket, EventType type) {
  return wait_for(socket, static_cast<uint32_t>(type));
}

/// Waits until the socket's handshake with a peer has succeeded `times` times from now on.
inline void await_handshakes(Socket& socket, int times = 1) {
  for (int i = 0; i < times; ++i) wait_for(socket, EventType::handshake_succeeded);
}

/// Sends until the socket says EAGAIN; how many messages it took.
inline int fill(Socket& socket, const Parts& message = {"x"}, int most = 1'000'000) {
  int sent = 0;
  while (sent < most && try_send(socket, message) == Errc::ok) ++sent;
  return sent;
}

/// Publishes `probe` until the subscriber, who must have subscribed to it, hears it; then no more
/// probes are on their way.
inline void await_subscription(Socket& pub, Socket& sub, const std::string& probe) {
  Inbound heard;
  REQUIRE(eventually([&] {
    send(pub, {probe});
    return sub.receive(heard, 5) == Errc::ok;
  }));
  const std::string last = probe + "$last";
  send(pub, {last});
  while (receive(sub) != Parts{last}) {
  }
}

/// A directory for ipc sockets, removed in the end.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    char name[] = "/tmp/zerowire-test-XXXXXX";
    REQUIRE(::mkdtemp(name) != nullptr);
    path_ = name;
  }
  ~TemporaryDirectory() { ::rmdir(path_.c_str()); }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace zerowire::test
