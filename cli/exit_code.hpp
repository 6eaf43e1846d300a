/// \file
/// The exit codes of the program. A contract: SCENARIO.md and docs/command-line.md list them.
#pragma once

namespace sluice {

enum exit_code : int {
  exit_ok = 0,
  exit_expectation_failed = 1,
  exit_usage = 2,  ///< the command line or the scenario is wrong
  exit_capture = 3,
  exit_engine = 4,  ///< conservation violated, or the engine failed
  exit_interrupted = 130,
};

}  // namespace sluice
