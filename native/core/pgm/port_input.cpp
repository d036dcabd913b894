#include "pgm/port_input.hpp"

#include <netinet/in.h>
#include <netinet/udp.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>

namespace zerowire::pgm {
namespace {

constexpr std::size_t kIpv4Header = 20;

/// Octets of each datagram in a piece that the kernel put together; 0 = it is one.
std::size_t segment_size(msghdr& header) {
  for (cmsghdr* control = CMSG_FIRSTHDR(&header); control;
       control = CMSG_NXTHDR(&header, control)) {
    if (control->cmsg_level != IPPROTO_UDP || control->cmsg_type != UDP_GRO) continue;
    int size = 0;
    std::memcpy(&size, CMSG_DATA(control), sizeof size);
    return static_cast<std::size_t>(std::max(size, 0));
  }
  return 0;
}

Nla source(const sockaddr_storage& from, socklen_t size) {
  Address address;
  address.storage = from;
  address.size = size;
  return to_nla(address);
}

/// Without the IP header that raw IPv4 sockets deliver.
std::string_view without_header(std::string_view packet) {
  if (packet.size() < kIpv4Header) return {};
  const std::size_t header = (static_cast<unsigned char>(packet[0]) & 0xfu) * 4;
  return packet.size() < header ? std::string_view() : packet.substr(header);
}

}  // namespace

void PortInput::add(int fd, const Nla& group, bool raw) {
  raw_ = raw;
  const int on = 1;
  if (!raw) (void)setsockopt(fd, IPPROTO_UDP, UDP_GRO, &on, sizeof on);  // since Linux 5.0
  fds_.push_back(fd);
  groups_.push_back(group);
}

void PortInput::prepare() {
  for (std::size_t i = 0; i < kDatagrams; ++i) {
    batch_->iov[i] = {batch_->data[i], kDatagram};
    msghdr& header = batch_->headers[i].msg_hdr;
    header = {};
    header.msg_name = &batch_->from[i];
    header.msg_namelen = sizeof batch_->from[i];
    header.msg_iov = &batch_->iov[i];
    header.msg_iovlen = 1;
    header.msg_control = batch_->control[i];
    header.msg_controllen = sizeof batch_->control[i];
  }
}

bool PortInput::receive(PortSink& sink) {
  if (!batch_) batch_.reset(new (std::nothrow) Batch);
  if (!batch_) return false;
  bool more = false;
  for (std::size_t i = 0; i < fds_.size(); ++i) more |= receive_from(i, sink);
  return more;
}

bool PortInput::receive_from(std::size_t index, PortSink& sink) {
  prepare();
  const int got = ::recvmmsg(fds_[index], batch_->headers, kDatagrams, MSG_DONTWAIT, nullptr);
  if (got < 0) return errno == EINTR;
  for (int i = 0; i < got; ++i) hand_out(index, static_cast<std::size_t>(i), sink);
  return got == kDatagrams;
}

void PortInput::hand_out(std::size_t index, std::size_t message, PortSink& sink) {
  msghdr& header = batch_->headers[message].msg_hdr;
  if (header.msg_flags & MSG_TRUNC) return;
  std::string_view data(batch_->data[message], batch_->headers[message].msg_len);
  const Nla from = source(batch_->from[message], header.msg_namelen);
  if (raw_ && from.afi == Nla::kIpv4) data = without_header(data);
  const std::size_t segment = segment_size(header);
  const std::size_t step = segment ? segment : data.size();
  for (; !data.empty(); data.remove_prefix(std::min(step, data.size()))) {
    sink.on_datagram({data.substr(0, step), from, groups_[index]});
  }
}

}  // namespace zerowire::pgm
