/// \file
/// The assist engine: finds out where packets go of which the parser did not know it, independently
/// of all others and in its own time.
///
///     elastic FIFO ──▶ [ assist engine ] ──▶ elastic FIFO
///
/// It gets to know of each packet that is put on a special queue, and says of each, in that order,
/// when it has found its connections: then the elastic FIFO moves the buffer, or points indirect
/// ones at it. It takes a time for each packet and a time for each of its connections. Source: US
/// 7,751,400, block 119 of FIG. 1; claims 5 and 12.
#pragma once

#include <vector>

#include "actors/router/message.hpp"
#include "actors/router/sequencer.hpp"
#include "metrics/results.hpp"

namespace sluice {

struct assist_engine_config {
  std::string name, node;
  sim_time per_packet = 0, per_connection = 0;
  std::uint32_t connections = 0;
  std::vector<std::uint32_t> groups;  ///< by flow: how many connections it has, if it is multicast
};

class assist_engine final : public sequencer {
public:
  explicit assist_engine(assist_engine_config c)
      : sequencer{c.name, c.node}, config_{std::move(c)} {}

  std::string_view kind() const override { return "assist engine"; }
  /// It has no packets: they stay where they are.
  component_counters snapshot(sim_time) const override { return {}; }
  void tell(router_result& r) const { r.assisted = packets_, r.assigned = assigned_; }

protected:
  bool handle(port_index i, const packet& p) override;
  sim_time earliest_packet(port_index o) override;
  void explain_packet(port_index o, sim_time beyond) override;

private:
  assist_engine_config config_;
  sim_time busy_ = 0;
  std::uint64_t packets_ = 0, assigned_ = 0;
};

}  // namespace sluice
