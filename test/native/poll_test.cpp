// poll: waiting for several sockets at once.
#include <doctest/doctest.h>

#include <string>
#include <thread>
#include <vector>

#include "sockets.hpp"

using namespace zerowire;
using namespace zerowire::test;

TEST_SUITE_BEGIN("poll");

TEST_CASE("says which sockets are ready for what was wanted") {
  const Context context = make_context();
  Socket one = make(context, SocketType::pair);
  Socket two = make(context, SocketType::pair);
  Socket alone = make(context, SocketType::pull);
  connect(one, bind(two, "inproc://two"));
  PollItem items[] = {{&one, kReadable | kWritable}, {&two, kReadable}, {&alone, kReadable}};
  CHECK(poll(items, 0) == 1);
  CHECK(items[0].ready == kWritable);
  CHECK(items[1].ready == 0);
  send(one, {"x"});
  CHECK(poll(items, -1) == 2);
  CHECK(items[1].ready == kReadable);
  CHECK(items[2].ready == 0);
  CHECK(receive(two) == Parts{"x"});
  send(two, {"y"});
  CHECK(poll(items, kDeadline) == 1);
  CHECK(items[0].ready == (kReadable | kWritable));
}

TEST_CASE("a timeout without anything ready is 0, and without items too") {
  const Context context = make_context();
  Socket pull = make(context, SocketType::pull);
  PollItem item{&pull, kReadable | kWritable | kEvent};
  CHECK(poll({&item, 1}, 0) == 0);
  CHECK(poll({&item, 1}, 5) == 0);
  CHECK(poll({}, 1) == 0);
}

TEST_CASE("wakes for messages of other threads, over any transport") {
  const Context context = make_context();
  Socket tcp = make(context, SocketType::pull);
  Socket inproc = make(context, SocketType::pull);
  const std::string at_tcp = bind(tcp);
  const std::string at_inproc = bind(inproc, "inproc://here");
  constexpr int kMessages = 500;
  const auto feed = [&context](const std::string& endpoint) {
    Socket push = make(context, SocketType::push, {{Option::linger, int64_t{-1}}});
    connect(push, endpoint);
    for (int i = 0; i < kMessages; ++i) (void)push.send(std::to_string(i));
  };
  std::thread one(feed, at_tcp), two(feed, at_inproc);
  int got[2] = {0, 0};
  PollItem items[] = {{&tcp, kReadable}, {&inproc, kReadable}};
  while (got[0] + got[1] < 2 * kMessages && poll(items, kDeadline) > 0) {
    for (int i = 0; i < 2; ++i) {
      if (items[i].ready && try_receive(*items[i].socket)) ++got[i];
    }
  }
  one.join();
  two.join();
  CHECK(got[0] == kMessages);
  CHECK(got[1] == kMessages);
}

TEST_CASE("wakes when there is room again, and for monitor events") {
  const Context context = make_context();
  Socket push = make(context, SocketType::push, {{Option::send_high_water_mark, int64_t{1}}});
  Socket pull = make(context, SocketType::pull, {{Option::receive_high_water_mark, int64_t{1}}});
  connect(push, bind(pull, "inproc://room"));
  CHECK(fill(push) == 2);
  PollItem item{&push, kWritable};
  CHECK(poll({&item, 1}, 1) == 0);
  std::thread reader([&pull] {
    receive(pull);
    receive(pull);
  });
  CHECK(poll({&item, 1}, kDeadline) == 1);
  reader.join();

  Socket watched = make(context, SocketType::pull);
  watched.monitor(kAllEvents);
  PollItem event{&watched, kEvent};
  CHECK(poll({&event, 1}, 0) == 0);
  bind(watched);
  CHECK(poll({&event, 1}, kDeadline) == 1);
  CHECK(event.ready == kEvent);
}

TEST_SUITE_END();
