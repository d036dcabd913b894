#include "pipe/mailbox.hpp"

namespace zerowire {

Node* Mailbox::take(Node* replacement) {
  Node* node = head_.exchange(replacement, std::memory_order_acq_rel);
  if (node == parked_mark() || node == closed_mark()) return nullptr;
  Node* first = nullptr;  // the stack holds the newest first
  while (node) {
    Node* next = node->next_;
    node->next_ = first;
    first = node;
    node = next;
  }
  return first;
}

bool Mailbox::deliver() {
  Node* head = head_.load(std::memory_order_relaxed);
  if (head == nullptr || head == closed_mark()) return false;
  Node* node = take(nullptr);
  if (!node) return false;
  while (node) {
    // From the exchange on the node may be posted again, so its link is read before.
    Node* next = rest_ = node->next_;
    node->deliver(node->todo.exchange(0, std::memory_order_acq_rel));
    node = next;
  }
  return true;
}

void Mailbox::close() {
  Node* node = take(closed_mark());
  while (node) {
    Node* next = node->next_;
    node->drop(node->todo.exchange(0, std::memory_order_acq_rel));
    node = next;
  }
}

}  // namespace zerowire
