// The byte stream inside PGM: ZMTP/1.0 frames (RFC 13) cut into TSDUs, each with the offset of the
// first message that begins in it, as libzmq sends them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace zerowire::pgm {

/// Octets of the offset in front of every TSDU; 0xffff in it: no message begins here.
inline constexpr std::size_t kOffsetSize = 2;
inline constexpr uint16_t kNoMessage = 0xffff;

/// Writes frames into TSDUs. Sans-I/O, one thread.
///   open(memory) ... put(frame) while it returns false: close(), open(more memory) ... close()
class StreamWriter {
 public:
  void open(char* tsdu, std::size_t capacity);
  bool is_open() const { return tsdu_ != nullptr; }
  /// Begins a frame; the bytes stay valid until put_rest() has returned true.
  void begin(const char* data, std::size_t size, bool more);
  /// Copies as much of the frame as fits. False: the TSDU is full, close it and open another.
  bool put_rest();
  /// True when not even a frame header fits any more.
  bool full() const;
  /// True when nothing has been put since open().
  bool empty() const;
  /// Size of the TSDU, offset included; never less than 3.
  std::size_t close();

 private:
  char* tsdu_ = nullptr;
  std::size_t capacity_ = 0;
  std::size_t used_ = 0;
  uint16_t first_ = kNoMessage;
  char header_[10];
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

struct StreamLimits {
  uint64_t frame = UINT64_MAX;    ///< bytes of one frame
  uint64_t message = UINT64_MAX;  ///< bytes of all frames of one message
  uint32_t parts = UINT32_MAX;    ///< frames of one message
};

/// Reads the TSDUs of one source, in order, and hands out whole messages. Whatever it is given, it
/// only allocates for bytes that have arrived. Sans-I/O, one thread.
class StreamReader {
 public:
  enum class Status {
    ok,
    full,       ///< the sink has no room: nothing may be taken until resume() returns ok
    malformed,  ///< not a stream of ØMQ messages, or above a limit; goes on at the next offset
  };

  StreamReader(const StreamLimits& limits, MessageSink& sink) : limits_(limits), sink_(sink) {}
  /// Right after `full` this must not be called.
  Status take(std::string_view tsdu);
  /// After `full`: offers the rest again.
  Status resume();
  /// Something is missing before the next TSDU: the begun message is dropped, and reading goes on
  /// where the next one begins.
  void lose();

 private:
  Status read(std::string_view bytes);

  const StreamLimits limits_;
  MessageSink& sink_;
  bool synchronised_ = false;
  std::string partial_;  ///< of a frame or message that spans TSDUs
  std::string rest_;     ///< what a full sink has left of a TSDU
};

}  // namespace zerowire::pgm
