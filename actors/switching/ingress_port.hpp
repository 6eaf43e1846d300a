/// \file
/// Ingress port of a physical switch: checks a packet, finds the port by which it will
/// leave, and hands it to the forwarding engine.
///
/// Drops: `mtu_exceeded`, `no_route`.
/// Among several equal ports the flow's hash decides, so that a flow keeps its order; in a switch
/// that aggregates links, its `link_sets`. Counters: in, out, dropped; those of link_selector.
/// Source: US 9,485,188 (forwarding table; the input side of a port).
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "actors/component.hpp"
#include "actors/engine/relay.hpp"
#include "actors/logic/link_sets.hpp"
#include "actors/switching/forwarding_table.hpp"

namespace sluice {

struct ingress_port_config {
  std::string name, node;
  std::uint16_t port = 0;
  std::uint32_t max_frame_bytes = max_frame_bytes_default;
  std::shared_ptr<const forwarding_table> table;
  std::shared_ptr<const link_sets> sets;  ///< null: it aggregates nothing

  static constexpr std::uint32_t max_frame_bytes_default = 1518;
};

class ingress_port final : public relay<component> {
public:
  explicit ingress_port(ingress_port_config c) : relay{c.name, c.node}, config_{std::move(c)} {
    if (config_.sets)
      selects_ = std::make_unique<link_selector>(config_.sets, config_.port);
  }

  std::string_view kind() const override { return "ingress"; }
  component_counters snapshot(sim_time) const override { return counters_; }
  std::uint64_t packet_hops() const override { return counters_.in.packets; }
  /// Of a switch that aggregates links; else null.
  const link_selector* selects() const { return selects_.get(); }

protected:
  std::size_t pass(std::span<packet> packets) override {
    return selects_ ? pass<true>(packets) : pass<false>(packets);
  }

private:
  template <bool Selects>
  std::size_t pass(std::span<packet> packets) {
    const auto& table = *config_.table;
    std::size_t kept = 0;
    for (auto& p : packets) {
      counters_.in.add(p.frame_bytes());
      if (p.bytes > config_.max_frame_bytes) {
        counters_.drop(drop_reason::mtu_exceeded, p);
        continue;
      }
      const auto set = Selects ? config_.sets->set_for(p) : link_sets::none;
      const auto port =
          set != link_sets::none ? selects_->choose(set, p, path_hash(p)) : table.port_of(p);
      if (port == forwarding_table::none) {
        counters_.drop(drop_reason::no_route, p);
        continue;
      }
      counters_.out.add(p.frame_bytes());
      p.ingress = config_.port;
      p.egress = port;
      if (&packets[kept] != &p)
        packets[kept] = p;
      ++kept;
    }
    return kept;
  }

  ingress_port_config config_;
  std::unique_ptr<link_selector> selects_;
  component_counters counters_;
};

}  // namespace sluice
