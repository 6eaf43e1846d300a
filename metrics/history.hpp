/// \file
/// All metrics of the catalogue at many points of a run: what a Prometheus would have scraped, had
/// it been able to look at fixed points of virtual time.
///
/// Kept as columns, one for each series, over the virtual times of the samples. A figure that was 0
/// takes no room until it changes, and none after it has changed for the last time. What has no
/// series yet (losses before the first one) is 0: so it is counted from the begin of the run on.
///
/// As a file, `metrics.jsonl`: a JSON object in each line, so that it can be read in bounded memory
/// and nobody takes half of it for the whole. Its shape is in docs/observability.md;
/// `openmetrics.hpp` reads it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "metrics/catalogue.hpp"
#include "metrics/version.hpp"
#include "traffic/units.hpp"

namespace sluice {

struct run_results;

struct metric_history {
  /// 0 before the sample with the number `first`; beyond the last value that one still holds.
  struct column {
    std::size_t first = 0;
    std::vector<double> values;
  };
  struct label {
    std::string_view name;
    std::string value;
  };
  struct series {
    std::vector<label> labels;
    /// One; of a histogram one for each of `latency_bounds()`, the count, and the sum in seconds.
    std::vector<column> columns;
  };
  struct family {
    const metric_definition* metric = nullptr;
    std::vector<series> lines;
  };

  sim_time interval = 0;
  std::vector<sim_time> times;   ///< the first is 0, the last one the end of the run
  std::vector<family> families;  ///< those with a series, in the order of the catalogue
};

/// metrics.jsonl.
std::string history_text(const metric_history& history, const run_results& run,
                         std::string_view version = sluice_version);

/// Takes the samples, in bounded memory: when there are too many every second one goes, and the
/// interval doubles.
class history_recorder {
public:
  struct limits {
    std::size_t samples = 240;     ///< no more are kept...
    std::size_t values = 500'000;  ///< ...and no more of a sample times their number, if that is 20
    sim_time expected = 0;         ///< how long the run will be; 0: not known
  };

  /// \param interval of virtual time, > 0
  history_recorder(sim_time interval, limits most);

  /// The time of the next sample, at first 0.
  sim_time next() const { return next_; }
  /// Takes the sample of `next`: the results there.
  void sample(const run_results& now);
  /// Takes the last one and gives everything. Samples at the end or beyond are dropped: a run is
  /// over with its last delivery.
  metric_history finish(const run_results& done);

private:
  static constexpr std::size_t fewest_samples = 20;
  using series = metric_history::series;
  // Of each family of the catalogue: where a series with these labels stands.
  struct index {
    std::unordered_map<std::string, std::size_t> of;
    std::size_t indexed = 0;
  };

  void take(const run_results& now);
  series& find(std::size_t family, std::size_t expected, const metric_labels& labels);
  void put(metric_history::column& c, double value);
  template <class Visit>
  void each_column(Visit visit);
  void halve();
  void drop_from(std::size_t sample);

  limits most_;
  metric_history history_;
  std::vector<index> indices_;
  sim_time next_ = 0;
};

}  // namespace sluice
