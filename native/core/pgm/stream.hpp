// The byte stream inside PGM: ZMTP/1.0 frames (RFC 13) cut into TSDUs, each with the offset of the
// first message that begins in it, as libzmq sends them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/limits.hpp"

namespace zerowire::pgm {

/// Octets of the offset in front of every TSDU; 0xffff in it: no message begins here.
inline constexpr std::size_t kOffsetSize = 2;
inline constexpr uint16_t kNoMessage = 0xffff;

/// Frame headers: length + 1 and flags; or 0xff, length + 1 in 8 octets, and flags.
inline constexpr std::size_t kShortFrameHeader = 2;
inline constexpr std::size_t kLongFrameHeader = 10;

/// Writes frames into TSDUs. Sans-I/O, one thread.
///   open(memory) ... put(frame) while it returns false: close(), open(more memory) ... close()
class StreamWriter {
 public:
  /// `capacity` >= 3; of more than 65535 octets, the length that fits a packet, only these are
  /// used.
  void open(char* tsdu, std::size_t capacity);
  bool is_open() const { return tsdu_ != nullptr; }
  /// Begins a frame; the bytes stay valid until put_rest() has returned true.
  void begin(const char* data, std::size_t size, bool more);
  /// Copies as much of the frame as fits. False: the TSDU is full, close it and open another.
  bool put_rest();
  /// True when nothing fits any more. Headers are cut too, so that all full TSDUs have one size.
  bool full() const { return used_ == capacity_; }
  /// True when nothing has been put since open().
  bool empty() const { return used_ <= kOffsetSize; }
  /// Size of the TSDU, offset included; never less than 3, or 0 if nothing has been put.
  std::size_t close();

 private:
  char* tsdu_ = nullptr;
  std::size_t capacity_ = 0;
  std::size_t used_ = 0;
  uint16_t first_ = kNoMessage;
  char header_[kLongFrameHeader];
  std::size_t header_size_ = 0;
  std::size_t header_sent_ = 0;
  const char* body_ = nullptr;
  std::size_t body_size_ = 0;
  std::size_t body_sent_ = 0;
  bool message_begins_ = true;  ///< the next frame is the first of a message
  bool more_ = false;
};

/// A part of a received message: a view, into the TSDU or into the reader.
struct StreamFrame {
  const char* data;
  std::size_t size;
};

class MessageSink {
 public:
  /// A whole message. False: no room; the reader keeps it and asks again by resume().
  virtual bool on_message(const std::vector<StreamFrame>& frames) = 0;

 protected:
  ~MessageSink() = default;
};

/// Bytes in the order they were appended. Grows geometrically; frees what only a large message
/// needed.
class StreamBytes {
 public:
  StreamBytes() = default;
  StreamBytes(const StreamBytes&) = delete;
  StreamBytes& operator=(const StreamBytes&) = delete;
  ~StreamBytes();

  /// False (unchanged) when out of memory.
  [[nodiscard]] bool append(std::string_view bytes);
  void clear();
  std::size_t size() const { return size_; }
  /// Valid until the next append() or clear().
  std::string_view from(std::size_t at) const { return {data_ + at, size_ - at}; }

 private:
  char* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

/// Reads the TSDUs of one source, in order, and hands out whole messages. Whatever it is given, it
/// only allocates for bytes that have arrived. Sans-I/O, one thread.
class StreamReader {
 public:
  enum class Status {
    ok,
    full,       ///< the sink has no room: nothing may be taken until resume() returns another
    malformed,  ///< not a stream of ØMQ messages, above a limit, or out of memory; the message is
                ///< dropped, and reading has gone on, or will, at the next offset
  };

  StreamReader(const MessageLimits& limits, MessageSink& sink) : limits_(limits), sink_(sink) {}
  /// After `full` this must not be called: it takes nothing then.
  Status take(std::string_view tsdu);
  /// After `full`: offers the rest again.
  Status resume();
  /// Something is missing before the next TSDU: the begun message is dropped, and reading goes on
  /// where the next one begins. What a full sink has left is still offered.
  void lose();

 private:
  enum class Extent { whole, begun, bad };

  Status take(uint16_t offset, std::string_view bytes);
  Status join(uint16_t offset, std::string_view bytes);
  Status read(std::string_view& bytes);
  Status malformed();
  Status settle(Status status, std::string_view rest);
  Extent split(std::string_view bytes, std::size_t& size);
  Extent gather(std::string_view bytes, std::size_t& used);
  bool allowed(uint64_t frame_size) const;
  void count(uint64_t frame_size);
  void drop();

  const MessageLimits limits_;
  MessageSink& sink_;
  std::vector<StreamFrame> frames_;  ///< of the message being handed out
  uint64_t message_size_ = 0;        ///< of its whole frames so far, and their number
  uint32_t message_parts_ = 0;

  StreamBytes begun_;         ///< a message that spans TSDUs, headers included
  std::size_t frame_at_ = 0;  ///< in it: the frame that is not whole yet
  bool synchronised_ = false;

  StreamBytes rest_;          ///< what a full sink has left of a TSDU: it begins with a message
  std::size_t rest_at_ = 0;   ///< what of it has been handed out
  bool waiting_ = false;      ///< for room in the sink
  bool begun_whole_ = false;  ///< and for begun_ first
  bool lost_ = false;         ///< lose() was called meanwhile
  bool malformed_ = false;    ///< to be reported once there was room
};

}  // namespace zerowire::pgm
