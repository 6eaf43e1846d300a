/// \file
/// A component of the emulated network: a cell of the engine with counters and an end.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "actors/engine/cell.hpp"
#include "metrics/counters.hpp"
#include "metrics/series.hpp"

namespace sluice {

/// Whether a component can lose packets for want of room, and whether flow control keeps it from
/// that.
enum class loss_point : std::uint8_t { none, open, guarded };

class component : public cell {
public:
  /// \param node the scenario's node that it belongs to, for summaries.
  component(std::string name, std::string node) : cell{std::move(name)}, node_{std::move(node)} {}

  const std::string& node() const { return node_; }
  virtual std::string_view kind() const = 0;
  virtual loss_point loses() const { return loss_point::none; }

  /// The counters as of `now`, at which nothing is under way between activations: what waits here
  /// and what is on its way here counts as held. May be called more than once in a run.
  virtual component_counters snapshot(sim_time now) const = 0;

  /// How the receiver behind output `o` has held it, up to `now`.
  virtual held_counts held_by(port_index o, sim_time now) const {
    (void)o, (void)now;
    return {};
  }

  /// What its input `i` has done to the sender behind it, by priority; -1 (as unsigned): whatever
  /// it does is for all together.
  virtual stop_counts stops_at(std::size_t i, unsigned priority) const {
    (void)i, (void)priority;
    return {};
  }
  /// Frames that it has sent to hold its peer, and those of its peer that it has obeyed by `now`.
  virtual pause_counts pauses_sent() const { return {}; }
  virtual pause_counts pauses_had(sim_time now) const {
    (void)now;
    return {};
  }

  /// Tells the counters of everything in it that counts: itself, unless it has parts.
  using reporter =
      std::function<void(const std::string& name, std::string_view kind, component_counters)>;
  virtual void report(sim_time now, const reporter& tell) const {
    tell(name(), kind(), snapshot(now));
  }

  /// For time series, at the end of every slice of virtual time, so without copies: how many bytes
  /// have arrived and wait in each part, and its counters; of these only drops can be relied upon.
  using sampler = std::function<void(std::string_view name, std::string_view kind,
                                     std::int64_t held_bytes, const component_counters&)>;
  virtual void sample(sim_time now, const sampler& tell) const {
    const auto c = snapshot(now);
    tell(name(), kind(), static_cast<std::int64_t>(c.held.bytes), c);
  }
  /// The limits of its buffer, if it has one.
  virtual buffer_marks marks() const { return {}; }

  /// As next_event, but for what only keeps up what is: refreshes of pauses, and their end, which
  /// they put off.
  virtual sim_time next_work() const { return next_event(); }

  /// The run has ended at `now`, in the model's time: last chance to settle what is counted.
  virtual void finish(sim_time now) { (void)now; }

  /// How many packet-hops ended here: packets that left a store-and-forward queue and entered this.
  virtual std::uint64_t packet_hops() const { return 0; }

protected:
  /// Packets that have arrived by input `i` but were not handled: under way when the run ended.
  static tally waiting(const input& in) {
    tally t;
    in.items.each([&](const packet& p) { t.add(p.frame_bytes()); });
    return t;
  }

private:
  std::string node_;
};

}  // namespace sluice
