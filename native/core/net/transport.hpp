// System calls of the stream transports: sockets are created, tuned, bound, connected, accepted.
// All descriptors are non-blocking and close-on-exec. Functions return errno values, never throw.
// A tuning the user asked for that the system refuses (unknown congestion control, device without
// permission) fails the operation. Any thread may call; a ListenSocket has one owner.
#pragma once

#include <sys/types.h>

#include <string>

#include "net/address.hpp"
#include "net/endpoint.hpp"
#include "options.hpp"
#include "zerowire/error.hpp"

namespace zerowire {

/// A listening socket and where it really listens.
struct ListenSocket {
  int fd = -1;
  Address address;        ///< with the port or path that a wildcard became
  std::string path;       ///< ipc with a file: to be unlinked before closing; else empty
  std::string directory;  ///< ipc://*: temporary directory to be removed after closing; else empty
  dev_t device = 0;       ///< with inode: which file we made at path, so that another's is kept
  ino_t inode = 0;
  std::string pacing;  ///< what accepted connections take up: resume_pacing()
};

/// Binds and listens. ipc: a stale socket file (nobody accepts there) is replaced, a live one is
/// EADDRINUSE; "*" is a new directory below $TMPDIR or /tmp. tcp: SO_REUSEADDR, dual stack for
/// "*" with options.ipv6 (IPv4 alone where the machine has no IPv6).
Result<ListenSocket> open_listener(const Endpoint& endpoint, const SocketOptions& options);
/// Gives the address free at once while another thread still owns (and may be using) the
/// descriptor: an unconnected socket is put in its place, for the owner to close.
void stop_listener(const ListenSocket& listener);
/// Removes the ipc file and directory and closes the descriptor. May be called again.
void close_listener(ListenSocket& listener);
/// Accepts one connection and tunes it. Returns the descriptor, or -errno (-EAGAIN: none waiting;
/// -ECONNABORTED and other faults of that one connection too).
int accept_connection(const ListenSocket& listener, const SocketOptions& options, Address& peer);

/// Starts to connect to `remote`; sets `in_progress` when the result comes later as writability
/// (then `connect_result`). Returns the descriptor, or -errno (-EAGAIN: the ipc listener's backlog
/// is full, try again later).
int start_connect(const Address& remote, const Endpoint& endpoint, const SocketOptions& options,
                  bool& in_progress);
/// 0, or the errno of a finished connect. A TCP socket connected to itself is ECONNREFUSED.
int connect_result(int fd);
/// Remote address of a connected descriptor (empty when unknown).
Address peer_address(int fd);

}  // namespace zerowire
