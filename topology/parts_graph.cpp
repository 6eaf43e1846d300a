#include "topology/parts_graph.hpp"

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>
#include <vector>

namespace sluice {

namespace {

struct part {
  std::string name;
  loss_point loses = loss_point::none;
};

std::string_view word(loss_point p) {
  return p == loss_point::open ? "open" : p == loss_point::guarded ? "guarded" : "none";
}

}  // namespace

std::string parts_graph(const network& net, graph_format format) {
  std::vector<part> parts;
  std::map<std::string, std::size_t> number;
  std::map<std::string, loss_point> loses;
  for (const auto& c : net.components())
    loses.emplace(c->name(), c->loses());
  const auto of = [&](const std::string& name) {
    const auto [it, added] = number.emplace(name, parts.size());
    if (added)
      parts.push_back({name, loses[name]});
    return it->second;
  };
  std::vector<std::pair<std::size_t, std::size_t>> hops;
  for (const auto& h : net.hops()) {
    const auto from = of(h.from);
    hops.emplace_back(from, of(h.to));
  }
  if (format == graph_format::json) {
    nlohmann::json out{{"parts", nlohmann::json::array()}, {"hops", nlohmann::json::array()}};
    for (const auto& p : parts)
      out["parts"].push_back({{"name", p.name}, {"loss_point", word(p.loses)}});
    for (const auto& [from, to] : hops)
      out["hops"].push_back({{"from", parts[from].name}, {"to", parts[to].name}});
    return out.dump(2);
  }
  std::string text;
  if (format == graph_format::mermaid) {
    text =
        "flowchart LR\n  classDef open fill:#fbb,stroke:#a00\n  classDef guarded "
        "fill:#bfb,stroke:#080\n";
    for (std::size_t i = 0; i < parts.size(); ++i)
      text += fmt::format("  p{}[\"{}\"]{}\n", i, parts[i].name,
                          parts[i].loses == loss_point::none
                              ? std::string{}
                              : fmt::format(":::{}", word(parts[i].loses)));
    for (const auto& [from, to] : hops)
      text += fmt::format("  p{} --> p{}\n", from, to);
  } else if (format == graph_format::dot) {
    text = "digraph parts {\n  rankdir=LR;\n  node [shape=box];\n";
    for (std::size_t i = 0; i < parts.size(); ++i)
      text += fmt::format("  p{} [label=\"{}\"{}];\n", i, parts[i].name,
                          parts[i].loses == loss_point::open ? " style=filled fillcolor=\"#ffbbbb\""
                          : parts[i].loses == loss_point::guarded
                              ? " style=filled fillcolor=\"#bbffbb\""
                              : "");
    for (const auto& [from, to] : hops)
      text += fmt::format("  p{} -> p{};\n", from, to);
    text += "}\n";
  }
  return text;
}

}  // namespace sluice
