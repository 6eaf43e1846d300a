/// \file
/// The values of a swept key: what `--set PATH=VALUES` means to `sluice sweep`.
///
/// | written | values |
/// |---|---|
/// | `a,b,c` | these, whatever they are; commas in brackets or quotes separate nothing |
/// | `a..b` | 10 from a to b, evenly; of whole numbers at most all |
/// | `a..b:N` | N, evenly |
/// | `a..b:+STEP` | a, a + STEP and so on, none above b |
/// | `a..b:xF` | a, a F and so on, none above b |
/// | `a..b:logN` | N, each the same factor above the one before |
///
/// Ends have units (`1Gbit..10Gbit`); a list may hold ranges. A value in quotes is never a range.
/// Values that do not come out even are rounded to a hundredth of the step, those of `log` to three
/// digits, so that they can be read; sizes in whole KiB if both ends are.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "scenarios/quantity.hpp"

namespace sluice {

inline constexpr std::size_t max_swept_values = 1000;  ///< of one key
inline constexpr std::size_t range_values = 10;        ///< of `a..b`

struct swept_value {
  std::string text;   ///< as it goes into the scenario
  double number = 0;  ///< in the unit of the key; 0 without one
};

struct swept_key {
  std::string path;
  /// All values are quantities of this kind; none: words, which have an order but no distances.
  std::optional<quantity::kind> kind;
  bool geometric = false;  ///< the values are by factors apart rather than by differences
  std::vector<swept_value> values;

  bool swept() const { return values.size() > 1; }
  /// Of `number`: "s", "bit/s", "B", "packets", "%", "x"; empty for counts and words.
  std::string_view unit() const;
};

/// One `PATH=VALUES`; or a sentence that says what is wrong with it.
std::variant<swept_key, std::string> parse_swept(std::string_view argument);

}  // namespace sluice
