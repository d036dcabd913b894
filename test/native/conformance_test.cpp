// Every pair of socket types that may talk, over every transport, whichever side binds.
#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include "sockets.hpp"
#include "transports.hpp"

using namespace zerowire;
using namespace zerowire::test;

namespace {

/// The two ends of a conversation; `left` and `right` of the table below.
struct Conversation {
  SocketType left;
  SocketType right;
  const char* name;
};

constexpr Conversation kConversations[] = {
    {SocketType::push, SocketType::pull, "PUSH PULL"},
    {SocketType::pair, SocketType::pair, "PAIR PAIR"},
    {SocketType::req, SocketType::rep, "REQ REP"},
    {SocketType::req, SocketType::router, "REQ ROUTER"},
    {SocketType::dealer, SocketType::rep, "DEALER REP"},
    {SocketType::dealer, SocketType::router, "DEALER ROUTER"},
    {SocketType::dealer, SocketType::dealer, "DEALER DEALER"},
    {SocketType::router, SocketType::router, "ROUTER ROUTER"},
    {SocketType::pub, SocketType::sub, "PUB SUB"},
    {SocketType::pub, SocketType::xsub, "PUB XSUB"},
    {SocketType::xpub, SocketType::sub, "XPUB SUB"},
    {SocketType::xpub, SocketType::xsub, "XPUB XSUB"},
};

bool publishes(SocketType type) { return type == SocketType::pub || type == SocketType::xpub; }

Parts operator+(Parts first, const Parts& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

Socket end_of(const Context& context, SocketType type, const std::string& id) {
  Socket socket = make(context, type, {{Option::routing_id, id}});
  if (type == SocketType::sub) REQUIRE(socket.subscribe(""));
  if (type == SocketType::router) set(socket, Option::router_mandatory, 1);
  return socket;
}

/// Until the subscription has arrived.
void meet(const Conversation& talk, Socket& left, Socket& right) {
  // Over inproc the side that bound greets its peer in a call of its own.
  (void)right.readiness();
  if (talk.right == SocketType::xsub) send(right, {"\1"});
  if (talk.left == SocketType::xpub) CHECK(receive(left) == Parts{"\1"});
  if (talk.left == SocketType::pub) await_subscription(left, right, "probe");
  if (talk.left == SocketType::router) {
    REQUIRE(eventually([&] {
      (void)right.readiness();
      return try_send(left, {"right", "hello"}) != Errc::host_unreachable;
    }));
    CHECK(receive(right) == Parts{"left", "hello"});
  }
}

/// `body` from left to right, and back if the types can.
void exchange(const Conversation& talk, Socket& left, Socket& right, const Parts& body) {
  const Parts delimiter =
      talk.left == SocketType::dealer && talk.right == SocketType::rep ? Parts{""} : Parts{};
  const Parts address = talk.left == SocketType::router ? Parts{"right"} : Parts{};
  send(left, address + delimiter + body);
  Parts got = receive(right);
  Parts reply = body;
  if (talk.right == SocketType::router) {
    const Parts envelope = talk.left == SocketType::req ? Parts{"left", ""} : Parts{"left"};
    REQUIRE(got.size() == envelope.size() + body.size());
    CHECK(Parts(got.begin(), got.begin() + static_cast<std::ptrdiff_t>(envelope.size())) ==
          envelope);
    got.erase(got.begin(), got.begin() + static_cast<std::ptrdiff_t>(envelope.size()));
    reply = envelope + body;
  }
  // Large strings: no copies of them in the log.
  CHECK((got == body));
  if (talk.left == SocketType::push || publishes(talk.left)) return;
  send(right, reply);
  const Parts sender = talk.left == SocketType::router ? Parts{"right"} : Parts{};
  CHECK((receive(left) == sender + delimiter + body));
}

std::vector<Parts> bodies() {
  const std::string mebibyte(1 << 20, 'm');
  return {{"one"},
          {""},
          {"a", "", "c"},
          {"", "", ""},
          {std::string(255, 'x')},
          {std::string(256, 'y')},
          {std::string(8192, 'r'), std::string(40, 'i'), std::string(70'000, 'l')},
          {mebibyte},
          {"head", mebibyte, "tail"}};
}

void converse(const Conversation& talk, Socket& left, Socket& right) {
  meet(talk, left, right);
  for (const Parts& body : bodies()) exchange(talk, left, right, body);
}

void over_all_transports(void (*run)(Transport&, const Conversation&)) {
  for (Transport& transport : Transport::all()) {
    for (const Conversation& talk : kConversations) {
      const std::string over = transport.name();
      CAPTURE(over);
      const std::string types = talk.name;
      CAPTURE(types);
      run(transport, talk);
    }
  }
}

}  // namespace

TEST_CASE("left binds, right connects") {
  over_all_transports([](Transport& transport, const Conversation& talk) {
    const Context context = make_context();
    Socket left = end_of(context, talk.left, "left");
    Socket right = end_of(context, talk.right, "right");
    const std::string endpoint = transport.fixed();
    bind(left, endpoint);
    connect(right, endpoint);
    converse(talk, left, right);
  });
}

TEST_CASE("right binds, left connects") {
  over_all_transports([](Transport& transport, const Conversation& talk) {
    const Context context = make_context();
    Socket left = end_of(context, talk.left, "left");
    Socket right = end_of(context, talk.right, "right");
    const std::string endpoint = transport.fixed();
    bind(right, endpoint);
    connect(left, endpoint);
    converse(talk, left, right);
  });
}

TEST_CASE("left connects before right binds") {
  over_all_transports([](Transport& transport, const Conversation& talk) {
    const Context context = make_context();
    Socket left = end_of(context, talk.left, "left");
    Socket right = end_of(context, talk.right, "right");
    const std::string endpoint = transport.fixed();
    connect(left, endpoint);
    bind(right, endpoint);
    converse(talk, left, right);
  });
}

TEST_CASE("right connects before left binds") {
  over_all_transports([](Transport& transport, const Conversation& talk) {
    const Context context = make_context();
    Socket left = end_of(context, talk.left, "left");
    Socket right = end_of(context, talk.right, "right");
    const std::string endpoint = transport.fixed();
    connect(right, endpoint);
    bind(left, endpoint);
    converse(talk, left, right);
  });
}

TEST_CASE("messages of eight mebibytes") {
  over_all_transports([](Transport& transport, const Conversation& talk) {
    const bool chosen = talk.left == SocketType::push || talk.left == SocketType::xpub ||
                        (talk.left == SocketType::dealer && talk.right == SocketType::router);
    if (!chosen) return;
    const Context context = make_context();
    Socket left = end_of(context, talk.left, "left");
    Socket right = end_of(context, talk.right, "right");
    const std::string endpoint = transport.fixed();
    bind(left, endpoint);
    connect(right, endpoint);
    meet(talk, left, right);
    exchange(talk, left, right, {std::string(8 << 20, 'z')});
  });
}

TEST_CASE("two contexts talk over the network transports") {
  for (Transport& transport : Transport::all()) {
    if (std::string(transport.name()) == "inproc") continue;
    const std::string over = transport.name();
    CAPTURE(over);
    const Context here = make_context();
    const Context there = make_context();
    Socket left = end_of(here, SocketType::dealer, "left");
    Socket right = end_of(there, SocketType::router, "right");
    const std::string endpoint = transport.fixed();
    bind(right, endpoint);
    connect(left, endpoint);
    exchange({SocketType::dealer, SocketType::router, ""}, left, right, {"across"});
  }
}

TEST_CASE("messages arrive in the order they were sent, whatever their size") {
  for (Transport& transport : Transport::all()) {
    const std::string over = transport.name();
    CAPTURE(over);
    const Context context = make_context();
    Socket push = make(context, SocketType::push);
    Socket pull = make(context, SocketType::pull);
    const std::string endpoint = transport.fixed();
    bind(pull, endpoint);
    connect(push, endpoint);
    constexpr int kMessages = 2'000;
    std::thread sender([&push] {
      for (int i = 0; i < kMessages; ++i) {
        const std::string number = std::to_string(i);
        const std::size_t size = i % 100 == 99 ? 50'000 : static_cast<std::size_t>(i % 300);
        const Parts message = {number, std::string(size, 'p')};
        if (push.send(as_parts(message), kDeadline) != Errc::ok) return;
      }
    });
    int next = 0;
    while (next < kMessages) {
      const Parts got = receive(pull);
      if (got.size() != 2 || got[0] != std::to_string(next)) break;
      ++next;
    }
    sender.join();
    CHECK(next == kMessages);
  }
}

TEST_CASE("what types may not talk is refused") {
  for (Transport& transport : Transport::all()) {
    const std::string over = transport.name();
    CAPTURE(over);
    const Context context = make_context();
    Socket pull = make(context, SocketType::pull);
    pull.monitor(kAllEvents);
    const std::string endpoint = transport.fixed();
    bind(pull, endpoint);
    Socket sub = make(context, SocketType::sub);
    sub.monitor(kAllEvents);
    const Result<void> connected = sub.connect(endpoint);
    if (std::string(transport.name()) == "inproc") {
      REQUIRE_FALSE(connected);
      CHECK(connected.error().code == Errc::invalid);
    } else {
      const Event event = wait_for(pull, EventType::handshake_failed_protocol);
      CHECK(event.value == static_cast<uint32_t>(ProtocolError::zmtp_invalid_metadata));
    }
    // Others are served.
    Socket push = make(context, SocketType::push);
    connect(push, endpoint);
    send(push, {"served"});
    CHECK(receive(pull) == Parts{"served"});
  }
}
