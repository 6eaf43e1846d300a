/// \file
/// Numbers with units, as a scenario writes them: `10ms`, `25Gbit`, `208KiB`, `256 packets`, `30%`,
/// `4x`, `1M`. The unit says what the number is; the arithmetic is exact decimal (no floating
/// point), and what does not fit or is finer than the base unit is an error, never rounded.
///
/// | kind     | units                            | base unit         |
/// |----------|----------------------------------|-------------------|
/// | duration | ps ns us ms s min                | picosecond        |
/// | rate     | bit kbit Mbit Gbit Tbit          | bit per second    |
/// | size     | B kB KiB MB MiB GB GiB           | byte              |
/// | packets  | p packet packets                 | packet            |
/// | percent  | %                                | one millionth     |
/// | factor   | x                                | kept as a ratio   |
/// | count    | k M G, or none                   | 1                 |
///
/// Decimal prefixes are powers of ten (Gbit is 10^9 bit, kB is 10^3 bytes), KiB, MiB and GiB powers
/// of two. One or more spaces may stand between number and unit. No sign, exponent or separator.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice {

struct quantity {
  enum class kind : std::uint8_t { count, duration, rate, size, packets, percent, factor };

  kind what = kind::count;
  bool bare = false;          ///< count: written without a suffix
  std::uint64_t amount = 0;   ///< in base units; factor: the numerator
  std::uint64_t divisor = 1;  ///< factor: the denominator, in lowest terms; otherwise 1
};

struct quantity_result {
  std::optional<quantity> value;
  bool numeric = false;    ///< it began like a number, so it was meant as one
  std::string message;     ///< when there is no value: what is wrong
  std::string suggestion;  ///< the whole value with the unit that was probably meant, or empty
};

quantity_result parse_quantity(std::string_view text);

/// "a duration", "a rate": for messages.
std::string_view kind_name(quantity::kind k);

/// "10ms", "10Gbit": for messages and documentation.
std::string_view kind_example(quantity::kind k);

/// "ps, ns, us, ms, s, min"; empty for counts.
std::string_view kind_units(quantity::kind k);

/// A regular expression (ECMA 262) of everything `parse_quantity` takes as this kind.
std::string kind_pattern(quantity::kind k);

/// `amount` base units in the largest unit in which it is whole: 1500000 ps is "1500ns".
std::string show_quantity(quantity::kind k, std::uint64_t amount);

}  // namespace sluice
