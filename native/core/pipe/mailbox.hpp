// Mailbox: how threads hand each other things to look at.
#pragma once

#include <atomic>
#include <cstdint>

namespace zerowire {

/// Something that can be posted to a mailbox: once at a time, whatever is to be done is collected
/// in the bits of `todo`. Whoever turns todo from zero to non-zero posts the node and gives the
/// mailbox a reference to it.
class Node {
 public:
  /// On the mailbox's thread, with the bits collected; takes over the reference.
  virtual void deliver(uint32_t bits) = 0;
  /// Instead of deliver() when the mailbox is closed: gives the reference back.
  virtual void drop(uint32_t bits) = 0;

  std::atomic<uint32_t> todo{0};

 protected:
  ~Node() = default;

 private:
  friend class Mailbox;
  Node* next_ = nullptr;
};

/// Many producers, one consumer. A producer that finds the consumer parked wakes it.
class Mailbox {
 public:
  /// Wakes the consumer; called by producers, after the consumer parked, once per parking.
  virtual void wake() = 0;

  /// Any thread. False when closed (the node was not taken).
  bool post(Node* node) {
    Node* old = head_.load(std::memory_order_relaxed);
    do {
      if (old == closed_mark()) return false;
      node->next_ = old == parked_mark() ? nullptr : old;
    } while (!head_.compare_exchange_weak(old, node, std::memory_order_acq_rel,
                                          std::memory_order_relaxed));
    if (old == parked_mark()) wake();
    return true;
  }

  /// Any thread: makes the mailbox pending without saying anything.
  void nudge() {
    if (nudge_.todo.fetch_or(1, std::memory_order_acq_rel) == 0) post(&nudge_);
  }

  // The rest: consumer only.

  /// True when there is something to take, or to deliver after the present delivery; cheap.
  bool pending() const {
    if (rest_) return true;
    Node* head = head_.load(std::memory_order_relaxed);
    return head != nullptr && head != parked_mark() && head != closed_mark();
  }
  /// Delivers everything posted so far, in order; un-parks. False when there was nothing.
  bool deliver();
  /// True: parked, wake() will be called at the next post. False: something is there.
  bool park() {
    Node* expected = nullptr;
    return head_.compare_exchange_strong(expected, parked_mark(), std::memory_order_acq_rel) ||
           expected == parked_mark();
  }
  /// Drops what is there and whatever is posted later.
  void close();

 protected:
  ~Mailbox() = default;

 private:
  class Nudge final : public Node {
   public:
    void deliver(uint32_t) override {}
    void drop(uint32_t) override {}
  };

  static Node* parked_mark() { return reinterpret_cast<Node*>(uintptr_t{8}); }
  static Node* closed_mark() { return reinterpret_cast<Node*>(uintptr_t{16}); }
  Node* take(Node* replacement);

  std::atomic<Node*> head_{nullptr};
  Nudge nudge_;
  Node* rest_ = nullptr;  ///< what deliver() has taken and not delivered yet
};

}  // namespace zerowire
