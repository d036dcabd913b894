// Calls of Socket that do not depend on its type: errors, frames, corking, wakers, closing.
#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "sockets.hpp"

using namespace zerowire;
using namespace zerowire::test;

TEST_SUITE_BEGIN("socket");

TEST_CASE("every call on a closed socket is EBADF, closing twice is fine") {
  const Context context = make_context();
  Socket socket = make(context, SocketType::dealer);
  bind(socket);
  socket.close();
  socket.close();
  CHECK(socket.closed());
  Inbound message;
  Message frame;
  Event event;
  CHECK(try_send(socket, {"x"}) == Errc::bad_socket);
  CHECK(socket.send("x") == Errc::bad_socket);
  CHECK(socket.try_receive(message) == Errc::bad_socket);
  CHECK(socket.receive(message, -1) == Errc::bad_socket);
  CHECK(socket.receive(frame) == Errc::bad_socket);
  CHECK(socket.bind("tcp://127.0.0.1:*").error().code == Errc::bad_socket);
  CHECK(socket.connect("inproc://x").error().code == Errc::bad_socket);
  CHECK(socket.unbind("inproc://x").error().code == Errc::bad_socket);
  CHECK(socket.disconnect("inproc://x").error().code == Errc::bad_socket);
  CHECK(socket.set(Option::linger, 1).error().code == Errc::bad_socket);
  CHECK(socket.subscribe("x").error().code == Errc::bad_socket);
  CHECK(socket.readiness() == 0);
  CHECK_FALSE(socket.try_event(event));
  socket.cork();
  socket.uncork();
}

TEST_CASE("endpoints that make no sense are refused, named in the error") {
  const Context context = make_context();
  Socket socket = make(context, SocketType::dealer);
  const std::pair<const char*, Errc> bad[] = {
      {"", Errc::invalid},
      {"tcp", Errc::invalid},
      {"tcp://", Errc::invalid},
      {"tcp://127.0.0.1", Errc::invalid},
      {"tcp://127.0.0.1:99999", Errc::invalid},
      {"gopher://host:1", Errc::protocol_not_supported},
  };
  for (const auto& [endpoint, code] : bad) {
    CAPTURE(std::string(endpoint));
    const Result<std::string> bound = socket.bind(endpoint);
    REQUIRE_FALSE(bound);
    CHECK(bound.error().code == code);
    CHECK(bound.error().what.find(endpoint) != std::string::npos);
    const Result<void> connected = socket.connect(endpoint);
    REQUIRE_FALSE(connected);
    CHECK(connected.error().code == code);
  }
  CHECK(socket.connect("tcp://*:80").error().code == Errc::invalid);
  CHECK(socket.bind("tcp://no-such-interface:80").error().code == Errc::no_device);
  CHECK(socket.bind("ipc:///no/such/directory/x").error().code == Errc::no_entry);
}

TEST_CASE("last_endpoint is what bind resolved and what connect was told") {
  const Context context = make_context();
  Socket socket = make(context, SocketType::dealer);
  const std::string bound = bind(socket, "tcp://127.0.0.1:*");
  CHECK(socket.get_string(Option::last_endpoint).value() == bound);
  connect(socket, "inproc://somewhere");
  CHECK(socket.get_string(Option::last_endpoint).value() == "inproc://somewhere");
}

TEST_CASE("frames: more() marks all but the last, and sizes around the inline limit survive") {
  const Context context = make_context();
  Socket left = make(context, SocketType::pair);
  Socket right = make(context, SocketType::pair);
  connect(left, bind(right));
  const std::size_t sizes[] = {0, 1, 39, 40, 41, 254, 255, 256, 4095, 8191, 8192, 65'536, 300'000};
  for (const std::size_t size : sizes) {
    CHECK(left.send(std::string(size, static_cast<char>('a' + size % 26)), size != 300'000) ==
          Errc::ok);
  }
  for (const std::size_t size : sizes) {
    Message frame;
    CHECK(right.receive(frame) == Errc::ok);
    CHECK(frame.size() == size);
    CHECK((frame.str() == std::string(size, static_cast<char>('a' + size % 26))));
    CHECK(frame.more() == (size != 300'000));
  }
}

TEST_CASE("views stay valid until the next receive, though their peer leaves") {
  const Context context = make_context();
  Socket pull = make(context, SocketType::pull);
  const std::string endpoint = bind(pull, "inproc://views");
  Inbound message;
  {
    Socket push = make(context, SocketType::push, {{Option::linger, int64_t{-1}}});
    connect(push, endpoint);
    send(push, {"stays", "here", std::string(50'000, 'v')});
    REQUIRE(pull.receive(message, kDeadline) == Errc::ok);
  }
  for (int i = 0; i < 10; ++i) (void)pull.readiness();
  CHECK((copy(message) == Parts{"stays", "here", std::string(50'000, 'v')}));
  // A reference keeps a frame for longer.
  Buffer* kept = buffer_ref(message.frames[2].buffer);
  const FrameView view = message.frames[2];
  CHECK(pull.try_receive(message) == Errc::again);
  CHECK((std::string(view.data, view.size) == std::string(50'000, 'v')));
  buffer_unref(kept);
}

TEST_CASE("corked messages are sent off by uncork, in order") {
  for (const char* endpoint : {"tcp://127.0.0.1:*", "inproc://cork"}) {
    const Context context = make_context();
    Socket push = make(context, SocketType::push);
    Socket pull = make(context, SocketType::pull);
    connect(push, bind(pull, endpoint));
    send(push, {"first"});
    CHECK(receive(pull) == Parts{"first"});
    push.cork();
    for (int i = 0; i < 20; ++i) send(push, {std::to_string(i)});
    CHECK_FALSE(try_receive(pull));
    push.uncork();
    for (int i = 0; i < 20; ++i) CHECK(receive(pull) == Parts{std::to_string(i)});
    // Beyond what is worth collecting they go by themselves.
    push.cork();
    for (int i = 0; i < 700; ++i) send(push, {std::to_string(i)});
    CHECK(receive(pull) == Parts{"0"});
    push.uncork();
    for (int i = 1; i < 700; ++i) CHECK(receive(pull) == Parts{std::to_string(i)});
  }
}

TEST_CASE("corked messages of all sizes arrive whole, in order, however little the system takes") {
  const Context context = make_context();
  Socket push = make(context, SocketType::push);
  Socket pull = make(context, SocketType::pull);
  set(push, Option::send_buffer_size, 4096);
  set(pull, Option::receive_buffer_size, 4096);
  connect(push, bind(pull, "tcp://127.0.0.1:*"));
  for (std::size_t size : {0u, 100u, 1'000u, 4'000u, 30'000u, 300'000u}) {
    for (int several = 1; several <= 31; several += 6) {
      push.cork();
      for (int i = 0; i < several; ++i) {
        send(push, {std::to_string(i), std::string(size, static_cast<char>('a' + i % 26))});
      }
      push.uncork();
      for (int i = 0; i < several; ++i) {
        const std::string body(size, static_cast<char>('a' + i % 26));
        REQUIRE((receive(pull) == Parts{std::to_string(i), body}));
      }
    }
  }
}

TEST_CASE("a waker is called once per arming, at the next happening") {
  struct Counter final : Waker {
    void wake() override { ++calls; }
    std::atomic<int> calls{0};
  };
  const Context context = make_context();
  const auto counter = std::make_shared<Counter>();
  Socket pull = make(context, SocketType::pull);
  pull.set_waker(counter);
  Socket push = make(context, SocketType::push);
  connect(push, bind(pull));
  send(push, {"x"});
  CHECK(receive(pull) == Parts{"x"});
  for (int i = 1; i <= 5; ++i) {
    REQUIRE(eventually([&] { return (void)pull.readiness(), pull.arm(); }));
    const int before = counter->calls;
    send(push, {"y"});
    REQUIRE(eventually([&] { return counter->calls > before; }));
    send(push, {"z"});
    CHECK(receive(pull) == Parts{"y"});
    CHECK(receive(pull) == Parts{"z"});
  }
  // Something there already: not armed.
  send(push, {"waiting"});
  REQUIRE(eventually([&] { return (pull.readiness() & kReadable) != 0; }));
  CHECK(receive(pull) == Parts{"waiting"});
}

TEST_CASE("sockets can be moved, and closed by their destructor") {
  const Context context = make_context();
  Socket pull = make(context, SocketType::pull);
  const std::string endpoint = bind(pull);
  Socket moved = std::move(pull);
  {
    Socket push = make(context, SocketType::push, {{Option::linger, int64_t{-1}}});
    connect(push, endpoint);
    Socket other = std::move(push);
    send(other, {"moved"});
  }
  CHECK(receive(moved) == Parts{"moved"});
  moved = make(context, SocketType::push);
  CHECK(moved.type() == SocketType::push);
  CHECK(context.open_sockets() == 1);
}

TEST_CASE("a type that does not exist is refused") {
  const Context context = make_context();
  const Result<Socket> socket = Socket::create(context, static_cast<SocketType>(11));
  REQUIRE_FALSE(socket);
  CHECK(socket.error().code == Errc::invalid);
}

TEST_SUITE_END();
