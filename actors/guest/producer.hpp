/// \file
/// Producer: an application (or a bare traffic generator) that sends packets at their due times.
///
///     schedules (replays, generators) ▸ merge by due time ▸ line ──packets──▶ lower cell
///                                                                ◀─signals──
///
/// One output. It sends each packet when it is due, or later if its line is busy or the other side
/// holds it; what is due waits in order and is never lost here. With `on-stop: shift` the rest of a
/// schedule moves by the time for which it was held, as for an application blocked in `send`.
///
/// On a wire with PFC it obeys frames by priority, on an InfiniBand link it needs credits by lane:
/// of those that are not held the earliest due goes.
///
/// With a regulated rate it leaves at least as much time after a packet's start as the packet takes
/// at that rate, which goes down when a consumer tells of congestion and up again by itself
/// (rate_limiter.hpp). What was told by the start of a packet decides when the next one may start.
///
/// A packet counts as made when it is due; `held` are those due by the end but not sent. Latency
/// counts from the due time, so waiting here is part of it (no coordinated omission).
/// Counters: made, out, held, stops and starts received, time held.
/// Source: US 9,485,188 (the data packet producer).
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "actors/component.hpp"
#include "actors/logic/rate_limiter.hpp"
#include "actors/queue/transmitter.hpp"
#include "traffic/source.hpp"

namespace sluice {

struct producer_config {
  std::string name, node;
  std::uint32_t endpoint = 0;  ///< index of this producer in the run: the upper part of packet ids
  line_config line;
};

/// One schedule of a producer.
struct schedule_config {
  std::unique_ptr<traffic_source> source;
  std::uint32_t flow = 0;  ///< index of the traffic entry
  std::uint8_t priority = 0;
  bool shift_on_stop = false;
  /// For a source that knows no sockets: by endpoint, which one its packets are for.
  std::shared_ptr<const std::vector<std::uint8_t>> sockets;
  /// Of packets that have none themselves: see packet.
  std::uint8_t ecn = packet::ecn_not_capable;
  std::uint8_t special = packet::ordinary;
};

class producer final : public component {
public:
  explicit producer(producer_config c);

  void add(schedule_config s);
  /// Before the run: it looks into the queue that it fills, as `send` does.
  void check_room(const room::config& c) { line_.check_room(c); }
  /// Likewise, if that one is divided by priority: an application has a socket for each.
  void check_rooms(const class_rooms::config& c) { line_.check_rooms(c); }
  /// Before the run: it obeys frames that come by the output joined last.
  void obey_pauses(const pause_timers::config& c, bool announced, bool injected) {
    line_.obey_pauses(c, announced, injected);
    frames_ = last_output();
  }
  /// Likewise, on an InfiniBand link: flow packets.
  void obey_credits(const ib_window::config& c) {
    line_.obey_credits(c);
    frames_ = last_output();
  }

  /// Between activations, for changes while it runs: its line.
  transmitter& line() { return line_; }
  /// Likewise: the schedule of this flow goes on as `source` has it, which so far has had the same
  /// packets.
  void replace(std::uint32_t flow, std::unique_ptr<traffic_source> source);

  /// Before the run: its rate is regulated...
  void regulate(const rate_limiter::config& c) { regulated_ = std::make_unique<regulation>(c); }
  /// ...by who was joined to it last, among others.
  void listen() { regulated_->told_by.push_back(last_output()); }
  bool regulated() const { return regulated_ != nullptr; }
  /// As of `now`. \pre regulated
  rate_limiter rate(sim_time now) const;

  std::string_view kind() const override { return "producer"; }
  component_counters snapshot(sim_time now) const override;
  held_counts held_by(port_index, sim_time now) const override;
  pause_counts pauses_had(sim_time now) const override;
  sim_time next_event() const override;
  sim_time next_work() const override;
  bool untouched() const override { return schedules_.empty(); }
  void finish(sim_time now) override;

  /// What each flow has made here by `now`.
  struct flow_made {
    std::uint32_t flow;
    tally made;
  };
  std::vector<flow_made> made(sim_time now) const;

protected:
  void advance() override;
  sim_time earliest_packet(port_index) override;
  void explain_packet(port_index, sim_time beyond) override;
  sim_time earliest_signal(port_index) override { return never; }
  void explain_signal(port_index, sim_time) override {}

private:
  // A schedule with a batch of emissions read ahead.
  struct schedule {
    schedule_config config;
    std::array<emission, 256> batch;
    std::size_t next = 0, size = 0;
    sim_time shifted = 0;
    tally sent;
    tally due_unsent;  // counted by finish

    bool refill();
    sim_time due() const { return later(batch[next].due, shifted); }
    /// Of its next packet.
    std::uint8_t priority() const {
      const auto own = batch[next].priority;
      return own != emission::unclassified ? own : config.priority;
    }
  };
  static constexpr unsigned all_classes = (1u << max_priorities) - 1;
  // With the earliest due packet of these classes; nullptr: none has one.
  schedule* earliest(unsigned classes = all_classes) const;
  // Between a packet and the next.
  struct regulation {
    explicit regulation(const rate_limiter::config& c) : rate{c} {}
    rate_limiter rate;
    std::vector<port_index> told_by;
    bool settled = true;     // it is known when the next one may start...
    sim_time may_start = 0;  // ...not before this
    sim_time started = 0;    // the last one
    std::uint32_t bytes = 0;
  };
  bool settle_rate();
  sim_time may_start() const { return regulated_ ? regulated_->may_start : 0; }
  transmitter::verdict first_start(sim_time due, std::uint32_t bytes);
  std::uint32_t least_bytes() const;
  static constexpr port_index side = 0;

  producer_config config_;
  transmitter line_;
  std::unique_ptr<regulation> regulated_;
  std::vector<std::unique_ptr<schedule>> schedules_;
  schedule* front_ = nullptr;  // with the earliest due packet; nullptr: all have ended
  port_index frames_ = 0;      // the output by which pauses come; 0: none
  transmitter::verdict head_{never, false};
  std::uint64_t sequence_ = 0;
  component_counters counters_;
};

}  // namespace sluice
