// Control records: what the two sides of a link tell each other in the order of the messages.
#pragma once

#include <string>
#include <string_view>

#include "pipe/latest.hpp"
#include "pipe/pipe.hpp"

namespace zerowire::control {

enum class Kind : char {
  up = 1,      ///< a peer is there (again): losses so far, marks, routing id
  end = 2,     ///< nothing follows, ever
  latest = 3,  ///< the link's Latest of this direction holds a message
};

/// A record as read from a pipe.
struct Record {
  Kind kind = Kind::up;
  uint32_t losses = 0;
  int32_t mark = -1;      ///< high-water mark for the receiver's own pipe; -1 = unchanged
  bool conflate = false;  ///< the receiver's own pipe has to be conflated
  std::string_view routing_id = {};
};

inline bool write_up(PipeWriter& pipe, uint32_t losses, std::string_view routing_id,
                     int32_t mark = -1, bool conflate = false) {
  std::string body(1, static_cast<char>(Kind::up));
  body.append(reinterpret_cast<const char*>(&losses), sizeof losses);
  body.append(reinterpret_cast<const char*>(&mark), sizeof mark);
  body.push_back(conflate);
  body.append(routing_id);
  if (!pipe.write(wire::kControl, body.data(), body.size())) return false;
  pipe.commit(0);
  return true;
}

inline void write_plain(PipeWriter& pipe, Kind kind) {
  const char byte = static_cast<char>(kind);
  if (pipe.write(wire::kControl, &byte, 1)) pipe.commit(0);
}

/// Makes a message in wire form the latest of its direction; the record that tells of it is to be
/// published. False: no memory, the one before stays.
inline bool put_latest(PipeWriter& pipe, Latest& latest, std::string_view frames) {
  Buffer* buffer = Buffer::create(frames.size());
  if (!buffer) return false;
  std::memcpy(buffer->data(), frames.data(), frames.size());
  if (latest.put(buffer, frames.size())) write_plain(pipe, Kind::latest);
  return true;
}

inline Record read(const Frame& frame) {
  Record record;
  record.kind = static_cast<Kind>(frame.data[0]);
  if (record.kind == Kind::up) {
    std::memcpy(&record.losses, frame.data + 1, sizeof record.losses);
    std::memcpy(&record.mark, frame.data + 5, sizeof record.mark);
    record.conflate = frame.data[9];
    record.routing_id = {frame.data + 10, frame.size - 10};
  }
  return record;
}

}  // namespace zerowire::control
