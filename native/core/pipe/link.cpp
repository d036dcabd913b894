#include "pipe/link.hpp"

#include <new>
#include <utility>

namespace zerowire {

void End::deliver(uint32_t bits) {
  if (owner) owner->on_mail(*this, bits);
  link_->unref();
}

/// The socket is closed. A peer that it never took over leaves its reference here.
void End::drop(uint32_t bits) {
  if (bits & kAttach) {
    other().notify(kClose);
    link_->unref();
  }
  link_->unref();
}

void End::notify(uint32_t bits) {
  if (todo.fetch_or(bits, std::memory_order_acq_rel) != 0) return;
  link_->ref();
  if (!mailbox->post(this)) drop(bits);
}

void End::adopt(std::shared_ptr<Mailbox> to, EndOwner* by) {
  mailbox = std::move(to);
  owner = by;
  const uint32_t bits = todo.fetch_and(~kHeld, std::memory_order_acq_rel) & ~kHeld;
  if (bits == 0) return;
  link_->ref();
  if (!mailbox->post(this)) drop(bits);
}

Link* Link::create(const int (&marks)[2], const bool (&asleep)[2]) {
  return new (std::nothrow) Link(marks, asleep);
}

Link::Link(const int (&marks)[2], const bool (&asleep)[2])
    : pipes{{marks[0], asleep[0]}, {marks[1], asleep[1]}} {
  for (int side = 0; side < 2; ++side) {
    ends[side].link_ = this;
    ends[side].side_ = side;
    ends[side].todo.store(kHeld, std::memory_order_relaxed);
  }
}

}  // namespace zerowire
