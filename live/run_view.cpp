#include "live/run_view.hpp"

#include <fmt/format.h>

#include <iterator>
#include <string_view>
#include <variant>

#include "metrics/summary.hpp"
#include "metrics/text.hpp"
#include "topology/graph.hpp"

namespace sluice {

namespace {

using nlohmann::json;

std::string text_of(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

json tally_json(const run_results& r, std::uint64_t tally::*part) {
  return {{"made", r.made.*part},
          {"delivered", r.delivered.*part},
          {"dropped", r.dropped.*part},
          {"held", r.held.*part}};
}

/// "name":[a,b,...]: written straight away, as there may be tens of thousands, four times a second.
template <class List, class Value>
void column(std::string& out, std::string_view name, const List& list, Value value) {
  fmt::format_to(std::back_inserter(out), "{}\"{}\":[", out.ends_with('{') ? "" : ",", name);
  bool first = true;
  for (const auto& each : list) {
    fmt::format_to(std::back_inserter(out), "{}{}", first ? "" : ",", value(each));
    first = false;
  }
  out += ']';
}

/// One row for each priority that can come.
template <class Visit>
void each_way(const run_results& r, Visit visit) {
  for (const auto& p : r.pause_frames)
    for (unsigned c = 0; c < max_priorities; ++c)
      if ((p.expected >> c & 1) != 0)
        visit(p, c);
}

/// What an event can name, for the lists of the page.
json targets_json(const scenario& s) {
  json out{{"drains", json::array()},
           {"rates", json::array()},
           {"ports", json::array()},
           {"links", json::array()}};
  for (const auto& n : s.nodes) {
    if (const auto* host = std::get_if<host_settings>(&n.as)) {
      for (const auto& vm : host->vms) {
        out["drains"].push_back(fmt::format("{}/{}.drain", n.name, vm.name));
        for (const auto& socket : vm.sockets)
          out["drains"].push_back(fmt::format("{}/{}.{}.drain", n.name, vm.name, socket.name));
      }
    } else if (const auto* sink = std::get_if<sink_settings>(&n.as); sink && sink->drain_bps != 0) {
      out["drains"].push_back(n.name + ".drain");
    }
  }
  for (const auto& t : s.traffic)
    if (std::holds_alternative<generate_settings>(t.what))
      out["rates"].push_back(t.name + ".rate");
  for (const auto& l : s.links) {
    const auto a = l.a.node + ":" + l.a.port, b = l.b.node + ":" + l.b.port;
    out["ports"].push_back(a);
    out["ports"].push_back(b);
    out["links"].push_back(a + " -- " + b);
  }
  return out;
}

}  // namespace

std::string topology_text(const scenario& s) {
  return text_of({{"scenario", s.name},
                  {"description", s.description},
                  {"picture", graph(s, graph_format::svg)},
                  {"topology", json::parse(graph(s, graph_format::json))},
                  {"targets", targets_json(s)}})
         + '\n';
}

std::string names_text(const run_results& r) {
  json out{{"flows", json::array()},
           {"components", json::array()},
           {"pauses", json::array()},
           {"pause_frames", json::array()}};
  for (const auto& f : r.flows)
    out["flows"].push_back(f.name);
  for (const auto& c : r.components) {
    json one{{"name", c.name}, {"kind", c.kind}, {"node", c.node}};
    const auto mark = [&](const char* name, std::int64_t bytes) {
      if (bytes >= 0)
        one[name] = bytes;
    };
    mark("capacity_bytes", c.marks.capacity);
    mark("stop_bytes", c.marks.stop);
    mark("start_bytes", c.marks.start);
    out["components"].push_back(std::move(one));
  }
  for (const auto& p : r.pauses)
    out["pauses"].push_back({{"on", p.on}, {"holds", p.held}, {"priority", p.priority}});
  each_way(r, [&](const pause_frames_result& p, unsigned c) {
    out["pause_frames"].push_back(
        {{"from", p.from}, {"to", p.to}, {p.credits ? "lane" : "priority", c}});
  });
  return text_of(out) + '\n';
}

std::string figures_text(const run_results& r) {
  json head{{"virtual_seconds", seconds_of(r.virtual_time)},
            {"wall_seconds", r.wall_seconds},
            {"lag_seconds", r.lag_seconds},
            {"seed", r.seed},
            {"threads", r.threads},
            {"packet_hops", r.packet_hops},
            {"over", r.over},
            {"interrupted", r.interrupted},
            {"packets", tally_json(r, &tally::packets)},
            {"bytes", tally_json(r, &tally::bytes)},
            {"violations", r.violations}};
  // Before, it is that of what happens to have arrived.
  if (r.over)
    head["fingerprint"] = hex16(r.fingerprint);
  if (r.deadlock)
    head["deadlock"] = {{"since_seconds", seconds_of(r.deadlock->since)},
                        {"links", r.deadlock->links}};
  auto& drops = head["drops"] = json::array();
  for (const auto& c : r.components) {
    if (c.counters.dropped_total().packets == 0)
      continue;
    for (std::size_t why = 0; why < drop_reasons; ++why)
      for (unsigned p = 0; p < max_priorities; ++p)
        if (const auto lost = c.counters.dropped.of(static_cast<drop_reason>(why), p);
            lost.packets != 0)
          drops.push_back({{"component", c.name},
                           {"reason", name_of(static_cast<drop_reason>(why))},
                           {"priority", p},
                           {"packets", lost.packets}});
  }
  auto out = text_of(head);
  out.pop_back();

  const auto group = [&](std::string_view name, auto columns) {
    fmt::format_to(std::back_inserter(out), ",\"{}\":{{", name);
    columns();
    out += '}';
  };
  group("flows", [&] {
    const auto add = [&](std::string_view name, auto of) { column(out, name, r.flows, of); };
    add("made", [](const flow_result& f) { return f.made.packets; });
    add("delivered", [](const flow_result& f) { return f.delivered.packets; });
    add("delivered_bytes", [](const flow_result& f) { return f.delivered.bytes; });
    add("dropped", [](const flow_result& f) { return f.dropped.packets; });
    for (const auto& [name, q] : {std::pair{"p50_ns", 0.5}, {"p99_ns", 0.99}})
      add(name, [q = q](const flow_result& f) {
        return f.latency.count() == 0 ? 0 : f.latency.quantile(q) / nanosecond;
      });
  });
  group("components", [&] {
    const auto add = [&](std::string_view name, auto of) { column(out, name, r.components, of); };
    add("out", [](const component_result& c) {
      return c.counters.out.packets + c.counters.consumed.packets;
    });
    add("out_bytes",
        [](const component_result& c) { return c.counters.out.bytes + c.counters.consumed.bytes; });
    add("dropped", [](const component_result& c) { return c.counters.dropped_total().packets; });
    add("waiting_bytes", [](const component_result& c) { return c.waiting_bytes; });
    add("most_bytes", [](const component_result& c) { return c.counters.max_bytes; });
  });
  group("pauses", [&] {
    column(out, "sent", r.pauses, [](const pause_result& p) { return p.sent; });
    column(out, "paused_ps", r.pauses, [](const pause_result& p) { return p.paused; });
  });
  group("pause_frames", [&] {
    std::vector<std::uint64_t> sent, received;
    std::vector<sim_time> paused;
    each_way(r, [&](const pause_frames_result& p, unsigned c) {
      sent.push_back(p.sent.priorities[c].frames);
      received.push_back(p.had.priorities[c].frames);
      paused.push_back(p.had.priorities[c].time);
    });
    const auto same = [](auto x) { return x; };
    column(out, "sent", sent, same);
    column(out, "received", received, same);
    column(out, "paused_ps", paused, same);
  });
  return out += '}';
}

json verdict_json(const run_results& r, std::span<const expectation_result> held) {
  json out{{"code", exit_code_of(r, held)}, {"expect", json::array()}};
  for (const auto& e : held)
    out["expect"].push_back({{"text", e.text}, {"ok", e.ok}});
  return out;
}

}  // namespace sluice
