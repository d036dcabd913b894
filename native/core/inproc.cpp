#include "inproc.hpp"

#include <algorithm>

#include "pipe/control.hpp"
#include "socket_shared.hpp"
#include "zmtp/metadata.hpp"

namespace zerowire {

InprocRegistry::InprocRegistry() = default;
InprocRegistry::~InprocRegistry() { abandon(); }

void InprocRegistry::adopt(Link* link, const InprocSide& side) {
  link->ends[1].adopt(side.shared->mailbox, side.shared->acceptor);
}

/// Ends a waiting link as a peer would that is there only to go again.
void InprocRegistry::refuse(const Pending& pending) {
  pending.side.shared->emit(EventType::handshake_failed_protocol,
                            static_cast<uint32_t>(ProtocolError::zmtp_invalid_metadata), "inproc");
  PipeWriter& pipe = pending.link->pipes[1].writer;
  control::write_plain(pipe, control::Kind::end);
  const bool token = pipe.publish() != Claim::none;
  pending.link->ends[0].notify(kGone | (token ? uint32_t{kToken} : 0u));
  pending.link->unref();
}

Errc InprocRegistry::bind(const std::string& name, const InprocSide& side) {
  std::vector<Pending> adopted;  // freed after unlocking: they may hold the last of a socket
  const std::lock_guard lock(mutex_);
  if (!bound_.emplace(name, side).second) return Errc::address_in_use;
  const auto found = waiting_.find(name);
  if (found == waiting_.end()) return Errc::ok;
  adopted = std::move(found->second);
  waiting_.erase(found);
  for (const Pending& pending : adopted) {
    if (compatible(side.type, socket_type_name(pending.side.type)))
      adopt(pending.link, side);
    else
      refuse(pending);
  }
  return Errc::ok;
}

void InprocRegistry::unbind(const std::string& name, const SocketShared* socket) {
  const std::lock_guard lock(mutex_);
  const auto found = bound_.find(name);
  if (found != bound_.end() && found->second.shared.get() == socket) bound_.erase(found);
}

void InprocRegistry::unbind_all(const SocketShared* socket) {
  const std::lock_guard lock(mutex_);
  std::erase_if(bound_, [socket](const auto& item) { return item.second.shared.get() == socket; });
}

Link* InprocRegistry::connect(const std::string& name, const InprocSide& side, Errc& error) {
  const std::lock_guard lock(mutex_);
  const auto found = bound_.find(name);
  const bool bound = found != bound_.end();
  if (bound && !compatible(side.type, socket_type_name(found->second.type))) {
    error = Errc::invalid;
    return nullptr;
  }
  const int marks[2] = {
      bound ? inproc_mark(side.send_mark, found->second.receive_mark) : side.send_mark,
      bound ? inproc_mark(found->second.send_mark, side.receive_mark) : 0};
  Link* link = Link::create(marks, {true, true});
  if (!link) {
    error = Errc::no_memory;
    return nullptr;
  }
  link->send_mark = side.send_mark;
  link->receive_mark = side.receive_mark;
  if (bound)
    adopt(link, found->second);
  else
    waiting_[name].push_back({side, link});
  return link;
}

void InprocRegistry::let_go(Link* link, bool keep) {
  Pending dropped;  // freed after unlocking
  const std::lock_guard lock(mutex_);
  for (auto& [name, list] : waiting_) {
    const auto found =
        std::find_if(list.begin(), list.end(), [link](const Pending& p) { return p.link == link; });
    if (found == list.end()) continue;
    if (keep) {
      found->orphan = true;
    } else {
      dropped = *found;
      list.erase(found);
      link->unref();
    }
    return;
  }
}

void InprocRegistry::abandon() {
  std::vector<Pending> dropped;  // freed after unlocking
  const std::lock_guard lock(mutex_);
  for (auto& [name, list] : waiting_) {
    const auto first =
        std::partition(list.begin(), list.end(), [](const Pending& p) { return !p.orphan; });
    for (auto it = first; it != list.end(); ++it) {
      it->link->unref();
      dropped.push_back(*it);
    }
    list.erase(first, list.end());
  }
}

}  // namespace zerowire
