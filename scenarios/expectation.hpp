/// \file
/// The expression language of `expect`:
/// `metric{label=value, ...} [p50|p99|p99.9|max|mean|min] (==|!=|<|<=|>|>=) number-with-unit`.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "metrics/expectation.hpp"

namespace sluice {

struct expectation_error {
  std::size_t at = 0;      ///< byte of the text where it is wrong
  std::size_t length = 1;  ///< bytes
  std::string message;
  std::string hint;
};

/// A parsed line, without its place; or what is wrong.
std::variant<expectation, expectation_error> parse_expectation(std::string_view text);

}  // namespace sluice
