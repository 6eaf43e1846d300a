#include "scenarios/name_range.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace sluice {

name_range expand_name(std::string_view text) {
  const auto open = text.find('[');
  if (open == std::string_view::npos)
    return {{std::string{text}}, {}};
  const auto wrong = [](std::string what) { return name_range{{}, std::move(what)}; };
  const auto close = text.find(']', open);
  const auto before = text.substr(0, open);
  if (close == std::string_view::npos)
    return wrong("a range ends with `]`, for example `vm[1-16]`");
  const auto inside = text.substr(open + 1, close - open - 1);
  const auto after = text.substr(close + 1);
  if (after.find('[') != std::string_view::npos)
    return wrong("a name has at most one range");
  const auto dash = inside.find('-');
  const auto first = inside.substr(0, dash);
  const auto last = dash == std::string_view::npos ? std::string_view{} : inside.substr(dash + 1);
  const auto number = [](std::string_view digits, std::size_t& out) {
    const auto [end, bad] = std::from_chars(digits.data(), digits.data() + digits.size(), out);
    return !digits.empty() && bad == std::errc{} && end == digits.data() + digits.size();
  };
  std::size_t from = 0, to = 0;
  if (!number(first, from) || !number(last, to))
    return wrong("a range is two numbers, for example `vm[1-16]`");
  if (from > to)
    return wrong(fmt::format("`{}` comes after `{}`", first, last));
  if (to - from >= max_range)
    return wrong(fmt::format("a range has at most {} names", max_range));
  // With leading zeros all are as long as the first one.
  const auto width = first.size() > 1 && first.front() == '0' ? first.size() : 0;
  name_range all;
  all.names.reserve(to - from + 1);
  for (auto n = from; n <= to; ++n)
    all.names.push_back(fmt::format("{}{:0{}}{}", before, n, width, after));
  return all;
}

}  // namespace sluice
