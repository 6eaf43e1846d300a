/// \file
/// What the parts of the network builder share: small arithmetic of lines, hops and schedulers.
#pragma once

#include <algorithm>
#include <optional>

#include "actors/logic/scheduler.hpp"
#include "actors/logic/sender_bound.hpp"
#include "actors/queue/transmitter.hpp"
#include "topology/scenario.hpp"
#include "topology/thresholds.hpp"

namespace sluice {

/// Inside a switch packets and signals pass between its port and its engine in no time to speak
/// of; the engine needs it to be more than none.
inline constexpr sim_time inside_switch = nanosecond;
/// What is handed over by a descriptor is not copied: a byte in a picosecond.
inline constexpr std::uint64_t memory_bps = 8'000'000'000'000;

/// Copies inside a host have no preamble and no gap.
inline constexpr std::uint32_t no_overhead = 0;

/// Largest frame of a host without a network: what a virtual NIC takes at most.
inline constexpr std::uint32_t largest_local_frame = 65'535 + 18;

inline constexpr std::uint32_t imix_largest = 1514;

inline line_config steady(std::uint64_t bps, std::uint32_t overhead, sim_time per_packet = 0) {
  line_config l;
  l.rate = line_rate{bps};
  l.overhead_bytes = overhead;
  l.per_packet = per_packet;
  return l;
}

/// What a receiver behind the hop knows of its sender.
inline sender_bound bound_of(const hop_facts& hop) {
  const auto at_rate = hop.rate.time_of(hop.max_frame_bytes + hop.overhead_bytes);
  return {hop.rate, hop.overhead_bytes, hop.max_frame_bytes, hop.latency_down + hop.latency_up,
          at_rate};
}

inline priority_scheduler::config scheduler_of(const scheduler_settings& s) {
  priority_scheduler::config c;
  c.how = s.kind == scheduler_kind::strict ? priority_scheduler::kind::strict
          : s.kind == scheduler_kind::wrr  ? priority_scheduler::kind::wrr
                                           : priority_scheduler::kind::dwrr;
  std::copy(std::begin(s.weights), std::end(s.weights), c.weights.begin());
  return c;
}

/// \param most of a list. \param first of the first one; none: as many
inline credit_builder::config lists_of(const credit_list_settings& s, unsigned most,
                                       std::optional<unsigned> first = {}) {
  credit_builder::config c;
  c.when = s.when;
  c.most = most;
  c.first_list = first.value_or(most);
  c.lists = s.lists;
  return c;
}

/// Where a queue is not for one priority or another: all of them are held together.
inline hop_policy undivided(hop_policy policy) {
  return policy == hop_policy::s_pfc ? hop_policy::on_off : policy;
}

}  // namespace sluice
