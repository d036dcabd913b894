// Socket: an endpoint of a messaging pattern.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "zerowire/context.hpp"
#include "zerowire/error.hpp"
#include "zerowire/message.hpp"
#include "zerowire/monitor.hpp"
#include "zerowire/options.hpp"

namespace zerowire {

class SocketCore;

/// How the core tells the thread that uses a socket that something may have happened to it.
/// Called from IO threads and from other sockets' threads, only after the owner armed it
/// (`Socket::arm`, or a blocking call), and once per arming.
class Waker {
 public:
  virtual ~Waker() = default;
  virtual void wake() = 0;
};

/// What a socket could do now; bits.
enum Readiness : unsigned { kReadable = 1, kWritable = 2, kEvent = 4 };

/// A whole received message, as views into the receive memory. Valid until the next receive call
/// on the socket; reuse one object for many calls, it keeps its capacity.
struct Inbound {
  std::vector<FrameView> frames;
};

/// One thread uses a Socket at a time; it may move to another thread when the hand-over itself
/// synchronises (mutex, queue). Calls never block unless a timeout is a parameter.
class Socket {
 public:
  /// `waker`: null for sockets that only blocking calls and `poll` wait for.
  /// Errors: EFAULT (context shut down), EMFILE (max_sockets).
  static Result<Socket> create(const Context& context, SocketType type,
                               std::shared_ptr<Waker> waker = nullptr);
  Socket(Socket&&) noexcept;
  Socket& operator=(Socket&&) noexcept;
  ~Socket();  ///< closes

  SocketType type() const;
  bool closed() const;
  /// Who is told of news; null: nobody, for blocking use.
  void set_waker(std::shared_ptr<Waker> waker);

  /// Errors: EINVAL naming the option and the value, ENOTSUP for another socket type's option.
  Result<void> set(Option option, int64_t value);
  Result<void> set(Option option, std::string_view value);
  Result<int64_t> get_int(Option option) const;
  Result<std::string> get_string(Option option) const;

  /// Starts to listen; returns the endpoint as bound, its wildcards resolved (LAST_ENDPOINT).
  /// Never looks names up: hosts are addresses, interface names, `*` or localhost.
  Result<std::string> bind(std::string_view endpoint);
  /// Starts to connect, in the background and for ever; host names are looked up there, again at
  /// every attempt.
  Result<void> connect(std::string_view endpoint);
  /// Ends what bind/connect with this very endpoint (or its resolved form) started: ENOENT if
  /// none. Both flush for `linger`. unbind ends the connections that were accepted there, but for
  /// inproc ones.
  Result<void> unbind(std::string_view endpoint);
  Result<void> disconnect(std::string_view endpoint);
  /// Releases the socket at once; what it has queued is flushed in the background for `linger`
  /// milliseconds (option linger; -1 = until sent).
  void close();

  /// Sends all parts as one message, or nothing. EAGAIN: full or no peer; EFSM; EHOSTUNREACH
  /// (ROUTER mandatory); ENOTSUP: the type cannot send; EINVAL: empty, or too many parts for type.
  [[nodiscard]] Errc try_send(std::span<const Part> parts);
  /// The next message, or EAGAIN, EFSM, ENOTSUP. Invalidates the views of the call before.
  [[nodiscard]] Errc try_receive(Inbound& message);

  /// Blocking forms; the timeout is in milliseconds, negative for ever, default the options
  /// send_timeout / receive_timeout. A frame with `more` is kept until the last one is sent.
  [[nodiscard]] Errc send(Message&& frame, bool more = false);
  [[nodiscard]] Errc send(std::string_view bytes, bool more = false);
  [[nodiscard]] Errc send(std::span<const Part> parts, int timeout_ms);
  [[nodiscard]] Errc receive(Message& frame);
  [[nodiscard]] Errc receive(Inbound& message, int timeout_ms);

  /// Between the two, what is sent is collected; uncork() (or filling up) sends it off at once: up
  /// to 31 messages to one peer or two from the calling thread, where it can, without waking
  /// another.
  void cork();
  void uncork();

  /// Readiness bits now. Also does the socket's housekeeping (attaches new peers, ...), as every
  /// other call does.
  unsigned readiness();
  /// How many messages in a row try_send() would accept now, as far as that is known: 0 for types
  /// whose sends depend on more than room (REQ, REP, ROUTER with router_mandatory, ...), UINT64_MAX
  /// for those that drop what they have no room for, or without high-water mark.
  uint64_t room();
  /// Arms the waker, after a look in vain (readiness(), or a call that would block): true when it
  /// will be called at the next happening, false when something has happened since (look again).
  [[nodiscard]] bool arm();

  /// Starts (mask != 0) or changes monitoring; EventType bits. Events queue until taken, the
  /// oldest are dropped beyond 10,000.
  void monitor(uint32_t mask);
  bool try_event(Event& event);

  /// XPUB with xpub_manual: subscribe / unsubscribe on behalf of the peer whose subscription
  /// message was received last. SUB: changes the socket's own subscriptions.
  Result<void> subscribe(std::string_view prefix);
  Result<void> unsubscribe(std::string_view prefix);

  /// For the library itself.
  SocketCore* core() const { return core_.get(); }

 private:
  explicit Socket(std::unique_ptr<SocketCore> core);
  std::unique_ptr<SocketCore> core_;
};

/// One socket to wait for and what for.
struct PollItem {
  Socket* socket = nullptr;
  unsigned wanted = 0;  ///< Readiness bits
  unsigned ready = 0;   ///< out
};
/// Waits until one item is ready; number of ready items, 0 after the timeout (ms, negative = for
/// ever). All sockets must be used by the calling thread and have no waker of their own.
int poll(std::span<PollItem> items, int timeout_ms);

}  // namespace zerowire
