#include "net/listener.hpp"

#include <cerrno>

#include "context.hpp"
#include "net/connection.hpp"

namespace zerowire {
namespace {

constexpr int kAcceptsPerRound = 64;
constexpr int64_t kPause = 100 * kMillisecond;

bool out_of_resources(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

}  // namespace

Listener::Listener(std::shared_ptr<Reactor> reactor, std::shared_ptr<SocketShared> shared,
                   const ListenSocket& socket, const SocketOptions& options, std::string address,
                   uint32_t id)
    : reactor_(std::move(reactor)),
      shared_(std::move(shared)),
      socket_(socket),
      options_(options),
      address_(std::move(address)),
      id_(id) {}

Listener::~Listener() { close(); }

void Listener::start() { watch(); }

void Listener::watch() {
  const int error = reactor_->poller().add(socket_.fd, this, kIn);
  watching_ = error == 0;
  if (error) pause(error);
}

void Listener::pause(int error) {
  shared_->emit(EventType::accept_failed, static_cast<uint32_t>(error), address_);
  if (watching_) reactor_->poller().remove(socket_.fd, this);
  watching_ = false;
  reactor_->timers().set(*this, reactor_->now() + kPause);
}

void Listener::on_timer(int64_t) { watch(); }

void Listener::on_ready(unsigned) {
  for (int i = 0; i < kAcceptsPerRound; ++i) {
    Address peer;
    const int fd = accept_connection(socket_, options_, peer);
    if (fd == -EAGAIN || fd == -EINVAL) return;  // none waits; stopped meanwhile
    if (fd >= 0) {
      take(fd, peer);
    } else if (out_of_resources(-fd)) {
      return pause(-fd);
    } else if (fd != -ECONNABORTED && fd != -EINTR) {
      shared_->emit(EventType::accept_failed, static_cast<uint32_t>(-fd), address_);
      return;
    }
  }
}

void Listener::take(int fd, const Address& peer) {
  const std::string peer_text = peer.endpoint();
  shared_->emit(EventType::accepted, static_cast<uint32_t>(fd), address_, peer_text);
  std::shared_ptr<Reactor> reactor = shared_->context->choose_reactor(options_.affinity);
  auto connection = Connection::accepted(reactor, shared_, options_, fd, address_, peer_text, id_);
  if (connection) Connection::run(std::move(connection));
}

void Listener::close() {
  if (socket_.fd < 0) return;
  if (watching_) reactor_->poller().remove(socket_.fd, this);
  reactor_->timers().cancel(*this);
  const auto fd = static_cast<uint32_t>(socket_.fd);
  // The socket has taken its file away (stop_listener); what is there now may be another's, even
  // with the same inode number.
  socket_.path.clear();
  close_listener(socket_);
  socket_.fd = -1;
  shared_->emit(EventType::closed, fd, address_);
}

void Listener::socket_closed(const SocketShared& socket) {
  if (&socket == shared_.get()) reactor_->retire(this);
}

}  // namespace zerowire
