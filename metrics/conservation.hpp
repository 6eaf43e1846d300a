/// \file
/// Conservation: nothing appears and nothing vanishes. Checked at the end of every run.
#pragma once

#include <string>
#include <vector>

#include "metrics/results.hpp"

namespace sluice {

/// Every way in which the books do not balance, each a sentence with the figures; empty when all
/// is accounted for. For the run and each flow: made = delivered + dropped + held. For each
/// component: in + made = out + consumed + dropped + held. And the components' sums are the run's.
/// Packets and bytes alike.
///
/// Of the final results only: snapshots in between are taken at different moments.
std::vector<std::string> check_conservation(const run_results& run);

}  // namespace sluice
