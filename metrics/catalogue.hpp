/// \file
/// Every metric that Sluice knows: name, type, unit, labels, meaning and how to read it from a run.
/// The one table behind /metrics, metrics.prom, the names in `expect:` and docs/metrics.md (a test
/// compares them).
///
/// Names follow Prometheus' conventions: base units, the unit before `_total`, counters end in
/// `_total`. Flow totals, component totals and hop totals are separate families, so that a sum
/// over all series of a family always means something.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "metrics/results.hpp"

namespace sluice {

enum class metric_type : std::uint8_t { counter, gauge, histogram };
enum class metric_unit : std::uint8_t { packets, bytes, seconds, bytes_per_second, count };

/// The value points into the results, or is as long-lived as the program.
struct metric_label {
  std::string_view name, value;
};

/// The labels of a series, in place: a network has thousands of series, and who samples a run reads
/// them hundreds of times.
class metric_labels {
public:
  static constexpr std::size_t most = 5;

  metric_labels(std::initializer_list<metric_label> labels) : size_{labels.size()} {
    std::ranges::copy(labels, labels_.begin());
  }

  const metric_label* begin() const { return labels_.data(); }
  const metric_label* end() const { return labels_.data() + size_; }
  std::size_t size() const { return size_; }

private:
  std::array<metric_label, most> labels_{};
  std::size_t size_;
};

/// One line of a family: its labels and its value, or its distribution (histograms). Valid as long
/// as the results that it was read from.
struct metric_series {
  metric_labels labels;
  double value = 0;
  const latency_histogram* distribution = nullptr;  ///< points into the results
  /// Values of labels that are in no results.
  std::shared_ptr<const std::vector<std::string>> texts = {};
};

struct metric_definition {
  enum class combine : std::uint8_t { sum, largest };  ///< what several series together mean
  /// What a percentage in an expectation is a share of.
  enum class share : std::uint8_t { none, made_packets, made_bytes, virtual_time };

  std::string_view name;  ///< as in /metrics
  metric_type type = metric_type::gauge;
  metric_unit unit = metric_unit::count;
  std::vector<std::string_view> labels;
  std::string_view help;
  std::vector<metric_series> (*read)(const run_results&) = nullptr;
  combine together = combine::sum;
  share of = share::none;
  std::vector<std::string_view> aliases = {};  ///< further names in `expect:`
};

const std::vector<metric_definition>& metric_catalogue();

/// The names by which an expectation may call it: without the prefix; without `_total`; without
/// the unit.
std::vector<std::string> expect_names(const metric_definition& metric);

}  // namespace sluice
