#include "net/dialer.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "context.hpp"

namespace zerowire {

void Dialer::start() {
  if (endpoint_.scheme == Scheme::ipc) return connect_to(ipc_address(endpoint_.host));
  Address address;
  if (numeric_address(endpoint_.host, endpoint_.port, address)) return connect_to(address);
  resolve();
}

void Dialer::resolve() {
  alive_ = std::make_shared<Dialer*>(this);
  std::weak_ptr<Dialer*> alive = alive_;
  std::shared_ptr<Reactor> reactor = reactor_.shared_from_this();
  shared_.emit(EventType::connect_delayed, EINPROGRESS, endpoint_.text);
  auto answered = [alive, reactor](const Result<Address>& answer) {
    reactor->run_soon([alive, answer] {
      const std::shared_ptr<Dialer*> dialer = alive.lock();
      if (!dialer) return;
      if (answer)
        (*dialer)->connect_to(answer.value());
      else
        (*dialer)->failed(static_cast<int>(answer.error().code));
    });
  };
  shared_.context->resolver.resolve(
      {endpoint_.host, endpoint_.port, options_.ipv6, turn_, std::move(answered)});
}

void Dialer::connect_to(const Address& address) {
  bool in_progress = false;
  const int fd = start_connect(address, endpoint_, options_, in_progress);
  if (fd < 0) return failed(-fd);
  fd_ = fd;
  const int error = reactor_.poller().add(fd_, this, kOut);
  if (error) return failed(error);
  if (!in_progress) return on_ready(kOut);
  shared_.emit(EventType::connect_delayed, EINPROGRESS, endpoint_.text);
  if (options_.connect_timeout > 0) {
    reactor_.timers().set(*this, reactor_.now() + options_.connect_timeout * kMillisecond);
  }
}

void Dialer::on_ready(unsigned) {
  const int error = connect_result(fd_);
  if (error) return failed(error);
  reactor_.poller().remove(fd_, this);
  reactor_.timers().cancel(*this);
  const int fd = fd_;
  fd_ = -1;
  shared_.emit(EventType::connected, static_cast<uint32_t>(fd), endpoint_.text,
               peer_address(fd).endpoint());
  owner_.on_dialed(fd);
}

void Dialer::on_timer(int64_t) {
  if (!waiting_) return failed(ETIMEDOUT);
  waiting_ = false;
  start();
}

void Dialer::failed(int) {
  ++turn_;
  close_fd();
  retry();
}

void Dialer::close_fd() {
  if (fd_ < 0) return;
  reactor_.poller().remove(fd_, this);
  ::close(fd_);
  shared_.emit(EventType::closed, static_cast<uint32_t>(fd_), endpoint_.text);
  fd_ = -1;
}

void Dialer::retry() {
  reactor_.timers().cancel(*this);
  if (options_.reconnect_interval < 0) return owner_.on_dial_ended();
  const int64_t delay = next_delay();
  waiting_ = true;
  shared_.emit(EventType::connect_retried, static_cast<uint32_t>(delay), endpoint_.text);
  reactor_.timers().set(*this, reactor_.now() + delay * kMillisecond);
}

/// Milliseconds. Without a maximum: the interval plus up to as much again. With one: doubling up
/// to it, and half of it at random, so that many peers of a restarted server spread out.
int64_t Dialer::next_delay() {
  const int64_t base = options_.reconnect_interval;
  const int64_t most = options_.reconnect_max_interval;
  if (most <= base) return base + static_cast<int64_t>(reactor_.random().below(base + 1));
  interval_ = interval_ == 0 ? base : std::min(interval_ * 2, most);
  return interval_ / 2 + static_cast<int64_t>(reactor_.random().below(interval_ / 2 + 1));
}

void Dialer::stop() {
  alive_.reset();
  waiting_ = false;
  reactor_.timers().cancel(*this);
  close_fd();
}

}  // namespace zerowire
