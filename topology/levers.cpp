#include "topology/levers.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "actors/fabric/cable.hpp"
#include "actors/fabric/pause_port.hpp"
#include "actors/guest/producer.hpp"
#include "actors/queue/port_queue.hpp"
#include "actors/switching/ingress_port.hpp"
#include "topology/event_profiles.hpp"

namespace sluice {

// Of a sink with a buffer its queue is no sender: it has no line to the link.
transmitter* levers::line_of(const link_end& e) {
  return e.queue != nullptr    ? &e.queue->line()
         : e.source != nullptr ? &e.source->line()
         : e.mac != nullptr    ? &e.mac->line()
                               : nullptr;
}

std::string levers::problem(const timed_event& e) const {
  switch (e.what) {
    case timed_event::kind::set_drain: {
      const auto why = refused_.find(e.target);
      if (why != refused_.end())
        return why->second;
      if (!readers_.contains(e.target))
        return fmt::format("{} has no reader whose speed could change", e.target);
      return {};
    }
    case timed_event::kind::set_rate:
      if (!schedules_.contains(e.target))
        return fmt::format("{} sends nothing that is generated", e.target);
      return {};
    case timed_event::kind::set_port:
      return "a controller's commands are part of the scenario: write them as `events` and run it "
             "again";
    case timed_event::kind::link_down:
      return {};
    case timed_event::kind::inject_pause:
      if (!sender_of(e).pauses)
        return "nobody obeys pauses at the other end of this link";
      return {};
  }
  return {};
}

sim_time levers::earliest(const timed_event& e, sim_time now) const {
  auto t = now, busy = now;
  switch (e.what) {
    case timed_event::kind::set_drain:
      // Not in the middle of a packet.
      t = std::max(t, readers_.at(e.target).line->busy() - 1);
      break;
    case timed_event::kind::link_down:
      // What is being sent and on its way arrives as it was decided.
      for (const auto& end : links_[e.link])
        if (const auto* line = line_of(end))
          busy = std::max(busy, line->busy());
      for (const auto& end : links_[e.link])
        if (end.carries != nullptr)
          t = std::max(t, later(busy, end.carries->delay()));
      // Ports that could have taken this link have chosen for all that is on its way to them.
      for (auto [m, end] = members_.equal_range(e.link); m != end; ++m)
        for (const auto* in : m->second.choose)
          t = std::max(t, in->selects()->seen());
      break;
    default:
      break;
  }
  return later(t, 1);
}

void levers::revise(const scenario& s, const timed_event& e) {
  switch (e.what) {
    case timed_event::kind::set_drain: {
      const auto& [line, normal] = readers_.at(e.target);
      std::vector<rate_change> changes;
      for (const auto& [at, bps] : value_profile(s, e.what, e.target, normal))
        changes.push_back({at, line_rate{bps}});
      line->revise(std::move(changes), line->line().outages);
      break;
    }
    case timed_event::kind::set_rate:
      for (auto& x : schedules_.at(e.target)) {
        x.made.rate_profile.clear();
        for (const auto& [at, bps] : value_profile(s, e.what, e.target, x.made.settings.rate_bps))
          x.made.rate_profile.push_back({at, bps});
        x.source->replace(x.flow, make_generator(x.made));
      }
      break;
    case timed_event::kind::link_down:
      for (auto& end : links_[e.link]) {
        const auto down = outages_of(s, e.link);
        for (auto* line : {line_of(end), end.mac != nullptr ? &end.mac->line() : nullptr})
          if (line != nullptr)
            line->revise(line->line().changes, down);
        if (end.carries != nullptr)
          end.carries->revise(down);
        if (end.frames != nullptr)
          end.frames->revise(down);
      }
      for (auto [m, end] = members_.equal_range(e.link); m != end; ++m) {
        const auto& x = m->second;
        auto& away = x.sets->away[x.port];
        away = absences(outages_of(s, e.link), x.down_delay, x.up_delay);
        x.queue->line().purge(purges_of(away, x.under_way));
      }
      break;
    default:
      break;
  }
}

void levers::begin(const scenario& s, std::size_t event) {
  const auto& e = s.events[event];
  revise(s, e);
  if (e.what != timed_event::kind::inject_pause)
    return;
  auto& frames = *sender_of(e).frames;
  bool first = true;
  for (const auto& series : injections_of(s, e)) {
    const auto number = frames.inject(series);
    if (first)
      injected_[event] = number;
    first = false;
  }
}

void levers::finish(const scenario& s, std::size_t event) {
  const auto& e = s.events[event];
  revise(s, e);
  if (e.what != timed_event::kind::inject_pause)
    return;
  auto number = injected_.at(event);
  for (const auto& series : injections_of(s, e))
    sender_of(e).frames->revise(number++, series, later(e.at, e.duration));
}

}  // namespace sluice
