#include "zmtp/mechanism.hpp"

#include <cerrno>

#include "zmtp/wire.hpp"

namespace zerowire {
namespace {

class NullMechanism final : public Mechanism {
 public:
  NullMechanism(SocketType type, std::string_view routing_id)
      : type_(type), routing_id_(routing_id) {}

  std::string_view name() const override { return "NULL"; }

  void start(std::string& out) override {
    std::string metadata;
    append_property(metadata, "Socket-Type", socket_type_name(type_));
    if (type_ == SocketType::req || type_ == SocketType::dealer || type_ == SocketType::router) {
      append_property(metadata, "Identity", routing_id_);
    }
    append_command(out, "READY", metadata);
  }

  Step receive(std::string_view command, std::string_view data, std::string&) override {
    if (command == "READY") {
      if (parse_metadata(data, peer)) return Step::done;
      failure = protocol_failure(ProtocolError::zmtp_invalid_metadata);
    } else if (command == "ERROR") {
      const bool well_formed =
          !data.empty() && data.size() - 1 == static_cast<unsigned char>(data[0]);
      failure = well_formed ? Failure{EventType::handshake_failed_no_detail, EPROTO}
                            : protocol_failure(ProtocolError::zmtp_malformed_error);
    } else {
      failure = protocol_failure(ProtocolError::zmtp_unexpected_command);
    }
    return Step::failed;
  }

 private:
  SocketType type_;
  std::string routing_id_;
};

}  // namespace

std::unique_ptr<Mechanism> null_mechanism(SocketType type, std::string_view routing_id) {
  return std::make_unique<NullMechanism>(type, routing_id);
}

void append_command(std::string& out, std::string_view name, std::string_view data) {
  char header[wire::kLongHeader];
  const char* end = wire::write_header(header, wire::kCommand, 1 + name.size() + data.size());
  out.append(header, static_cast<std::size_t>(end - header));
  out.push_back(static_cast<char>(name.size()));
  out.append(name).append(data);
}

bool split_command(std::string_view body, std::string_view& name, std::string_view& data) {
  if (body.empty()) return false;
  const auto size = static_cast<unsigned char>(body[0]);
  if (size == 0 || body.size() < 1u + size) return false;
  name = body.substr(1, size);
  data = body.substr(1u + size);
  return true;
}

}  // namespace zerowire
