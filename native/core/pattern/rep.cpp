#include "pattern/rep.hpp"

#include "socket_core.hpp"

namespace zerowire {

void Rep::detach(Peer& peer) {
  readers_.remove(peer);
  if (asker_ == &peer) asker_ = nullptr;
}

Errc Rep::send(std::span<const Part> parts) {
  if (!replying_) return Errc::fsm;
  replying_ = false;
  Peer* peer = asker_;
  asker_ = nullptr;
  // An asker that is gone, or that asks without taking answers, loses this one.
  if (!peer || !peer->room()) return Errc::ok;
  for (const std::string& frame : envelope_) peer->frame({frame.data(), frame.size()}, true);
  return peer->write(parts) ? Errc::ok : Errc::no_memory;
}

Errc Rep::receive(Inbound& message) {
  if (replying_) return Errc::fsm;
  while (Peer* peer = readers_.receive(message)) {
    if (open_envelope(message)) {
      replying_ = true;
      asker_ = peer;
      return Errc::ok;
    }
    message.frames.clear();
  }
  return Errc::again;
}

/// False (not a request) without an empty frame and something behind it.
bool Rep::open_envelope(Inbound& message) {
  std::size_t size = 0;
  while (size < message.frames.size() && message.frames[size].size != 0) ++size;
  ++size;
  if (size >= message.frames.size()) return false;
  envelope_.clear();
  for (std::size_t i = 0; i < size; ++i) {
    envelope_.emplace_back(message.frames[i].data, message.frames[i].size);
  }
  message.frames.erase(message.frames.begin(),
                       message.frames.begin() + static_cast<std::ptrdiff_t>(size));
  return true;
}

}  // namespace zerowire
