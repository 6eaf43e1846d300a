#include "topology/event_profiles.hpp"

#include <algorithm>
#include <set>

#include "traffic/mac_control.hpp"

namespace sluice {

std::vector<std::pair<sim_time, std::uint64_t>> value_profile(const scenario& s,
                                                              timed_event::kind what,
                                                              const std::string& target,
                                                              std::uint64_t normal) {
  std::vector<const timed_event*> events;
  std::set<sim_time> edges;
  for (const auto& e : s.events)
    if (e.what == what && e.target == target) {
      events.push_back(&e);
      edges.insert(e.at);
      if (later(e.at, e.duration) < never)
        edges.insert(e.at + e.duration);
    }
  std::stable_sort(events.begin(), events.end(),
                   [](const auto* a, const auto* b) { return a->at < b->at; });
  std::vector<std::pair<sim_time, std::uint64_t>> values;
  for (const auto t : edges) {
    auto value = normal;
    for (const auto* e : events)
      if (e->at <= t && t < later(e->at, e->duration))
        value = e->bps;
    values.emplace_back(t, value);
  }
  return values;
}

std::vector<outage> outages_of(const scenario& s, std::size_t link) {
  std::vector<outage> all;
  for (const auto& e : s.events)
    if (e.what == timed_event::kind::link_down && e.link == link)
      all.push_back({e.at, later(e.at, e.duration)});
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.from < b.from; });
  std::vector<outage> joined;
  for (const auto& o : all)
    if (!joined.empty() && o.from <= joined.back().to)
      joined.back().to = std::max(joined.back().to, o.to);
    else
      joined.push_back(o);
  return joined;
}

std::vector<outage> purges_of(const std::vector<outage>& away, sim_time under_way) {
  std::vector<outage> purges;
  for (const auto& x : away)
    purges.push_back({x.from, later(x.to, under_way)});
  return purges;
}

std::vector<pause_sender::injection> injections_of(const scenario& s, const timed_event& e) {
  pause_request r;
  r.at = e.at;
  r.hold = e.inject.priorities;
  r.quanta = e.inject.quanta;
  r.what = e.inject.whole_link ? pause_request::kind::pause : pause_request::kind::pfc;
  const auto end = later(e.at, e.duration);
  if (!e.inject.holds)
    return {{r, e.inject.every, end}};
  r.quanta = max_quanta;
  pause_sender::injection holds{r, quanta_time(max_quanta, s.links[e.link].rate_bps) / 2, end};
  r.at = end;
  r.go = e.inject.whole_link ? 0 : r.hold;
  r.hold = 0;
  r.quanta = 0;
  return {holds, {r, never, never}};
}

}  // namespace sluice
