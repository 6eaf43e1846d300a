#include "scenarios/suggest.hpp"

#include <algorithm>
#include <numeric>

namespace sluice {

namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// Longer words are not typing errors of anything, and the table stays small.
constexpr std::size_t longest_word = 64;

template <typename words_type>
std::optional<std::string_view> nearest_of(std::string_view word, const words_type& words) {
  if (word.empty() || word.size() > longest_word)
    return std::nullopt;
  const auto limit = std::max<std::size_t>(1, word.size() / 3);
  std::optional<std::string_view> best;
  auto best_distance = limit + 1;
  for (std::string_view candidate : words) {
    if (candidate.size() > word.size() + limit || word.size() > candidate.size() + limit)
      continue;
    // A word of one or two letters with one changed shares too little to be what was meant.
    const auto d = edit_distance(word, candidate);
    if (d < best_distance && d < std::max(word.size(), candidate.size())) {
      best = candidate;
      best_distance = d;
    }
  }
  return best;
}

}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), now(b.size() + 1);
  std::iota(last.begin(), last.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    now[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const auto same = lower(a[i - 1]) == lower(b[j - 1]);
      now[j] = std::min({last[j] + 1, now[j - 1] + 1, last[j - 1] + (same ? 0 : 1)});
      if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2])
          && lower(a[i - 2]) == lower(b[j - 1]))
        now[j] = std::min(now[j], before[j - 2] + 1);
    }
    std::swap(before, last);
    std::swap(last, now);
  }
  return last[b.size()];
}

std::optional<std::string_view> nearest(std::string_view word,
                                        std::span<const std::string_view> words) {
  return nearest_of(word, words);
}

std::optional<std::string_view> nearest(std::string_view word,
                                        const std::vector<std::string>& words) {
  return nearest_of(word, words);
}

}  // namespace sluice
