/// \file
/// An engine that moves packets, one after the other: the send engine, which writes them to the
/// memory of their virtual hosts, and the store engine, which moves those that cannot be sent into
/// buffers of the local data store and submits them to the elastic FIFO.
///
///     allocator ──▶ [ send engine ] ──▶ a host's ring, each
///
///     parser ──▶ [ store engine ] ──▶ elastic FIFO
///     allocator ──▶
///
/// What is sent has its descriptor and its memory. Whether there is a buffer for what is stored,
/// and what becomes of it if not, says the elastic FIFO when it is submitted. Source: US 7,751,400,
/// blocks 109, 115, 117 and 127 of FIG. 1; claims 1, 4, 8 and 11.
#pragma once

#include "actors/router/sequencer.hpp"

namespace sluice {

/// What an engine takes for a packet.
struct engine_time {
  sim_time per_packet = 0;
  line_rate rate;  ///< for its bytes

  sim_time of(std::uint32_t bytes) const { return per_packet + rate.time_of(bytes); }
};

struct copy_engine_config {
  std::string name, node, kind;
  engine_time takes;
};

class copy_engine final : public sequencer {
public:
  explicit copy_engine(copy_engine_config c)
      : sequencer{c.name, c.node}, kind_{std::move(c.kind)}, takes_{c.takes} {}

  std::string_view kind() const override { return kind_; }
  component_counters snapshot(sim_time now) const override;
  std::uint64_t packet_hops() const override { return counters_.in.packets; }

protected:
  bool handle(port_index i, const packet& p) override;
  sim_time earliest_packet(port_index o) override;
  void explain_packet(port_index o, sim_time beyond) override;

private:
  std::string kind_;
  engine_time takes_;
  sim_time busy_ = 0;
  component_counters counters_;
};

}  // namespace sluice
