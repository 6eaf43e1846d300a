#include "topology/graph.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "metrics/text.hpp"
#include "topology/routing.hpp"

namespace sluice {

namespace {

struct unit {
  std::string_view name;
  std::uint64_t scale;
};

template <std::size_t n>
std::string compact(std::uint64_t amount, const std::array<unit, n>& units) {
  for (auto u = units.rbegin(); u != units.rend(); ++u)
    if (amount >= u->scale)
      return amount % u->scale == 0
                 ? fmt::format("{}{}", amount / u->scale, u->name)
                 : fmt::format("{:.4g}{}",
                               static_cast<double>(amount) / static_cast<double>(u->scale),
                               u->name);
  return fmt::format("0{}", units[0].name);
}

std::string show_rate(std::uint64_t bps) {
  static constexpr std::array units{unit{"bit", 1}, unit{"kbit", 1'000}, unit{"Mbit", 1'000'000},
                                    unit{"Gbit", 1'000'000'000}, unit{"Tbit", 1'000'000'000'000}};
  return compact(bps, units);
}

std::string show_time(sim_time t) {
  static constexpr std::array units{unit{"ps", picosecond}, unit{"ns", nanosecond},
                                    unit{"us", microsecond}, unit{"ms", millisecond},
                                    unit{"s", second}};
  return compact(static_cast<std::uint64_t>(t), units);
}

std::string show_size(std::int64_t bytes) {
  static constexpr std::array units{unit{"B", 1}, unit{"KiB", 1024}, unit{"MiB", 1024 * 1024},
                                    unit{"GiB", 1024 * 1024 * 1024}};
  return compact(static_cast<std::uint64_t>(bytes), units);
}

std::string_view kind_of(const node& n) {
  static constexpr std::array<std::string_view, 4> names{"host", "switch", "generator", "sink"};
  return names[n.as.index()];
}

std::string line_label(const link& l) {
  return fmt::format("{}, {}", show_rate(l.rate_bps), show_time(l.delay));
}

/// "vm4 10.99.0.2": what a box says of a VM.
std::string vm_label(const vm_settings& vm) {
  return vm.ip.empty() ? vm.name : vm.name + " " + vm.ip;
}

// -- dot, Mermaid, JSON -------------------------------------------------------------------------

std::string in_quotes(std::string_view text) {
  std::string out{"\""};
  for (const char c : text) {
    if (c == '"' || c == '\\')
      out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out + '"';
}

std::string dot(const scenario& s) {
  auto out =
      fmt::format("graph {} {{\n  rankdir=BT;\n  node [fontname=\"sans-serif\", shape=box];\n",
                  in_quotes(s.name));
  for (const auto& n : s.nodes) {
    auto label = n.name;
    if (const auto* h = std::get_if<host_settings>(&n.as))
      for (const auto& vm : h->vms)
        label += "\\n" + vm_label(vm);
    const auto style = kind_of(n) == "switch"      ? ", style=rounded"
                       : kind_of(n) == "generator" ? ", shape=cds"
                       : kind_of(n) == "sink"      ? ", shape=invhouse"
                                                   : "";
    out += fmt::format("  \"{}\" [label=\"{}\"{}];\n", n.name, label, style);
  }
  for (const auto& l : s.links)
    out += fmt::format("  \"{}\" -- \"{}\" [label=\"{}\", taillabel=\"{}\", headlabel=\"{}\"];\n",
                       l.a.node, l.b.node, line_label(l), l.a.port, l.b.port);
  return out + "}\n";
}

// Mermaid has no quoting in identifiers, so nodes are numbered.
std::string mermaid(const scenario& s) {
  std::map<std::string_view, std::size_t> index;
  std::string out = "flowchart BT\n";
  for (std::size_t i = 0; i < s.nodes.size(); ++i) {
    const auto& n = s.nodes[i];
    index.emplace(n.name, i);
    auto label = n.name;
    if (const auto* h = std::get_if<host_settings>(&n.as))
      for (const auto& vm : h->vms)
        label += "<br/>" + vm_label(vm);
    const auto kind = kind_of(n);
    const auto open = kind == "switch"      ? "(["
                      : kind == "generator" ? "[/"
                      : kind == "sink"      ? "[\\"
                                            : "[";
    const auto close = kind == "switch"      ? "])"
                       : kind == "generator" ? "/]"
                       : kind == "sink"      ? "\\]"
                                             : "]";
    out += fmt::format("  n{}{}\"{}\"{}\n", i, open, label, close);
  }
  for (const auto& l : s.links)
    out += fmt::format("  n{} ---|\"{}\"| n{}\n", index.at(l.a.node), line_label(l),
                       index.at(l.b.node));
  return out;
}

std::string json_text(const scenario& s) {
  using json = nlohmann::ordered_json;
  json out{{"name", s.name}, {"nodes", json::array()}, {"links", json::array()}};
  for (const auto& n : s.nodes) {
    json o{{"name", n.name}, {"kind", kind_of(n)}};
    if (const auto* h = std::get_if<host_settings>(&n.as)) {
      o["vms"] = json::array();
      for (const auto& vm : h->vms) {
        json v{{"name", vm.name}, {"drain_bps", vm.drain_bps}};
        if (!vm.ip.empty())
          v["ip"] = vm.ip;
        if (!vm.mac.empty())
          v["mac"] = vm.mac;
        for (const auto& k : vm.sockets)
          v["sockets"].push_back({{"name", k.name}, {"port", k.port}, {"drain_bps", k.drain_bps}});
        o["vms"].push_back(std::move(v));
      }
    } else if (const auto* sw = std::get_if<switch_settings>(&n.as)) {
      o["buffer_bytes"] = sw->buffer_bytes;
    } else if (const auto* sink = std::get_if<sink_settings>(&n.as)) {
      o["drain_bps"] = sink->drain_bps;
    }
    out["nodes"].push_back(std::move(o));
  }
  for (const auto& l : s.links)
    out["links"].push_back({{"a", l.a.node + ":" + l.a.port},
                            {"b", l.b.node + ":" + l.b.port},
                            {"rate_bps", l.rate_bps},
                            {"delay_ps", l.delay},
                            {"mtu", l.mtu}});
  return out.dump(2) + "\n";
}

// -- SVG ----------------------------------------------------------------------------------------

constexpr double char_width = 7.2, line_height = 17, padding = 10, gap = 22, tier_gap = 96;
constexpr double margin = 24, title_height = 54;
constexpr std::size_t line_colours = 5;  // line0 to line4 of the style
constexpr std::size_t shown_vms = 6;     // in a box; the others are counted
constexpr std::size_t straight_row =
    10;  // endpoints side by side under one switch; more make a block

// Light first; the dark half repeats what differs. (Not variables: some viewers know none.)
constexpr std::string_view style = R"(<style>
  .bg { fill: #ffffff; }
  text { font: 12px ui-sans-serif, "DejaVu Sans", sans-serif; fill: #1c2430; }
  .title { font-size: 17px; font-weight: 600; }
  .name { font-weight: 600; }
  .small { font-size: 11px; fill: #5a6675; }
  .box { stroke-width: 1.4; }
  .host { fill: #eef4ff; stroke: #4d7fd0; }
  .switch { fill: #e9f7ef; stroke: #2f9160; }
  .generator { fill: #fff4e5; stroke: #cc8420; }
  .sink { fill: #f7edfb; stroke: #9455b5; }
  .link { stroke: #8593a5; stroke-width: 1.6; fill: none; }
  .line1 { stroke: #c4572b; stroke-width: 2.4; }
  .line2 { stroke: #2b76c4; stroke-width: 2.4; }
  .line3 { stroke: #8a5cc4; stroke-width: 2.4; }
  .line4 { stroke: #b3487f; stroke-width: 2.4; stroke-dasharray: 6 3; }
  .plate { fill: #ffffff; opacity: 0.88; }
  @media (prefers-color-scheme: dark) {
    .bg { fill: #14181f; }
    text { fill: #e4e9f0; }
    .small { fill: #9aa7b8; }
    .host { fill: #1b2a44; stroke: #6d9bea; }
    .switch { fill: #173327; stroke: #4fb583; }
    .generator { fill: #3a2a12; stroke: #dda04a; }
    .sink { fill: #321f3d; stroke: #b681d3; }
    .link { stroke: #76849a; }
    .line1 { stroke: #e8845a; }
    .line2 { stroke: #66a8ee; }
    .line3 { stroke: #b592e8; }
    .line4 { stroke: #e084b4; }
    .plate { fill: #14181f; }
  }
</style>
)";

class drawing {
public:
  explicit drawing(const scenario& s) : s_{s}, routes_{s}, boxes_(s.nodes.size()) {}

  std::string svg() {
    measure();
    find_tiers();
    place();
    find_line_kinds();
    return text();
  }

private:
  struct box {
    double x = 0, y = 0, w = 0, h = 0;
    std::vector<std::string> lines;
    std::string note;  // beside the name
    std::size_t tier = 0;
    double centre() const { return x + w / 2; }
  };

  bool is_switch(std::size_t n) const {
    return std::holds_alternative<switch_settings>(s_.nodes[n].as);
  }

  void measure() {
    for (std::size_t i = 0; i < boxes_.size(); ++i) {
      auto& b = boxes_[i];
      const auto& n = s_.nodes[i];
      if (const auto* h = std::get_if<host_settings>(&n.as)) {
        b.note = h->vms.empty() ? "no VM" : "";
        for (std::size_t v = 0; v < h->vms.size(); ++v) {
          if (v + 1 == shown_vms && h->vms.size() > shown_vms) {
            b.lines.push_back(fmt::format("+ {} VMs", h->vms.size() - v));
            break;
          }
          b.lines.push_back(vm_label(h->vms[v]));
        }
      } else if (const auto* sw = std::get_if<switch_settings>(&n.as)) {
        b.note = show_size(sw->buffer_bytes);
      } else if (const auto* sink = std::get_if<sink_settings>(&n.as)) {
        b.note = sink->drain_bps == 0 ? "sink" : show_rate(sink->drain_bps);
      } else {
        b.note = "generator";
      }
      auto widest = static_cast<double>(n.name.size()) * 1.1;
      if (!b.note.empty())
        widest += 1 + static_cast<double>(b.note.size());
      for (const auto& l : b.lines)
        widest = std::max(widest, static_cast<double>(l.size()));
      b.w = std::max(is_switch(i) ? 96.0 : 64.0, widest * char_width + 2 * padding);
      b.h = line_height * static_cast<double>(1 + b.lines.size()) + padding;
    }
  }

  // Endpoints are tier 0, a switch is one above the nearest endpoint or lower switch.
  void find_tiers() {
    std::vector<std::size_t> queue;
    std::vector<bool> seen(boxes_.size());
    for (std::size_t i = 0; i < boxes_.size(); ++i) {
      if (!is_switch(i))
        continue;
      const auto ports = routes_.ports(i);
      if (std::any_of(ports.begin(), ports.end(),
                      [&](const auto& p) { return !is_switch(p.peer); })) {
        boxes_[i].tier = 1;
        seen[i] = true;
        queue.push_back(i);
      }
    }
    for (std::size_t head = 0; head < queue.size(); ++head)
      for (const auto& p : routes_.ports(queue[head]))
        if (is_switch(p.peer) && !seen[p.peer]) {
          seen[p.peer] = true;
          boxes_[p.peer].tier = boxes_[queue[head]].tier + 1;
          queue.push_back(p.peer);
        }
    for (std::size_t i = 0; i < boxes_.size(); ++i)
      if (is_switch(i) && !seen[i])
        boxes_[i].tier = 1;
  }

  void place() {
    // Tier 0, in groups by the switch above; what hangs on no switch makes groups of its own.
    struct group {
      std::size_t leaf = SIZE_MAX;
      std::vector<std::size_t> members;
    };
    std::vector<group> groups;
    std::map<std::size_t, std::size_t> group_of;
    for (std::size_t i = 0; i < boxes_.size(); ++i)
      if (boxes_[i].tier == 1) {
        group_of[i] = groups.size();
        groups.push_back({i, {}});
      }
    std::vector<bool> placed(boxes_.size());
    for (std::size_t i = 0; i < boxes_.size(); ++i) {
      if (is_switch(i) || placed[i])
        continue;
      const auto ports = routes_.ports(i);
      if (!ports.empty() && is_switch(ports[0].peer)) {
        groups[group_of.at(ports[0].peer)].members.push_back(i);
        continue;
      }
      groups.push_back({SIZE_MAX, {i}});
      placed[i] = true;
      if (!ports.empty()) {
        groups.back().members.push_back(ports[0].peer);
        placed[ports[0].peer] = true;
      }
    }

    std::size_t tiers = 0;
    std::vector<double> tier_height{0};
    for (const auto& b : boxes_) {
      tiers = std::max(tiers, b.tier);
      tier_height.resize(std::max(tier_height.size(), b.tier + 1));
      if (b.tier > 0)
        tier_height[b.tier] = std::max(tier_height[b.tier], b.h);
    }
    std::vector<double> tier_top(tiers + 1);
    // Switches of the highest tier that are linked to each other bow upwards.
    double y = margin + title_height;
    for (std::size_t i = 0; i < boxes_.size(); ++i)
      for (const auto& p : routes_.ports(i))
        if (tiers > 0 && boxes_[i].tier == tiers && boxes_[p.peer].tier == tiers)
          y = margin + title_height + tier_gap * 0.7;
    for (auto t = tiers; t > 0; --t) {
      tier_top[t] = y;
      y += tier_height[t] + tier_gap;
    }
    tier_top[0] = y;

    double x = margin;
    for (const auto& g : groups) {
      double cell = 0, row = 0, widest = g.leaf == SIZE_MAX ? 0 : boxes_[g.leaf].w;
      for (const auto m : g.members) {
        cell = std::max(cell, boxes_[m].w);
        row = std::max(row, boxes_[m].h);
      }
      const auto count = g.members.size();
      const auto columns =
          count <= straight_row
              ? std::max<std::size_t>(1, count)
              : static_cast<std::size_t>(std::ceil(std::sqrt(static_cast<double>(count) * 0.5)));
      // A pair with a link of its own needs room for the label between them.
      const auto between = g.leaf == SIZE_MAX && count == 2 ? 60.0 : gap;
      const auto block = static_cast<double>(columns) * (cell + between) - between;
      widest = std::max(widest, block);
      for (std::size_t m = 0; m < count; ++m) {
        auto& b = boxes_[g.members[m]];
        const auto column = static_cast<double>(m % columns);
        b.x = x + (widest - block) / 2 + column * (cell + between) + (cell - b.w) / 2;
        b.y = tier_top[0] + static_cast<double>(m / columns) * (row + gap);
      }
      if (g.leaf != SIZE_MAX) {
        boxes_[g.leaf].x = x + (widest - boxes_[g.leaf].w) / 2;
        boxes_[g.leaf].y = tier_top[1];
      }
      x += widest + 2 * gap;
    }
    width_ = std::max(x - 2 * gap + margin, 420.0);

    // Higher tiers: in the order of the middle of what is below, spread over the width.
    for (std::size_t t = 2; t <= tiers; ++t) {
      std::vector<std::pair<double, std::size_t>> row;
      for (std::size_t i = 0; i < boxes_.size(); ++i) {
        if (boxes_[i].tier != t)
          continue;
        double sum = 0, n = 0;
        for (const auto& p : routes_.ports(i))
          if (boxes_[p.peer].tier == t - 1) {
            sum += boxes_[p.peer].centre();
            ++n;
          }
        row.emplace_back(n > 0 ? sum / n : 0, i);
      }
      std::stable_sort(row.begin(), row.end(),
                       [](const auto& a, const auto& b) { return a.first < b.first; });
      double total = -gap;
      for (const auto& [centre, i] : row)
        total += boxes_[i].w + gap;
      width_ = std::max(width_, total + 2 * margin);
      const auto slot = (width_ - 2 * margin) / static_cast<double>(row.size());
      for (std::size_t k = 0; k < row.size(); ++k) {
        auto& b = boxes_[row[k].second];
        b.x = margin + (static_cast<double>(k) + 0.5) * slot - b.w / 2;
        b.y = tier_top[t];
      }
    }
    height_ = 0;
    for (const auto& b : boxes_)
      height_ = std::max(height_, b.y + b.h);
    height_ += margin;
  }

  // The most frequent kinds of lines get a colour each, which the legend explains; what is rarer is
  // labelled where it is.
  void find_line_kinds() {
    std::map<std::string, std::size_t> counts;
    for (const auto& l : s_.links)
      ++counts[line_label(l)];
    std::vector<std::pair<std::string, std::size_t>> sorted{counts.begin(), counts.end()};
    std::stable_sort(sorted.begin(), sorted.end(),
                     [](const auto& x, const auto& y) { return x.second > y.second; });
    for (std::size_t i = 0; i < sorted.size() && i < line_colours; ++i)
      kinds_.push_back(sorted[i].first);
    labelled_ = sorted.size() > line_colours;
    if (labelled_)
      kinds_.pop_back();  // the last colour is for all the labelled ones
  }

  std::string text() const {
    auto out = fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0f}\" height=\"{1:.0f}\" "
        "viewBox=\"0 0 {0:.0f} {1:.0f}\" role=\"img\" aria-label=\"{2}\">\n",
        width_, height_, in_markup(s_.name));
    out += style;
    out += "<rect class=\"bg\" width=\"100%\" height=\"100%\"/>\n";
    out += fmt::format("<text class=\"title\" x=\"{}\" y=\"{}\">{}</text>\n", margin, margin + 12,
                       in_markup(s_.name));
    double x = margin;
    const auto legend = [&](std::size_t kind, std::string_view label) {
      const auto y = margin + 31;
      out += fmt::format(
          "<path class=\"link line{}\" d=\"M{:.1f},{:.1f} h24\"/><text class=\"small\" "
          "x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n",
          kind, x, y - 4, x + 30, y, label);
      x += 30 + static_cast<double>(label.size()) * 6.6 + 16;
    };
    for (std::size_t k = 0; k < kinds_.size(); ++k)
      legend(k, kinds_[k]);
    if (labelled_)
      legend(kinds_.size(), "as labelled");
    std::string labels;
    std::map<std::pair<std::size_t, std::size_t>, int> parallel;
    std::map<std::size_t, int> labelled;  // how many labels a lower end has already
    for (std::size_t n = 0; n < boxes_.size(); ++n)
      for (const auto& p : routes_.ports(n))
        if (p.at_a)
          line(s_.links[p.link], n, p.peer, parallel[std::minmax(n, std::size_t{p.peer})]++,
               labelled, out, labels);
    for (std::size_t i = 0; i < boxes_.size(); ++i)
      node_box(i, out);
    return out + labels + "</svg>\n";
  }

  static double bow_of(const box& left, const box& right) {
    return std::min(tier_gap * 0.6, 24 + (right.x - left.x) / 8);
  }

  void line(const link& l, std::size_t a, std::size_t b, int nth,
            std::map<std::size_t, int>& labelled, std::string& out, std::string& labels) const {
    if (boxes_[a].y < boxes_[b].y)
      std::swap(a, b);
    const auto& low = boxes_[a];
    const auto& high = boxes_[b];
    const auto label = line_label(l);
    const auto kind =
        static_cast<std::size_t>(std::find(kinds_.begin(), kinds_.end(), label) - kinds_.begin());
    const auto special = kind == kinds_.size();
    // Parallel links side by side: 0, +9, -9, +18...
    const auto shift = 9.0 * ((nth + 1) / 2) * (nth % 2 == 1 ? 1 : -1);
    const auto title = fmt::format("{}:{} -- {}:{}, {}, mtu {}", l.a.node, l.a.port, l.b.node,
                                   l.b.port, label, l.mtu);
    // For programs that show something on it: a report.
    const auto ends = fmt::format(" data-a=\"{}:{}\" data-b=\"{}:{}\"", in_markup(l.a.node),
                                  in_markup(l.a.port), in_markup(l.b.node), in_markup(l.b.port));
    double lx = 0, ly = 0;
    if (low.tier != high.tier) {
      const auto x1 = low.centre() + shift, y1 = low.y, x2 = high.centre() + shift;
      const auto y2 = high.y + high.h;
      out += fmt::format(
          "<path class=\"link line{}\"{} d=\"M{:.1f},{:.1f} L{:.1f},{:.1f}\"><title>{}</title>"
          "</path>\n",
          kind, ends, x1, y1, x2, y2, title);
      const auto t = 0.35 + 0.15 * (labelled[a] % 3);
      lx = x1 + (x2 - x1) * t;
      ly = y1 + (y2 - y1) * t;
    } else {
      // In one row: straight between neighbours, else a bow above what stands between.
      const auto& left = low.x < high.x ? low : high;
      const auto& right = low.x < high.x ? high : low;
      const auto neighbours = std::none_of(boxes_.begin(), boxes_.end(), [&](const box& o) {
        return o.y == left.y && o.x > left.x && o.x < right.x;
      });
      if (neighbours) {
        const auto y = left.y + std::min(left.h, right.h) / 2 + shift;
        out += fmt::format(
            "<path class=\"link line{}\"{} d=\"M{:.1f},{:.1f} L{:.1f},{:.1f}\"><title>{}"
            "</title></path>\n",
            kind, ends, left.x + left.w, y, right.x, y, title);
        lx = (left.x + left.w + right.x) / 2;
        ly = y;
      } else {
        const auto bow = bow_of(left, right) - shift;
        out += fmt::format(
            "<path class=\"link line{}\"{} d=\"M{:.1f},{:.1f} Q{:.1f},{:.1f} {:.1f},{:.1f}\">"
            "<title>{}</title></path>\n",
            kind, ends, left.centre(), left.y, (left.centre() + right.centre()) / 2,
            left.y - bow * 2, right.centre(), right.y, title);
        lx = (left.centre() + right.centre()) / 2;
        ly = left.y - bow;
      }
    }
    if (!special)
      return;
    ++labelled[a];
    const auto w = static_cast<double>(label.size()) * 6.6 + 8;
    labels += fmt::format(
        "<rect class=\"plate\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"16\" rx=\"3\"/>"
        "<text class=\"small\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{}</text>\n",
        lx - w / 2, ly - 8, w, lx, ly + 4, label);
  }

  void node_box(std::size_t i, std::string& out) const {
    const auto& b = boxes_[i];
    const auto& n = s_.nodes[i];
    out += fmt::format(
        "<g data-node=\"{}\"><title>{} {}, {} link{}</title><rect class=\"box {}\" x=\"{:.1f}\" "
        "y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" rx=\"{}\"/>",
        in_markup(n.name), kind_of(n), in_markup(n.name), routes_.ports(i).size(),
        routes_.ports(i).size() == 1 ? "" : "s", kind_of(n), b.x, b.y, b.w, b.h,
        is_switch(i) ? 12 : 4);
    auto y = b.y + line_height - 1;
    out += fmt::format(
        "<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\"><tspan "
        "class=\"name\">{}</tspan>",
        b.centre(), y, in_markup(n.name));
    if (!b.note.empty())
      out += fmt::format(" <tspan class=\"small\">{}</tspan>", in_markup(b.note));
    out += "</text>";
    for (const auto& l : b.lines) {
      y += line_height;
      out += fmt::format(
          "<text class=\"small\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{}"
          "</text>",
          b.centre(), y, in_markup(l));
    }
    out += "</g>\n";
  }

  const scenario& s_;
  routes routes_;
  std::vector<box> boxes_;
  std::vector<std::string> kinds_;
  bool labelled_ = false;
  double width_ = 0, height_ = 0;
};

}  // namespace

std::optional<graph_format> parse_graph_format(std::string_view name) {
  if (name == "svg")
    return graph_format::svg;
  if (name == "dot")
    return graph_format::dot;
  if (name == "mermaid")
    return graph_format::mermaid;
  if (name == "json")
    return graph_format::json;
  return std::nullopt;
}

std::string graph(const scenario& s, graph_format format) {
  switch (format) {
    case graph_format::dot:
      return dot(s);
    case graph_format::mermaid:
      return mermaid(s);
    case graph_format::json:
      return json_text(s);
    case graph_format::svg:
      break;
  }
  return drawing{s}.svg();
}

}  // namespace sluice
