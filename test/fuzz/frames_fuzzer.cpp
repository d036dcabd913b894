// Frames: a decoder fed in pieces delivers what it delivers when fed at once, within its limits.
#include <cstring>
#include <string_view>

#include "input.hpp"
#include "zmtp/decoder.hpp"

using namespace zerowire;
using fuzz::Input;
using fuzz::require;

namespace {

/// Longer inputs find nothing that shorter ones do not.
constexpr std::size_t kLongest = 460;
/// Some bytes stand for long runs, so that small inputs make large frames.
constexpr char kRunByte = '\xEE';
constexpr std::size_t kRun = 1000;
constexpr std::size_t kRuns = 12;
constexpr MessageLimits kLimits = {12'000, 20'000, 20};

/// A string with enough memory for any input, which is used again for the next: to allocate would
/// take longer than to decode.
class Bytes {
 public:
  FUZZ_HARNESS void clear() { size_ = 0; }
  FUZZ_HARNESS void add(std::string_view bytes) {
    require(bytes.size() <= kCapacity - size_);
    if (!bytes.empty()) std::memcpy(data_ + size_, bytes.data(), bytes.size());
    size_ += bytes.size();
  }
  FUZZ_HARNESS void add(std::size_t count, char byte) {
    require(count <= kCapacity - size_);
    std::memset(data_ + size_, byte, count);
    size_ += count;
  }
  FUZZ_HARNESS std::string_view view() const { return {data_, size_}; }

 private:
  /// What goes in along with a frame or a command is no longer than its header.
  static constexpr std::size_t kCapacity = kRuns * kRun + kLongest;

  std::size_t size_ = 0;
  char data_[kCapacity];
};

struct Result final : CommandSink {
  FUZZ_HARNESS bool on_command(std::string_view name, std::string_view data) override {
    commands.add(name);
    commands.add("|");
    commands.add(data);
    commands.add("\n");
    return name != "BAD";
  }
  FUZZ_HARNESS void clear() {
    frames.clear();
    commands.clear();
  }
  Decoder::Status status = Decoder::Status::ok;
  Bytes frames;
  Bytes commands;
};

FUZZ_HARNESS void read(PipeReader& reader, Bytes& out) {
  while (reader.more()) {
    uint8_t flags = wire::kMore;
    std::size_t parts = 0, bytes = 0;
    while (flags & wire::kMore) {
      const Frame frame = reader.read();
      flags = frame.flags;
      bytes += frame.size;
      require(++parts <= kLimits.parts && frame.size <= 65536);
      out.add(1, static_cast<char>(flags & ~wire::kLong));
      out.add(1, static_cast<char>(frame.size));
      out.add({frame.data, frame.size});
    }
    require(bytes <= 65536);
    reader.consumed();
    reader.retire();
  }
  (void)reader.release(true);
}

/// `piece` bytes at a time, with a high-water mark that makes it stop and resume.
FUZZ_HARNESS void decode(std::string_view bytes, std::size_t piece, int mark, bool keep,
                         Result& result) {
  Pipe pipe(mark, false);
  result.clear();
  Decoder decoder(pipe.writer, kLimits, keep, result);
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
      std::size_t part = iov[i].iov_len;
      if (part > bytes.size()) part = bytes.size();
      if (part > piece - taken) part = piece - taken;
      if (part) std::memcpy(iov[i].iov_base, bytes.data(), part);
      bytes.remove_prefix(part);
      taken += part;
    }
    result.status = decoder.commit(taken);
  }
}

FUZZ_HARNESS void expand(std::string_view bytes, Bytes& all) {
  all.clear();
  for (std::size_t runs = 0;; ++runs) {
    const std::size_t plain = bytes.find(kRunByte);
    all.add(bytes.substr(0, plain));
    if (plain == std::string_view::npos || runs == kRuns) return;
    all.add(kRun, kRunByte);
    bytes.remove_prefix(plain + 1);
  }
}

}  // namespace

extern "C" FUZZ_HARNESS int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  static Bytes all;
  static Result cut, whole;
  if (size > kLongest) return -1;
  Input input(data, size);
  const uint8_t choice = input.byte();
  expand(input.take(size), all);
  const std::string_view bytes = all.view();
  const bool keep = choice & 1;
  const std::size_t piece = 1 + bytes.size() / 12 + (choice >> 3) * 5u;
  decode(bytes, piece, 1 + (choice >> 1) % 4, keep, cut);
  // Not always, for the sake of more inputs.
  if (choice < 64) {
    decode(bytes, SIZE_MAX, 0, keep, whole);
    require(cut.status == whole.status && cut.frames.view() == whole.frames.view() &&
            cut.commands.view() == whole.commands.view());
  }
  return 0;
}
