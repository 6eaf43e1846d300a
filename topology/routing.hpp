/// \file
/// Shortest paths through the fabric, as every forwarding table needs them: for each node and
/// destination the egress ports that lie on a path with the fewest hops. Only switches forward;
/// a host, a generator or a sink in the middle ends every path.
///
/// Ports of a node are numbered from 0 in the order in which `scenario::links` mentions the node,
/// whatever they are called. Several ports mean equal cost; they are listed in ascending order, so
/// a choice by hash is the same everywhere.
///
/// Hosts, generators and sinks have one link, so all destinations behind one switch share its
/// table: one breadth-first search per switch with somebody attached, and memory of switches times
/// switches, not of nodes times nodes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "topology/scenario.hpp"

namespace sluice {

class routes {
public:
  /// One end of a link, seen from a node.
  struct port {
    std::uint32_t link = 0;       ///< index into scenario::links
    std::uint32_t peer = 0;       ///< index of the node at the other end
    std::uint16_t peer_port = 0;  ///< and the number of the port there
    bool at_a = false;            ///< whether this node is the link's end `a`
  };

  static constexpr std::uint32_t unreachable = UINT32_MAX;

  /// The links of `s` must name nodes of `s` (the loader guarantees it). Nothing is kept of `s`.
  explicit routes(const scenario& s);

  std::size_t nodes() const { return ports_.size(); }
  std::span<const port> ports(std::size_t node) const { return ports_[node]; }

  /// The ports by which `node` sends what is for `destination`; empty: itself, or no path.
  std::span<const std::uint16_t> next_ports(std::size_t node, std::size_t destination) const;

  /// Links on a shortest path; 0 to itself; `unreachable`.
  std::uint32_t distance(std::size_t node, std::size_t destination) const;

private:
  struct table {
    std::vector<std::uint32_t> distance;  ///< by switch
    std::vector<std::uint32_t> first;     ///< by switch, into `egress`; one more at the end
    std::vector<std::uint16_t> egress;
  };

  std::vector<std::vector<port>> ports_;
  std::vector<std::uint32_t> switch_of_;  ///< node to switch index; unreachable: not a switch
  std::vector<std::uint32_t> node_of_;    ///< switch index to node
  std::vector<table> tables_;             ///< by destination switch
};

}  // namespace sluice
