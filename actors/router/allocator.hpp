/// \file
/// The allocator: gives each packet the resources of its connection, or none.
///
///     parser ──▶ [ allocator ] ──▶ send engine       it has them
///     elastic FIFO ──▶         ──▶ store engine      it has not
///     local engine ◀──▶           ◀─ ─ virtual hosts: what they post
///
/// What the local engine has taken out of the elastic FIFO has its resources for certain. Of a new
/// packet decides connection_allocator.hpp. What a host has posted matters only when its connection
/// is short of it, and is looked at only then.
///
/// What comes out of the elastic FIFO it has granted before, and the local engine asks only for
/// what was refused or assigned: in good times it waits for neither.
///
/// Source: US 7,751,400, blocks 105, 107, 113 and 125 of FIG. 1; claims 3, 4, 6, 8, 10 and 11.
#pragma once

#include <vector>

#include "actors/logic/connection_allocator.hpp"
#include "actors/router/message.hpp"
#include "actors/router/sequencer.hpp"
#include "metrics/results.hpp"

namespace sluice {

struct allocator_config {
  std::string name, node;
  std::vector<buffer_limit> posted;  ///< by connection: descriptors and memory
  look_times looks;                  ///< of the local engine
  bool specials = true;              ///< whether the assist engine assigns packets, too
};

class allocator final : public sequencer {
public:
  static constexpr port_index from_parser = 0, from_fifo = 1, from_local = 2;
  /// From `to_hosts` on come the hosts' links, by connection: signals only.
  static constexpr port_index to_send = 0, to_store = 1, to_local = 2, to_hosts = 3;

  explicit allocator(allocator_config c)
      : sequencer{c.name, c.node},
        looks_{c.looks},
        specials_{c.specials},
        resources_{std::move(c.posted)},
        granted_(resources_.connections()) {}

  std::string_view kind() const override { return "allocator"; }
  component_counters snapshot(sim_time now) const override;
  void tell(router_result& r) const { r.direct = direct_, r.refused = refused_; }

protected:
  bool handle(port_index i, const packet& p) override;
  sim_time earliest_packet(port_index o) override;
  void explain_packet(port_index o, sim_time beyond) override;
  sim_time silent_until(port_index i) const override;

private:
  bool may_be_asked() const { return specials_ || resources_.held_back() != 0; }
  void settle(unsigned c, sim_time t);
  bool posts_known(unsigned c, sim_time t);
  bool answer(const router_message& m);
  void say(router_message::kind what, const router_message& to, buffer_limit left = {0, 0},
           sim_time when = 0);
  void send(const packet& p);

  look_times looks_;
  bool specials_;
  connection_allocator resources_;
  std::vector<bool> granted_;  // by connection: packets may be on their way out of the elastic FIFO
  std::size_t grants_ = 0;     // how many of them
  std::uint64_t direct_ = 0, refused_ = 0;
  component_counters counters_;
};

}  // namespace sluice
