/// \file
/// The most recent snapshot of a run, for whoever looks, at any time and from any thread.
///
/// Threading: the run publishes; readers get what was published last. The mutex guards a pointer,
/// and no thread that moves packets ever takes it.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

#include "metrics/results.hpp"

namespace sluice {

class latest_results {
public:
  struct view {
    std::shared_ptr<const run_results> results;  ///< none before the first
    std::uint64_t number = 0;                    ///< of the snapshot, from 1
  };

  void publish(run_results results) {
    // Swapped, not assigned: the older results are freed by `next`, after the lock.
    auto next = std::make_shared<const run_results>(std::move(results));
    const std::scoped_lock lock{mutex_};
    results_.swap(next);
    ++number_;
  }
  view get() const {
    const std::scoped_lock lock{mutex_};
    return {results_, number_};
  }

private:
  mutable std::mutex mutex_;
  std::shared_ptr<const run_results> results_;
  std::uint64_t number_ = 0;
};

}  // namespace sluice
