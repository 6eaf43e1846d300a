/// \file
/// The summary of a run: one JSON object for programs (its shape is a contract, SCENARIO.md), text
/// for people, and several runs side by side.
#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>

#include "metrics/expect.hpp"
#include "metrics/results.hpp"
#include "metrics/version.hpp"

namespace sluice {

/// The exit code of a run with these results, as in SCENARIO.md.
int exit_code_of(const run_results& run, std::span<const expectation_result> expectations);

/// The summary object. Times of a flow's latency are whole nanoseconds. A component's `in` counts
/// what was made in it, and its `out` what was consumed in it, so that for each component
/// in = out + dropped + held. A stop that covers all priorities has `priority` -1. A measured value
/// that does not exist (no packet, no latency) is null.
nlohmann::json summary_json(const run_results& run,
                            std::span<const expectation_result> expectations,
                            std::string_view version = sluice_version);

/// The parts of it that are about one flow, and about expectations.
nlohmann::json flow_json(const flow_result& flow, const run_results& run);
nlohmann::json expect_json(std::span<const expectation_result> expectations);

/// The summary for people, at most 100 columns wide. Long tables are cut to their most telling
/// rows; the JSON object has them all.
std::string summary_text(const run_results& run, std::span<const expectation_result> expectations);

struct named_run {
  std::string_view name;  ///< the column's heading
  const run_results* results = nullptr;
};

/// Runs in columns: what was lost and where, latencies, stops, fingerprints, speed.
std::string comparison_text(std::span<const named_run> runs);

}  // namespace sluice
