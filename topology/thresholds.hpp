/// \file
/// Where a queue stops and starts its sender: the arithmetic of head-room, in one place for the
/// builder and for the checks before a run.
#pragma once

#include "actors/logic/buffer_gate.hpp"
#include "actors/logic/room.hpp"
#include "topology/scenario.hpp"

namespace sluice {

/// What a hop can put under way before a stop takes effect.
struct hop_facts {
  line_rate rate;             ///< of the sender, at its fastest
  sim_time latency_down = 0;  ///< of packets
  sim_time latency_up = 0;    ///< of the stop
  std::uint32_t max_frame_bytes = 1518;
  std::uint32_t overhead_bytes = 0;  ///< of a frame on the line
};

/// The head-room that loses nothing for any phase of arrival: what the line carries in one round
/// trip, a frame that overshoots the threshold, one in transmission when the stop arrives, and one
/// for rounding to whole frames. In packets: as many of the smallest frames (60 bytes).
buffer_limit headroom_for(const hop_facts& hop);

/// The gate of a queue with `capacity` behind that hop. With flow control, thresholds come from
/// `settings` where they have the capacity's unit; else stop is capacity less head-room (but at
/// least a quarter of the capacity), start is half of stop. A stop is never above the capacity.
buffer_gate::config gate_for(buffer_limit capacity, hop_policy policy,
                             const on_off_settings& settings, const hop_facts& hop);

/// When a sender in the same machine sleeps that fills a queue of `capacity`. Without thresholds of
/// its own: one largest frame below the maximum, so that what it is about to send always fits, and
/// until the queue is below that again. A queue smaller than a frame takes one packet at a time.
room::config room_for(buffer_limit capacity, hop_policy policy, const on_off_settings& settings,
                      std::uint32_t largest_frame);

/// The limit as bytes or packets, the other unlimited.
buffer_limit as_limit(const queue_limit& limit);

}  // namespace sluice
