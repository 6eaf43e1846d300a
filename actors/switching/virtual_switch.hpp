/// \file
/// The virtual switch of a host: Algorithm 1 of US 9,485,188, a lossless switch in dual push/pull
/// mode; or, without flow control, one that forwards and lets the output queues drop.
///
///     sender 0 ──▶ [ I0 ] ┐  forwarder  ┌──▶ O0 ──▶ receiver 0     (O: port queues with `pulls`)
///     sender 1 ──▶ [ I1 ] ┤ push ▸ pull ├──▶ O1 ──▶ receiver 1
///        ...              ┘             └──▶ ...
///
/// Each port has an input queue (the port's TX queue) and an output queue (its RX queue); the input
/// queues are in here, the output queues are cells of their own. Who does what, and when:
///
/// * A *sender* looks whether its input queue has room, and sleeps while it has none (its
///   transmitter does that, by `room`). Else it enqueues the packet, and the forwarder tries to
///   push from this input queue: its packets in order, as long as the output queue of the first one
///   has room. A packet whose output queue is full stays, and what is behind it waits
///   (head-of-line blocking).
/// * A *receiver* that comes back for more and finds its output queue empty starts the forwarder
///   too: it pulls from the input queues, in turn, packets whose first one is for this output,
///   until the output queue is full or there are no more. If it gets nothing it sleeps until a
///   push wakes it. Room that appears in an output queue that is not empty starts nobody.
/// * Every packet that leaves an input queue is reported to its sender, which wakes it if it
///   sleeps.
/// * The *controller* says before the first packet which thresholds each port has, which priorities
///   are lossless and where the VMs are that the local ones talk to. It may
///   stop and start a port: who sends into it is told, as by any stop signal; what it has sent
///   passes. In return it is told when an input queue has reached its threshold, so that its
///   sender finds no room, and when that is over.
///
/// With S-PFC each queue has a part for each priority, which is full or empty by itself, and a
/// receiver pulls for one of them: a packet waits only behind, and for room beside, those of its
/// own priority. What is not lossless is pushed in any case, and its output may drop it.
///
/// Events at one time: arrivals by port, then what comes from the output queues by port. An event
/// waits only for earlier ones that could touch the same queues: those of the inputs from which
/// traffic can come to the same output (`feeds`).
///
/// Drops, when the forwarder comes to the packet: `mtu_exceeded` (with the headers of the tunnel
/// that it would go through), `no_route` (also to another virtual network), counted at the input.
/// Counters by input: in, out, dropped, held, largest occupancy, pushes, pulls; and how often its
/// threshold was reached (stops sent). Source: US 9,485,188, Algorithm 1 and its description ("each
/// sender producer is connected to an input queue Ij and each receiver producer is connected to an
/// output queue Ok").
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "actors/component.hpp"
#include "actors/control/command.hpp"
#include "actors/logic/room.hpp"
#include "actors/switching/forwarding_table.hpp"

namespace sluice {

struct virtual_switch_config {
  struct port {
    std::string name;  ///< of the output queue; the input's has ".in" after it
    std::uint32_t max_frame_bytes = 0;
    std::uint32_t network = 0;         ///< of its VM; 0: of none, and everybody's
    std::vector<std::uint16_t> feeds;  ///< the ports from which traffic can come to it
  };
  std::string name, node;
  std::vector<port> ports;
  std::shared_ptr<const forwarding_table> table;
  std::uint8_t divided = 0;  ///< bit p: the queues have a part for priority p; 0: they are whole
};

class virtual_switch final : public component {
public:
  explicit virtual_switch(virtual_switch_config c);

  std::string_view kind() const override { return "vswitch"; }
  component_counters snapshot(sim_time now) const override;
  void report(sim_time now, const reporter& tell) const override;
  void sample(sim_time now, const sampler& tell) const override;
  std::uint64_t packet_hops() const override { return hops_; }
  sim_time next_event() const override;
  void finish(sim_time now) override;

  /// Of input i: how close it came to having no room for its sender. It stops nobody by itself.
  stop_counts stops_at(std::size_t i, unsigned priority) const override;
  const std::string& port_name(std::size_t i) const { return config_.ports[i].name; }
  /// For how long the first packet of input i could not go on because output k was full.
  sim_time blocked(std::size_t i, std::size_t k, sim_time now) const;

protected:
  void advance() override;
  sim_time earliest_packet(port_index) override;
  void explain_packet(port_index, sim_time beyond) override;
  sim_time earliest_signal(port_index) override;
  void explain_signal(port_index, sim_time beyond) override;
  bool grant(port_index, bool asked) override;

private:
  static constexpr std::uint16_t nobody = 0xffff;
  // Instead of the number of an output, besides forwarding_table::none.
  static constexpr std::uint16_t too_large = 0xfffe;
  static constexpr std::size_t notices_in_a_parcel = 256;
  static constexpr std::size_t many_notices =
      8192;  // worth asking an input for, that has no traffic

  // Of an input queue, what is kept apart by priority.
  struct input_part {
    ring<packet> queue;
    std::int64_t bytes = 0, max_bytes = 0, max_packets = 0;
    std::uint16_t blocked_on = nobody;  // the output that its first packet waits for...
    sim_time blocked_since = 0;
    std::vector<sim_time> blocked_for;  // ...and how long such packets have waited, by output
    bool reached = false;               // its sender finds no room, and the controller knows
  };
  struct input_state {
    std::vector<input_part> parts;  // one, or for each class one
    std::int64_t bytes = 0, packets = 0;
    sim_time pushing_at = never;       // packets are being pushed, as of this time...
    std::uint8_t pushing = 0;          // ...of this class...
    std::uint16_t pulled_by = nobody;  // ...once this output has pulled what it can
    room::config limits;               // when its sender sleeps: of each part
    // The controller's stops and starts that its sender has not been told of.
    std::vector<command> commands;
    std::size_t next_command = 0;
    bool stopped = false;  // by such a command
    component_counters counters;
  };
  struct output_state {
    // By class: sent there and not known to have left, no less than what is there.
    struct content {
      std::int64_t bytes = 0, packets = 0;
    };
    std::vector<content> parts;
    buffer_limit limit;                 // the capacity of each part
    std::uint16_t waiting = 0;          // input queues, or parts, whose first packet waits for it
    std::uint16_t turn = 0;             // the input that is asked first by the next pull
    sim_time pulling_at = never;        // a pull is going on, as of this time...
    std::uint8_t pulling = 0;           // ...for this class
    std::vector<std::uint16_t> pulled;  // inputs from which it has taken
  };

  // A VM elsewhere, as the controller has said.
  struct remote {
    std::uint32_t network = 0;
    bool tunnelled = false;
  };
  struct notice {
    sim_time at;
    std::uint16_t port;
    std::uint8_t part;
    signal::kind what;
  };

  void obey();
  void tell_sender(port_index i, sim_time until);
  sim_time next_command(port_index i) const;
  void note(port_index i, unsigned c, sim_time at);
  void notify(sim_time horizon);
  sim_time nothing_before() const;
  std::uint16_t destination(port_index i, packet& p) const;
  bool step_input(port_index i);
  bool step_output(port_index k);
  void enqueue(port_index i, sim_time at);
  bool push(port_index i);
  bool pull(port_index k);
  packet take_out(port_index i, sim_time at, unsigned c);
  void move(port_index i, port_index k, sim_time at, unsigned c, bool pulled);
  void release(port_index i, sim_time at, const packet& p);
  void apply(port_index k, sim_time before);
  void unblock(input_part& in, sim_time at);
  bool fits(port_index k, const packet& p) const;
  bool full(port_index i) const;
  bool lossless(const packet& p) const { return (lossless_ >> p.priority & 1) != 0; }
  unsigned class_of(const packet& p) const { return class_of_[p.priority]; }
  bool still_blocked(port_index i, sim_time at);

  // Whether all earlier events that could touch output k are done: before a push from input i at
  // `at`, before a pull by k itself.
  bool in_turn_to_push(port_index i, port_index k, sim_time at);
  bool in_turn_to_pull(port_index k, sim_time at);
  bool pushes_known(port_index i, sim_time beyond);
  bool news_known(port_index k, sim_time beyond);

  sim_time next_arrival(port_index i) const;
  sim_time next_push(port_index i) const;
  sim_time next_signal(port_index k) const;
  sim_time next_move(port_index i) const;
  sim_time next_release(port_index i) const;
  void explain_move(port_index i, sim_time beyond);

  virtual_switch_config config_;
  std::vector<input_state> in_;
  std::vector<output_state> out_;
  port_index control_ = 0;  // the input after those of the ports
  bool ready_ = false;
  std::uint8_t lossless_ = 0;                            // bit p: priority p
  std::array<std::uint8_t, max_priorities> class_of_{};  // which part a priority has
  std::vector<remote> remotes_;                          // by endpoint
  std::vector<notice> notices_;                          // not yet in order
  std::size_t notify_at_ = notices_in_a_parcel;
  bool asking_ = false;  // nothing goes on any more: what is lacking is asked for
  std::uint64_t hops_ = 0;
};

}  // namespace sluice
