// Metadata: properties of peers, and which types go together.
#include "zmtp/metadata.hpp"

#include <doctest/doctest.h>

#include <string>

#include "wire_bytes.hpp"

using namespace zerowire;
using test::be;
using test::byte;
using test::property;

namespace {

bool parses(const std::string& text) {
  PeerProperties peer;
  return parse_metadata(text, peer);
}

}  // namespace

TEST_CASE("properties are read back as they were written") {
  for (const std::size_t size : {0u, 1u, 255u}) {
    std::string text;
    append_property(text, "Socket-Type", "DEALER");
    append_property(text, "Identity", std::string(size, 'i'));
    CHECK(text == property("Socket-Type", "DEALER") + property("Identity", std::string(size, 'i')));
    PeerProperties peer;
    REQUIRE(parse_metadata(text, peer));
    CHECK(peer.socket_type == "DEALER");
    CHECK(peer.routing_id == std::string(size, 'i'));
  }
}

TEST_CASE("names are compared without case, unknown ones ignored, the first of equals counts") {
  PeerProperties peer;
  REQUIRE(parse_metadata(property("X-Other", "1") + property("socket-TYPE", "REQ") +
                             property("Socket-Type", "REP") + property("IDENTITY", "a") +
                             property("Identity", "b") + property("Resource", ""),
                         peer));
  CHECK(peer.socket_type == "REQ");
  CHECK(peer.routing_id == "a");
}

TEST_CASE("no metadata is well-formed") {
  PeerProperties peer;
  CHECK(parse_metadata("", peer));
  CHECK(peer.socket_type.empty());
}

TEST_CASE("malformed metadata") {
  const std::string good = property("Socket-Type", "REQ") + property("Identity", "abc");
  CHECK(parses(good));
  for (std::size_t size = 1; size < good.size(); ++size) {
    CAPTURE(size);
    CHECK(parses(good.substr(0, size)) == (size == property("Socket-Type", "REQ").size()));
  }
  CHECK_FALSE(parses(byte(0) + be(0, 4)));                 // no name
  CHECK_FALSE(parses(byte(255) + "short" + be(0, 4)));     // name past the end
  CHECK_FALSE(parses(byte(1) + "a" + be(0xFFFFFFFF, 4)));  // value past the end
  CHECK_FALSE(parses(byte(1) + "a" + be(0x80000000, 4) + "v"));
  CHECK_FALSE(parses(property("Identity", std::string(256, 'i'))));
}

TEST_CASE("64 properties are enough") {
  std::string text;
  for (int i = 0; i < 64; ++i) text += property("a", "");
  CHECK(parses(text));
  CHECK_FALSE(parses(text + property("a", "")));
  for (int i = 0; i < 20000; ++i) text += property("b", "x");
  CHECK_FALSE(parses(text));
}

TEST_CASE("types have the names of the RFCs, compatibility goes both ways") {
  const char* names[] = {"PAIR",   "PUB",  "SUB",  "REQ",  "REP", "DEALER",
                         "ROUTER", "PULL", "PUSH", "XPUB", "XSUB"};
  int pairs = 0;
  for (int a = 0; a <= 10; ++a) {
    CHECK(socket_type_name(static_cast<SocketType>(a)) == names[a]);
    for (int b = 0; b <= 10; ++b) {
      const bool fits = compatible(static_cast<SocketType>(a), names[b]);
      CHECK(fits == compatible(static_cast<SocketType>(b), names[a]));
      pairs += fits;
    }
    CHECK_FALSE(compatible(static_cast<SocketType>(a), ""));
    CHECK_FALSE(compatible(static_cast<SocketType>(a), "STREAM"));
  }
  CHECK(pairs == 21);
}
