// Socket options: defaults, ranges, kinds, socket types.
#include "options.hpp"

#include <doctest/doctest.h>

#include <climits>
#include <string>

using namespace zerowire;

namespace {

SocketOptions of_type(SocketType type) {
  SocketOptions options;
  options.type = type;
  return options;
}

struct NumberCase {
  Option option;
  SocketType type;
  int64_t initial;
  int64_t min;
  int64_t max;
};

// Defaults and ranges of libzmq, where it has the option.
constexpr NumberCase kNumbers[] = {
    {Option::linger, SocketType::push, -1, -1, INT_MAX},
    {Option::send_high_water_mark, SocketType::push, 1000, 0, INT_MAX},
    {Option::receive_high_water_mark, SocketType::pull, 1000, 0, INT_MAX},
    {Option::send_timeout, SocketType::push, -1, -1, INT_MAX},
    {Option::receive_timeout, SocketType::pull, -1, -1, INT_MAX},
    {Option::router_mandatory, SocketType::router, 0, 0, 1},
    {Option::router_handover, SocketType::router, 0, 0, 1},
    {Option::probe_router, SocketType::dealer, 0, 0, 1},
    {Option::req_correlate, SocketType::req, 0, 0, 1},
    {Option::req_relaxed, SocketType::req, 0, 0, 1},
    {Option::xpub_verbose, SocketType::xpub, 0, 0, 1},
    {Option::xpub_verboser, SocketType::xpub, 0, 0, 1},
    {Option::xpub_nodrop, SocketType::pub, 0, 0, 1},
    {Option::xpub_manual, SocketType::xpub, 0, 0, 1},
    {Option::invert_matching, SocketType::sub, 0, 0, 1},
    {Option::affinity, SocketType::pair, 0, INT64_MIN, INT64_MAX},
    {Option::send_buffer_size, SocketType::pair, -1, -1, INT_MAX},
    {Option::receive_buffer_size, SocketType::pair, -1, -1, INT_MAX},
    {Option::reconnect_interval, SocketType::pair, 100, -1, INT_MAX},
    {Option::reconnect_max_interval, SocketType::pair, 0, 0, INT_MAX},
    {Option::backlog, SocketType::pair, 100, 0, INT_MAX},
    {Option::max_message_size, SocketType::pair, -1, -1, INT64_MAX},
    {Option::max_multipart_size, SocketType::pair, -1, -1, INT64_MAX},
    {Option::max_message_parts, SocketType::pair, 65536, 1, INT_MAX},
    {Option::immediate, SocketType::pair, 0, 0, 1},
    {Option::conflate, SocketType::pull, 0, 0, 1},
    {Option::ipv6, SocketType::pair, 0, 0, 1},
    {Option::handshake_interval, SocketType::pair, 30000, 0, INT_MAX},
    {Option::heartbeat_interval, SocketType::pair, 0, 0, INT_MAX},
    {Option::heartbeat_timeout, SocketType::pair, -1, -1, INT_MAX},
    {Option::connect_timeout, SocketType::pair, 0, 0, INT_MAX},
    {Option::tcp_keepalive, SocketType::pair, -1, -1, 1},
    {Option::tcp_keepalive_count, SocketType::pair, -1, -1, 127},
    {Option::tcp_keepalive_idle, SocketType::pair, -1, -1, 32767},
    {Option::tcp_keepalive_interval, SocketType::pair, -1, -1, 32767},
    {Option::tcp_max_retransmit_timeout, SocketType::pair, 0, 0, INT_MAX},
    {Option::type_of_service, SocketType::pair, 0, 0, 255},
};

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("numbers have libzmq's defaults, and are kept within their ranges") {
  for (const NumberCase& test : kNumbers) {
    CAPTURE(static_cast<int>(test.option));
    SocketOptions options = of_type(test.type);
    CHECK(get_int_option(options, test.option).value() == test.initial);
    for (int64_t value : {test.min, test.max}) {
      CHECK(set_option(options, test.option, value));
      CHECK(get_int_option(options, test.option).value() == value);
    }
    if (test.min != INT64_MIN) {
      const Result<void> low = set_option(options, test.option, test.min - 1);
      REQUIRE(!low);
      CHECK(low.error().code == Errc::invalid);
      CHECK(contains(low.error().what, std::to_string(test.min - 1)));
    }
    if (test.max != INT64_MAX) CHECK(!set_option(options, test.option, test.max + 1));
    CHECK(get_int_option(options, test.option).value() == test.max);
  }
}

TEST_CASE("an error names the option and the value") {
  SocketOptions options = of_type(SocketType::push);
  CHECK(set_option(options, Option::send_high_water_mark, -5).error().what ==
        "sendHighWaterMark: -5 is not in 0..2147483647");
  CHECK(set_option(options, static_cast<Option>(4711), 1).error().what == "unknown option 4711");
  CHECK(get_int_option(options, static_cast<Option>(4711)).error().code == Errc::invalid);
}

TEST_CASE("heartbeat time to live is told in steps of 100 ms") {
  SocketOptions options;
  CHECK(set_option(options, Option::heartbeat_ttl, 6553599));
  CHECK(options.heartbeat_ttl == 6553500);
  CHECK(set_option(options, Option::heartbeat_ttl, 99));
  CHECK(options.heartbeat_ttl == 0);
  CHECK(!set_option(options, Option::heartbeat_ttl, 6553600));
  CHECK(!set_option(options, Option::heartbeat_ttl, -1));
}

TEST_CASE("an option of another socket type is not supported") {
  SocketOptions push = of_type(SocketType::push);
  for (Option option : {Option::xpub_verbose, Option::xpub_manual, Option::router_mandatory,
                        Option::req_relaxed, Option::probe_router, Option::invert_matching}) {
    CHECK(set_option(push, option, 1).error().code == Errc::not_supported);
    CHECK(get_int_option(push, option).error().code == Errc::not_supported);
  }
  CHECK(set_option(push, Option::xpub_welcome_message, "hi").error().code == Errc::not_supported);
  CHECK(set_option(push, Option::connect_routing_id, "a").error().code == Errc::not_supported);
  // As libzmq, where nothing depends on them.
  CHECK(set_option(push, Option::routing_id, "name"));
  CHECK(set_option(push, Option::conflate, 1));
}

TEST_CASE("routing ids are 1 to 255 bytes, do not begin with zero, and can be taken back") {
  SocketOptions options = of_type(SocketType::router);
  const std::string binary("a\0\xff", 3);
  CHECK(set_option(options, Option::routing_id, binary));
  CHECK(get_string_option(options, Option::routing_id).value() == binary);
  CHECK(set_option(options, Option::routing_id, std::string(255, 'x')));
  CHECK(set_option(options, Option::routing_id, std::string(256, 'x')).error().what ==
        "routingId: 256 bytes, not 0..255");
  CHECK(set_option(options, Option::routing_id, std::string_view("\0a", 2)).error().code ==
        Errc::invalid);
  CHECK(set_option(options, Option::routing_id, ""));
  CHECK(options.routing_id.empty());

  CHECK(set_option(options, Option::connect_routing_id, "next"));
  CHECK(options.connect_routing_id == "next");
  CHECK(!set_option(options, Option::connect_routing_id, ""));
  CHECK(get_string_option(options, Option::connect_routing_id).error().code == Errc::invalid);
}

TEST_CASE("names for the system fit it") {
  SocketOptions options;
  CHECK(set_option(options, Option::tcp_congestion, "cubic"));
  CHECK(options.tcp_congestion == "cubic");
  CHECK(set_option(options, Option::bind_to_device, "lo"));
  CHECK(options.bind_to_device == "lo");
  CHECK(!set_option(options, Option::bind_to_device, "a-name-too-long-for-it"));
  CHECK(!set_option(options, Option::bind_to_device, std::string_view("l\0o", 3)));
}

TEST_CASE("a number is not bytes, and bytes are no number") {
  SocketOptions options = of_type(SocketType::router);
  CHECK(set_option(options, Option::routing_id, 5).error().code == Errc::invalid);
  CHECK(set_option(options, Option::linger, "5").error().code == Errc::invalid);
  CHECK(get_string_option(options, Option::linger).error().code == Errc::invalid);
  CHECK(get_int_option(options, Option::routing_id).error().code == Errc::invalid);
}

TEST_CASE("some options can only be read") {
  SocketOptions options = of_type(SocketType::xsub);
  options.last_endpoint = "tcp://127.0.0.1:5";
  CHECK(get_int_option(options, Option::type).value() == 10);
  CHECK(get_int_option(options, Option::mechanism).value() == 0);
  CHECK(get_int_option(options, Option::thread_safe).value() == 0);
  CHECK(get_string_option(options, Option::last_endpoint).value() == "tcp://127.0.0.1:5");
  CHECK(set_option(options, Option::type, 1).error().code == Errc::invalid);
  CHECK(set_option(options, Option::mechanism, 0).error().code == Errc::invalid);
  CHECK(set_option(options, Option::last_endpoint, "x").error().code == Errc::invalid);
}

TEST_CASE("subscriptions are no stored options") {
  SocketOptions options = of_type(SocketType::sub);
  CHECK(set_option(options, Option::subscribe, "a").error().code == Errc::invalid);
  CHECK(set_option(options, Option::unsubscribe, "a").error().code == Errc::invalid);
}

TEST_CASE("affinity keeps all its 64 bits") {
  SocketOptions options;
  CHECK(set_option(options, Option::affinity, int64_t{-1}));
  CHECK(options.affinity == UINT64_MAX);
}

TEST_CASE("the verbosity set last decides about both") {
  SocketOptions options = of_type(SocketType::xpub);
  CHECK(set_option(options, Option::xpub_verboser, 1));
  CHECK(options.xpub_verbose);
  CHECK(set_option(options, Option::xpub_verbose, 1));
  CHECK(options.xpub_verbose);
  CHECK(!options.xpub_verboser);
  CHECK(set_option(options, Option::xpub_verboser, 0));
  CHECK(!options.xpub_verbose);
}
