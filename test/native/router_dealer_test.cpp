// ROUTER and DEALER: addressing by routing id, and what happens when ids are missing or taken.
#include <doctest/doctest.h>

#include <string>
#include <thread>
#include <vector>

#include "raw_peer.hpp"
#include "sockets.hpp"

using namespace zerowire;
using namespace zerowire::test;

namespace {

Socket dealer_named(const Context& context, const std::string& id) {
  return make(context, SocketType::dealer, {{Option::routing_id, id}});
}

Socket mandatory_router(const Context& context) {
  return make(context, SocketType::router, {{Option::router_mandatory, int64_t{1}}});
}

}  // namespace

TEST_SUITE_BEGIN("router dealer");

TEST_CASE("replies reach the peer that is named, in the order they were sent") {
  const Context context = make_context();
  Socket router = make(context, SocketType::router);
  const std::string endpoint = bind(router);
  std::vector<Socket> dealers;
  for (const char* id : {"A", "B", "C"}) {
    dealers.push_back(dealer_named(context, id));
    connect(dealers.back(), endpoint);
    send(dealers.back(), {"here"});
    CHECK(receive(router) == Parts{id, "here"});
  }
  for (int i = 0; i < 10; ++i) {
    for (const char* id : {"C", "A", "B"}) send(router, {id, id + std::to_string(i), "part"});
  }
  for (std::size_t d = 0; d < 3; ++d) {
    const std::string id(1, static_cast<char>('A' + d));
    for (int i = 0; i < 10; ++i) {
      CHECK(receive(dealers[d]) == Parts{id + std::to_string(i), "part"});
    }
  }
}

TEST_CASE("ids made up by the ROUTER are five bytes, start with zero and differ") {
  const Context context = make_context();
  Socket router = make(context, SocketType::router);
  const std::string endpoint = bind(router);
  Socket one = make(context, SocketType::dealer);
  Socket two = make(context, SocketType::dealer);
  connect(one, endpoint);
  connect(two, endpoint);
  send(one, {"one"});
  const Parts from_one = receive(router);
  send(two, {"two"});
  const Parts from_two = receive(router);
  for (const Parts& message : {from_one, from_two}) {
    REQUIRE(message.size() == 2);
    CHECK(message[0].size() == 5);
    CHECK(message[0][0] == '\0');
  }
  CHECK(from_one[0] != from_two[0]);
  send(router, {from_two[0], "to two"});
  send(router, {from_one[0], "to one"});
  CHECK(receive(one) == Parts{"to one"});
  CHECK(receive(two) == Parts{"to two"});
}

TEST_CASE("a ROUTER that never receives learns who is there") {
  for (const char* endpoint : {"tcp://127.0.0.1:*", "inproc://mute"}) {
    CAPTURE(endpoint);
    const Context context = make_context();
    Socket router = mandatory_router(context);
    const std::string bound = bind(router, endpoint);
    Socket dealer = dealer_named(context, "D");
    connect(dealer, bound);
    CHECK(eventually([&] { return try_send(router, {"D", "hello"}) == Errc::ok; }));
    CHECK(receive(dealer) == Parts{"hello"});
  }
}

TEST_CASE("messages to nobody are dropped, or refused if mandatory") {
  const Context context = make_context();
  Socket router = make(context, SocketType::router);
  bind(router);
  CHECK(try_send(router, {"nobody", "x"}) == Errc::ok);
  set(router, Option::router_mandatory, 1);
  CHECK(try_send(router, {"nobody", "x"}) == Errc::host_unreachable);
  CHECK(router.send(as_parts({"nobody", "x"}), -1) == Errc::host_unreachable);
  CHECK(try_send(router, {"alone"}) == Errc::invalid);
}

TEST_CASE("mandatory: a peer that left is unreachable") {
  const Context context = make_context();
  Socket router = mandatory_router(context);
  router.monitor(kAllEvents);
  const std::string endpoint = bind(router);
  Socket dealer = dealer_named(context, "D");
  connect(dealer, endpoint);
  send(dealer, {"hello"});
  CHECK(receive(router) == Parts{"D", "hello"});
  dealer.close();
  wait_for(router, EventType::disconnected);
  CHECK(try_send(router, {"D", "x"}) == Errc::host_unreachable);
}

TEST_CASE("mandatory: a full peer is EAGAIN and room is waited for; otherwise dropped") {
  const Context context = make_context();
  Socket router = make(context, SocketType::router, {{Option::send_high_water_mark, int64_t{2}}});
  Socket dealer =
      make(context, SocketType::dealer,
           {{Option::routing_id, std::string("D")}, {Option::receive_high_water_mark, int64_t{3}}});
  connect(dealer, bind(router, "inproc://full"));
  send(dealer, {"hello"});
  CHECK(receive(router) == Parts{"D", "hello"});
  for (int i = 0; i < 10; ++i) CHECK(try_send(router, {"D", std::to_string(i)}) == Errc::ok);
  for (int i = 0; i < 5; ++i) CHECK(receive(dealer) == Parts{std::to_string(i)});
  CHECK_FALSE(try_receive(dealer));

  set(router, Option::router_mandatory, 1);
  CHECK(fill(router, {"D", "x"}) == 5);
  CHECK(try_send(router, {"D", "x"}) == Errc::again);
  CHECK((router.readiness() & kWritable) == 0);
  std::thread reader([&dealer] {
    for (int i = 0; i < 6; ++i) receive(dealer);
  });
  send(router, {"D", "y"});
  reader.join();
}

TEST_CASE("a second peer with an id in use is not heard until the first one goes") {
  const Context context = make_context();
  Socket router = make(context, SocketType::router);
  router.monitor(kAllEvents);
  const std::string endpoint = bind(router);
  Socket first = dealer_named(context, "same");
  connect(first, endpoint);
  send(first, {"first"});
  CHECK(receive(router) == Parts{"same", "first"});
  Socket second = dealer_named(context, "same");
  connect(second, endpoint);
  send(second, {"second"});
  await_handshakes(router, 2);
  send(first, {"first again"});
  CHECK(receive(router) == Parts{"same", "first again"});
  CHECK_FALSE(try_receive(router));
  send(router, {"same", "for the first"});
  CHECK(receive(first) == Parts{"for the first"});

  first.close();
  CHECK(receive(router) == Parts{"same", "second"});
  send(router, {"same", "for the second"});
  CHECK(receive(second) == Parts{"for the second"});
}

TEST_CASE("waiting peers that leave are forgotten") {
  for (const char* endpoint : {"tcp://127.0.0.1:*", "inproc://waiting"}) {
    CAPTURE(endpoint);
    const Context context = make_context();
    Socket router = make(context, SocketType::router);
    router.monitor(kAllEvents);
    const std::string bound = bind(router, endpoint);
    Socket first = dealer_named(context, "same");
    connect(first, bound);
    send(first, {"first"});
    CHECK(receive(router) == Parts{"same", "first"});
    for (int i = 0; i < 3; ++i) {
      Socket other = dealer_named(context, "same");
      connect(other, bound);
      send(other, {"unheard"});
      if (bound.starts_with("tcp")) await_handshakes(router, i == 0 ? 2 : 1);
      CHECK_FALSE(try_receive(router));
      other.close();
      if (bound.starts_with("tcp")) wait_for(router, EventType::disconnected);
      CHECK_FALSE(try_receive(router));
    }
    send(router, {"same", "still you"});
    CHECK(receive(first) == Parts{"still you"});
  }
}

TEST_CASE("handover: the newcomer takes the id over") {
  for (const char* endpoint : {"tcp://127.0.0.1:*", "inproc://handover"}) {
    CAPTURE(endpoint);
    const Context context = make_context();
    Socket router = make(context, SocketType::router, {{Option::router_handover, int64_t{1}}});
    const std::string bound = bind(router, endpoint);
    Socket first = make(
        context, SocketType::dealer,
        {{Option::routing_id, std::string("same")}, {Option::reconnect_interval, int64_t{-1}}});
    connect(first, bound);
    send(first, {"first"});
    CHECK(receive(router) == Parts{"same", "first"});
    Socket second = dealer_named(context, "same");
    connect(second, bound);
    send(second, {"second"});
    CHECK(receive(router) == Parts{"same", "second"});
    send(router, {"same", "for the second"});
    CHECK(receive(second) == Parts{"for the second"});
    CHECK_FALSE(try_receive(first));
  }
}

TEST_CASE("handover: not to a newcomer whose endpoint has been unbound meanwhile") {
  const Context context = make_context();
  Socket router = make(context, SocketType::router, {{Option::router_handover, int64_t{1}}});
  router.monitor(kAllEvents);
  const std::string unbound = bind(router);
  RawPeer newcomer = RawPeer::to(unbound);
  wait_for(router, EventType::accepted);
  Socket dealer = dealer_named(context, "same");
  connect(dealer, bind(router));
  send(dealer, {"hello"});
  CHECK(receive(router) == Parts{"same", "hello"});
  REQUIRE(router.unbind(unbound));
  REQUIRE(newcomer.send(zmtp_handshake("DEALER", "same") + zmtp_frame(0, "not heard")));
  await_handshakes(router, 2);
  CHECK_FALSE(try_receive(router));
  CHECK(newcomer.closed());
  send(router, {"same", "still there"});
  CHECK(receive(dealer) == Parts{"still there"});
}

TEST_CASE("connect_routing_id names the next peer before it is there, and only that one") {
  const Context context = make_context();
  Socket router = mandatory_router(context);
  Socket dealer = dealer_named(context, "its own name");
  const std::string endpoint = bind(dealer);
  set(router, Option::connect_routing_id, std::string("mine"));
  connect(router, endpoint);
  CHECK(try_send(router, {"mine", "hello"}) == Errc::ok);
  CHECK(receive(dealer) == Parts{"hello"});
  send(dealer, {"answer"});
  CHECK(receive(router) == Parts{"mine", "answer"});
  CHECK(try_send(router, {"its own name", "x"}) == Errc::host_unreachable);

  Socket other = dealer_named(context, "other");
  connect(router, bind(other));
  send(other, {"hi"});
  CHECK(receive(router) == Parts{"other", "hi"});
}

TEST_CASE("connect_routing_id given twice: the second peer waits for the first to go") {
  const Context context = make_context();
  Socket router = make(context, SocketType::router);
  Socket first = make(context, SocketType::dealer);
  Socket second = make(context, SocketType::dealer);
  const std::string at_first = bind(first);
  const std::string at_second = bind(second);
  for (const std::string& endpoint : {at_first, at_second}) {
    set(router, Option::connect_routing_id, std::string("same"));
    connect(router, endpoint);
  }
  send(router, {"same", "hello"});
  CHECK(receive(first) == Parts{"hello"});
  CHECK_FALSE(try_receive(second));
  // Promoted before the second has said anything, then heard.
  REQUIRE(router.disconnect(at_first));
  REQUIRE(eventually([&] {
    send(router, {"same", "your turn"});
    return try_receive(second).has_value();
  }));
  send(second, {"thanks"});
  CHECK(receive(router) == Parts{"same", "thanks"});
}

TEST_CASE("a dialing ROUTER forgets the ids that its restarted peers had") {
  const Context context = make_context();
  Socket router = mandatory_router(context);
  router.monitor(kAllEvents);
  std::string endpoint = "tcp://127.0.0.1:*";
  std::vector<std::string> ids;
  for (int i = 0; i < 2; ++i) {
    Socket dealer = make(context, SocketType::dealer, {{Option::linger, int64_t{-1}}});
    REQUIRE(eventually([&] {
      const Result<std::string> bound = dealer.bind(endpoint);
      if (bound) endpoint = bound.value();
      return bool(bound);
    }));
    if (i == 0) connect(router, endpoint);
    // The router's application looks only when both have been there.
    await_handshakes(router);
    send(dealer, {"from " + std::to_string(i)});
    dealer.close();
    wait_for(router, EventType::disconnected);
  }
  for (int i = 0; i < 2; ++i) {
    const Parts got = receive(router);
    REQUIRE(got.size() == 2);
    CHECK(got[1] == "from " + std::to_string(i));
    ids.push_back(got[0]);
  }
  CHECK(ids[0] != ids[1]);
  REQUIRE(router.disconnect(endpoint));
  CHECK_FALSE(try_receive(router));
  for (const std::string& id : ids) CHECK(try_send(router, {id, "x"}) == Errc::host_unreachable);
}

TEST_CASE("a message that was received keeps its id when the peer is back under another one") {
  const Context context = make_context();
  Socket router = make(context, SocketType::router);
  router.monitor(kAllEvents);
  RawListener listener;
  connect(router, listener.endpoint());
  const std::string first(60, 'a'), second(200, 'b');
  Inbound message;
  for (const std::string& id : {first, second}) {
    RawPeer peer = listener.accept();
    REQUIRE(peer.send(zmtp_handshake("DEALER", id) + zmtp_frame(0, "from " + id)));
    await_handshakes(router);
    if (id == first) REQUIRE(router.receive(message, kDeadline) == Errc::ok);
    CHECK(eventually([&] { return (router.readiness() & kReadable) || id == first; }));
    CHECK(copy(message) == Parts{first, "from " + first});
  }
  CHECK(receive(router) == Parts{second, "from " + second});
}

TEST_CASE("a peer with a routing id keeps it across its reconnects") {
  const Context context = make_context();
  Socket dealer = dealer_named(context, "constant");
  dealer.monitor(kAllEvents);
  std::string endpoint = "tcp://127.0.0.1:*";
  for (int i = 0; i < 3; ++i) {
    Socket router = make(context, SocketType::router);
    REQUIRE(eventually([&] {
      const Result<std::string> bound = router.bind(endpoint);
      if (bound) endpoint = bound.value();
      return bool(bound);
    }));
    if (i == 0) connect(dealer, endpoint);
    send(dealer, {"hello"});
    CHECK(receive(router) == Parts{"constant", "hello"});
    send(router, {"constant", "hi"});
    CHECK(receive(dealer) == Parts{"hi"});
    router.close();
    wait_for(dealer, EventType::disconnected);
  }
}

TEST_CASE("probe_router: an empty message announces the peer") {
  for (const SocketType type : {SocketType::dealer, SocketType::req, SocketType::router}) {
    CAPTURE(static_cast<int>(type));
    const Context context = make_context();
    Socket router = make(context, SocketType::router);
    const std::string endpoint = bind(router);
    Socket prober =
        make(context, type,
             {{Option::routing_id, std::string("prober")}, {Option::probe_router, int64_t{1}}});
    connect(prober, endpoint);
    prober.monitor(kAllEvents);
    REQUIRE(eventually([&] {
      (void)prober.readiness();
      return (router.readiness() & kReadable) != 0;
    }));
    CHECK(receive(router) == Parts{"prober", ""});
  }
}

TEST_CASE("ids may hold any bytes, up to 255 of them, but not start with zero") {
  const Context context = make_context();
  std::string id(255, '\0');
  for (std::size_t i = 0; i < id.size(); ++i) id[i] = static_cast<char>(255 - i);
  Socket router = make(context, SocketType::router);
  Socket dealer = dealer_named(context, id);
  connect(dealer, bind(router));
  send(dealer, {"x"});
  CHECK((receive(router) == Parts{id, "x"}));
  CHECK_FALSE(dealer.set(Option::routing_id, std::string_view("\0zero", 5)));
  CHECK_FALSE(dealer.set(Option::routing_id, std::string_view(id + "1")));
}

TEST_CASE("a ROUTER reads its peers in turn") {
  const Context context = make_context();
  Socket router = make(context, SocketType::router);
  const std::string endpoint = bind(router, "inproc://turn");
  std::vector<Socket> dealers;
  for (const char* id : {"A", "B", "C"}) {
    dealers.push_back(dealer_named(context, id));
    connect(dealers.back(), endpoint);
  }
  for (Socket& dealer : dealers) {
    for (int i = 0; i < 4; ++i) send(dealer, {std::to_string(i)});
  }
  for (int i = 0; i < 4; ++i) {
    std::string ids;
    for (int d = 0; d < 3; ++d) {
      const Parts got = receive(router);
      ids += got.at(0);
      CHECK(got.at(1) == std::to_string(i));
    }
    CHECK(ids.size() == 3);
    CHECK(ids.find('A') != std::string::npos);
    CHECK(ids.find('B') != std::string::npos);
    CHECK(ids.find('C') != std::string::npos);
  }
}

TEST_CASE("DEALER sends round robin and receives from all") {
  const Context context = make_context();
  Socket dealer = make(context, SocketType::dealer);
  std::vector<Socket> others;
  for (int i = 0; i < 3; ++i) {
    others.push_back(make(context, SocketType::dealer));
    connect(dealer, bind(others.back()));
  }
  for (int i = 0; i < 9; ++i) send(dealer, {std::to_string(i)});
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 3; ++j) CHECK(receive(others[i]) == Parts{std::to_string(i + 3 * j)});
    send(others[i], {"back"});
  }
  for (int i = 0; i < 3; ++i) CHECK(receive(dealer) == Parts{"back"});
}

TEST_SUITE_END();
