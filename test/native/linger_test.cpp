// What closing a socket does to messages that have not been sent yet.
#include <doctest/doctest.h>

#include <chrono>
#include <string>

#include "raw_peer.hpp"
#include "sockets.hpp"
#include "transports.hpp"

using namespace zerowire;
using namespace zerowire::test;
using std::chrono::milliseconds;

namespace {

const milliseconds kGenerous(kDeadline);

}  // namespace

TEST_SUITE_BEGIN("linger");

TEST_CASE("for ever: everything sent before close arrives") {
  for (Transport& transport : Transport::all()) {
    CAPTURE(transport.name());
    Context context = make_context();
    Socket pull = make(context, SocketType::pull);
    const std::string endpoint = transport.fixed();
    bind(pull, endpoint);
    constexpr int kMessages = 500;
    {
      Socket push = make(context, SocketType::push, {{Option::linger, int64_t{-1}}});
      connect(push, endpoint);
      for (int i = 0; i < kMessages; ++i) send(push, {std::to_string(i), std::string(3000, 'x')});
    }
    for (int i = 0; i < kMessages; ++i) CHECK(receive(pull).at(0) == std::to_string(i));
    CHECK(context.wait_idle(kGenerous));
  }
}

TEST_CASE("for ever: messages wait for a peer that binds after the close") {
  for (Transport& transport : Transport::all()) {
    CAPTURE(transport.name());
    Context context = make_context();
    const std::string endpoint = transport.fixed();
    {
      Socket push = make(context, SocketType::push, {{Option::linger, int64_t{-1}}});
      connect(push, endpoint);
      send(push, {"early", "bird"});
      send(push, {"second"});
    }
    CHECK_FALSE(context.wait_idle(milliseconds(0)));
    Socket pull = make(context, SocketType::pull);
    bind(pull, endpoint);
    CHECK(receive(pull) == Parts{"early", "bird"});
    CHECK(receive(pull) == Parts{"second"});
    CHECK(context.wait_idle(kGenerous));
  }
}

TEST_CASE("a receiver that is throttled gets all that was sent before the sender hung up") {
  for (Transport& transport : Transport::all()) {
    CAPTURE(transport.name());
    Context context = make_context();
    Socket pull = make(context, SocketType::pull,
                       {{Option::receive_high_water_mark, int64_t{1}},
                        {Option::receive_buffer_size, int64_t{8192}}});
    const std::string endpoint = transport.fixed();
    bind(pull, endpoint);
    constexpr int kMessages = 200;
    const std::string body(20'000, 't');
    {
      Socket push =
          make(context, SocketType::push,
               {{Option::linger, int64_t{-1}}, {Option::send_buffer_size, int64_t{8192}}});
      connect(push, endpoint);
      for (int i = 0; i < kMessages; ++i) send(push, {std::to_string(i), body});
    }
    for (int i = 0; i < kMessages; ++i) CHECK((receive(pull) == Parts{std::to_string(i), body}));
    CHECK(context.wait_idle(kGenerous));
  }
}

TEST_CASE("zero: what is not sent is dropped at once") {
  Context context = make_context();
  RawListener listener;
  const std::string nobody = listener.endpoint();
  listener.close();
  Socket push = make(context, SocketType::push, {{Option::linger, int64_t{0}}});
  connect(push, nobody);
  send(push, {"dropped"});
  push.close();
  CHECK(context.wait_idle(kGenerous));
}

TEST_CASE("zero: an inproc peer that binds later gets nothing") {
  Context context = make_context();
  {
    Socket push = make(context, SocketType::push, {{Option::linger, int64_t{0}}});
    connect(push, "inproc://nothing");
    send(push, {"dropped"});
  }
  CHECK(context.wait_idle(kGenerous));
  Socket pull = make(context, SocketType::pull);
  bind(pull, "inproc://nothing");
  Socket other = make(context, SocketType::push);
  connect(other, "inproc://nothing");
  send(other, {"first"});
  CHECK(receive(pull) == Parts{"first"});
}

TEST_CASE("a time limit: the context is idle after it, though nobody took the messages") {
  Context context = make_context();
  RawListener silent;
  Socket push = make(context, SocketType::push, {{Option::linger, int64_t{50}}});
  connect(push, silent.endpoint());
  send(push, {"never taken"});
  push.close();
  CHECK(context.wait_idle(kGenerous));
}

TEST_CASE("a time limit holds for a peer that stops reading") {
  Context context = make_context();
  Socket push = make(context, SocketType::push, {{Option::linger, int64_t{50}}});
  const std::string endpoint = bind(push);
  RawPeer peer = RawPeer::to(endpoint);
  peer.send(zmtp_handshake("PULL"));
  peer.take_handshake();
  const std::string body(1 << 20, 'b');
  for (int i = 0; i < 30; ++i) send(push, {body});
  push.close();
  CHECK(context.wait_idle(kGenerous));
}

TEST_CASE("the option at the time of close counts") {
  Context context = make_context();
  RawListener silent;
  Socket push = make(context, SocketType::push, {{Option::linger, int64_t{-1}}});
  connect(push, silent.endpoint());
  send(push, {"x"});
  set(push, Option::linger, 0);
  push.close();
  CHECK(context.wait_idle(kGenerous));
}

TEST_CASE("close of a socket without messages does not linger") {
  for (Transport& transport : Transport::all()) {
    CAPTURE(transport.name());
    Context context = make_context();
    const std::string endpoint = transport.fixed();
    Socket push = make(context, SocketType::push, {{Option::linger, int64_t{-1}}});
    connect(push, endpoint);
    push.close();
    CHECK(context.wait_idle(kGenerous));
  }
}

TEST_CASE("abandon_lingering ends what would linger for ever") {
  for (Transport& transport : Transport::all()) {
    CAPTURE(transport.name());
    Context context = make_context();
    const std::string endpoint = transport.fixed();
    Socket push = make(context, SocketType::push, {{Option::linger, int64_t{-1}}});
    connect(push, endpoint);
    send(push, {"x"});
    push.close();
    CHECK_FALSE(context.wait_idle(milliseconds(0)));
    context.abandon_lingering();
    CHECK(context.wait_idle(kGenerous));
  }
}

TEST_CASE("abandon_lingering leaves open sockets alone") {
  Context context = make_context();
  Socket push = make(context, SocketType::push);
  Socket pull = make(context, SocketType::pull);
  connect(push, bind(pull));
  send(push, {"before"});
  context.abandon_lingering();
  send(push, {"after"});
  CHECK(receive(pull) == Parts{"before"});
  CHECK(receive(pull) == Parts{"after"});
}

TEST_CASE("a REP's last answer arrives though it closes") {
  Context context = make_context();
  Socket req = make(context, SocketType::req);
  std::string endpoint;
  {
    Socket rep = make(context, SocketType::rep, {{Option::linger, int64_t{-1}}});
    connect(req, bind(rep));
    send(req, {"question"});
    CHECK(receive(rep) == Parts{"question"});
    send(rep, {std::string(500'000, 'a')});
  }
  CHECK((receive(req) == Parts{std::string(500'000, 'a')}));
}

TEST_CASE("a peer that keeps talking does not cost the closing side its messages") {
  Context context = make_context();
  Socket dealer = make(context, SocketType::dealer, {{Option::linger, int64_t{-1}}});
  const std::string endpoint = bind(dealer);
  RawPeer peer = RawPeer::to(endpoint);
  peer.send(zmtp_handshake("DEALER"));
  peer.take_handshake();
  std::string chatter;
  for (int i = 0; i < 2'000; ++i) chatter += zmtp_frame(0, "unread");
  const std::string body(3 << 20, 'b');
  send(dealer, {body});
  peer.send(chatter);
  dealer.close();
  peer.send(chatter);
  CHECK((peer.frame() == body));
  CHECK(peer.closed());
}

TEST_CASE("cork does not keep messages from a close") {
  Context context = make_context();
  Socket pull = make(context, SocketType::pull);
  const std::string endpoint = bind(pull);
  {
    Socket push = make(context, SocketType::push, {{Option::linger, int64_t{-1}}});
    connect(push, endpoint);
    push.cork();
    for (int i = 0; i < 10; ++i) send(push, {std::to_string(i)});
  }
  for (int i = 0; i < 10; ++i) CHECK(receive(pull) == Parts{std::to_string(i)});
}

TEST_SUITE_END();
