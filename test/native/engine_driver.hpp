// Drives an Engine (or a Decoder) from bytes in memory and keeps a log of what comes of them.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pipe/pipe.hpp"
#include "pipe_util.hpp"
#include "wire_bytes.hpp"
#include "zmtp/engine.hpp"

namespace zerowire::test {

/// Copies what fits into memory to read into; returns how much that was.
inline std::size_t fill(const iovec* iov, int count, std::string_view bytes) {
  std::size_t done = 0;
  for (int i = 0; i < count; ++i) {
    const std::size_t part = std::min(iov[i].iov_len, bytes.size() - done);
    if (part) std::memcpy(iov[i].iov_base, bytes.data() + done, part);
    done += part;
  }
  return done;
}

struct EngineDriver {
  explicit EngineDriver(const EngineConfig& config, int mark = 0)
      : pipe(mark, false), engine(config, pipe.writer, now) {}

  /// Feeds all of it, in one piece as far as the engine takes it; false when it takes no more:
  /// the rest is in `left`.
  bool feed(std::string_view bytes) {
    while (!bytes.empty()) {
      iovec iov[2];
      const int count = engine.prepare(iov);
      offered = 0;
      for (int i = 0; i < count; ++i) offered += iov[i].iov_len;
      if (count == 0) {
        left = bytes;
        return false;
      }
      const std::size_t taken = fill(iov, count, bytes);
      bytes.remove_prefix(taken);
      received += taken;
      handle(engine.commit(taken, now));
    }
    left.clear();
    return true;
  }
  /// Feeds pieces that end at `cuts` (ascending) and at the end.
  void feed(std::string_view bytes, std::span<const std::size_t> cuts) {
    std::size_t at = 0;
    for (const std::size_t cut : cuts) {
      if (!feed(bytes.substr(at, cut - at))) return;
      at = cut;
    }
    feed(bytes.substr(at));
  }
  void at(int64_t time) {
    now = time;
    if (engine.deadline() <= now) handle(engine.on_timer(now));
  }
  void resume() { handle(engine.resume(now)); }

  void handle(Engine::Outcome outcome) {
    if (outcome == Engine::Outcome::ready) {
      events.push_back("ready " + engine.peer().socket_type + " " + engine.peer().routing_id);
      outcome = engine.begin_traffic();
    }
    (void)pipe.writer.publish();
    if (reading) read();
    if (outcome == Engine::Outcome::failed) {
      events.push_back("failed " + std::to_string(static_cast<unsigned>(engine.failure().event)) +
                       " " + std::to_string(engine.failure().value));
    }
    output += engine.output();
    if (sending) engine.output().clear();
  }
  void read() {
    for (const Parts& message : read_all(pipe.reader)) {
      std::string text = "message";
      for (const std::string& part : message) text += " [" + part + "]";
      events.push_back(text);
    }
    (void)pipe.reader.release(true);
  }
  bool failed() const { return !events.empty() && events.back().starts_with("failed"); }

  int64_t now = 1000 * kMillisecond;
  bool reading = true;  ///< the application takes messages
  bool sending = true;  ///< the peer takes our output
  std::vector<std::string> events;
  std::string output;       ///< everything the engine wanted sent
  std::size_t offered = 0;  ///< memory it gave for the last read
  std::size_t received = 0;
  std::string left;  ///< what the last feed() did not get rid of
  Pipe pipe;
  Engine engine;
};

inline std::string failed(EventType event, uint32_t value) {
  return "failed " + std::to_string(static_cast<unsigned>(event)) + " " + std::to_string(value);
}
inline std::string failed(ProtocolError error) {
  return failed(EventType::handshake_failed_protocol, static_cast<uint32_t>(error));
}

inline EngineConfig config_of(SocketType type) {
  EngineConfig config;
  config.type = type;
  return config;
}

/// A driver whose handshake with a PUSH peer is through.
struct Connected : EngineDriver {
  explicit Connected(const EngineConfig& config = config_of(SocketType::pull), int mark = 0)
      : EngineDriver(config, mark) {
    feed(greeting() + ready("PUSH"));
    REQUIRE(engine.ready());
    events.clear();
    output.clear();
  }
};

}  // namespace zerowire::test
