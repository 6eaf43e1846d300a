/// \file
/// What the engines of the router have in common: packets come by several inputs, and are handled
/// in the order of time; at one time by input, the first one first, and then what the engine has
/// set itself for that time.
///
/// An engine says how it handles one packet, and what could still leave by each output. It sends no
/// signals up unless it says so.
#pragma once

#include <algorithm>

#include "actors/component.hpp"

namespace sluice {

class sequencer : public component {
public:
  using component::component;

  sim_time next_event() const override;

protected:
  /// Handles the first packet of input `i`, at its time, and takes it. False, and nothing was done:
  /// not yet.
  virtual bool handle(port_index i, const packet& p) = 0;
  /// When it does something by itself next; `never`: it has nothing to do.
  virtual sim_time own_time() const { return never; }
  /// Does it. False: not yet.
  virtual bool act() { return true; }

  void advance() override;
  sim_time earliest_signal(port_index) override { return never; }
  void explain_signal(port_index, sim_time) override {}

  /// Whatever input `i` promises, the engine itself knows that nothing comes by it before this.
  virtual sim_time silent_until(port_index i) const {
    (void)i;
    return 0;
  }

  /// No packet comes by input `i` before this.
  sim_time next_by(port_index i) const {
    const auto& in = inputs_[i];
    return in.items.empty() ? std::max(in.promise, silent_until(i)) : in.items.front().at;
  }
  sim_time next_arrival() const;
  /// Whether the first `n` outputs take another packet.
  bool windows_open(std::size_t n) const;
  /// "I could promise more if I knew what comes by input `i` until `t`."
  void need_input(port_index i, sim_time t) {
    if (inputs_[i].items.empty() && next_by(i) <= t)
      need_packets(i, t);
  }
  /// Likewise, of an engine that knows no more than what it knows of us: any step forward will do.
  /// Asked about a far time it would ask us about one that is a little less far, and so on.
  void need_step(port_index i, sim_time t) {
    if (inputs_[i].items.empty() && next_by(i) <= t)
      need_packets(i, inputs_[i].promise);
  }
  void need_inputs(sim_time t) {
    for (port_index i = 0; i < inputs_.size(); ++i)
      need_input(i, t);
  }
  /// For snapshots: with what waits at the inputs before `last`, which are those of packets.
  component_counters with_coming(component_counters c, std::size_t last) const;
};

}  // namespace sluice
