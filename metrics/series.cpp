#include "metrics/series.hpp"

#include <algorithm>

#include "metrics/results.hpp"
#include "metrics/text.hpp"

namespace sluice {

namespace {

using nlohmann::json;

template <class Convert>
json column_json(const series_column& c, std::size_t samples, Convert convert) {
  auto out = json::array();
  auto& values = out.get_ref<json::array_t&>();
  values.reserve(samples);
  for (std::size_t i = 0; i < samples; ++i)
    values.push_back(convert(c.at(i)));
  return out;
}

/// Upper bounds in nanoseconds and how many packets were at most so late and no less than the bound
/// before; an eighth of an octave each.
json histogram_json(const latency_histogram& h) {
  auto bounds = json::array(), packets = json::array();
  h.each_part([&](std::uint64_t upper_ns, std::uint64_t count) {
    if (count == 0 && bounds.empty())
      return;  // what comes before the first packet
    bounds.push_back(upper_ns);
    packets.push_back(count);
  });
  return {{"upper_ns", std::move(bounds)}, {"packets", std::move(packets)}};
}

}  // namespace

json series_json(const time_series& s, const run_results& run, std::string_view version) {
  const auto count = [&](const series_column& c) {
    return column_json(c, s.times.size(), [](std::int64_t v) { return v; });
  };
  const auto duration = [&](const series_column& c) {
    return column_json(c, s.times.size(), [](std::int64_t v) { return seconds_of(v); });
  };
  json out{{"series", 1},
           {"sluice", version},
           {"scenario", run.scenario},
           {"fingerprint", hex16(run.fingerprint)},
           {"interval_seconds", seconds_of(s.interval)}};
  auto& seconds = out["seconds"] = json::array();
  for (const auto t : s.times)
    seconds.push_back(seconds_of(t));

  auto& flows = out["flows"] = json::array();
  for (const auto& f : s.flows) {
    json o{{"flow", f.name},
           {"delivered", count(f.delivered)},
           {"delivered_bytes", count(f.delivered_bytes)},
           {"dropped", count(f.dropped)}};
    if (const auto found = std::ranges::find(run.flows, f.name, &flow_result::name);
        found != run.flows.end() && found->latency.count() != 0)
      o["latency"] = histogram_json(found->latency);
    flows.push_back(std::move(o));
  }
  auto& components = out["components"] = json::array();
  for (const auto& c : s.components) {
    json o{{"component", c.name}, {"kind", c.kind}};
    if (!c.held_bytes.values.empty())
      o["held_bytes"] = count(c.held_bytes);
    if (!c.dropped.values.empty())
      o["dropped"] = count(c.dropped);
    const auto mark = [&](const char* name, std::int64_t bytes) {
      if (bytes >= 0)
        o[name] = bytes;
    };
    mark("capacity_bytes", c.marks.capacity);
    mark("stop_bytes", c.marks.stop);
    mark("start_bytes", c.marks.start);
    components.push_back(std::move(o));
  }
  auto& pauses = out["pauses"] = json::array();
  for (const auto& p : s.pauses)
    pauses.push_back({{"on", p.on},
                      {"holds", p.held},
                      {"priority", p.priority},
                      {"paused_seconds", duration(p.paused)}});
  auto& frames = out["pause_frames"] = json::array();
  auto& packets = out["flow_packets"] = json::array();
  for (const auto& f : s.pause_frames)
    (f.credits ? packets : frames)
        .push_back({{"from", f.from},
                    {"to", f.to},
                    {f.credits ? "lane" : "priority", f.priority},
                    {"sent", count(f.sent)}});
  out["left_out"] = {{"flows", s.left_out.flows},
                     {"components", s.left_out.components},
                     {"pauses", s.left_out.pauses},
                     {"pause_frames", s.left_out.pause_frames}};
  return out;
}

}  // namespace sluice
