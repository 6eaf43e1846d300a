#include "metrics/exposition.hpp"

#include <fmt/format.h>
#include <prometheus/exposer.h>
#include <prometheus/text_serializer.h>

#include <charconv>
#include <stdexcept>
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

void latest_results::publish(run_results results) {
  // Swapped, not assigned: the older results are freed by `next`, after the lock.
  auto next = std::make_shared<const run_results>(std::move(results));
  const std::scoped_lock lock{mutex_};
  results_.swap(next);
}

std::vector<prometheus::MetricFamily> latest_results::Collect() const {
  const auto results = [this] {
    const std::scoped_lock lock{mutex_};
    return results_;
  }();
  return results ? metric_families(*results) : std::vector<prometheus::MetricFamily>{};
}

serve_address parse_serve_address(std::string_view text) {
  const auto wrong = [&](std::string_view why) {
    return std::invalid_argument(
        fmt::format("'{}' is not an address to serve metrics at: {}; write ADDR:PORT, for example "
                    "127.0.0.1:9464 or 0.0.0.0:9464",
                    text, why));
  };
  serve_address out;
  std::string_view host, port = text;
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == std::string_view::npos)
      throw wrong("the bracket is not closed");
    host = text.substr(0, end + 1);
    port = text.substr(end + 1);
    if (!port.empty() && port.front() != ':')
      throw wrong("after the bracket comes a colon and the port");
    port.remove_prefix(port.empty() ? 0 : 1);
  } else if (const auto colon = text.rfind(':'); colon != std::string_view::npos) {
    if (text.find(':') != colon)
      throw wrong("an IPv6 address stands in brackets");
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
    if (port.empty())
      throw wrong("the port is missing");
  } else if (text.find_first_not_of("0123456789") != std::string_view::npos) {
    host = text;
    port = {};
  }
  if (!host.empty())
    out.host = host;
  if (!port.empty()) {
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), out.port);
    if (error != std::errc{} || end != port.data() + port.size())
      throw wrong("a port is a number from 0 to 65535");
  }
  return out;
}

metrics_server::metrics_server(const serve_address& where,
                               const std::shared_ptr<latest_results>& source) {
  // civetweb, which listens for prometheus-cpp, takes no names.
  const std::string host = where.host == "localhost" ? "127.0.0.1" : where.host;
  try {
    exposer_ = std::make_unique<prometheus::Exposer>(fmt::format("{}:{}", host, where.port));
  } catch (const std::exception&) {
    throw std::runtime_error(fmt::format(
        "cannot serve metrics at {}:{}: the address is not this machine's, or the port is taken; "
        "choose another with --serve=ADDR:PORT (port 0: any free one)",
        where.host, where.port));
  }
  exposer_->RegisterCollectable(source);
  url_ = fmt::format("http://{}:{}/metrics", host, exposer_->GetListeningPorts().front());
}

metrics_server::~metrics_server() = default;

}  // namespace sluice
