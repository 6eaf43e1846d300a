/// \file
/// Numbers and tables for people: units that need no counting of zeros, columns that line up.
/// All output is ASCII, so that a column is as wide as its bytes.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "metrics/results.hpp"

namespace sluice {

/// As text, or the value of an attribute, of HTML and SVG.
std::string in_markup(std::string_view text);

inline double seconds_of(sim_time t) {
  return static_cast<double>(t) / static_cast<double>(second);
}

std::string human_count(std::uint64_t n);         ///< 1234567 -> "1,234,567"
std::string human_bytes(double bytes);            ///< 1536 -> "1.50 KiB"
std::string human_time(double seconds);           ///< 4.2e-4 -> "420 us"
std::string human_time_ps(sim_time t);            ///< the same from picoseconds
std::string human_rate(double bits_per_second);   ///< 1.5e9 -> "1.50 Gbit/s"
std::string human_speed(double hops_per_second);  ///< 1.98e7 -> "19.8 million packet-hops/s"
std::string human_share(double part, double of);  ///< "97.5%"; never "100%" when some are missing
std::string hex16(std::uint64_t n);               ///< 16 lower-case hex digits
/// "since 1.2 ms: s1:p2 -> s2:p1, s2:p2 -> s1:p1 wait for each other"
std::string deadlock_text(const deadlock_result& d);

/// The candidate that the user most likely meant; empty when none is near.
std::string closest(std::string_view word, std::span<const std::string> candidates);

/// Rows of cells in aligned columns: the first column left, the others right unless told.
class text_table {
public:
  enum class align : std::uint8_t { left, right };

  explicit text_table(std::vector<std::string> header, std::vector<align> columns = {});

  void row(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  bool empty() const { return rows_.size() == 1; }

  /// Each line begins with `indent` and ends without trailing blanks. A cell in a left column that
  /// would make a line longer than `width` loses its middle ("h1/vm1...egress").
  std::string to_string(std::string_view indent = "  ", std::size_t width = 100) const;

private:
  std::vector<align> columns_;
  std::vector<std::vector<std::string>> rows_;  // the header is the first
};

}  // namespace sluice
