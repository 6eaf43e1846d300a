#include "topology/thresholds.hpp"

#include <algorithm>

namespace sluice {

namespace {

constexpr std::int64_t smallest_frame_bytes = 60;

std::int64_t stop_of(std::int64_t capacity, std::int64_t headroom) {
  return std::max({capacity - headroom, capacity / 4, std::int64_t{1}});
}

}  // namespace

buffer_limit headroom_for(const hop_facts& hop) {
  // Frames may lie as densely as their line overhead lets them.
  __extension__ typedef unsigned __int128 wide;  // 100 Tbit/s for a minute is beyond 64 bits
  const auto round_trip = static_cast<wide>(hop.latency_down) + static_cast<wide>(hop.latency_up);
  constexpr auto most = static_cast<wide>(INT64_MAX / 2);
  const auto line_bytes = static_cast<std::int64_t>(
      std::min(most, round_trip * hop.rate.bps() / (8 * static_cast<wide>(second))));
  return {line_bytes + 3 * static_cast<std::int64_t>(hop.max_frame_bytes),
          line_bytes / (smallest_frame_bytes + hop.overhead_bytes) + 4};
}

buffer_limit as_limit(const queue_limit& limit) {
  if (limit.in == queue_limit::unit::bytes)
    return {limit.amount, buffer_limit::unlimited};
  return {buffer_limit::unlimited, limit.amount};
}

namespace {

std::int64_t own_threshold(const std::optional<queue_limit>& set, queue_limit::unit unit) {
  return set && set->in == unit ? set->amount : std::int64_t{-1};
}

}  // namespace

room::config room_for(buffer_limit capacity, hop_policy policy, const on_off_settings& settings,
                      std::uint32_t max_frame_bytes) {
  room::config c;
  c.checked = policy != hop_policy::none;
  const auto fill = [&](std::int64_t full, std::int64_t last, queue_limit::unit unit,
                        std::int64_t& stop, std::int64_t& start) {
    if (full == buffer_limit::unlimited)
      return;
    const auto own_stop = own_threshold(settings.stop, unit);
    const auto own_start = own_threshold(settings.start, unit);
    const auto latest = std::max<std::int64_t>(1, full - last + 1);
    stop = own_stop > 0 ? std::min(own_stop, latest) : latest;
    start = own_start >= 0 ? std::min(own_start, stop - 1) : stop - 1;
  };
  fill(capacity.bytes, max_frame_bytes, queue_limit::unit::bytes, c.stop.bytes, c.start.bytes);
  fill(capacity.packets, 1, queue_limit::unit::packets, c.stop.packets, c.start.packets);
  return c;
}

buffer_gate::config gate_for(buffer_limit capacity, hop_policy policy,
                             const on_off_settings& settings, const hop_facts& hop) {
  buffer_gate::config c;
  c.capacity = capacity;
  if (policy == hop_policy::none)
    return c;
  c.stops = true;
  const auto headroom = headroom_for(hop);
  const auto fill = [&](std::int64_t full, std::int64_t room, queue_limit::unit unit,
                        std::int64_t& stop, std::int64_t& start) {
    if (full == buffer_limit::unlimited)
      return;
    const auto own_stop = own_threshold(settings.stop, unit);
    const auto own_start = own_threshold(settings.start, unit);
    stop = own_stop > 0 ? std::min(own_stop, full) : stop_of(full, room);
    start = own_start >= 0 ? std::min(own_start, stop - 1) : stop / 2;
  };
  fill(capacity.bytes, headroom.bytes, queue_limit::unit::bytes, c.stop.bytes, c.start.bytes);
  fill(capacity.packets, headroom.packets, queue_limit::unit::packets, c.stop.packets,
       c.start.packets);
  return c;
}

}  // namespace sluice
