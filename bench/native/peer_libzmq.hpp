// libzmq behind the interface that the workloads use (see peer_zerowire.hpp for the other one).
#pragma once

#include <zmq.h>

#include <utility>

#include "harness.hpp"

namespace peer {

inline constexpr const char* kName = "libzmq";
inline std::string version() {
  int major, minor, patch;
  zmq_version(&major, &minor, &patch);
  return std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(patch);
}

enum class Type : int {
  req = ZMQ_REQ,
  rep = ZMQ_REP,
  dealer = ZMQ_DEALER,
  router = ZMQ_ROUTER,
  push = ZMQ_PUSH,
  pull = ZMQ_PULL,
  xpub = ZMQ_XPUB,
  sub = ZMQ_SUB,
};

inline void check(bool ok, const char* call) {
  if (!ok) bench::die(std::string(call) + ": " + zmq_strerror(zmq_errno()));
}

class Context {
 public:
  explicit Context(int io_threads) : handle_(zmq_ctx_new()) {
    check(zmq_ctx_set(handle_, ZMQ_IO_THREADS, io_threads) == 0, "zmq_ctx_set");
  }
  ~Context() { zmq_ctx_term(handle_); }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  void* handle() const { return handle_; }

 private:
  void* handle_;
};

class Message {
 public:
  Message() { zmq_msg_init(&msg_); }
  ~Message() { zmq_msg_close(&msg_); }
  Message(const Message&) = delete;
  Message& operator=(const Message&) = delete;
  char* data() { return static_cast<char*>(zmq_msg_data(&msg_)); }
  std::size_t size() { return zmq_msg_size(&msg_); }
  bool more() { return zmq_msg_more(&msg_) != 0; }
  zmq_msg_t* handle() { return &msg_; }

 private:
  zmq_msg_t msg_;
};

class Socket {
 public:
  Socket(Context& context, Type type, int hwm)
      : handle_(zmq_socket(context.handle(), static_cast<int>(type))) {
    check(handle_ != nullptr, "zmq_socket");
    set(ZMQ_SNDHWM, hwm);
    set(ZMQ_RCVHWM, hwm);
    set(ZMQ_LINGER, 0);
  }
  Socket(Socket&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  ~Socket() {
    if (handle_ != nullptr) zmq_close(handle_);
  }

  void deliver_all() {
    set(ZMQ_XPUB_NODROP, 1);
    set(ZMQ_XPUB_VERBOSE, 1);
  }
  /// kbit/s and ms; buffers of the kernel in bytes, 0 = the library's default.
  void multicast(int rate, int recovery, int buffers) {
    set(ZMQ_RATE, rate);
    set(ZMQ_RECOVERY_IVL, recovery);
    if (buffers > 0) {
      set(ZMQ_RCVBUF, buffers);
      set(ZMQ_SNDBUF, buffers);
    }
  }
  /// It tells of no losses.
  void count_gaps(uint64_t&, uint64_t&) {}
  void receive_timeout(int ms) { set(ZMQ_RCVTIMEO, ms); }
  /// False after the timeout.
  bool receive_in_time(Message& message) {
    if (zmq_msg_recv(message.handle(), handle_, 0) >= 0) return true;
    check(zmq_errno() == EAGAIN, "zmq_msg_recv");
    return false;
  }
  void subscribe(const std::string& prefix) {
    check(zmq_setsockopt(handle_, ZMQ_SUBSCRIBE, prefix.data(), prefix.size()) == 0, "subscribe");
  }
  std::string bind(const std::string& endpoint) {
    check(zmq_bind(handle_, endpoint.c_str()) == 0, "zmq_bind");
    char text[256];
    std::size_t size = sizeof text;
    check(zmq_getsockopt(handle_, ZMQ_LAST_ENDPOINT, text, &size) == 0, "ZMQ_LAST_ENDPOINT");
    return text;
  }
  void connect(const std::string& endpoint) {
    check(zmq_connect(handle_, endpoint.c_str()) == 0, "zmq_connect");
  }
  void send_copy(const char* data, std::size_t size, bool more = false) {
    check(zmq_send(handle_, data, size, more ? ZMQ_SNDMORE : 0) >= 0, "zmq_send");
  }
  /// By reference: `data` outlives the context.
  void send_external(char* data, std::size_t size) {
    zmq_msg_t msg;
    check(zmq_msg_init_data(&msg, data, size, [](void*, void*) {}, nullptr) == 0, "init_data");
    check(zmq_msg_send(&msg, handle_, 0) >= 0, "zmq_msg_send");
  }
  void cork() { bench::die("libzmq collects nothing"); }
  void uncork() {}
  void send(Message& message, bool more = false) {
    check(zmq_msg_send(message.handle(), handle_, more ? ZMQ_SNDMORE : 0) >= 0, "zmq_msg_send");
  }
  void receive(Message& message) {
    check(zmq_msg_recv(message.handle(), handle_, 0) >= 0, "zmq_msg_recv");
  }

 private:
  void set(int option, int value) {
    check(zmq_setsockopt(handle_, option, &value, sizeof value) == 0, "zmq_setsockopt");
  }
  void* handle_;
};

}  // namespace peer
