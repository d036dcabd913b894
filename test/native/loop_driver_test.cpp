// LoopDriver: a thread with an event loop of its own does the IO thread's work at the end of its
// turns.
#include "zerowire/loop_driver.hpp"

#include <doctest/doctest.h>
#include <sched.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "base/processors.hpp"
#include "sockets.hpp"

using namespace zerowire;
using namespace zerowire::test;

namespace {

/// Keeps this thread, and those that it starts, on one processor.
class OneProcessor {
 public:
  OneProcessor() {
    REQUIRE(sched_getaffinity(0, sizeof before_, &before_) == 0);
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(sched_getcpu(), &one);
    REQUIRE(sched_setaffinity(0, sizeof one, &one) == 0);
  }
  ~OneProcessor() { sched_setaffinity(0, sizeof before_, &before_); }

 private:
  cpu_set_t before_;
};

/// REQ and REP in one context, used as an event loop would: whatever a waker announces is dealt
/// with, and then, at the end of the turn, the driver looks for more.
struct Loop {
  explicit Loop(int counted = 2, const ContextOptions& options = {})
      : context(make_context(options)), sockets(counted) {
    connect(req, bind(rep));
    arm();
  }

  Socket make_socket(SocketType type) {
    Socket socket = make(context, type);
    socket.set_waker(flag);
    return socket;
  }
  void arm() {
    for (Socket* socket : {&req, &rep}) {
      if ((socket->readiness() & kReadable) || !socket->arm()) flag->up = true;
    }
  }
  bool drive() {
    return driver.drive(context, sockets, [this] {
      ++looks;
      return flag->up.load();
    });
  }
  bool sends(Socket& socket, const Parts& message) {
    driver.sent();
    return try_send(socket, message) == Errc::ok;
  }
  std::optional<Parts> takes(Socket& socket) {
    std::optional<Parts> message = try_receive(socket);
    if (message) driver.received(1, message->back().size());
    return message;
  }
  /// Sends a request and takes its reply; counts the turns that the driver has brought news in.
  void trip(const std::string& text) {
    bool asked = sends(req, {text});
    for (bool answered = false; !answered;) {
      arm();
      if (drive()) {
        ++driven;
      } else {
        REQUIRE(eventually([this] { return flag->up.load(); }));
      }
      flag->up = false;
      if (!asked) asked = sends(req, {text});
      if (const std::optional<Parts> request = takes(rep)) CHECK(sends(rep, *request));
      const std::optional<Parts> reply = takes(req);
      answered = reply.has_value();
      if (answered) CHECK(*reply == Parts{text});
    }
  }

  void trips(int count) {
    for (int i = 0; i < count; ++i) trip(std::to_string(i));
  }

  const Context context;
  const std::shared_ptr<Flag> flag = std::make_shared<Flag>();
  Socket rep = make_socket(SocketType::rep);
  Socket req = make_socket(SocketType::req);
  const int sockets;
  LoopDriver driver;
  int driven = 0;
  int looks = 0;
};

}  // namespace

TEST_SUITE_BEGIN("loop driver");

TEST_CASE("brisk turns end with the next message") {
  std::optional<OneProcessor> pinned;
  SUBCASE("on one processor") { pinned.emplace(); }
  SUBCASE("on all of them") {}
  Loop loop;
  CHECK(eventually([&] {
    loop.driven = 0;
    loop.trips(100);
    return loop.driven > 100;
  }));
}

TEST_CASE("what comes when no turn follows is left to the IO thread") {
  std::optional<OneProcessor> pinned;
  SUBCASE("on one processor") { pinned.emplace(); }
  SUBCASE("on all of them") {}
  Loop loop;
  CHECK(eventually([&] {
    loop.trip("x");
    return loop.driven > 0;
  }));
  const Context other = make_context();
  Socket req = make(other, SocketType::req);
  connect(req, loop.rep.get_string(Option::last_endpoint).value());
  send(req, {"late"});
  CHECK(eventually([&] {
    loop.arm();
    return loop.flag->up.exchange(false) && try_receive(loop.rep) == Parts{"late"};
  }));
}

TEST_CASE("nothing is done where others use the context") {
  const OneProcessor pinned;
  Loop loop(1);
  loop.trips(100);
  CHECK(loop.driven == 0);
}

TEST_CASE("nothing is done after turns that are rare") {
  std::optional<OneProcessor> pinned;
  SUBCASE("on one processor") { pinned.emplace(); }
  SUBCASE("on all of them") {}
  Loop loop;
  for (int i = 0; i < 20; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    loop.driver.received(1, 1);
    loop.driver.sent();
    CHECK(!loop.drive());
  }
  CHECK(loop.looks == 0);
}

TEST_CASE("on several processors") {
  if (one_processor()) return;
  SUBCASE("nothing is done by who is not to look for work") {
    ContextOptions options;
    options.spin_us = 0;
    Loop loop(2, options);
    loop.trips(100);
    CHECK(loop.looks == 0);
  }
  SUBCASE("nothing is done after turns that bring much") {
    Loop loop;
    for (int i = 0; i < 100; ++i) {
      loop.driver.received(1, 64 * 1024);
      loop.driver.sent();
      CHECK(!loop.drive());
    }
    CHECK(loop.looks == 0);
  }
  SUBCASE("nothing is done after turns in which nothing is sent") {
    Loop loop;
    for (int i = 0; i < 100; ++i) {
      loop.driver.received(1, 1);
      CHECK(!loop.driver.wanted());
      CHECK(!loop.drive());
    }
    CHECK(loop.looks == 0);
  }
  SUBCASE("who looks in vain takes a rest") {
    Loop loop;
    loop.trip("x");
    int looked = 0;
    for (int i = 0; i < 1000; ++i) {
      const int before = loop.looks;
      loop.flag->up = false;
      loop.driver.received(1, 1);
      loop.driver.sent();
      (void)loop.drive();
      looked += loop.looks > before;
    }
    CHECK(looked > 0);
    CHECK(looked < 300);
  }
}

TEST_SUITE_END();
