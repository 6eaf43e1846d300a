/// \file
/// Consumer: where packets end. It takes each one on arrival and keeps the books of delivery.
///
/// One input, nothing leaves. How fast an application reads is the drain of the queue before it.
/// A source whose rate is regulated is told, on a link of its own, when a packet of it comes that
/// was marked as congested; and then not again for `interval`.
///
/// For each flow: packets, bytes, marks, latency from the due time. Over all, in the order of
/// arrival: the fingerprint of (packet id, time). Counters: in, consumed, held (under way at the
/// end).
///
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
    std::uint64_t marked = 0;         ///< as congested
    std::uint64_t reordered = 0;      ///< came after a later packet of their producer
    sim_time last = 0;                ///< delivery
    std::vector<std::uint64_t> seen;  ///< the latest packet id, by producer
  };
  /// Before the run: who was joined last, as an upper cell, is the producer with this endpoint, and
  /// wants to be told of congestion no more often than this.
  void notify(std::uint32_t endpoint, sim_time interval);

  /// By flow index; flows that never came here may be missing at the end.
  const std::vector<flow_delivered>& flows() const { return flows_; }
  std::uint64_t fingerprint() const { return fingerprint_.value(); }
  sim_time last_delivery() const { return last_; }

protected:
  void advance() override;
  sim_time earliest_packet(port_index) override { return never; }
  void explain_packet(port_index, sim_time) override {}
  sim_time earliest_signal(port_index) override;
  void explain_signal(port_index, sim_time beyond) override;

private:
  static constexpr port_index side = 0;

  // A source that is told.
  struct source {
    port_index input = side;  // of its link; side: it is not
    sim_time interval = 0, next = 0;
  };

  std::vector<flow_delivered> flows_;
  std::vector<source> sources_;         // by endpoint
  std::vector<std::uint32_t> told_by_;  // by input: which endpoint
  class fingerprint fingerprint_;
  sim_time last_ = 0;
  component_counters counters_;
};

}  // namespace sluice
