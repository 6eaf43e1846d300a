/// \file
/// The first half of checking a scenario: every key and every single value against the key table.
/// What needs two values at once (endpoints, ports, times) is checked in `convert.hpp`.
#pragma once

#include "scenarios/keys.hpp"
#include "scenarios/quantity.hpp"
#include "scenarios/yaml_tree.hpp"

namespace sluice {

/// Reports unknown and planned keys, missing keys, wrong units, ranges and shapes of the whole
/// tree.
void check_tree(yaml_forest& forest, const yaml_node& root);

/// Whether `name` may be the name of a node, a VM or a traffic entry.
bool valid_name(std::string_view name);

/// "did you mean `x`?" in the one wording we have; empty when nothing is near.
std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& words);

}  // namespace sluice
