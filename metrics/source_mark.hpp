/// \file
/// A place in a scenario file. It lives here, and not with the scenario, because expectations carry
/// one and metrics may not depend on topology.
#pragma once

#include <string>

namespace sluice {

/// A place in a scenario file, for diagnostics of everything that looks at the scenario later.
struct source_mark {
  std::string file;
  int line = 0;    ///< from 1; 0 when the value was not written but is a default
  int column = 0;  ///< from 1
};

}  // namespace sluice
