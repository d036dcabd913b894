#include "zerowire/socket.hpp"

#include <list>

#include "base/parker.hpp"
#include "socket_core.hpp"

namespace zerowire {

Result<Socket> Socket::create(const Context& context, SocketType type,
                              std::shared_ptr<Waker> waker) {
  const int number = static_cast<int>(type);
  if (number < 0 || number > static_cast<int>(SocketType::xsub)) {
    return Error{Errc::invalid, "socket type " + std::to_string(number)};
  }
  auto core = SocketCore::create(context.core(), type, std::move(waker));
  if (!core) return core.error();
  return Socket(std::move(core.value()));
}

Socket::Socket(std::unique_ptr<SocketCore> core) : core_(std::move(core)) {}
Socket::Socket(Socket&&) noexcept = default;
Socket& Socket::operator=(Socket&&) noexcept = default;
Socket::~Socket() = default;

SocketType Socket::type() const { return core_->options().type; }
bool Socket::closed() const { return core_->closed(); }
Result<void> Socket::set(Option option, int64_t value) { return core_->set(option, value); }
Result<void> Socket::set(Option option, std::string_view value) {
  return core_->set(option, value);
}
Result<int64_t> Socket::get_int(Option option) const { return core_->get_int(option); }
Result<std::string> Socket::get_string(Option option) const {
  return get_string_option(core_->options(), option);
}
Result<std::string> Socket::bind(std::string_view endpoint) { return core_->bind(endpoint); }
Result<void> Socket::connect(std::string_view endpoint) { return core_->connect(endpoint); }
Result<void> Socket::unbind(std::string_view endpoint) { return core_->unbind(endpoint); }
Result<void> Socket::disconnect(std::string_view endpoint) { return core_->disconnect(endpoint); }
void Socket::close() { core_->close(); }
void Socket::set_waker(std::shared_ptr<Waker> waker) { core_->set_waker(std::move(waker)); }
Errc Socket::try_send(std::span<const Part> parts) { return core_->try_send(parts); }
Errc Socket::try_receive(Inbound& message) { return core_->try_receive(message); }
Errc Socket::send(Message&& frame, bool more) { return core_->send_frame(std::move(frame), more); }
Errc Socket::send(std::string_view bytes, bool more) { return core_->send_bytes(bytes, more); }
Errc Socket::send(std::span<const Part> parts, int timeout_ms) {
  return core_->send(parts, timeout_ms);
}
Errc Socket::receive(Message& frame) { return core_->receive_frame(frame); }
Errc Socket::receive(Inbound& message, int timeout_ms) {
  return core_->receive(message, timeout_ms);
}
void Socket::cork() { core_->cork(); }
void Socket::uncork() { core_->uncork(); }
uint64_t Socket::room() { return core_->room(); }
unsigned Socket::readiness() { return core_->readiness(); }
bool Socket::arm() { return core_->arm(); }
void Socket::monitor(uint32_t mask) { core_->monitor(mask); }
bool Socket::try_event(Event& event) { return core_->try_event(event); }
Result<void> Socket::subscribe(std::string_view prefix) { return core_->subscribe(prefix, true); }
Result<void> Socket::unsubscribe(std::string_view prefix) {
  return core_->subscribe(prefix, false);
}

int poll(std::span<PollItem> items, int timeout_ms) {
  using Clock = std::chrono::steady_clock;
  const auto deadline = timeout_ms < 0 ? Clock::time_point::max()
                                       : Clock::now() + std::chrono::milliseconds(timeout_ms);
  for (;;) {
    int ready = 0;
    for (PollItem& item : items) {
      item.ready = item.socket->readiness() & item.wanted;
      if (item.ready) ++ready;
    }
    if (ready || timeout_ms == 0) return ready;
    if (timeout_ms > 0 && Clock::now() >= deadline) return 0;
    bool parked = true;
    std::list<Waiting> waiting;
    for (PollItem& item : items) {
      item.socket->core()->waits(waiting);
      item.socket->core()->sleep_with(Parker::mine());
      parked = item.socket->arm() && parked;
    }
    if (parked) Parker::mine()->sleep(deadline);
  }
}

}  // namespace zerowire
