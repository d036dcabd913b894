// REQ and REP: requests and replies in lock step; correlation and relaxation.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "raw_peer.hpp"
#include "sockets.hpp"

using namespace zerowire;
using namespace zerowire::test;

TEST_SUITE_BEGIN("req rep");

TEST_CASE("calls out of turn are EFSM and change nothing") {
  const Context context = make_context();
  Socket rep = make(context, SocketType::rep);
  Socket req = make(context, SocketType::req);
  connect(req, bind(rep));
  Inbound message;

  CHECK(req.try_receive(message) == Errc::fsm);
  CHECK(req.receive(message, -1) == Errc::fsm);
  CHECK(try_send(rep, {"unasked"}) == Errc::fsm);
  CHECK((req.readiness() & kReadable) == 0);
  CHECK((rep.readiness() & kWritable) == 0);

  send(req, {"question"});
  CHECK(try_send(req, {"second question"}) == Errc::fsm);
  CHECK((req.readiness() & kWritable) == 0);
  CHECK(receive(rep) == Parts{"question"});
  CHECK(rep.try_receive(message) == Errc::fsm);
  CHECK((rep.readiness() & kReadable) == 0);
  send(rep, {"answer"});
  CHECK(try_send(rep, {"twice"}) == Errc::fsm);
  CHECK(receive(req) == Parts{"answer"});
  CHECK(req.try_receive(message) == Errc::fsm);
  send(req, {"next"});
  CHECK(receive(rep) == Parts{"next"});
}

TEST_CASE("REQ sends round robin and takes the answer of the one it asked") {
  const Context context = make_context();
  Socket req = make(context, SocketType::req);
  std::vector<Socket> reps;
  for (int i = 0; i < 3; ++i) {
    reps.push_back(make(context, SocketType::rep));
    connect(req, bind(reps.back()));
  }
  for (int round = 0; round < 2; ++round) {
    for (Socket& rep : reps) {
      send(req, {"ping"});
      CHECK(receive(rep) == Parts{"ping"});
      send(rep, {"pong"});
      CHECK(receive(req) == Parts{"pong"});
    }
  }
}

TEST_CASE("the envelope on the wire is an empty frame, with correlate an id before it") {
  for (const bool correlate : {false, true}) {
    CAPTURE(correlate);
    const Context context = make_context();
    Socket router = make(context, SocketType::router);
    Socket req = make(context, SocketType::req, {{Option::req_correlate, int64_t{correlate}}});
    connect(req, bind(router));
    std::string before;
    for (int i = 0; i < 2; ++i) {
      send(req, {"a", "b"});
      Parts got = receive(router);
      REQUIRE(got.size() == (correlate ? 5 : 4));
      const std::string id = correlate ? got[1] : "";
      if (correlate) {
        CHECK(id.size() == 4);
        CHECK(id != before);
        before = id;
      }
      CHECK(got[got.size() - 3].empty());
      got.pop_back();
      send(router, got);
      CHECK(receive(req) == Parts{"a"});
    }
  }
}

TEST_CASE("correlate: a reply to another request is dropped") {
  const Context context = make_context();
  Socket router = make(context, SocketType::router);
  Socket req = make(context, SocketType::req, {{Option::req_correlate, int64_t{1}}});
  connect(req, bind(router));
  send(req, {"question"});
  const Parts got = receive(router);
  REQUIRE(got.size() == 4);
  send(router, {got[0], "????", "", "wrong id"});
  send(router, {got[0], "", "no id"});
  send(router, {got[0], got[1], "x", "no delimiter"});
  send(router, {got[0], got[1], "", "right"});
  CHECK(receive(req) == Parts{"right"});
}

TEST_CASE("malformed replies are dropped") {
  const Context context = make_context();
  Socket router = make(context, SocketType::router);
  Socket req = make(context, SocketType::req);
  connect(req, bind(router));
  send(req, {"question"});
  const Parts got = receive(router);
  send(router, {got[0], "no delimiter"});
  send(router, {got[0], ""});
  send(router, {got[0], "", "good", "parts"});
  CHECK(receive(req) == Parts{"good", "parts"});
}

TEST_CASE("relaxed: a new request may replace one without an answer") {
  for (const bool correlate : {false, true}) {
    CAPTURE(correlate);
    const Context context = make_context();
    Socket router = make(context, SocketType::router);
    Socket req =
        make(context, SocketType::req,
             {{Option::req_relaxed, int64_t{1}}, {Option::req_correlate, int64_t{correlate}}});
    connect(req, bind(router));
    std::vector<Parts> requests;
    for (const char* text : {"one", "two", "three"}) {
      send(req, {text});
      requests.push_back(receive(router));
      CHECK(requests.back().back() == text);
    }
    for (Parts& request : requests) {
      request.back() = "reply to " + request.back();
      send(router, request);
    }
    CHECK(receive(req) == Parts{"reply to three"});
    CHECK(try_send(req, {"goes on"}) == Errc::ok);
    CHECK(receive(router).back() == "goes on");
  }
}

TEST_CASE("relaxed and correlated: the lost request of a restarted server can be asked again") {
  const Context context = make_context();
  Socket req = make(context, SocketType::req,
                    {{Option::req_relaxed, int64_t{1}}, {Option::req_correlate, int64_t{1}}});
  Socket rep = make(context, SocketType::rep);
  const std::string endpoint = bind(rep);
  req.monitor(kAllEvents);
  connect(req, endpoint);
  send(req, {"lost"});
  CHECK(receive(rep) == Parts{"lost"});
  rep.close();
  wait_for(req, EventType::disconnected);
  Socket next = make(context, SocketType::rep);
  REQUIRE(eventually([&] { return bool(next.bind(endpoint)); }));
  send(req, {"again"});
  CHECK(receive(next) == Parts{"again"});
  send(next, {"answer"});
  CHECK(receive(req) == Parts{"answer"});
}

TEST_CASE("REP serves its peers in turn and answers the one that asked") {
  const Context context = make_context();
  Socket rep = make(context, SocketType::rep);
  const std::string endpoint = bind(rep, "inproc://turns");
  std::vector<Socket> reqs;
  for (int i = 0; i < 3; ++i) {
    reqs.push_back(make(context, SocketType::req));
    connect(reqs.back(), endpoint);
    send(reqs.back(), {"from " + std::to_string(i)});
  }
  for (int i = 0; i < 3; ++i) {
    const Parts question = receive(rep);
    send(rep, {"to", question.at(0)});
  }
  for (int i = 0; i < 3; ++i) CHECK(receive(reqs[i]) == Parts{"to", "from " + std::to_string(i)});
}

TEST_CASE("REP keeps deep envelopes and ignores what is no request") {
  const Context context = make_context();
  Socket rep = make(context, SocketType::rep);
  Socket dealer = make(context, SocketType::dealer);
  connect(dealer, bind(rep));
  send(dealer, {"no delimiter"});
  send(dealer, {""});
  send(dealer, {"hop 2", "hop 1", "", "body", "", "more"});
  CHECK(receive(rep) == Parts{"body", "", "more"});
  send(rep, {"reply"});
  CHECK(receive(dealer) == Parts{"hop 2", "hop 1", "", "reply"});
}

TEST_CASE("a reply to a peer that has gone is dropped, and REP goes on") {
  const Context context = make_context();
  Socket rep = make(context, SocketType::rep);
  rep.monitor(kAllEvents);
  const std::string endpoint = bind(rep);
  {
    RawPeer peer = RawPeer::to(endpoint);
    peer.send(zmtp_handshake("REQ") + zmtp_frame(1, "") + zmtp_frame(0, "question"));
    CHECK(receive(rep) == Parts{"question"});
  }
  wait_for(rep, EventType::disconnected);
  CHECK(try_send(rep, {"to nobody"}) == Errc::ok);
  Socket req = make(context, SocketType::req);
  connect(req, endpoint);
  send(req, {"next"});
  CHECK(receive(rep) == Parts{"next"});
  send(rep, {"done"});
  CHECK(receive(req) == Parts{"done"});
}

TEST_CASE("a REQ waits for its peer when there is none yet") {
  const Context context = make_context();
  Socket req = make(context, SocketType::req);
  const std::string endpoint = bind(req);
  CHECK(try_send(req, {"x"}) == Errc::again);
  CHECK(try_send(req, {"x"}) == Errc::again);  // not EFSM: nothing was sent
  Socket rep = make(context, SocketType::rep);
  connect(rep, endpoint);
  send(req, {"hello"});
  CHECK(receive(rep) == Parts{"hello"});
}

TEST_CASE("frame by frame, a request is sent with its last frame") {
  const Context context = make_context();
  Socket rep = make(context, SocketType::rep);
  Socket req = make(context, SocketType::req);
  connect(req, bind(rep));
  CHECK(req.send("a", true) == Errc::ok);
  CHECK(req.send("b", true) == Errc::ok);
  CHECK(req.send("c") == Errc::ok);
  for (const char* expected : {"a", "b", "c"}) {
    Message frame;
    CHECK(rep.receive(frame) == Errc::ok);
    CHECK(frame.str() == expected);
    CHECK(frame.more() == (std::string(expected) != "c"));
  }
}

TEST_SUITE_END();
