// High-water marks: exact bounds, what happens at them, and how a blocked sender goes on.
#include <doctest/doctest.h>

#include <atomic>
#include <string>
#include <thread>

#include "raw_peer.hpp"
#include "sockets.hpp"

using namespace zerowire;
using namespace zerowire::test;

namespace {

struct Line {
  Line(int64_t send_mark, int64_t receive_mark, bool connect_first = false)
      : context(make_context()),
        push(make(context, SocketType::push, {{Option::send_high_water_mark, send_mark}})),
        pull(make(context, SocketType::pull, {{Option::receive_high_water_mark, receive_mark}})) {
    if (connect_first) connect(push, "inproc://line");
    bind(pull, "inproc://line");
    if (!connect_first) connect(push, "inproc://line");
  }
  Context context;
  Socket push, pull;
};

int drain(Socket& pull) {
  int got = 0;
  while (try_receive(pull)) ++got;
  return got;
}

}  // namespace

TEST_SUITE_BEGIN("hwm");

TEST_CASE("inproc: the sum of both marks, exactly") {
  for (const int64_t send_mark : {1, 2, 10, 1000}) {
    for (const int64_t receive_mark : {1, 3, 1000}) {
      CAPTURE(send_mark);
      CAPTURE(receive_mark);
      Line line(send_mark, receive_mark);
      const int sum = static_cast<int>(send_mark + receive_mark);
      CHECK(fill(line.push) == sum);
      CHECK((line.push.readiness() & kWritable) == 0);
      CHECK(drain(line.pull) == sum);
      CHECK((line.push.readiness() & kWritable) != 0);
      CHECK(fill(line.push) == sum);
    }
  }
}

TEST_CASE("inproc: the receiver's mark counts too when it binds later") {
  Line line(2, 3, true);
  CHECK(fill(line.push) == 5);
  CHECK(drain(line.pull) == 5);

  const Context context = make_context();
  Socket push = make(context, SocketType::push, {{Option::send_high_water_mark, int64_t{2}}});
  connect(push, "inproc://later");
  CHECK(fill(push) == 2);
  Socket pull = make(context, SocketType::pull, {{Option::receive_high_water_mark, int64_t{3}}});
  bind(pull, "inproc://later");
  (void)pull.readiness();
  CHECK(fill(push) == 3);
  CHECK(drain(pull) == 5);
}

TEST_CASE("a mark of zero is no limit") {
  for (const bool of_sender : {true, false}) {
    CAPTURE(of_sender);
    Line line(of_sender ? 0 : 1, of_sender ? 1 : 0);
    CHECK(fill(line.push, {"x"}, 50'000) == 50'000);
    CHECK(drain(line.pull) == 50'000);
  }
}

TEST_CASE("a connection that is not there yet takes the sender's mark") {
  RawListener reserved;
  const std::string endpoint = reserved.endpoint();
  reserved.close();
  for (const int64_t mark : {1, 7, 1000}) {
    CAPTURE(mark);
    const Context context = make_context();
    Socket push = make(context, SocketType::push, {{Option::send_high_water_mark, mark}});
    connect(push, endpoint);
    CHECK(fill(push) == mark);
    CHECK(fill(push) == 0);
  }
}

TEST_CASE("a multipart message counts once") {
  Line line(2, 2);
  const Parts message(20, "part");
  CHECK(fill(line.push, message) == 4);
  CHECK(receive(line.pull) == message);
}

TEST_CASE("tcp: never more than both marks and what the kernel holds, and none is lost") {
  for (const int64_t mark : {1, 10}) {
    CAPTURE(mark);
    const Context context = make_context();
    Socket push =
        make(context, SocketType::push,
             {{Option::send_high_water_mark, mark}, {Option::send_buffer_size, int64_t{8192}}});
    Socket pull = make(
        context, SocketType::pull,
        {{Option::receive_high_water_mark, mark}, {Option::receive_buffer_size, int64_t{8192}}});
    connect(push, bind(pull));
    send(push, {"first"});
    CHECK(receive(pull) == Parts{"first"});
    const std::string body(100'000, 'k');
    int sent = 0;
    // Blocks for good when both are full: the receiver does not take any.
    set(push, Option::send_timeout, 200);
    while (push.send(std::to_string(sent), true) == Errc::ok && push.send(body) == Errc::ok) ++sent;
    CHECK(sent >= mark);
    CHECK(sent < 2 * mark + 200);
    for (int i = 0; i < sent; ++i) CHECK((receive(pull) == Parts{std::to_string(i), body}));
    // The frames before the one that timed out are kept: it may be sent again.
    CHECK(push.send(body) == Errc::ok);
    CHECK((receive(pull) == Parts{std::to_string(sent), body}));
  }
}

TEST_CASE("timeouts: nothing sent, nothing kept, EAGAIN") {
  Line line(1, 1);
  CHECK(fill(line.push) == 2);
  CHECK(line.push.send(as_parts({"x"}), 0) == Errc::again);
  CHECK(line.push.send(as_parts({"x"}), 5) == Errc::again);
  set(line.push, Option::send_timeout, 5);
  CHECK(line.push.send("x") == Errc::again);
  CHECK(drain(line.pull) == 2);
  Inbound message;
  CHECK(line.pull.receive(message, 0) == Errc::again);
  CHECK(line.pull.receive(message, 5) == Errc::again);
  set(line.pull, Option::receive_timeout, 5);
  Message frame;
  CHECK(line.pull.receive(frame) == Errc::again);
}

TEST_CASE("a blocked sender goes on when there is room, at any mark") {
  for (const char* endpoint : {"tcp://127.0.0.1:*", "inproc://blocked"}) {
    for (const int64_t mark : {1, 2, 3, 100}) {
      CAPTURE(endpoint);
      CAPTURE(mark);
      const Context context = make_context();
      Socket push = make(context, SocketType::push, {{Option::send_high_water_mark, mark}});
      Socket pull = make(context, SocketType::pull, {{Option::receive_high_water_mark, mark}});
      connect(push, bind(pull, endpoint));
      constexpr int kMessages = 3'000;
      std::atomic<int> sent{0};
      std::thread sender([&] {
        while (sent < kMessages && push.send(std::to_string(sent)) == Errc::ok) ++sent;
      });
      int got = 0;
      while (got < kMessages && receive(pull) == Parts{std::to_string(got)}) ++got;
      sender.join();
      CHECK(sent == kMessages);
      CHECK(got == kMessages);
    }
  }
}

TEST_CASE("a receiver at its mark does not keep others from being heard") {
  const Context context = make_context();
  Socket pull = make(context, SocketType::pull, {{Option::receive_high_water_mark, int64_t{2}}});
  Socket rep = make(context, SocketType::rep);
  Socket push = make(context, SocketType::push, {{Option::send_high_water_mark, int64_t{2}}});
  Socket req = make(context, SocketType::req);
  connect(push, bind(pull));
  connect(req, bind(rep));
  const std::string body(200'000, 'b');
  set(push, Option::send_timeout, 100);
  while (push.send(body) == Errc::ok) {
  }
  for (int i = 0; i < 50; ++i) {
    send(req, {"ping"});
    CHECK(receive(rep) == Parts{"ping"});
    send(rep, {"pong"});
    CHECK(receive(req) == Parts{"pong"});
  }
}

TEST_CASE("marks changed later apply to new peers") {
  const Context context = make_context();
  Socket push = make(context, SocketType::push, {{Option::send_high_water_mark, int64_t{1}}});
  Socket one = make(context, SocketType::pull, {{Option::receive_high_water_mark, int64_t{1}}});
  Socket two = make(context, SocketType::pull, {{Option::receive_high_water_mark, int64_t{1}}});
  connect(push, bind(one, "inproc://one"));
  set(push, Option::send_high_water_mark, 4);
  connect(push, bind(two, "inproc://two"));
  CHECK(fill(push) == 7);
  CHECK(drain(one) == 2);
  CHECK(drain(two) == 5);
}

TEST_CASE("what was queued for a peer that left is released") {
  const Context context = make_context();
  Socket push = make(context, SocketType::push, {{Option::send_buffer_size, int64_t{4096}}});
  push.monitor(kAllEvents);
  const std::string endpoint = bind(push);
  static std::atomic<int> released;
  released = 0;
  static std::string memory(1 << 20, 'm');
  constexpr int kMessages = 20;
  {
    RawPeer peer = RawPeer::to(endpoint);
    peer.send(zmtp_handshake("PULL"));
    peer.take_handshake();
    for (int i = 0; i < kMessages; ++i) {
      Message message = Message::external(
          memory.data(), memory.size(), [](void*, void*) { ++released; }, nullptr);
      CHECK(push.send(std::move(message)) == Errc::ok);
    }
    peer.reset();
  }
  wait_for(push, EventType::disconnected);
  CHECK(eventually([&] { return (void)try_send(push, {"x"}), released == kMessages; }));
}

TEST_CASE("room: as many sends as it says succeed") {
  Line line(4, 3);
  CHECK(line.push.room() == 7);
  CHECK(fill(line.push, {"x"}, 5) == 5);
  CHECK(line.push.room() == 2);
  CHECK(fill(line.push) == 2);
  CHECK(line.push.room() == 0);
  CHECK(drain(line.pull) == 7);
  CHECK(line.push.room() == 7);

  Socket second = make(line.context, SocketType::pull, {{Option::receive_high_water_mark, 1}});
  bind(second, "inproc://second");
  connect(line.push, "inproc://second");
  CHECK(line.push.room() == 7 + 5);
  CHECK(fill(line.push) == 7 + 5);

  Socket unlimited = make(line.context, SocketType::dealer, {{Option::send_high_water_mark, 0}});
  CHECK(unlimited.room() == 0);
  connect(unlimited, "tcp://127.0.0.1:9");
  CHECK(unlimited.room() == UINT64_MAX);
}

TEST_CASE("room: without limit where messages are dropped, none where there is more to a send") {
  const Context context = make_context();
  const auto room = [&](SocketType type, const Settings& settings = {}) {
    Socket socket = make(context, type, settings);
    return socket.room();
  };
  CHECK(room(SocketType::pub) == UINT64_MAX);
  CHECK(room(SocketType::xpub, {{Option::xpub_nodrop, 1}}) == 0);
  CHECK(room(SocketType::router) == UINT64_MAX);
  CHECK(room(SocketType::router, {{Option::router_mandatory, 1}}) == 0);
  CHECK(room(SocketType::pair) == 0);
  CHECK(room(SocketType::req) == 0);
  CHECK(room(SocketType::pull) == 0);
}

TEST_SUITE_END();
