// The other side of a benchmark: a forked process (tcp, ipc) or a thread (inproc).
#pragma once

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <functional>
#include <thread>
#include <utility>

#include "harness.hpp"

namespace bench {

/// What the body of the far side does with the near side. Used by the far side's thread only.
class Near {
 public:
  explicit Near(int fd) : fd_(fd) {}
  /// Tells the near side where to connect to, or what came out.
  void report(const std::string& text) const {
    if (write(fd_, text.data(), text.size()) < 0) die("far side: cannot report");
  }
  /// Returns when the near side needs this one no longer.
  void wait_until_done() const {
    char byte;
    while (read(fd_, &byte, 1) > 0) {
    }
  }

 private:
  int fd_;
};

/// Runs `body(near)` at once: in a child process, or in a thread when `in_process`. Construct it
/// before anything that starts threads. Owned and used by the near side's main thread.
class Far {
 public:
  using Body = std::function<void(const Near&)>;

  Far(bool in_process, unsigned deadline_seconds, Body body) {
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0) die("socketpair");
    fd_ = fds[0];
    set_deadline(deadline_seconds);
    if (in_process) {
      thread_ = std::thread([fd = fds[1], body = std::move(body)] {
        body(Near(fd));
        close(fd);
      });
      return;
    }
    signal(SIGCHLD, [](int) {  // the far side ended early: it said why, or it crashed
      int status = 0;
      waitpid(-1, &status, WNOHANG);
      static const char kLine[] = "{\"error\":\"the far side crashed\"}\n";
      if (WIFSIGNALED(status) && write(STDOUT_FILENO, kLine, sizeof kLine - 1) < 0) _exit(2);
      _exit(1);
    });
    pid_ = fork();
    if (pid_ < 0) die("fork");
    if (pid_ == 0) {
      close(fds[0]);
      signal(SIGCHLD, SIG_DFL);
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      set_deadline(deadline_seconds);
      body(Near(fds[1]));
      _exit(0);
    }
    close(fds[1]);
  }
  Far(const Far&) = delete;
  Far& operator=(const Far&) = delete;

  /// Waits for what the far side reports.
  std::string report() const {
    char text[256];
    ssize_t size = read(fd_, text, sizeof text);
    if (size <= 0) die("far side ended before it reported");
    return {text, static_cast<std::size_t>(size)};
  }
  pid_t pid() const { return pid_; }
  /// CPU time of the other process so far; 0 for a thread, which this process' clock includes.
  int64_t cpu() const { return pid_ > 0 ? cpu_ns(pid_) : 0; }

  /// Lets the far side end and waits for it.
  ~Far() {
    signal(SIGCHLD, SIG_DFL);
    shutdown(fd_, SHUT_WR);
    if (thread_.joinable()) thread_.join();
    if (pid_ > 0) waitpid(pid_, nullptr, 0);
    close(fd_);
  }

 private:
  int fd_ = -1;
  pid_t pid_ = -1;
  std::thread thread_;
};

/// Time and CPU time of both sides between open() and close(), for `count` messages.
class Window {
 public:
  explicit Window(const Far& far) : far_(far) {}
  bool is_open() const { return opened_ != 0; }
  void open() {
    near_cpu_ = cpu_ns();
    far_cpu_ = far_.cpu();
    opened_ = now_ns();
  }
  void close(Line& line, double count, std::size_t size) const {
    if (!is_open() || count <= 0) die("nothing was measured");
    const double elapsed = static_cast<double>(now_ns() - opened_);
    const double near = static_cast<double>(cpu_ns() - near_cpu_);
    const double far = static_cast<double>(far_.cpu() - far_cpu_);
    line.add("messages", count).add("seconds", elapsed / 1e9);
    line.add("rate", count * 1e9 / elapsed);
    line.add("megabytesPerSecond", count * static_cast<double>(size) * 1e3 / elapsed);
    line.add("cpuNear", near / 1e9).add("cpuFar", far / 1e9);
    line.add("cpuPerMessage", (near + far) / count / 1e3);
  }

 private:
  const Far& far_;
  int64_t opened_ = 0, near_cpu_ = 0, far_cpu_ = 0;
};

}  // namespace bench
