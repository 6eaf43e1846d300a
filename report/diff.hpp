/// \file
/// Two summaries side by side, as text.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace sluice {

struct named_summary {
  std::string_view name;  ///< of its column
  const nlohmann::json* summary = nullptr;
};

/// The main figures of two runs: packets, flows, drops by place, pauses by hop. What is the same in
/// both of a long table is left out.
/// \pre problem_of_summary finds nothing in either
std::string diff_text(const named_summary& a, const named_summary& b);

}  // namespace sluice
