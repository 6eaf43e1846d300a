#include "topology/routing.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <unordered_map>

namespace sluice {

namespace {

// next_ports of a node with one port points here.
constexpr std::array<std::uint16_t, 1> only_port{0};

}  // namespace

routes::routes(const scenario& s)
    : ports_(s.nodes.size()), switch_of_(s.nodes.size(), unreachable) {
  std::unordered_map<std::string_view, std::uint32_t> index;
  for (std::uint32_t i = 0; i < s.nodes.size(); ++i) {
    index.emplace(s.nodes[i].name, i);
    if (std::holds_alternative<switch_settings>(s.nodes[i].as)) {
      switch_of_[i] = static_cast<std::uint32_t>(node_of_.size());
      node_of_.push_back(i);
    }
  }
  for (std::uint32_t l = 0; l < s.links.size(); ++l) {
    const auto a = index.at(s.links[l].a.node);
    const auto b = index.at(s.links[l].b.node);
    const auto port_a = static_cast<std::uint16_t>(ports_[a].size());
    const auto port_b = static_cast<std::uint16_t>(ports_[b].size() + (a == b ? 1 : 0));
    ports_[a].push_back({l, b, port_b, true});
    ports_[b].push_back({l, a, port_a, false});
  }

  // One search a destination switch, from it outwards; links have the same cost both ways.
  const auto switches = node_of_.size();
  tables_.resize(switches);
  std::vector<std::uint32_t> queue;
  queue.reserve(switches);
  for (std::uint32_t destination = 0; destination < switches; ++destination) {
    auto& t = tables_[destination];
    t.distance.assign(switches, unreachable);
    t.distance[destination] = 0;
    queue.assign(1, destination);
    for (std::size_t head = 0; head < queue.size(); ++head) {
      const auto here = queue[head];
      for (const auto& p : ports_[node_of_[here]]) {
        const auto next = switch_of_[p.peer];
        if (next == unreachable || t.distance[next] != unreachable)
          continue;
        t.distance[next] = t.distance[here] + 1;
        queue.push_back(next);
      }
    }
    t.first.reserve(switches + 1);
    for (std::uint32_t here = 0; here < switches; ++here) {
      t.first.push_back(static_cast<std::uint32_t>(t.egress.size()));
      if (here == destination || t.distance[here] == unreachable)
        continue;
      const auto& ports = ports_[node_of_[here]];
      const auto& own = std::get<switch_settings>(s.nodes[node_of_[here]].as).routes;
      const auto given = std::find_if(own.begin(), own.end(), [&](const auto& r) {
        return r.to == s.nodes[node_of_[destination]].name;
      });
      for (std::size_t p = 0; p < ports.size(); ++p) {
        const auto next = switch_of_[ports[p].peer];
        if (given != own.end()) {
          if (s.nodes[ports[p].peer].name == given->via)
            t.egress.push_back(static_cast<std::uint16_t>(p));
        } else if (next != unreachable && t.distance[next] + 1 == t.distance[here])
          t.egress.push_back(static_cast<std::uint16_t>(p));
      }
    }
    t.first.push_back(static_cast<std::uint32_t>(t.egress.size()));
  }
}

std::span<const std::uint16_t> routes::next_ports(std::size_t node, std::size_t destination) const {
  if (distance(node, destination) == unreachable || node == destination)
    return {};
  const auto here = switch_of_[node];
  if (here == unreachable)
    return only_port;
  auto target = switch_of_[destination];
  if (target == unreachable) {
    const auto& last = ports_[destination].front();
    if (last.peer == node)
      return {&last.peer_port, 1};
    target = switch_of_[last.peer];
  }
  const auto& t = tables_[target];
  return {t.egress.data() + t.first[here], t.first[here + 1] - t.first[here]};
}

std::uint32_t routes::distance(std::size_t node, std::size_t destination) const {
  if (node == destination)
    return 0;
  // Step from each end that does not forward to what it hangs on.
  std::uint32_t extra = 0;
  auto from = node;
  auto to = destination;
  if (switch_of_[from] == unreachable) {
    if (ports_[from].empty())
      return unreachable;
    from = ports_[from].front().peer;
    ++extra;
  }
  if (from == to)
    return extra;
  if (switch_of_[to] == unreachable) {
    if (ports_[to].empty())
      return unreachable;
    to = ports_[to].front().peer;
    ++extra;
  }
  // Two that hang on each other were handled above; anything else must have a switch at each end.
  if (switch_of_[from] == unreachable || switch_of_[to] == unreachable)
    return unreachable;
  const auto d = tables_[switch_of_[to]].distance[switch_of_[from]];
  return d == unreachable ? unreachable : d + extra;
}

}  // namespace sluice
