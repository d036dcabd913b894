// Binding and connecting: what a socket's endpoints bring into being, and end.
#include <algorithm>

#include "net/connection.hpp"
#include "net/listener.hpp"
#include "pgm/session.hpp"
#include "pipe/control.hpp"
#include "socket_core.hpp"

namespace zerowire {
namespace {

bool does_multicast(SocketType type) {
  return type == SocketType::pub || type == SocketType::sub || type == SocketType::xpub ||
         type == SocketType::xsub;
}

}  // namespace

InprocSide SocketCore::inproc_side() const {
  return {shared_, options_.type, options_.send_high_water_mark, options_.receive_high_water_mark};
}

Result<std::string> SocketCore::bind(std::string_view text) {
  if (state() != Errc::ok) return failure(state(), text);
  Result<Endpoint> endpoint = parse_endpoint(text);
  if (!endpoint) return endpoint.error();
  process();
  Result<std::string> bound = bind_endpoint(endpoint.value());
  if (bound) {
    options_.last_endpoint = bound.value();
  } else {
    shared_->emit(EventType::bind_failed, static_cast<uint32_t>(bound.error().code),
                  std::string(text));
  }
  return bound;
}

Result<std::string> SocketCore::bind_endpoint(const Endpoint& endpoint) {
  if (endpoint.scheme == Scheme::inproc) return bind_inproc(endpoint);
  if (endpoint.scheme != Scheme::multicast) return bind_network(endpoint);
  Result<void> joined = join_multicast(endpoint, EventType::listening);
  if (!joined) return joined.error();
  return endpoint.text;
}

Result<std::string> SocketCore::bind_inproc(const Endpoint& endpoint) {
  const Errc error = shared_->context->inproc.bind(endpoint.host, inproc_side());
  if (error != Errc::ok) return failure(error, endpoint.text);
  Bound bound;
  bound.text = bound.endpoint = endpoint.text;
  bound_.push_back(std::move(bound));
  process();
  return endpoint.text;
}

Result<std::string> SocketCore::bind_network(const Endpoint& endpoint) {
  Result<ListenSocket> socket = open_listener(endpoint, options_);
  if (!socket) return socket.error();
  Bound bound;
  bound.reactor = shared_->context->choose_reactor(options_.affinity);
  if (!bound.reactor) {
    close_listener(socket.value());
    return failure(Errc::invalid, "the context has no IO threads for " + endpoint.text);
  }
  networked_ = true;
  bound.text = endpoint.text;
  bound.endpoint = socket.value().address.endpoint();
  bound.id = ++listeners_;
  bound.socket = socket.value();
  auto listener = std::make_unique<Listener>(bound.reactor, shared_, bound.socket, options_,
                                             bound.endpoint, bound.id);
  bound.listener = listener.get();
  shared_->emit(EventType::listening, static_cast<uint32_t>(bound.socket.fd), bound.endpoint);
  bound.reactor->run_soon([raw = listener.release(), reactor = bound.reactor.get()] {
    reactor->add(std::unique_ptr<Listener>(raw));
    raw->start();
  });
  bound_.push_back(bound);
  return bound.endpoint;
}

Result<void> SocketCore::connect(std::string_view text) {
  if (state() != Errc::ok) return failure(state(), text);
  Result<Endpoint> endpoint = parse_endpoint(text);
  if (!endpoint) return endpoint.error();
  Result<void> connectable = check_connectable(endpoint.value());
  if (!connectable) return connectable;
  process();
  Result<void> done = connect_endpoint(endpoint.value());
  if (done) options_.last_endpoint = endpoint.value().text;
  return done;
}

Result<void> SocketCore::connect_endpoint(const Endpoint& endpoint) {
  if (endpoint.scheme == Scheme::inproc) return connect_inproc(endpoint);
  if (endpoint.scheme != Scheme::multicast) return connect_network(endpoint);
  return join_multicast(endpoint, EventType::connected);
}

Result<void> SocketCore::connect_inproc(const Endpoint& endpoint) {
  Errc error = Errc::ok;
  Link* link = shared_->context->inproc.connect(endpoint.host, inproc_side(), error);
  if (!link) return failure(error, endpoint.text);
  Peer& peer = add_peer(link->ends[0], Peer::Kind::inproc);
  link->ends[0].adopt(shared_->mailbox, &peer);
  link->latest[0].on = conflates_output(options_);
  link->conflate = conflates_input(options_);
  connected_.push_back({endpoint.text, &peer});
  control::write_up(link->pipes[0].writer, 0, options_.routing_id);
  const bool token = link->pipes[0].writer.publish() != Claim::none;
  link->ends[1].notify(kAttach | (token ? uint32_t{kToken} : 0u));
  attach(peer);
  return {};
}

Result<void> SocketCore::connect_network(const Endpoint& endpoint) {
  std::shared_ptr<Reactor> reactor = shared_->context->choose_reactor(options_.affinity);
  if (!reactor) {
    return failure(Errc::invalid, "the context has no IO threads for " + endpoint.text);
  }
  Peer* peer = add_dialed(endpoint);
  if (!peer) return failure(Errc::no_memory, endpoint.text);
  Connection::run(
      Connection::dialing(std::move(reactor), shared_, options_, &peer->link(), endpoint));
  attach(*peer);
  return {};
}

/// The peer that a network connection will be; null without memory.
Peer* SocketCore::add_dialed(const Endpoint& endpoint) {
  Link* link = Link::create({options_.send_high_water_mark, options_.receive_high_water_mark},
                            {false, true});
  if (!link) return nullptr;
  networked_ = true;
  Peer& peer = add_peer(link->ends[0], Peer::Kind::dialed);
  link->ends[0].adopt(shared_->mailbox, &peer);
  link->latest[0].on = conflates_output(options_);
  link->latest[1].on = conflates_input(options_);
  connected_.push_back({endpoint.text, &peer});
  return &peer;
}

/// The socket's thread opens the descriptors, so that whoever binds or connects hears of failures.
Result<void> SocketCore::join_multicast(const Endpoint& endpoint, EventType joined) {
  if (!does_multicast(options_.type)) {
    return failure(Errc::no_compatible_protocol, endpoint.text);
  }
  Result<std::unique_ptr<pgm::Session>> session = pgm::Session::open(shared_, options_, endpoint);
  if (!session) return session.error();
  std::shared_ptr<Reactor> reactor = shared_->context->choose_reactor(options_.affinity);
  if (!reactor) {
    return failure(Errc::invalid, "the context has no IO threads for " + endpoint.text);
  }
  Peer* peer = add_dialed(endpoint);
  if (!peer) return failure(Errc::no_memory, endpoint.text);
  peer->link().everything = true;
  pgm::Session::run(std::move(session.value()), std::move(reactor), &peer->link(), joined);
  attach(*peer);
  return {};
}

Result<void> SocketCore::unbind(std::string_view text) {
  if (state() != Errc::ok) return failure(state(), text);
  process();
  if (is_multicast(text)) return disconnect(text);
  const auto found = std::find_if(bound_.begin(), bound_.end(), [text](const Bound& bound) {
    return bound.text == text || bound.endpoint == text;
  });
  if (found == bound_.end()) return failure(Errc::no_entry, text);
  Bound bound = std::move(*found);
  bound_.erase(found);
  if (bound.id == 0) {
    shared_->context->inproc.unbind(bound.endpoint.substr(sizeof "inproc://" - 1), shared_.get());
    return {};
  }
  stop_listener(bound.socket);
  bound.reactor->run_soon(
      [reactor = bound.reactor.get(), listener = bound.listener] { reactor->retire(listener); });
  shared_->linger = options_.linger;
  for (const auto& peer : peers_) {
    if (peer->link().listener == bound.id) peer->disconnect();
  }
  return {};
}

Result<void> SocketCore::disconnect(std::string_view text) {
  if (state() != Errc::ok) return failure(state(), text);
  process();
  const auto found = std::find_if(connected_.begin(), connected_.end(),
                                  [text](const Connected& item) { return item.text == text; });
  if (found == connected_.end()) return failure(Errc::no_entry, text);
  Peer& peer = *found->peer;
  connected_.erase(found);
  if (peer.dirty) flush_collected(false);
  shared_->linger = options_.linger;
  if (peer.kind() == Peer::Kind::inproc) shared_->context->inproc.let_go(&peer.link(), false);
  unlearn();
  pattern_->unwritable(peer);
  peer.disconnect();
  return {};
}

}  // namespace zerowire
