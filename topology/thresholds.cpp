#include "topology/thresholds.hpp"

#include <algorithm>
#include <bit>

#include "actors/logic/ib_credits.hpp"
#include "actors/logic/pfc_headroom.hpp"

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

hop_policy policy_of(const link& l, const node& a, const node& b) {
  if (l.flow_control)
    return *l.flow_control;
  return a.flow_control.fabric == b.flow_control.fabric ? a.flow_control.fabric : hop_policy::none;
}

std::uint8_t stoppable_priorities(const link& l, const node& a, const node& b) {
  switch (policy_of(l, a, b)) {
    case hop_policy::on_off:
      return 0xff;
    case hop_policy::pfc:
      return a.flow_control.pfc.priorities & b.flow_control.pfc.priorities;
    case hop_policy::ib_credit:
      return ib_lanes(a.flow_control.ib, b.flow_control.ib);
    case hop_policy::none:
    case hop_policy::s_pfc:
    case hop_policy::pcie_credit:
    case hop_policy::credit_list:
      return 0;  // the latter are for no link
  }
  return 0;
}

std::vector<shared_buffer::account_config> shared_accounts_for(
    const shared_memory_settings& settings, const pfc_settings& pfc, unsigned lossless,
    unsigned used, const hop_facts& hop, sim_time response) {
  std::vector<shared_buffer::account_config> accounts(max_priorities);
  for (unsigned p = 0; p < max_priorities; ++p) {
    auto& a = accounts[p];
    a.shift = static_cast<std::uint8_t>(settings.shift);
    a.xon_offset = settings.xon_offset_bytes;
    if ((used >> p & 1) == 0) {
      a.lossless = true;  // nothing comes, and nothing is lost
      continue;
    }
    a.reserve = settings.reserve_bytes;
    a.lossless = (lossless >> p & 1) != 0;
    if (!a.lossless)
      continue;
    a.headroom = pfc.headroom.value_or(pfc_headroom_for(hop, response));
    if (pfc.xoff) {
      a.xoff = *pfc.xoff;
      a.xon_offset = *pfc.xoff - pfc.xon.value_or(*pfc.xoff - *pfc.xoff / 4);
    }
  }
  return accounts;
}

std::uint8_t ib_lanes(const ib_settings& a, const ib_settings& b) {
  unsigned lanes = 0xff;
  for (const auto& x : {a, b})
    if (x.management >= 0)
      lanes &= ~(1u << x.management);
  return static_cast<std::uint8_t>(lanes);
}

sim_time ib_update(const ib_settings& settings, std::int64_t room, std::uint64_t bps) {
  const auto lasts = line_rate{bps}.time_of(static_cast<std::uint64_t>(room));
  return settings.update.value_or(std::clamp(lasts / 4, 100 * nanosecond, ib_refresh(bps)));
}

sim_time ib_refresh(std::uint64_t bps) {
  constexpr std::uint64_t symbols = 65'536;  // of a byte each
  return line_rate{bps}.time_of(symbols);
}

class_gates::config ib_gates_for(std::int64_t capacity, const ib_settings& settings, unsigned lanes,
                                 bool management, std::uint32_t largest_frame) {
  class_gates::config c;
  const auto n = std::popcount(lanes);
  const auto share = capacity / std::max(1, n + (management ? 1 : 0));
  // More than half of what the counters hold could not be told from less than nothing.
  const auto most = std::int64_t{ib_most_credits} * ib_block_bytes;
  auto room = std::min({settings.credits.value_or(share), capacity / std::max(1, n), most});
  room -= room % ib_block_bytes;
  room = std::max(room, std::int64_t{ib_blocks(largest_frame)} * ib_block_bytes);
  buffer_gate::config part;
  part.stops = true;
  part.capacity = {room};
  part.stop = {1};
  part.start = {0};
  for (unsigned lane = 0; lane < max_priorities; ++lane)
    if ((lanes >> lane & 1) != 0)
      c.add(lane, part);
  c.shared.capacity = {capacity - n * room};
  return c;
}

sim_time pfc_refresh(const pfc_settings& settings, std::uint64_t bps) {
  const auto lasts = quanta_time(settings.quanta, bps);
  return std::max<sim_time>(1, settings.refresh.value_or(lasts / 2));
}

sim_time pfc_response(const pfc_settings& settings, std::uint64_t bps) {
  return settings.response.value_or(
      quanta_time(static_cast<std::uint16_t>(pause_response_quanta(bps)), bps));
}

std::int64_t pfc_headroom_for(const hop_facts& hop, sim_time response) {
  constexpr std::uint32_t fcs_bytes = 4;
  const auto bps = hop.rate.bps();
  const pfc_link link{bps, std::max(hop.latency_down, hop.latency_up),
                      hop.max_frame_bytes + fcs_bytes, quanta_for(response, bps)};
  return pfc_headroom(link) + hop.max_frame_bytes;
}

class_gates::config pfc_gates_for(std::int64_t capacity, const pfc_settings& settings, bool lossy,
                                  const hop_facts& hop, sim_time response) {
  class_gates::config c;
  const auto classes = std::popcount(settings.priorities);
  if (classes == 0) {
    c.shared.capacity = {capacity};
    return c;
  }
  const auto headroom = settings.headroom.value_or(pfc_headroom_for(hop, response));
  const auto share = capacity / (classes + (lossy ? 1 : 0));
  const auto xoff =
      std::max<std::int64_t>(1, settings.xoff.value_or(std::max(share - headroom, share / 4)));
  buffer_gate::config part;
  part.stops = true;
  part.stop = {xoff};
  part.start = {std::min(xoff - 1, settings.xon.value_or(xoff - xoff / 4))};
  part.capacity = {std::min(xoff + headroom, capacity / classes)};
  for (unsigned p = 0; p < max_priorities; ++p)
    if ((settings.priorities >> p & 1) != 0)
      c.add(p, part);
  c.shared.capacity = {capacity - classes * part.capacity.bytes};
  return c;
}

buffer_limit as_limit(const queue_limit& limit) {
  if (limit.in == queue_limit::unit::bytes)
    return {limit.amount, buffer_limit::unlimited};
  return {buffer_limit::unlimited, limit.amount};
}

sim_time least_look(const elastic_fifo_settings& settings) {
  return 2 * std::max<sim_time>(1, settings.stage) + 1;
}

buffer_limit share_of(buffer_limit whole, int parts) {
  const auto share = [&](std::int64_t limit) {
    return limit == buffer_limit::unlimited ? limit : std::max<std::int64_t>(1, limit / parts);
  };
  return {share(whole.bytes), share(whole.packets)};
}

namespace {

using unit = queue_limit::unit;

/// Sets stop and start in one unit, if the queue is limited in it: as `own` says, else to
/// `usual_stop` and to what `usual_start` makes of the stop. A stop above `latest` is of no use.
template <class UsualStart>
void choose(const on_off_settings& own, unit in, std::int64_t latest, std::int64_t usual_stop,
            UsualStart usual_start, std::int64_t& stop, std::int64_t& start) {
  const auto set = [&](const std::optional<queue_limit>& limit) {
    return limit && limit->in == in;
  };
  stop = set(own.stop) && own.stop->amount > 0 ? std::min(own.stop->amount, latest) : usual_stop;
  start = set(own.start) ? std::min(own.start->amount, stop - 1) : usual_start(stop);
}

}  // namespace

room::config room_for(buffer_limit capacity, hop_policy policy, const on_off_settings& settings,
                      std::uint32_t largest_frame) {
  room::config c;
  c.checked = policy != hop_policy::none;
  const auto fill = [&](std::int64_t full, std::int64_t last, unit in, std::int64_t& stop,
                        std::int64_t& start) {
    if (full == buffer_limit::unlimited)
      return;
    const auto latest = std::max<std::int64_t>(1, full - last + 1);
    choose(
        settings, in, latest, latest, [](auto at) { return at - 1; }, stop, start);
  };
  fill(capacity.bytes, largest_frame, unit::bytes, c.stop.bytes, c.start.bytes);
  fill(capacity.packets, 1, unit::packets, c.stop.packets, c.start.packets);
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
  const auto fill = [&](std::int64_t full, std::int64_t room, unit in, std::int64_t& stop,
                        std::int64_t& start) {
    if (full != buffer_limit::unlimited)
      choose(
          settings, in, full, stop_of(full, room), [](auto at) { return at / 2; }, stop, start);
  };
  fill(capacity.bytes, headroom.bytes, unit::bytes, c.stop.bytes, c.start.bytes);
  fill(capacity.packets, headroom.packets, unit::packets, c.stop.packets, c.start.packets);
  return c;
}

sim_time shortages_end(const scenario& s) {
  return s.duration < never ? s.duration : second;
}

std::int64_t shortages_of(const scenario& s, const host_settings& host) {
  const auto drawn = std::count_if(host.vms.begin(), host.vms.end(), [&](const vm_settings& vm) {
    return vm.short_ppm.value_or(host.vswitch.short_ppm) != 0;
  });
  return drawn * (shortages_end(s) / host.vswitch.short_for + 1);
}

}  // namespace sluice
