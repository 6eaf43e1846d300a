/// \file
/// `sluice graph FILE`: the topology as a picture (SVG), or as text for Graphviz, Mermaid or programs.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>

#include "cli/execute.hpp"
#include "cli/exit_code.hpp"
#include "cli/output.hpp"
#include "cli/verbs.hpp"
#include "metrics/text.hpp"

namespace sluice {

namespace {

struct kind_names {
  std::string_view operator()(const host_settings&) const { return "host"; }
  std::string_view operator()(const switch_settings&) const { return "switch"; }
  std::string_view operator()(const generator_settings&) const { return "generator"; }
  std::string_view operator()(const sink_settings&) const { return "sink"; }
};

std::string kind_of(const node& n) {
  return std::string{std::visit(kind_names{}, n.as)};
}

std::vector<std::string> vms_of(const node& n) {
  std::vector<std::string> names;
  if (const auto* host = std::get_if<host_settings>(&n.as))
    for (const auto& vm : host->vms)
      names.push_back(vm.name);
  return names;
}

std::string label_of(const link& l) {
  // "25 Gbit/s" needs no "/s" where every label is a line's rate.
  auto rate = human_rate(static_cast<double>(l.rate_bps));
  rate.erase(rate.size() - 2);
  return fmt::format("{}, {}", rate, human_time_ps(l.delay));
}

std::map<std::string, std::size_t> index_of_nodes(const scenario& s) {
  std::map<std::string, std::size_t> index;
  for (std::size_t i = 0; i < s.nodes.size(); ++i)
    index.emplace(s.nodes[i].name, i);
  return index;
}

/// Escaped for XML; Graphviz and Mermaid take the same entities in quoted labels.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string as_json(const scenario& s) {
  nlohmann::json out{{"scenario", s.name},
                     {"nodes", nlohmann::json::array()},
                     {"links", nlohmann::json::array()},
                     {"traffic", nlohmann::json::array()}};
  for (const auto& n : s.nodes) {
    nlohmann::json node{{"name", n.name}, {"kind", kind_of(n)}};
    if (n.as.index() == 0)
      node["vms"] = vms_of(n);
    out["nodes"].push_back(std::move(node));
  }
  for (const auto& l : s.links)
    out["links"].push_back({{"a", {{"node", l.a.node}, {"port", l.a.port}}},
                            {"b", {{"node", l.b.node}, {"port", l.b.port}}},
                            {"rate_bps", l.rate_bps},
                            {"delay_seconds", static_cast<double>(l.delay) / second},
                            {"mtu", l.mtu}});
  for (const auto& t : s.traffic)
    out["traffic"].push_back({{"name", t.name}, {"from", t.from}, {"to", t.to}});
  return json_line(out);
}

std::string as_dot(const scenario& s) {
  std::string out = fmt::format("graph \"{}\" {{\n  node [fontname=\"sans-serif\"];\n", escaped(s.name));
  const auto index = index_of_nodes(s);
  for (std::size_t i = 0; i < s.nodes.size(); ++i) {
    const auto& n = s.nodes[i];
    std::string label = escaped(n.name);
    for (const auto& vm : vms_of(n))
      label += "\\n" + escaped(vm);
    const auto kind = kind_of(n);
    out += fmt::format("  n{} [label=\"{}\", shape={}];\n", i, label,
                       kind == "switch" ? "box3d" : kind == "host" ? "box" : "ellipse");
  }
  for (const auto& l : s.links)
    out += fmt::format("  n{} -- n{} [label=\"{}\", taillabel=\"{}\", headlabel=\"{}\"];\n",
                       index.at(l.a.node), index.at(l.b.node), label_of(l), escaped(l.a.port),
                       escaped(l.b.port));
  return out + "}\n";
}

std::string as_mermaid(const scenario& s) {
  std::string out = "graph TD\n";
  const auto index = index_of_nodes(s);
  for (std::size_t i = 0; i < s.nodes.size(); ++i) {
    const auto& n = s.nodes[i];
    std::string label = escaped(n.name);
    for (const auto& vm : vms_of(n))
      label += "<br/>" + escaped(vm);
    const auto kind = kind_of(n);
    const auto [open, close] = kind == "switch" ? std::pair{"{{", "}}"}
                               : kind == "host" ? std::pair{"[", "]"}
                                                : std::pair{"([", "])"};
    out += fmt::format("  n{}{}\"{}\"{}\n", i, open, label, close);
  }
  for (const auto& l : s.links)
    out += fmt::format("  n{} ---|\"{}\"| n{}\n", index.at(l.a.node), label_of(l), index.at(l.b.node));
  return out;
}

/// Rows of nodes: hosts and other ends at the bottom, switches above by their distance to them.
class layout {
public:
  struct box {
    double x = 0, y = 0, width = 0, height = 0;
  };

  layout(const scenario& s, const std::map<std::string, std::size_t>& index)
      : boxes_(s.nodes.size()), neighbours_(s.nodes.size()) {
    for (const auto& l : s.links) {
      const auto a = index.at(l.a.node), b = index.at(l.b.node);
      neighbours_[a].push_back(b);
      neighbours_[b].push_back(a);
    }
    const auto rows = order(rank(s));
    std::vector<double> row_width;
    for (const auto& row : rows) {
      double w = margin;
      for (const auto i : row) {
        const auto vms = vms_of(s.nodes[i]);
        auto longest = s.nodes[i].name.size();
        for (const auto& vm : vms)
          longest = std::max(longest, vm.size() + 2);
        boxes_[i].width = std::max(90.0, 20 + 8.0 * static_cast<double>(longest));
        boxes_[i].height = 44 + 18 * static_cast<double>(vms.size());
        w += boxes_[i].width + gap;
      }
      row_width.push_back(w - gap + margin);
    }
    width_ = row_width.empty() ? 0 : std::ranges::max(row_width);
    double y = margin;
    for (std::size_t r = rows.size(); r-- > 0;) {
      double x = (width_ - row_width[r]) / 2 + margin, tallest = 0;
      for (const auto i : rows[r]) {
        boxes_[i].x = x;
        boxes_[i].y = y;
        x += boxes_[i].width + gap;
        tallest = std::max(tallest, boxes_[i].height);
      }
      y += tallest + row_gap;
    }
    height_ = y - row_gap + margin;
  }

  const box& at(std::size_t i) const { return boxes_[i]; }
  double width() const { return width_; }
  double height() const { return height_; }

private:
  static constexpr double margin = 24, gap = 36, row_gap = 90;

  /// Distance to the nearest node that is no switch; a switch without any stands in row 1.
  std::vector<std::size_t> rank(const scenario& s) const {
    constexpr auto unset = SIZE_MAX;
    std::vector<std::size_t> ranks(s.nodes.size(), unset), queue;
    for (std::size_t i = 0; i < s.nodes.size(); ++i)
      if (!std::holds_alternative<switch_settings>(s.nodes[i].as)) {
        ranks[i] = 0;
        queue.push_back(i);
      }
    for (std::size_t next = 0; next < queue.size(); ++next)
      for (const auto other : neighbours_[queue[next]])
        if (ranks[other] == unset) {
          ranks[other] = ranks[queue[next]] + 1;
          queue.push_back(other);
        }
    std::ranges::replace(ranks, unset, std::size_t{1});
    return ranks;
  }

  /// Rows from the bottom; each node near those it is linked to in the row below.
  std::vector<std::vector<std::size_t>> order(const std::vector<std::size_t>& ranks) const {
    std::vector<std::vector<std::size_t>> rows;
    std::vector<double> place(ranks.size());
    const auto sort_row = [&](std::vector<std::size_t>& row, auto wanted) {
      std::ranges::stable_sort(row, {}, wanted);
      for (std::size_t i = 0; i < row.size(); ++i)
        place[row[i]] = static_cast<double>(i) / static_cast<double>(row.size());
    };
    for (std::size_t i = 0; i < ranks.size(); ++i) {
      rows.resize(std::max(rows.size(), ranks[i] + 1));
      rows[ranks[i]].push_back(i);
    }
    for (std::size_t r = 0; r < rows.size(); ++r)
      sort_row(rows[r], [&](std::size_t i) {
        // The bottom row: beside others of the same switch, in the order of the file.
        if (r == 0)
          return neighbours_[i].empty() ? static_cast<double>(ranks.size())
                                        : static_cast<double>(neighbours_[i].front());
        double sum = 0, n = 0;
        for (const auto other : neighbours_[i])
          if (ranks[other] < r) {
            sum += place[other];
            ++n;
          }
        return n > 0 ? sum / n : 1.0;
      });
    return rows;
  }

  std::vector<box> boxes_;
  std::vector<std::vector<std::size_t>> neighbours_;
  double width_ = 0, height_ = 0;
};

std::string as_svg(const scenario& s) {
  const auto index = index_of_nodes(s);
  const layout places{s, index};
  std::string out = fmt::format(
      R"(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0:.0f} {1:.0f}" width="{0:.0f}" height="{1:.0f}" font-family="sans-serif" font-size="13" text-anchor="middle">
<title>{2}</title>
<rect width="100%" height="100%" fill="#fff"/>
)",
      places.width(), places.height(), escaped(s.name));
  for (const auto& l : s.links) {
    const auto &a = places.at(index.at(l.a.node)), &b = places.at(index.at(l.b.node));
    const double ax = a.x + a.width / 2, bx = b.x + b.width / 2;
    // From the edges that face each other; from middle to middle within a row.
    const double ay = a.y > b.y ? a.y : a.y < b.y ? a.y + a.height : a.y + a.height / 2;
    const double by = b.y > a.y ? b.y : b.y < a.y ? b.y + b.height : b.y + b.height / 2;
    out += fmt::format(R"(<line x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}" stroke="#789"/>)" "\n",
                       ax, ay, bx, by);
    out += fmt::format(R"(<text x="{:.1f}" y="{:.1f}" font-size="10" fill="#567">{}</text>)" "\n",
                       (ax + bx) / 2, (ay + by) / 2 - 3, label_of(l));
  }
  for (std::size_t i = 0; i < s.nodes.size(); ++i) {
    const auto& b = places.at(i);
    const auto kind = kind_of(s.nodes[i]);
    const auto* fill = kind == "switch" ? "#dbe8f7" : kind == "host" ? "#e5f3e1" : "#fdf0d5";
    out += fmt::format(R"(<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" rx="6" fill="{}" stroke="#345"/>)" "\n",
                       b.x, b.y, b.width, b.height, fill);
    const double middle = b.x + b.width / 2;
    out += fmt::format(R"(<text x="{:.1f}" y="{:.1f}" font-weight="bold">{}</text>)" "\n", middle,
                       b.y + 18, escaped(s.nodes[i].name));
    out += fmt::format(R"(<text x="{:.1f}" y="{:.1f}" font-size="10" fill="#567">{}</text>)" "\n", middle,
                       b.y + 33, kind);
    double y = b.y + 50;
    for (const auto& vm : vms_of(s.nodes[i])) {
      out += fmt::format(R"(<text x="{:.1f}" y="{:.1f}">{}</text>)" "\n", middle, y, escaped(vm));
      y += 18;
    }
  }
  return out + "</svg>\n";
}

}  // namespace

verb add_graph(CLI::App& app) {
  struct arguments {
    std::string file, format = "svg";
  };
  auto* command = app.add_subcommand("graph", "Print the topology as a picture");
  const auto args = std::make_shared<arguments>();
  command->add_option("FILE", args->file, "The scenario (YAML)")->required();
  command->add_option("--format", args->format, "svg (default), dot, mermaid or json")
      ->check(CLI::IsMember({"svg", "dot", "mermaid", "json"}));
  return {command, [args] {
            return with_exit_codes([&]() -> int {
              const auto loaded = load_or_fail(args->file);
              const auto& s = *loaded.value;
              fmt::print("{}", args->format == "svg"       ? as_svg(s)
                               : args->format == "dot"     ? as_dot(s)
                               : args->format == "mermaid" ? as_mermaid(s)
                                                           : as_json(s));
              return exit_ok;
            });
          }};
}

}  // namespace sluice
