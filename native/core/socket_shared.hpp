// SocketShared: what a socket shares with its connections and listeners on the IO threads.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "monitor.hpp"
#include "pipe/link.hpp"
#include "zerowire/socket.hpp"

namespace zerowire {

class ContextCore;

/// A socket's mailbox. Wakes whoever waits for the socket: a Waker of the application, or the
/// thread that sleeps in a blocking call. Outlives the socket as long as a link's end may post.
class SocketMailbox final : public Mailbox {
 public:
  void wake() override;
  /// Socket's thread, while not parked.
  void set_waker(std::shared_ptr<Waker> waker);
  void set_sleeper(std::shared_ptr<Waker> sleeper);

 private:
  std::mutex mutex_;
  std::shared_ptr<Waker> waker_;    ///< guarded by mutex_
  std::shared_ptr<Waker> sleeper_;  ///< guarded by mutex_
};

/// The socket's own subscriptions (SUB, XSUB) with reference counts. IO threads replay them to
/// every new connection, without the application's help. Also guards Link::changes.
struct Subscriptions {
  std::mutex mutex;
  std::map<std::string, uint32_t, std::less<>> topics;
  /// Links that have got a replay and have not been attached by the socket yet: they have to hear
  /// of changes too. The socket's thread takes them out; each has the socket's reference till then.
  std::vector<Link*> fresh;
};

/// Kept alive by the socket, its connections and its listeners; when the last of these goes after
/// the socket was closed, the socket no longer lingers.
class SocketShared {
 public:
  explicit SocketShared(std::shared_ptr<ContextCore> owner);
  ~SocketShared();

  /// Any thread.
  void emit(EventType type, uint32_t value, const std::string& address,
            const std::string& peer_address = {});
  void emit(Event event);

  const std::shared_ptr<ContextCore> context;
  const std::shared_ptr<SocketMailbox> mailbox = std::make_shared<SocketMailbox>();
  Monitor monitor;
  Subscriptions subscriptions;
  /// Takes new peers in; used on the socket's thread only, through its mailbox.
  EndOwner* acceptor = nullptr;
  std::atomic<bool> closed{false};
  std::atomic<int> linger{-1};             ///< ms; set before closed and before kClose
  std::atomic<int64_t> multicast_lost{0};  ///< packets
};

}  // namespace zerowire
