#include "pattern/pattern.hpp"

#include "pattern/dealer.hpp"
#include "pattern/pair.hpp"
#include "pattern/pub.hpp"
#include "pattern/pull.hpp"
#include "pattern/push.hpp"
#include "pattern/rep.hpp"
#include "pattern/req.hpp"
#include "pattern/router.hpp"
#include "pattern/sub.hpp"

namespace zerowire {

std::unique_ptr<Pattern> Pattern::create(SocketCore& socket, SocketType type) {
  switch (type) {
    case SocketType::pair:
      return std::make_unique<Pair>(socket);
    case SocketType::pub:
      return std::make_unique<Pub>(socket, false);
    case SocketType::xpub:
      return std::make_unique<Pub>(socket, true);
    case SocketType::sub:
      return std::make_unique<Sub>(socket, false);
    case SocketType::xsub:
      return std::make_unique<Sub>(socket, true);
    case SocketType::req:
      return std::make_unique<Req>(socket);
    case SocketType::rep:
      return std::make_unique<Rep>(socket);
    case SocketType::dealer:
      return std::make_unique<Dealer>(socket);
    case SocketType::router:
      return std::make_unique<Router>(socket);
    case SocketType::pull:
      return std::make_unique<Pull>(socket);
    case SocketType::push:
      return std::make_unique<Push>(socket);
  }
  return nullptr;
}

Errc Pattern::send(std::span<const Part>) { return Errc::not_supported; }
Errc Pattern::receive(Inbound&) { return Errc::not_supported; }
Errc Pattern::subscribe(std::string_view, bool) { return Errc::not_supported; }

}  // namespace zerowire
