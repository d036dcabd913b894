#include "zerowire/proxy.hpp"

#include <atomic>
#include <list>
#include <mutex>

#include "base/parker.hpp"
#include "base/thread.hpp"
#include "socket_core.hpp"

namespace zerowire {
namespace {

/// Messages moved in one direction before the other one gets its turn.
constexpr int kTurn = 1000;

}  // namespace

/// Shared by the handle and the thread.
class Proxy::Impl {
 public:
  Impl(Socket front, Socket back, void (*done)(void*), void* hint)
      : front_(std::move(front)), back_(std::move(back)), done_(done), hint_(hint) {}

  bool start() {
    const auto main = [](void* self) -> void* {
      static_cast<Impl*>(self)->run();
      return nullptr;
    };
    return start_thread(thread_, main, this);
  }
  void join() { pthread_join(thread_, nullptr); }

  enum class Command { run, pause, terminate };
  void command(Command command) {
    const std::lock_guard lock(mutex_);
    if (command_ == Command::terminate) return;
    command_ = command;
    if (parker_) parker_->wake();
  }

 private:
  /// A message that is on its way, or none.
  struct Lane {
    Socket& from;
    Socket& to;
    Inbound message;
    std::vector<Part> parts;
    bool pending = false;
  };

  bool terminated() { return front_.core()->shared().context->terminated(); }
  Command present() {
    const std::lock_guard lock(mutex_);
    return command_;
  }

  /// True when something moved. `stop` is set when a socket is of no use any more.
  bool move(Lane& lane, bool& stop) {
    int moved = 0;
    for (; moved < kTurn; ++moved) {
      if (!lane.pending) {
        const Errc got = lane.from.try_receive(lane.message);
        if (got == Errc::again || got == Errc::not_supported || got == Errc::fsm) break;
        if (got != Errc::ok) {
          stop = true;
          break;
        }
        lane.parts.clear();
        for (const FrameView& view : lane.message.frames) {
          lane.parts.push_back({view.data, view.size, view.buffer});
        }
        lane.pending = true;
      }
      const Errc sent = lane.to.try_send(lane.parts);
      if (sent == Errc::again) break;
      lane.pending = false;  // others: the receiver is gone or cannot take it: dropped
      stop = stop || sent == Errc::terminated;
    }
    return moved > 0;
  }

  void run() {
    {
      const std::lock_guard lock(mutex_);
      parker_ = Parker::mine();
    }
    Lane forth{front_, back_, {}, {}};
    Lane back{back_, front_, {}, {}};
    bool stop = false;
    // `waiting` counts there, and may do so after the sockets have been closed.
    const std::shared_ptr<ContextCore> contexts[] = {front_.core()->shared().context,
                                                     back_.core()->shared().context};
    std::list<Waiting> waiting;
    front_.core()->waits(waiting);
    back_.core()->waits(waiting);
    front_.core()->sleep_with(parker_);
    back_.core()->sleep_with(parker_);
    while (!stop) {
      const Command command = present();
      if (command == Command::terminate || terminated()) break;
      bool moved = false;
      if (command == Command::run) {
        moved = move(forth, stop);
        moved = move(back, stop) || moved;
      } else {
        // Housekeeping: news that is left lying would keep the sockets from parking.
        (void)front_.readiness();
        (void)back_.readiness();
      }
      if (moved || stop) continue;
      const bool front_parked = front_.arm();
      if (back_.arm() && front_parked) {
        parker_->sleep(std::chrono::steady_clock::time_point::max());
      }
    }
    front_.close();
    back_.close();
    done_(hint_);
  }

  Socket front_;
  Socket back_;
  void (*const done_)(void*);
  void* const hint_;
  pthread_t thread_{};
  std::mutex mutex_;
  Command command_ = Command::run;  ///< guarded by mutex_
  std::shared_ptr<Parker> parker_;  ///< the thread's; set once, under mutex_
};

Result<std::unique_ptr<Proxy>> Proxy::start(Socket front, Socket back, void (*done)(void*),
                                            void* hint) {
  if (front.closed() || back.closed()) return Error{Errc::bad_socket, "proxy: closed socket"};
  if (!front.core()->endpoints() || !back.core()->endpoints()) {
    return Error{Errc::invalid, "proxy: a socket is neither bound nor connected"};
  }
  front.set_waker(nullptr);
  back.set_waker(nullptr);
  auto impl = std::make_unique<Impl>(std::move(front), std::move(back), done, hint);
  if (!impl->start()) return Error{Errc::again, "proxy: no thread could be started"};
  return std::unique_ptr<Proxy>(new Proxy(std::move(impl)));
}

Proxy::Proxy(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Proxy::~Proxy() {
  terminate();
  impl_->join();
}

void Proxy::pause() { impl_->command(Impl::Command::pause); }
void Proxy::resume() { impl_->command(Impl::Command::run); }
void Proxy::terminate() { impl_->command(Impl::Command::terminate); }

}  // namespace zerowire
