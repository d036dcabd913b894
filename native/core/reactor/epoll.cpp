// Poller by Linux epoll, woken by an eventfd.
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>

#include "reactor/poller.hpp"

namespace zerowire {
namespace {

#ifdef SYS_epoll_pwait2
constexpr long kPwait2 = SYS_epoll_pwait2;
#else
constexpr long kPwait2 = 441;  // on all architectures
#endif
constexpr int64_t kNsPerSecond = 1'000'000'000;
constexpr int64_t kNsPerMs = 1'000'000;

class EpollPoller final : public Poller {
 public:
  EpollPoller(int epoll, int event) : epoll_(epoll), event_(event) {
    epoll_event watch{};
    watch.events = EPOLLIN;
    watch.data.ptr = nullptr;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, event_, &watch);
  }
  ~EpollPoller() override {
    ::close(event_);
    ::close(epoll_);
  }

  int add(int fd, FdHandler* handler, unsigned wanted) override {
    return control(EPOLL_CTL_ADD, fd, handler, wanted);
  }
  void change(int fd, FdHandler* handler, unsigned wanted) override {
    if (handler == favoured_) favoured_ = nullptr;
    control(EPOLL_CTL_MOD, fd, handler, wanted);
  }
  void remove(int fd, FdHandler* handler) override {
    if (handler == favoured_) favoured_ = nullptr;
    ::epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
    for (int i = next_; i < count_; ++i) {
      if (events_[i].data.ptr == handler) events_[i].events = 0;
    }
  }

  int wait(int64_t timeout) override {
    if (timeout == 0 && favoured_ && ++guesses_ % kGuesses) return favoured_->on_guess();
    count_ = wait_for(timeout);
    if (count_ > 0) favoured_ = nullptr;
    int called = 0;
    for (next_ = 0; next_ < count_;) {
      const epoll_event event = events_[next_++];
      if (event.data.ptr == nullptr) {
        uint64_t value;
        (void)!::read(event_, &value, sizeof value);
      } else if (event.events) {
        static_cast<FdHandler*>(event.data.ptr)->on_ready(translate(event.events));
        ++called;
      }
    }
    count_ = next_ = 0;
    if (called > 1) favoured_ = nullptr;
    return called;
  }
  void favour(FdHandler* handler) override { favoured_ = handler; }
  void wake() override {
    const uint64_t one = 1;
    (void)!::write(event_, &one, sizeof one);
  }

 private:
  /// Descriptors of one round: few, since whoever drives has other things to do as well.
  static constexpr int kBatch = 16;
  /// One wait in so many asks the system all the same.
  static constexpr unsigned kGuesses = 8;

  int wait_for(int64_t timeout) {
    if (timeout > 0 && exact_) {
      const timespec time{timeout / kNsPerSecond, timeout % kNsPerSecond};
      const long got = ::syscall(kPwait2, epoll_, events_, kBatch, &time, nullptr, std::size_t{8});
      if (got >= 0 || errno == EINTR) return static_cast<int>(got);
      exact_ = false;  // ENOSYS, or EPERM by a filter that does not know the call
    }
    const int64_t ms = timeout <= 0 ? timeout : (timeout + kNsPerMs - 1) / kNsPerMs;
    return ::epoll_wait(epoll_, events_, kBatch,
                        static_cast<int>(std::clamp<int64_t>(ms, -1, kMostMs)));
  }

  static unsigned translate(uint32_t events) {
    unsigned ready = 0;
    if (events & EPOLLIN) ready |= kIn;
    if (events & EPOLLOUT) ready |= kOut;
    if (events & (EPOLLHUP | EPOLLERR)) ready |= kHangup;
    return ready;
  }
  int control(int operation, int fd, FdHandler* handler, unsigned wanted) {
    epoll_event watch{};
    watch.events = (wanted & kIn ? EPOLLIN : 0u) | (wanted & kOut ? EPOLLOUT : 0u);
    watch.data.ptr = handler;
    return ::epoll_ctl(epoll_, operation, fd, &watch) == 0 ? 0 : errno;
  }

  static constexpr int64_t kMostMs = 1 << 30;

  int epoll_;
  int event_;
  epoll_event events_[kBatch];
  int count_ = 0;
  int next_ = 0;
  FdHandler* favoured_ = nullptr;
  unsigned guesses_ = 0;
  bool exact_ = true;  ///< the system takes ns (Linux 5.11)
};

}  // namespace

std::unique_ptr<Poller> Poller::create() {
  const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  const int event = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (epoll >= 0 && event >= 0) return std::make_unique<EpollPoller>(epoll, event);
  if (epoll >= 0) ::close(epoll);
  if (event >= 0) ::close(event);
  return nullptr;
}

}  // namespace zerowire
