/// \file
/// A time in which something is not there: a carrier, a port in a set.
#pragma once

#include "traffic/units.hpp"

namespace sluice {

/// From `from` until before `to`.
struct outage {
  sim_time from = 0;
  sim_time to = never;
};

}  // namespace sluice
