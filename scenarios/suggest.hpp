/// \file
/// "Did you mean": the nearest of some words, or none when nothing is near.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// Insertions, deletions, replacements and swaps of neighbours between two words (optimal string
/// alignment); a change of case counts nothing, so that `KIND` is near `kind`.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The word with the smallest distance, if that is at most a third of `word`'s length (at least 1).
/// Of several equally near ones the first.
std::optional<std::string_view> nearest(std::string_view word,
                                        std::span<const std::string_view> words);
std::optional<std::string_view> nearest(std::string_view word,
                                        const std::vector<std::string>& words);

}  // namespace sluice
