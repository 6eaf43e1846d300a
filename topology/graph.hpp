/// \file
/// The topology of a scenario as text: a picture (SVG), Graphviz' dot, Mermaid, or JSON.
///
/// The SVG is laid out here, with no external tool: endpoints at the bottom under the switch that
/// they hang on, switches above them by their distance from the endpoints. It follows the reader's
/// light or dark setting. The most frequent pairs of rate and delay have a colour each, told in a
/// legend; rarer links carry a label. Every link and node says more in its tooltip.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "topology/scenario.hpp"

namespace sluice {

enum class graph_format : std::uint8_t { svg, dot, mermaid, json };

/// "svg", "dot", "mermaid", "json".
std::optional<graph_format> parse_graph_format(std::string_view name);

std::string graph(const scenario& s, graph_format format);

}  // namespace sluice
