/// \file
/// Before anything is checked: reads the included files, lays their maps under the file's own, and
/// applies the overrides of `--set`. The result is one tree in which every value still knows its
/// file.
#pragma once

#include <string>
#include <string_view>

#include "scenarios/yaml_tree.hpp"

namespace sluice {

/// The tree of `text` (already a source of `forest`) with its includes; null pointer when the text
/// cannot be parsed. `file` is the path that relative includes start from.
yaml_node* assemble(yaml_forest& forest, std::uint32_t source, const std::string& file);

/// Applies one `path=value`; a path that ends in `.+` adds an item to a list, or begins one.
/// returns the new root. What it does not change stays shared.
yaml_node* apply_override(yaml_forest& forest, yaml_node* root, const std::string& argument);

/// Reads at most `max_scenario_bytes` + 1 bytes. False: `error` says why not.
bool read_text(const std::string& path, std::string& text, std::string& error);

/// The folder part of a path; "." when there is none.
std::string folder_of(const std::string& path);

/// `path` as seen from `folder`; an absolute path stays.
std::string resolve_path(const std::string& folder, const std::string& path);

}  // namespace sluice
