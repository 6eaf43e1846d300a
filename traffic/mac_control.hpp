/// \file
/// MAC control frames of Ethernet flow control: priority-based flow control and PAUSE.
///
/// | field | bytes | PFC | PAUSE |
/// |---|---|---|---|
/// | destination, source | 12 | 01:80:c2:00:00:01, the port's | the same |
/// | EtherType | 2 | 0x8808 | 0x8808 |
/// | opcode | 2 | 0x0101 | 0x0001 |
/// | class enable vector | 2 | bit n: class n; high byte 0 | - |
/// | quanta | 16 or 2 | of class 0 to 7 | of the link |
/// | zeros | 26 or 42 | up to 60 bytes | up to 60 bytes |
///
/// A quantum is 512 bit times of the link. Quanta of 0 with the enable bit set let a class go on at
/// once; without the bit a class is not meant, whatever its quanta are. On the line such a frame
/// takes 84 bytes: 60, FCS 4, preamble 8, gap 12.
///
/// Nothing here allocates, throws, or touches a byte outside the spans given.
/// Source: IEEE 802.1Q-2018 clause 36 and 802.3-2018 annexes 31A, 31B and 31D (formerly 802.1Qbb).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "traffic/address.hpp"
#include "traffic/units.hpp"

namespace sluice {

inline constexpr std::size_t mac_control_bytes = 60;  ///< as Wireshark shows them: no FCS
inline constexpr unsigned pause_classes = 8;
inline constexpr unsigned quantum_bits = 512;
inline constexpr std::uint16_t max_quanta = 0xffff;

struct mac_control {
  enum class kind : std::uint8_t { pfc, pause };
  kind what = kind::pfc;
  net_address source;                                 ///< MAC address of the port that sends it
  std::uint8_t classes = 0;                           ///< pfc: bit n, class n is meant
  std::array<std::uint16_t, pause_classes> quanta{};  ///< by class; pause: the first
};

/// Writes the frame.
/// \param out at least `mac_control_bytes`; exactly so many are written.
/// \return false, and nothing written, if `out` is too small.
bool write_mac_control(const mac_control& frame, std::span<std::uint8_t> out);

/// Reads a frame. No value: it is no PFC and no PAUSE frame, is cut, or is not meant for a link's
/// other end. A set bit in the high byte of the enable vector is ignored, as are the padding and
/// the quanta of classes that are not meant.
std::optional<mac_control> read_mac_control(std::span<const std::uint8_t> frame);

/// The time of so many quanta on a line. \pre bps is not 0
constexpr sim_time quanta_time(std::uint16_t quanta, std::uint64_t bps) {
  return static_cast<sim_time>(uint128{quanta} * quantum_bits * uint128{second} / bps);
}

/// As many whole quanta as are needed to cover `time`, at most 65535.
constexpr std::uint16_t quanta_for(sim_time time, std::uint64_t bps) {
  if (time <= 0)
    return 0;
  const auto unit = uint128{quantum_bits} * uint128{second};
  const auto n = (static_cast<uint128>(time) * bps + unit - 1) / unit;
  return n > max_quanta ? max_quanta : static_cast<std::uint16_t>(n);
}

}  // namespace sluice
