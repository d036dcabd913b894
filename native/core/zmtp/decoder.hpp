// Decoder: received bytes become frames of a pipe, in place.
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <string_view>

#include "base/limits.hpp"
#include "pipe/pipe.hpp"

namespace zerowire {

/// What the decoder tells the engine.
class CommandSink {
 public:
  /// A command that is no subscription. False: it breaks the protocol.
  virtual bool on_command(std::string_view name, std::string_view data) = 0;

 protected:
  ~CommandSink() = default;
};

/// Sans-I/O. The caller reads from the network into prepare()d memory, which is the free end of
/// the pipe (or the body of a large frame), and says by commit() how much came. Whole messages are
/// committed to the pipe (the caller publishes); commands are handed to the sink and leave no
/// trace, except SUBSCRIBE and CANCEL, which the socket gets as they are.
/// Stops at the pipe's high-water mark, keeping what it has, until resume().
/// Owned by an Engine, used on its thread.
class Decoder {
 public:
  enum class Status { ok, too_large, malformed, no_memory };

  Decoder(PipeWriter& pipe, const MessageLimits& limits, bool keep_subscriptions, CommandSink& sink)
      : pipe_(pipe), limits_(limits), keep_subscriptions_(keep_subscriptions), sink_(sink) {}
  ~Decoder();

  /// Fills in 1 or 2 pieces of memory to read into; 0 when throttled or out of memory.
  int prepare(iovec (&out)[2]);
  Status commit(std::size_t bytes);
  /// Before anything else: takes bytes that came along with the handshake.
  Status begin(const char* data, std::size_t size);
  /// Goes on after the pipe's consumer has returned credit.
  Status resume();
  bool throttled() const { return throttled_; }
  /// A message has begun and is not complete.
  bool inside_message() const { return parts_ > 0 || body_ || fill_ != pipe_.at(); }

 private:
  Status scan();
  bool take_short(char*& from);
  Status take_frame(char*& from, bool& complete);
  Status take_command(const wire::Header& header, char*& from);
  Status begin_body(const wire::Header& header, char* from);
  bool grow_body();
  bool allowed(uint64_t size) const;
  void count(uint64_t size);
  void keep_frame(char*& from, std::size_t size, uint8_t flags);
  void finish_frame(uint8_t flags);
  bool make_room();

  PipeWriter& pipe_;
  const MessageLimits limits_;
  const bool keep_subscriptions_;
  CommandSink& sink_;
  char* fill_ = nullptr;  ///< end of the received bytes; they start at pipe_.at()
  bool throttled_ = false;
  bool filled_ = false;  ///< the last read used all it was given: worth more next time
  std::size_t chunk_size_ = 4 * 1024;
  std::size_t need_ = wire::kLongHeader;  ///< the frame being received, header included
  uint32_t parts_ = 0;                    ///< frames so far of the message being received
  uint64_t bytes_ = 0;                    ///< their bytes
  // A frame too large for a chunk is received into memory of its own.
  Chunk* body_ = nullptr;
  Chunk* after_ = nullptr;  ///< takes what is read behind it
  uint64_t body_size_ = 0;
  uint64_t body_have_ = 0;
  uint8_t body_flags_ = 0;
  /// Memory for a body is taken at once up to this size, or what the peer has sent before; the rest
  /// as its bytes arrive: a peer that only declares a size costs little.
  uint64_t body_step_ = 1024 * 1024;
};

}  // namespace zerowire
