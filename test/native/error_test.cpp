// Names and texts of error codes.
#include "zerowire/error.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <set>
#include <string>

using zerowire::Errc;
using zerowire::errc_name;
using zerowire::errc_text;

TEST_CASE("errors of POSIX and of the library have their stable names") {
  CHECK(std::string(errc_name(Errc::again)) == "EAGAIN");
  CHECK(std::string(errc_name(Errc::bad_socket)) == "EBADF");
  CHECK(std::string(errc_name(Errc::not_supported)) == "ENOTSUP");
  CHECK(std::string(errc_name(Errc::fsm)) == "EFSM");
  CHECK(std::string(errc_name(Errc::no_compatible_protocol)) == "ENOCOMPATPROTO");
  CHECK(std::string(errc_name(Errc::terminated)) == "ETERM");
  CHECK(std::string(errc_name(static_cast<Errc>(ECONNRESET))) == "ECONNRESET");
  CHECK(std::string(errc_name(static_cast<Errc>(EACCES))) == "EACCES");
}

TEST_CASE("numbers of libzmq's own errors are those of zmq.h") {
  CHECK(static_cast<int>(Errc::fsm) == 156384763);
  CHECK(static_cast<int>(Errc::no_compatible_protocol) == 156384764);
  CHECK(static_cast<int>(Errc::terminated) == 156384765);
}

TEST_CASE("each code has a name and a sentence of its own") {
  std::set<std::string> names;
  std::set<std::string> texts;
  for (Errc code : {Errc::again,
                    Errc::invalid,
                    Errc::bad_socket,
                    Errc::busy,
                    Errc::not_supported,
                    Errc::no_entry,
                    Errc::address_in_use,
                    Errc::address_not_available,
                    Errc::no_device,
                    Errc::protocol_not_supported,
                    Errc::host_unreachable,
                    Errc::too_many_files,
                    Errc::message_size,
                    Errc::name_too_long,
                    Errc::no_memory,
                    Errc::fault,
                    Errc::connection_refused,
                    Errc::timed_out,
                    Errc::protocol,
                    Errc::fsm,
                    Errc::no_compatible_protocol,
                    Errc::terminated}) {
    CHECK(names.insert(errc_name(code)).second);
    CHECK(texts.insert(errc_text(code)).second);
    CHECK(std::strlen(errc_text(code)) > 5);
    CHECK(errc_name(code) != std::string("EUNKNOWN"));
  }
}

TEST_CASE("a number without a name is unknown, not a crash") {
  CHECK(std::string(errc_name(static_cast<Errc>(-7))) == "EUNKNOWN");
  CHECK(std::string(errc_name(static_cast<Errc>(99999))) == "EUNKNOWN");
  CHECK(std::string(errc_text(static_cast<Errc>(99999))) == "Unknown error");
}
