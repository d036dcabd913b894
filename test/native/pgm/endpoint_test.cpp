// PGM endpoints: every form that libzmq takes, and the interface each means on this machine.
#include "pgm/endpoint.hpp"

#include <doctest/doctest.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include <string>
#include <vector>

using namespace zerowire;

namespace {

using Groups = std::vector<std::string>;

Result<pgm::Endpoint> parse(const std::string& rest) {
  return pgm::parse_endpoint("epgm://" + rest, false, rest);
}

pgm::Endpoint parsed(const std::string& rest) {
  CAPTURE(rest);
  const Result<pgm::Endpoint> result = parse(rest);
  REQUIRE(result);
  return result.value();
}

pgm::Network resolved(const std::string& rest) {
  CAPTURE(rest);
  const Result<pgm::Network> result = pgm::resolve(parsed(rest));
  REQUIRE(result);
  return result.value();
}

Errc refusal(const std::string& rest) {
  CAPTURE(rest);
  const Result<pgm::Network> result = pgm::resolve(parsed(rest));
  if (result) return Errc::ok;
  CHECK(result.error().what.starts_with("epgm://" + rest + ": "));
  return result.error().code;
}

/// Without the scheme.
std::string text_of(const Address& address) { return address.endpoint().substr(6); }

Groups texts_of(const std::vector<Address>& addresses) {
  Groups all;
  for (const Address& address : addresses) all.push_back(text_of(address));
  return all;
}

/// Whether the machine has an interface that can do this.
bool has_interface(int family, unsigned with, unsigned without) {
  ifaddrs* list = nullptr;
  REQUIRE(getifaddrs(&list) == 0);
  bool found = false;
  for (const ifaddrs* item = list; item; item = item->ifa_next) {
    if (!item->ifa_addr || item->ifa_addr->sa_family != family) continue;
    found |= (item->ifa_flags & with) == with && !(item->ifa_flags & without);
  }
  freeifaddrs(list);
  return found;
}

bool has_ipv6() { return has_interface(AF_INET6, IFF_UP | IFF_LOOPBACK, 0); }

}  // namespace

TEST_CASE("interface, groups and port") {
  const struct {
    const char* rest;
    const char* interface;
    Groups receive;
    const char* send;
  } cases[] = {
      {"eth0;239.1.1.1,239.1.1.2;239.1.1.3:8000", "eth0", {"239.1.1.1", "239.1.1.2"}, "239.1.1.3"},
      {"eth0;239.1.1.1:8000", "eth0", {"239.1.1.1"}, ""},
      {"eth0;;239.1.1.3:8000", "eth0", {}, "239.1.1.3"},
      {"eth0;:8000", "eth0", {}, ""},
      {"eth0;;:8000", "eth0", {}, ""},
      {"eth0:8000", "eth0", {}, ""},
      {"10.77.0.1:8000", "10.77.0.1", {}, ""},
      {"10.77.0.0/24;239.1.1.1:8000", "10.77.0.0/24", {"239.1.1.1"}, ""},
      {"239.192.1.1:8000", "", {"239.192.1.1"}, ""},
      {";239.192.1.1:8000", "", {"239.192.1.1"}, ""},
      {";;239.192.1.1:8000", "", {}, "239.192.1.1"},
      {":8000", "", {}, ""},
      {"ff08::7:8000", "", {"ff08::7"}, ""},
      {"[ff08::7]:8000", "", {"ff08::7"}, ""},
      {"fe80::;ff08::7,ff08::8;ff08::9:8000", "fe80::", {"ff08::7", "ff08::8"}, "ff08::9"},
      {"[fd77::1];[ff05::7500],[ff02::1%lo];[ff08::9]:8000",
       "fd77::1",
       {"ff05::7500", "ff02::1%lo"},
       "ff08::9"},
      {"fe80::1%eth0;ff08::7:8000", "fe80::1%eth0", {"ff08::7"}, ""},
      {"eth0:1;239.1.1.1:8000", "eth0:1", {"239.1.1.1"}, ""},
  };
  for (const auto& test : cases) {
    const pgm::Endpoint endpoint = parsed(test.rest);
    CAPTURE(test.rest);
    CHECK(endpoint.text == "epgm://" + std::string(test.rest));
    CHECK(endpoint.interface == test.interface);
    CHECK(endpoint.receive == test.receive);
    CHECK(endpoint.send == test.send);
    CHECK(endpoint.port == 8000);
    CHECK_FALSE(endpoint.raw);
  }
  const Result<pgm::Endpoint> raw = pgm::parse_endpoint("pgm://eth0:1", true, "eth0:1");
  REQUIRE(raw);
  CHECK(raw.value().raw);
}

TEST_CASE("what is malformed is refused with what is wrong") {
  const struct {
    const char* rest;
    const char* complaint;
  } cases[] = {
      {"", "the port is missing"},
      {"eth0;239.1.1.1", "the port is missing"},
      {"eth0;239.1.1.1:", "the port must be 1..65535"},
      {"eth0;239.1.1.1:*", "the port must be 1..65535"},
      {"eth0;239.1.1.1:0", "the port must be 1..65535"},
      {"eth0;239.1.1.1:65536", "the port must be 1..65535"},
      {"eth0;239.1.1.1:-1", "the port must be 1..65535"},
      {"eth0;239.1.1.1:80x", "the port must be 1..65535"},
      {"eth0;239.1.1.1:000080", "the port must be 1..65535"},
      {"eth0;10.0.0.1:80", "a group must be a multicast address"},
      {"eth0;example.org:80", "a group must be a multicast address"},
      {"eth0;239.1.1.1, 239.1.1.2:80", "a group must be a multicast address"},
      {"eth0;239.1.1.1,,239.1.1.2:80", "a group must be a multicast address"},
      {"eth0;239.1.1.1,:80", "a group is missing"},
      {"eth0;,239.1.1.1:80", "a group must be a multicast address"},
      {"eth0;ff08::7]:80", "a group must be a multicast address"},
      {"eth0;ff08::7", "a group must be a multicast address"},
      {"[eth0;239.1.1.1:80", "a bracket is missing"},
      {"e[t]h0;239.1.1.1:80", "a bracket is missing"},
      {"eth0,eth1;239.1.1.1:80", "there can be only one interface"},
      {"eth0;239.1.1.1;239.1.1.2,239.1.1.3:80", "there can be only one group to send to"},
      {"eth0;239.1.1.1;239.1.1.2;239.1.1.3:80", "a group must be a multicast address"},
      {"239.1.1.1;239.1.1.2:80", "the address of a group cannot be that of an interface"},
  };
  for (const auto& test : cases) {
    CAPTURE(test.rest);
    const Result<pgm::Endpoint> result = parse(test.rest);
    REQUIRE_FALSE(result);
    CHECK(result.error().code == Errc::invalid);
    CHECK(result.error().what == "epgm://" + std::string(test.rest) + ": " + test.complaint);
  }
  std::string many = "eth0;239.1.1.1";
  for (int i = 0; i < 20; ++i) many += ",239.1.1.1";
  CHECK_FALSE(parse(many + ":80"));
  CHECK_FALSE(parse(std::string(100'000, 'x')));
}

TEST_CASE("the interface by name, address and network") {
  const unsigned index = if_nametoindex("lo");
  for (const char* rest : {"lo;239.1.1.1:80", "127.0.0.1;239.1.1.1:80", "127.0.0.0;239.1.1.1:80",
                           "127.0.0.0/8;239.1.1.1:80", "127.3.2.1/8;239.1.1.1:80"}) {
    const pgm::Network network = resolved(rest);
    CAPTURE(rest);
    CHECK(network.interface_index == index);
    CHECK(text_of(network.interface) == "127.0.0.1:0");
    CHECK(texts_of(network.receive) == Groups{"239.1.1.1:80"});
    CHECK(text_of(network.send) == "239.1.1.1:80");
  }
  CHECK(texts_of(resolved("lo:80").receive) == Groups{"239.192.0.1:80"});
  const pgm::Network several = resolved("lo;239.1.1.1,239.1.1.2;239.1.1.3:80");
  CHECK(texts_of(several.receive) == Groups{"239.1.1.1:80", "239.1.1.2:80"});
  CHECK(text_of(several.send) == "239.1.1.3:80");
  const pgm::Network other = resolved("lo;;239.1.1.3:80");
  CHECK(texts_of(other.receive) == Groups{"239.192.0.1:80"});
  CHECK(text_of(other.send) == "239.1.1.3:80");
}

TEST_CASE("interfaces of IPv6") {
  if (!has_ipv6()) return;
  const unsigned index = if_nametoindex("lo");
  for (const char* rest : {"lo;ff08::7:80", "::1;ff08::7:80", "[::1];[ff08::7]:80",
                           "::1/128;ff08::7:80", "::/120;ff08::7:80", "::/127;ff08::7:80"}) {
    const pgm::Network network = resolved(rest);
    CAPTURE(rest);
    CHECK(network.interface_index == index);
    CHECK(text_of(network.interface) == "[::1]:0");
    CHECK(texts_of(network.receive) == Groups{"[ff08::7]:80"});
  }
  CHECK(texts_of(resolved("::1:80").receive) == Groups{"[ff08::1]:80"});
  CHECK(refusal("::/128;ff08::7:80") == Errc::no_device);

  // A group on the link needs to know which.
  const pgm::Network local = resolved("lo;ff02::7;ff02::8:80");
  CHECK(reinterpret_cast<const sockaddr_in6*>(local.receive[0].get())->sin6_scope_id == index);
  CHECK(reinterpret_cast<const sockaddr_in6*>(local.send.get())->sin6_scope_id == index);
}

TEST_CASE("the default interface is one that others can be reached by, if there is one") {
  const bool outside = has_interface(AF_INET, IFF_UP | IFF_MULTICAST, IFF_LOOPBACK);
  const pgm::Network network = resolved("239.1.1.1:80");
  CHECK((network.interface_index != if_nametoindex("lo")) == outside);
  CHECK(network.interface.family() == AF_INET);
  CHECK(text_of(resolved(":80").interface) == text_of(network.interface));
  if (has_ipv6()) CHECK(resolved(";ff08::1:80").interface.family() == AF_INET6);
}

TEST_CASE("what does not exist, or does not go together") {
  CHECK(refusal("nosuch0;239.1.1.1:80") == Errc::no_device);
  CHECK(refusal("localhost;239.1.1.1:80") == Errc::no_device);
  CHECK(refusal("203.0.113.77;239.1.1.1:80") == Errc::no_device);
  CHECK(refusal("127.0.0.0/33;239.1.1.1:80") == Errc::no_device);
  CHECK(refusal("127.0.0.0/x;239.1.1.1:80") == Errc::no_device);
  CHECK(refusal("127.0.0.0/;239.1.1.1:80") == Errc::no_device);
  CHECK(refusal("127.0.0.0/30;239.1.1.1:80") == Errc::ok);
  CHECK(refusal("127.0.0.4/30;239.1.1.1:80") == Errc::no_device);
  CHECK(refusal("127.0.0.1;ff08::1:80") == Errc::invalid);
  CHECK(refusal("lo;239.1.1.1,ff08::1:80") == Errc::invalid);
  CHECK(refusal("lo;239.1.1.1;ff08::1:80") == Errc::invalid);
  CHECK(refusal("lo;ff02::1%nosuch0:80") == Errc::invalid);
}

TEST_CASE("addresses in packets and of sockets") {
  Address address;
  for (const char* host : {"10.77.0.1", "239.192.0.1", "fd77::1", "ff08::1"}) {
    REQUIRE(numeric_address(host, 7500, address));
    const pgm::Nla nla = pgm::to_nla(address);
    CHECK(nla.afi == (address.family() == AF_INET ? pgm::Nla::kIpv4 : pgm::Nla::kIpv6));
    CHECK(pgm::to_address(nla, 7500).endpoint() == address.endpoint());
  }
  CHECK(pgm::to_nla({}).afi == 0);
  CHECK(pgm::to_nla(ipc_address("/tmp/x")).afi == 0);
  CHECK(pgm::to_address({}, 80).size == 0);
}
