// Receiving: the half of a session that listens.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "pgm/receiver.hpp"
#include "pgm/session_parts.hpp"
#include "pgm/stream.hpp"

namespace zerowire::pgm {

class Receiving;

/// A source that a session hears.
class RemoteSource final : private ReceiverSink, private MessageSink, private Timer {
 public:
  RemoteSource(Receiving& owner, const Received& first, const Packet& packet, int64_t now);
  ~RemoteSource();

  void on_packet(int64_t now, const Packet& packet) { receiver_.on_packet(now, packet); }
  /// Sends what the receiver has for the source, and sets the timer. False: it is over.
  bool serve(int64_t now);
  /// There is room for messages again. False: not enough.
  bool resume(int64_t now);

  /// It has said its last, or nothing for long, and all of it has been delivered.
  bool over(int64_t now) const { return !full_ && receiver_.over(now); }

  const Receiver& receiver() const { return receiver_; }
  const Tsi& tsi() const { return tsi_; }
  const Nla& address() const { return address_; }
  /// "epgm://10.77.0.1/b7c6d1bc038a.10673", as in events.
  std::string name() const;

  bool touched = false;  ///< listed to be served
  bool waits = false;    ///< listed to be resumed

 private:
  bool on_tsdu(std::string_view tsdu) override;
  void on_loss(uint32_t first, uint32_t count, LossCause cause) override;
  bool on_message(const std::vector<StreamFrame>& frames) override;
  void on_timer(int64_t now) override;
  void note(StreamReader::Status status, uint32_t sequence);
  void tell_malformed();

  Receiving& owner_;
  const Tsi tsi_;
  const Nla address_;
  const Nla group_;
  StreamReader reader_;
  bool full_ = false;  ///< the reader has a message that finds no room
  // Of packets that are no stream of messages, the first is told at once, those that follow it
  // together.
  bool malformed_ = false;
  uint32_t malformed_first_ = 0;
  uint32_t malformed_count_ = 0;  ///< not told yet
  Receiver receiver_;
};

/// Puts whole messages of all sources into the link's pipes[1]. Belongs to a Session.
class Receiving {
 public:
  explicit Receiving(const SessionParts& parts);
  ~Receiving();

  void on_datagram(int64_t now, const Received& received, const Packet& packet);
  /// After a batch of datagrams: requests go out, messages are shown to the socket.
  void settle(int64_t now);
  /// The socket has taken messages.
  void room(int64_t now);
  /// From time to time: gives up sources that have fallen silent.
  void expire(int64_t now);
  /// The interface is gone, and all sources with it.
  void leave() const;

  // ---- for sources

  const SessionParts& parts() const { return parts_; }
  std::size_t sources() const { return sources_.size(); }
  /// False when the pipe is full: room() will come.
  bool deliver(const std::vector<StreamFrame>& frames);
  void wait_for_room(RemoteSource& source);
  void touch(RemoteSource& source);
  void tell(EventType type, const RemoteSource& source) const;
  void tell_loss(const RemoteSource& source, uint32_t first, uint32_t count, LossCause cause) const;

 private:
  struct Key {
    Nla address;
    Tsi tsi;
    bool operator==(const Key&) const = default;
  };
  struct Hash {
    std::size_t operator()(const Key& key) const;
  };

  RemoteSource* find(const Nla& address, const Packet& packet);
  RemoteSource* add(const Received& received, const Packet& packet, int64_t now);
  bool make_room(int64_t now);
  void remove(RemoteSource& source);
  bool keep_latest(const std::vector<StreamFrame>& frames);
  void publish();

  const SessionParts parts_;
  std::unordered_map<Key, std::unique_ptr<RemoteSource>, Hash> sources_;
  RemoteSource* last_ = nullptr;  ///< the one that was found last
  std::vector<RemoteSource*> touched_;
  std::vector<RemoteSource*> waiting_;
  int64_t no_room_until_ = 0;  ///< for further sources
};

}  // namespace zerowire::pgm
