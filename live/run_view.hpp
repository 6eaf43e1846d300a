/// \file
/// A run as the live page gets it: three JSON texts.
///
/// `topology_text` never changes. `names_text` names what there are figures of, once. `state_text`
/// has the figures: columns in the order of those names, so that thousands of them stay small.
/// docs/live.md has the shapes. Units are in the names; sizes are those of frames.
#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>

#include "metrics/expect.hpp"
#include "metrics/results.hpp"
#include "topology/scenario.hpp"

namespace sluice {

/// {"scenario", "description", "picture": SVG, "topology": {"nodes", "links"}, "targets"}: the
/// targets are what changes can be made to, by kind.
std::string topology_text(const scenario& s);

/// {"flows": [...], "components": [...], "pauses": [...], "pause_frames": [...]}.
std::string names_text(const run_results& r);

/// The figures of a snapshot, as the value of "figures" in the state.
std::string figures_text(const run_results& r);

/// What is only known at the end: exit code and expectations.
nlohmann::json verdict_json(const run_results& r, std::span<const expectation_result> held);

}  // namespace sluice
