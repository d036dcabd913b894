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
  /// kbit/s and ms; buffers of the kernel in bytes, 0 = the library's default.
  void multicast(int rate, int recovery, int buffers) {
    set(zerowire::Option::rate, rate);
    set(zerowire::Option::recovery_interval, recovery);
    if (buffers > 0) {
      set(zerowire::Option::receive_buffer_size, buffers);
      set(zerowire::Option::send_buffer_size, buffers);
    }
    socket_.monitor(static_cast<uint32_t>(zerowire::EventType::multicast_gap));
  }
  /// Adds up what has been told of lost packets.
  void count_gaps(uint64_t& events, uint64_t& packets) {
    zerowire::Event event;
    while (socket_.try_event(event)) {
      if (event.type != zerowire::EventType::multicast_gap) continue;
      events++;
      packets += event.count;
    }
  }
  void receive_timeout(int ms) { set(zerowire::Option::receive_timeout, ms); }
  /// False after the timeout.
  bool receive_in_time(Message& message) {
    const zerowire::Errc code = socket_.receive(message);
    if (code == zerowire::Errc::again) return false;
    check(code, "receive");
    return true;
  }
  void subscribe(const std::string& prefix) { check(socket_.subscribe(prefix), "subscribe"); }
  std::string bind(const std::string& endpoint) { return need(socket_.bind(endpoint), "bind"); }
  void connect(const std::string& endpoint) { check(socket_.connect(endpoint), "connect"); }
  void send_copy(const char* data, std::size_t size, bool more = false) {
    check(socket_.send(std::string_view(data, size), more), "send");
  }
  /// By reference: `data` outlives the context.
  void send_external(char* data, std::size_t size) {
    check(socket_.send(Message::external(data, size, [](void*, void*) {}, nullptr)), "send");
  }
  void cork() { socket_.cork(); }
  void uncork() { socket_.uncork(); }
  void send(Message& message, bool more = false) {
    check(socket_.send(std::move(message), more), "send");
  }
  void receive(Message& message) { check(socket_.receive(message), "receive"); }

 private:
  void set(zerowire::Option option, int64_t value) { check(socket_.set(option, value), "set"); }
  zerowire::Socket socket_;
};

}  // namespace peer
