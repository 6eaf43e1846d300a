/// \file
/// The local engine: empties the queues of the elastic FIFO, when their connections have resources
/// again.
///
///     elastic FIFO ──▶ [ local engine ] ──▶ elastic FIFO      take so many
///                                       ◀──▶ allocator        what is there for this connection?
///
/// It looks periodically. Each connection of which packets wait it asks for, the most important
/// ones first; with the first question it has the connection's resources for itself, and the
/// allocator refuses new packets. What is there it has the elastic FIFO take out. When a queue is
/// empty it gives the connection back, which the allocator grants when no packet that it had
/// refused is still on its way.
///
/// That it looks at fixed times is also what lets everybody else go on between two of them.
/// Source: US 7,751,400, blocks 107, 121, 123 and 129 of FIG. 1; claims 1, 6, 7, 8, 13 and 14.
#pragma once

#include <vector>

#include "actors/router/message.hpp"
#include "actors/router/sequencer.hpp"
#include "metrics/results.hpp"

namespace sluice {

struct local_engine_config {
  std::string name, node;
  look_times looks;
  std::vector<std::uint8_t> importance;  ///< by connection, the largest first
};

class local_engine final : public sequencer {
public:
  static constexpr port_index from_fifo = 0, from_allocator = 1;
  static constexpr port_index to_fifo = 0, to_allocator = 1;

  explicit local_engine(local_engine_config c);

  std::string_view kind() const override { return "local engine"; }
  /// It has no packets.
  component_counters snapshot(sim_time) const override { return {}; }
  void tell(router_result& r, sim_time now) const;

protected:
  bool handle(port_index i, const packet& p) override;
  sim_time own_time() const override { return next_look_; }
  bool act() override;
  sim_time earliest_packet(port_index o) override;
  void explain_packet(port_index o, sim_time beyond) override;

private:
  struct connection {
    std::int64_t waiting = 0;
    std::uint32_t first_bytes = 0;     // of the packet that waits longest
    std::uint64_t came = 0, said = 0;  // of those that the allocator had refused; and it knows
    sim_time since = never;            // when it was first asked for, until it is given back
    sim_time ready = 0;                // it is looked at from then on...
    bool active = false;               // ...if it is at all...
    bool busy = false;                 // ...and nothing is under way about it
  };
  void attend(std::uint32_t c, sim_time from);
  sim_time look_at(sim_time t) const { return config_.looks.from(t); }
  sim_time next_ask() const;

  local_engine_config config_;
  std::vector<connection> connections_;
  std::vector<std::uint32_t> active_;  // the most important ones first
  std::size_t cursor_ = 0;             // in a look: how far it has come
  sim_time after_ = never;             // ...and when the next one is due, of those seen
  sim_time next_look_ = never;
  std::size_t asked_ = 0;  // that the allocator has not answered
  std::uint64_t granted_ = 0;
  sim_time exclusive_ = 0;  // of connections that were given back
};

}  // namespace sluice
