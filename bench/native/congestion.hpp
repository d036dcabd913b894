// Lets every TCP socket of the program, whichever library makes it, use the congestion control
// named by the environment variable BENCH_CONGESTION ("reno"); the machine's default otherwise.
// Include in exactly one file of a program: it stands in for the C library's socket().
#pragma once

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

// Visible to shared libraries, whatever the program is compiled with.
extern "C" __attribute__((visibility("default"))) int socket(int domain, int type,
                                                             int protocol) noexcept {
  const int fd = static_cast<int>(syscall(SYS_socket, domain, type, protocol));
  const char* name = std::getenv("BENCH_CONGESTION");
  const bool tcp = (domain == AF_INET || domain == AF_INET6) && (type & 0xf) == SOCK_STREAM;
  if (fd >= 0 && tcp && name != nullptr) {
    setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, static_cast<socklen_t>(std::strlen(name)));
  }
  return fd;
}
