// Proxy: forwarding between two sockets on a thread of its own.
#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <string>

#include "sockets.hpp"

using namespace zerowire;
using namespace zerowire::test;

namespace {

/// A proxy between two freshly bound sockets.
struct Between {
  Between(const Context& context, SocketType front, SocketType back,
          const Settings& settings = {}) {
    Socket one = make(context, front, settings);
    Socket two = make(context, back, settings);
    front_endpoint = bind(one);
    back_endpoint = bind(two);
    auto started = Proxy::start(
        std::move(one), std::move(two), [](void* hint) { ++*static_cast<std::atomic<int>*>(hint); },
        &done);
    REQUIRE(started);
    proxy = std::move(started.value());
  }
  std::string front_endpoint, back_endpoint;
  std::atomic<int> done{0};
  std::unique_ptr<Proxy> proxy;
};

}  // namespace

TEST_SUITE_BEGIN("proxy");

TEST_CASE("a queue of requests: ROUTER in front, DEALER behind") {
  const Context context = make_context();
  Between between(context, SocketType::router, SocketType::dealer);
  Socket one = make(context, SocketType::req);
  Socket two = make(context, SocketType::req);
  Socket rep = make(context, SocketType::rep);
  connect(one, between.front_endpoint);
  connect(two, between.front_endpoint);
  connect(rep, between.back_endpoint);
  for (int i = 0; i < 20; ++i) {
    send(one, {"one", std::to_string(i)});
    send(two, {"two", std::to_string(i)});
    for (int j = 0; j < 2; ++j) {
      Parts request = receive(rep);
      request.push_back("done");
      send(rep, request);
    }
    CHECK(receive(one) == Parts{"one", std::to_string(i), "done"});
    CHECK(receive(two) == Parts{"two", std::to_string(i), "done"});
  }
}

TEST_CASE("a streamer: nothing is lost though the workers are slow") {
  const Context context = make_context();
  Between between(
      context, SocketType::pull, SocketType::push,
      {{Option::send_high_water_mark, int64_t{5}}, {Option::receive_high_water_mark, int64_t{5}}});
  Socket push = make(context, SocketType::push);
  Socket pull = make(context, SocketType::pull);
  connect(push, between.front_endpoint);
  for (int i = 0; i < 500; ++i) send(push, {std::to_string(i), "part"});
  connect(pull, between.back_endpoint);
  for (int i = 0; i < 500; ++i) CHECK(receive(pull) == Parts{std::to_string(i), "part"});
}

TEST_CASE("a forwarder: subscriptions go up, messages come down") {
  const Context context = make_context();
  Between between(context, SocketType::xsub, SocketType::xpub);
  Socket pub = make(context, SocketType::xpub);
  Socket sub = make(context, SocketType::sub);
  connect(pub, between.front_endpoint);
  connect(sub, between.back_endpoint);
  REQUIRE(sub.subscribe("news"));
  CHECK(receive(pub) == Parts{"\1news"});
  send(pub, {"other"});
  send(pub, {"news", "body"});
  CHECK(receive(sub) == Parts{"news", "body"});
}

TEST_CASE("pause keeps messages, resume lets them go on") {
  const Context context = make_context();
  Between between(context, SocketType::pull, SocketType::push);
  Socket push = make(context, SocketType::push);
  Socket pull = make(context, SocketType::pull);
  connect(push, between.front_endpoint);
  connect(pull, between.back_endpoint);
  send(push, {"before"});
  CHECK(receive(pull) == Parts{"before"});
  between.proxy->pause();
  // One message may have been let through while the proxy was about to hear of it.
  for (int i = 0; i < 100; ++i) send(push, {std::to_string(i)});
  between.proxy->resume();
  for (int i = 0; i < 100; ++i) CHECK(receive(pull) == Parts{std::to_string(i)});
}

TEST_CASE("terminate ends it once, and its sockets are closed") {
  const Context context = make_context();
  Between between(context, SocketType::pull, SocketType::push);
  CHECK(context.open_sockets() == 2);
  between.proxy->terminate();
  between.proxy->terminate();
  between.proxy->resume();
  CHECK(eventually([&] { return between.done == 1; }));
  CHECK(context.open_sockets() == 0);
  between.proxy.reset();
  CHECK(between.done == 1);
}

TEST_CASE("it ends when the context is shut down, even while paused") {
  for (const bool paused : {false, true}) {
    Context context = make_context();
    Between between(context, SocketType::pull, SocketType::push);
    if (paused) between.proxy->pause();
    context.shutdown();
    CHECK(eventually([&] { return between.done == 1; }));
  }
}

TEST_CASE("sockets that are closed or nowhere are refused") {
  const Context context = make_context();
  const auto nothing = [](void*) {};
  {
    Socket front = make(context, SocketType::pull);
    Socket back = make(context, SocketType::push);
    front.close();
    CHECK(Proxy::start(std::move(front), std::move(back), nothing, nullptr).error().code ==
          Errc::bad_socket);
  }
  Socket front = make(context, SocketType::pull);
  Socket back = make(context, SocketType::push);
  bind(front);
  CHECK(Proxy::start(std::move(front), std::move(back), nothing, nullptr).error().code ==
        Errc::invalid);
}

TEST_SUITE_END();
