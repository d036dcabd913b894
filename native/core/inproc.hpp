// InprocRegistry: the names that sockets of a context bind and connect to in-process.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "pipe/link.hpp"
#include "zerowire/error.hpp"
#include "zerowire/options.hpp"

namespace zerowire {

class SocketShared;

/// What one socket tells the other through the registry.
struct InprocSide {
  std::shared_ptr<SocketShared> shared;
  SocketType type = SocketType::pair;
  int send_mark = 0;
  int receive_mark = 0;
};

/// 0 (no limit) if either side has none.
inline int inproc_mark(int sender, int receiver) {
  return sender == 0 || receiver == 0 ? 0 : sender + receiver;
}

/// Connecting before anybody has bound leaves the link here, until a binder adopts it. Any thread.
class InprocRegistry {
 public:
  InprocRegistry();
  ~InprocRegistry();

  /// address_in_use, or ok: connections that were waiting are handed to the binder's mailbox.
  Errc bind(const std::string& name, const InprocSide& side);
  void unbind(const std::string& name, const SocketShared* socket);
  /// Names bound by this socket are free again.
  void unbind_all(const SocketShared* socket);

  /// A link whose ends[0] is the caller's; ends[1] is a bound socket's, or waits here. Null with
  /// `error` set: no memory, or invalid (the types cannot talk).
  Link* connect(const std::string& name, const InprocSide& side, Errc& error);
  /// The connecting socket closes or disconnects. A link that still waits is dropped, or kept for
  /// a later binder if `keep` (linger). No effect on others.
  void let_go(Link* link, bool keep);
  /// Drops what closed sockets have left waiting.
  void abandon();

 private:
  struct Pending {
    InprocSide side;
    Link* link;
    bool orphan = false;  ///< its socket has closed
  };

  void adopt(Link* link, const InprocSide& side);
  static void refuse(const Pending& pending);

  std::mutex mutex_;
  // Guarded by mutex_:
  std::unordered_map<std::string, InprocSide> bound_;
  std::unordered_map<std::string, std::vector<Pending>> waiting_;
};

}  // namespace zerowire
