/// \file
/// The forwarding engine of a switch whose ports share one memory: reserves, a shared pool with
/// static or dynamic thresholds, and head-room for lossless priorities.
///
///     ingress i, priority p ──▶ account (i, p): reserve ▸ shared pool ▸ head-room ──▶ egress ports
///                                                  ▲ threshold: static, or free pool >> shift
///
/// What each account may have depends on what all others have, so arrivals and departures of the
/// whole switch are accounted in one order: by time, arrivals first, then by ingress port. Egress
/// queues hold what was accepted and drop nothing.
///
/// A bound decides where it can, as everywhere: a packet that its account has room for even if all
/// that may have come meanwhile has, and nothing has left, is forwarded at once and accounted
/// later. Else it waits until all that is earlier is known. The sender of a port is told nothing
/// before all ports together could have filled the memory to where the falling threshold meets the
/// port's account.
///
/// Drops: `headroom_exceeded` of a lossless priority, `buffer_full` of the others. Counters: as the
/// forwarding engine; largest occupancy of any one account.
/// Source: shared_buffer.hpp.
#pragma once

#include <tuple>

#include "actors/logic/shared_buffer.hpp"
#include "actors/switching/forwarding_engine.hpp"

namespace sluice {

struct shared_memory_config {
  std::int64_t bytes = 0;  ///< of memory, reserves and head-rooms included
  /// By ingress port and priority: account max_priorities x port + priority.
  std::vector<shared_buffer::account_config> accounts;
};

class shared_memory_engine final : public forwarding_engine {
public:
  shared_memory_engine(forwarding_engine_config c, shared_memory_config memory);

  loss_point loses() const override;
  component_counters snapshot(sim_time now) const override;
  sim_time next_work() const override;
  void finish(sim_time now) override;

  stop_counts stops_at(std::size_t i, unsigned priority) const override;
  sim_time stopping_since(std::size_t i, unsigned priority) const override;
  std::int64_t start_bytes(std::size_t i, unsigned priority) const override;

protected:
  void advance() override;
  sim_time earliest_signal(port_index) override;
  bool grant(port_index, bool) override { return false; }
  bool stopping(std::size_t i) const override { return stopping_[i] != 0; }
  sim_time resume_bound(port_index i) const override;
  pause_reason reason(port_index i, unsigned priority, bool stops) const override;
  sim_time next_request(port_index i) const override;
  void explain_transition(port_index i, sim_time beyond) override;

private:
  struct event {
    sim_time at;
    std::uint32_t bytes;
    std::uint16_t ingress, egress;
    std::uint8_t priority;
    bool leaves;
  };
  struct later_first {
    bool operator()(const event& a, const event& b) const {
      return std::tie(a.at, a.leaves, a.ingress, a.egress, a.priority)
             > std::tie(b.at, b.leaves, b.ingress, b.egress, b.priority);
    }
  };
  // The next packet that may come and is not accepted: by this ingress, or one behind it.
  struct unknown {
    sim_time from;
    port_index first;
  };

  static std::size_t account_of(std::size_t i, unsigned priority) {
    return i * max_priorities + priority;
  }
  void hear(port_index k);
  bool admit(port_index i);
  bool surely_fits(port_index i, const packet& p, const unknown& u) const;
  bool settle();
  void decide(port_index i);
  void apply(const event& e);
  void take(port_index i, const packet& p);
  void stop(port_index i, unsigned priority, std::uint16_t egress, sim_time at);
  void refresh_all();
  void need(sim_time arrivals, sim_time departures);
  unknown arrivals_to_come() const;
  sim_time nothing_leaves_before() const;
  sim_time next_transition(port_index i) const;
  sim_time fill_time(port_index i) const;
  bool accounted_by(const event& e, const unknown& u, sim_time leaves) const;

  std::vector<shared_buffer::account_config> accounts_;
  unknown to_come_{0, 0};  // as of the end of the last advance: promises are made by it
  shared_buffer memory_;
  std::vector<event> events_;          // a heap: accepted or left, and not accounted
  std::vector<std::int64_t> pending_;  // by account: accepted, not accounted
  std::int64_t pending_total_ = 0;
  std::vector<std::uint32_t> owed_;     // by egress: packets that have not left, as far as is known
  std::vector<std::uint8_t> stopping_;  // by ingress: bit p, priority p
  std::uint64_t bps_ = 0;
  std::int64_t a_frame_each_ = 0;
  bool bounded_ = true;  // the senders of all ports are known
};

}  // namespace sluice
