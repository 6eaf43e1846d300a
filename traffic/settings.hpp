/// \file
/// How traffic is made: the settings of replays and generators, as a scenario states them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "traffic/units.hpp"

namespace sluice {

/// How the times of a capture become the times of a replay.
struct replay_timing {
  enum class mode : std::uint8_t { as_captured, speed, rate, pps, as_fast_as_possible };
  mode how = mode::as_captured;
  std::uint64_t speed_num = 1, speed_den = 1;  ///< speed: 4x is 4/1, 0.5x is 1/2
  std::uint64_t rate_bps = 0;  ///< rate: frame bits per second, of the whole (filtered) capture
  std::uint64_t pps = 0;       ///< pps: packets per second, of the whole (filtered) capture
  std::optional<sim_time> max_gap;  ///< longer gaps shrink to this, before `speed` applies
  std::uint32_t repeat = 1;         ///< how often the capture is played, one after the other
};

/// Which priority a captured frame gets, by what it says itself.
struct classify_settings {
  enum class field : std::uint8_t { none, pcp, dscp };
  std::array<field, 2> trust{field::pcp, field::dscp};  ///< the first of them that the frame has
  std::array<std::uint8_t, 8> pcp{0, 1, 2, 3, 4, 5, 6, 7};
  std::array<std::int8_t, 64> dscp{};  ///< -1: as if the frame had none
  std::uint8_t otherwise = 0;

  classify_settings() { dscp.fill(-1); }

  std::uint8_t priority_of(std::optional<std::uint8_t> frame_pcp,
                           std::optional<std::uint8_t> frame_dscp) const {
    for (const auto f : trust) {
      if (f == field::pcp && frame_pcp)
        return pcp[*frame_pcp & 7];
      if (f == field::dscp && frame_dscp && dscp[*frame_dscp & 63] >= 0)
        return static_cast<std::uint8_t>(dscp[*frame_dscp & 63]);
    }
    return otherwise;
  }
};

/// What becomes of a captured frame that is larger than its line's MTU allows (TSO, GRO).
enum class oversize_rule : std::uint8_t { split, drop };

enum class arrival_process : std::uint8_t { constant, poisson, burst };

/// Which of several destinations a packet of a generator takes.
enum class destination_rule : std::uint8_t { random, round_robin };

struct generate_settings {
  std::uint32_t size_bytes = 1500;  ///< 0: imix (7 x 60, 4 x 590, 1 x 1514)
  /// Exactly one of the three is set. share_ppm: of the producer's own line, overheads counted.
  std::uint64_t rate_bps = 0;
  std::uint64_t pps = 0;
  std::uint32_t share_ppm = 0;
  arrival_process arrivals = arrival_process::constant;
  std::uint32_t burst_packets =
      32;                     ///< burst: back to back at line rate, then silence, at the mean rate
  std::uint64_t packets = 0;  ///< stop after so many for each producer; 0: no limit
  bool ecn = true;            ///< its packets say that they may be marked (RFC 3168)
  std::uint32_t port = 0;     ///< destination port of TCP or UDP; 0: none that anybody listens to
};

}  // namespace sluice
