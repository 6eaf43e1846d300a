/// \file
/// What a scenario's events make of one thing over time: of a rate, of a cable, of the frames that
/// a port is made to send. For the builder, and for changes to a network that is running.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "actors/queue/pause_sender.hpp"
#include "topology/scenario.hpp"

namespace sluice {

/// A value that events of this kind change, as (from, value): of those in force the one that began
/// last counts, of those that began together the one written last; without any the normal value.
std::vector<std::pair<sim_time, std::uint64_t>> value_profile(const scenario& s,
                                                              timed_event::kind what,
                                                              const std::string& target,
                                                              std::uint64_t normal);

/// When the link is down: by time, disjoint.
std::vector<outage> outages_of(const scenario& s, std::size_t link);

/// When the queue of an aggregated port throws away what waits and comes, if the port is in no set
/// at these times: from the choice of another port it takes `under_way` to the queue.
std::vector<outage> purges_of(const std::vector<outage>& away, sim_time under_way);

/// What one event has the port that it is about send; one or two series of frames. The last one may
/// be for never.
std::vector<pause_sender::injection> injections_of(const scenario& s, const timed_event& e);

}  // namespace sluice
