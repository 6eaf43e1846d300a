/// \file
/// One line of a scenario's `expect:` as plain values. The loader parses it, `metrics/expect.hpp`
/// evaluates it; neither needs to know the other.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "metrics/source_mark.hpp"

namespace sluice {

/// One line of `expect:`, already parsed. Names are those of /metrics, without prefix.
struct expectation {
  enum class op : std::uint8_t { eq, ne, lt, le, gt, ge };
  enum class aggregate : std::uint8_t { value, p50, p99, p999, max, mean, min };
  struct label {
    std::string name, value;
  };
  std::string text;  ///< as written
  source_mark where;
  std::string metric;
  std::vector<label> labels;
  aggregate of = aggregate::value;
  op compare = op::eq;
  double number = 0;  ///< in base units: seconds, bytes, bits per second; a percentage as a ratio
  enum class number_unit : std::uint8_t {
    plain,
    seconds,
    bytes,
    bits_per_second,
    ratio
  } unit = number_unit::plain;
};

}  // namespace sluice
