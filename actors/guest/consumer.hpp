/// \file
/// Consumer: where packets end. It takes each one on arrival and keeps the books of delivery.
///
/// One input, nothing leaves. How fast an application reads is the drain of the queue before it.
/// For each flow: packets, bytes, latency from the due time. Over all, in the order of arrival: the
/// fingerprint of (packet id, time). Counters: in, consumed, held (under way at the end).
/// Source: US 9,485,188 (the data packet consumer).
#pragma once

#include <vector>

#include "actors/component.hpp"
#include "traffic/fingerprint.hpp"

namespace sluice {

class consumer final : public component {
public:
  consumer(std::string name, std::string node) : component{std::move(name), std::move(node)} {}

  std::string_view kind() const override { return "consumer"; }
  component_counters snapshot(sim_time now) const override;
  std::uint64_t packet_hops() const override { return counters_.consumed.packets; }
  sim_time next_event() const override;

  struct flow_delivered {
    tally delivered;
    latency_histogram latency;
    std::uint64_t reordered = 0;      ///< came after a later packet of their producer
    sim_time last = 0;                ///< delivery
    std::vector<std::uint64_t> seen;  ///< the latest packet id, by producer
  };
  /// By flow index; flows that never came here may be missing at the end.
  const std::vector<flow_delivered>& flows() const { return flows_; }
  std::uint64_t fingerprint() const { return fingerprint_.value(); }
  sim_time last_delivery() const { return last_; }

protected:
  void advance() override;
  sim_time earliest_packet(port_index) override { return never; }
  void explain_packet(port_index, sim_time) override {}
  sim_time earliest_signal(port_index) override { return never; }
  void explain_signal(port_index, sim_time) override {}

private:
  static constexpr port_index side = 0;

  std::vector<flow_delivered> flows_;
  class fingerprint fingerprint_;
  sim_time last_ = 0;
  component_counters counters_;
};

}  // namespace sluice
