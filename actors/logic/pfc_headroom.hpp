/// \file
/// How much can still come after a port has decided to pause its sender: the head-room that loses
/// nothing, for any phase of arrival.
///
///     XOFF is reached ─ a frame is being sent the other way: the PFC frame waits      <= L_max
///                     ─ the PFC frame itself, with preamble and gap                   84 bytes
///                     ─ it travels, and what has been sent travels here               2 x cable
///                     ─ the sender's MAC responds                                     quanta
///                     ─ the sender finishes the frame that it has begun               <= L_max
///
/// all of it as bytes of the sender's line. Sizes are frames with FCS; what is stored is less,
/// since preambles and gaps are not. Source: IEEE 802.1Q-2018 annex N, 802.3-2018 31B.3.7 (response
/// in pause quanta, by speed).
#pragma once

#include <cstdint>

#include "traffic/mac_control.hpp"
#include "traffic/units.hpp"

namespace sluice {

/// A MAC takes no longer, in pause quanta, from the end of a PAUSE or PFC frame to when it stops.
constexpr unsigned pause_response_quanta(std::uint64_t bps) {
  constexpr std::uint64_t gbit = 1'000'000'000;
  struct {
    std::uint64_t up_to;
    unsigned quanta;
  } constexpr table[] = {{1 * gbit, 2},    {10 * gbit, 67},   {25 * gbit, 80},  {40 * gbit, 118},
                         {50 * gbit, 147}, {100 * gbit, 394}, {200 * gbit, 453}};
  for (const auto& row : table)
    if (bps <= row.up_to)
      return row.quanta;
  return 905;  // 400 and 800 Gbit/s
}

/// Of a PFC frame on the line: 64 with FCS, preamble 8, gap 12.
inline constexpr std::int64_t pfc_line_bytes = 84;

struct pfc_link {
  std::uint64_t bps = 0;
  sim_time propagation = 0;           ///< of the cable, one way
  std::uint32_t max_frame_bytes = 0;  ///< with FCS, of both directions
  unsigned response_quanta = 0;
};

/// In bytes of the line, rounded up.
constexpr std::int64_t pfc_headroom(const pfc_link& link) {
  const auto bits = 2 * static_cast<uint128>(link.propagation) * link.bps;
  const auto unit = 8 * static_cast<uint128>(second);
  return static_cast<std::int64_t>((bits + unit - 1) / unit)
         + 2 * std::int64_t{link.max_frame_bytes} + pfc_line_bytes
         + std::int64_t{link.response_quanta} * (quantum_bits / 8);
}

}  // namespace sluice
