/// \file
/// The metrics of a run for Prometheus: the text of `metrics.prom`, which `--serve` offers too.
#pragma once

#include <prometheus/metric_family.h>

#include <span>
#include <string>
#include <vector>

#include "metrics/results.hpp"

namespace sluice {

/// The upper bounds of a latency's buckets: 1, 2 and 5 of each decade from 100 ns to 10 s. Fine
/// enough for histogram_quantile over a network's latencies, and few enough to keep for every flow.
/// Exact percentiles are in the summary.
std::span<const sim_time> latency_bounds();

/// All families of the catalogue that have a series in these results.
std::vector<prometheus::MetricFamily> metric_families(const run_results& run);

/// The same in Prometheus' text format 0.0.4, as `promtool check metrics` and the node exporter's
/// textfile collector read it.
std::string metrics_text(const run_results& run);

}  // namespace sluice
