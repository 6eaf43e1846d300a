/// \file
/// SIGINT and SIGTERM as a flag. The first asks the run to stop and to write what it has; a second
/// one ends the program at once, for users who do not want to wait.
#pragma once

#include <csignal>

#include <atomic>

namespace sluice {

/// While it lives, the signals set the flag; afterwards they do what they did before. One at a
/// time.
class interrupt_guard {
public:
  interrupt_guard();
  ~interrupt_guard();
  interrupt_guard(const interrupt_guard&) = delete;
  interrupt_guard& operator=(const interrupt_guard&) = delete;

  std::atomic<bool>& flag();

  /// Blocks until a signal came (or has come).
  void wait();

private:
  struct sigaction before_int_ = {}, before_term_ = {};
};

}  // namespace sluice
