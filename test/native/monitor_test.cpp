// Monitor events: which come, in which order, with which values and addresses.
#include <doctest/doctest.h>

#include <cerrno>
#include <string>
#include <vector>

#include "raw_peer.hpp"
#include "sockets.hpp"
#include "transports.hpp"

using namespace zerowire;
using namespace zerowire::test;

TEST_SUITE_BEGIN("monitor");

TEST_CASE("the life of a tcp connection, seen from both sides") {
  const Context context = make_context();
  Socket server = make(context, SocketType::rep);
  server.monitor(kAllEvents);
  Socket client = make(context, SocketType::req);
  client.monitor(kAllEvents);
  const std::string endpoint = bind(server);

  const Event listening = wait_for(server, kAllEvents);
  CHECK(listening.type == EventType::listening);
  CHECK(listening.address == endpoint);
  CHECK(listening.value > 2);

  connect(client, endpoint);
  Event event = wait_for(client, kAllEvents);
  if (event.type == EventType::connect_delayed) {
    CHECK(event.value == EINPROGRESS);
    CHECK(event.address == endpoint);
    event = wait_for(client, kAllEvents);
  }
  CHECK(event.type == EventType::connected);
  CHECK(event.address == endpoint);
  CHECK(event.peer_address == endpoint);
  CHECK(event.value > 2);
  event = wait_for(client, kAllEvents);
  CHECK(event.type == EventType::handshake_succeeded);
  CHECK(event.address == endpoint);

  const Event accepted = wait_for(server, kAllEvents);
  CHECK(accepted.type == EventType::accepted);
  CHECK(accepted.address == endpoint);
  CHECK(accepted.peer_address.starts_with("tcp://127.0.0.1:"));
  CHECK(accepted.peer_address != endpoint);
  event = wait_for(server, kAllEvents);
  CHECK(event.type == EventType::handshake_succeeded);
  CHECK(event.peer_address == accepted.peer_address);

  client.close();
  event = wait_for(server, kAllEvents);
  CHECK(event.type == EventType::disconnected);
  CHECK(event.value == accepted.value);
  CHECK(event.address == endpoint);
  CHECK(event.peer_address == accepted.peer_address);
}

TEST_CASE("the client hears of the loss, of its waiting, and of the new connection") {
  const Context context = make_context();
  Socket client = make(context, SocketType::push);
  client.monitor(kAllEvents);
  std::string endpoint;
  {
    Socket server = make(context, SocketType::pull);
    endpoint = bind(server);
    connect(client, endpoint);
    await_handshakes(client);
  }
  CHECK(wait_for(client, kAllEvents).type == EventType::disconnected);
  const Event retried = wait_for(client, kAllEvents);
  CHECK(retried.type == EventType::connect_retried);
  CHECK(retried.address == endpoint);
  Socket server = make(context, SocketType::pull);
  REQUIRE(eventually([&] { return bool(server.bind(endpoint)); }));
  CHECK(wait_for(client, EventType::connected).address == endpoint);
  await_handshakes(client);
}

TEST_CASE("ipc connections are reported too") {
  for (Transport& transport : Transport::all()) {
    const std::string over = transport.name();
    if (!over.starts_with("ipc")) continue;
    CAPTURE(over);
    const Context context = make_context();
    Socket server = make(context, SocketType::pull);
    server.monitor(kAllEvents);
    Socket client = make(context, SocketType::push);
    client.monitor(kAllEvents);
    const std::string endpoint = transport.fixed();
    bind(server, endpoint);
    connect(client, endpoint);
    CHECK(wait_for(client, EventType::connected).address == endpoint);
    await_handshakes(client);
    CHECK(wait_for(server, EventType::accepted).address == endpoint);
    await_handshakes(server);
    client.close();
    CHECK(wait_for(server, EventType::disconnected).address == endpoint);
  }
}

TEST_CASE("failures to bind carry the errno and the endpoint") {
  const Context context = make_context();
  Socket one = make(context, SocketType::pull);
  Socket two = make(context, SocketType::pull);
  two.monitor(kAllEvents);
  const std::string endpoint = bind(one);
  CHECK_FALSE(two.bind(endpoint));
  const Event event = wait_for(two, kAllEvents);
  CHECK(event.type == EventType::bind_failed);
  CHECK(event.value == EADDRINUSE);
  CHECK(event.address == endpoint);
}

TEST_CASE("unbind closes the listener") {
  const Context context = make_context();
  Socket pull = make(context, SocketType::pull);
  pull.monitor(kAllEvents);
  const std::string endpoint = bind(pull);
  const Event listening = wait_for(pull, EventType::listening);
  REQUIRE(pull.unbind(endpoint));
  const Event closed = wait_for(pull, EventType::closed);
  CHECK(closed.value == listening.value);
  CHECK(closed.address == endpoint);
}

TEST_CASE("handshakes that fail: garbage, another mechanism, another socket type") {
  const Context context = make_context();
  Socket pull = make(context, SocketType::pull);
  pull.monitor(kAllEvents);
  const std::string endpoint = bind(pull);
  std::string curve = zmtp_greeting();
  curve.replace(12, 5, "CURVE");
  const std::pair<std::string, ProtocolError> cases[] = {
      {"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", ProtocolError::zmtp_unspecified},
      {curve, ProtocolError::zmtp_mechanism_mismatch},
      {zmtp_handshake("SUB"), ProtocolError::zmtp_invalid_metadata},
      {zmtp_greeting() + zmtp_frame(0, "no command"), ProtocolError::zmtp_unexpected_command},
  };
  for (const auto& [bytes, error] : cases) {
    RawPeer peer = RawPeer::to(endpoint);
    peer.send(bytes);
    const Event event = wait_for(pull, EventType::handshake_failed_protocol);
    CHECK(event.value == static_cast<uint32_t>(error));
    CHECK(event.address == endpoint);
    CHECK(event.peer_address.starts_with("tcp://127.0.0.1:"));
    CHECK(peer.closed());
  }
}

TEST_CASE("a peer that never finishes its handshake is dropped at the deadline") {
  const Context context = make_context();
  Socket pull = make(context, SocketType::pull, {{Option::handshake_interval, int64_t{20}}});
  pull.monitor(kAllEvents);
  RawPeer silent = RawPeer::to(bind(pull));
  const Event event = wait_for(pull, EventType::handshake_failed_no_detail);
  CHECK(event.value == ETIMEDOUT);
  CHECK(silent.closed());
}

TEST_CASE("only the events asked for are queued, and none before monitoring") {
  const Context context = make_context();
  Socket pull = make(context, SocketType::pull);
  const std::string unseen = bind(pull);
  Event event;
  CHECK_FALSE(pull.try_event(event));
  pull.monitor(static_cast<uint32_t>(EventType::accepted));
  bind(pull);
  RawPeer peer = RawPeer::to(unseen);
  CHECK(wait_for(pull, kAllEvents).type == EventType::accepted);
  CHECK((pull.readiness() & kEvent) == 0);
}

TEST_CASE("of more than 10,000 events the oldest are dropped") {
  const Context context = make_context();
  Socket pull = make(context, SocketType::pull);
  pull.monitor(static_cast<uint32_t>(EventType::bind_failed));
  for (int i = 0; i < 10'050; ++i) CHECK_FALSE(pull.bind("inproc://"));
  Event event;
  int events = 0;
  while (pull.try_event(event)) ++events;
  CHECK(events <= 10'000);
}

TEST_SUITE_END();
