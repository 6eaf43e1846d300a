#include "report/report.hpp"

#include <fmt/format.h>

#include <span>
#include <stdexcept>
#include <utility>

#include "metrics/text.hpp"
#include "report/assets.hpp"
#include "report/page.hpp"

namespace sluice {

namespace {

using nlohmann::json;

/// No element can end in it, and no comment begin.
std::string in_script(const json& value) {
  const auto text = value.dump(-1, ' ', false, json::error_handler_t::replace);
  std::string out;
  out.reserve(text.size() + 64);
  for (const char c : text)
    if (c == '<')
      out += "\\u003c";
    else
      out += c;
  return out;
}

/// A name in a page, and what takes its place.
using hole = std::pair<std::string_view, std::string>;

/// From one hole of the page to the next, in their order: what fills them is never looked into.
std::string filled(std::string_view page, std::span<const hole> holes) {
  std::string out;
  for (const auto& [name, filling] : holes) {
    const auto at = page.find(name);
    out += page.substr(0, at);
    out += filling;
    page.remove_prefix(at + name.size());
  }
  return out += page;
}

constexpr int deepest_json = 32;

}  // namespace

std::string page_html(std::string_view title, const json& data, page_script script) {
  const auto draws =
      script == page_script::report ? report_assets::report_js : report_assets::sweep_js;
  const hole holes[] = {
      {"@TITLE@", in_markup(title)},
      {"@UPLOT_LICENSE@", in_markup(report_assets::LICENSE)},
      {"@UPLOT_CSS@", std::string{report_assets::uPlot_min_css}},
      {"@CSS@", std::string{report_assets::report_css}},
      {"@DATA@", in_script(data)},
      {"@UPLOT_JS@", std::string{report_assets::uPlot_iife_min_js}},
      {"@COMMON_JS@", std::string{report_assets::common_js}},
      {"@JS@", std::string{draws}},
  };
  return filled(report_assets::page_html, holes);
}

std::string report_html(const report_parts& parts) {
  const json data{{"summary", parts.summary},   {"series", parts.series},
                  {"scenario", parts.scenario}, {"topology", parts.topology},
                  {"picture", parts.picture},   {"tap_files", parts.tap_files}};
  std::string title = "a run";
  if (parts.summary.is_object() && parts.summary.contains("scenario")
      && parts.summary["scenario"].is_string())
    title = parts.summary["scenario"].get<std::string>();
  return page_html(title, data, page_script::report);
}

std::string diff_html(const named_report& a, const named_report& b, std::string_view figures) {
  auto data = json::array();
  for (const auto* run : {&a, &b})
    data.push_back({{"name", run->name}, {"page", report_html(run->parts)}});
  const auto title = in_markup(fmt::format("{} and {}", a.name, b.name));
  const hole holes[] = {
      {"@TITLE@", title},          {"@CSS@", std::string{report_assets::report_css}},
      {"@TITLE@", title},          {"@FIGURES@", in_markup(figures)},
      {"@DATA@", in_script(data)},
  };
  return filled(report_assets::diff_html, holes);
}

std::string problem_of_summary(const json& s) {
  if (!s.is_object())
    return "it is not an object";
  for (const auto* key : {"fingerprint", "scenario"})
    if (!s.contains(key) || !s[key].is_string())
      return fmt::format("it has no text \"{}\"", key);
  for (const auto* key : {"flows", "components", "packets", "bytes"})
    if (!s.contains(key) || !s[key].is_object())
      return fmt::format("it has no object \"{}\"", key);
  for (const auto* key : {"drops", "pauses", "expect"})
    if (!s.contains(key) || !s[key].is_array())
      return fmt::format("it has no list \"{}\"", key);
  for (const auto* key : {"set", "taps"})
    if (s.contains(key) && !s[key].is_array())
      return fmt::format("\"{}\" is no list", key);
  for (const auto& each : s.value("set", json::array()))
    if (!each.is_string())
      return "\"set\" holds what is not a text";
  for (const auto& each : s.value("taps", json::array()))
    if (!each.is_object() || !each.contains("file") || !each["file"].is_string())
      return "\"taps\" holds what has no text \"file\"";
  for (const auto* group : {"flows", "components"})
    for (const auto& [name, each] : s[group].items())
      if (!each.is_object())
        return fmt::format("\"{}\" of \"{}\" is not an object", name, group);
  return {};
}

std::string problem_of_series(const json& s) {
  if (!s.is_object() || !s.contains("series") || s["series"] != 1)
    return "it is not a series of a kind that this version knows";
  if (!s.contains("seconds") || !s["seconds"].is_array())
    return "it has no list \"seconds\"";
  const auto samples = s["seconds"].size();
  for (const auto* group : {"flows", "components", "pauses", "pause_frames", "flow_packets"}) {
    if (!s.contains(group) || !s[group].is_array())
      return fmt::format("it has no list \"{}\"", group);
    for (const auto& each : s[group]) {
      if (!each.is_object())
        return fmt::format("\"{}\" holds what is not an object", group);
      for (const auto& [name, column] : each.items())
        if (column.is_array() && column.size() != samples)
          return fmt::format("a column \"{}\" of \"{}\" has {} values for {} samples", name, group,
                             column.size(), samples);
    }
  }
  return {};
}

json read_checked(const std::string& text, std::string (*problem)(const json&)) {
  bool deep = false;
  json value;
  try {
    value = json::parse(text, [&](int depth, json::parse_event_t, json&) {
      deep = deep || depth > deepest_json;
      return !deep;
    });
  } catch (const json::exception& e) {
    throw std::invalid_argument{e.what()};
  }
  if (deep)
    throw std::invalid_argument{"it is nested too deeply"};
  if (const auto why = problem(value); !why.empty())
    throw std::invalid_argument{why};
  return value;
}

}  // namespace sluice
