/// \file
/// The second half of reading a scenario: from the checked tree to the plain structs, and the
/// checks that need two values at once: endpoints that exist, ports used once, paths that lead
/// somewhere, times within the run. Values that `check_tree` has refused are skipped silently here.
#pragma once

#include "scenarios/yaml_tree.hpp"
#include "topology/scenario.hpp"

namespace sluice {

/// Problems go to `forest`; the result means something only when there were none.
scenario convert_tree(yaml_forest& forest, const yaml_node& root, const std::string& file,
                      const std::string& folder, const load_options& options);

}  // namespace sluice
