// Without UDP_SEGMENT and UDP_GRO for the whole program, if the environment variable
// BENCH_NO_OFFLOAD is set: as on kernels or devices that do not have them. Include in exactly one
// file of a program: it stands in for functions of the C library.
#pragma once

#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace bench {

inline bool without(int level, int name) {
  static const bool off = std::getenv("BENCH_NO_OFFLOAD") != nullptr;
  return off && level == IPPROTO_UDP && (name == UDP_SEGMENT || name == UDP_GRO);
}

}  // namespace bench

extern "C" int setsockopt(int fd, int level, int name, const void* value, socklen_t size) noexcept {
  if (bench::without(level, name)) {
    errno = ENOPROTOOPT;
    return -1;
  }
  return static_cast<int>(syscall(SYS_setsockopt, fd, level, name, value, size));
}

extern "C" int getsockopt(int fd, int level, int name, void* value, socklen_t* size) noexcept {
  if (bench::without(level, name)) {
    errno = ENOPROTOOPT;
    return -1;
  }
  return static_cast<int>(syscall(SYS_getsockopt, fd, level, name, value, size));
}
