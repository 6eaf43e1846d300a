#include "report/sweep.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "metrics/text.hpp"
#include "report/page.hpp"

namespace sluice {

namespace {

using nlohmann::json;

double number_in(const json& from, const char* key) {
  return from.contains(key) && from[key].is_number() ? from[key].get<double>() : 0;
}

std::string count(const json& n) {
  return n.is_number_unsigned() || n.is_number_integer() ? human_count(n.get<std::uint64_t>())
                                                         : "-";
}

bool ran(const json& point) {
  return point.contains("fingerprint");
}

std::string in_unit(const json& measured, const std::string& unit) {
  if (!measured.is_number())
    return "-";
  const auto value = measured.get<double>();
  if (unit == "s")
    return human_time(value);
  if (unit == "B")
    return human_bytes(value);
  if (unit == "bit/s")
    return human_rate(value);
  if (unit == "ratio")
    return human_share(value, 1);
  if (value >= 0 && value < 1e15 && value == static_cast<double>(static_cast<std::uint64_t>(value)))
    return human_count(static_cast<std::uint64_t>(value));
  return fmt::format("{:.4g}", value);
}

std::string latency_text(const json& point, const char* which) {
  const auto& l = point["latency_ns"];
  return l.is_object() ? human_time(l[which].get<double>() * 1e-9) : "-";
}

std::string verdict_text(const json& point) {
  const auto word = point["verdict"].get<std::string>();
  if (word != "failed")
    return word;
  const auto failed =
      std::ranges::count_if(point["expect"], [](const json& e) { return e["ok"] == false; });
  return fmt::format("{} of {} not met", failed, point["expect"].size());
}

std::string label_of(const json& sweep, const json& point) {
  std::string out;
  for (std::size_t k = 0; k < sweep["keys"].size(); ++k)
    out +=
        fmt::format("{}{}={}", out.empty() ? "" : ", ", sweep["keys"][k]["path"].get<std::string>(),
                    point["values"][k].get<std::string>());
  return out;
}

/// A field of CSV. What a spreadsheet would take for a formula is text.
std::string field(const json& value) {
  if (value.is_null())
    return {};
  if (!value.is_string())
    return value.dump();
  auto text = value.get<std::string>();
  if (!text.empty() && std::string_view{"=+-@\t\r"}.find(text[0]) != std::string_view::npos)
    text.insert(0, "'");
  if (text.find_first_of(",\"\n\r") == std::string::npos)
    return text;
  std::string out = "\"";
  for (const char c : text)
    out += c == '"' ? std::string{"\"\""} : std::string{c};
  return out + '"';
}

using row = std::vector<json>;

std::string line(const row& fields) {
  std::string out;
  for (std::size_t i = 0; i < fields.size(); ++i)
    out += (i == 0 ? "" : ",") + field(fields[i]);
  return out + '\n';
}

/// The point's number and values, numbers where the key has a unit.
row begin_of(const json& sweep, const json& point) {
  row out{point["point"]};
  for (std::size_t k = 0; k < sweep["keys"].size(); ++k)
    out.push_back(point["numbers"][k].is_null() ? point["values"][k] : point["numbers"][k]);
  return out;
}

row heads_of(const json& sweep) {
  row out{"point"};
  for (const auto& key : sweep["keys"]) {
    const auto unit = key["unit"].get<std::string>();
    out.push_back(unit.empty()
                      ? key["path"]
                      : json(fmt::format("{} ({})", key["path"].get<std::string>(), unit)));
  }
  return out;
}

constexpr std::array latencies{"min", "mean", "p50", "p99", "p999", "max"};

void add_figure_heads(row& out) {
  for (const auto* name : {"made", "delivered", "dropped", "held", "goodput_bps"})
    out.emplace_back(name);
  for (const auto* name : latencies)
    out.emplace_back(fmt::format("latency_{}_ns", name));
  out.emplace_back("completed_seconds");
}

void add_figures(row& out, const json& of) {
  for (const auto* name : {"made", "delivered", "dropped", "held", "goodput_bps"})
    out.push_back(of.value(name, json{}));
  for (const auto* name : latencies)
    out.push_back(of.contains("latency_ns") && of["latency_ns"].is_object() ? of["latency_ns"][name]
                                                                            : json{});
  out.push_back(of.value("completed_seconds", json{}));
}

}  // namespace

std::string sweep_text(const json& sweep) {
  const auto& points = sweep["points"];
  std::vector<std::string> heads{"point"};
  for (const auto& key : sweep["keys"])
    heads.push_back(key["path"].get<std::string>());
  if (sweep["metrics"].empty())
    heads.insert(heads.end(), {"delivered", "dropped", "goodput", "p99", "paused"});
  else
    for (const auto& m : sweep["metrics"])
      heads.push_back(m.get<std::string>());
  heads.emplace_back("expectations");
  std::vector<text_table::align> columns(heads.size(), text_table::align::right);
  columns.back() = text_table::align::left;
  const auto width = heads.size();
  text_table table{std::move(heads), std::move(columns)};
  for (const auto& p : points) {
    std::vector<std::string> cells{std::to_string(p["point"].get<unsigned>())};
    for (const auto& v : p["values"])
      cells.push_back(v.get<std::string>());
    if (!ran(p)) {
      cells.resize(width - 1, "-");
    } else if (sweep["metrics"].empty()) {
      cells.push_back(human_share(number_in(p, "delivered"), number_in(p, "made")));
      cells.push_back(count(p["dropped"]));
      cells.push_back(human_rate(number_in(p, "goodput_bps")));
      cells.push_back(latency_text(p, "p99"));
      cells.push_back(human_time(number_in(p, "paused_seconds")));
    } else {
      for (const auto& m : p["metrics"])
        cells.push_back(in_unit(m["measured"], m["unit"].get<std::string>()));
    }
    cells.push_back(verdict_text(p));
    table.row(std::move(cells));
  }
  auto out = table.to_string("", 160);

  const auto at = [&](const json& number) {
    for (const auto& p : points)
      if (p["point"] == number)
        return label_of(sweep, p);
    return std::string{};
  };
  if (!sweep["expect"].empty())
    out += '\n';
  for (const auto& e : sweep["expect"]) {
    const auto text = e["text"].get<std::string>();
    const auto failed = e["failed"].get<std::size_t>(), all = e["points"].get<std::size_t>();
    out += failed == 0
               ? fmt::format("{}: held at {} of {} points\n", text, all, all)
               : fmt::format("{}: did not hold at {} of {} points, first at point {} ({})\n", text,
                             failed, all, e["first_failed"].get<unsigned>(), at(e["first_failed"]));
  }
  return out;
}

std::string sweep_csv(const json& sweep) {
  auto heads = heads_of(sweep);
  heads.emplace_back("verdict");
  add_figure_heads(heads);
  for (const auto* name :
       {"stops", "paused_seconds", "pause_frames", "virtual_seconds", "seed", "fingerprint"})
    heads.emplace_back(name);
  for (const auto& m : sweep["metrics"])
    heads.push_back(m);
  heads.emplace_back("expectations_failed");
  auto out = line(heads);
  for (const auto& p : sweep["points"]) {
    auto fields = begin_of(sweep, p);
    fields.push_back(p["verdict"]);
    add_figures(fields, p);
    for (const auto* name :
         {"stops", "paused_seconds", "pause_frames", "virtual_seconds", "seed", "fingerprint"})
      fields.push_back(p.value(name, json{}));
    for (std::size_t m = 0; m < sweep["metrics"].size(); ++m)
      fields.push_back(ran(p) ? p["metrics"][m]["measured"] : json{});
    fields.push_back(ran(p) ? json(std::ranges::count_if(
                         p["expect"], [](const json& e) { return e["ok"] == false; }))
                            : json{});
    out += line(fields);
  }
  return out;
}

std::string sweep_flows_csv(const json& sweep) {
  auto heads = heads_of(sweep);
  heads.emplace_back("flow");
  add_figure_heads(heads);
  auto out = line(heads);
  for (const auto& p : sweep["points"]) {
    if (!ran(p))
      continue;
    for (const auto& [name, flow] : p["flows"].items()) {
      auto fields = begin_of(sweep, p);
      fields.emplace_back(name);
      add_figures(fields, flow);
      out += line(fields);
    }
  }
  return out;
}

std::string sweep_html(const json& sweep) {
  return page_html(fmt::format("{}, sweep", sweep.value("scenario", "a scenario")), sweep,
                   page_script::sweep);
}

}  // namespace sluice
