// Watchdog by Linux timerfd.
#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>

#include "reactor/watchdog.hpp"

namespace zerowire {
namespace {

constexpr int64_t kNsPerSecond = 1'000'000'000;

class TimerfdWatchdog final : public Watchdog {
 public:
  explicit TimerfdWatchdog(int fd) : fd_(fd) {}
  ~TimerfdWatchdog() override { ::close(fd_); }

  void set(int64_t delay) override {
    itimerspec time{};
    time.it_value = {delay / kNsPerSecond, delay % kNsPerSecond};
    ::timerfd_settime(fd_, 0, &time, nullptr);
  }
  void clear() override {
    const itimerspec never{};
    ::timerfd_settime(fd_, 0, &never, nullptr);
  }
  void wait() override {
    uint64_t times;
    while (::read(fd_, &times, sizeof times) < 0 && errno == EINTR) {
    }
  }

 private:
  const int fd_;
};

}  // namespace

std::unique_ptr<Watchdog> Watchdog::create() {
  const int fd = ::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
  if (fd < 0) return nullptr;
  return std::make_unique<TimerfdWatchdog>(fd);
}

}  // namespace zerowire
