/// \file
/// Evaluation of `expect:` lines against the results of a run.
///
/// A line names a metric of the catalogue without its prefix; `_total` and the unit may be left
/// out, and the number's unit then decides (`delivered == 100%`: share of what was made;
/// `delivered >= 1MB`: bytes; `delivered == 500`: packets). Series that match all labels are taken
/// together: counts and times are added, largest occupancies compared, latencies merged. A label's
/// value may hold `*`. With `max`, `min` or `mean`, series are looked at one by one.
///
/// `no-deadlock: 5ms` holds when, at the end of the run, nothing is held or something was consumed
/// within the last 5 ms (the default when no time is given).
///
/// A line that cannot be evaluated (unknown metric, label, value of a label, unit) never holds; its
/// result says why and, where there is one, what was probably meant.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "metrics/expectation.hpp"
#include "metrics/results.hpp"

namespace sluice {

struct expectation_result {
  std::string text;  ///< as written
  source_mark where;
  std::optional<double>
      measured;  ///< in the base unit of `unit`; none when there is nothing to see
  expectation::number_unit unit = expectation::number_unit::plain;
  bool ok = false;
  bool invalid = false;  ///< the line itself is wrong: `note` says how
  std::string note;
};

/// What is wrong with a line that can be known without a run; empty when nothing is. For the
/// loader's diagnostics and for `check`.
std::string problem_of(const expectation& line);

expectation_result evaluate(const expectation& line, const run_results& run);
std::vector<expectation_result> evaluate(std::span<const expectation> lines,
                                         const run_results& run);

/// Everything that may stand before the braces, shortest names first for each metric.
std::vector<std::string> known_metric_names();

/// The measured value with a unit, for people: "420 us", "99.98%", "1,234".
std::string measured_text(const expectation_result& result);

}  // namespace sluice
