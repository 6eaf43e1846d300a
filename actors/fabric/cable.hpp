/// \file
/// Cable: one direction of a link. Packets take its propagation delay, which is the latency of the
/// channel between the two ports; the cable itself is a passage of that channel, no actor.
///
/// While it is down, what is on it is lost (`link_down`): every packet of which any bit was being
/// sent or was on the way. Its sending port sees the carrier and starts nothing meanwhile (that is
/// the port's configuration, see `outage`). On/off signals are not frames and survive.
/// Counters: in, out, dropped; a packet that is on the cable when the run ends counts as held by
/// the port that it would have come to. Configuration: delay (by wiring), rate, outages.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "actors/engine/cell.hpp"
#include "actors/queue/tap_stream.hpp"
#include "actors/queue/transmitter.hpp"
#include "metrics/counters.hpp"

namespace sluice {

struct cable_config {
  std::string name;
  line_rate rate;               ///< of the sending port, to know when a frame began
  sim_time delay = 0;           ///< propagation
  std::vector<outage> outages;  ///< by time
  /// Taps at its two ends, if there are any.
  std::vector<tap_stream*> sent, came;
};

class cable final : public passage {
public:
  explicit cable(cable_config c) : config_{std::move(c)} {}

  const std::string& name() const { return config_.name; }
  const component_counters& counters() const { return counters_; }

  sim_time delay() const { return config_.delay; }
  /// Between activations: from a time on, by which all that was sent so far has arrived, it will be
  /// down at other times.
  void revise(std::vector<outage> outages) { config_.outages = std::move(outages); }

  result pass(std::span<packet> packets) override {
    result r;
    for (auto* tap : config_.sent)
      for (const auto& p : packets)
        tap->saw(p.at - config_.delay, p);
    for (auto& p : packets) {
      counters_.in.add(p.frame_bytes());
      if (!config_.outages.empty() && lost(p)) {
        counters_.drop(drop_reason::link_down, p);
        r.lost_bytes += p.bytes;
        continue;
      }
      counters_.out.add(p.frame_bytes());
      if (&packets[r.kept] != &p)
        packets[r.kept] = p;
      ++r.kept;
    }
    for (auto* tap : config_.came)
      for (const auto& p : packets.first(r.kept))
        tap->saw(p.at, p);
    return r;
  }

private:
  bool lost(const packet& p) {
    const auto sent = p.at - config_.delay;
    const auto began = sent - config_.rate.time_of(p.bytes + ethernet_overhead_bytes);
    while (next_ < config_.outages.size() && config_.outages[next_].to <= began)
      ++next_;
    return next_ < config_.outages.size() && config_.outages[next_].from < p.at;
  }

  cable_config config_;
  std::size_t next_ = 0;
  component_counters counters_;
};

}  // namespace sluice
