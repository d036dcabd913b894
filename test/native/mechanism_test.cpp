// The NULL mechanism and the form of commands.
#include "zmtp/mechanism.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <string>

#include "wire_bytes.hpp"

using namespace zerowire;
using test::byte;
using test::property;

TEST_CASE("commands are framed, short and long, and split again") {
  for (const std::size_t size : {0u, 1u, 248u, 249u, 250u, 251u, 255u, 256u, 70000u}) {
    CAPTURE(size);
    const std::string data = test::pattern(size);
    std::string out = "before";
    append_command(out, "NAMED", data);
    CHECK(out == "before" + test::command("NAMED", data));
    std::string_view name, rest;
    const std::string body = byte(5) + "NAMED" + data;
    REQUIRE(split_command(body, name, rest));
    CHECK(name == "NAMED");
    CHECK(rest == data);
  }
}

TEST_CASE("bodies that are no command") {
  std::string_view name, data;
  CHECK_FALSE(split_command("", name, data));
  CHECK_FALSE(split_command(byte(0), name, data));
  CHECK_FALSE(split_command(byte(0) + "abc", name, data));
  CHECK_FALSE(split_command("\4abc", name, data));
  CHECK_FALSE(split_command(byte(255) + std::string(254, 'n'), name, data));
  CHECK(split_command(byte(255) + std::string(255, 'n'), name, data));
  CHECK(name.size() == 255);
}

TEST_CASE("NULL announces type and, where there is one, routing id") {
  for (int type = 0; type <= 10; ++type) {
    const auto mechanism = null_mechanism(static_cast<SocketType>(type), "me");
    CHECK(mechanism->name() == "NULL");
    std::string out;
    mechanism->start(out);
    std::string metadata = property("Socket-Type", socket_type_name(static_cast<SocketType>(type)));
    if (type == 3 || type == 5 || type == 6) metadata += property("Identity", "me");
    CHECK(out == test::command("READY", metadata));
  }
}

TEST_CASE("NULL takes READY and nothing else") {
  const struct {
    const char* command;
    std::string data;
    EventType event;
    uint32_t value;
  } cases[] = {
      {"READY", "x", EventType::handshake_failed_protocol,
       static_cast<uint32_t>(ProtocolError::zmtp_invalid_metadata)},
      {"ready", "", EventType::handshake_failed_protocol,
       static_cast<uint32_t>(ProtocolError::zmtp_unexpected_command)},
      {"INITIATE", "", EventType::handshake_failed_protocol,
       static_cast<uint32_t>(ProtocolError::zmtp_unexpected_command)},
      {"ERROR", "\3bad", EventType::handshake_failed_no_detail, EPROTO},
      {"ERROR", "\4bad", EventType::handshake_failed_protocol,
       static_cast<uint32_t>(ProtocolError::zmtp_malformed_error)},
  };
  for (const auto& [command, data, event, value] : cases) {
    CAPTURE(command);
    const auto mechanism = null_mechanism(SocketType::pull, "");
    std::string out;
    CHECK(mechanism->receive(command, data, out) == Mechanism::Step::failed);
    CHECK(mechanism->failure.event == event);
    CHECK(mechanism->failure.value == value);
    CHECK(out == "");
  }
  const auto mechanism = null_mechanism(SocketType::pull, "");
  std::string out;
  CHECK(mechanism->receive("READY", property("Socket-Type", "PUSH"), out) == Mechanism::Step::done);
  CHECK(mechanism->peer.socket_type == "PUSH");
  CHECK(out == "");
}
