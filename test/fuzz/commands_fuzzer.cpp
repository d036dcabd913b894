// Commands and metadata: taken apart within bounds, and put together again the same.
#include <string>

#include "input.hpp"
#include "zmtp/mechanism.hpp"
#include "zmtp/wire.hpp"

using namespace zerowire;
using fuzz::Input;
using fuzz::require;

namespace {

void metadata(std::string_view text) {
  PeerProperties peer;
  if (!parse_metadata(text, peer)) return;
  require(peer.routing_id.size() <= 255 && peer.socket_type.size() <= text.size());
  std::string again;
  append_property(again, "Socket-Type", peer.socket_type);
  append_property(again, "Identity", peer.routing_id);
  PeerProperties same;
  require(parse_metadata(again, same));
  require(same.socket_type == peer.socket_type && same.routing_id == peer.routing_id);
}

void handshake(std::string_view command, std::string_view data) {
  const std::unique_ptr<Mechanism> mechanism = null_mechanism(SocketType::req, "me");
  std::string out;
  const Mechanism::Step step = mechanism->receive(command, data, out);
  require(step != Mechanism::Step::more && out.empty());
  require((step == Mechanism::Step::failed) == (mechanism->failure.value != 0));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  Input input(data, size);
  const uint8_t choice = input.byte();
  const std::string_view body = input.take(size);
  metadata(body);
  std::string_view name, rest;
  if (split_command(body, name, rest)) {
    require(!name.empty() && name.size() <= 255 && 1 + name.size() + rest.size() == body.size());
    std::string frame;
    append_command(frame, name, rest);
    const wire::Header header = wire::read_header(frame.data());
    require(std::string_view(frame).substr(header.length) == body);
    handshake(choice & 1 ? "READY" : name, rest);
  }
  handshake(choice & 2 ? "ERROR" : "READY", body);
  return 0;
}
