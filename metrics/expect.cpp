#include "metrics/expect.hpp"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <variant>

#include "metrics/catalogue.hpp"
#include "metrics/text.hpp"

namespace sluice {

namespace {

using number_unit = expectation::number_unit;
using aggregate = expectation::aggregate;

constexpr std::string_view no_deadlock = "no-deadlock";
constexpr double no_deadlock_seconds = 5e-3;  // as documented in SCENARIO.md's example

struct problem {
  std::string text;
};

std::string did_you_mean(std::string_view word, std::span<const std::string> candidates) {
  const auto near = closest(word, candidates);
  return near.empty() ? std::string{} : fmt::format("; did you mean '{}'?", near);
}

template <typename Range>
std::string joined(const Range& words) {
  return fmt::format("{}", fmt::join(words, ", "));
}

bool has_labels(const metric_definition& metric, const expectation& line) {
  return std::ranges::all_of(line.labels, [&](const auto& label) {
    return std::ranges::find(metric.labels, label.name) != metric.labels.end();
  });
}

/// Whether the number's unit suits the metric. A bare 0 suits all: it needs no unit.
bool unit_suits(const metric_definition& metric, const expectation& line) {
  switch (line.unit) {
    case number_unit::plain:
      return line.number == 0 || metric.unit == metric_unit::packets
             || metric.unit == metric_unit::count;
    case number_unit::seconds:
      return metric.unit == metric_unit::seconds;
    case number_unit::bytes:
      return metric.unit == metric_unit::bytes;
    case number_unit::bits_per_second:
      return metric.unit == metric_unit::bytes_per_second;
    case number_unit::ratio:
      return metric.of != metric_definition::share::none;
  }
  return false;
}

std::string unit_advice(const metric_definition& metric) {
  const std::string share = metric.of == metric_definition::share::none ? "" : ", or a share as 1%";
  switch (metric.unit) {
    case metric_unit::seconds:
      return "is a time: write it with a unit, as 400us" + share;
    case metric_unit::bytes:
      return "is a size: write it with a unit, as 100KiB" + share;
    case metric_unit::bytes_per_second:
      return "is a rate: write it with a unit, as 1Gbit";
    case metric_unit::packets:
      return "is a number of packets: write it without a unit" + share;
    case metric_unit::count:
      return "is a count: write it without a unit";
  }
  return {};
}

std::string aggregate_problem(const metric_definition& metric, const expectation& line) {
  const bool percentile =
      line.of == aggregate::p50 || line.of == aggregate::p99 || line.of == aggregate::p999;
  if (metric.type == metric_type::histogram && line.of == aggregate::value)
    return fmt::format(
        "{} is a distribution: say which value, as '{} p99 < 400us' "
        "(p50, p99, p99.9, min, mean, max)",
        line.metric, line.metric);
  if (metric.type != metric_type::histogram && percentile)
    return fmt::format("{} is one number and has no percentiles: leave out p50, p99, p99.9",
                       line.metric);
  return {};
}

/// The metric that a line is about: of those with its name, the first that has its labels and
/// whose unit suits.
std::variant<const metric_definition*, problem> find_metric(const expectation& line) {
  std::vector<const metric_definition*> named, labelled;
  for (const auto& metric : metric_catalogue()) {
    const auto names = expect_names(metric);
    if (std::ranges::find(names, line.metric) != names.end())
      named.push_back(&metric);
  }
  if (named.empty())
    return problem{fmt::format("there is no metric '{}'{}", line.metric,
                               did_you_mean(line.metric, known_metric_names()))};

  for (const auto* metric : named)
    if (has_labels(*metric, line))
      labelled.push_back(metric);
  if (labelled.empty()) {
    std::vector<std::string> known;
    for (const auto* metric : named)
      for (const auto label : metric->labels)
        if (std::ranges::find(known, label) == known.end())
          known.emplace_back(label);
    for (const auto& label : line.labels)
      if (std::ranges::find(known, label.name) == known.end())
        return problem{known.empty() ? fmt::format("{} has no labels", line.metric)
                                     : fmt::format("{} has no label '{}', it has {}{}", line.metric,
                                                   label.name, joined(known),
                                                   did_you_mean(label.name, known))};
    return problem{fmt::format(
        "{} is counted by ({}), not by all of the labels given together", line.metric, [&] {
          std::vector<std::string> sets;
          for (const auto* metric : named)
            if (auto set = joined(metric->labels); std::ranges::find(sets, set) == sets.end())
              sets.push_back(std::move(set));
          return fmt::format("{}", fmt::join(sets, ") or by ("));
        }())};
  }

  for (const auto* metric : labelled)
    if (unit_suits(*metric, line)) {
      if (auto text = aggregate_problem(*metric, line); !text.empty())
        return problem{std::move(text)};
      return metric;
    }
  return problem{fmt::format("{} {}", line.metric, unit_advice(*labelled.front()))};
}

bool matches(const metric_series& series, std::span<const expectation::label> labels) {
  return std::ranges::all_of(labels, [&](const auto& wanted) {
    return std::ranges::any_of(series.labels, [&](const auto& has) {
      return has.name == wanted.name
             && fnmatch(wanted.value.c_str(), std::string{has.value}.c_str(), 0) == 0;
    });
  });
}

/// All values that a label can have in this run. Wider than the series at hand: a component that
/// dropped nothing has no drop series, and asking for its drops is no mistake.
std::vector<std::string> values_of(std::string_view label, const run_results& run,
                                   std::span<const metric_series> series) {
  std::set<std::string> values;
  for (const auto& s : series)
    for (const auto& l : s.labels)
      if (l.name == label)
        values.emplace(l.value);
  for (const auto& c : run.components) {
    if (label == "component" || label == "on")
      values.insert(c.name);
    else if (label == "node" && !c.node.empty())
      values.insert(c.node);
  }
  if (label == "reason")
    for (std::size_t r = 0; r < drop_reasons; ++r)
      values.emplace(name_of(static_cast<drop_reason>(r)));
  if (label == "priority")
    for (unsigned p = 0; p < max_priorities; ++p)
      values.insert(std::to_string(p));
  return {values.begin(), values.end()};
}

std::string label_problem(const expectation& line, const run_results& run,
                          std::span<const metric_series> series) {
  for (const auto& label : line.labels) {
    const auto values = values_of(label.name, run, series);
    const bool known = std::ranges::any_of(values, [&](const auto& value) {
      return fnmatch(label.value.c_str(), value.c_str(), 0) == 0;
    });
    if (!known)
      return fmt::format("no {} '{}' in this run{}", label.name, label.value,
                         did_you_mean(label.value, values));
  }
  return {};
}

/// One value of the series that matched, in the metric's own unit.
double taken_together(const metric_definition& metric, aggregate how,
                      std::span<const metric_series> series) {
  double sum = 0, largest = 0, smallest = INFINITY;
  for (const auto& s : series) {
    sum += s.value;
    largest = std::max(largest, s.value);
    smallest = std::min(smallest, s.value);
  }
  switch (how) {
    case aggregate::max:
      return largest;
    case aggregate::min:
      return series.empty() ? 0 : smallest;
    case aggregate::mean:
      return series.empty() ? 0 : sum / static_cast<double>(series.size());
    default:
      return metric.together == metric_definition::combine::largest ? largest : sum;
  }
}

std::optional<double> of_distribution(aggregate how, std::span<const metric_series> series) {
  latency_histogram merged;
  for (const auto& s : series)
    merged.merge(*s.distribution);
  if (merged.count() == 0)
    return std::nullopt;
  const auto seconds = [](auto ps) {
    return static_cast<double>(ps) / static_cast<double>(second);
  };
  switch (how) {
    case aggregate::p50:
      return seconds(merged.quantile(0.5));
    case aggregate::p99:
      return seconds(merged.quantile(0.99));
    case aggregate::p999:
      return seconds(merged.quantile(0.999));
    case aggregate::min:
      return seconds(merged.min());
    case aggregate::max:
      return seconds(merged.max());
    default:
      return seconds(merged.mean());
  }
}

/// What a percentage is a share of. Flow totals compare with what the same flows made.
double whole_of(const metric_definition& metric, const expectation& line, const run_results& run) {
  using share = metric_definition::share;
  if (metric.of == share::virtual_time)
    return seconds_of(run.virtual_time);
  const bool by_flow = metric.labels == std::vector<std::string_view>{"flow"};
  double whole = 0;
  for (const auto& flow : run.flows)
    if (!by_flow || matches({{{"flow", flow.name}}}, line.labels))
      whole +=
          static_cast<double>(metric.of == share::made_bytes ? flow.made.bytes : flow.made.packets);
  return whole;
}

bool holds(double measured, expectation::op compare, double number) {
  switch (compare) {
    case expectation::op::eq:
      return measured == number;
    case expectation::op::ne:
      return measured != number;
    case expectation::op::lt:
      return measured < number;
    case expectation::op::le:
      return measured <= number;
    case expectation::op::gt:
      return measured > number;
    case expectation::op::ge:
      return measured >= number;
  }
  return false;
}

expectation_result& refuse(expectation_result& result, std::string why) {
  result.invalid = true;
  result.note = std::move(why);
  return result;
}

expectation_result no_deadlock_result(const expectation& line, const run_results& run,
                                      expectation_result result) {
  const double allowed = line.number > 0 ? line.number : no_deadlock_seconds;
  const auto idle = run.held.packets == 0 ? sim_time{0} : run.virtual_time - run.last_delivery;
  result.unit = number_unit::seconds;
  result.measured = seconds_of(idle);
  result.ok = *result.measured <= allowed;
  if (run.deadlock) {
    result.ok = false;
    result.note = deadlock_text(*run.deadlock);
  } else if (!result.ok)
    result.note = fmt::format("{} packets are held, and nothing was consumed in the last {}",
                              human_count(run.held.packets), human_time_ps(idle));
  return result;
}

number_unit natural_unit(const metric_definition& metric) {
  switch (metric.unit) {
    case metric_unit::seconds:
      return number_unit::seconds;
    case metric_unit::bytes:
      return number_unit::bytes;
    case metric_unit::bytes_per_second:
      return number_unit::bits_per_second;
    default:
      return number_unit::plain;
  }
}

}  // namespace

std::string problem_of(const expectation& line) {
  if (line.metric == no_deadlock)
    return line.labels.empty() ? std::string{} : "no-deadlock is about the whole run: no labels";
  const auto found = find_metric(line);
  const auto* wrong = std::get_if<problem>(&found);
  return wrong == nullptr ? std::string{} : wrong->text;
}

expectation_result evaluate(const expectation& line, const run_results& run) {
  expectation_result result;
  result.text = line.text;
  result.where = line.where;
  if (line.metric == no_deadlock)
    return no_deadlock_result(line, run, std::move(result));

  const auto found = find_metric(line);
  if (const auto* wrong = std::get_if<problem>(&found))
    return refuse(result, wrong->text);
  const auto& metric = *std::get<const metric_definition*>(found);

  auto series = metric.read(run);
  if (auto wrong = label_problem(line, run, series); !wrong.empty())
    return refuse(result, std::move(wrong));
  std::erase_if(series, [&](const auto& s) { return !matches(s, line.labels); });

  result.unit = line.unit == number_unit::plain ? natural_unit(metric) : line.unit;
  if (metric.type == metric_type::histogram) {
    result.measured = of_distribution(line.of, series);
    if (!result.measured)
      result.note = "nothing was delivered, so there is no latency";
  } else {
    double value = taken_together(metric, line.of, series);
    if (line.unit == number_unit::ratio) {
      const double whole = whole_of(metric, line, run);
      if (whole > 0)
        result.measured = value / whole;
      else
        result.note = metric.of == metric_definition::share::virtual_time
                          ? "no time passed, so there is no share"
                          : "nothing was made, so there is no share";
    } else {
      if (metric.unit == metric_unit::bytes_per_second)
        value *= 8;
      result.measured = value;
    }
  }
  result.ok = result.measured && holds(*result.measured, line.compare, line.number);
  if (!result.ok && run.interrupted && result.note.empty())
    result.note = "the run was interrupted";
  return result;
}

std::vector<expectation_result> evaluate(std::span<const expectation> lines,
                                         const run_results& run) {
  std::vector<expectation_result> results;
  results.reserve(lines.size());
  for (const auto& line : lines)
    results.push_back(evaluate(line, run));
  return results;
}

std::vector<std::string> known_metric_names() {
  std::vector<std::string> names;
  for (const auto& metric : metric_catalogue()) {
    auto these = expect_names(metric);
    std::ranges::stable_sort(these, {}, [](const auto& name) { return name.size(); });
    for (auto& name : these)
      if (std::ranges::find(names, name) == names.end())
        names.push_back(std::move(name));
  }
  names.emplace_back(no_deadlock);
  return names;
}

std::string measured_text(const expectation_result& result) {
  if (!result.measured)
    return "-";
  const double value = *result.measured;
  switch (result.unit) {
    case number_unit::seconds:
      return human_time(value);
    case number_unit::bytes:
      return human_bytes(value);
    case number_unit::bits_per_second:
      return human_rate(value);
    case number_unit::ratio:
      return human_share(value, 1);
    case number_unit::plain:
      break;
  }
  if (value >= 0 && value == std::floor(value) && value < 1e18)
    return human_count(static_cast<std::uint64_t>(value));
  return fmt::format("{:.3f}", value);
}

}  // namespace sluice
