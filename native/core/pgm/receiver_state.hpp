// Receiver::State: what the parts of a receiver have in common.
#pragma once

#include <cstdint>

#include "pgm/receiver.hpp"
#include "pgm/receiver_delivery.hpp"
#include "pgm/repair.hpp"

namespace zerowire::pgm {

/// Packets that do not fit in. One alone may be forged or a straggler and changes nothing; they
/// are believed when one follows the other.
struct Run {
  uint32_t first = 0;
  uint32_t next = 0;
  uint32_t count = 0;

  /// How many there are, with this one; `most_missing` between two.
  uint32_t add(uint32_t sequence, uint32_t most_missing) {
    if (count == 0 || sequence - next > most_missing) {
      first = sequence;
      count = 0;
    }
    next = sequence + 1;
    return ++count;
  }
  void end() { count = 0; }
};

struct Receiver::State {
  State(const ReceiverConfig& given, int64_t now, Random& generator, ReceiverSink& sink)
      : config(given),
        ports{config.tsi.gsi, config.destination_port, config.tsi.port},
        random(generator),
        repair(generator, config.recovery, now),
        delivery(config.most_bytes, repair, sink, stats),
        nak_to(config.source),
        heard_at(now),
        progress_at(now) {}

  void on_data(int64_t now, const Packet& packet);
  bool outside(int64_t now, const Packet& packet);
  bool before(int64_t now, const Packet& packet);
  void on_data_trail(int64_t now, const Packet& packet);

  void on_spm(int64_t now, const Packet& packet);
  bool believe_spm(int64_t now, const Packet& packet);
  void contradict(int64_t now, const Packet& packet);
  bool plausible(int64_t now, const Packet& packet) const;
  uint32_t first_anew(const Packet& packet, bool follows) const;

  void join(uint32_t next) {
    joined = true;
    delivery.start(next);
  }
  bool ask_for_spm(int64_t now, Upstream& out);
  std::size_t put_nak(const Request& request, Upstream* out, std::size_t most);
  void put_kick(Upstream& out) const;
  std::size_t send_naks(int64_t now, Upstream* out, std::size_t most);

  const ReceiverConfig config;
  const Ports ports;  ///< upstream
  Random& random;
  ReceiverStats stats;
  Repair repair;
  Delivery delivery;
  Nla nak_to;
  int64_t heard_at;

  bool joined = false;
  bool data_seen = false;
  int64_t progress_at;  ///< when data last was new
  Run data_run;

  bool spm_seen = false;
  uint32_t spm_sequence = 0;
  int64_t spm_at = 0;
  Run spm_run;
  int64_t spmr_due = kNever;
  int spmrs = 0;

  bool fin = false;
  uint32_t fin_lead = 0;
};

}  // namespace zerowire::pgm
