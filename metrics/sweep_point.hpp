/// \file
/// What is kept of one run among many: its totals and those of each flow, as JSON.
///
/// The object has what `flow_json` has, for the whole run (latency over all flows) and below
/// `flows`; `bytes`; the sums of `stops`, `paused_seconds` and `pause_frames`; `drops` by
/// component; `expect` as in the summary, and `metrics`: `text`, `unit`, `measured`. Nothing in it
/// depends on the machine. Latencies of nothing are null.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <span>

#include "metrics/expect.hpp"
#include "metrics/results.hpp"

namespace sluice {

/// \param flows that have a line of their own, at most; the first of the scenario.
nlohmann::json sweep_point_json(const run_results& run,
                                std::span<const expectation_result> expectations,
                                std::span<const expectation_result> metrics, std::size_t flows);

/// "s", "B", "bit/s", "ratio", or empty.
std::string_view unit_name(expectation::number_unit unit);

}  // namespace sluice
