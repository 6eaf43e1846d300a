/// \file
/// From a YAML file to a `scenario`, or to everything that is wrong with it.
///
/// Nothing here prints or throws: all problems of a file are collected in one pass and returned as
/// values, in the order in which they stand in the file. `render` turns them into text:
///
///     incast.yaml:7:19: error: `10ms` is a duration, but `rate` wants a rate such as `10Gbit`
///       7 |   link: {rate: 10ms}
///         |                ^^^^
///
/// Input is hostile until proven otherwise: size, depth, the number of values (aliases expanded),
/// the number of included files and the number of reported errors are bounded by the constants
/// below.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "topology/diagnostic.hpp"
#include "topology/scenario.hpp"

namespace sluice {

inline constexpr std::size_t max_scenario_bytes = 4 * 1024 * 1024;  ///< of one file
inline constexpr int max_scenario_depth = 64;                ///< lists and maps inside each other
inline constexpr std::size_t max_scenario_values = 500'000;  ///< with aliases written out
inline constexpr std::size_t max_included_files = 64;
inline constexpr std::size_t max_reported_errors = 100;

struct load_options {
  /// `path=value` as given to `--set`, applied after includes and before anything is checked.
  /// A path is that of the file (`defaults.link.rate`, `traffic.storage.speed`, `events.0.at`) or
  /// begins with an endpoint, a node or a traffic entry (`h3/vm4.drain`, `leaf1.buffer`). A last
  /// part `+` is a new item at the end of a list, which there need not be yet (`events.+`).
  std::vector<std::string> set = {};

  /// The names `expect` lines may use; unset: any name passes here, metrics checks it later.
  std::function<std::vector<std::string>()> known_metrics = {};

  /// Whether a replayed file must exist. The fuzzer and editors turn it off.
  bool check_files = true;

  /// For `load_scenario_text`: what relative paths and includes are relative to; empty: here.
  std::string folder = {};
};

struct load_result {
  /// A text that diagnostics point into: a file, or one `--set` argument.
  struct source {
    std::string name;
    std::string text;
    bool is_argument = false;
  };

  std::optional<scenario> value;  ///< set exactly when there is no error
  diagnostics_list diagnostics;   ///< errors and warnings, in the order of the file
  std::vector<source> sources;
};

/// Reads, checks and converts the file at `path`.
load_result load_scenario(const std::string& path, const load_options& options = {});

/// The same for a text in memory; `name` is what diagnostics call it.
load_result load_scenario_text(std::string_view text, const std::string& name,
                               const load_options& options = {});

/// Every diagnostic as `file:line:column: error: message`, the source line, a caret, the hint.
std::string render(const load_result& result, bool colour);

/// The same for diagnostics that came later (`validate`), with the sources of `result`.
std::string render(const load_result& result, const diagnostics_list& diagnostics, bool colour);

}  // namespace sluice
