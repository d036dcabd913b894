// The whole engine: chunks of input, time, a reader that comes and goes, chosen by the data.
#include <cstring>
#include <string_view>

#include "input.hpp"
#include "zmtp/engine.hpp"

using namespace zerowire;
using fuzz::Input;
using fuzz::require;

namespace {

constexpr int kMark = 4;
/// Longer inputs find nothing that shorter ones do not.
constexpr std::size_t kLongest = 768;
constexpr char kRun[32 * 400] = {};

struct World {
  FUZZ_HARNESS explicit World(const EngineConfig& config)
      : pipe(kMark, false), engine(config, pipe.writer, 0) {}

  FUZZ_HARNESS void handle(Engine::Outcome outcome) {
    if (outcome == Engine::Outcome::ready) {
      require(!engine.ready());
      outcome = engine.begin_traffic();
      require(engine.ready() || outcome == Engine::Outcome::failed);
    }
    if (outcome == Engine::Outcome::failed) alive = false;
    (void)pipe.writer.publish();
  }
  FUZZ_HARNESS void feed(std::string_view bytes) {
    while (alive && !bytes.empty()) {
      iovec iov[2];
      const int count = engine.prepare(iov);
      if (count == 0) {
        require(engine.throttled() || !engine.output().empty());
        return;
      }
      std::size_t taken = 0;
      for (int i = 0; i < count; ++i) {
        const std::size_t part = iov[i].iov_len < bytes.size() ? iov[i].iov_len : bytes.size();
        if (part) std::memcpy(iov[i].iov_base, bytes.data(), part);
        bytes.remove_prefix(part);
        taken += part;
      }
      require(taken > 0);
      handle(engine.commit(taken, now));
    }
  }
  FUZZ_HARNESS void read(unsigned messages) {
    for (; messages && pipe.reader.more(); --messages) {
      while (pipe.reader.read().flags & wire::kMore) {
      }
      pipe.reader.consumed();
      ++consumed;
    }
    require(pipe.writer.messages() - consumed <= kMark);
    pipe.reader.retire();
    if (pipe.reader.release(true) && alive) handle(engine.resume(now));
  }
  FUZZ_HARNESS void pass(int64_t time) {
    now += time;
    if (alive && engine.deadline() <= now) handle(engine.on_timer(now));
    require(!alive || engine.deadline() > 0);
  }

  Pipe pipe;
  Engine engine;
  int64_t now = 0;
  uint64_t consumed = 0;
  bool alive = true;
};

FUZZ_HARNESS EngineConfig chosen(Input& input) {
  EngineConfig config;
  config.type = static_cast<SocketType>(input.byte() % 11);
  const uint8_t options = input.byte();
  if (options & 1) config.heartbeat_interval = 100 * kMillisecond;
  if (options & 2) config.heartbeat_timeout = 200 * kMillisecond;
  if (options & 4) config.routing_id = "routing id";
  config.limits = {30'000, 40'000, 100};
  if (options & 8) config.limits = {100, 200, 10};
  config.heartbeat_ttl = options;
  return config;
}

}  // namespace

extern "C" FUZZ_HARNESS int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  if (size > kLongest) return -1;
  Input input(data, size);
  World world(chosen(input));
  while (world.alive && !input.empty()) {
    const uint8_t choice = input.byte();
    const unsigned amount = choice >> 3;
    switch (choice & 7) {
      case 0:
        world.pass(amount * 50 * kMillisecond);
        break;
      case 1:
        world.read(amount);
        break;
      case 2:
        if (world.engine.ready()) world.engine.subscription(amount & 1, input.take(amount));
        break;
      case 3:
        world.engine.output().clear();
        break;
      case 4:  // much of a long frame's body at once
        world.feed(std::string_view(kRun, amount * 400));
        break;
      default:
        world.feed(input.take(amount * 8 + 1));
        break;
    }
  }
  return 0;
}
