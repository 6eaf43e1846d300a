/// \file
/// The port queue: nearly everything in Sluice that stores packets.
///
///     upper cell ──packets──▶ [ buffer ▸ 1..8 priorities ▸ scheduler ▸ line ] ──packets──▶ lower
///                ◀─signals──                                                 ◀─signals──
///
/// A socket buffer, a qdisc, a vNIC ring, a hypervisor's copy loop, a switch's egress port, a NIC
/// ring: each is this component with another configuration. One input, one output; or, if it is the
/// RX ring of a guest with several sockets, an output for each of them.
///
/// * A packet arrives when its last bit has (store and forward). If the buffer has no room for it
///   it is dropped, with `full` as the reason. It leaves the buffer when its transmission starts.
/// * Towards its sender it speaks `none`, `on_off` (stop and start at thresholds of the buffer), or
///   it reports what leaves: to a sender in the same machine, which looks before it sends (see
///   room.hpp), or to the forwarding engine that owns the accounting of its switch.
/// * From its receiver it obeys stop and start, for all priorities together; or it looks whether
///   the receiver has room.
/// * On a wire with PFC each lossless priority has its part of the buffer, with thresholds of its
///   own. The queue behind the wire asks the transmitting queue of the same port for the frames
///   that hold its sender; that one sends them ahead of data, and the sender obeys them by
///   priority. Three links join these three; see request_pauses, send_pauses and obey_pauses.
/// * On an InfiniBand link the same links carry flow packets with the credits of each lane; see
///   grant_credits and obey_credits.
/// * With `lists` what it reports are credits for its buffers, many at a time.
/// * With `pulls` its process is a receiver of the virtual switch: each time it comes back for more
///   and finds nothing, it asks the switch to pull; then it sleeps until it is woken.
/// * With S-PFC each priority has its part of the buffer, and the sender looks into each by itself.
///   What is not lossless is not looked for, and dropped if its part is full. A process that pulls
///   does so for the priority of which it has just taken the last packet.
/// * With several outputs each packet goes to that of its `socket`, and the process sleeps while
///   that one has no room, whatever the others have. What the guest's packet filter refuses it
///   drops.
/// * Of an aggregated port: what waits when it leaves its sets is thrown away (`link_down`).
/// * Events at one time are handled in this order: signals, arrivals, the start of a transmission.
///
/// With one priority in use, the backlog is the known future: starts are computed (and announced)
/// as far ahead as the receiver's allowance and promise reach, not only as far as arrivals are
/// known. With several, a start waits until every arrival up to its time is known.
///
/// Counters: in, out, dropped, held, largest occupancy, stops and starts both ways, time held.
/// Source: US 9,485,188 (queue pairs, thresholds); IEEE 802.1Q-2018 8.6 (classes, selection).
#pragma once

#include <array>
#include <optional>

#include "actors/component.hpp"
#include "actors/logic/buffer_credits.hpp"
#include "actors/logic/class_gates.hpp"
#include "actors/logic/ib_grants.hpp"
#include "actors/logic/pause_requests.hpp"
#include "actors/logic/red.hpp"
#include "actors/logic/scheduler.hpp"
#include "actors/logic/sender_bound.hpp"
#include "actors/queue/pause_sender.hpp"
#include "actors/queue/transmitter.hpp"
#include "metrics/results.hpp"

namespace sluice {

struct port_queue_config {
  std::string name, node, kind = "queue";
  class_gates::config buffer;  ///< capacity; thresholds if it stops its sender
  sender_bound sender;         ///< what is known of who sends here; only matters if it is stopped
  /// Which packets are reported as they leave. They are never dropped here: whoever sent them has
  /// seen to it that there is room.
  enum class reports : std::uint8_t { nothing, accounted, everything };
  reports leaving = reports::nothing;
  std::uint8_t lossless = 0xff;         ///< `everything`: that is, bit p, of priority p
  std::vector<std::uint8_t> accounted;  ///< `accounted`: by ingress port, bit p: of priority p
  buffer_limit looked;                  ///< `everything`: from here on the sender sees no room
  std::uint8_t credits = 0;             ///< bit p: who sends priority p needs credits
  /// `everything`: reports go out no closer together than this, and each says all that has left by
  /// then (the UpdateFCs of PCI Express).
  sim_time report_interval = 0;
  /// `everything`: reports are credits, which go out in lists; see buffer_credits.hpp.
  std::optional<buffer_credits::config> lists;
  bool pulls = false;
  /// A bridge: packets that are to go through a tunnel leave with its headers in front...
  bool encapsulates = false;
  bool decapsulates = false;  ///< ...and lose them here
  std::size_t sockets = 1;    ///< outputs, each for the packets of one socket...
  bool filters = false;       ///< ...but for those that the filter refuses. Both: one priority only
  priority_scheduler::config scheduler;
  unsigned priorities = 1;  ///< bit p: it has a queue for priority p; one takes all that comes
  unsigned arriving = 0;  ///< bit p: traffic of priority p may come; 0: of those that have a queue
  line_config line;
  drop_reason full = drop_reason::buffer_full;
  red::config early;  ///< what it marks or drops before it is full; nothing that is reported
};

class port_queue final : public component {
public:
  explicit port_queue(port_queue_config c);

  std::string_view kind() const override { return config_.kind; }
  loss_point loses() const override;
  component_counters snapshot(sim_time now) const override;
  void sample(sim_time now, const sampler& tell) const override;
  buffer_marks marks() const override;
  held_counts held_by(port_index o, sim_time now) const override;
  std::uint64_t packet_hops() const override { return counters_.in.packets; }
  sim_time next_event() const override;
  sim_time next_work() const override;
  bool untouched() const override;
  void finish(sim_time now) override;

  stop_counts stops_at(std::size_t, unsigned priority) const override;
  pause_counts pauses_sent() const override { return frames_ ? frames_->counts() : pause_counts{}; }
  pause_counts pauses_had(sim_time now) const override;

  /// Before the run: its process looks into the queue that it was joined to last.
  void check_room(const room::config& c, bool commanded = false) {
    line_.check_room(c, commanded, outputs_.size() - 1);
  }
  /// Likewise, if that one is divided by priority.
  void check_rooms(const class_rooms::config& c, bool commanded = false) {
    line_.check_rooms(c, commanded);
  }
  /// Before the run: what it sends is read by a device.
  void limit_reads(const read_requests::config& c) { line_.limit_reads(c); }
  /// Before the run, with PFC: its buffer asks who it was joined to last, as his upper cell, to
  /// send frames.
  void request_pauses(const pause_requests::config& c) {
    requests_ = pause_requests{c};
    requests_out_ = last_output();
  }
  /// Likewise, on an InfiniBand link: flow packets with the credits of its buffer.
  void grant_credits(const ib_grants::config& c) {
    grants_ = std::make_unique<ib_grants>(c);
    requests_out_ = last_output();
  }
  /// It sends frames that are asked for by the input joined last but one (if `asked`), to who was
  /// joined to it last.
  void send_pauses(pause_sender::config c, bool asked) {
    frames_ = std::make_unique<pause_sender>(std::move(c));
    frames_in_ = last_input();
    requests_in_ = asked ? frames_in_ - 1 : nowhere;
    inputs_[frames_in_].urgent = true;
  }
  /// It obeys frames that come by the output joined last.
  void obey_pauses(const pause_timers::config& c, bool announced, bool injected) {
    line_.obey_pauses(c, announced, injected);
    frames_out_ = last_output();
  }
  /// Likewise, on an InfiniBand link: flow packets.
  void obey_credits(const ib_window::config& c) {
    line_.obey_credits(c);
    frames_out_ = last_output();
  }
  /// Before the run: it reports what leaves to who was joined to it last, as his upper cell, who
  /// sends nothing himself.
  void report_elsewhere() { reports_in_ = last_input(); }
  /// Before the run: whom it was joined to last says stop and start, and takes nothing.
  void obey_stops_of_last() { stops_out_ = last_output(); }
  /// Between activations, for changes while it runs: its line; and what it sends to hold its peer,
  /// if it does.
  transmitter& line() { return line_; }
  pause_sender* frames() { return frames_.get(); }
  /// Of the class that comes by priority, if it waits for credits.
  transmitter::wait waits(unsigned c) const { return line_.waits(c); }
  /// Credits that who sends here has from the start; 0: it needs none.
  unsigned initial_credits() const { return lists_ ? lists_->initial() : 0; }
  /// Of the lists of credits.
  void tell(credit_counts& counts) const;
  /// What it has read from a host's memory; nullptr: it does not.
  const dma_engine::counts* dma() const { return line_.dma(); }

protected:
  void advance() override;
  sim_time earliest_packet(port_index) override;
  void explain_packet(port_index, sim_time beyond) override;
  sim_time earliest_signal(port_index) override;
  void explain_signal(port_index, sim_time beyond) override;
  bool grant(port_index, bool asked) override;
  bool expects_more(port_index i) const override {
    return i == side && waiting_ != 0 && !line_.stopped() && head_.pauses_beyond == never;
  }

private:
  struct leaving {
    sim_time at;
    std::uint32_t bytes;
    std::uint8_t priority;
  };
  static constexpr port_index side = 0;  // the only input; the only output, or the first

  void advance_single();
  void advance_classes();
  // Whether packets are sorted by socket is known for good: the others pay nothing for it.
  template <bool Sorts>
  void serve();
  template <bool Sorts>
  void transmit(sim_time at, ring<packet>& from);
  packet let_go(sim_time at, ring<packet>& from);
  bool drop_instead(sim_time at, ring<packet>& from);
  bool drop_any(sim_time at, unsigned may);
  void idle();
  bool tell_lists(sim_time known);
  bool reported(const packet& p) const;
  sim_time report_at(sim_time leaves);
  bool settle_pull();
  void count_arrival(const packet& p);
  void arrive(const packet& p);
  void release(const leaving& l);
  void tell(signal::kind what, unsigned priority, sim_time at);
  void refresh(sim_time before);
  void request(const pause_request& r);
  transmitter::verdict first_start(output& out, const packet& p, port_index o);
  transmitter::verdict first_start(output& out, sim_time ready, std::uint32_t largest, bool pulled);
  void take_requests();
  bool requests_known(sim_time t) const;
  bool frame_goes_first(transmitter::verdict& v, sim_time no_data_before);
  void send_frame(sim_time at);
  void ask_for_start(port_index o);
  void need_start();
  void explain_transition(sim_time beyond);
  bool fits_anyway(const packet& p) const;
  void enqueue(const packet& p);
  void settle(sim_time before);
  void settle_rest();
  bool upper_is_held() const;
  sim_time round_trip() const;
  sim_time next_arrival() const;
  sim_time next_start() const;
  sim_time resume_bound() const;
  sim_time next_transition() const;
  sim_time next_request() const;
  sim_time next_report() const;
  sim_time report_bound(unsigned c) const;
  void explain_report(sim_time beyond);
  // Whether what leaves is reported by class, and held by class.
  bool reports_classes() const {
    return !single_ && config_.buffer.own != 0 && line_.by_class()
           && config_.leaving == port_queue_config::reports::everything;
  }
  sim_time room_bound() const;
  sim_time least_service() const;
  const packet& first_queued() const;
  // The output that a packet is for; one more than there are if the filter refuses it.
  port_index towards(const packet& p) const {
    return !sorts_                        ? side
           : p.socket == packet::filtered ? static_cast<port_index>(config_.sockets)
                                          : port_index{p.socket};
  }
  // ...that the process wants to go on to: that of its next packet.
  port_index towards() const { return !sorts_ || waiting_ == 0 ? side : towards(first_queued()); }
  // By which output it is held; for several, only if that is where the next packet is for.
  static constexpr port_index nowhere = ~port_index{0};
  port_index held_at() const {
    const auto o = towards();
    return line_.stopped(o) && (!sorts_ || waiting_ != 0) ? o : nowhere;
  }
  output& output_of(port_index o) { return o < outputs_.size() ? outputs_[o] : nowhere_; }
  // By which output come the stops of the one that packets go to.
  port_index listens(port_index o) const { return o == side ? stops_out_ : o; }
  // By which output comes what holds single classes.
  port_index holds() const { return frames_out_ == nowhere ? side : frames_out_; }

  port_queue_config config_;
  class_gates gate_;
  const bool stops_;
  const buffer_limit least_stop_;
  const red early_;
  transmitter line_;
  priority_scheduler scheduler_;
  const bool single_;
  const bool sorts_;
  std::array<ring<packet>, max_priorities> queues_;
  unsigned waiting_ = 0;  // bit p: queues_[p] has packets
  // Accepted because they fit whatever has left by then, but not yet seen by the gate: occupancies
  // are exact, so it sees arrivals and departures in the order of time.
  ring<leaving> arrivals_;
  std::int64_t pending_bytes_ = 0, pending_packets_ = 0;  // of arrivals_
  ring<leaving> leaving_;                    // started, but maybe later than what the gate has seen
  transmitter::verdict head_{never, false};  // of the next start, if something is queued
  bool out_of_window_ = false;
  // The process comes back for more at pull_at_ (if that is certain), or not before it.
  sim_time next_report_ =
      0;  // with report_interval: when the next report goes out, or the last did
  bool pulling_ = false;
  sim_time pull_at_ = never;
  sim_time stopped_at_ = 0;         // when the last stop was issued
  sim_time no_arrival_before_ = 0;  // known from our own stop: the sender is held until we start it
  std::int64_t arrived_bytes_ = 0, arrived_packets_ = 0;  // all that came, dropped or not
  // PFC: what its buffer asks for, and by which output; what it sends, with the input that asks for
  // it and the one by which it takes effect; the output by which come the frames that it obeys.
  pause_requests requests_;
  std::unique_ptr<ib_grants> grants_;  // or what credits it gives
  std::unique_ptr<buffer_credits> lists_;
  std::unique_ptr<pause_sender> frames_;
  port_index requests_out_ = nowhere, requests_in_ = nowhere, frames_in_ = nowhere;
  port_index frames_out_ = nowhere;
  port_index reports_in_ = side;      // by which input goes what is reported
  port_index stops_out_ = side;       // by which output come stops and starts
  port_index frame_lacks_ = nowhere;  // a frame might go before head_: by which input it is known
  std::array<std::uint64_t, max_priorities> stops_of_{};  // sent, by priority
  output nowhere_;  // where the filter's packets go: nobody holds them up
  component_counters counters_;
};

}  // namespace sluice
