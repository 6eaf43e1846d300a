/// \file
/// Helpers of tests that build scenarios in code.
#pragma once

#include <doctest/doctest.h>

#include <sstream>
#include <string>
#include <vector>

#include "topology/run.hpp"
#include "topology/scenario.hpp"

namespace sluice::testing {

/// How often to repeat something: with a sanitizer, which makes it ten to fifty times slower, a
/// twentieth.
constexpr std::uint64_t often(std::uint64_t times) {
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
  return (times + 19) / 20;
#else
  return times;
#endif
}

inline node make_node(std::string name, decltype(node::as) as, flow_control_settings fc = {}) {
  node n;
  n.name = std::move(name);
  n.as = std::move(as);
  n.flow_control = fc;
  return n;
}

inline flow_control_settings everywhere(hop_policy p) {
  flow_control_settings fc{p, p, p, p, p, p, p, p, p};
  if (p == hop_policy::credit_list)
    fc.vswitch = fc.fabric = hop_policy::on_off;
  return fc;
}

inline sluice::link make_link(const std::string& a, const std::string& a_port, const std::string& b,
                              const std::string& b_port, std::uint64_t bps, sim_time delay) {
  sluice::link l;
  l.a = {a, a_port};
  l.b = {b, b_port};
  l.rate_bps = bps;
  l.delay = delay;
  return l;
}

/// An endless generator at a share of its line.
inline traffic_entry stream(std::string name, std::string from, std::string to,
                            std::uint8_t priority, std::uint32_t size,
                            std::uint32_t share_ppm = 1'000'000) {
  generate_settings g;
  g.size_bytes = size;
  g.share_ppm = share_ppm;
  traffic_entry t;
  t.name = std::move(name);
  t.what = g;
  t.from = {std::move(from)};
  t.to = {std::move(to)};
  t.priority = priority;
  return t;
}

/// The counters of the component with that name.
inline const component_counters& counters_of(const run_results& r, const std::string& name) {
  for (const auto& c : r.components)
    if (c.name == name)
      return c.counters;
  FAIL("no component ", name);
  return r.components.front().counters;
}

/// The flow with that name.
inline const flow_result& flow_of(const run_results& r, const std::string& name) {
  for (const auto& f : r.flows)
    if (f.name == name)
      return f;
  FAIL("no flow ", name);
  return r.flows.front();
}

/// Runs it; nothing is lost track of, and nothing overtakes.
inline run_results run_checked(const scenario& s) {
  auto r = run(s, {});
  CHECK(r.violations.empty());
  for (const auto& f : r.flows)
    CHECK(f.reordered == 0);
  return r;
}

/// Everything of a result that has to be the same in every run of a scenario.
inline std::string digest(const run_results& r) {
  std::string text = std::to_string(r.fingerprint) + "\n";
  const auto add = [&](std::uint64_t n) { text += std::to_string(n) + " "; };
  for (const auto& c : r.components) {
    text += c.name + ": ";
    const auto& x = c.counters;
    for (const auto& t : {x.in, x.made, x.out, x.consumed, x.held, x.dropped_total()}) {
      add(t.packets);
      add(t.bytes);
    }
    add(static_cast<std::uint64_t>(x.max_bytes));
    add(static_cast<std::uint64_t>(x.max_packets));
    for (auto n : {x.marked, x.stops_sent, x.starts_sent, x.stops_received, x.starts_received,
                   x.wake_ups, x.pushes, x.pulls})
      add(n);
    add(static_cast<std::uint64_t>(x.stopped));
    text += "\n";
  }
  for (const auto& f : r.flows) {
    text += f.name + ": ";
    add(f.made.packets);
    add(f.delivered.packets);
    add(f.dropped.packets);
    add(static_cast<std::uint64_t>(f.latency.max()));
    add(f.reordered);
    add(f.marked);
    add(static_cast<std::uint64_t>(f.completed));
    text += "\n";
  }
  for (const auto& p : r.pauses) {
    text += p.on + ": ";
    for (auto n : {p.sent, p.received, static_cast<std::uint64_t>(p.paused)})
      add(n);
    text += "\n";
  }
  for (const auto& p : r.pause_frames) {
    text += p.from + ": ";
    for (const auto* c : {&p.sent, &p.had})
      for (const auto& x : c->priorities)
        for (auto n :
             {x.frames, x.quanta, x.transitions, x.storms, static_cast<std::uint64_t>(x.time)})
          add(n);
    for (auto n : {p.sent.frames, p.sent.lost, p.had.frames, p.had.ignored, p.had.under_way})
      add(n);
    text += "\n";
  }
  for (const auto& x : r.rates) {
    text += x.source + ": ";
    for (auto n : {x.notifications, x.lowest_bps, x.bps})
      add(n);
    text += "\n";
  }
  for (const auto& p : r.ports) {
    text += p.port + ": ";
    for (auto n : {p.stops, p.starts, static_cast<std::uint64_t>(p.stopped)})
      add(n);
    text += p.is_stopped ? "stopped\n" : "open\n";
  }
  for (const auto& x : r.routers) {
    text += x.host + ": ";
    for (auto n :
         {x.direct, x.refused, x.special, x.taken, x.assisted, x.assigned, x.granted, x.waiting,
          x.most_waiting, x.longest_queue, x.waits, static_cast<std::uint64_t>(x.exclusive),
          static_cast<std::uint64_t>(x.footprint), static_cast<std::uint64_t>(x.most_footprint)})
      add(n);
    for (const auto& p : x.pools)
      for (auto n : {p.total, p.used, p.most, p.grown, p.shrunk})
        add(n);
    text += "\n";
  }
  for (const auto& x : r.credit_lists) {
    text += x.from + " " + x.to + " " + x.flow + ": ";
    const auto& c = x.counts;
    for (auto n : {c.lists, c.credits, c.used, c.wasted_bytes, c.switches, c.most_outstanding,
                   static_cast<std::uint64_t>(c.stalled)})
      add(n);
    text += c.broken ? "broken\n" : "whole\n";
  }
  for (const auto& d : r.dma) {
    text += d.from + ": ";
    for (auto n : {d.packets, d.operations, d.fetches, d.down_bytes, d.up_bytes})
      add(n);
    text += "\n";
  }
  for (const auto& x : r.mbufs) {
    text += x.of + ": ";
    for (auto n : {x.held, x.most_held})
      add(static_cast<std::uint64_t>(n));
    for (const auto& c : x.chains) {
      for (auto n : {c.packets, c.lowered, c.raised, c.over_limit, c.exhausted})
        add(n);
      for (auto n : {c.held, c.most_held, c.limit, c.lowest_limit, c.oldest})
        add(static_cast<std::uint64_t>(n));
    }
    text += "\n";
  }
  for (const auto& a : r.aggregations) {
    for (const auto& p : a.ports) {
      text += p.name + ": ";
      for (auto n : {p.leaves, p.returns, p.purged.packets, p.purged.bytes})
        add(n);
      text += "\n";
    }
    for (const auto& p : a.partitions) {
      text += a.node + " " + p.name + ": ";
      for (const auto& sent : p.sent)
        for (auto n : {sent.packets, sent.bytes})
          add(n);
      for (auto n : {p.flows, p.moves, p.lost.packets, p.lost.bytes})
        add(n);
      text += "\n";
    }
  }
  for (const auto& v : r.violations)
    text += v + "\n";
  return text;
}

/// The first lines in which two digests differ; empty: they do not.
inline std::string difference(const std::string& a, const std::string& b) {
  std::istringstream x{a}, y{b};
  std::string s, t, text;
  for (int shown = 0; shown < 3;) {
    const bool more = static_cast<bool>(std::getline(x, s));
    if (!std::getline(y, t) && !more)
      break;
    if (s != t) {
      text += s + "\n" + t + "\n";
      ++shown;
    }
    s.clear(), t.clear();
  }
  return text;
}

}  // namespace sluice::testing
