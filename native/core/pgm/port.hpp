// Port: the sockets of a PGM endpoint.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "net/address.hpp"
#include "options.hpp"
#include "pgm/endpoint.hpp"
#include "pgm/wire.hpp"
#include "reactor/poller.hpp"
#include "zerowire/error.hpp"

namespace zerowire::pgm {

/// A received PGM packet, without IP or UDP header.
struct Received {
  std::string_view packet;
  Nla from;
  Nla group;  ///< it was sent to; afi 0: to our own address
};

class PortSink {
 public:
  virtual void on_datagram(const Received& received) = 0;

 protected:
  ~PortSink() = default;
};

/// System calls only. Owned by a session; opened on any thread, then used on its reactor's.
class Port {
 public:
  /// Opens, binds and joins; `sends`: data is sent, so that NAKs have to be heard. EPERM for raw
  /// sockets says what is needed.
  static Result<std::unique_ptr<Port>> open(const Endpoint& endpoint, const Network& network,
                                            const SocketOptions& options, bool sends);
  ~Port();

  /// Watches the descriptors with `handler`. 0 or errno.
  int watch(Poller& poller, FdHandler* handler);
  void unwatch(Poller& poller, FdHandler* handler);
  /// Whether `handler` is to hear (kOut) when send() would take more.
  void want_room(Poller& poller, FdHandler* handler, bool on);

  /// Takes an error of the sending descriptor, which is reported until somebody does.
  void forget_error();

  /// Reads a batch of datagrams and hands them out; false when there is nothing more now.
  bool receive(PortSink& sink);

  /// Sends packets to the group; returns how many the kernel took (all, or it is full: try again
  /// when writable). Faults of single packets (ENETUNREACH ...) count as sent.
  std::size_t send(const std::string_view* packets, std::size_t count);
  enum class Reach : uint8_t { network, link, host };
  /// One packet to a group, no further than `reach`; lost when the kernel is full.
  void send_group(std::string_view packet, const Nla& group, Reach reach);
  void send_to(std::string_view packet, const Nla& to);

  /// Octets of IP and UDP headers.
  std::size_t overhead() const;
  /// The descriptor that events tell of.
  int fd() const;

 private:
  struct State;
  explicit Port(std::unique_ptr<State> state);
  const std::unique_ptr<State> state_;
};

}  // namespace zerowire::pgm
