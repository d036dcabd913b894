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
/// While the kernel delivers large pieces, only few are read at a time: they are still in the
/// processor's cache when they are taken apart.
constexpr std::size_t kMuch = 256 * 1024;
constexpr std::size_t kFew = 8;

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

bool PortInput::create_batch() {
  batch_.reset(new (std::nothrow) Batch);
  if (!batch_) return false;
  for (std::size_t i = 0; i < kDatagrams; ++i) {
    batch_->iov[i] = {batch_->data[i], kDatagram};
    msghdr& header = batch_->headers[i].msg_hdr;
    header = {};
    header.msg_name = &batch_->from[i];
    header.msg_iov = &batch_->iov[i];
    header.msg_iovlen = 1;
    header.msg_control = batch_->control[i];
    renew(i);
  }
  return true;
}

/// What a call has changed becomes as it was.
void PortInput::renew(std::size_t message) {
  msghdr& header = batch_->headers[message].msg_hdr;
  header.msg_namelen = sizeof batch_->from[message];
  header.msg_controllen = sizeof batch_->control[message];
}

bool PortInput::receive(PortSink& sink) {
  if (!batch_ && !create_batch()) return false;
  bool more = false;
  for (std::size_t i = 0; i < fds_.size(); ++i) more |= receive_from(i, sink);
  return more;
}

bool PortInput::receive_from(std::size_t index, PortSink& sink) {
  const auto asked = static_cast<unsigned>(most_);
  const int got = ::recvmmsg(fds_[index], batch_->headers, asked, MSG_DONTWAIT, nullptr);
  if (got < 0) return errno == EINTR;
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < static_cast<std::size_t>(got); ++i) {
    bytes += batch_->headers[i].msg_len;
    hand_out(index, i, sink);
    renew(i);
  }
  most_ = bytes > kMuch ? kFew : kDatagrams;
  return static_cast<unsigned>(got) == asked;
}

void PortInput::hand_out(std::size_t index, std::size_t message, PortSink& sink) {
  msghdr& header = batch_->headers[message].msg_hdr;
  if (header.msg_flags & MSG_TRUNC) return;
  std::string_view data(batch_->data[message], batch_->headers[message].msg_len);
  const Nla from = source(batch_->from[message], header.msg_namelen);
  if (raw_ && from.afi == Nla::kIpv4) data = without_header(data);
  const std::size_t segment = segment_size(header);
  const std::size_t step = segment ? segment : data.size();
  Received received{{}, from, groups_[index]};
  for (; !data.empty(); data.remove_prefix(std::min(step, data.size()))) {
    received.packet = data.substr(0, step);
    sink.on_datagram(received);
  }
}

}  // namespace zerowire::pgm
