/// \file
/// Runs a scenario: builds its network, drives the executor through virtual or real time, and
/// gathers the results.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>

#include "actors/engine/executor.hpp"
#include "metrics/results.hpp"
#include "topology/scenario.hpp"

namespace sluice {

class steering;

struct run_options {
  unsigned threads = 0;          ///< 0: as many as the machine has processors
  bool random_executor = false;  ///< for tests: one thread, a random order
  std::uint64_t executor_seed = 0;
  std::optional<double> real_speed;  ///< pace to the wall clock, so many times as fast
  /// Called with interim results about every so many wall seconds; 0: never. Less often in a large
  /// network: gathering them takes at most a twentieth of the time.
  std::function<void(const run_results&)> on_snapshot;
  double snapshot_seconds = 0;
  bool depths = false;            ///< results say what waits where, and the limits
  bool series = false;            ///< sample the run: run_results::series
  sim_time series_interval = 0;   ///< 0: some hundred samples
  bool history = false;           ///< sample all metrics: run_results::history
  sim_time history_interval = 0;  ///< 0: some hundred samples, none of very large networks
  /// Called a few times a second: virtual time reached, wall seconds spent.
  std::function<void(sim_time now, double wall)> on_progress;
  std::atomic<bool>* stop = nullptr;  ///< when set, the run ends soon, with what it has
  /// Who watches a run on the real clock and may change things; see steering.hpp.
  steering* steered = nullptr;
};

/// \throws capture_error, traffic_error before anything runs; engine_error if a rule of the engine
/// is broken. Violations of conservation are in the results.
run_results run(const scenario& s, const run_options& options);

}  // namespace sluice
