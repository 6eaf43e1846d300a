#include "topology/series_recorder.hpp"

#include <algorithm>
#include <utility>

#include "actors/fabric/cable.hpp"
#include "actors/guest/consumer.hpp"

namespace sluice {

namespace {

// Samples when the interval was not asked for, and values of all columns together.
constexpr std::size_t usual_samples = 800, usual_values = 1'000'000;
constexpr std::size_t asked_samples = 8'000, asked_values = 4'000'000;
// For a sample every cell has to stop and begin again: of thousands fewer are taken, and the first
// ones further apart, or it would be felt.
constexpr std::size_t stops = 1'000'000, fewest_samples = 64, many_cells = 1'000;
constexpr sim_time first_interval = 10 * microsecond;

std::int64_t signed_of(std::uint64_t n) {
  return static_cast<std::int64_t>(n);
}

}  // namespace

series_recorder::series_recorder(const network& n, const scenario& s, sim_time interval)
    : network_{n} {
  const auto many = std::max<std::size_t>(1, n.components_.size());
  const auto values = interval > 0 ? asked_values : usual_values;
  most_samples_ = interval > 0
                      ? asked_samples
                      : std::clamp<std::size_t>(stops / many, fewest_samples, usual_samples);
  flows_.most = components_.most = values * 2 / 5;
  pauses_.most = frames_.most = values / 10;
  if (interval <= 0)
    interval =
        s.until_traffic_done || s.duration >= never
            ? first_interval * static_cast<sim_time>(1 + many / many_cells)
            : std::max<sim_time>(nanosecond, s.duration / static_cast<sim_time>(most_samples_ / 2));
  series_.interval = next_ = interval;

  series_.flows.resize(n.flows_.size());
  for (std::size_t f = 0; f < n.flows_.size(); ++f)
    series_.flows[f].name = n.flows_[f];
  of_flow_.resize(n.flows_.size());
  delivered_of_.resize(n.flows_.size());
  dropped_of_.resize(n.flows_.size());
  consumed_.resize(n.consumers_.size());

  const auto add = [&](std::string_view name, std::string_view kind, const buffer_marks& marks) {
    series_.components.push_back({std::string{name}, std::string{kind}, marks, {}, {}});
  };
  for (const auto& c : n.components_)
    c->sample(0, [&](std::string_view name, std::string_view kind, std::int64_t,
                     const component_counters&) { add(name, kind, c->marks()); });
  for (const auto& c : n.cables_)
    add(c->name(), "link", {});
  of_component_.resize(series_.components.size());
  dropped_.resize(series_.components.size());

  for (const auto& p : n.stoppables_)
    series_.pauses.push_back({p.name, p.held.empty() ? p.sender->name() : p.held, p.priority, {}});
  of_pause_.resize(series_.pauses.size());
  for (std::size_t w = 0; w < n.pause_ways_.size(); ++w)
    for (unsigned c = 0; c < max_priorities; ++c)
      if (const auto& way = n.pause_ways_[w]; (way.priorities >> c & 1) != 0) {
        series_.pause_frames.push_back(
            {way.from_port, way.to_port, static_cast<int>(c), way.credits, {}});
        frames_ways_.push_back(w * max_priorities + c);
      }
  of_frames_.resize(series_.pause_frames.size());
}

void series_recorder::sample() {
  take(next_, next_);
  if (series_.times.size() > most_samples_)
    halve();
  next_ = later(series_.times.back() / series_.interval * series_.interval, series_.interval);
}

void series_recorder::take(sim_time at, sim_time now) {
  series_.times.push_back(at);
  take_flows();
  take_components(now);
  take_pauses(now);
  bound(series_.flows, of_flow_, flows_, [](auto& f, auto visit) {
    visit(f.delivered), visit(f.delivered_bytes), visit(f.dropped);
  });
  bound(series_.components, of_component_, components_,
        [](auto& c, auto visit) { visit(c.held_bytes), visit(c.dropped); });
  bound(series_.pauses, of_pause_, pauses_, [](auto& p, auto visit) { visit(p.paused); });
  bound(series_.pause_frames, of_frames_, frames_, [](auto& f, auto visit) { visit(f.sent); });
}

// A column begins with the first value that is not 0.
void series_recorder::put(series_column& c, std::int64_t value, group& g) {
  if (c.values.empty()) {
    if (value == 0)
      return;
    c.first = series_.times.size() - 1;
  }
  c.values.push_back(value);
  ++g.values;
}

void series_recorder::take_flows() {
  // Of the thousands of consumers few have had more than a few flows; and many nothing new.
  for (std::size_t i = 0; i < consumed_.size(); ++i) {
    auto& own = consumed_[i];
    const auto& from = *network_.consumers_[i];
    const auto packets = from.packet_hops();
    if (packets == own.packets)
      continue;
    own.packets = packets;
    const auto& flows = from.flows();
    const auto count = [&] {
      std::uint64_t sum = 0;
      for (auto& f : own.flows) {
        const auto& now = flows[f.flow].delivered;
        delivered_of_[f.flow] += now - f.delivered;
        f.delivered = now;
        sum += now.packets;
      }
      return sum;
    };
    if (count() == packets)
      continue;
    for (std::size_t f = 0; f < flows.size(); ++f)
      if (flows[f].delivered.packets != 0
          && std::ranges::find(own.flows, f, &consumed::of_flow::flow) == own.flows.end())
        own.flows.push_back({f, {}});
    count();
  }
}

void series_recorder::take_components(sim_time now) {
  std::size_t i = 0;
  const auto add = [&](std::string_view, std::string_view kind, std::int64_t held,
                       const component_counters& counters) {
    auto& s = series_.components[i];
    auto& e = of_component_[i];
    auto& old = dropped_[i++];
    const auto lost = counters.dropped_total().packets;
    if (lost != old.packets) {
      old.packets = lost;
      old.of_flow.resize(counters.dropped_of_flow.size());
      for (std::size_t f = 0; f < old.of_flow.size(); ++f) {
        dropped_of_[f] += counters.dropped_of_flow[f].packets - old.of_flow[f];
        old.of_flow[f] = counters.dropped_of_flow[f].packets;
      }
    }
    // What a source holds is known at the end only: see producer::finish.
    if (kind == "producer")
      held = 0;
    // Who loses packets is looked at first.
    e.peak = std::max(e.peak, held + (lost != 0 ? std::int64_t{1} << 40 : 0));
    if (e.out)
      return;
    put(s.held_bytes, held, components_);
    put(s.dropped, signed_of(lost), components_);
  };
  const component::sampler tell = add;
  for (const auto& c : network_.components_)
    c->sample(now, tell);
  for (const auto& c : network_.cables_)
    add(c->name(), "link", 0, c->counters());

  for (std::size_t f = 0; f < series_.flows.size(); ++f) {
    of_flow_[f].peak = signed_of(delivered_of_[f].packets + dropped_of_[f]);
    if (of_flow_[f].out)
      continue;
    auto& s = series_.flows[f];
    put(s.delivered, signed_of(delivered_of_[f].packets), flows_);
    put(s.delivered_bytes, signed_of(delivered_of_[f].bytes), flows_);
    put(s.dropped, signed_of(dropped_of_[f]), flows_);
  }
}

void series_recorder::take_pauses(sim_time now) {
  // The priorities of a sender stand one after the other.
  const component* last = nullptr;
  pause_counts had;
  for (std::size_t i = 0; i < of_pause_.size(); ++i) {
    const auto& s = network_.stoppables_[i];
    sim_time paused = 0;
    if (s.priority >= 0) {
      if (s.sender != last)
        had = s.sender->pauses_had(now);
      last = s.sender;
      paused = had.priorities[static_cast<unsigned>(s.priority)].time;
    } else {
      paused = s.sender->held_by(s.output, now).time;
    }
    of_pause_[i].peak = paused;
    if (!of_pause_[i].out)
      put(series_.pauses[i].paused, paused, pauses_);
  }
  auto way = static_cast<std::size_t>(-1);
  for (std::size_t i = 0; i < of_frames_.size(); ++i) {
    if (const auto w = frames_ways_[i] / max_priorities; w != way) {
      way = w;
      had = network_.pause_ways_[w].from->pauses_sent();
    }
    const auto sent = signed_of(had.priorities[frames_ways_[i] % max_priorities].frames);
    of_frames_[i].peak = sent;
    if (!of_frames_[i].out)
      put(series_.pause_frames[i].sent, sent, frames_);
  }
}

template <class Series, class Columns>
void series_recorder::bound(std::vector<Series>& series, std::vector<entry>& entries, group& g,
                            Columns columns) {
  while (g.values > g.most) {
    std::vector<std::size_t> kept;
    for (std::size_t i = 0; i < entries.size(); ++i)
      if (!entries[i].out && entries[i].peak > 0)
        kept.push_back(i);
    if (kept.size() < 2)
      return;
    std::ranges::stable_sort(kept, std::greater{}, [&](auto i) { return entries[i].peak; });
    // Nothing that is still 0 may begin, or the same would happen again soon.
    for (std::size_t i = 0; i < entries.size(); ++i)
      if (entries[i].peak == 0)
        entries[i].out = true;
    for (std::size_t k = kept.size() / 2; k < kept.size(); ++k) {
      entries[kept[k]].out = true;
      columns(series[kept[k]], [&](series_column& c) {
        g.values -= c.values.size();
        c = {};
      });
    }
  }
}

template <class Columns>
void series_recorder::each_column(Columns visit) {
  for (auto& f : series_.flows)
    for (auto* c : {&f.delivered, &f.delivered_bytes, &f.dropped})
      visit(*c, flows_);
  for (auto& c : series_.components)
    for (auto* x : {&c.held_bytes, &c.dropped})
      visit(*x, components_);
  for (auto& p : series_.pauses)
    visit(p.paused, pauses_);
  for (auto& f : series_.pause_frames)
    visit(f.sent, frames_);
}

// Samples stay that are on the wider grid.
void series_recorder::halve() {
  const auto wider = later(series_.interval, series_.interval);
  std::vector<std::size_t> kept;
  for (std::size_t i = 0; i < series_.times.size(); ++i)
    if (series_.times[i] % wider == 0)
      kept.push_back(i);
  each_column([&](series_column& c, group& g) {
    if (c.values.empty())
      return;
    series_column fewer;
    for (std::size_t k = 0; k < kept.size(); ++k)
      if (kept[k] >= c.first) {
        if (fewer.values.empty())
          fewer.first = k;
        fewer.values.push_back(c.at(kept[k]));
      }
    g.values -= c.values.size() - fewer.values.size();
    c = std::move(fewer);
  });
  for (std::size_t k = 0; k < kept.size(); ++k)
    series_.times[k] = series_.times[kept[k]];
  series_.times.resize(kept.size());
  series_.interval = wider;
}

void series_recorder::drop_from(std::size_t sample) {
  each_column([&](series_column& c, group& g) {
    const auto size = sample > c.first ? std::min(c.values.size(), sample - c.first) : 0;
    g.values -= c.values.size() - size;
    c.values.resize(size);
  });
  series_.times.resize(sample);
}

time_series series_recorder::finish(sim_time end, sim_time now) {
  drop_from(static_cast<std::size_t>(std::ranges::lower_bound(series_.times, end)
                                     - series_.times.begin()));
  take(end, now);
  // What changed once and went away with a wider interval is 0 all the time.
  each_column([](series_column& c, group&) {
    if (std::ranges::all_of(c.values, [](auto v) { return v == 0; }))
      c = {};
  });
  const auto never_changed = [](const auto&... c) { return (c.values.empty() && ...); };
  std::erase_if(series_.flows,
                [&](const auto& f) { return never_changed(f.delivered, f.dropped); });
  std::erase_if(series_.components,
                [&](const auto& c) { return never_changed(c.held_bytes, c.dropped); });
  std::erase_if(series_.pauses, [&](const auto& p) { return never_changed(p.paused); });
  std::erase_if(series_.pause_frames, [&](const auto& f) { return never_changed(f.sent); });
  const auto left_out = [](const std::vector<entry>& entries) {
    return static_cast<std::size_t>(
        std::ranges::count_if(entries, [](const auto& e) { return e.out && e.peak > 0; }));
  };
  series_.left_out = {left_out(of_flow_), left_out(of_component_), left_out(of_pause_),
                      left_out(of_frames_)};
  return std::move(series_);
}

}  // namespace sluice
