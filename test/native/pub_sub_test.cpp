// PUB and SUB: prefixes, their counts, what is dropped and what never is.
#include <doctest/doctest.h>

#include <optional>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "raw_peer.hpp"
#include "sockets.hpp"

using namespace zerowire;
using namespace zerowire::test;

namespace {

Socket subscriber(const Context& context, const std::vector<std::string>& topics,
                  const Settings& settings = {}) {
  Socket sub = make(context, SocketType::sub, settings);
  for (const std::string& topic : topics) REQUIRE(sub.subscribe(topic));
  return sub;
}

/// An XPUB tells when subscriptions have arrived.
void await(Socket& xpub, int subscriptions) {
  for (int i = 0; i < subscriptions; ++i) receive(xpub);
}

Parts topics_until(Socket& sub, const std::string& last) {
  Parts topics;
  for (;;) {
    const std::string topic = receive(sub).at(0);
    if (topic == last) return topics;
    topics.push_back(topic);
  }
}

}  // namespace

TEST_SUITE_BEGIN("pub sub");

TEST_CASE("a message goes to every subscriber with a matching prefix, once") {
  for (const char* endpoint : {"tcp://127.0.0.1:*", "inproc://prefixes"}) {
    CAPTURE(endpoint);
    const Context context = make_context();
    Socket pub = make(context, SocketType::xpub);
    const std::string bound = bind(pub, endpoint);
    Socket all = subscriber(context, {""});
    Socket a = subscriber(context, {"a", "ab", "end"});
    Socket exact = subscriber(context, {"abc", "end"});
    Socket none = subscriber(context, {"end"});
    for (Socket* sub : {&all, &a, &exact, &none}) connect(*sub, bound);
    // "", a, ab, abc and "end" once: repeated subscriptions are not shown.
    await(pub, 5);
    if (bound.starts_with("tcp")) {
      // The repeated ones arrive behind something that is shown.
      for (Socket* sub : {&exact, &none}) {
        REQUIRE(sub->subscribe(sub == &none ? "n" : "e"));
        receive(pub);
      }
    }
    for (const char* topic : {"a", "ab", "abc", "abcd", "b", "", "A"}) send(pub, {topic, "body"});
    send(pub, {"end"});
    CHECK(topics_until(all, "end") == Parts{"a", "ab", "abc", "abcd", "b", "", "A"});
    CHECK(topics_until(a, "end") == Parts{"a", "ab", "abc", "abcd"});
    CHECK(topics_until(exact, "end") == Parts{"abc", "abcd"});
    CHECK(topics_until(none, "end").empty());
  }
}

TEST_CASE("subscriptions are counted: the last unsubscribe counts") {
  for (const char* endpoint : {"tcp://127.0.0.1:*", "inproc://counted"}) {
    CAPTURE(endpoint);
    const Context context = make_context();
    Socket pub = make(context, SocketType::xpub);
    Socket sub = subscriber(context, {"t", "t", "end"});
    connect(sub, bind(pub, endpoint));
    await(pub, 2);
    REQUIRE(sub.unsubscribe("t"));
    REQUIRE(sub.subscribe("sync"));
    CHECK(receive(pub) == Parts{"\1sync"});
    send(pub, {"t1"});
    CHECK(receive(sub) == Parts{"t1"});
    REQUIRE(sub.unsubscribe("t"));
    CHECK(receive(pub) == Parts{std::string("\0t", 2)});
    send(pub, {"t2"});
    send(pub, {"end"});
    CHECK(receive(sub) == Parts{"end"});
    REQUIRE(sub.unsubscribe("never subscribed"));
    REQUIRE(sub.subscribe("t"));
    CHECK(receive(pub) == Parts{"\1t"});
  }
}

TEST_CASE("what was on its way when the socket unsubscribed is not delivered") {
  const Context context = make_context();
  Socket pub = make(context, SocketType::xpub);
  Socket sub = subscriber(context, {"old", "new"});
  connect(sub, bind(pub, "inproc://late"));
  await(pub, 2);
  send(pub, {"old message"});
  send(pub, {"new message"});
  REQUIRE(sub.unsubscribe("old"));
  CHECK(receive(sub) == Parts{"new message"});
  CHECK_FALSE(try_receive(sub));
}

TEST_CASE("nor is it when everything was wanted before, and frames streamed in") {
  const Context context = make_context();
  Socket pub = make(context, SocketType::xpub);
  Socket sub = subscriber(context, {"", "new"});
  connect(sub, bind(pub, "inproc://late"));
  await(pub, 2);
  for (const char* text : {"first", "old", "second", "new", "old", "new again"}) send(pub, {text});
  Message frame;
  for (const char* text : {"first", "old", "second"}) {
    REQUIRE(sub.receive(frame) == Errc::ok);
    CHECK(frame.str() == text);
  }
  REQUIRE(sub.unsubscribe(""));
  for (const char* text : {"new", "new again"}) {
    REQUIRE(sub.receive(frame) == Errc::ok);
    CHECK(frame.str() == text);
  }
  CHECK_FALSE(try_receive(sub));
}

TEST_CASE("PUB without subscribers drops, and never blocks") {
  const Context context = make_context();
  Socket pub = make(context, SocketType::pub, {{Option::send_high_water_mark, int64_t{1}}});
  bind(pub);
  for (int i = 0; i < 100; ++i) CHECK(try_send(pub, {"x"}) == Errc::ok);
  CHECK((pub.readiness() & kWritable) != 0);
  Inbound message;
  CHECK(pub.try_receive(message) == Errc::not_supported);
  Socket sub = make(context, SocketType::sub);
  CHECK(try_send(sub, {"x"}) == Errc::not_supported);
  CHECK_FALSE(pub.subscribe("x"));
}

TEST_CASE("a slow subscriber misses messages, others do not") {
  const Context context = make_context();
  Socket pub = make(context, SocketType::xpub, {{Option::send_high_water_mark, int64_t{5}}});
  const std::string endpoint = bind(pub, "inproc://slow");
  Socket slow = subscriber(context, {""}, {{Option::receive_high_water_mark, int64_t{5}}});
  Socket fast = subscriber(context, {""}, {{Option::receive_high_water_mark, int64_t{5}}});
  connect(slow, endpoint);
  connect(fast, endpoint);
  await(pub, 1);
  REQUIRE(slow.subscribe("s"));
  REQUIRE(fast.subscribe("f"));
  await(pub, 2);
  for (int i = 0; i < 100; ++i) {
    CHECK(try_send(pub, {std::to_string(i)}) == Errc::ok);
    CHECK(receive(fast) == Parts{std::to_string(i)});
  }
  for (int i = 0; i < 10; ++i) CHECK(receive(slow) == Parts{std::to_string(i)});
  CHECK_FALSE(try_receive(slow));
  send(pub, {"again"});
  CHECK(receive(slow) == Parts{"again"});
}

TEST_CASE("a stalled subscriber does not stop the publisher or lose parts") {
  const Context context = make_context();
  Socket pub = make(
      context, SocketType::pub,
      {{Option::send_high_water_mark, int64_t{10}}, {Option::send_buffer_size, int64_t{4096}}});
  const std::string endpoint = bind(pub);
  RawPeer stalled = RawPeer::to(endpoint);
  stalled.send(zmtp_handshake("SUB") + zmtp_command("SUBSCRIBE", ""));
  stalled.take_handshake();
  Socket live = subscriber(context, {""});
  connect(live, endpoint);
  await_subscription(pub, live, "probe");
  const std::string body(20'000, 'b');
  for (int i = 0; i < 300; ++i) {
    send(pub, {std::to_string(i), body, "tail"});
    CHECK((receive(live) == Parts{std::to_string(i), body, "tail"}));
  }
  // What the stalled one gets, in whole messages.
  int messages = 0;
  char flags = 0;
  int last = -1;
  pollfd item{stalled.fd(), POLLIN, 0};
  while (::poll(&item, 1, 200) == 1) {
    const std::string number = stalled.frame(&flags);
    if (number.starts_with("probe")) continue;
    CHECK(flags == 1);
    CHECK((stalled.frame() == body));
    CHECK(stalled.frame(&flags) == "tail");
    CHECK(flags == 0);
    CHECK(std::stoi(number) > last);
    last = std::stoi(number);
    ++messages;
  }
  CHECK(messages < 300);
}

TEST_CASE("subscriptions are not subject to any high-water mark") {
  for (const char* endpoint : {"tcp://127.0.0.1:*", "inproc://flood"}) {
    CAPTURE(endpoint);
    const Context context = make_context();
    Socket pub = make(context, SocketType::xpub, {{Option::receive_high_water_mark, int64_t{1}}});
    Socket sub = make(context, SocketType::sub, {{Option::send_high_water_mark, int64_t{1}}});
    connect(sub, bind(pub, endpoint));
    constexpr int kTopics = 3'000;
    for (int i = 0; i < kTopics; ++i) REQUIRE(sub.subscribe("topic " + std::to_string(i) + "."));
    std::set<std::string> seen;
    for (int i = 0; i < kTopics; ++i) seen.insert(receive(pub).at(0));
    CHECK(seen.size() == kTopics);
    for (const int i : {0, 1500, 2999}) {
      send(pub, {"topic " + std::to_string(i) + ".x"});
      CHECK(receive(sub) == Parts{"topic " + std::to_string(i) + ".x"});
    }
  }
}

TEST_CASE("subscriptions are replayed to a publisher that was restarted") {
  const Context context = make_context();
  Socket sub = subscriber(context, {"a", "b", "b", "c"});
  REQUIRE(sub.unsubscribe("c"));
  std::string endpoint = "tcp://127.0.0.1:*";
  for (int i = 0; i < 3; ++i) {
    Socket pub = make(context, SocketType::xpub);
    REQUIRE(eventually([&] {
      const Result<std::string> bound = pub.bind(endpoint);
      if (bound) endpoint = bound.value();
      return bool(bound);
    }));
    if (i == 0) connect(sub, endpoint);
    std::set<std::string> topics;
    topics.insert(receive(pub).at(0));
    topics.insert(receive(pub).at(0));
    if (i > 0) topics.insert(receive(pub).at(0));
    CHECK(topics == (i > 0 ? std::set<std::string>{"\1a", "\1b", "\1later"}
                           : std::set<std::string>{"\1a", "\1b"}));
    if (i == 0) {
      // Changes made later are replayed as well.
      REQUIRE(sub.subscribe("later"));
      CHECK(receive(pub) == Parts{"\1later"});
    }
    send(pub, {"cut"});
    send(pub, {"apple"});
    CHECK(receive(sub) == Parts{"apple"});
  }
}

TEST_CASE("subscriptions made while there is no publisher reach it when it comes") {
  const Context context = make_context();
  Socket sub = make(context, SocketType::sub);
  Socket first = make(context, SocketType::xpub);
  const std::string endpoint = bind(first);
  first.close();
  connect(sub, endpoint);
  REQUIRE(sub.subscribe("kept"));
  REQUIRE(sub.subscribe("dropped"));
  REQUIRE(sub.unsubscribe("dropped"));
  Socket pub = make(context, SocketType::xpub);
  REQUIRE(eventually([&] { return bool(pub.bind(endpoint)); }));
  CHECK(receive(pub) == Parts{"\1kept"});
  REQUIRE(sub.subscribe("end"));
  CHECK(receive(pub) == Parts{"\1end"});
}

TEST_CASE("a binding SUB hears of publishers that connect") {
  const Context context = make_context();
  Socket sub = subscriber(context, {"x"});
  const std::string endpoint = bind(sub);
  std::vector<Socket> pubs;
  for (int i = 0; i < 3; ++i) {
    pubs.push_back(make(context, SocketType::xpub));
    connect(pubs.back(), endpoint);
    CHECK(receive(pubs.back()) == Parts{"\1x"});
  }
  for (Socket& pub : pubs) {
    send(pub, {"x", "from each"});
    CHECK(receive(sub) == Parts{"x", "from each"});
  }
}

TEST_CASE("subscribing in the very moment in which a publisher connects") {
  const Context context = make_context();
  const Context other = make_context();
  std::minstd_rand random;
  for (int round = 0; round < 400; ++round) {
    CAPTURE(round);
    Socket sub = make(context, SocketType::sub);
    Socket xpub = make(other, SocketType::xpub);
    connect(xpub, bind(sub));
    compute(random() % 400'000);
    REQUIRE(sub.subscribe("a"));
    CHECK(receive(xpub) == Parts{std::string("\1a")});
  }
}

TEST_CASE("when a subscriber goes its subscriptions go") {
  const Context context = make_context();
  Socket pub = make(context, SocketType::xpub);
  const std::string endpoint = bind(pub);
  Socket one = subscriber(context, {"shared", "own"});
  connect(one, endpoint);
  await(pub, 2);
  Socket two = subscriber(context, {"shared", "end"});
  connect(two, endpoint);
  await(pub, 1);
  one.close();
  CHECK(receive(pub) == Parts{std::string("\0own", 4)});
  send(pub, {"shared"});
  CHECK(receive(two) == Parts{"shared"});
  two.close();
  std::set<std::string> gone{receive(pub).at(0), receive(pub).at(0)};
  CHECK(gone == std::set<std::string>{std::string("\0shared", 7), std::string("\0end", 4)});
}

TEST_CASE("invert matching: everything but what was subscribed") {
  for (const char* endpoint : {"tcp://127.0.0.1:*", "inproc://inverted"}) {
    CAPTURE(endpoint);
    const Context context = make_context();
    Socket pub = make(context, SocketType::xpub, {{Option::invert_matching, int64_t{1}}});
    Socket sub = make(context, SocketType::sub, {{Option::invert_matching, int64_t{1}}});
    REQUIRE(sub.subscribe("a"));
    connect(sub, bind(pub, endpoint));
    await(pub, 1);
    for (const char* topic : {"apple", "banana", "avocado", "cherry"}) send(pub, {topic});
    CHECK(receive(sub) == Parts{"banana"});
    CHECK(receive(sub) == Parts{"cherry"});
    CHECK_FALSE(try_receive(sub));
  }
}

TEST_CASE("both encodings of subscriptions are understood") {
  const Context context = make_context();
  Socket pub = make(context, SocketType::xpub);
  const std::string endpoint = bind(pub);
  for (const char minor : {0, 1}) {
    RawPeer peer = RawPeer::to(endpoint);
    const std::string own(1, static_cast<char>('a' + minor));
    peer.send(zmtp_greeting(minor) + zmtp_ready("SUB") + zmtp_frame(0, "\1" + own) +
              zmtp_command("SUBSCRIBE", own + own));
    peer.take_handshake();
    CHECK(receive(pub) == Parts{"\1" + own});
    CHECK(receive(pub) == Parts{"\1" + own + own});
    peer.send(zmtp_frame(0, std::string("\0", 1) + own) + zmtp_command("CANCEL", own + own));
    CHECK(receive(pub) == Parts{std::string("\0", 1) + own});
    CHECK(receive(pub) == Parts{std::string("\0", 1) + own + own});
  }
}

TEST_CASE("SUB writes subscriptions as the publisher's version wants them") {
  const Context context = make_context();
  for (const char minor : {0, 1}) {
    CAPTURE(int{minor});
    RawListener listener;
    Socket sub = subscriber(context, {"topic"});
    connect(sub, listener.endpoint());
    RawPeer peer = listener.accept();
    peer.send(zmtp_greeting(minor) + zmtp_ready("PUB"));
    peer.take_handshake();
    char flags = 0;
    const std::string frame = peer.frame(&flags);
    CHECK(frame == (minor ? "\x09SUBSCRIBEtopic" : "\1topic"));
    CHECK(flags == (minor ? 4 : 0));
    REQUIRE(sub.unsubscribe("topic"));
    CHECK(peer.frame(&flags) ==
          (minor ? std::string("\x06") + "CANCELtopic" : std::string("\0topic", 6)));
  }
}

TEST_CASE("large bodies for many subscribers arrive whole at each") {
  const Context context = make_context();
  Socket pub = make(context, SocketType::xpub);
  const std::string tcp = bind(pub);
  const std::string inproc = bind(pub, "inproc://large");
  std::vector<Socket> subs;
  for (int i = 0; i < 6; ++i) {
    subs.push_back(subscriber(context, {"big", "own " + std::to_string(i)}));
    connect(subs.back(), i % 2 ? tcp : inproc);
  }
  await(pub, 7);
  const std::string body(300'000, 'L');
  for (int i = 0; i < 10; ++i) send(pub, {"big " + std::to_string(i), body});
  for (Socket& sub : subs) {
    for (int i = 0; i < 10; ++i) {
      CHECK((receive(sub) == Parts{"big " + std::to_string(i), body}));
    }
  }
}

TEST_CASE("subscribers that come, go and are full get what is theirs, in order") {
  const Context context = make_context();
  Socket pub = make(context, SocketType::xpub, {{Option::send_high_water_mark, int64_t{0}}});
  const std::string endpoint = bind(pub, "tcp://127.0.0.1:*");
  Socket all = subscriber(context, {"all", "end"}, {{Option::receive_high_water_mark, int64_t{0}}});
  Socket even = subscriber(context, {"all even", "end"});
  for (Socket* sub : {&all, &even}) connect(*sub, endpoint);
  await(pub, 3);
  Parts to_all, to_even, to_late;
  std::optional<Socket> late;
  for (int i = 0; i < 3000; ++i) {
    if (i == 1000) {
      late = subscriber(context, {"all", "late"});
      connect(*late, endpoint);
      await(pub, 1);  // "late" is new; "all" is not shown
    }
    if (i == 2000) late.reset();
    // Runs of one kind and alternating ones.
    const bool is_even = i % 100 < 50 ? true : i % 2 == 0;
    const std::string topic = (is_even ? "all even " : "all odd ") + std::to_string(i);
    send(pub, {topic, std::string(static_cast<std::size_t>(i % 300), 'x')});
    to_all.push_back(topic);
    if (is_even) to_even.push_back(topic);
    if (late && i >= 1000) to_late.push_back(topic);
    if (i == 1999) {
      for (const std::string& expected : to_late) CHECK(receive(*late).at(0) == expected);
    }
  }
  send(pub, {"end"});
  CHECK(topics_until(all, "end") == to_all);
  CHECK(topics_until(even, "end") == to_even);
}

TEST_SUITE_END();
