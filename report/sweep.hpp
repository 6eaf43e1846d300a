/// \file
/// A grid of runs as a table for people, as CSV, and as one page with plots.
///
/// The sweep is an object (docs/command-line.md has its shape): `keys` with path, unit and values,
/// `points` with what metrics/sweep_point.hpp keeps of each run.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace sluice {

/// A row for each point: its values, the metrics that were asked for (else the main figures), and
/// whether its expectations held; below it, which of them failed where.
std::string sweep_text(const nlohmann::json& sweep);

/// Base units. A row for each point...
std::string sweep_csv(const nlohmann::json& sweep);
/// ...and one for each point and flow.
std::string sweep_flows_csv(const nlohmann::json& sweep);

std::string sweep_html(const nlohmann::json& sweep);

}  // namespace sluice
