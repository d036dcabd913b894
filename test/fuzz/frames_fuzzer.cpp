// Frames: a decoder fed in pieces delivers what it delivers when fed at once, within its limits.
#include <cstring>
#include <string>

#include "input.hpp"
#include "zmtp/decoder.hpp"

using namespace zerowire;
using fuzz::Input;
using fuzz::require;

namespace {

struct Commands final : CommandSink {
  bool on_command(std::string_view name, std::string_view data) override {
    log.append(name).append("|").append(data).append("\n");
    return name != "BAD";
  }
  std::string log;
};

struct Result {
  Decoder::Status status = Decoder::Status::ok;
  std::string frames;
  std::string commands;
  bool operator==(const Result&) const = default;
};

/// Longer inputs find nothing that shorter ones do not.
constexpr std::size_t kLongest = 460;
constexpr MessageLimits kLimits = {12'000, 20'000, 20};

void read(PipeReader& reader, std::string& out) {
  while (reader.more()) {
    uint8_t flags = wire::kMore;
    std::size_t parts = 0, bytes = 0;
    while (flags & wire::kMore) {
      const Frame frame = reader.read();
      flags = frame.flags;
      bytes += frame.size;
      require(++parts <= kLimits.parts && frame.size <= 65536);
      out.push_back(static_cast<char>(flags & ~wire::kLong));
      out.append(frame.data, frame.size).append("\n");
    }
    require(bytes <= 65536);
    reader.consumed();
    reader.retire();
  }
  (void)reader.release(true);
}

/// `piece` bytes at a time, with a high-water mark that makes it stop and resume.
Result decode(std::string_view bytes, std::size_t piece, int mark, bool keep) {
  Pipe pipe(mark, false);
  Commands commands;
  Decoder decoder(pipe.writer, kLimits, keep, commands);
  Result result;
  result.status = decoder.begin(bytes.data(), std::min<std::size_t>(bytes.size(), 3));
  bytes.remove_prefix(std::min<std::size_t>(bytes.size(), 3));
  for (;;) {
    (void)pipe.writer.publish();
    read(pipe.reader, result.frames);
    if (result.status != Decoder::Status::ok) break;
    if (decoder.throttled()) {
      result.status = decoder.resume();
      continue;
    }
    if (bytes.empty()) break;
    iovec iov[2];
    const int count = decoder.prepare(iov);
    require(count > 0 && iov[0].iov_len > 0);
    std::size_t taken = 0;
    for (int i = 0; i < count; ++i) {
      const std::size_t part = std::min({iov[i].iov_len, bytes.size(), piece - taken});
      if (part) std::memcpy(iov[i].iov_base, bytes.data(), part);
      bytes.remove_prefix(part);
      taken += part;
    }
    result.status = decoder.commit(taken);
  }
  result.commands = std::move(commands.log);
  return result;
}

/// Some bytes stand for long runs, so that small inputs make large frames.
std::string expand(std::string_view bytes) {
  std::string all;
  for (int runs = 0;; ++runs) {
    const std::size_t plain = std::min(bytes.find('\xEE'), bytes.size());
    all.append(bytes.substr(0, plain));
    if (plain == bytes.size() || runs == 12) return all;
    all.append(1000, '\xEE');
    bytes.remove_prefix(plain + 1);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  if (size > kLongest) return -1;
  Input input(data, size);
  const uint8_t choice = input.byte();
  const std::string bytes = expand(input.take(size));
  const bool keep = choice & 1;
  const std::size_t piece = 1 + bytes.size() / 12 + (choice >> 3) * 5u;
  const Result cut = decode(bytes, piece, 1 + (choice >> 1) % 4, keep);
  // Not always, for the sake of more inputs.
  if (choice < 64) require(cut == decode(bytes, SIZE_MAX, 0, keep));
  return 0;
}
