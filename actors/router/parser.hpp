/// \file
/// The parser: finds the connection of each packet that comes out of the receive buffer.
///
///     receive buffers ──▶ [ parser ] ──▶ allocator        it knows the connection
///                                    ──▶ store engine     it does not, or there are several
///
/// Its time a packet is that of the receive buffer's process, whose head pointer it moves. Packets
/// that are for no host of this machine, or from another virtual network, are dropped (`no_route`).
/// Source: US 7,751,400, blocks 101 to 111 of FIG. 1A; claims 1, 2, 8 and 9.
#pragma once

#include <vector>

#include "actors/router/sequencer.hpp"

namespace sluice {

struct parser_config {
  std::string name, node;
  std::uint32_t first_endpoint = 0;  ///< connection 0's; the others follow
  std::uint32_t connections = 0;
  std::vector<std::uint32_t> networks;  ///< by endpoint; 0: of none, and everybody's
  bool specials = true;                 ///< whether any come
};

class parser final : public sequencer {
public:
  static constexpr port_index to_allocator = 0, to_store = 1;

  explicit parser(parser_config c) : sequencer{c.name, c.node}, config_{std::move(c)} {}

  std::string_view kind() const override { return "parser"; }
  component_counters snapshot(sim_time now) const override;
  std::uint64_t packet_hops() const override { return counters_.in.packets; }

protected:
  bool handle(port_index i, const packet& p) override;
  sim_time earliest_packet(port_index o) override {
    return o == to_store && !config_.specials ? never
                                              : later(next_arrival(), outputs_[o].packet_latency);
  }
  void explain_packet(port_index o, sim_time beyond) override {
    need_inputs(beyond - outputs_[o].packet_latency);
  }

private:
  parser_config config_;
  component_counters counters_;
};

}  // namespace sluice
