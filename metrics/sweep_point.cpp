#include "metrics/sweep_point.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "metrics/summary.hpp"
#include "metrics/text.hpp"

namespace sluice {

namespace {

using nlohmann::json;

constexpr std::size_t most_places = 20;  // where packets were lost

json totals_of(const flow_result& flow, const run_results& run) {
  auto out = flow_json(flow, run);
  out.erase("blocked_by");
  if (flow.delivered.packets == 0)
    out["latency_ns"] = nullptr;
  return out;
}

json lost_at(const run_results& run) {
  std::vector<std::pair<std::uint64_t, std::string_view>> places;
  for (const auto& c : run.components)
    if (const auto lost = c.counters.dropped_total().packets; lost != 0)
      places.emplace_back(lost, c.name);
  std::ranges::stable_sort(places, std::greater{}, [](const auto& p) { return p.first; });
  auto out = json::array();
  for (std::size_t i = 0; i < std::min(most_places, places.size()); ++i)
    out.push_back({{"component", places[i].second}, {"packets", places[i].first}});
  return out;
}

}  // namespace

std::string_view unit_name(expectation::number_unit unit) {
  using enum expectation::number_unit;
  switch (unit) {
    case seconds:
      return "s";
    case bytes:
      return "B";
    case bits_per_second:
      return "bit/s";
    case ratio:
      return "ratio";
    case plain:
      break;
  }
  return {};
}

json sweep_point_json(const run_results& run, std::span<const expectation_result> expectations,
                      std::span<const expectation_result> metrics, std::size_t flows) {
  flow_result whole;
  whole.made = run.made;
  whole.delivered = run.delivered;
  whole.dropped = run.dropped;
  whole.completed = run.last_delivery;
  for (const auto& f : run.flows) {
    whole.latency.merge(f.latency);
    whole.marked += f.marked;
    whole.reordered += f.reordered;
  }
  auto out = totals_of(whole, run);
  out["seed"] = run.seed;
  out["fingerprint"] = hex16(run.fingerprint);
  out["virtual_seconds"] = seconds_of(run.virtual_time);
  out["bytes"] = {{"made", run.made.bytes},
                  {"delivered", run.delivered.bytes},
                  {"dropped", run.dropped.bytes},
                  {"held", run.held.bytes}};
  auto by_flow = json::object();
  for (std::size_t i = 0; i < std::min(flows, run.flows.size()); ++i)
    by_flow[run.flows[i].name] = totals_of(run.flows[i], run);
  out["flows"] = std::move(by_flow);

  std::uint64_t stops = 0, frames = 0;
  sim_time paused = 0;
  for (const auto& p : run.pauses) {
    stops += p.sent;
    paused += p.paused;
  }
  for (const auto& f : run.pause_frames)
    frames += f.credits ? 0 : f.sent.frames;
  out["stops"] = stops;
  out["paused_seconds"] = seconds_of(paused);
  out["pause_frames"] = frames;
  out["drops"] = lost_at(run);
  if (run.deadlock)
    out["deadlock"] = deadlock_text(*run.deadlock);

  out["expect"] = expect_json(expectations);
  auto values = json::array();
  for (const auto& m : metrics)
    values.push_back({{"text", m.text},
                      {"unit", unit_name(m.unit)},
                      {"measured", m.measured ? json(*m.measured) : json{}}});
  out["metrics"] = std::move(values);
  return out;
}

}  // namespace sluice
