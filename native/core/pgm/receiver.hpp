// Receiver: the receiving side of a PGM session, one per source.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "base/random.hpp"
#include "pgm/wire.hpp"

namespace zerowire::pgm {

enum class LossCause : uint8_t {
  window,         ///< the source does not keep it any more
  timeout,        ///< asked for in vain for the recovery interval
  slow_consumer,  ///< the application left more unread than is kept
  restart,        ///< the source began anew
  protocol,       ///< never from a Receiver: what the packets hold is no stream of messages
};

/// What a receiver tells its owner; called from within its functions.
class ReceiverSink {
 public:
  /// The next TSDU, in order. False: no room, it is offered again by resume().
  virtual bool on_tsdu(std::string_view tsdu) = 0;
  /// `count` packets from `first` on are lost for good; the next TSDU comes from behind them. What
  /// is lost in one piece is reported at once, when it is known what comes next. With `restart` the
  /// next TSDU belongs to another stream, so it comes even for a `count` of 0. A sink without room
  /// is not told before resume().
  virtual void on_loss(uint32_t first, uint32_t count, LossCause cause) = 0;

 protected:
  ~ReceiverSink() = default;
};

struct ReceiverConfig {
  Tsi tsi;                        ///< of the source
  uint16_t destination_port = 0;  ///< the data-destination port (that of the endpoint)
  Nla source;                     ///< where its packets come from, until an SPM names a path
  Nla group;
  int64_t recovery = 0;        ///< ns after which a hole is given up
  std::size_t most_bytes = 0;  ///< kept behind a hole, or for an application that does not read
  bool same_host = false;      ///< the source is on this machine: NAKs by multicast at once
};

struct ReceiverStats {
  uint64_t data = 0;  ///< packets taken, repairs included
  uint64_t duplicates = 0;
  uint64_t repaired = 0;   ///< packets that came as RDATA
  uint64_t lost = 0;       ///< packets reported by on_loss()
  uint64_t naks = 0;       ///< NAK packets sent
  uint64_t requested = 0;  ///< sequence numbers in them
};

/// A packet for the source.
struct Upstream {
  /// How it travels.
  enum class Route : uint8_t {
    unicast,    ///< to `to`, port of the endpoint
    multicast,  ///< to the group, not leaving the local network
    both,
    host,  ///< to the group, not leaving this machine
  };
  Route route = Route::unicast;
  Nla to;
  std::size_t size = 0;
  char data[kMaxControlSize];
};

/// Sans-I/O: time comes in as monotonic ns, packets for the source go out through poll(). One
/// thread. Never stops for good: what cannot be had is reported and stepped over, and positions
/// that a forged packet made up are left again within a second of what the source says next.
class Receiver {
 public:
  Receiver(const ReceiverConfig& config, int64_t now, Random& random, ReceiverSink& sink);
  ~Receiver();

  /// SPM, ODATA, RDATA and NCF of the session, and NAKs of other receivers for it.
  void on_packet(int64_t now, const Packet& packet);
  /// Deals with what is due, and fills in NAKs, SPMRs and kicks to be sent now. Returns how many;
  /// if it is `most` there may be more.
  std::size_t poll(int64_t now, Upstream* out, std::size_t most);
  /// When poll() has something next; kNever if only a packet can change that. The expiry of over()
  /// does not count.
  int64_t deadline() const;
  /// The packet that the sink gets next; while it is being handed over, that one.
  uint32_t next() const;
  /// The sink has room again.
  void resume(int64_t now);

  /// The source said that it ends, and everything up to its end has been delivered; or nothing
  /// has been heard of it for the expiry (300 s).
  bool over(int64_t now) const;
  int64_t last_heard() const;
  const ReceiverStats& stats() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace zerowire::pgm
