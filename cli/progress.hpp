/// \file
/// The progress bar: one line on a terminal's stderr, nothing anywhere else.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>

#include "metrics/results.hpp"
#include "traffic/units.hpp"

namespace sluice {

class progress_bar {
public:
  /// \param end the virtual time at which the run ends; `never` when it is not known.
  progress_bar(std::string title, sim_time end);
  ~progress_bar();  ///< wipes the line
  progress_bar(const progress_bar&) = delete;
  progress_bar& operator=(const progress_bar&) = delete;

  bool visible() const { return visible_; }

  /// From any thread, as often as you like: drawn at most ten times a second.
  void update(sim_time now, double wall_seconds);
  /// The results so far: what is lost, and how often somebody was stopped; from the second call on
  /// the speed, too.
  void snapshot(const run_results& so_far);

private:
  void draw(sim_time now, double wall_seconds);

  const std::string title_;
  const sim_time end_;
  const bool visible_;
  std::mutex mutex_;  // the callbacks of the engine may come from different threads
  std::chrono::steady_clock::time_point drawn_{};
  std::uint64_t last_hops_ = 0;
  double last_wall_ = 0, speed_ = 0;
  std::uint64_t lost_ = 0, stops_ = 0;
};

}  // namespace sluice
