// LoopDriver: a thread with an event loop of its own does the IO thread's work at the end of its
// turns.
#include "zerowire/loop_driver.hpp"

#include <doctest/doctest.h>
#include <sched.h>

#include <memory>

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
  explicit Loop(int counted = 2) : sockets(counted) {
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
      if (!socket->arm()) flag->up = true;
    }
  }
  bool drive() {
    return driver.drive(context, sockets, [this] { return flag->up.load(); });
  }
  /// Sends a request and takes its reply; counts the turns that the driver has brought news in.
  void trip(const std::string& text) {
    bool asked = try_send(req, {text}) == Errc::ok;
    for (bool answered = false; !answered;) {
      arm();
      if (drive()) {
        ++driven;
      } else {
        REQUIRE(eventually([this] { return flag->up.load(); }));
      }
      flag->up = false;
      if (!asked) asked = try_send(req, {text}) == Errc::ok;
      if (const std::optional<Parts> request = try_receive(rep)) {
        CHECK(try_send(rep, *request) == Errc::ok);
      }
      const std::optional<Parts> reply = try_receive(req);
      answered = reply.has_value();
      if (answered) CHECK(*reply == Parts{text});
    }
  }

  const Context context = make_context();
  const std::shared_ptr<Flag> flag = std::make_shared<Flag>();
  Socket rep = make_socket(SocketType::rep);
  Socket req = make_socket(SocketType::req);
  const int sockets;
  LoopDriver driver;
  int driven = 0;
};

}  // namespace

TEST_SUITE_BEGIN("loop driver");

TEST_CASE("on one processor brisk turns end with the next message") {
  const OneProcessor pinned;
  Loop loop;
  CHECK(eventually([&] {
    for (int i = 0; i < 100; ++i) loop.trip(std::to_string(i));
    return loop.driven > 100;
  }));
}

TEST_CASE("what comes when no turn follows is left to the IO thread") {
  const OneProcessor pinned;
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
  for (int i = 0; i < 100; ++i) loop.trip(std::to_string(i));
  CHECK(loop.driven == 0);
}

TEST_SUITE_END();
