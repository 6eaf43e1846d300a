/// \file
/// The metrics of a run for Prometheus: as text for `metrics.prom`, and over HTTP for `--serve`.
///
/// Threading: components publish snapshots; a publisher hands the gathered results to
/// `latest_results`, and scrapes read the last ones handed over. The mutex guards a pointer, and
/// no thread that moves packets ever takes it.
#pragma once

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "metrics/results.hpp"

namespace prometheus {
class Exposer;
}

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

/// The most recent snapshot of a run, for scrapes at any time and from any thread.
class latest_results : public prometheus::Collectable {
public:
  void publish(run_results results);
  /// Nothing before the first publish.
  std::vector<prometheus::MetricFamily> Collect() const override;

private:
  mutable std::mutex mutex_;
  std::shared_ptr<const run_results> results_;
};

/// Where `--serve` listens.
struct serve_address {
  std::string host = "127.0.0.1";
  std::uint16_t port = 9464;  ///< 0: any free port
};

/// Reads "ADDR:PORT", "ADDR", ":PORT" or "PORT"; an IPv6 address stands in brackets. Throws
/// std::invalid_argument that says what is wrong and what would be right.
serve_address parse_serve_address(std::string_view text);

/// Serves `source` at http://ADDR:PORT/metrics until destroyed.
class metrics_server {
public:
  /// Throws std::runtime_error when it cannot listen there.
  metrics_server(const serve_address& where, const std::shared_ptr<latest_results>& source);
  ~metrics_server();

  /// "http://127.0.0.1:9464/metrics", with the port that was really taken.
  const std::string& url() const { return url_; }

private:
  std::unique_ptr<prometheus::Exposer> exposer_;
  std::string url_;
};

}  // namespace sluice
