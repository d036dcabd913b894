// SharedContext: a context that comes to life with its first socket, so that its options can be
// changed until then and programs that only load the package start no thread.
#pragma once

#include <memory>
#include <mutex>
#include <optional>

#include "zerowire/context.hpp"

namespace zerowire::addon {

/// The options in the order JavaScript's names for them are listed in contexts.cpp.
enum class ContextSetting { io_threads, max_sockets, spin };

/// Methods may be called from any thread: the process-wide default is shared by worker threads.
class SharedContext {
 public:
  explicit SharedContext(ContextOptions options) : options_(options) {}

  /// The context that all environments of this process use by default. It lives as long as one of
  /// them holds on to it.
  static std::shared_ptr<SharedContext> process_default();
  /// What contexts made from JavaScript have unless told otherwise: no spinning where the IO thread
  /// would compete with the JavaScript thread it has just woken for the only processor.
  static ContextOptions default_options();

  /// The context, created at the first call.
  Result<Context> get();
  int setting(ContextSetting name);
  /// EBUSY once the context has been created. The value must be in range.
  Errc set(ContextSetting name, int value);
  /// Drops what closed sockets linger for.
  void abandon_lingering();

 private:
  static int& field(ContextOptions& options, ContextSetting name);

  std::mutex mutex_;
  ContextOptions options_;  // guarded by mutex_, as all below
  std::optional<Context> context_;
};

}  // namespace zerowire::addon
