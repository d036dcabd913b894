// Sending: the half of a session that publishes.
#pragma once

#include "pgm/session_parts.hpp"
#include "pgm/source.hpp"
#include "pgm/stream.hpp"

namespace zerowire::pgm {

/// How a session stands with pipes[0].
struct PipeState {
  bool has_token = true;
  bool inside = false;  ///< it begins with the rest of a message that is of no use any more
};

/// Takes messages from the link's pipes[0] and sends them to the group. Belongs to a Session.
class Sending {
 public:
  /// `state` outlives it.
  Sending(const SessionParts& parts, int64_t now, PipeState& state);
  ~Sending();
  Sending(const Sending&) = delete;
  Sending& operator=(const Sending&) = delete;

  /// NAKs and SPMRs, those for other sources of this machine too.
  void on_datagram(int64_t now, const Received& received, const Packet& packet);
  /// A datagram that only wakes up (see Kicks): not for us, but perhaps for another source.
  void on_kick(const Received& received);
  /// Takes from the pipe and sends what is possible now. Gives the token up when that was all.
  void work(int64_t now);
  /// No message comes any more: after what the pipe holds, says goodbye.
  void finish() { finishing_ = true; }
  /// Says goodbye at once, if that has not been done; what waits is dropped.
  void abandon(int64_t now);

  /// The kernel takes no more packets: work() is to be called when it does.
  bool blocked() const { return next_ < count_; }
  bool finished(int64_t now) const { return said_goodbye_ && source_.finished(now); }
  /// When work() has to be called again.
  int64_t deadline(int64_t now);

 private:
  static constexpr std::size_t kBatch = 256;

  bool take_and_send(int64_t now);
  bool pack(int64_t now);
  bool next_frame();
  bool next_latest();
  void take_frame(const char* data, std::size_t size, bool more);
  void end_frame();
  void seal();
  bool transmit(int64_t now);
  void release();
  void relay(std::string_view packet, const Nla& group);
  bool give_up_token();
  bool partly_filled() const { return writer_.is_open() && !writer_.empty(); }
  PipeReader& pipe() { return parts_.link.pipes[0].reader; }

  const SessionParts parts_;
  PipeState& state_;
  const Tsi tsi_;
  const std::size_t max_tsdu_;
  Source source_;
  StreamWriter writer_;
  bool framing_ = false;     ///< the writer has begun a frame of the pipe
  bool more_ = false;        ///< further frames of its message follow
  bool in_message_ = false;  ///< the frame that was written last was not the last of its message
  bool finishing_ = false;
  bool said_goodbye_ = false;
  bool again_ = false;    ///< there is more to do at once
  bool starved_ = false;  ///< there was no memory for a packet
  // Conflated output: the message being sent.
  Buffer* latest_ = nullptr;
  const char* latest_at_ = nullptr;
  const char* latest_end_ = nullptr;
  // Packets that the source has given out and the kernel has not taken.
  std::size_t next_ = 0;
  std::size_t count_ = 0;
  std::string_view packets_[kBatch];
};

}  // namespace zerowire::pgm
