/// \file
/// The metrics of a run over time (`metrics.jsonl`, see history.hpp) as OpenMetrics text 1.0, for
/// `promtool tsdb create-blocks-from openmetrics`.
///
/// Prometheus knows milliseconds and counts in days; a run lasts milliseconds of virtual time. So
/// each sample gets the time of a scrape, one `interval` after the one before. Rates per second of
/// virtual time, as the dashboards ask for them, are quotients of two rates and stay what they are.
///
/// The file is outside bytes: it is read a line at a time, in memory that does not depend on how
/// long it is, and nothing in it is believed. Source: OpenMetrics 1.0
/// (github.com/prometheus/OpenMetrics).
#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <stdexcept>
#include <string>
#include <string_view>

namespace sluice {

struct openmetrics_options {
  /// Of the first sample, in milliseconds since 1970; with `ends` of the last one.
  std::int64_t time_ms = 0;
  bool ends = false;
  std::int64_t interval_ms = 1'000;  ///< from sample to sample
  std::string job = "sluice";        ///< as in metrics/prometheus/prometheus.yml
  std::string instance;              ///< which run it is
};

/// What is wrong with a history, and in which line.
struct history_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// What was written.
struct openmetrics_totals {
  std::uint64_t samples = 0;  ///< of each series
  std::uint64_t series = 0;   ///< lines of the history; a histogram is one
  std::int64_t first_ms = 0, last_ms = 0;
};

/// Hands over the text piece by piece, "# EOF" last and only if the history is whole.
/// \throws history_error
openmetrics_totals write_openmetrics(std::istream& history, const openmetrics_options& options,
                                     const std::function<void(std::string_view)>& write);

/// The times as Prometheus and `date` write them: 2026-11-22T03:00:00Z.
std::string utc_time(std::int64_t ms);
/// Milliseconds since 1970 of such a time, or of seconds since then ("1700000000.5").
/// \throws std::invalid_argument
std::int64_t parse_utc_time(std::string_view text);

}  // namespace sluice
