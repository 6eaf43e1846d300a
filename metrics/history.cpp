#include "metrics/history.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

#include "metrics/exposition.hpp"
#include "metrics/results.hpp"
#include "metrics/text.hpp"

namespace sluice {

namespace {

using nlohmann::json;

// A family's series all have the same names.
template <class Labels, class Others>
bool same_labels(const Labels& a, const Others& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const auto& x, const auto& y) { return x.value == y.value; });
}

template <class Labels>
std::string key_of(const Labels& labels) {
  std::string key;
  for (const auto& l : labels) {
    key += l.value;
    key += '\0';
  }
  return key;
}

std::string dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string_view name_of(metric_type type) {
  switch (type) {
    case metric_type::counter:
      return "counter";
    case metric_type::histogram:
      return "histogram";
    case metric_type::gauge:
      break;
  }
  return "gauge";
}

// As members of an object: nothing of what was always 0.
void append_members(std::string& out, const metric_history::column& c) {
  const auto last = std::ranges::find_if(c.values.rbegin(), c.values.rend(),
                                         [&](double v) { return v != c.values.back(); });
  const auto size =
      std::min<std::size_t>(c.values.size(), static_cast<std::size_t>(c.values.rend() - last) + 1);
  if (size == 0)
    return;
  fmt::format_to(std::back_inserter(out), "\"first\":{},\"values\":[{}", c.first, c.values[0]);
  for (std::size_t i = 1; i < size; ++i)
    fmt::format_to(std::back_inserter(out), ",{}", c.values[i]);
  out += ']';
}

void append_labels(std::string& out, const std::vector<metric_history::label>& labels) {
  json o = json::object();
  for (const auto& l : labels)
    o[std::string{l.name}] = l.value;
  out += "{\"labels\":" + dump(o);
}

}  // namespace

std::string history_text(const metric_history& history, const run_results& run,
                         std::string_view version) {
  const auto seconds_of = [](sim_time t) {
    return static_cast<double>(t) / static_cast<double>(second);
  };
  json head{{"metrics", 1},
            {"sluice", version},
            {"scenario", run.scenario},
            {"fingerprint", hex16(run.fingerprint)},
            {"interval_seconds", seconds_of(history.interval)}};
  auto& seconds = head["seconds"] = json::array();
  for (const auto t : history.times)
    seconds.push_back(seconds_of(t));
  auto out = dump(head) + '\n';

  std::size_t count = 0;
  for (const auto& f : history.families) {
    json o{{"family", f.metric->name}, {"type", name_of(f.metric->type)}, {"help", f.metric->help}};
    const bool histogram = f.metric->type == metric_type::histogram;
    if (histogram) {
      auto& bounds = o["le"] = json::array();
      for (const auto b : latency_bounds())
        bounds.push_back(seconds_of(b));
    }
    out += dump(o) + '\n';
    for (const auto& s : f.lines) {
      ++count;
      append_labels(out, s.labels);
      if (histogram) {
        for (std::size_t i = 0; i + 1 < s.columns.size(); ++i) {
          out += i == 0 ? ",\"buckets\":[{" : ",{";
          append_members(out, s.columns[i]);
          out += '}';
        }
        out += "],\"sum\":{";
        append_members(out, s.columns.back());
        out += '}';
      } else if (!s.columns[0].values.empty()) {
        out += ',';
        append_members(out, s.columns[0]);
      }
      out += "}\n";
    }
  }
  out += fmt::format("{{\"end\":{}}}\n", count);
  return out;
}

history_recorder::history_recorder(sim_time interval, limits most) : most_{most} {
  history_.interval = interval;
  for (const auto& m : metric_catalogue())
    history_.families.push_back({&m, {}});
  indices_.resize(history_.families.size());
}

void history_recorder::sample(const run_results& now) {
  history_.times.push_back(next_);
  take(now);
  if (next_ == 0) {
    std::size_t columns = 1;
    each_column([&](auto&) { ++columns; });
    most_.samples = std::min(most_.samples, std::max(fewest_samples, most_.values / columns));
    // Not to take in vain what would have to go.
    while (most_.expected / history_.interval > static_cast<sim_time>(most_.samples))
      history_.interval = later(history_.interval, history_.interval);
  }
  if (history_.times.size() > most_.samples)
    halve();
  next_ = later(history_.times.back() / history_.interval * history_.interval, history_.interval);
}

metric_history::series& history_recorder::find(std::size_t family, std::size_t expected,
                                               const metric_labels& labels) {
  auto& lines = history_.families[family].lines;
  // Nearly always they come in the order of the last sample.
  if (expected < lines.size() && same_labels(lines[expected].labels, labels))
    return lines[expected];
  auto& known = indices_[family];
  for (; known.indexed < lines.size(); ++known.indexed)
    known.of.emplace(key_of(lines[known.indexed].labels), known.indexed);
  if (const auto found = known.of.find(key_of(labels)); found != known.of.end())
    return lines[found->second];
  auto& added = lines.emplace_back();
  for (const auto& l : labels)
    added.labels.push_back({l.name, std::string{l.value}});
  return added;
}

void history_recorder::take(const run_results& now) {
  const auto bounds = latency_bounds();
  for (std::size_t f = 0; f < history_.families.size(); ++f) {
    const auto& family = history_.families[f];
    std::size_t expected = 0;
    for (const auto& read : family.metric->read(now)) {
      auto& s = find(f, expected, read.labels);
      expected = static_cast<std::size_t>(&s - family.lines.data()) + 1;
      if (read.distribution == nullptr) {
        s.columns.resize(1);
        put(s.columns[0], read.value);
        continue;
      }
      s.columns.resize(bounds.size() + 2);
      std::size_t i = 0;
      for (const auto bound : bounds)
        put(s.columns[i++], static_cast<double>(read.distribution->count_at_most(bound)));
      put(s.columns[i++], static_cast<double>(read.distribution->count()));
      put(s.columns[i], read.distribution->sum_seconds());
    }
  }
}

void history_recorder::put(metric_history::column& c, double value) {
  const auto sample = history_.times.size() - 1;
  if (c.values.empty()) {
    if (value == 0)
      return;
    c.first = sample;
  }
  // It may have been away.
  c.values.resize(sample - c.first);
  c.values.push_back(value);
}

template <class Visit>
void history_recorder::each_column(Visit visit) {
  for (auto& f : history_.families)
    for (auto& s : f.lines)
      for (auto& c : s.columns)
        visit(c);
}

// Samples stay that are on the wider grid.
void history_recorder::halve() {
  const auto wider = later(history_.interval, history_.interval);
  auto& times = history_.times;
  std::vector<std::size_t> kept;
  for (std::size_t i = 0; i < times.size(); ++i)
    if (times[i] % wider == 0)
      kept.push_back(i);
  each_column([&](auto& c) {
    metric_history::column fewer;
    for (std::size_t k = 0; k < kept.size(); ++k)
      if (kept[k] >= c.first && kept[k] - c.first < c.values.size()) {
        if (fewer.values.empty())
          fewer.first = k;
        fewer.values.push_back(c.values[kept[k] - c.first]);
      }
    c = std::move(fewer);
  });
  for (std::size_t k = 0; k < kept.size(); ++k)
    times[k] = times[kept[k]];
  times.resize(kept.size());
  history_.interval = wider;
}

void history_recorder::drop_from(std::size_t sample) {
  each_column([&](auto& c) {
    c.values.resize(sample > c.first ? std::min(c.values.size(), sample - c.first) : 0);
  });
  history_.times.resize(sample);
}

metric_history history_recorder::finish(const run_results& done) {
  auto& times = history_.times;
  const auto end = std::max<sim_time>(done.virtual_time, 1);
  drop_from(static_cast<std::size_t>(std::ranges::lower_bound(times, end) - times.begin()));
  times.push_back(end);
  // What a run is, is known at its end, and holds for all of it: with a fingerprint for one sample
  // only it would be two runs.
  const auto is_info = [](const auto& f) { return f.metric->name.ends_with("_info"); };
  for (auto& f : history_.families)
    if (is_info(f))
      f.lines.clear();
  indices_.assign(indices_.size(), {});
  take(done);
  for (auto& f : history_.families)
    for (auto& s : f.lines)
      for (auto& c : s.columns) {
        if (c.values.empty())
          continue;
        c.values.resize(times.size() - c.first);  // what is not there any more
        if (is_info(f))
          c = {0, {c.values.back()}};
      }
  std::erase_if(history_.families, [](const auto& f) { return f.lines.empty(); });
  return std::move(history_);
}

}  // namespace sluice
