#include "metrics/exposition.hpp"

#include <prometheus/text_serializer.h>

#include <utility>

#include "metrics/catalogue.hpp"
#include "metrics/text.hpp"

namespace sluice {

std::span<const sim_time> latency_bounds() {
  static const auto all = [] {
    std::vector<sim_time> bounds;
    for (sim_time decade = 100 * nanosecond; decade <= second; decade *= 10)
      for (const sim_time step : {1, 2, 5})
        bounds.push_back(step * decade);
    bounds.push_back(10 * second);
    return bounds;
  }();
  return all;
}

namespace {

prometheus::ClientMetric::Histogram as_prometheus(const latency_histogram& latency) {
  prometheus::ClientMetric::Histogram out;
  out.sample_count = latency.count();
  out.sample_sum = latency.sum_seconds();
  for (const auto bound : latency_bounds())
    out.bucket.push_back({latency.count_at_most(bound), seconds_of(bound)});
  return out;
}

prometheus::MetricType type_of(metric_type type) {
  switch (type) {
    case metric_type::counter:
      return prometheus::MetricType::Counter;
    case metric_type::gauge:
      return prometheus::MetricType::Gauge;
    case metric_type::histogram:
      return prometheus::MetricType::Histogram;
  }
  return prometheus::MetricType::Untyped;
}

}  // namespace

std::vector<prometheus::MetricFamily> metric_families(const run_results& run) {
  std::vector<prometheus::MetricFamily> families;
  for (const auto& definition : metric_catalogue()) {
    auto series = definition.read(run);
    if (series.empty())
      continue;
    prometheus::MetricFamily family;
    family.name = definition.name;
    family.help = definition.help;
    family.type = type_of(definition.type);
    family.metric.reserve(series.size());
    for (auto& s : series) {
      prometheus::ClientMetric metric;
      for (const auto& label : s.labels)
        metric.label.push_back({std::string{label.name}, std::string{label.value}});
      switch (definition.type) {
        case metric_type::counter:
          metric.counter.value = s.value;
          break;
        case metric_type::gauge:
          metric.gauge.value = s.value;
          break;
        case metric_type::histogram:
          metric.histogram = as_prometheus(*s.distribution);
          break;
      }
      family.metric.push_back(std::move(metric));
    }
    families.push_back(std::move(family));
  }
  return families;
}

std::string metrics_text(const run_results& run) {
  const prometheus::TextSerializer serializer;
  const prometheus::Serializer& to_string = serializer;
  return to_string.Serialize(metric_families(run));
}

}  // namespace sluice
