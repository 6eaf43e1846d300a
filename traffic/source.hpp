/// \file
/// Where a producer's packets come from: a replayed capture or a generator, asked in batches.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "traffic/packet.hpp"

namespace sluice {

/// One packet that is due at a producer.
struct emission {
  sim_time due = 0;
  frame_ref frame;
  std::uint32_t bytes = 0;
  std::uint32_t to = 0;     ///< index of the destination endpoint
  std::uint8_t socket = 0;  ///< of that endpoint; see packet
  std::uint8_t priority = unclassified;
  std::uint8_t ecn = 0;      ///< as packet's
  std::uint8_t special = 0;  ///< likewise; 0: that of the traffic entry

  /// In place of a priority: that of the traffic entry.
  static constexpr std::uint8_t unclassified = 0xff;
};

/// The schedule of one producer. Implementations allocate nothing once they run, and depend on
/// nothing but their configuration and seed.
class traffic_source {
public:
  virtual ~traffic_source() = default;

  /// Fills `out` from its begin with the next packets, their `due` non-decreasing over the whole
  /// run, and returns how many. Zero: there are no more, now and for ever.
  virtual std::size_t next(std::span<emission> out) = 0;
};

}  // namespace sluice
