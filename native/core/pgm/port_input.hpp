// PortInput: how packets come into a port.
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include <memory>
#include <vector>

#include "net/address.hpp"
#include "pgm/port.hpp"

namespace zerowire::pgm {

/// Many datagrams per system call. Where the kernel hands over datagrams of one source in one piece
/// (UDP_GRO), they are taken apart again. Belongs to a Port.
class PortInput {
 public:
  /// `fd` stays the caller's; `group`: what it is bound to (afi 0: our own address).
  void add(int fd, const Nla& group, bool raw);
  const std::vector<int>& descriptors() const { return fds_; }
  /// See Port::receive().
  bool receive(PortSink& sink);

 private:
  static constexpr std::size_t kDatagrams = 64;  ///< per call
  /// The longest that UDP_GRO, or an IP packet, can be. Untouched pages cost nothing.
  static constexpr std::size_t kDatagram = 64 * 1024;
  /// Apart, so that datagrams of usual size do not all lie in the same lines of the cache.
  static constexpr std::size_t kStagger = 2 * 1024;

  /// What a call fills in.
  struct Batch {
    char data[kDatagrams][kDatagram + kStagger];
    sockaddr_storage from[kDatagrams];
    alignas(cmsghdr) char control[kDatagrams][CMSG_SPACE(sizeof(int))];
    iovec iov[kDatagrams];
    mmsghdr headers[kDatagrams];
  };

  bool create_batch();
  bool receive_from(std::size_t index, PortSink& sink);
  void hand_out(std::size_t index, std::size_t message, PortSink& sink);
  void renew(std::size_t message);

  std::vector<int> fds_;
  std::vector<Nla> groups_;  ///< of each
  bool raw_ = false;
  std::unique_ptr<Batch> batch_;   ///< from the first datagram on
  std::size_t most_ = kDatagrams;  ///< for the next call
};

}  // namespace zerowire::pgm
