// The end of an environment: its loop is over, its thread or the process is about to end, its
// memory to be freed.
#include <algorithm>
#include <chrono>
#include <utility>

#include "environment.hpp"

namespace zerowire::addon {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// How long the end of an environment waits for messages that linger, whatever their option says.
constexpr int kLongestLinger = 1000;
/// How long it waits for IO threads to let go of memory of closed sockets: by themselves, and after
/// they were told to drop everything.
constexpr milliseconds kGrace{200};
constexpr milliseconds kRelease{2000};

}  // namespace

void Environment::on_cleanup(void* self) { static_cast<Environment*>(self)->teardown(); }

/// Bounds how long the socket lingers once closed; that time in milliseconds.
int Environment::shorten_linger(Socket& socket) {
  const Result<int64_t> option = socket.get_int(Option::linger);
  const int64_t linger = option ? option.value() : 0;
  if (linger >= 0 && linger <= kLongestLinger) return static_cast<int>(linger);
  const Result<void> set = socket.set(Option::linger, int64_t{kLongestLinger});
  return set ? kLongestLinger : 0;
}

/// Sockets closed here linger for a second at most. Those closed earlier, or by proxies, with more
/// to wait for are abandoned after that second where it concerns no other environment (contexts of
/// our own), or where they would go on to read memory that is about to be freed.
void Environment::teardown() {
  if (std::exchange(torn_down_, true)) return;
  hub_->detach();
  for (napi_threadsafe_function wake : wakes_) {
    napi_release_threadsafe_function(wake, napi_tsfn_abort);
  }
  proxies.drain([this](std::unique_ptr<ProxyEntry> entry) { end(*entry); });

  int longest = hub_->lingering() > 0 ? kLongestLinger : 0;
  sockets.drain([&](std::unique_ptr<SocketEntry> entry) {
    uncork(*entry);
    longest = std::max(longest, shorten_linger(entry->socket));
    linger(*entry);
  });
  contexts.drain([](std::unique_ptr<std::shared_ptr<SharedContext>>) {});
  home_.reset();

  if (hub_->wait_quiet(steady_clock::now() + milliseconds(longest))) return;
  for (const std::shared_ptr<SharedContext>& context : lingering_) {
    if (context.use_count() == 1) context->abandon_lingering();
  }
  if (hub_->wait_released(steady_clock::now() + kGrace)) return;
  for (const std::shared_ptr<SharedContext>& context : lingering_) context->abandon_lingering();
  hub_->wait_released(steady_clock::now() + kRelease);
}

}  // namespace zerowire::addon
