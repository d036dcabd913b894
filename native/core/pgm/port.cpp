#include "pgm/port.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include "pgm/port_input.hpp"
#include "pgm/port_output.hpp"
#include "pgm/port_sockets.hpp"

namespace zerowire::pgm {
namespace {

constexpr std::size_t kIpv4Header = 20;
constexpr std::size_t kIpv6Header = 40;
constexpr std::size_t kUdpHeader = 8;

}  // namespace

struct Port::State {
  State(const Endpoint& endpoint, const Network& found, const SocketOptions& options,
        PortSockets&& opened)
      : raw(endpoint.raw),
        port(endpoint.raw ? uint16_t{0} : endpoint.port),
        network(found),
        sockets(std::move(opened)),
        output(sockets.sending, found.send, raw),
        leaving{options.multicast_hops, options.multicast_loop} {}

  Address address(const Nla& nla) const;
  void reach(Reach wanted);

  const bool raw;
  const uint16_t port;  ///< of datagrams we send; 0 in raw packets
  const Network network;
  const PortSockets sockets;
  PortInput input;
  PortOutput output;
  const Leaving leaving;           ///< as the options say
  Reach reached = Reach::network;  ///< what the sending socket is set to
};

/// Where to send what is for `nla`.
Address Port::State::address(const Nla& nla) const {
  Address address = to_address(nla, port);
  if (address.family() == AF_INET6) {
    auto* in6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
    if (IN6_IS_ADDR_LINKLOCAL(&in6->sin6_addr) || IN6_IS_ADDR_MC_LINKLOCAL(&in6->sin6_addr)) {
      in6->sin6_scope_id = network.interface_index;
    }
  }
  return address;
}

void Port::State::reach(Reach wanted) {
  if (wanted == reached) return;
  reached = wanted;
  Leaving how = leaving;
  if (wanted != Reach::network) how = {wanted == Reach::link ? 1 : 0, true};
  (void)set_leaving(sockets.sending, network.interface.family(), how);
}

Port::Port(std::unique_ptr<State> state) : state_(std::move(state)) {}

Port::~Port() = default;

Result<std::unique_ptr<Port>> Port::open(const Endpoint& endpoint, const Network& network,
                                         const SocketOptions& options, bool sends) {
  Result<PortSockets> sockets = open_sockets(endpoint, network, options, sends);
  if (!sockets) return sockets.error();
  auto state = std::make_unique<State>(endpoint, network, options, std::move(sockets.value()));
  for (const PortSockets::Group& group : state->sockets.groups) {
    state->input.add(group.fd, group.group, endpoint.raw);
  }
  if (sends) state->input.add(state->sockets.unicast, {}, endpoint.raw);
  return std::unique_ptr<Port>(new Port(std::move(state)));
}

int Port::watch(Poller& poller, FdHandler* handler) {
  int error = poller.add(state_->sockets.sending, handler, 0);
  for (const int fd : state_->input.descriptors()) {
    if (!error) error = poller.add(fd, handler, kIn);
  }
  return error;
}

void Port::unwatch(Poller& poller, FdHandler* handler) {
  poller.remove(state_->sockets.sending, handler);
  for (const int fd : state_->input.descriptors()) poller.remove(fd, handler);
}

void Port::want_room(Poller& poller, FdHandler* handler, bool on) {
  poller.change(state_->sockets.sending, handler, on ? unsigned{kOut} : 0u);
}

void Port::forget_error() {
  int error = 0;
  socklen_t size = sizeof error;
  (void)::getsockopt(state_->sockets.sending, SOL_SOCKET, SO_ERROR, &error, &size);
}

bool Port::receive(PortSink& sink) { return state_->input.receive(sink); }

std::size_t Port::send(const std::string_view* packets, std::size_t count) {
  state_->reach(Reach::network);
  return state_->output.send(packets, count);
}

void Port::send_group(std::string_view packet, const Nla& group, Reach reach) {
  state_->reach(reach);
  const Address to = state_->address(group);
  state_->output.send_one(packet, to);
  // Our sources hear their own machine there only, others at the endpoint's interface only.
  const unsigned loopback = state_->sockets.loopback;
  if (reach != Reach::host || loopback == state_->network.interface_index) return;
  if (loopback != 0 && to.family() == AF_INET) state_->output.send_one_by(packet, to, loopback);
}

void Port::send_to(std::string_view packet, const Nla& to) {
  state_->output.send_one(packet, state_->address(to));
}

std::size_t Port::overhead() const {
  const bool ipv6 = state_->network.interface.family() == AF_INET6;
  return (ipv6 ? kIpv6Header : kIpv4Header) + (state_->raw ? 0 : kUdpHeader);
}

int Port::fd() const { return state_->sockets.sending; }

}  // namespace zerowire::pgm
