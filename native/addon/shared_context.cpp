#include "shared_context.hpp"

#include "base/processors.hpp"

namespace zerowire::addon {
namespace {

/// The only mutable state of the process. Never destroyed: threads still run while it exits.
struct DefaultSlot {
  std::mutex mutex;
  std::weak_ptr<SharedContext> context;
};

DefaultSlot& default_slot() {
  static DefaultSlot* const slot = new DefaultSlot;
  return *slot;
}

}  // namespace

std::shared_ptr<SharedContext> SharedContext::process_default() {
  DefaultSlot& slot = default_slot();
  std::lock_guard lock(slot.mutex);
  std::shared_ptr<SharedContext> context = slot.context.lock();
  if (!context) {
    context = std::make_shared<SharedContext>(default_options());
    slot.context = context;
  }
  return context;
}

ContextOptions SharedContext::default_options() {
  ContextOptions options;
  options.spin_us = one_processor() ? 0 : 100;
  return options;
}

int& SharedContext::field(ContextOptions& options, ContextSetting name) {
  switch (name) {
    case ContextSetting::io_threads:
      return options.io_threads;
    case ContextSetting::max_sockets:
      return options.max_sockets;
    case ContextSetting::spin:
      break;
  }
  return options.spin_us;
}

Result<Context> SharedContext::get() {
  std::lock_guard lock(mutex_);
  if (!context_) {
    Result<Context> created = Context::create(options_);
    if (!created) return created.error();
    context_.emplace(created.value());
  }
  return *context_;
}

int SharedContext::setting(ContextSetting name) {
  std::lock_guard lock(mutex_);
  return field(options_, name);
}

Errc SharedContext::set(ContextSetting name, int value) {
  std::lock_guard lock(mutex_);
  int& current = field(options_, name);
  if (current == value) return Errc::ok;
  if (context_) return Errc::busy;
  current = value;
  return Errc::ok;
}

void SharedContext::abandon_lingering() {
  std::lock_guard lock(mutex_);
  if (context_) context_->abandon_lingering();
}

}  // namespace zerowire::addon
