// Source: the sending side of a PGM session.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "pgm/rate.hpp"
#include "pgm/tx_window.hpp"
#include "pgm/wire.hpp"

namespace zerowire::pgm {

struct SourceConfig {
  Tsi tsi;
  uint16_t destination_port = 0;  ///< the data-destination port (that of the endpoint)
  Nla path;                       ///< our own address, where NAKs are to go
  Nla group;
  std::size_t max_tsdu = 0;  ///< octets, offset included
  std::size_t overhead = 0;  ///< octets of IP and UDP headers per packet, for the rate
  uint64_t rate = 0;         ///< bytes/s of data and repairs, headers included
  int64_t recovery = 0;      ///< ns that packets are kept for repair
  uint32_t window = 1;       ///< packets advertised at most (libzmq's formula)
  std::size_t most_bytes = 256 * 1024 * 1024;  ///< of packets advertised at most
  uint32_t first_sequence = 0;                 ///< of the first data packet
};

struct SourceStats {
  uint64_t data = 0;       ///< packets sent
  uint64_t repairs = 0;    ///< RDATA packets sent
  uint64_t naks = 0;       ///< NAK packets received
  uint64_t requested = 0;  ///< sequence numbers in them
  uint64_t refused = 0;    ///< of these not kept; an SPM tells what is
};

/// Sans-I/O: time comes in as monotonic ns, packets go out through poll(). One thread.
class Source {
 public:
  Source(const SourceConfig& config, int64_t now);
  ~Source();

  /// Memory for the TSDU of the next data packet (max_tsdu octets), null while enough packets wait
  /// to be sent (poll() makes room, not before deadline()) or memory is short.
  char* open(int64_t now);
  /// The opened packet is full: it is the next of the stream. `size` >= 3.
  void seal(std::size_t size);
  /// Data packets that wait to be sent.
  std::size_t waiting() const;

  /// NAK, NNAK and SPMR for our session; others are ignored.
  void on_packet(int64_t now, const Packet& packet);
  /// Packets to be sent to the group now, in this order: SPMs and NCFs, repairs and data in turn,
  /// as the rate allows. They stay valid until the next open() or poll(). Returns how many.
  std::size_t poll(int64_t now, std::string_view* out, std::size_t most);
  /// When poll() has something next; kNever if only new data or a packet can change that.
  int64_t deadline() const;

  /// From now on poll() ends the session: what waits, then SPMs with OPT_FIN.
  void finish(int64_t now);
  /// The same at once: what waits is dropped, nothing is repaired any more.
  void abandon(int64_t now);
  /// The last FIN is out and nobody has asked for a repair lately (tail losses can be repaired
  /// meanwhile; see deadline()).
  bool finished(int64_t now) const;

  const SourceStats& stats() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace zerowire::pgm
