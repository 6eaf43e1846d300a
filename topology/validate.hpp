/// \file
/// What a scenario's numbers mean for each other, beyond what its language can say: buffers that
/// cannot hold what is in flight when they stop their sender, and lossless hops that wait for each
/// other in a circle. All of it is legal (a deadlock is a legitimate result), so these are
/// warnings.
///
/// Head-room of a hop with latency L and rate R: a stop takes L to arrive, what left the sender
/// until then takes L to arrive, and a frame may be on each of the sender's and the receiver's
/// hands while one more is arriving; so 2 L R + 3 frames (compare IEEE 802.1Q-2018, annex N).
///
/// Cyclic buffer dependency: Dally and Seitz (1987), "Deadlock-free message routing in
/// multiprocessor interconnection networks": routing is free of deadlock if the graph whose
/// vertices are channels, with an edge where a packet may hold one and want the next, has no cycle.
#pragma once

#include "topology/diagnostic.hpp"
#include "topology/scenario.hpp"

namespace sluice {

/// Bytes that may still arrive after a queue has stopped its sender.
std::int64_t headroom_bytes(std::uint64_t rate_bps, sim_time latency, std::uint32_t frame_bytes);

/// All warnings of `s`, in the order of its nodes and links. `s` must come from the loader.
diagnostics_list validate(const scenario& s);

}  // namespace sluice
