// XPUB and XSUB: subscriptions as messages, and the options that change what is shown.
#include <doctest/doctest.h>

#include <string>
#include <thread>

#include "sockets.hpp"

using namespace zerowire;
using namespace zerowire::test;

namespace {

std::string on(const std::string& topic) { return "\1" + topic; }
std::string off(const std::string& topic) { return std::string("\0", 1) + topic; }

struct Trio {
  explicit Trio(const Settings& settings, const std::string& endpoint = "inproc://trio")
      : context(make_context()),
        pub(make(context, SocketType::xpub, settings)),
        one(make(context, SocketType::xsub)),
        two(make(context, SocketType::xsub)) {
    const std::string bound = bind(pub, endpoint);
    connect(one, bound);
    connect(two, bound);
  }
  Context context;
  Socket pub, one, two;
};

/// What the application has been shown, up to a marker that `sender` subscribes.
Parts shown(Socket& pub, Socket& sender) {
  static int number = 0;
  const std::string marker = on("marker" + std::to_string(++number));
  send(sender, {marker});
  Parts all;
  for (;;) {
    const std::string next = receive(pub).at(0);
    if (next == marker) return all;
    all.push_back(next);
  }
}

}  // namespace

TEST_SUITE_BEGIN("xpub xsub");

TEST_CASE("the first subscription and the last unsubscription are shown") {
  Trio trio({});
  send(trio.one, {on("t")});
  CHECK(shown(trio.pub, trio.one) == Parts{on("t")});
  send(trio.two, {on("t")});
  CHECK(shown(trio.pub, trio.two).empty());
  send(trio.one, {off("t")});
  CHECK(shown(trio.pub, trio.one).empty());
  send(trio.two, {off("t")});
  CHECK(shown(trio.pub, trio.two) == Parts{off("t")});
}

TEST_CASE("verbose: every subscription is shown") {
  Trio trio({{Option::xpub_verbose, int64_t{1}}});
  send(trio.one, {on("t")});
  send(trio.one, {on("t")});
  CHECK(shown(trio.pub, trio.one) == Parts{on("t"), on("t")});
  send(trio.two, {on("t")});
  CHECK(shown(trio.pub, trio.two) == Parts{on("t")});
  send(trio.two, {off("t")});
  CHECK(shown(trio.pub, trio.two).empty());
}

TEST_CASE("verboser: every unsubscription too") {
  Trio trio({{Option::xpub_verboser, int64_t{1}}});
  send(trio.one, {on("t")});
  CHECK(shown(trio.pub, trio.one) == Parts{on("t")});
  send(trio.two, {on("t")});
  send(trio.two, {off("t")});
  CHECK(shown(trio.pub, trio.two) == Parts{on("t"), off("t")});
}

TEST_CASE("manual: the application decides what a subscription means") {
  Trio trio({{Option::xpub_manual, int64_t{1}}});
  send(trio.one, {on("A")});
  CHECK(receive(trio.pub) == Parts{on("A")});
  REQUIRE(trio.pub.subscribe("X"));
  send(trio.two, {on("B")});
  CHECK(receive(trio.pub) == Parts{on("B")});
  REQUIRE(trio.pub.set(Option::subscribe, std::string_view("Y")));
  for (const char* topic : {"A", "B", "X1", "Y1"}) send(trio.pub, {topic});
  CHECK(receive(trio.one) == Parts{"X1"});
  CHECK(receive(trio.two) == Parts{"Y1"});
  CHECK_FALSE(try_receive(trio.one));
  CHECK_FALSE(try_receive(trio.two));

  send(trio.one, {off("A")});
  CHECK(receive(trio.pub) == Parts{off("A")});
  REQUIRE(trio.pub.unsubscribe("X"));
  send(trio.pub, {"X2"});
  send(trio.pub, {"Y2"});
  CHECK(receive(trio.two) == Parts{"Y2"});
  CHECK_FALSE(try_receive(trio.one));
}

TEST_CASE("manual subscriptions of a subscriber that has gone change nothing") {
  Trio trio({{Option::xpub_manual, int64_t{1}}});
  send(trio.one, {on("A")});
  CHECK(receive(trio.pub) == Parts{on("A")});
  trio.one.close();
  CHECK(receive(trio.pub) == Parts{off("A")});
  CHECK(trio.pub.subscribe("X"));
  CHECK(try_send(trio.pub, {"X"}) == Errc::ok);
}

TEST_CASE("welcome: each new subscriber gets the message, subject to its subscriptions") {
  for (const char* endpoint : {"tcp://127.0.0.1:*", "inproc://welcome"}) {
    CAPTURE(endpoint);
    const Context context = make_context();
    Socket pub =
        make(context, SocketType::xpub, {{Option::xpub_welcome_message, std::string("W: hello")}});
    const std::string bound = bind(pub, endpoint);
    Socket wants = make(context, SocketType::sub);
    REQUIRE(wants.subscribe("W"));
    Socket other = make(context, SocketType::sub);
    REQUIRE(other.subscribe("other"));
    connect(wants, bound);
    connect(other, bound);
    receive(pub);
    receive(pub);
    CHECK(receive(wants) == Parts{"W: hello"});
    send(pub, {"other"});
    CHECK(receive(other) == Parts{"other"});
    CHECK_FALSE(try_receive(wants));
  }
}

TEST_CASE("nodrop: nobody gets a message until the full subscriber has room") {
  Trio trio({{Option::xpub_nodrop, int64_t{1}}, {Option::send_high_water_mark, int64_t{2}}});
  set(trio.one, Option::receive_high_water_mark, 1000);
  Socket full =
      make(trio.context, SocketType::xsub, {{Option::receive_high_water_mark, int64_t{2}}});
  connect(full, "inproc://trio");
  send(full, {on("")});
  CHECK(receive(trio.pub) == Parts{on("")});
  send(trio.one, {on("o")});
  CHECK(receive(trio.pub) == Parts{on("o")});
  CHECK(fill(trio.pub, {"o"}) == 4);
  CHECK(trio.pub.send(as_parts({"o"}), 1) == Errc::again);
  for (int i = 0; i < 4; ++i) CHECK(receive(trio.one) == Parts{"o"});
  CHECK_FALSE(try_receive(trio.one));
  std::thread reader([&full] {
    for (int i = 0; i < 5; ++i) receive(full);
  });
  send(trio.pub, {"o!"});
  CHECK(receive(trio.one) == Parts{"o!"});
  reader.join();
}

TEST_CASE("other messages of an XSUB reach the XPUB's application") {
  for (const char* endpoint : {"tcp://127.0.0.1:*", "inproc://upstream"}) {
    CAPTURE(endpoint);
    const Context context = make_context();
    Socket pub = make(context, SocketType::xpub);
    Socket sub = make(context, SocketType::xsub);
    connect(sub, bind(pub, endpoint));
    send(sub, {on("t")});
    CHECK(receive(pub) == Parts{on("t")});
    send(sub, {"a question"});
    send(sub, {"two", "parts"});
    send(sub, {""});
    CHECK(receive(pub) == Parts{"a question"});
    CHECK(receive(pub) == Parts{"two", "parts"});
    CHECK(receive(pub) == Parts{""});
    send(pub, {"t", "answer"});
    CHECK(receive(sub) == Parts{"t", "answer"});
  }
}

TEST_CASE("an XPUB keeps no more messages than its mark of one who sends, and hears the others") {
  Trio trio({{Option::receive_high_water_mark, int64_t{10}}});
  for (int i = 0; i < 5000; ++i) {
    send(trio.one, {"number", std::to_string(i)});
    CHECK((trio.pub.readiness() & kReadable));
  }
  send(trio.one, {on("t")});
  send(trio.two, {on("t")});
  CHECK((trio.pub.readiness() & kReadable));
  send(trio.pub, {"t"});
  CHECK(receive(trio.one) == Parts{"t"});
  CHECK(receive(trio.two) == Parts{"t"});
  for (int i = 0; i < 10; ++i) CHECK(receive(trio.pub) == Parts{"number", std::to_string(i)});
  CHECK(receive(trio.pub) == Parts{on("t")});
  CHECK_FALSE(try_receive(trio.pub));
  send(trio.one, {"goes on"});
  CHECK(receive(trio.pub) == Parts{"goes on"});
}

TEST_CASE("an XPUB that does not look need not see what was taken back meanwhile") {
  Trio trio({{Option::receive_high_water_mark, int64_t{10}}});
  send(trio.one, {on("before")});
  CHECK(receive(trio.pub) == Parts{on("before")});
  Parts expected;
  for (int i = 0; i < 5; ++i) {
    for (const std::string& change : {on("x"), off("x")}) {
      send(trio.one, {change});
      expected.push_back(change);
    }
  }
  for (int i = 0; i < 1000; ++i) {
    send(trio.one, {off("before")});
    send(trio.one, {on("before")});
    send(trio.one, {on("y")});
    send(trio.one, {off("y")});
    CHECK((trio.pub.readiness() & kReadable));
  }
  for (const std::string& change : {off("before"), on("before")}) expected.push_back(change);
  Parts seen;
  while (const auto message = try_receive(trio.pub)) seen.push_back(message->at(0));
  CHECK(seen == expected);
}

TEST_CASE("an XPUB that does not look sees the end of what it sees twice") {
  Trio trio({{Option::receive_high_water_mark, int64_t{2}}, {Option::xpub_verbose, int64_t{1}}});
  for (Socket* sub : {&trio.one, &trio.two}) send(*sub, {on("x")});
  CHECK((trio.pub.readiness() & kReadable));
  set(trio.pub, Option::xpub_verbose, 0);
  for (Socket* sub : {&trio.one, &trio.two}) send(*sub, {off("x")});
  for (const std::string& change : {on("x"), on("x"), off("x")}) {
    CHECK(receive(trio.pub) == Parts{change});
  }
}

TEST_CASE("an XPUB keeps no more messages of all who have gone than of one") {
  Trio trio({{Option::receive_high_water_mark, int64_t{10}}});
  const auto peer = [&](int number) {
    Socket sub = make(trio.context, SocketType::xsub);
    connect(sub, "inproc://trio");
    for (int i = 0; i < 7; ++i) send(sub, {std::to_string(number)});
    CHECK((trio.pub.readiness() & kReadable));
  };
  for (int number = 0; number < 50; ++number) peer(number);
  CHECK((trio.pub.readiness() & kReadable));
  for (int i = 0; i < 7; ++i) CHECK(receive(trio.pub) == Parts{"0"});
  CHECK_FALSE(try_receive(trio.pub));
  peer(99);
  for (int i = 0; i < 7; ++i) CHECK(receive(trio.pub) == Parts{"99"});
}

TEST_CASE("XSUB sees all it is sent, and counts its subscriptions") {
  const Context context = make_context();
  Socket pub = make(context, SocketType::xpub);
  Socket sub = make(context, SocketType::xsub);
  connect(sub, bind(pub));
  send(sub, {on("t")});
  send(sub, {on("t")});
  CHECK(receive(pub) == Parts{on("t")});
  send(sub, {off("t")});
  CHECK(shown(pub, sub).empty());
  send(sub, {off("t")});
  CHECK(receive(pub) == Parts{off("t")});
  send(sub, {off("t")});
  CHECK(shown(pub, sub).empty());
}

TEST_CASE("a forwarder of XSUB and XPUB passes subscriptions up and messages down") {
  const Context context = make_context();
  Socket source = make(context, SocketType::xpub);
  Socket up = make(context, SocketType::xsub);
  Socket down = make(context, SocketType::xpub);
  Socket sub = make(context, SocketType::sub);
  connect(up, bind(source));
  connect(sub, bind(down));
  REQUIRE(sub.subscribe("news"));
  send(up, receive(down));
  CHECK(receive(source) == Parts{on("news")});
  send(source, {"news", "text"});
  send(down, receive(up));
  CHECK(receive(sub) == Parts{"news", "text"});
  REQUIRE(sub.unsubscribe("news"));
  send(up, receive(down));
  CHECK(receive(source) == Parts{off("news")});
}

TEST_SUITE_END();
