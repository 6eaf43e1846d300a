/// \file
/// What can be wrong with a scenario, as values: where, what, and what to do about it. The loader,
/// the semantic checks and the engine's builder all speak this; only the command line prints it.
#pragma once

#include <string>
#include <vector>

#include "topology/scenario.hpp"

namespace sluice {

struct diagnostic {
  enum class severity { error, warning };

  source_mark where;    ///< of the value that is wrong; line 0 when there is no such place
  int length = 0;       ///< characters to underline; 0 and 1: one caret
  std::string message;  ///< one sentence, no full stop; names the value and what was expected
  std::string hint;     ///< what to do, for example "did you mean `drain`?"; may be empty
  severity level = severity::error;
};

using diagnostics_list = std::vector<diagnostic>;

/// Whether any of them is an error rather than a warning.
inline bool has_errors(const diagnostics_list& list) {
  for (const auto& d : list)
    if (d.level == diagnostic::severity::error)
      return true;
  return false;
}

}  // namespace sluice
