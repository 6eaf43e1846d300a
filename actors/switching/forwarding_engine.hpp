/// \file
/// Forwarding engine: the middle of a physical switch, between n ingress and m egress ports, and
/// the owner of the switch's buffer accounting.
///
///     ingress 0 ──▶ ┐                     ┌──▶ egress 0   (port queues that report
///     ingress 1 ──▶ ┤ merge by time, then ├──▶ egress 1    what leaves them)
///        ...        ┘ by ingress index    └──▶  ...
///
/// * Packets for one egress leave in the order (arrival, ingress). A packet for an egress waits
///   only for those ingress ports from which traffic can come to it (`feeds`), so that the two
///   directions of a fabric never wait for each other.
/// * What came in by an ingress port and has not left the switch counts against that port. With
///   `on_off`, reaching the stop threshold stops the port's sender and falling to the start
///   threshold starts it; a packet beyond the capacity is dropped (`headroom_exceeded`). Without,
///   only the egress queues limit and drop.
/// * With PFC the same holds for each lossless priority of an ingress port by itself, and the rest
/// is
///   not accounted. The engine asks the egress queue of the same port for the frames that hold the
///   port's sender, and for refreshes while any priority is held.
/// * On an InfiniBand link it says for each lane what has left, as credits (ib_grants.hpp), and
///   stops nobody; `stopping` then means that something is there.
/// * Events at one time: arrivals, then releases, then refreshes.
///
/// A bound decides where it can: a packet that fits even if nothing had left is forwarded without
/// waiting for news from the egress ports. Occupancies are exact: they are accounted in the order
/// of time once the departures are known.
///
/// Counters: in, out, dropped, held, largest occupancy of any one ingress, stops and starts sent.
/// Source: US 9,485,188 (forwarding engine; input and output buffer queues); IEEE 802.1Q-2018 36.
#pragma once

#include <memory>
#include <vector>

#include "actors/component.hpp"
#include "actors/engine/ring.hpp"
#include "actors/logic/class_gates.hpp"
#include "actors/logic/ib_grants.hpp"
#include "actors/logic/pause_requests.hpp"
#include "actors/logic/sender_bound.hpp"

namespace sluice {

struct forwarding_engine_config {
  std::string name, node;
  /// One for each ingress port; whatever stops there is regulated.
  std::vector<class_gates::config> ingress;
  std::vector<sender_bound> senders;  ///< likewise: what is known of who sends there
  std::size_t egress_ports = 0;
  std::vector<line_rate> egress_rates;  ///< of their lines; empty: nothing is known
  /// feeds[k]: the ingress ports from which packets can come to egress k.
  std::vector<std::vector<std::uint16_t>> feeds;
};

class forwarding_engine : public component {
public:
  explicit forwarding_engine(forwarding_engine_config c);

  std::string_view kind() const override { return "engine"; }
  component_counters snapshot(sim_time now) const override;
  sim_time next_event() const override;
  sim_time next_work() const override;
  void finish(sim_time now) override;

  stop_counts stops_at(std::size_t i, unsigned priority) const override;
  /// For how long ingress i has stopped its sender while most of what it accounts for was to leave
  /// by egress k (looked at when it said stop).
  sim_time stopped_for(std::size_t i, std::size_t k, sim_time now) const;

  /// What of the class is accounted to ingress i and has not left by egress k.
  std::int64_t accounted(std::size_t i, std::size_t k, unsigned priority) const;
  /// Since when ingress i stops its sender of that class (of all, if it has no gate of its own);
  /// never: it does not.
  virtual sim_time stopping_since(std::size_t i, unsigned priority) const {
    return ingress_[i].gate.of(priority).stopping() ? ingress_[i].since_of[priority] : never;
  }
  /// It goes on when no more of the class is accounted to it.
  virtual std::int64_t start_bytes(std::size_t i, unsigned priority) const {
    return ingress_[i].gate.of(priority).settings().start.bytes;
  }
  /// What it has room for, in all.
  std::int64_t capacity(std::size_t i, unsigned priority) const {
    return ingress_[i].gate.of(priority).settings().capacity.bytes;
  }

  /// Before the run, with PFC: who was joined last sends the frames that hold the sender of ingress
  /// i.
  void request_pauses(std::size_t i, const pause_requests::config& c);
  /// Likewise, on an InfiniBand link: flow packets.
  void grant_credits(std::size_t i, const ib_grants::config& c);

protected:
  void advance() override;
  sim_time earliest_packet(port_index) override;
  void explain_packet(port_index, sim_time beyond) override;
  sim_time earliest_signal(port_index) override;
  void explain_signal(port_index, sim_time beyond) override;
  bool grant(port_index, bool asked) override;
  bool expects_more(port_index i) const override { return !ingress_[i].owing.empty(); }

  // What the ports share in a switch is the derived class's (shared_memory_engine).
  static constexpr port_index nowhere = ~port_index{0};

  struct amount {
    sim_time at;
    std::uint32_t bytes;
    std::uint16_t egress;
    std::uint8_t priority;
  };
  // A packet at an egress port, behind so many bytes of its class since the run began.
  struct queued {
    std::uint16_t egress;
    std::uint64_t behind;
  };
  // Accounting of one ingress port. `arrivals` were forwarded but not accounted; `releases` were
  // announced but not accounted; `owing` are the egress ports that hold packets of this port and
  // have not said when they leave.
  struct ingress_state {
    class_gates gate;
    bool regulated = false;
    buffer_limit least_stop;
    port_index requests_out = nowhere;  // to who sends the frames...
    pause_requests requests;            // ...that are asked for
    std::unique_ptr<ib_grants> grants;  // or what credits its sender has
    bool one_lane = false;              // all that is accounted is of one class:
    std::uint8_t lane = 0;              // this,
    ring<queued> at_egress;             // what was forwarded and has not left
    std::vector<std::uint16_t> feeds;   // and where it can go
    std::array<std::uint64_t, max_priorities> stops_of{};
    std::array<sim_time, max_priorities> since_of{};  // when it was stopped last
    ring<amount> arrivals;
    ring<amount> releases;
    std::int64_t pending_bytes = 0, pending_packets = 0;
    std::vector<std::uint16_t> owing;
    sim_time stopped_at = 0, no_arrival_before = 0;
    sim_time stopped_since = 0;     // from when on some class has been held all the time
    std::uint16_t stopped_for = 0;  // the egress that had most of it then
    std::int64_t arrived_bytes = 0, arrived_packets = 0;
    std::uint64_t stops = 0, starts = 0;
    bool changed = false;
  };
  struct waiting_packet {
    sim_time at;
    std::uint32_t order;  // of arrival at its ingress port
    std::uint16_t ingress;
    std::uint32_t slot;
  };
  struct later_first {
    bool operator()(const waiting_packet& a, const waiting_packet& b) const {
      if (a.at != b.at)
        return a.at > b.at;
      if (a.ingress != b.ingress)
        return a.ingress > b.ingress;
      return static_cast<std::int32_t>(a.order - b.order) > 0;
    }
  };
  struct egress_state {
    std::vector<waiting_packet> heap;
    std::size_t group = 0;
    bool listed = false;
  };
  // Egress ports with the same feeds share one watermark.
  struct feed_group {
    std::vector<std::uint16_t> inputs;
    sim_time watermark = 0;
    std::uint64_t computed = 0;  // in which activation
  };

  void hear_egress(port_index k);
  void take_ingress(port_index i);
  bool clears(port_index i, const packet& p);
  void accept(port_index i, const packet& p);
  void account(port_index i);
  void apply_release(port_index i, const amount& r);
  void apply_arrival(port_index i, const amount& a);
  /// Whether it stops the sender of ingress i, of any class.
  virtual bool stopping(std::size_t i) const { return ingress_[i].gate.stopping(); }
  void stop_sender(port_index i, unsigned priority, bool first, std::uint16_t egress, sim_time at);
  void start_sender(port_index i, unsigned priority, bool held, sim_time at);
  void tell(port_index i, signal::kind what, unsigned priority, sim_time at);
  /// Of a transition that has just come, for who looks at frames.
  virtual pause_reason reason(port_index i, unsigned priority, bool stops) const;
  void refresh(port_index i, sim_time before);
  void request(port_index o, const pause_request& r);
  bool accounts(port_index i, unsigned priority) const {
    return config_.ingress[i].of(priority).stops;
  }
  // A packet's bytes in the buffer: where there are credits, whole blocks.
  std::uint32_t charged(port_index i, std::uint32_t bytes) const {
    return ingress_[i].grants ? ib_blocks(bytes) * ib_block_bytes : bytes;
  }
  void forward_all();
  void forward(port_index k);
  void touch(port_index i);

  bool upper_is_held(port_index i) const;
  sim_time round_trip(port_index i) const;
  sim_time next_arrival(port_index i) const;
  sim_time next_unknown_release(port_index i) const;
  sim_time known_resume(port_index i) const;
  virtual sim_time resume_bound(port_index i) const;
  sim_time least_drain_of(port_index i) const;
  bool pending_matter(port_index i) const;
  sim_time next_transition(port_index i) const;
  sim_time nothing_leaves_before(port_index i) const;
  sim_time drain_of(port_index k, unsigned priority, std::uint64_t behind) const;
  sim_time least_wait(port_index i, port_index k) const;
  void find_feeds(port_index i);
  void note_left(port_index i, port_index k, const signal& s);
  virtual sim_time next_request(port_index i) const;
  virtual void explain_transition(port_index i, sim_time beyond);
  sim_time next_to_forward() const;
  sim_time watermark(port_index k);

  forwarding_engine_config config_;
  std::vector<ingress_state> ingress_;
  std::vector<std::uint16_t>
      requested_by_;  // of the outputs beyond the egress ports: which ingress
  std::vector<egress_state> egress_;
  std::vector<feed_group> groups_;
  std::vector<std::uint32_t> unknown_;   // [ingress * egress ports + egress]: packets not reported
  std::vector<port_index> changed_;      // ingress ports to be accounted in this activation
  std::vector<port_index> busy_egress_;  // egress ports with a heap that is not empty
  // Of the gate that accounts for a priority: among those of its ingress.
  std::size_t gate_number(port_index i, unsigned priority) const {
    return config_.ingress[i].own == 0 ? 0 : config_.ingress[i].part(priority);
  }

  // By egress and priority: bytes of packets that it reports, forwarded to it and left.
  std::vector<std::uint64_t> forwarded_, left_;
  std::size_t gates_ = 1;  // of an ingress, at most
  std::vector<std::int64_t>
      accounted_;                  // [(ingress * egress ports + egress) * gates + gate]: bytes
  std::vector<sim_time> stopped_;  // likewise: see stopped_for
  std::vector<packet> slots_;
  std::vector<std::uint32_t> free_slots_;
  std::vector<std::uint32_t> order_;
  component_counters counters_;
};

}  // namespace sluice
