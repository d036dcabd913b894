// Peer: the socket's side of a link.
#pragma once

#include <string>

#include "pipe/link.hpp"
#include "zerowire/socket.hpp"

namespace zerowire {

class SocketCore;

/// Owned by its socket and used on the socket's thread only. Holds one reference to the link.
class Peer final : public EndOwner {
 public:
  enum class Kind { accepted, dialed, inproc };

  Peer(SocketCore& socket, End& end, Kind kind);
  /// Lets go of the link.
  ~Peer();

  // ---- sending: frames of one message, then finish()

  /// True when a message may be written; when full, the pattern hears of room by writable().
  bool room() { return open_ && (out_.room() || puts_.on || out_.room_or_wait()); }
  /// The same for those who drop instead of waiting.
  bool has_room() { return open_ && (out_.room() || puts_.on); }
  /// How many messages may be written in a row.
  uint64_t free() {
    if (!open_) return 0;
    return puts_.on ? UINT64_MAX : out_.free();
  }
  /// Appends a frame; a failure (no memory) shows in finish().
  void frame(const Part& part, bool more);
  /// Ends the message and sends it off (or leaves that to uncork). False: no memory, nothing sent.
  bool finish(bool direct = true);
  /// Writes a whole message.
  bool write(std::span<const Part> parts, bool direct = true);
  /// The same for one that is in a lane.
  bool write_shared(const Lane::Bytes& frames) {
    failed_ |= !out_.append_shared(frames);
    return finish(false);
  }
  /// The connection takes whole messages in turn, not only the newest.
  bool can_share() { return !puts_.on; }
  /// A subscription change for an inproc peer; not subject to the high-water mark.
  void write_command(std::string_view name, std::string_view data);
  /// Who writes what there is to the connection: the IO thread; the caller, if it is a single
  /// message, after which more may follow; the caller, since it is all for now. He does where he
  /// can.
  enum class By { thread, caller_one, caller_all };
  void flush(By whom);

  // ---- receiving

  enum class Read { message, none, ended };
  /// Appends the frames of the next message. After `none` the socket still holds the token: the
  /// pattern looks again, or calls rest().
  Read read(Inbound& message);
  /// The next message, if it is there and has one frame, as a copy or reference.
  bool read_plain(Message& message);
  /// Whether read() would find a message; deals with control records on the way.
  Read peek();
  /// Gives the token up: readable() comes with the next message. False: there is one.
  bool rest();
  /// The socket holds the token of the pipe: it may be read.
  bool holds_token() const { return holds_token_; }
  /// readable() is to be called again, after others had their turn.
  void post_again() { end_.notify(kToken); }
  /// The views given out by read() are no longer used.
  void retire() {
    if (latest_) drop_latest();
    in_.retire();
    if (in_.release(false)) end_.other().notify(kRoom);
  }
  /// The first frame of the message read last was a command (a subscription).
  bool command() const { return command_; }

  // ---- life

  /// Flushes for linger, then ends; input that was received stays readable.
  void disconnect();
  /// The pattern does not take it: nothing of it will be heard.
  void refuse();

  Link& link() { return end_.link(); }
  Kind kind() const { return kind_; }
  /// Messages may be written (it is not disconnecting, and the other side is there).
  bool open() const { return open_; }

  std::string routing_id;             ///< what the peer calls itself, or we call it; see ROUTER
  bool up = false;                    ///< the connection is established
  uint32_t losses = 0;                ///< link().losses when it came up
  uint64_t mark = 0;                  ///< for fan-out: the message it was last chosen for
  std::size_t reader_slot = kNoSlot;  ///< place in a FairQueue
  std::size_t writer_slot = kNoSlot;  ///< place in a RoundRobin
  bool fixed_id = false;       ///< routing_id is ours (connect_routing_id), not the peer's word
  bool idle = false;           ///< FairQueue: had nothing when last looked at
  bool waiting = false;        ///< ROUTER: its routing id is taken by another peer
  uint32_t stale_replies = 0;  ///< REQ: replies to requests that were given up
  int unheard = 0;             ///< XPUB: its messages that wait for the application
  std::size_t slot = 0;        ///< place in the socket's list
  bool dirty = false;          ///< has collected messages, listed in the socket

  static constexpr std::size_t kNoSlot = static_cast<std::size_t>(-1);

 private:
  void on_mail(End& end, uint32_t todo) override;
  void take_token();
  // Kept out of line: read() and write() are the hot ones.
  [[gnu::noinline]] bool refer(uint8_t flags, const Part& part);
  [[gnu::noinline]] bool control(const Frame& frame);
  [[gnu::noinline]] Read nothing();
  [[gnu::noinline]] bool finish_latest();
  [[gnu::noinline]] bool read_latest(Inbound& message);
  [[gnu::noinline]] void drop_latest();
  [[gnu::noinline]] void send_directly(By whom);
  void say_goodbye();

  PipeReader& in_;
  Buffer* latest_ = nullptr;  ///< conflated input: the message read last
  PipeWriter& out_;
  Latest& puts_;
  SocketCore& socket_;
  End& end_;
  const Kind kind_;
  bool open_ = true;
  bool holds_token_ = false;
  uint64_t claimed_ = 0;  ///< messages written when the connection was last found idle
  bool failed_ = false;   ///< a frame of the present message found no memory
  bool command_ = false;
  std::string frames_;  ///< conflated output: the message being written
  bool told_ = false;   ///< the other side knows that we are finished
};

}  // namespace zerowire
