// The sockets of an endpoint, on the loopback interface.
#include "pgm/port.hpp"

#include <doctest/doctest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <set>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "pgm/interface.hpp"

using namespace zerowire;
using namespace zerowire::pgm;

namespace {

constexpr Gsi kGsi{1, 2, 3, 4, 5, 6};

/// Every test has a group of its own, so that several may run at once.
std::string group_of(int number) {
  const int process = static_cast<int>(::getpid());
  return "239.192." + std::to_string(number) + "." + std::to_string(process % 254 + 1);
}

uint16_t some_port() { return static_cast<uint16_t>(20'000 + ::getpid() % 10'000); }

pgm::Endpoint endpoint(const std::string& groups, uint16_t port, bool raw = false,
                       const std::string& interface = "127.0.0.1") {
  const std::string rest = interface + ";" + groups + ":" + std::to_string(port);
  Result<pgm::Endpoint> parsed =
      pgm::parse_endpoint((raw ? "pgm://" : "epgm://") + rest, raw, rest);
  REQUIRE(parsed);
  return parsed.value();
}

struct Collector final : PortSink {
  void on_datagram(const Received& received) override {
    packets.emplace_back(received.packet);
    last = received;
  }
  std::vector<std::string> packets;
  Received last;
};

/// A port with its addresses, and what has come in.
struct Station {
  Station(const pgm::Endpoint& at, bool sends, const SocketOptions& options = {}) {
    Result<Network> found = resolve(at);
    REQUIRE_MESSAGE(found, (found ? "" : found.error().what));
    network = found.value();
    Result<std::unique_ptr<Port>> opened = Port::open(at, network, options, sends);
    REQUIRE_MESSAGE(opened, (opened ? "" : opened.error().what));
    port = std::move(opened.value());
  }
  /// Waits until so many packets are there.
  bool await(std::size_t count) {
    const int64_t deadline = now_ns() + 4'000 * kMillisecond;
    while (input.packets.size() < count && now_ns() < deadline) port->receive(input);
    return input.packets.size() >= count;
  }
  /// Long enough for what is on its way on the loopback interface.
  std::size_t after_a_while() {
    const int64_t until = now_ns() + 50 * kMillisecond;
    while (now_ns() < until) port->receive(input);
    return input.packets.size();
  }

  Network network;
  std::unique_ptr<Port> port;
  Collector input;
};

std::string data_packet(uint32_t sequence, std::size_t size, uint16_t port) {
  std::string packet(kDataHeaderSize + size, static_cast<char>('a' + sequence % 26));
  const uint64_t sum = partial_sum(packet.data() + kDataHeaderSize, size);
  write_data_header(packet.data(), Type::odata, {kGsi, 77, port}, sequence, 0, size, sum);
  return packet;
}

std::string spmr(uint16_t port) {
  std::string packet(kMaxControlSize, '\0');
  packet.resize(write_spmr(packet.data(), {kGsi, port, 77}));
  return packet;
}

/// A request by unicast, and by multicast of any reach, arrives once.
void check_requests(Station& source, Station& receiver, uint16_t port) {
  const std::string request = spmr(port);
  const Nla group = to_nla(receiver.network.send);
  receiver.port->send_to(request, to_nla(source.network.interface));
  REQUIRE(source.await(1));
  CHECK(source.input.last.group.afi == 0);
  for (const Port::Reach reach : {Port::Reach::link, Port::Reach::host, Port::Reach::network}) {
    source.input.packets.clear();
    receiver.port->send_group(request, group, reach);
    REQUIRE(source.await(1));
    CHECK(source.input.last.group == group);
    CHECK_MESSAGE(source.after_a_while() == 1, "not by the socket of its address too");
    CHECK(source.input.packets == std::vector{request});
  }
}

std::size_t send(Station& station, const std::vector<std::string>& packets) {
  const std::vector<std::string_view> views(packets.begin(), packets.end());
  std::size_t sent = 0;
  while (sent < views.size()) {
    sent += station.port->send(views.data() + sent, views.size() - sent);
  }
  return sent;
}

}  // namespace

TEST_CASE("a packet to the group reaches all who have joined, with its source") {
  const pgm::Endpoint at = endpoint(group_of(1), some_port());
  Station source(at, true), one(at, false), two(at, false);
  const std::string packet = data_packet(0, 100, at.port);
  CHECK(send(source, {packet}) == 1);
  for (Station* station : {&one, &two}) {
    REQUIRE(station->await(1));
    CHECK(station->input.packets == std::vector{packet});
    CHECK(station->input.last.from == to_nla(station->network.interface));
    CHECK(station->input.last.group == to_nla(station->network.send));
  }
  CHECK_MESSAGE(source.after_a_while() == 0, "a source does not hear its own data");
}

TEST_CASE("packets of all sizes and lengths of batches arrive whole and in order") {
  const pgm::Endpoint at = endpoint(group_of(2), some_port());
  Station source(at, true), receiver(at, false);
  std::vector<std::string> packets;
  for (uint32_t i = 0; i < 400; ++i) {
    // Runs of equal size, runs that end in a shorter one, and no runs.
    const std::size_t size = i < 150 ? 1400 : i < 300 ? 1400 - i % 7 / 6 * 500 : 3 + i * 3;
    packets.push_back(data_packet(i, size, at.port));
  }
  for (std::size_t i = 0; i < packets.size(); i += 100) {
    const auto from = packets.begin() + static_cast<std::ptrdiff_t>(i);
    CHECK(send(source, {from, from + 100}) == 100);
    REQUIRE(receiver.await(i + 100));
  }
  CHECK(receiver.input.packets == packets);
}

TEST_CASE("groups on the same port do not hear each other") {
  const uint16_t port = some_port();
  const pgm::Endpoint here = endpoint(group_of(3), port), there = endpoint(group_of(4), port);
  Station source(here, true), receiver(here, false), stranger(there, false);
  send(source, {data_packet(0, 10, port)});
  REQUIRE(receiver.await(1));
  CHECK(stranger.after_a_while() == 0);
}

TEST_CASE("several receive groups, another send group") {
  const uint16_t port = some_port();
  const std::string one = group_of(5), two = group_of(6), three = group_of(7);
  Station source(endpoint(one + ";" + three, port), true);
  Station receiver(endpoint(two + "," + three, port), false);
  const std::string packet = data_packet(0, 10, port);
  send(source, {packet});
  REQUIRE(receiver.await(1));
  CHECK(receiver.input.last.group == to_nla(source.network.send));
}

TEST_CASE("requests reach a source by unicast, and by multicast of any reach") {
  const pgm::Endpoint at = endpoint(group_of(8), some_port());
  Station source(at, true), receiver(at, false);
  check_requests(source, receiver, at.port);
}

TEST_CASE("what is sent to nobody counts as sent") {
  const pgm::Endpoint at = endpoint(group_of(9), some_port());
  Station source(at, true);
  const std::vector<std::string> packets(1000, data_packet(0, 1400, at.port));
  CHECK(send(source, packets) == 1000);
  // Larger than any datagram: the fault of this packet alone.
  CHECK(send(source, {std::string(70'000, 'x'), packets[0]}) == 2);
}

TEST_CASE("a port counts the headers that the network adds") {
  CHECK(Station(endpoint(group_of(10), some_port()), false).port->overhead() == 28);
}

TEST_CASE("raw packets") {
  const pgm::Endpoint at = endpoint(group_of(11), some_port(), true);
  const Result<Network> network = resolve(at);
  REQUIRE(network);
  const Result<std::unique_ptr<Port>> opened = Port::open(at, network.value(), {}, true);
  if (!opened) {
    CHECK(static_cast<int>(opened.error().code) == EPERM);
    CHECK(opened.error().what.find("CAP_NET_RAW") != std::string::npos);
    MESSAGE("no raw sockets without CAP_NET_RAW");
    return;
  }
  Station source(at, true), receiver(at, false);
  Station other(endpoint(group_of(11), static_cast<uint16_t>(at.port + 1), true), false);
  const std::string packet = data_packet(5, 1000, at.port);
  send(source, {packet});
  REQUIRE(receiver.await(1));
  CHECK(receiver.input.packets == std::vector{packet});
  CHECK(receiver.input.last.from == to_nla(source.network.interface));
  CHECK_MESSAGE(other.after_a_while() == 0, "another port");
  receiver.port->send_to(spmr(at.port), to_nla(source.network.interface));
  REQUIRE(source.await(1));
  CHECK(source.input.packets == std::vector{spmr(at.port)});
  CHECK(source.port->overhead() == 20);
}

TEST_CASE("on an interface: sources hear requests of their machine, not its data") {
  const std::string interface = test::ipv4_interface();
  if (interface.empty()) {
    MESSAGE("no interface for tests: PGM_IPV4 is not set");
    return;
  }
  for (const bool raw : {false, true}) {
    const pgm::Endpoint at = endpoint(group_of(12), some_port(), raw, interface);
    Station source(at, true), another(at, true);
    // While nobody listens, the way to the group is found and kept.
    std::vector<std::string> packets;
    for (uint32_t i = 0; i < 100; ++i) packets.push_back(data_packet(i, 1400, at.port));
    CHECK(send(source, packets) == 100);
    Station receiver(at, false);
    uint32_t batches = 0;
    while (receiver.after_a_while() == 0 && ++batches < 50) send(source, packets);
    CHECK_MESSAGE(batches < 50, "who joins later hears what is sent then");
    const std::string request = spmr(at.port);
    const Nla group = to_nla(receiver.network.send);
    receiver.port->send_group(request, group, Port::Reach::host);
    for (Station* station : {&source, &another}) {
      REQUIRE(station->await(1));
      CHECK(station->after_a_while() == 1);
      CHECK(station->input.packets == std::vector{request});
      CHECK(station->input.last.group == group);
      CHECK(station->input.last.from == to_nla(receiver.network.interface));
    }
  }
}

TEST_CASE("IPv6: data, requests by unicast and by multicast") {
  const std::string interface = test::ipv6_interface();
  if (interface.empty()) {
    MESSAGE("no interface with IPv6 multicast: PGM_IPV6 is not set");
    return;
  }
  for (const bool raw : {false, true}) {
    const std::string number = std::to_string(::getpid() % 10'000);
    const pgm::Endpoint at =
        endpoint("[ff05::8:" + number + "]", some_port(), raw, "[" + interface + "]");
    Station source(at, true), receiver(at, false);
    CHECK(source.port->overhead() == (raw ? 40 : 48));
    std::vector<std::string> packets;
    for (uint32_t i = 0; i < 60; ++i) packets.push_back(data_packet(i, 1400, at.port));
    CHECK(send(source, packets) == 60);
    REQUIRE(receiver.await(60));
    CHECK(receiver.input.packets == packets);
    CHECK(receiver.input.last.from == to_nla(source.network.interface));
    CHECK(receiver.input.last.group == to_nla(receiver.network.send));
    check_requests(source, receiver, at.port);
  }
}
