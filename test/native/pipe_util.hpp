// Reading and writing whole messages of a pipe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "pipe/pipe.hpp"

namespace zerowire::test {

using Parts = std::vector<std::string>;

inline bool write_message(PipeWriter& writer, const Parts& parts) {
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const uint8_t flags = i + 1 < parts.size() ? wire::kMore : 0;
    if (!writer.write(flags, parts[i].data(), parts[i].size())) return false;
  }
  writer.commit();
  return true;
}

/// The next message; a part that is a command gets "/" in front. Only after more().
inline Parts read_message(PipeReader& reader) {
  Parts parts;
  for (bool more = true; more;) {
    const Frame frame = reader.read();
    parts.emplace_back(frame.flags & wire::kCommand ? "/" : "");
    parts.back().append(frame.data, frame.size);
    more = frame.flags & wire::kMore;
  }
  reader.consumed();
  return parts;
}

inline std::vector<Parts> read_all(PipeReader& reader) {
  std::vector<Parts> messages;
  while (reader.more()) messages.push_back(read_message(reader));
  reader.retire();
  return messages;
}

/// A Buffer that counts how often its memory was given back.
struct Counted {
  explicit Counted(std::size_t size, char fill = 'x') : bytes(size, fill) {
    buffer = Buffer::external(
        bytes.data(), bytes.size(), [](void*, void* hint) { ++*static_cast<int*>(hint); }, &freed);
  }
  Part part() { return {bytes.data(), bytes.size(), buffer}; }

  std::string bytes;
  int freed = 0;
  Buffer* buffer;
};

}  // namespace zerowire::test
