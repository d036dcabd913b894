#include "pgm/port_output.hpp"

#include <netinet/in.h>
#include <netinet/udp.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace zerowire::pgm {
namespace {

/// What the kernel cuts at most: its limit is 64 packets, and one IP packet's length.
constexpr std::size_t kMostSegments = 44;
constexpr std::size_t kMostBytes = 64'000;

/// So many packets are sent by a way that is known; it is found anew for some batches of them.
constexpr std::size_t kMany = 16;
constexpr unsigned kBatches = 32;

/// The kernel is full; anything else is the fault of one packet.
bool full(int error) { return error == EAGAIN || error == EWOULDBLOCK; }

/// Kernels and devices that cannot cut packets say so in these ways.
bool cannot_segment(int error) {
  return error == EIO || error == EINVAL || error == EOPNOTSUPP || error == EMSGSIZE;
}

}  // namespace

PortOutput::PortOutput(int fd, const Address& group, bool raw) : fd_(fd), group_(group) {
  if (raw && group_.family() == AF_INET) {
    reinterpret_cast<sockaddr_in*>(&group_.storage)->sin_port = 0;
  }
  if (raw && group_.family() == AF_INET6) {
    reinterpret_cast<sockaddr_in6*>(&group_.storage)->sin6_port = 0;
  }
  int ignored = 0;
  socklen_t size = sizeof ignored;
  segments_ = !raw && getsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &ignored, &size) == 0;
}

/// How many packets go into one message: of equal size, the last may be shorter.
std::size_t PortOutput::run(const std::string_view* packets, std::size_t count) const {
  const std::size_t size = packets[0].size();
  const std::size_t most =
      std::min({count, kMostSegments, std::max<std::size_t>(1, kMostBytes / size)});
  std::size_t length = 1;
  while (length < most && packets[length].size() == size) ++length;
  if (length < most && packets[length].size() < size) ++length;
  return length;
}

void PortOutput::add_message(iovec* first, std::size_t packets, std::size_t size) {
  msghdr& header = headers_[messages_].msg_hdr;
  header = {};
  if (named_) {
    header.msg_name = group_.get();
    header.msg_namelen = group_.size;
  }
  header.msg_iov = first;
  header.msg_iovlen = packets;
  if (packets > 1) {
    header.msg_control = control_[messages_];
    header.msg_controllen = kControl;
    cmsghdr* control = CMSG_FIRSTHDR(&header);
    control->cmsg_level = IPPROTO_UDP;
    control->cmsg_type = UDP_SEGMENT;
    control->cmsg_len = CMSG_LEN(sizeof(uint16_t));
    const auto each = static_cast<uint16_t>(size);
    std::memcpy(CMSG_DATA(control), &each, sizeof each);
  }
  packets_[messages_++] = packets;
}

/// The kernel looks up the way to a group for every packet, at a tenth of what it costs to send it,
/// unless the socket is connected. Then it does not notice that somebody on this machine joins.
void PortOutput::choose_way(std::size_t count) {
  named_ = true;
  if (count < kMany) return;
  if (batches_++ % kBatches == 0) connected_ = ::connect(fd_, group_.get(), group_.size) == 0;
  named_ = !connected_;
}

/// Fills the messages of one call; returns how many packets are in them.
std::size_t PortOutput::gather(const std::string_view* packets, std::size_t count) {
  messages_ = 0;
  std::size_t used = 0;
  while (used < std::min(count, kPackets) && messages_ < kMessages) {
    const std::size_t left = std::min(count, kPackets) - used;
    const std::size_t length = segments_ ? run(packets + used, left) : 1;
    for (std::size_t i = 0; i < length; ++i) {
      const std::string_view packet = packets[used + i];
      iov_[used + i] = {const_cast<char*>(packet.data()), packet.size()};
    }
    add_message(iov_ + used, length, packets[used].size());
    used += length;
  }
  return used;
}

std::size_t PortOutput::send(const std::string_view* packets, std::size_t count) {
  choose_way(count);
  std::size_t sent = 0;
  while (sent < count) {
    gather(packets + sent, count - sent);
    const int taken = ::sendmmsg(fd_, headers_, static_cast<unsigned>(messages_), MSG_DONTWAIT);
    if (taken >= 0) {
      for (int i = 0; i < taken; ++i) sent += packets_[i];
      continue;  // a fault that ended the call early comes up again
    }
    if (full(errno)) return sent;
    if (errno == EINTR) continue;
    if (packets_[0] > 1 && cannot_segment(errno)) {
      segments_ = false;
      continue;
    }
    sent += packets_[0];
  }
  return sent;
}

void PortOutput::send_one(std::string_view packet, const Address& to) {
  while (::sendto(fd_, packet.data(), packet.size(), MSG_DONTWAIT, to.get(), to.size) < 0) {
    if (errno != EINTR) return;
  }
}

void PortOutput::send_one_by(std::string_view packet, const Address& to, unsigned interface) {
  Address name = to;
  iovec bytes{const_cast<char*>(packet.data()), packet.size()};
  in_pktinfo info{};
  info.ipi_ifindex = static_cast<int>(interface);
  alignas(cmsghdr) char memory[CMSG_SPACE(sizeof info)] = {};
  msghdr header{};
  header.msg_name = name.get();
  header.msg_namelen = name.size;
  header.msg_iov = &bytes;
  header.msg_iovlen = 1;
  header.msg_control = memory;
  header.msg_controllen = sizeof memory;
  cmsghdr* control = CMSG_FIRSTHDR(&header);
  control->cmsg_level = IPPROTO_IP;
  control->cmsg_type = IP_PKTINFO;
  control->cmsg_len = CMSG_LEN(sizeof info);
  std::memcpy(CMSG_DATA(control), &info, sizeof info);
  (void)!::sendmsg(fd_, &header, MSG_DONTWAIT);
}

}  // namespace zerowire::pgm
