// What users can tune on a descriptor, and how the system calls it.
#pragma once

#include <string>

#include "options.hpp"

namespace zerowire {

// Each function returns 0, or the errno of the first thing asked for that could not be done:
// ENOPROTOOPT when the platform has nothing like it.

/// Before connect or listen: buffer sizes, and for tcp the device, the type of service and the
/// congestion control, which accepted connections inherit.
int tune_socket(int fd, int family, const SocketOptions& options);
/// On a connection, or before it is made: no Nagle delay, keep-alive, retransmission limit.
int tune_tcp_connection(int fd, const SocketOptions& options);
/// A connection within this machine has no bottleneck to pace for, and no distance that a window
/// would have to span. Unless the user chose otherwise, it gets reno where the system's congestion
/// control is bbr, and, where messages only come in, a receive buffer that does not grow. Listeners
/// at loopback addresses get both, too.
void tune_loopback(int fd, const SocketOptions& options);
/// On any listener: a connection that bbr has begun with goes on being paced under reno, so they
/// all begin with reno. Returns what was left, empty if nothing was: see resume_pacing().
std::string leave_pacing(int fd, const SocketOptions& options);
/// On an accepted connection from another machine, with what its listener has left.
void resume_pacing(int fd, const std::string& left);
/// On a listener: an address in TIME_WAIT may be bound, [::] takes IPv4 connections as well.
int tune_tcp_listener(int fd, int family);
/// Binding to port 0 before connect shall not use up a port; one given may be in TIME_WAIT.
int tune_source(int fd, uint16_t port);

}  // namespace zerowire
