/// \file
/// Who activates the cells: CAF's scheduler, or, for tests, one thread in a random order.
///
/// Whatever the executor, its threads or its seed, a run gives the same result to the last bit.
#pragma once

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "actors/engine/cell.hpp"

namespace sluice {

/// A rule of the engine was broken, or it makes no progress: a bug, never a property of the
/// emulated network.
struct engine_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct engine_totals {
  std::uint64_t activations = 0, parcels = 0, wants = 0, items = 0;
  std::uint64_t recoveries = 0;
};

class executor {
public:
  virtual ~executor() = default;

  /// Handles everything up to and including `limit`. When it returns nothing is under way between
  /// cells, so that they may be looked at. May be called again with a later limit.
  /// \throws engine_error
  void run_until(sim_time limit);

  /// Between two calls of `run_until`: the model changes from `t` on, which is later than the last
  /// limit. Every cell forgets what it knows of later times (cell::retract).
  void retract(sim_time t);

  /// The earliest unhandled time of any cell; `never` when the network is done.
  sim_time next_event() const;

  engine_totals totals() const;
  const std::vector<cell*>& cells() const { return cells_; }

protected:
  explicit executor(std::vector<cell*> cells);

  /// Activates `which` and all that this leads to, until no parcel is under way.
  virtual void settle(const std::vector<cell*>& which) = 0;

  /// The first failure that a cell reported; empty if none.
  virtual std::string failure() const = 0;

private:
  void show_windows();

  std::vector<cell*> cells_;
  std::vector<cell*> patient_;  // those that may hold packets back
  std::uint64_t recoveries_ = 0;
  bool begun_ = false;
  int widened_ = 0;  // how often the windows were doubled in this run
};

/// \param threads at least 1.
std::unique_ptr<executor> make_caf_executor(std::vector<cell*> cells, unsigned threads);

/// One thread; each time the next cell is drawn at random, and of what waits for it a random part
/// is taken in.
std::unique_ptr<executor> make_random_executor(std::vector<cell*> cells, std::uint64_t seed);

}  // namespace sluice
