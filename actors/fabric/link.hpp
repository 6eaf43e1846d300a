/// \file
/// Link: one direction of a cable. Packets take its propagation delay.
///
/// While it is down, what is on it is lost (`link_down`): every packet of which any bit was being
/// sent or was on the way. Its sending port sees the carrier and starts nothing meanwhile (that is
/// the port's configuration, see `outage`). On/off signals are not frames and survive.
/// Counters: in, out, dropped. Configuration: delay (by wiring), rate, outages.
#pragma once

#include <vector>

#include "actors/component.hpp"
#include "actors/engine/relay.hpp"
#include "actors/queue/transmitter.hpp"

namespace sluice {

struct link_config {
  std::string name;
  line_rate rate;               ///< of the sending port, to know when a frame began
  sim_time delay = 0;           ///< the whole propagation delay...
  sim_time delay_before = 0;    ///< ...of which this much lies before this cell
  std::vector<outage> outages;  ///< by time
};

class link_cell final : public relay<component> {
public:
  explicit link_cell(link_config c) : relay{c.name, ""}, config_{std::move(c)} {}

  std::string_view kind() const override { return "link"; }
  component_counters snapshot(sim_time) const override { return counters_; }

protected:
  std::size_t pass(std::span<packet> packets) override {
    std::size_t kept = 0;
    for (auto& p : packets) {
      counters_.in.add(p.bytes);
      if (!config_.outages.empty() && lost(p)) {
        counters_.drop(drop_reason::link_down, p);
        continue;
      }
      counters_.out.add(p.bytes);
      if (&packets[kept] != &p)
        packets[kept] = p;
      ++kept;
    }
    return kept;
  }

private:
  bool lost(const packet& p) {
    const auto sent = p.at - config_.delay_before;
    const auto began = sent - config_.rate.time_of(p.bytes + ethernet_overhead_bytes);
    const auto arrives = sent + config_.delay;
    while (next_ < config_.outages.size() && config_.outages[next_].to <= began)
      ++next_;
    return next_ < config_.outages.size() && config_.outages[next_].from < arrives;
  }

  link_config config_;
  std::size_t next_ = 0;
  component_counters counters_;
};

}  // namespace sluice
