// Peers that do not play by the rules: they are dropped, and honest ones are served meanwhile.
#include <doctest/doctest.h>

#include <cerrno>
#include <string>
#include <vector>

#include "raw_peer.hpp"
#include "sockets.hpp"

using namespace zerowire;
using namespace zerowire::test;

namespace {

/// A server, and an honest client that is served before, between and after.
struct Server {
  explicit Server(const Settings& settings = {})
      : context(make_context()),
        pull(make(context, SocketType::pull, settings)),
        honest(make(context, SocketType::push)) {
    endpoint = bind(pull);
    connect(honest, endpoint);
    serve();
    pull.monitor(kAllEvents);
  }
  /// Whatever hostile peers have sent: the next message is the honest one's.
  void serve() {
    send(honest, {"honest"});
    CHECK(receive(pull) == Parts{"honest"});
  }
  Context context;
  Socket pull, honest;
  std::string endpoint;
};

std::string noise(std::size_t size, unsigned seed) {
  std::string bytes(size, '\0');
  for (char& byte : bytes) {
    seed = seed * 1664525 + 1013904223;
    byte = static_cast<char>(seed >> 24);
  }
  return bytes;
}

}  // namespace

TEST_SUITE_BEGIN("hostile peer");

TEST_CASE("garbage instead of a greeting") {
  Server server;
  const std::string kinds[] = {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "\x16\x03\x01\x02\x00\x01",
                               std::string(4096, '\0'), std::string(4096, '\xFF')};
  for (const std::string& bytes : kinds) {
    RawPeer peer = RawPeer::to(server.endpoint);
    peer.send(bytes);
    server.serve();
    CHECK(peer.closed());
  }
  for (unsigned seed = 0; seed < 50; ++seed) {
    RawPeer peer = RawPeer::to(server.endpoint);
    peer.send(noise(300, seed));
    server.serve();
  }
}

TEST_CASE("a connection that breaks off after every byte of a valid session") {
  Server server;
  const std::string session = zmtp_handshake("PUSH") + zmtp_frame(1, "a") + zmtp_frame(0, "b");
  for (std::size_t size = 0; size < session.size(); ++size) {
    RawPeer peer = RawPeer::to(server.endpoint);
    peer.send(session.substr(0, size));
    if (size % 2) peer.reset();
  }
  for (int i = 0; i < 20; ++i) server.serve();
}

TEST_CASE("silent and slow peers hold nobody up") {
  Server server;
  std::vector<RawPeer> silent;
  for (int i = 0; i < 20; ++i) {
    silent.push_back(RawPeer::to(server.endpoint));
    if (i % 2) silent.back().send(zmtp_greeting().substr(0, 30));
  }
  for (int i = 0; i < 20; ++i) server.serve();
  // Byte by byte is slow, not wrong.
  RawPeer slow = RawPeer::to(server.endpoint);
  for (const char byte : zmtp_handshake("PUSH") + zmtp_frame(0, "slow")) {
    slow.send(std::string(1, byte));
  }
  CHECK(receive(server.pull) == Parts{"slow"});
}

TEST_CASE("frames that break the protocol end the connection") {
  Server server;
  const std::string breaches[] = {
      zmtp_frame(8, "reserved bit"),
      zmtp_frame(static_cast<char>(0x80), "reserved bit"),
      std::string("\x05\x04\x03xyz", 6),                       // command with MORE
      zmtp_frame(4, ""),                                       // command without a name
      zmtp_frame(4, "\x20short"),                              // name longer than the body
      zmtp_command("READY", ""),                               // after the handshake
      zmtp_command("PING", "1"),                               // too short
      zmtp_command("PING", std::string(40, 'c')),              // too long
      std::string("\x02\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 9),  // 2^64 - 1 bytes
  };
  for (const std::string& breach : breaches) {
    CAPTURE(breach);
    RawPeer peer = RawPeer::to(server.endpoint);
    peer.send(zmtp_handshake("PUSH") + breach);
    peer.send(zmtp_frame(0, "never delivered"));
    CHECK(peer.closed());
    server.serve();
  }
}

TEST_CASE("unknown commands are ignored") {
  Server server;
  RawPeer peer = RawPeer::to(server.endpoint);
  peer.send(zmtp_handshake("PUSH") + zmtp_command("FUTURE", "data") + zmtp_frame(0, "fine"));
  CHECK(receive(server.pull) == Parts{"fine"});
}

TEST_CASE("messages over the limits drop the connection, below them they pass") {
  Server server({{Option::max_message_size, int64_t{1000}},
                 {Option::max_multipart_size, int64_t{3000}},
                 {Option::max_message_parts, int64_t{5}}});
  RawPeer good = RawPeer::to(server.endpoint);
  good.send(zmtp_handshake("PUSH") + zmtp_frame(0, std::string(1000, 'x')));
  CHECK((receive(server.pull) == Parts{std::string(1000, 'x')}));
  std::string many;
  for (int i = 0; i < 6; ++i) many += zmtp_frame(i < 5, "p");
  std::string large;
  for (int i = 0; i < 4; ++i) large += zmtp_frame(i < 3, std::string(900, 'x'));
  for (const std::string& bytes : {zmtp_frame(0, std::string(1001, 'x')), many, large}) {
    RawPeer peer = RawPeer::to(server.endpoint);
    peer.send(zmtp_handshake("PUSH") + bytes);
    CHECK(peer.closed());
    server.serve();
  }
}

TEST_CASE("an announced size alone costs no memory") {
  Server server;
  RawPeer peer = RawPeer::to(server.endpoint);
  peer.send(zmtp_handshake("PUSH") + std::string("\x02\x00\x00\x7F\xFF\xFF\xFF\xFF\xFF", 9) + "x");
  server.serve();
}

TEST_CASE("endless multipart is cut off") {
  Server server({{Option::max_message_parts, int64_t{1000}}});
  RawPeer peer = RawPeer::to(server.endpoint);
  peer.send(zmtp_handshake("PUSH"));
  std::string parts;
  for (int i = 0; i < 1000; ++i) parts += zmtp_frame(1, "and");
  while (peer.send(parts)) {
  }
  server.serve();
}

TEST_CASE("a peer that asks for PONGs and never reads them is not read for ever") {
  Server server;
  RawPeer peer = RawPeer::to(server.endpoint);
  peer.send(zmtp_handshake("PUSH"));
  const timeval limit{0, 200'000};
  ::setsockopt(peer.fd(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  std::string pings;
  for (int i = 0; i < 2000; ++i) pings += zmtp_command("PING", std::string(18, '\0'));
  int rounds = 0;
  while (rounds < 2000 && peer.send(pings)) ++rounds;
  CHECK(rounds < 2000);
  server.serve();
}

TEST_CASE("a peer that hangs up after more PINGs than are answered, behind a full queue") {
  Server server;
  std::string bytes = zmtp_handshake("PUSH");
  for (int i = 0; i < 1500; ++i) bytes += zmtp_frame(0, "x");
  for (int i = 0; i < 6000; ++i) bytes += zmtp_command("PING", std::string(18, '\0'));
  bytes += zmtp_frame(0, "last");
  RawPeer peer = RawPeer::to(server.endpoint);
  REQUIRE(peer.send(bytes));
  peer.close();  // with unread input, so it is a reset
  Socket other = make(server.context, SocketType::pull);
  RawPeer last = RawPeer::to(bind(other));
  REQUIRE(last.send(zmtp_handshake("PUSH") + zmtp_frame(0, "after it")));
  CHECK(receive(other) == Parts{"after it"});
  for (int i = 0; i < 1500; ++i) CHECK(receive(server.pull) == Parts{"x"});
  CHECK(receive(server.pull) == Parts{"last"});
  server.serve();
}

TEST_CASE("a handshake that goes on and on is cut off") {
  Server server;
  RawPeer peer = RawPeer::to(server.endpoint);
  peer.send(zmtp_greeting());
  const std::string header("\x06\x00\x00\x00\x00\x01\x00\x00\x00", 9);  // 16 MiB of READY
  peer.send(header);
  CHECK(peer.closed());
  server.serve();
}

TEST_CASE("a dialed server that is hostile is tried again, politely") {
  const Context context = make_context();
  RawListener listener;
  Socket push = make(context, SocketType::push);
  push.monitor(kAllEvents);
  connect(push, listener.endpoint());
  for (int i = 0; i < 3; ++i) {
    RawPeer peer = listener.accept();
    peer.send(noise(200, 7));
    wait_for(push, EventType::handshake_failed_protocol);
    wait_for(push, EventType::connect_retried);
  }
  RawPeer peer = listener.accept();
  peer.send(zmtp_handshake("PULL"));
  peer.take_handshake();
  send(push, {"patience"});
  CHECK(peer.frame() == "patience");
}

TEST_SUITE_END();
