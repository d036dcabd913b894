// Endpoints as text, taken apart, and the addresses they mean.
#include "net/endpoint.hpp"

#include <doctest/doctest.h>
#include <netinet/in.h>

#include <set>
#include <string>

using namespace zerowire;

namespace {

Endpoint parsed(std::string_view text) {
  Result<Endpoint> result = parse_endpoint(text);
  CAPTURE(text);
  CHECK(result);
  return result ? result.value() : Endpoint{};
}

Errc code_of(std::string_view text) {
  const Result<Endpoint> result = parse_endpoint(text);
  return result ? Errc::ok : result.error().code;
}

std::string bound_text(std::string_view text, bool ipv6 = false) {
  const Result<Address> address = bind_address(parsed(text), ipv6);
  return address ? address.value().endpoint() : errc_name(address.error().code);
}

}  // namespace

TEST_CASE("tcp: hosts and ports") {
  const struct {
    const char* text;
    const char* host;
    uint16_t port;
  } cases[] = {
      {"tcp://127.0.0.1:5555", "127.0.0.1", 5555},
      {"tcp://*:5555", "*", 5555},
      {"tcp://*:*", "*", 0},
      {"tcp://localhost:0", "localhost", 0},
      {"tcp://my-host_1.example.org:65535", "my-host_1.example.org", 65535},
      {"tcp://eth0:80", "eth0", 80},
      {"tcp://[::1]:80", "::1", 80},
      {"tcp://[fe80::1%eth0]:80", "fe80::1%eth0", 80},
      {"tcp://[::]:*", "::", 0},
  };
  for (const auto& test : cases) {
    const Endpoint endpoint = parsed(test.text);
    CHECK(endpoint.scheme == Scheme::tcp);
    CHECK(endpoint.text == test.text);
    CHECK(endpoint.host == test.host);
    CHECK(endpoint.port == test.port);
    CHECK(endpoint.source_host.empty());
  }
}

TEST_CASE("tcp: source and destination") {
  const Endpoint endpoint = parsed("tcp://[::1]:0;localhost:5555");
  CHECK(endpoint.source_host == "::1");
  CHECK(endpoint.source_port == 0);
  CHECK(endpoint.host == "localhost");
  CHECK(endpoint.port == 5555);
  CHECK(parsed("tcp://*:7;10.0.0.1:5555").source_port == 7);
  CHECK(bind_address(endpoint, false).error().code == Errc::invalid);
}

TEST_CASE("malformed endpoints are invalid, and quoted in the error") {
  for (std::string_view text : {"",
                                "tcp",
                                "tcp:/127.0.0.1:1",
                                "://x",
                                "127.0.0.1:5555",
                                "tcp://",
                                "tcp://:5555",
                                "tcp://127.0.0.1",
                                "tcp://127.0.0.1:",
                                "tcp://127.0.0.1:65536",
                                "tcp://127.0.0.1:-1",
                                "tcp://127.0.0.1:+1",
                                "tcp://127.0.0.1:80x",
                                "tcp://127.0.0.1: 80",
                                "tcp://h:000080",
                                "tcp://127.0.0.1:0x50",
                                "tcp://::1:5555",
                                "tcp://[::1:5555",
                                "tcp://[::1]",
                                "tcp://[localhost]:5",
                                "tcp://[]:5",
                                "tcp://[::1%]:5",
                                "tcp://[::1]x:5",
                                "tcp://a b:5",
                                "tcp://user@host:5",
                                "tcp://host/path:5",
                                "tcp://-host:5",
                                "tcp://ho\xc3\xb6st:5",
                                "tcp://;host:5",
                                "tcp://host:5;",
                                "tcp://a:1;b:2;c:3",
                                "tcp://a;b:2",
                                "ipc://",
                                "ipc://@",
                                "inproc://"}) {
    CAPTURE(text);
    const Result<Endpoint> result = parse_endpoint(text);
    REQUIRE(!result);
    CHECK(result.error().code == Errc::invalid);
    CHECK(result.error().what.starts_with(text));
  }
  CHECK(code_of(std::string_view("inproc://a\0b", 12)) == Errc::invalid);
  CHECK(code_of(std::string_view("tcp://127.0.0.1:80\0", 19)) == Errc::invalid);
  CHECK(code_of("tcp://" + std::string(256, 'a') + ":1") == Errc::invalid);
  CHECK(parse_endpoint(std::string(100000, 'a')).error().what.size() < 400);
}

TEST_CASE("transports that do not exist are not supported") {
  for (const char* text : {"udp://127.0.0.1:1", "ws://a:1", "wss://a:1", "tipc://{1,1,1}",
                           "vmci://a:1", "norm://a:1", "TCP://a:1", "zz://"}) {
    CHECK(code_of(text) == Errc::protocol_not_supported);
  }
}

TEST_CASE("ipc: paths, wildcard, abstract names, length") {
  CHECK(parsed("ipc:///tmp/a b;c:d").host == "/tmp/a b;c:d");
  CHECK(parsed("ipc://*").host == "*");
  CHECK(parsed("ipc://@name").host == "@name");
  CHECK(code_of("ipc://" + std::string(kMaxIpcPath, 'x')) == Errc::ok);
  CHECK(code_of("ipc://" + std::string(kMaxIpcPath + 1, 'x')) == Errc::name_too_long);
  CHECK(ipc_address("/tmp/x").endpoint() == "ipc:///tmp/x");
  CHECK(ipc_address("@name").endpoint() == "ipc://@name");
  const std::string longest(kMaxIpcPath, 'x');
  CHECK(ipc_address(longest).endpoint() == "ipc://" + longest);
}

TEST_CASE("inproc: any name up to 255 bytes") {
  CHECK(parsed("inproc://a/b:c *").host == "a/b:c *");
  CHECK(parsed("inproc://a").scheme == Scheme::inproc);
  CHECK(code_of("inproc://" + std::string(255, 'x')) == Errc::ok);
  CHECK(code_of("inproc://" + std::string(256, 'x')) == Errc::invalid);
}

TEST_CASE("wildcards are not to be connected to") {
  for (const char* text : {"tcp://*:5555", "tcp://127.0.0.1:*", "tcp://127.0.0.1:0",
                           "tcp://*:1;127.0.0.1:0", "ipc://*"}) {
    CHECK(check_connectable(parsed(text)).error().code == Errc::invalid);
  }
  for (const char* text :
       {"tcp://127.0.0.1:1", "tcp://*:0;127.0.0.1:1", "ipc:///tmp/x", "ipc://@x", "inproc://*"}) {
    CHECK(check_connectable(parsed(text)));
  }
}

TEST_CASE("local addresses of wildcards, numbers, localhost and interfaces") {
  CHECK(bound_text("tcp://*:80") == "tcp://0.0.0.0:80");
  CHECK(bound_text("tcp://*:80", true) == "tcp://[::]:80");
  CHECK(bound_text("tcp://127.0.0.2:*") == "tcp://127.0.0.2:0");
  CHECK(bound_text("tcp://[::1]:80") == "tcp://[::1]:80");
  CHECK(bound_text("tcp://localhost:80") == "tcp://127.0.0.1:80");
  CHECK(bound_text("tcp://localhost:80", true) == "tcp://[::1]:80");
  CHECK(bound_text("tcp://lo:80") == "tcp://127.0.0.1:80");
  CHECK(bound_text("tcp://[fe80::1%lo]:80") == "tcp://[fe80::1%lo]:80");
}

TEST_CASE("names that are not local are not looked up to bind") {
  CHECK(bound_text("tcp://example.org:80") == "ENODEV");
  CHECK(bound_text("tcp://nosuchdevice0:80") == "ENODEV");
  CHECK(bound_text("tcp://[fe80::1%nosuchdevice0]:80") == "ENODEV");
  const Result<Address> failed = bind_address(parsed("tcp://example.org:80"), false);
  CHECK(failed.error().what.starts_with("tcp://example.org:80"));
}

TEST_CASE("source addresses are of the family of the remote one") {
  const Endpoint any = parsed("tcp://*:9;host:80");
  CHECK(source_address(any, AF_INET).value().endpoint() == "tcp://0.0.0.0:9");
  CHECK(source_address(any, AF_INET6).value().endpoint() == "tcp://[::]:9");
  const Endpoint device = parsed("tcp://lo:0;host:80");
  CHECK(source_address(device, AF_INET).value().endpoint() == "tcp://127.0.0.1:0");
  const Endpoint nowhere = parsed("tcp://nosuchdevice0:0;host:80");
  CHECK(source_address(nowhere, AF_INET).error().code == Errc::no_device);
}

TEST_CASE("numeric hosts need no look-up") {
  Address address;
  CHECK(numeric_address("10.1.2.3", 5, address));
  CHECK(address.endpoint() == "tcp://10.1.2.3:5");
  CHECK(numeric_address("2001:db8::1", 6, address));
  CHECK(address.endpoint() == "tcp://[2001:db8::1]:6");
  CHECK(numeric_address("fe80::1%1", 6, address));
  for (const char* host : {"localhost", "1.2.3", "1.2.3.4.5", "256.0.0.1", "fe80::1%nosuch0", ""}) {
    CHECK(!numeric_address(host, 5, address));
    CHECK(address.endpoint().empty());
  }
}

TEST_CASE("host names are looked up") {
  const Result<Address> local = resolve_address("localhost", 77, false, 0);
  REQUIRE(local);
  CHECK(local.value().endpoint() == "tcp://127.0.0.1:77");
  // All addresses have their turn, whichever of the two the system knows.
  std::set<std::string> found;
  for (unsigned turn = 0; turn < 8; ++turn) {
    const Result<Address> any = resolve_address("localhost", 77, true, turn);
    REQUIRE(any);
    found.insert(any.value().endpoint());
  }
  CHECK(found.contains("tcp://127.0.0.1:77"));
  const Result<Address> unknown = resolve_address("no such host", 77, false, 0);
  REQUIRE(!unknown);
  CHECK(unknown.error().what.starts_with("no such host: "));
  CHECK(unknown.error().code != Errc::ok);
}
