/// \file
/// The components of a network as a picture, as the builder has joined them: the way of a packet,
/// with the places marked that can lose it for want of room.
#pragma once

#include <string>

#include "topology/graph.hpp"
#include "topology/network.hpp"

namespace sluice {

/// Mermaid, dot or JSON. Loss points are red; those that flow control protects in this network are
/// green. SVG is empty: hundreds of parts want a tool that lays them out.
std::string parts_graph(const network& net, graph_format format);

}  // namespace sluice
