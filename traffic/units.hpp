/// \file
/// Units of the model: virtual time, sizes and line rates.
///
/// Time is a signed count of picoseconds, so that one byte at 10, 25, 40, 100 or 400 Gb/s is a
/// whole number and no floating point enters the model. A rate whose byte time is not whole (3
/// Gb/s) is rounded up for each packet, so that a line is never faster than configured.
#pragma once

#include <cstdint>

namespace sluice {

/// For products of times and rates. A GNU extension; both compilers that build Sluice have it.
__extension__ typedef unsigned __int128 uint128;
__extension__ typedef __int128 int128;

/// Picoseconds of virtual time since the run's begin.
using sim_time = std::int64_t;

/// Later than every event of every run (26 days), with room to add latencies without overflow.
inline constexpr sim_time never = INT64_MAX / 4;

inline constexpr sim_time picosecond = 1;
inline constexpr sim_time nanosecond = 1'000;
inline constexpr sim_time microsecond = 1'000'000;
inline constexpr sim_time millisecond = 1'000'000'000;
inline constexpr sim_time second = 1'000'000'000'000;

/// Adds to a time that may be `never`, and stays `never` then.
constexpr sim_time later(sim_time t, sim_time by) {
  return t >= never - by ? never : t + by;
}

/// What a frame takes on an Ethernet line beyond its own bytes: FCS 4, preamble and SFD 8, gap 12
/// (IEEE 802.3 clauses 3.2 and 4.4.2).
inline constexpr std::uint32_t ethernet_overhead_bytes = 24;

/// Frames longer than this are refused by every reader: serialisation times stay within 64 bits.
inline constexpr std::uint32_t max_frame_bytes = 256 * 1024;

/// The speed of a line or of a reader, in bits per second. Zero means stopped: nothing leaves.
class line_rate {
public:
  constexpr line_rate() = default;

  explicit constexpr line_rate(std::uint64_t bits_per_second)
      : bps_{bits_per_second},
        ps_per_byte_{bits_per_second != 0 && ps_per_byte_times_rate % bits_per_second == 0
                         ? static_cast<sim_time>(ps_per_byte_times_rate / bits_per_second)
                         : 0} {}

  constexpr std::uint64_t bps() const { return bps_; }
  constexpr bool stopped() const { return bps_ == 0; }

  /// The time that `bytes` take; `never` when stopped. `bytes` is at most a few `max_frame_bytes`.
  constexpr sim_time time_of(std::uint64_t bytes) const {
    if (ps_per_byte_ != 0)
      return static_cast<sim_time>(bytes) * ps_per_byte_;
    if (bps_ == 0)
      return never;
    return static_cast<sim_time>((bytes * ps_per_byte_times_rate + bps_ - 1) / bps_);
  }

  friend constexpr bool operator==(line_rate, line_rate) = default;
  friend constexpr bool operator<(line_rate a, line_rate b) { return a.bps_ < b.bps_; }

private:
  static constexpr std::uint64_t ps_per_byte_times_rate = 8'000'000'000'000;

  std::uint64_t bps_ = 0;
  sim_time ps_per_byte_ = 0;
};

/// `count` units at `units_per_second`, as a time, exactly rounded down: the absolute schedule of
/// rate-driven traffic. Never sums gaps, so it never drifts.
constexpr sim_time absolute_time(std::uint64_t count, std::uint64_t units_per_second) {
  const auto t =
      static_cast<uint128>(count) * static_cast<std::uint64_t>(second) / units_per_second;
  return t >= static_cast<uint128>(never) ? never : static_cast<sim_time>(t);
}

}  // namespace sluice
