/// \file
/// A class that waits for room or credits while others may go: since when, with what, how often and
/// for how long it has.
#pragma once

#include <cstdint>

#include "traffic/units.hpp"

namespace sluice {

struct class_wait {
  sim_time since = never;    ///< never: it does not wait
  sim_time resumed = 0;      ///< when it last ended. It did not start before, whenever it is asked
  std::uint32_t wanted = 0;  ///< bytes that it waits with
  std::uint64_t times = 0;
  sim_time waited = 0;  ///< up to `resumed`

  bool now() const { return since != never; }
  /// It could go at `t` but for that. If it waits already, nothing changes.
  void begin(std::uint32_t bytes, sim_time t) {
    if (now())
      return;
    since = t;
    wanted = bytes;
    ++times;
  }
  /// \pre now
  void end(sim_time t) {
    waited += t - since;
    since = never;
    resumed = t;
  }
  sim_time waited_until(sim_time t) const { return waited + (since < t ? t - since : 0); }
};

}  // namespace sluice
