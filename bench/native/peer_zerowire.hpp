// zerowire behind the interface that the workloads use (see peer_libzmq.hpp for the other one).
#pragma once

#include <string_view>
#include <utility>

#include "harness.hpp"
#include "zerowire/zerowire.hpp"

namespace peer {

inline constexpr const char* kName = "zerowire";
inline std::string version() { return "tree"; }

using Type = zerowire::SocketType;

inline void check(zerowire::Errc code, const char* call) {
  if (code != zerowire::Errc::ok) {
    bench::die(std::string(call) + ": " + zerowire::errc_name(code));
  }
}
template <class T>
void check(const zerowire::Result<T>& result, const char* call) {
  if (!result) {
    bench::die(std::string(call) + ": " + zerowire::errc_name(result.error().code) + " " +
               result.error().what);
  }
}
template <class T>
T need(zerowire::Result<T> result, const char* call) {
  check(result, call);
  return std::move(result.value());
}

class Context {
 public:
  explicit Context(int io_threads) : context_(need(make(io_threads), "Context::create")) {}
  const zerowire::Context& handle() const { return context_; }

 private:
  static zerowire::Result<zerowire::Context> make(int io_threads) {
    zerowire::ContextOptions options;
    options.io_threads = io_threads;
    return zerowire::Context::create(options);
  }
  zerowire::Context context_;
};

using Message = zerowire::Message;

class Socket {
 public:
  Socket(Context& context, Type type, int hwm)
      : socket_(need(zerowire::Socket::create(context.handle(), type), "Socket::create")) {
    set(zerowire::Option::send_high_water_mark, hwm);
    set(zerowire::Option::receive_high_water_mark, hwm);
    set(zerowire::Option::linger, 0);
  }

  void deliver_all() {
    set(zerowire::Option::xpub_nodrop, 1);
    set(zerowire::Option::xpub_verbose, 1);
  }
  void subscribe(const std::string& prefix) { check(socket_.subscribe(prefix), "subscribe"); }
  std::string bind(const std::string& endpoint) { return need(socket_.bind(endpoint), "bind"); }
  void connect(const std::string& endpoint) { check(socket_.connect(endpoint), "connect"); }
  void send_copy(const char* data, std::size_t size) {
    check(socket_.send(std::string_view(data, size)), "send");
  }
  /// By reference: `data` outlives the context.
  void send_external(char* data, std::size_t size) {
    check(socket_.send(Message::external(data, size, [](void*, void*) {}, nullptr)), "send");
  }
  void send(Message& message, bool more = false) {
    check(socket_.send(std::move(message), more), "send");
  }
  void receive(Message& message) { check(socket_.receive(message), "receive"); }

 private:
  void set(zerowire::Option option, int64_t value) { check(socket_.set(option, value), "set"); }
  zerowire::Socket socket_;
};

}  // namespace peer
