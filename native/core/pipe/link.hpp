// Link: what two sides of a connection share: a pipe in each direction and the bits by which they
// tell each other to look.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "net/tx_stream.hpp"
#include "pipe/latest.hpp"
#include "pipe/mailbox.hpp"
#include "pipe/pipe.hpp"

namespace zerowire {

class Link;
class End;

struct SubscriptionChange {
  bool subscribe;
  std::string topic;
};

/// What an end is told; bits of End::todo.
enum Todo : uint32_t {
  kToken = 1u << 0,   ///< you hold the consumer token of the pipe you read
  kRoom = 1u << 1,    ///< the pipe you write has room again
  kAttach = 1u << 2,  ///< to a socket: a new peer
  kDown = 1u << 3,    ///< to a socket: the connection behind the link was lost
  kGone = 1u << 4,    ///< the other end is finished with the link
  kGoOn = 1u << 5,    ///< to a connection, by itself: it is your turn again
  kSubs = 1u << 6,    ///< to a connection: subscriptions have changed
  kClose = 1u << 7,   ///< to a connection: flush for linger, then end
  kHeld = 1u << 31,   ///< the end has no mailbox yet: collect bits, do not post
};

/// Who deals with an end's mail: a Peer or a SocketCore on the socket's side, else a Connection.
class EndOwner {
 public:
  virtual void on_mail(End& end, uint32_t todo) = 0;

 protected:
  ~EndOwner() = default;
};

/// One side of a link. `mailbox` and `owner` belong to that side's thread; `mailbox` is set before
/// anything can be posted (see adopt()).
class End final : public Node {
 public:
  void deliver(uint32_t bits) override;
  void drop(uint32_t bits) override;

  /// Any thread: tells this end's side.
  void notify(uint32_t bits);
  /// Gives a held end its mailbox and owner, and posts what was collected.
  void adopt(std::shared_ptr<Mailbox> mailbox, EndOwner* owner);

  Pipe& writes();  ///< the pipe this side produces
  Pipe& reads();   ///< the pipe this side consumes
  Latest& puts();
  Latest& takes();
  End& other();
  Link& link() { return *link_; }

  std::shared_ptr<Mailbox> mailbox;
  EndOwner* owner = nullptr;

 private:
  friend class Link;
  Link* link_ = nullptr;
  int side_ = 0;
};

/// Reference counted: one reference per side that still uses it, one per mailbox it waits in.
class Link {
 public:
  /// A reference for each side. `marks[i]` is the high-water mark of the pipe that ends[i] writes,
  /// `asleep[i]` whether nobody holds that pipe's consumer token at first.
  static Link* create(const int (&marks)[2], const bool (&asleep)[2]);

  void ref() { refs_.fetch_add(1, std::memory_order_relaxed); }
  void unref() {
    if (refs_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

  End ends[2];
  Pipe pipes[2];     ///< pipes[i] is written by ends[i]
  Latest latest[2];  ///< latest[i] stands in for the messages of pipes[i]

  /// How pipes[0] is written to the network; belongs to the holder of the consumer token of
  /// pipes[0] (the socket is always ends[0] of a network link).
  TxStream tx;
  /// Times the connection was lost so far; set by the connection before it sends kDown.
  std::atomic<uint32_t> losses{0};
  /// Subscription changes for the connection; guarded by the socket's Subscriptions.
  std::vector<SubscriptionChange> changes;
  /// Which listener (SocketCore's numbering) accepted it; 0 = none. Constant after creation.
  uint32_t listener = 0;
  /// The other side wants every message, without having subscribed. Constant after creation.
  bool everything = false;
  /// inproc: the high-water marks of the connecting socket. Constant after creation.
  int send_mark = 0;
  int receive_mark = 0;
  bool conflate = false;  ///< and what it receives is to be conflated

 private:
  Link(const int (&marks)[2], const bool (&asleep)[2]);
  ~Link() = default;

  std::atomic<int> refs_{2};
};

inline Pipe& End::writes() { return link_->pipes[side_]; }
inline Pipe& End::reads() { return link_->pipes[1 - side_]; }
inline Latest& End::puts() { return link_->latest[side_]; }
inline Latest& End::takes() { return link_->latest[1 - side_]; }
inline End& End::other() { return link_->ends[1 - side_]; }

}  // namespace zerowire
