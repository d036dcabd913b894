// PUB and SUB sockets over epgm, on the loopback interface, which needs no privileges.
#include "pgm/session.hpp"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "pgm/interface.hpp"
#include "sockets.hpp"

using namespace zerowire;
using namespace zerowire::test;

namespace {

/// A group of its own for every call, and a port for every process.
struct Group {
  Group() {
    static int number = 0;
    const auto process = static_cast<int>(::getpid());
    address = "239.193." + std::to_string(++number) + "." + std::to_string(process % 254 + 1);
    port = static_cast<uint16_t>(30'000 + process % 10'000);
  }
  std::string endpoint(const std::string& scheme = "epgm") const {
    return scheme + "://127.0.0.1;" + address + ":" + std::to_string(port);
  }
  std::string address;
  uint16_t port;
};

const Settings kFast = {{Option::rate, int64_t{1'000'000}}};

Socket publisher(const Context& context, const Group& group, Settings settings = kFast) {
  Socket pub = make(context, SocketType::pub, settings);
  test::bind(pub, group.endpoint());
  return pub;
}

Socket subscriber(const Context& context, const Group& group, Settings settings = kFast) {
  Socket sub = make(context, SocketType::sub, settings);
  connect(sub, group.endpoint());
  REQUIRE(sub.subscribe(""));
  return sub;
}

/// Its events are those from the beginning.
Socket watching_subscriber(const Context& context, const Group& group) {
  Socket sub = make(context, SocketType::sub, kFast);
  sub.monitor(kAllEvents);
  REQUIRE(sub.subscribe(""));
  connect(sub, group.endpoint());
  return sub;
}

/// Publishes until each subscriber has heard something, then until none hears more of it.
void meet(Socket& pub, std::initializer_list<Socket*> subs) {
  std::set<Socket*> deaf(subs);
  REQUIRE(eventually([&] {
    send(pub, {"hello"});
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    std::erase_if(deaf, [](Socket* sub) { return try_receive(*sub).has_value(); });
    return deaf.empty();
  }));
  send(pub, {"start"});
  for (Socket* sub : subs) {
    while (receive(*sub) != Parts{"start"}) {
    }
  }
}

/// Sends bytes to the group from a socket of its own.
struct Stranger {
  explicit Stranger(const Group& group) {
    fd = ::socket(AF_INET, SOCK_DGRAM, 0);
    REQUIRE(fd >= 0);
    in_addr interface{htonl(INADDR_LOOPBACK)};
    REQUIRE(::setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &interface, sizeof interface) == 0);
    to.sin_family = AF_INET;
    to.sin_port = htons(group.port);
    REQUIRE(::inet_pton(AF_INET, group.address.c_str(), &to.sin_addr) == 1);
    ports = {{9, 9, 9, 9, 9, 9}, 99, group.port};
  }
  ~Stranger() { ::close(fd); }
  Stranger(const Stranger&) = delete;
  Stranger& operator=(const Stranger&) = delete;

  void send_bytes(const std::string& bytes) {
    const auto* address = reinterpret_cast<const sockaddr*>(&to);
    REQUIRE(::sendto(fd, bytes.data(), bytes.size(), 0, address, sizeof to) >= 0);
  }
  /// A data packet whose TSDU is the offset and `stream`.
  void send_data(uint32_t sequence, uint32_t trail, uint16_t offset, const std::string& stream,
                 pgm::Type type = pgm::Type::odata) {
    std::string packet(pgm::kDataHeaderSize, '\0');
    packet.push_back(static_cast<char>(offset >> 8));
    packet.push_back(static_cast<char>(offset & 255));
    packet += stream;
    const std::size_t size = packet.size() - pgm::kDataHeaderSize;
    const uint64_t sum = pgm::partial_sum(packet.data() + pgm::kDataHeaderSize, size);
    pgm::write_data_header(packet.data(), type, ports, sequence, trail, size, sum);
    send_bytes(packet);
  }
  /// A message of one frame of less than 255 bytes.
  void send_message(uint32_t sequence, uint32_t trail, const std::string& body) {
    std::string frame(1, static_cast<char>(body.size() + 1));
    send_data(sequence, trail, 0, frame + '\0' + body);
  }

  int fd = -1;
  sockaddr_in to{};
  pgm::Ports ports;
};

/// Another program's socket on the port: it has joined the group.
struct Listener {
  explicit Listener(const Group& group) {
    fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    REQUIRE(fd >= 0);
    const int on = 1;
    REQUIRE(::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0);
    REQUIRE(::setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0);
    to.sin_family = AF_INET;
    to.sin_port = htons(group.port);
    REQUIRE(::inet_pton(AF_INET, group.address.c_str(), &to.sin_addr) == 1);
    REQUIRE(::bind(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0);
    const ip_mreq request{to.sin_addr, {htonl(INADDR_LOOPBACK)}};
    REQUIRE(::setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &request, sizeof request) == 0);
  }
  ~Listener() { ::close(fd); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  /// To the address of this machine and the port.
  void send_here(const std::string& bytes) {
    sockaddr_in here = to;
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const auto* address = reinterpret_cast<const sockaddr*>(&here);
    REQUIRE(::sendto(fd, bytes.data(), bytes.size(), 0, address, sizeof here) >= 0);
  }
  bool hears(const std::string& bytes) {
    return eventually([&] {
      char data[2000];
      const ssize_t size = ::recv(fd, data, sizeof data, 0);
      return size >= 0 && std::string(data, static_cast<std::size_t>(size)) == bytes;
    });
  }
  pgm::Nla group() const { return nla(to.sin_addr); }
  static pgm::Nla here() { return nla({htonl(INADDR_LOOPBACK)}); }

  int fd = -1;
  sockaddr_in to{};

 private:
  static pgm::Nla nla(in_addr address) {
    pgm::Nla result;
    result.afi = pgm::Nla::kIpv4;
    std::memcpy(result.bytes.data(), &address, sizeof address);
    return result;
  }
};

}  // namespace

TEST_CASE("epgm over IPv6") {
  const std::string interface = ipv6_interface();
  if (interface.empty()) {
    MESSAGE("no interface with IPv6 multicast: PGM_IPV6 is not set");
    return;
  }
  const Context context = make_context();
  const auto process = static_cast<int>(::getpid());
  const std::string endpoint = "epgm://[" + interface +
                               "];[ff05::7:" + std::to_string(process % 10'000) +
                               "]:" + std::to_string(30'000 + process % 10'000);
  Socket pub = make(context, SocketType::pub, kFast), sub = make(context, SocketType::sub, kFast);
  test::bind(pub, endpoint);
  sub.monitor(kAllEvents);
  connect(sub, endpoint);
  REQUIRE(sub.subscribe(""));
  meet(pub, {&sub});
  for (int i = 0; i < 100; ++i) send(pub, {std::to_string(i), std::string(i * 50, 'x')});
  for (int i = 0; i < 100; ++i) {
    CHECK(receive(sub) == Parts{std::to_string(i), std::string(i * 50, 'x')});
  }
  CHECK(wait_for(sub, EventType::multicast_join)
            .peer_address.starts_with("epgm://" + interface + "/"));
}

TEST_CASE("epgm: one publisher, three subscribers") {
  const Context context = make_context();
  const Group group;
  Socket pub = publisher(context, group);
  Socket a = subscriber(context, group), b = subscriber(context, group);
  Socket c = subscriber(context, group);
  meet(pub, {&a, &b, &c});
  for (int i = 0; i < 100; ++i) send(pub, {std::to_string(i), "", std::string(i * 20, 'x')});
  for (Socket* sub : {&a, &b, &c}) {
    for (int i = 0; i < 100; ++i) {
      CHECK(receive(*sub) == Parts{std::to_string(i), "", std::string(i * 20, 'x')});
    }
  }
  CHECK(a.get_int(Option::multicast_lost).value() == 0);
}

TEST_CASE("epgm: bind and connect mean the same, and so do their opposites") {
  const Context context = make_context();
  const Group group;
  Socket pub = make(context, SocketType::xpub, kFast);
  Socket sub = make(context, SocketType::xsub, kFast);
  connect(pub, group.endpoint());
  CHECK(test::bind(sub, group.endpoint()) == group.endpoint());
  CHECK(sub.get_string(Option::last_endpoint).value() == group.endpoint());
  CHECK(pub.get_string(Option::last_endpoint).value() == group.endpoint());
  meet(pub, {&sub});
  CHECK(pub.unbind(group.endpoint()));
  CHECK(sub.disconnect(group.endpoint()));
  CHECK(pub.disconnect(group.endpoint()).error().code == Errc::no_entry);
  CHECK(sub.unbind(group.endpoint()).error().code == Errc::no_entry);
}

TEST_CASE("epgm: large messages") {
  const Context context = make_context();
  const Group group;
  const Settings settings = {{Option::rate, int64_t{10'000'000}}};
  Socket pub = publisher(context, group, settings);
  Socket sub = subscriber(context, group, settings);
  meet(pub, {&sub});
  for (int i = 0; i < 5; ++i) {
    const Parts message{std::string(1, static_cast<char>('a' + i)), std::string(1 << 20, 'y')};
    send(pub, message);
    CHECK(receive(sub) == message);
  }
}

TEST_CASE("epgm: a subscriber filters") {
  const Context context = make_context();
  const Group group;
  Socket pub = publisher(context, group);
  Socket all = subscriber(context, group);
  Socket some = make(context, SocketType::sub, kFast);
  connect(some, group.endpoint());
  REQUIRE(some.subscribe("b"));
  meet(pub, {&all});
  for (const char* topic : {"a1", "b1", "a2", "b2"}) send(pub, {topic});
  CHECK(receive(some) == Parts{"b1"});
  CHECK(receive(some) == Parts{"b2"});
  REQUIRE(some.unsubscribe("b"));
  REQUIRE(some.subscribe("a"));
  for (const char* topic : {"b3", "a3"}) send(pub, {topic});
  CHECK(receive(some) == Parts{"a3"});
}

TEST_CASE("epgm: an XPUB sees no subscription, and needs none") {
  const Context context = make_context();
  const Group group;
  Socket pub = make(context, SocketType::xpub, {{Option::xpub_manual, int64_t{1}}});
  Socket sub = subscriber(context, group);
  test::bind(pub, group.endpoint());
  meet(pub, {&sub});
  CHECK_FALSE(try_receive(pub));
  CHECK(pub.unbind(group.endpoint()));
  CHECK_FALSE(try_receive(pub));
}

TEST_CASE("epgm: what an XSUB sends goes nowhere, for ever") {
  const Context context = make_context();
  const Group group;
  Socket sub = make(context, SocketType::xsub);
  connect(sub, group.endpoint());
  for (int i = 0; i < 5000; ++i) send(sub, {"up"});
  send(sub, {std::string("\1topic")});
  Socket pub = publisher(context, group);
  meet(pub, {&sub});
}

TEST_CASE("epgm: parts of two publishers do not mix") {
  const Context context = make_context();
  const Group group;
  Socket one = publisher(context, group), two = publisher(context, group);
  Socket sub = subscriber(context, group, {{Option::receive_high_water_mark, int64_t{0}}});
  meet(one, {&sub});
  meet(two, {&sub});
  const auto message = [](char from, int number) {
    const std::string name = from + std::to_string(number);
    return Parts{name, name + std::string(2000, from), name};
  };
  for (int i = 0; i < 300; ++i) {
    send(one, message('1', i));
    send(two, message('2', i));
  }
  std::map<char, int> next;
  for (int i = 0; i < 600; ++i) {
    const Parts parts = receive(sub);
    const char from = parts.at(0).at(0);
    CHECK(parts == message(from, next[from]++));
  }
}

TEST_CASE("epgm: messages of one socket go to all its groups") {
  const Context context = make_context();
  const Group one, two;
  Socket pub = publisher(context, one);
  test::bind(pub, two.endpoint());
  Socket a = subscriber(context, one), b = subscriber(context, two), c = subscriber(context, one);
  connect(c, two.endpoint());
  meet(pub, {&a, &b, &c});
  send(pub, {"both"});
  CHECK(receive(a) == Parts{"both"});
  CHECK(receive(b) == Parts{"both"});
  CHECK(receive(c) == Parts{"start"});  // by the other way
  CHECK(receive(c) == Parts{"both"});
}

TEST_CASE("epgm: a rate-limited publisher drops beyond its high-water mark") {
  const Context context = make_context();
  const Group group;
  Socket pub =
      publisher(context, group,
                {{Option::rate, int64_t{1'000}}, {Option::send_high_water_mark, int64_t{10}}});
  Socket sub = subscriber(context, group);
  meet(pub, {&sub});
  const std::string body(1000, 'z');
  for (int i = 0; i < 1000; ++i) CHECK(try_send(pub, {std::to_string(i), body}) == Errc::ok);
  int received = 0;
  set(sub, Option::receive_timeout, 300);
  Inbound message;
  while (sub.receive(message, 300) == Errc::ok) ++received;
  CHECK(received >= 10);
  CHECK(received < 200);
}

TEST_CASE("epgm: with noDrop, a publisher waits instead") {
  const Context context = make_context();
  const Group group;
  Socket pub = publisher(context, group,
                         {{Option::rate, int64_t{10'000}},
                          {Option::xpub_nodrop, int64_t{1}},
                          {Option::send_high_water_mark, int64_t{10}}});
  Socket sub = subscriber(context, group);
  meet(pub, {&sub});
  const std::string body(1000, 'z');
  CHECK(fill(pub, {"probe", body}, 10'000) < 10'000);
  for (int i = 0; i < 500; ++i) send(pub, {std::to_string(i), body});
  for (int i = 0; i < 500; ++i) {
    Parts parts = receive(sub);
    while (parts[0] == "probe") parts = receive(sub);
    CHECK(parts[0] == std::to_string(i));
  }
}

TEST_CASE("epgm: a subscriber that does not read gets what fits, when it reads") {
  const Context context = make_context();
  const Group group;
  Socket pub =
      publisher(context, group,
                {{Option::rate, int64_t{1'000'000}}, {Option::send_high_water_mark, int64_t{0}}});
  Socket sub = subscriber(context, group, {{Option::receive_high_water_mark, int64_t{2}}});
  meet(pub, {&sub});
  for (int i = 0; i < 500; ++i) send(pub, {std::to_string(i), std::string(700, 'q')});
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  for (int i = 0; i < 500; ++i) CHECK(receive(sub)[0] == std::to_string(i));
}

TEST_CASE("epgm: what was sent before its publisher closed waits for a slow subscriber") {
  const Context context = make_context();
  Context other = make_context();
  const Group group;
  Socket sub = subscriber(context, group, {{Option::receive_high_water_mark, int64_t{2}}});
  Socket pub = publisher(other, group, {{Option::linger, int64_t{-1}}});
  meet(pub, {&sub});
  sub.monitor(kAllEvents);
  for (int i = 0; i < 200; ++i) send(pub, {std::to_string(i)});
  pub.close();
  REQUIRE(other.wait_idle(std::chrono::milliseconds(kDeadline)));
  Stranger stranger(group);  // its packet comes after the last one of the publisher
  stranger.send_message(1, 1, "later");
  wait_for(sub, EventType::multicast_join);
  for (int i = 0; i < 200; ++i) {
    Parts got = receive(sub);
    if (got == Parts{"later"}) got = receive(sub);
    CHECK(got == Parts{std::to_string(i)});
  }
}

TEST_CASE("epgm: repairs alone do not make a source") {
  const Context context = make_context();
  const Group group;
  Socket sub = watching_subscriber(context, group);
  wait_for(sub, EventType::connected);
  Stranger repaired(group), source(group);
  source.ports.source = 98;
  repaired.send_data(1, 1, 0, std::string("\1\0", 2), pgm::Type::rdata);
  source.send_message(1, 1, "hello");
  CHECK(receive(sub) == Parts{"hello"});
  CHECK(wait_for(sub, EventType::multicast_join).peer_address.ends_with("/090909090909.98"));
}

TEST_CASE("epgm: conflate keeps the newest") {
  const Context context = make_context();
  const Group group;
  Socket pub = publisher(context, group, {{Option::conflate, int64_t{1}}});
  Socket sub = subscriber(context, group, {{Option::conflate, int64_t{1}}});
  meet(pub, {&sub});
  for (int i = 0; i < 50; ++i) send(pub, {std::to_string(i)});
  std::string last;
  CHECK(eventually([&] {
    if (const auto parts = try_receive(sub)) last = parts->at(0);
    return last == "49";
  }));
}

TEST_CASE("epgm: lingering sends what waits") {
  const Group group;
  const Context context = make_context();
  Socket sub = subscriber(context, group, {{Option::receive_high_water_mark, int64_t{0}}});
  Context other = make_context();
  Socket pub = publisher(other, group, {{Option::rate, int64_t{10'000}}});
  meet(pub, {&sub});
  for (int i = 0; i < 200; ++i) send(pub, {std::to_string(i), std::string(1000, 'l')});
  set(pub, Option::linger, -1);
  pub.close();
  for (int i = 0; i < 200; ++i) CHECK(receive(sub)[0] == std::to_string(i));
  CHECK(other.wait_idle(std::chrono::milliseconds(kDeadline)));
}

TEST_CASE("epgm: sockets that do not publish are refused") {
  const Context context = make_context();
  const Group group;
  for (const SocketType type : {SocketType::dealer, SocketType::push, SocketType::pair}) {
    Socket socket = make(context, type);
    CHECK(socket.bind(group.endpoint()).error().code == Errc::no_compatible_protocol);
    CHECK(socket.connect(group.endpoint("pgm")).error().code == Errc::no_compatible_protocol);
  }
}

TEST_CASE("epgm: endpoints that lead nowhere") {
  const Context context = make_context();
  Socket pub = make(context, SocketType::pub);
  pub.monitor(kAllEvents);
  CHECK(pub.bind("epgm://nosuchinterface;239.192.1.1:5555").error().code == Errc::no_device);
  CHECK(wait_for(pub, EventType::bind_failed).value == ENODEV);
  CHECK(pub.bind("epgm://127.0.0.1;239.192.1.1").error().code == Errc::invalid);
  CHECK(pub.connect("epgm://127.0.0.1;10.0.0.1:5555").error().code == Errc::invalid);
  CHECK(pub.unbind("epgm://127.0.0.1;239.192.1.1:5555").error().code == Errc::no_entry);
}

TEST_CASE("epgm: events tell of the endpoint and of sources") {
  const Context context = make_context();
  const Group group;
  Socket sub = watching_subscriber(context, group);
  CHECK(wait_for(sub, EventType::connected).address == group.endpoint());
  Socket pub = make(context, SocketType::pub, kFast);
  pub.monitor(kAllEvents);
  test::bind(pub, group.endpoint());
  CHECK(wait_for(pub, EventType::listening).address == group.endpoint());
  meet(pub, {&sub});
  const Event join = wait_for(sub, EventType::multicast_join);
  CHECK(join.address == group.endpoint());
  CHECK(join.peer_address.starts_with("epgm://127.0.0.1/"));
  pub.close();
  CHECK(wait_for(sub, EventType::multicast_leave).peer_address == join.peer_address);
  REQUIRE(sub.disconnect(group.endpoint()));
  CHECK(wait_for(sub, EventType::closed).address == group.endpoint());
}

TEST_CASE("epgm: lost packets are told, counted, and stepped over") {
  const Context context = make_context();
  const Group group;
  Socket sub = make(context, SocketType::sub);
  sub.monitor(static_cast<uint32_t>(EventType::multicast_gap));
  connect(sub, group.endpoint());
  REQUIRE(sub.subscribe(""));
  Stranger stranger(group);
  stranger.send_message(7, 7, "one");
  CHECK(receive(sub) == Parts{"one"});
  // The source does not keep 8 to 10 any more: its trail has passed them.
  stranger.send_message(11, 11, "two");
  CHECK(receive(sub) == Parts{"two"});
  const Event gap = wait_for(sub, EventType::multicast_gap);
  CHECK(gap.first == 8);
  CHECK(gap.count == 3);
  CHECK(gap.value == static_cast<uint32_t>(LossCause::window));
  CHECK(gap.address == group.endpoint());
  CHECK(gap.peer_address == "epgm://127.0.0.1/090909090909.99");
  CHECK(sub.get_int(Option::multicast_lost).value() == 3);
}

TEST_CASE("epgm: packets that hold no messages are told, and reading goes on behind them") {
  const Context context = make_context();
  const Group group;
  Socket sub = make(context, SocketType::sub);
  sub.monitor(static_cast<uint32_t>(EventType::multicast_gap));
  connect(sub, group.endpoint());
  REQUIRE(sub.subscribe(""));
  Stranger stranger(group);
  stranger.send_message(7, 7, "one");
  CHECK(receive(sub) == Parts{"one"});
  for (uint32_t i = 8; i < 11; ++i) stranger.send_data(i, 7, 0, std::string(4, '\0'));
  stranger.send_message(11, 7, "two");
  CHECK(receive(sub) == Parts{"two"});
  // The first at once, those behind it when something else comes.
  for (const uint32_t first : {8u, 9u}) {
    const Event gap = wait_for(sub, EventType::multicast_gap);
    CHECK(gap.first == first);
    CHECK(gap.count == first - 7);
    CHECK(gap.value == static_cast<uint32_t>(LossCause::protocol));
    CHECK(gap.peer_address == "epgm://127.0.0.1/090909090909.99");
  }
  CHECK(sub.get_int(Option::multicast_lost).value() == 3);
}

TEST_CASE("epgm: without lingering, what waits is dropped and the end is told") {
  const Group group;
  const Context context = make_context();
  Socket sub = make(context, SocketType::sub, kFast);
  sub.monitor(static_cast<uint32_t>(EventType::multicast_leave));
  connect(sub, group.endpoint());
  REQUIRE(sub.subscribe(""));
  Socket pub = publisher(context, group, {{Option::rate, int64_t{1'000}}});
  meet(pub, {&sub});
  for (int i = 0; i < 500; ++i) send(pub, {std::string(1000, 'l')});
  set(pub, Option::linger, 0);
  pub.close();
  CHECK(wait_for(sub, EventType::multicast_leave).address == group.endpoint());
}

TEST_CASE("epgm: requests for other sources of this machine are passed on to their group") {
  const Context context = make_context();
  const Group group;
  Socket pub = publisher(context, group);
  Listener other(group);
  const pgm::Ports ports{{8, 8, 8, 8, 8, 8}, group.port, 88};
  char nak[pgm::kMaxControlSize];
  const uint32_t sequence = 5;
  const std::size_t size =
      pgm::write_nak(nak, pgm::Type::nak, ports, Listener::here(), other.group(), &sequence, 1);
  const std::string request(nak, size), kick(8, '\0');
  other.send_here(request);
  CHECK(other.hears(request));
  other.send_here(kick);
  CHECK(other.hears(kick));
}

TEST_CASE("epgm: nothing that comes in does harm") {
  const Context context = make_context();
  const Group group;
  Socket pub = publisher(context, group), sub = subscriber(context, group);
  meet(pub, {&sub});
  Stranger stranger(group);
  stranger.send_bytes("");
  stranger.send_bytes("x");
  stranger.send_bytes(std::string(5000, '\xff'));
  stranger.send_data(0, 0, 500, "ab");                           // offset past the end
  stranger.send_data(1, 0, 0, std::string(9, '\xff') + "\x7f");  // a frame without end
  stranger.send_data(2, 0, 0, std::string(4, '\0'));             // a frame of length 0
  ++stranger.ports.source;
  stranger.send_data(0, 0, 0xffff, "");
  for (uint16_t i = 0; i < 3000; ++i) {  // a flood of sources
    stranger.ports.source = static_cast<uint16_t>(1000 + i);
    stranger.send_message(0, 0, "");
  }
  send(pub, {"alive"});
  while (receive(sub) != Parts{"alive"}) {
  }
}
