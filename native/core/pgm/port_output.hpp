// PortOutput: how packets leave a port.
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include <string_view>

#include "net/address.hpp"

namespace zerowire::pgm {

/// Many packets per system call. Packets of equal size go to the kernel as one piece, to be cut
/// there (UDP_SEGMENT), as long as kernel and device can do that. Belongs to a Port.
class PortOutput {
 public:
  /// `fd` stays the caller's.
  PortOutput(int fd, const Address& group, bool raw);

  /// To the group. Returns how many the kernel took; see Port::send().
  std::size_t send(const std::string_view* packets, std::size_t count);
  void send_one(std::string_view packet, const Address& to);
  /// The same by another IPv4 interface.
  void send_one_by(std::string_view packet, const Address& to, unsigned interface);

 private:
  static constexpr std::size_t kMessages = 64;  ///< per call
  static constexpr std::size_t kPackets = 256;  ///< per call, in all messages
  static constexpr std::size_t kControl = CMSG_SPACE(sizeof(uint16_t));

  void choose_way(std::size_t count);
  std::size_t gather(const std::string_view* packets, std::size_t count);
  void add_message(iovec* first, std::size_t packets, std::size_t size);
  std::size_t run(const std::string_view* packets, std::size_t count) const;

  const int fd_;
  Address group_;
  bool connected_ = false;
  bool named_ = true;         ///< packets carry the group's address
  unsigned batches_ = 0;      ///< of many packets
  bool segments_;             ///< UDP_SEGMENT has not failed yet
  std::size_t messages_ = 0;  ///< gathered
  iovec iov_[kPackets];
  mmsghdr headers_[kMessages];
  std::size_t packets_[kMessages];  ///< of each message
  alignas(cmsghdr) char control_[kMessages][kControl];
};

}  // namespace zerowire::pgm
