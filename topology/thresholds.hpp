/// \file
/// Where a queue stops and starts its sender: the arithmetic of head-room, in one place for the
/// builder and for the checks before a run.
#pragma once

#include "actors/logic/class_gates.hpp"
#include "actors/logic/room.hpp"
#include "actors/logic/shared_buffer.hpp"
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

/// What a port with PFC needs above XOFF: what can come after a pause was decided (pfc_headroom),
/// and a frame that overshoots the threshold, since frames are taken whole. \param response of the
/// sender's MAC, see pfc_response.
std::int64_t pfc_headroom_for(const hop_facts& hop, sim_time response);

/// The parts of a port's buffer with PFC. Each lossless priority has XOFF and head-room for itself,
/// the others share the rest. Where `settings` do not say: head-room is what the hop needs; XOFF is
/// what remains of an equal share (of the lossless priorities and, if there are `lossy` ones in the
/// run, of these together), at least a quarter of it; XON is three quarters of XOFF. No part is
/// larger than its share of the whole.
class_gates::config pfc_gates_for(std::int64_t capacity, const pfc_settings& settings, bool lossy,
                                  const hop_facts& hop, sim_time response);

/// From a pause that takes effect to when the next frame that says the same is sent.
sim_time pfc_refresh(const pfc_settings& settings, std::uint64_t bps);
/// From the end of a PFC frame to when its receiver, with these settings, obeys it.
sim_time pfc_response(const pfc_settings& settings, std::uint64_t bps);

/// The accounts of one ingress port in a switch's shared memory, by priority. Only those `used`
/// have anything set aside: a reserve, and head-room if they are `lossless` (as `pfc` says, else
/// what the hop needs). A static XOFF of `pfc` takes the place of the dynamic threshold of lossless
/// ones.
std::vector<shared_buffer::account_config> shared_accounts_for(
    const shared_memory_settings& settings, const pfc_settings& pfc, unsigned lossless,
    unsigned used, const hop_facts& hop, sim_time response);

/// bit p: priority p goes by a lane with credits, on a link between nodes with these settings.
std::uint8_t ib_lanes(const ib_settings& a, const ib_settings& b);
/// How often a port that gives each lane credits for `room` bytes looks what has left: as often as
/// `settings` say, else four times while a line of `bps` uses them up, but no closer than 100 ns.
sim_time ib_update(const ib_settings& settings, std::int64_t room, std::uint64_t bps);
/// From one flow packet of a lane to the next, at the latest: 65,536 symbol times.
sim_time ib_refresh(std::uint64_t bps);
/// The parts of a port's buffer on an InfiniBand link, in whole blocks: for each of the `lanes`
/// what `settings` say, else an equal share (another one if there is `management` traffic); at most
/// 2048 blocks, at least the largest frame. What stops there stops nobody: it marks that something
/// is there, which has not given its credits back.
class_gates::config ib_gates_for(std::int64_t capacity, const ib_settings& settings, unsigned lanes,
                                 bool management, std::uint32_t largest_frame);

/// When a sender in the same machine sleeps that fills a queue of `capacity`. Without thresholds of
/// its own: one largest frame below the maximum, so that what it is about to send always fits, and
/// until the queue is below that again. A queue smaller than a frame takes one packet at a time.
room::config room_for(buffer_limit capacity, hop_policy policy, const on_off_settings& settings,
                      std::uint32_t largest_frame);

/// Flow control of the link between two nodes: its own, or what both of them want; none if they
/// disagree.
hop_policy policy_of(const link& l, const node& a, const node& b);

/// bit p: packets of priority p can be stopped on the link.
std::uint8_t stoppable_priorities(const link& l, const node& a, const node& b);

/// The shortest time between two looks of a router's local engine: an answer to a question of one
/// look is there before the next.
sim_time least_look(const elastic_fifo_settings& settings);

/// Until when VMs are short of time: to the end of the run, or for a second if it has none.
sim_time shortages_end(const scenario& s);
/// How many times it is drawn whether a VM of the host is short; all are kept.
inline constexpr std::int64_t max_shortages = 4'000'000;
std::int64_t shortages_of(const scenario& s, const host_settings& host);

/// An equal share of each of so many parts.
buffer_limit share_of(buffer_limit whole, int parts);

/// The limit as bytes or packets, the other unlimited.
buffer_limit as_limit(const queue_limit& limit);

}  // namespace sluice
