/// \file
/// Internal to traffic/: -ln(u) from 64 random bits, in integers only.
///
/// std::log differs in its last bits among libraries and processors; a schedule built on it would
/// too. Here u = 2^-(z+1) * y with y in [1, 2): -ln u = (z+1) ln 2 - ln y, and ln y comes from a
/// table at 256 points c and four terms of ln(1 + t), t = y/c - 1, |t| <= 2^-9. The table is made
/// at compile time by exact integer arithmetic. Error below 2^-40, against a mean of 1.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

#include "traffic/units.hpp"

namespace sluice::exponential {

/// Bits after the point of the results.
inline constexpr unsigned fraction_bits = 44;

inline constexpr unsigned table_bits = 8;
inline constexpr std::uint64_t table_size = 1u << table_bits;

/// ln((1 + x) / (1 - x)) = 2 (x + x^3/3 + x^5/5 ...) with x = num/den <= 1/3, 60 bits after the
/// point.
constexpr std::int64_t log_series(std::uint64_t num, std::uint64_t den) {
  constexpr unsigned guard_bits = 62;
  const auto x = static_cast<std::uint64_t>((static_cast<uint128>(num) << guard_bits) / den);
  const auto square = static_cast<std::uint64_t>(static_cast<uint128>(x) * x >> guard_bits);
  std::uint64_t sum = 0, power = x;
  for (std::uint64_t k = 1; power != 0; k += 2) {
    sum += power / k;
    power = static_cast<std::uint64_t>(static_cast<uint128>(power) * square >> guard_bits);
  }
  return static_cast<std::int64_t>(sum >> 1);  // 2 * sum, from 62 to 60 bits
}

struct point {
  std::int64_t log = 0;          ///< ln c, 60 bits after the point
  std::uint64_t reciprocal = 0;  ///< 1/c, 64 bits after the point
};

/// Points c(i) = 1 + (2i + 1) / 512, in the middle of each interval.
constexpr std::array<point, table_size> make_table() {
  std::array<point, table_size> table{};
  for (std::uint64_t i = 0; i != table_size; ++i) {
    const std::uint64_t half_steps = 2 * table_size, above = 2 * i + 1;
    table[i].log = log_series(above, 2 * half_steps + above);
    table[i].reciprocal =
        static_cast<std::uint64_t>((static_cast<uint128>(half_steps) << 64) / (half_steps + above));
  }
  return table;
}

inline constexpr auto table = make_table();
inline constexpr std::int64_t log_2 = log_series(1, 3);

/// -ln(bits / 2^64), `fraction_bits` after the point; at most 45 (bits = 0 counts as 1).
constexpr std::uint64_t from_bits(std::uint64_t bits) {
  bits |= bits == 0;
  const unsigned zeros = static_cast<unsigned>(std::countl_zero(bits));
  const std::uint64_t y = bits << zeros;  // 63 bits after the point
  const std::uint64_t index = (y >> (63 - table_bits)) & (table_size - 1);
  const auto& [log_c, reciprocal] = table[index];
  const std::uint64_t c = (std::uint64_t{1} << 63) + ((2 * index + 1) << (63 - table_bits - 1));
  const auto t = static_cast<std::int64_t>(
      static_cast<int128>(static_cast<std::int64_t>(y - c)) * reciprocal >> 64);
  const auto t2 = static_cast<std::int64_t>(static_cast<int128>(t) * t >> 63);
  const auto t3 = static_cast<std::int64_t>(static_cast<int128>(t2) * t >> 63);
  const auto t4 = static_cast<std::int64_t>(static_cast<int128>(t2) * t2 >> 63);
  const std::int64_t log_y = log_c + ((t - t2 / 2 + t3 / 3 - t4 / 4) >> 3);  // 60 bits
  const std::int64_t result = (zeros + 1) * (log_2 >> 3) - (log_y >> 3);     // 57 bits
  return result < 0 ? 0 : static_cast<std::uint64_t>(result) >> (57 - fraction_bits);
}

}  // namespace sluice::exponential
