// TxStream: writes the bytes of a pipe to a stream socket.
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <string>

#include "pipe/pipe.hpp"

namespace zerowire {

/// Belongs to the holder of the pipe's consumer token: the connection's IO thread, or the socket's
/// own thread while it sends directly. Keeps track of frames, so that messages are counted as they
/// leave, commands go out between messages, and a broken connection is resumed at a message.
class TxStream {
 public:
  enum class Status {
    drained,  ///< what was there was taken by the kernel; more may have come meanwhile
    blocked,  ///< there is a rest: for later, when the kernel takes more, or for the IO thread
    failed,   ///< the connection is broken
  };
  /// The IO thread: writes what is there. `control`: bytes to go out at the next end of a
  /// message; what was sent is removed from its front.
  Status drain(PipeReader& pipe, std::string& control);
  /// The socket's own thread: the same, but of much only the beginning.
  Status drain_directly(PipeReader& pipe);

  /// A new connection: the rest of a message whose start went out on the old one is skipped.
  void attach(int fd, PipeReader& pipe);
  void detach() {
    fd = -1;
    direct = false;
  }

  int fd = -1;
  /// The socket's own thread may write: handshake done, nothing has to be transformed.
  bool direct = false;
  int64_t last_direct_end = 0;  ///< monotonic ns

 private:
  bool between_messages() const { return frame_left_ == 0 && !in_message_; }
  void account(PipeReader& pipe, uint64_t bytes);
  uint64_t account_whole(PipeReader& pipe, uint64_t bytes);
  void begin_frame(PipeReader& pipe);
  void end_frame(PipeReader& pipe);
  uint64_t rest_of_message(PipeReader& pipe) const;
  int gather(PipeReader& pipe, uint64_t most, iovec* out, uint64_t& bytes) const;
  bool much(PipeReader& pipe) const;
  Status write(PipeReader& pipe, std::string* control, uint64_t most);

  uint64_t frame_left_ = 0;  ///< bytes of the present frame that have not gone out
  uint8_t frame_flags_ = 0;
  bool in_message_ = false;  ///< some but not all frames of a message have gone out
};

}  // namespace zerowire
