#include "zmtp/engine.hpp"

#include <algorithm>
#include <cerrno>

namespace zerowire {
namespace {

constexpr std::size_t kHandshakeRead = 512;
constexpr std::size_t kMaxHandshake = 64 * 1024;
/// Answers to a peer that does not read them: beyond this we do not read from it either.
constexpr std::size_t kMaxOutput = 64 * 1024;
constexpr std::size_t kMaxPingContext = 16;

constexpr int kMajor = 3;
constexpr int kMinor = 1;

std::string greeting(const Mechanism& mechanism) {
  std::string bytes(wire::kGreetingSize, '\0');
  bytes[0] = static_cast<char>(0xFF);
  bytes[8] = 1;  // with the zeros before: reads as an identity frame to peers older than 3.0
  bytes[9] = 0x7F;
  bytes[10] = kMajor;
  bytes[11] = kMinor;
  const std::string_view name = mechanism.name();
  bytes.replace(12, name.size(), name);
  return bytes;
}

/// True while what has come so far can be the start of a ZMTP 3 greeting.
bool plausible(std::string_view bytes) {
  if (!bytes.empty() && bytes[0] != static_cast<char>(0xFF)) return false;
  if (bytes.size() > 9 && !(bytes[9] & 1)) return false;
  return bytes.size() <= 10 || static_cast<unsigned char>(bytes[10]) >= kMajor;
}

}  // namespace

Engine::Engine(const EngineConfig& config, PipeWriter& rx, int64_t now)
    : config_(config),
      mechanism_(null_mechanism(config.type, config.routing_id)),
      decoder_(rx, config.limits, config.type == SocketType::pub || config.type == SocketType::xpub,
               *this),
      output_(greeting(*mechanism_)) {
  if (config_.handshake_interval > 0) handshake_by_ = now + config_.handshake_interval;
}

int Engine::prepare(iovec (&out)[2]) {
  if (state_ == State::traffic) return output_.size() > kMaxOutput ? 0 : decoder_.prepare(out);
  if (state_ == State::failed || state_ == State::held) return 0;
  input_.resize(input_used_ + kHandshakeRead);
  out[0] = {input_.data() + input_used_, kHandshakeRead};
  return 1;
}

Engine::Outcome Engine::commit(std::size_t bytes, int64_t now) {
  if (state_ == State::traffic) {
    heard(now);
    return outcome(decoder_.commit(bytes));
  }
  input_used_ += bytes;
  input_total_ += bytes;
  return handshake(now);
}

Engine::Outcome Engine::handshake(int64_t now) {
  input_.resize(input_used_);
  if (state_ == State::greeting) {
    if (!take_greeting()) return failure_.value ? Outcome::failed : Outcome::ok;
    mechanism_->start(output_);
    state_ = State::handshake;
  }
  bool progress = true;
  Outcome result = Outcome::ok;
  while (result == Outcome::ok && progress) result = take_command(progress);
  if (result == Outcome::ok && input_total_ > kMaxHandshake) {
    return fail(protocol_failure(ProtocolError::zmtp_malformed_ready));
  }
  if (result == Outcome::ready) {
    handshake_by_ = kNever;
    heard(now);
    // ZMTP 3.0 has no PING: such peers may end the connection for it.
    const bool beats = config_.heartbeat_interval > 0 && peer_minor_ >= 1;
    if (beats) ping_at_ = now + config_.heartbeat_interval;
  }
  return result;
}

/// True when the whole greeting is there and good; false: more to come, or failed.
bool Engine::take_greeting() {
  if (!plausible(input_)) {
    fail(protocol_failure(ProtocolError::zmtp_unspecified));
    return false;
  }
  if (input_.size() < wire::kGreetingSize) return false;
  std::string name(20, '\0');
  name.replace(0, mechanism_->name().size(), mechanism_->name());
  if (input_.compare(12, 20, name) != 0) {
    fail(protocol_failure(ProtocolError::zmtp_mechanism_mismatch));
    return false;
  }
  const bool newer = static_cast<unsigned char>(input_[10]) > kMajor;
  peer_minor_ = newer ? kMinor : static_cast<unsigned char>(input_[11]);
  input_.erase(0, wire::kGreetingSize);
  input_used_ -= wire::kGreetingSize;
  return true;
}

Engine::Outcome Engine::take_command(bool& progress) {
  progress = false;
  if (input_.size() < wire::kShortHeader) return Outcome::ok;
  const auto flags = static_cast<uint8_t>(input_[0]);
  if (!(flags & wire::kCommand) || (flags & (wire::kReserved | wire::kMore))) {
    return fail(protocol_failure(ProtocolError::zmtp_unexpected_command));
  }
  if ((flags & wire::kLong) && input_.size() < wire::kLongHeader) return Outcome::ok;
  const wire::Header header = wire::read_header(input_.data());
  if (header.size > kMaxHandshake) {
    return fail(protocol_failure(ProtocolError::zmtp_malformed_ready));
  }
  if (input_.size() < header.length + header.size) return Outcome::ok;
  std::string_view name, data;
  const std::string body = input_.substr(header.length, static_cast<std::size_t>(header.size));
  input_.erase(0, header.length + body.size());
  input_used_ = input_.size();
  if (!split_command(body, name, data)) {
    return fail(protocol_failure(ProtocolError::zmtp_malformed_unspecified));
  }
  switch (mechanism_->receive(name, data, output_)) {
    case Mechanism::Step::more:
      progress = true;
      return Outcome::ok;
    case Mechanism::Step::failed:
      return fail(mechanism_->failure);
    case Mechanism::Step::done:
      break;
  }
  return check_peer();
}

Engine::Outcome Engine::check_peer() {
  if (compatible(config_.type, mechanism_->peer.socket_type)) {
    state_ = State::held;
    return Outcome::ready;
  }
  const std::string reason = "Invalid socket type";
  append_command(output_, "ERROR", static_cast<char>(reason.size()) + reason);
  return fail(protocol_failure(ProtocolError::zmtp_invalid_metadata));
}

Engine::Outcome Engine::begin_traffic() {
  state_ = State::traffic;
  const std::string rest = std::move(input_);
  input_.clear();
  return outcome(decoder_.begin(rest.data(), rest.size()));
}

Engine::Outcome Engine::resume(int64_t now) {
  if (state_ != State::traffic) return Outcome::ok;
  heard(now);  // silence was ours, not the peer's
  return outcome(decoder_.resume());
}

Engine::Outcome Engine::outcome(Decoder::Status status) {
  switch (status) {
    case Decoder::Status::ok:
      return Outcome::ok;
    case Decoder::Status::too_large:
      return fail({EventType::disconnected, EMSGSIZE});
    case Decoder::Status::no_memory:
      return fail({EventType::disconnected, ENOMEM});
    case Decoder::Status::malformed:
      break;
  }
  return fail({EventType::disconnected, EPROTO});
}

Engine::Outcome Engine::fail(Failure failure) {
  failure_ = failure;
  state_ = State::failed;
  return Outcome::failed;
}

void Engine::heard(int64_t now) {
  heard_at_ = now;
  heard_by_ = kNever;
  if (ttl_ > 0) ttl_by_ = now + ttl_;
}

bool Engine::on_command(std::string_view name, std::string_view data) {
  if (name == "PING") return on_ping(data);
  return name != "READY" && name != "ERROR";  // others are not for us; PONG was heard
}

bool Engine::on_ping(std::string_view data) {
  if (data.size() < 2 || data.size() > 2 + kMaxPingContext) return false;
  const int tenths = static_cast<unsigned char>(data[0]) << 8 | static_cast<unsigned char>(data[1]);
  ttl_ = tenths * 100 * kMillisecond;
  ttl_by_ = ttl_ > 0 ? heard_at_ + ttl_ : kNever;
  append_command(output_, "PONG", data.substr(2));
  return true;
}

int64_t Engine::deadline() const {
  if (state_ == State::failed) return kNever;
  const int64_t silence = throttled() ? kNever : std::min(heard_by_, ttl_by_);
  return std::min({handshake_by_, ping_at_, silence});
}

Engine::Outcome Engine::on_timer(int64_t now) {
  if (handshake_by_ <= now) return fail({EventType::handshake_failed_no_detail, ETIMEDOUT});
  if (!throttled() && std::min(heard_by_, ttl_by_) <= now) {
    return fail({EventType::disconnected, ETIMEDOUT});
  }
  if (ping_at_ <= now) {
    ping_at_ = now + config_.heartbeat_interval;
    if (output_.size() <= kMaxOutput) {
      const char ttl[2] = {static_cast<char>(config_.heartbeat_ttl >> 8),
                           static_cast<char>(config_.heartbeat_ttl)};
      append_command(output_, "PING", {ttl, sizeof ttl});
    }
    if (heard_by_ == kNever && config_.heartbeat_timeout > 0) {
      heard_by_ = now + config_.heartbeat_timeout;
    }
  }
  return Outcome::ok;
}

void Engine::probe() { output_.append(wire::kShortHeader, '\0'); }

void Engine::subscription(bool subscribe, std::string_view topic) {
  if (peer_minor_ >= 1) {
    append_command(output_, subscribe ? "SUBSCRIBE" : "CANCEL", topic);
    return;
  }
  char header[wire::kLongHeader];
  const char* end = wire::write_header(header, 0, topic.size() + 1);
  output_.append(header, static_cast<std::size_t>(end - header));
  output_.push_back(subscribe ? '\1' : '\0');
  output_.append(topic);
}

}  // namespace zerowire
