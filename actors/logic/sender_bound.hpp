/// \file
/// What a buffer knows of its sender without being told: how fast it can fill, and when a stop has
/// surely taken effect. These bounds are the emulator's lookahead (DESIGN 3, "decide with bounds").
#pragma once

#include <algorithm>
#include <cstdint>

#include "traffic/units.hpp"

namespace sluice {

/// The sender of a hop, as its receiver knows it from the wiring.
struct sender_bound {
  line_rate rate;                     ///< it is never faster; stopped: nothing is known
  std::uint32_t overhead_bytes = 0;   ///< of a frame on its line
  std::uint32_t max_frame_bytes = 0;  ///< it sends no larger one
  sim_time round_trip = 0;            ///< latency of a signal to it plus of a packet from it
  sim_time longest_service = 0;       ///< no frame takes it longer, from its start to its last bit
  /// With PFC: whether it sends nothing but one class, and a pause surely reaches it and lasts.
  /// Then it starts nothing later than so long after it was decided, plus the way of a packet.
  bool held_whole = false;
  sim_time slowest_stop = 0;

  bool known() const { return !rate.stopped(); }

  /// A stop issued at `t` has taken effect, and all that was sent before it has arrived, once no
  /// packet can arrive before this.
  sim_time quiet_after(sim_time t) const {
    return later(t, std::max(round_trip, slowest_stop) + longest_service);
  }
};

/// How long a buffer takes at least to let `bytes` go, from when the first frame of them leaves,
/// over a line (or lines together) of `rate`: frames leave as they start, so all but the last one
/// have taken their time. \param largest no frame has more bytes; 0: nothing is known.
inline sim_time least_drain(line_rate rate, std::int64_t bytes, std::uint32_t largest) {
  const auto before_last = bytes - static_cast<std::int64_t>(largest);
  if (rate.stopped() || largest == 0 || before_last <= 0)
    return 0;
  return rate.time_of(static_cast<std::uint64_t>(std::min<std::int64_t>(before_last, 1'000'000)));
}

/// The earliest time at which a buffer of `bytes` and `packets` can reach `stop_bytes` or
/// `stop_packets` if its sender sends as fast as it can from `from` on (the earliest arrival of a
/// next packet), given the departures that are known: `known(i)` is the i-th, with `at` and
/// `bytes`, in order, `count` of them. Departures beyond those are taken to be none.
template <class Known>
sim_time earliest_fill(const sender_bound& sender, sim_time from, std::int64_t bytes,
                       std::int64_t packets, std::int64_t stop_bytes, std::int64_t stop_packets,
                       std::size_t count, Known known) {
  if (!sender.known() || from >= never)
    return from;
  // Bytes arrive as a whole frame at `from` and no faster than the line from then on; packets no
  // denser than the smallest frame.
  const auto reaches = [&](std::int64_t more_bytes, std::int64_t more_packets) {
    sim_time t = never;
    if (more_bytes < never / 1000) {
      const auto after_first = more_bytes - static_cast<std::int64_t>(sender.max_frame_bytes);
      t = after_first <= 0 ? from
                           : later(from, sender.rate.time_of(static_cast<std::uint64_t>(
                                             std::min<std::int64_t>(after_first, 1'000'000))));
    }
    if (more_packets < never / 1000) {
      const auto after_first = more_packets - 1;
      t = std::min(t, after_first <= 0 ? from
                                       : later(from, sender.rate.time_of(std::min<std::uint64_t>(
                                                         static_cast<std::uint64_t>(after_first)
                                                             * (sender.overhead_bytes + 1),
                                                         1'000'000))));
    }
    return t;
  };
  sim_time t = reaches(stop_bytes - bytes, stop_packets - packets);
  for (std::size_t i = 0; i < count; ++i) {
    const auto k = known(i);
    if (t <= k.at)
      return t;  // before anything else has left; at a tie the arrival comes first
    bytes -= k.bytes;
    --packets;
    t = std::max(k.at, reaches(stop_bytes - bytes, stop_packets - packets));
  }
  return t;
}

}  // namespace sluice
