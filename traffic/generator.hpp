/// \file
/// Traffic made from settings and a seed: constant, Poisson or bursts; one size or IMIX.
///
/// **constant**: packet n is due at start + (frame bits before it) / rate, or n / pps, exactly
/// rounded down: quotient and remainder are carried along, so nothing drifts. `share_ppm` counts
/// (bytes + 24) * 8 bits against the line instead.
/// **poisson**: independent exponential gaps with the same mean; the first packet follows one gap
/// after start. Integers only (a table of logarithms made at compile time), hence the same on every
/// machine; the mean is right to a millionth.
/// **burst**: `burst_packets` back to back at line rate, each burst beginning when the constant
/// schedule has its first packet due.
/// **imix**: sizes 60, 590, 1514 drawn 7:4:1.
///
/// A change of rate takes effect at its time: what was left of the gap to the next packet then
/// passes at the new rate, and the absolute schedule goes on from that packet. Rates set that way
/// are frame bits per second. Rate 0 holds everything until the next change.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "traffic/settings.hpp"
#include "traffic/source.hpp"

namespace sluice {

struct generator_config {
  struct rate_change {
    sim_time at = 0;
    std::uint64_t rate_bps = 0;
  };

  generate_settings settings;
  std::uint64_t seed = 0;  ///< of this producer in this entry: see derive_seed in random.hpp
  std::vector<std::uint32_t> destinations;  ///< at least one; the producer itself is not among them
  destination_rule pick = destination_rule::random;
  sim_time start = 0;
  sim_time stop = never;                  ///< no packet is due at or after it
  std::uint64_t line_bps = 0;             ///< the producer's line: for share_ppm and bursts
  std::vector<rate_change> rate_profile;  ///< ascending times
};

/// \throws traffic_error (bad_config) for settings that cannot work.
std::unique_ptr<traffic_source> make_generator(const generator_config& config);

}  // namespace sluice
