// Greetings and handshakes: nothing becomes ready that did not say all it has to.
#include <cstring>

#include "input.hpp"
#include "zmtp/engine.hpp"

using namespace zerowire;
using fuzz::Input;
using fuzz::require;

extern "C" FUZZ_HARNESS int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  Input input(data, size);
  EngineConfig config;
  config.type = static_cast<SocketType>(input.byte() % 11);
  Pipe pipe(0, false);
  Engine engine(config, pipe.writer, 0);
  std::size_t received = 0;
  Engine::Outcome outcome = Engine::Outcome::ok;
  while (!input.empty() && outcome == Engine::Outcome::ok) {
    iovec iov[2];
    require(engine.prepare(iov) == 1);
    const std::string_view bytes = input.take(std::min<std::size_t>(iov[0].iov_len, 97));
    std::memcpy(iov[0].iov_base, bytes.data(), bytes.size());
    received += bytes.size();
    outcome = engine.commit(bytes.size(), 0);
  }
  require(!pipe.writer.dirty());
  if (outcome == Engine::Outcome::ready) {
    require(received >= wire::kGreetingSize + wire::kShortHeader);
    require(compatible(config.type, engine.peer().socket_type));
    require(engine.peer().routing_id.size() <= 255);
  }
  if (outcome == Engine::Outcome::failed) {
    iovec iov[2];
    require(engine.prepare(iov) == 0);
    require(engine.failure().value != 0);
  }
  return 0;
}
