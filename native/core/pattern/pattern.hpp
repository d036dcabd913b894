// Pattern: what distinguishes one socket type from another.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "peer.hpp"

namespace zerowire {

class SocketCore;

/// Owned by its socket, used on the socket's thread. The socket tells it of its peers; it decides
/// who gets and who gives the next message.
class Pattern {
 public:
  static std::unique_ptr<Pattern> create(SocketCore& socket, SocketType type);

  explicit Pattern(SocketCore& socket) : socket_(socket) {}
  virtual ~Pattern() = default;

  /// A new peer; false refuses it (the connection is closed).
  virtual bool attach(Peer& peer) = 0;
  /// The peer is going to be destroyed.
  virtual void detach(Peer& peer) = 0;
  /// It may take messages (again): it is new, came up, or has room.
  virtual void writable(Peer&) {}
  /// It takes no more messages, for good or until it comes up again.
  virtual void unwritable(Peer&) {}
  /// The socket holds the token of its pipe: there is something to read.
  virtual void readable(Peer& peer) = 0;
  /// The connection is established (again); `peer.routing_id` is known.
  virtual void up(Peer&) {}
  virtual void down(Peer&) {}

  /// Sends or refuses all parts; there is at least one.
  virtual Errc send(std::span<const Part> parts);
  virtual Errc receive(Inbound& message);
  /// Nearly exact: a send / receive may still find that it would block.
  virtual bool can_send() { return false; }
  virtual bool can_receive() { return false; }
  /// How many sends in a row would surely succeed, given messages that are valid.
  virtual uint64_t room() { return 0; }

  /// The one peer there is to read from, if its messages are passed on as they are.
  virtual Peer* only_reader() { return nullptr; }
  /// The one peer that gets whatever is sent, as it is.
  virtual Peer* only_writer() { return nullptr; }

  /// The socket is about to wait: tokens of peers that had nothing are given up, so that their
  /// next message is told. False when one has got something meanwhile.
  virtual bool rest() { return true; }

  virtual Errc subscribe(std::string_view prefix, bool on);

 protected:
  SocketCore& socket_;
};

}  // namespace zerowire
