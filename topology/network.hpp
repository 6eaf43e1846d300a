/// \file
/// The network of a scenario as components, wired: what the executor runs, and where results are
/// gathered from. Building is the only place that knows which component stands where.
///
/// A packet's way from VM to VM, with the names of the components (v is "h1/vm1", w "h3/vm4"):
///
///     v.producer ▸ v.socket-tx ▸ v.qdisc ▸ v.vnic-tx ▸ v.hypervisor-tx ▸
///     h1.vswitch:vm1.in ▸ h1.vswitch:uplink ▸ h1.bridge-tx ▸ h1:nic0-tx ▸ h1:nic0->leaf1:p1 ▸
///     leaf1:p1.in ▸ leaf1 ▸ leaf1:p2 ▸ leaf1:p2->h3:nic0 ▸
///     h3:nic0 ▸ h3.bridge-rx ▸ h3.vswitch:uplink.in ▸ h3.vswitch:vm4 ▸
///     w.hypervisor ▸ w.vnic ▸ w.socket ▸ w.consumer
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/component.hpp"
#include "metrics/results.hpp"
#include "topology/levers.hpp"
#include "topology/scenario.hpp"
#include "topology/taps.hpp"

namespace sluice {

class cable;
class consumer;
class controller;
class allocator;
class assist_engine;
class credit_receiver;
class credit_sender;
class local_engine;
class local_store;
class mbuf_sockets;
class producer;
class forwarding_engine;
class ingress_port;
class port_queue;
class virtual_switch;

/// Two components in the order of a packet's way, and what regulates the hop between them.
struct hop_view {
  std::string from, to;
};

class network {
public:
  /// Opens the captures of all replays.
  /// \param changeable whatever events can change can be changed while it runs, for which it runs
  ///   slower.
  /// \throws capture_error, traffic_error
  explicit network(const scenario& s, bool changeable = false);
  ~network();

  const std::vector<cell*>& cells() const { return cells_; }
  /// Channels, each way for itself. What a cable adds is no channel of its own.
  std::size_t channels() const { return 2 * (hops_.size() - cables_.size()); }

  /// What its taps have seen until `now`. Only while no cell is active.
  /// \throws traffic_error if a file cannot be written
  void write_taps(sim_time now) {
    if (!taps_.empty())
      taps_.write(now);
  }
  /// Ends them; their results go into `r`.
  void close_taps(sim_time now, run_results& r) {
    if (!taps_.empty())
      taps_.close(now, r);
  }

  /// Why this cannot be done to it while it runs; empty: it can. \pre it is changeable
  std::string problem(const timed_event& e) const { return levers_.problem(e); }
  /// When it can, or end: see levers.
  sim_time earliest(const timed_event& e, sim_time now) const { return levers_.earliest(e, now); }
  /// Does it: it is event number `event` of `s`. Only while no cell is active.
  void change(const scenario& s, std::size_t event);
  /// Has it end. Likewise.
  void end_change(const scenario& s, std::size_t event) { levers_.finish(s, event); }

  /// Says that the run has ended at `now`; call once, before the last `gather`.
  void finish(sim_time now);

  /// All packet-hops so far. Only while no cell is active.
  std::uint64_t packet_hops() const;
  /// The earliest time at which anything happens but that pauses are kept up; `never` if nothing.
  sim_time next_work() const;
  /// Switches that stop each other for ever: a set of hops whose receivers hold more than lets them
  /// go on, all of it in queues that wait for hops of the set. Only while no cell is active.
  std::optional<deadlock_result> find_deadlock() const;

  /// What there is to say as of `now`. Only while no cell is active.
  run_results gather(sim_time now) const;

  /// Every hop between components, for pictures.
  const std::vector<hop_view>& hops() const { return hops_; }
  const std::vector<std::unique_ptr<component>>& components() const { return components_; }

private:
  friend class network_builder;
  friend class series_recorder;

  // Who is held by whom: for pause_result. In a host the sender looks and sleeps, on a wire the
  // receiver says stop; a switch port leaves that to its engine.
  struct stoppable {
    const component* sender = nullptr;
    port_index output = 0;             // of the sender
    const component* owner = nullptr;  // of the buffer that holds it...
    std::size_t input = 0;             // ...by this input
    std::string name;                  // of whose filling holds the sender
    std::string blame;                 // the same, as the switching_point has it
    bool looks = false;                // the sender does, and nobody says stop
    int priority = -1;                 // -1: all together
    bool credits = false;              // what holds it is the want of them
    bool shown = true;                 // in the results
    std::string held;                  // the sender's port; empty: its own name
  };
  // Who sends PFC frames to whom, for pause_frames_result.
  struct pause_way {
    const component *from = nullptr, *to = nullptr;
    std::string from_port, to_port;
    std::uint8_t priorities = 0;  // that frames can mean
    bool credits = false;         // they are InfiniBand's flow packets
  };

  // A hop from a switch to a switch, of one priority, that may be stopped.
  struct switch_hop {
    const forwarding_engine *from = nullptr, *to = nullptr;
    const port_queue* queue = nullptr;  // that sends, if it needs credits
    std::size_t egress = 0, ingress = 0;
    unsigned priority = 0;
    std::string name;
  };
  // Inside a switch: who has no room while which output is not getting rid of its packets.
  struct switching_point {
    const virtual_switch* vswitch = nullptr;
    const forwarding_engine* engine = nullptr;
    std::vector<std::string> inputs, outputs;  // names, by number
  };
  // Where a producer's packets can be held up before others' come into their way: itself, the
  // queues of its VM, its input of the virtual switch.
  struct entry {
    const producer* source = nullptr;
    std::vector<std::string> way;
  };
  void find_blame(run_results& r, sim_time now) const;

  const controller* controller_ = nullptr;
  std::vector<switching_point> switching_;
  std::vector<switch_hop> switch_hops_;
  std::vector<entry> entries_;
  std::vector<std::unique_ptr<cable>> cables_;
  std::vector<std::unique_ptr<component>> components_;
  std::vector<cell*> cells_;
  std::vector<consumer*> consumers_;
  std::vector<producer*> producers_;
  std::vector<producer*> regulated_;
  struct aggregation {
    std::string node;
    std::shared_ptr<const link_sets> sets;
    std::vector<const ingress_port*> inputs;
    std::vector<std::pair<std::uint16_t, const port_queue*>> ports;
  };
  static aggregation_result result_of(const aggregation& a, sim_time now);
  std::vector<aggregation> aggregations_;
  struct router {
    std::string host;
    const allocator* allocates = nullptr;
    const local_store* keeps = nullptr;
    const assist_engine* assists = nullptr;
    const local_engine* empties = nullptr;
  };
  std::vector<router> routers_;
  struct credit_lists {
    std::string flow, from, to;
    const credit_sender* sender = nullptr;
    const credit_receiver* receiver = nullptr;
    std::size_t there = 0, here = 0;  // numbers of the connection
  };
  std::vector<credit_lists> credit_lists_;
  struct listed_hop {
    const component* sender = nullptr;
    port_index output = 0;
    const port_queue* queue = nullptr;
  };
  std::vector<listed_hop> listed_;
  std::vector<const mbuf_sockets*> mbufs_;
  std::vector<const port_queue*> read_by_dma_;
  tap_set taps_;
  levers levers_;
  std::vector<std::unique_ptr<tap_passage>> passages_;
  std::vector<stoppable> stoppables_;
  std::vector<pause_way> pause_ways_;
  std::vector<hop_view> hops_;
  std::vector<std::string> flows_;
  std::vector<replay_result> replays_;
};

}  // namespace sluice
