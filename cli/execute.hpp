/// \file
/// From a scenario file to results, for every verb that runs one: loading with diagnostics, the run
/// itself with its progress bar and interruption, expectations, and the exit code.
#pragma once

#include <CLI/App.hpp>
#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "cli/interrupt.hpp"
#include "metrics/expect.hpp"
#include "metrics/results.hpp"
#include "scenarios/loader.hpp"
#include "topology/scenario.hpp"

namespace sluice {

class steering;

/// Ends a verb with this exit code; the message, unless empty, goes to stderr.
struct verb_failure : std::runtime_error {
  verb_failure(int with_code, const std::string& message)
      : std::runtime_error{message}, code{with_code} {}
  int code;
};

/// What `act` failed with, and the exit code of that; none if it did not.
std::optional<verb_failure> failure_of(const std::function<void()>& act);

/// Calls `act` and turns every failure that has an exit code into it.
int with_exit_codes(const std::function<int()>& act);

/// What every verb that runs a scenario understands.
struct run_settings {
  std::optional<std::uint64_t> seed;
  unsigned threads = 0;  ///< 0: as many as there are processors
  std::string speed;     ///< "2x"; empty: as the scenario says
  std::vector<std::string> set;
  std::string executor = "caf";
  bool progress = true;           ///< a bar on a terminal
  std::string tap_folder;         ///< where taps without a file go; empty: here
  bool sampled = false;           ///< the results have a time series...
  sim_time series_interval = 0;   ///< ...with samples so far apart; 0: some hundred of them
  bool all_metrics = false;       ///< and the metrics over time...
  sim_time metrics_interval = 0;  ///< ...likewise

  void add_options(CLI::App& command);
};

/// The file with `--set` and all checks applied, also those of what metrics know.
load_result load_checked(const std::string& file, const std::vector<std::string>& set = {});

/// The same; diagnostics go to stderr.
/// Throws verb_failure when there are errors.
load_result load_or_fail(const std::string& file, const std::vector<std::string>& set = {});

/// Whether diagnostics may use colours: stderr is a terminal, and NO_COLOR is not set.
bool colours();

struct outcome {
  run_results results;
  std::vector<expectation_result> expectations;
  nlohmann::json changes;  ///< that were made while it went on; null: nobody could
  int code = 0;
};

/// The exit code for several runs: a bug counts before an interruption, that before what could not
/// run, and that before an expectation.
int most_serious(std::span<const int> codes);
int most_serious(const std::vector<outcome>& outcomes);

/// Who looks at a run that goes on.
struct watcher {
  std::function<void(const run_results&)> look;  ///< gets the results so far, four times a second
  steering* steers = nullptr;
};

/// Runs a loaded scenario. Throws what `with_exit_codes` understands.
outcome execute(scenario what, const run_settings& settings, interrupt_guard& interrupt,
                const watcher& who = {});

/// The summary of a run, with what was changed in it.
nlohmann::json summary_of(const outcome& done);

/// The speed of the real clock with these settings; 0: the run is on the virtual clock.
double real_speed(const scenario& s, const run_settings& settings);

/// How a scenario is loaded with these overrides.
load_options load_settings(const std::vector<std::string>& set);

}  // namespace sluice
