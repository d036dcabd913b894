// What every benchmark program needs: arguments, clocks, a deadline, and one line of JSON.
#pragma once

#include <signal.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <vector>

namespace bench {

/// Ends the program with a line that says why, in place of a result.
[[noreturn]] inline void die(const std::string& what) {
  std::printf("{\"error\":\"%s\"}\n", what.c_str());
  std::fflush(stdout);
  _exit(1);
}

/// `program mode --key value ...`
class Args {
 public:
  Args(int argc, char** argv) {
    if (argc > 1) mode_ = argv[1];
    for (int i = 2; i + 1 < argc; i += 2) {
      if (std::strncmp(argv[i], "--", 2) != 0) die(std::string("expected --key, got ") + argv[i]);
      values_[argv[i] + 2] = argv[i + 1];
    }
  }
  const std::string& mode() const { return mode_; }
  std::string text(const std::string& key, const std::string& fallback) const {
    auto found = values_.find(key);
    return found == values_.end() ? fallback : found->second;
  }
  double number(const std::string& key, double fallback) const {
    auto found = values_.find(key);
    return found == values_.end() ? fallback : std::atof(found->second.c_str());
  }

 private:
  std::string mode_;
  std::map<std::string, std::string> values_;
};

inline int64_t clock_ns(clockid_t clock) {
  timespec t{};
  clock_gettime(clock, &t);
  return int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}
inline int64_t now_ns() { return clock_ns(CLOCK_MONOTONIC); }

/// CPU time (user and system, all threads) of this process, or of a running child.
inline int64_t cpu_ns() { return clock_ns(CLOCK_PROCESS_CPUTIME_ID); }
inline int64_t cpu_ns(pid_t child) {
  clockid_t clock{};
  return clock_getcpuclockid(child, &clock) == 0 ? clock_ns(clock) : 0;
}

/// No program hangs: after `seconds` it ends, and its child with it.
inline void set_deadline(unsigned seconds) {
  signal(SIGALRM, [](int) {
    static const char kLine[] = "{\"error\":\"deadline\"}\n";
    [[maybe_unused]] ssize_t written = write(STDOUT_FILENO, kLine, sizeof kLine - 1);
    _exit(3);
  });
  alarm(seconds);
}

/// Collects the fields of the result and prints them as one line.
class Line {
 public:
  Line& add(const char* key, const std::string& value) { return raw(key, "\"" + value + "\""); }
  Line& add(const char* key, double value) {
    char text[40];
    std::snprintf(text, sizeof text, "%.12g", value);
    return raw(key, text);
  }
  void print() const { std::printf("{%s}\n", text_.c_str()); }

 private:
  Line& raw(const char* key, const std::string& value) {
    if (!text_.empty()) text_ += ',';
    text_ += std::string("\"") + key + "\":" + value;
    return *this;
  }
  std::string text_;
};

/// Adds p50, p99 and mean (microseconds) of samples in nanoseconds.
inline void add_latency(Line& line, std::vector<uint32_t>& samples) {
  if (samples.empty()) die("no samples");
  std::sort(samples.begin(), samples.end());
  double sum = 0;
  for (uint32_t sample : samples) sum += sample;
  line.add("p50", samples[samples.size() / 2] / 1e3);
  line.add("p99", samples[samples.size() * 99 / 100] / 1e3);
  line.add("mean", sum / static_cast<double>(samples.size()) / 1e3);
}

}  // namespace bench
