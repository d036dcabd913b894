// PGM streams: a sink that refuses gets the same messages as one that does not, within the limits;
// and what was written is read again except for what is lost.
#include <algorithm>
#include <string>
#include <vector>

#include "input.hpp"
#include "pgm/stream.hpp"

using namespace zerowire;
using namespace zerowire::pgm;
using fuzz::Input;
using fuzz::require;

namespace {

using Status = StreamReader::Status;

constexpr MessageLimits kLimits = {3000, 5000, 12};
constexpr std::size_t kMaxTsdus = 40;

struct Sink final : MessageSink {
  explicit Sink(uint8_t every) : refuse_every(every) {}

  bool on_message(const std::vector<StreamFrame>& frames) override {
    if (refuse_every && ++calls % refuse_every == 0) return false;
    std::size_t bytes = 0;
    for (const StreamFrame& frame : frames) {
      require(frame.size <= kLimits.frame);
      bytes += frame.size;
      log.append(frame.data, frame.size).append("|");
    }
    require(!frames.empty() && frames.size() <= kLimits.parts && bytes <= kLimits.message);
    log.append("\n");
    return true;
  }
  const uint8_t refuse_every;
  std::size_t calls = 0;
  std::string log;
};

/// An empty one stands for a loss.
std::string read(const std::vector<std::string>& tsdus, uint8_t refuse_every, int& faults) {
  Sink sink(refuse_every);
  StreamReader reader(kLimits, sink);
  for (const std::string& tsdu : tsdus) {
    if (tsdu.empty()) {
      reader.lose();
      continue;
    }
    Status status = reader.take(tsdu);
    while (status == Status::full) status = reader.resume();
    if (status == Status::malformed) ++faults;
  }
  return std::move(sink.log);
}

/// Any bytes in any pieces.
void read_anything(Input& input) {
  std::vector<std::string> tsdus;
  while (!input.empty() && tsdus.size() < kMaxTsdus) {
    const std::size_t size = input.byte();
    // A long one is a run, so that small inputs make large frames.
    tsdus.emplace_back(input.take(size % 128));
    if (size >= 128 && !tsdus.back().empty()) tsdus.back().append(1000, tsdus.back().back());
  }
  int faults = 0, faults_refused = 0;
  const std::string all = read(tsdus, 0, faults);
  require(all == read(tsdus, 2, faults_refused));
  require(faults_refused == faults);
}

struct Written {
  std::vector<std::string> tsdus;
  /// Of each message: its text as in the log, and the TSDUs that it is in.
  struct Message {
    std::string text;
    std::size_t first, last;
  };
  std::vector<Message> messages;
};

Written write(Input& input, std::size_t capacity) {
  Written out;
  std::string memory(capacity, '\0');
  StreamWriter writer;
  const std::string body(kLimits.frame, 'b');
  bool begins = true;
  while (!input.empty() && out.tsdus.size() < 4 * kMaxTsdus) {
    const uint8_t choice = input.byte();
    const std::size_t size = choice >= 224 ? 300u * (choice - 223) / 4 : choice % 64;
    const bool more = choice & 64 && !begins ? choice & 128 : choice & 64;
    writer.begin(body.data(), size, more);
    if (!writer.is_open()) writer.open(memory.data(), capacity);
    for (bool done = false, started = false; !done;) {
      if (writer.full()) {
        out.tsdus.emplace_back(memory.data(), writer.close());
        writer.open(memory.data(), capacity);
      }
      if (begins && !started) out.messages.push_back({"", out.tsdus.size(), 0});
      started = true;
      done = writer.put_rest();
    }
    out.messages.back().text.append(body, 0, size).append("|");
    out.messages.back().last = out.tsdus.size();
    begins = !more;
  }
  if (writer.is_open()) out.tsdus.emplace_back(memory.data(), writer.close());
  // The end of the last one is missing: it must not come out.
  if (!begins) out.messages.back().last = out.tsdus.size();
  return out;
}

bool within_limits(const std::string& text) {
  const auto parts = static_cast<std::size_t>(std::count(text.begin(), text.end(), '|'));
  return parts <= kLimits.parts && text.size() - parts <= kLimits.message;
}

/// Our own streams, some TSDUs of which are lost.
void read_written(Input& input, std::size_t capacity, uint8_t losses) {
  const Written written = write(input, capacity);
  std::vector<std::string> tsdus = written.tsdus;
  for (std::size_t i = 0; i < tsdus.size(); ++i) {
    if (losses >> (i * 7 % 8) & 1) tsdus[i].clear();
  }
  std::string expected;
  for (const Written::Message& message : written.messages) {
    // What follows one that is above the limits is a matter of where TSDUs end.
    if (!within_limits(message.text)) return;
    bool whole = message.last < tsdus.size();
    for (std::size_t i = message.first; whole && i <= message.last; ++i) whole = !tsdus[i].empty();
    if (whole) expected.append(message.text).append("\n");
  }
  int faults = 0;
  require(read(tsdus, 0, faults) == expected);
  require(read(tsdus, 3, faults) == expected && faults == 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  if (size > 600) return -1;
  Input input(data, size);
  const uint8_t choice = input.byte();
  if (choice < 128) {
    read_anything(input);
  } else {
    read_written(input, 3 + (choice - 128) * 5u, input.byte());
  }
  return 0;
}
