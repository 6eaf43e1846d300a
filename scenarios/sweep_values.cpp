#include "scenarios/sweep_values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "traffic/units.hpp"

namespace sluice {

namespace {

__extension__ typedef unsigned __int128 wide;

struct failure {
  std::string message;
};

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ')
    text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ')
    text.remove_suffix(1);
  return text;
}

/// At commas that stand in no bracket and no quote.
std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> out;
  std::size_t begin = 0;
  int depth = 0;
  char quote = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote != 0) {
      quote = c == quote ? '\0' : quote;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '[' || c == '{') {
      ++depth;
    } else if (c == ']' || c == '}') {
      --depth;
    } else if (c == ',' && depth <= 0) {
      out.push_back(trimmed(text.substr(begin, i - begin)));
      begin = i + 1;
    }
  }
  out.push_back(trimmed(text.substr(begin)));
  return out;
}

/// Factors are in thousandths, so that all kinds count in whole numbers.
constexpr std::uint64_t factor_parts = 1000;

struct amount_of_kind {
  quantity::kind what = quantity::kind::count;
  bool bare = false;
  std::uint64_t amount = 0;
};

std::optional<amount_of_kind> amount_in(std::string_view text) {
  const auto q = parse_quantity(text);
  if (!q.value)
    return std::nullopt;
  amount_of_kind out{q.value->what, q.value->bare, q.value->amount};
  if (out.what == quantity::kind::factor) {
    if (out.amount > std::numeric_limits<std::uint64_t>::max() / factor_parts
        || out.amount * factor_parts % q.value->divisor != 0)
      return std::nullopt;
    out.amount = out.amount * factor_parts / q.value->divisor;
  }
  return out;
}

/// In the largest unit in which it has at most three decimals: 1200000000 bit/s is "1.2Gbit".
std::string short_text(quantity::kind what, std::uint64_t amount) {
  std::string best = show_quantity(what, amount);
  auto names = kind_units(what);
  while (!names.empty()) {
    const auto comma = std::min(names.find(", "), names.size());
    const auto name = names.substr(0, comma);
    names.remove_prefix(std::min(names.size(), comma + 2));
    const auto scale = parse_quantity(fmt::format("1{}", name)).value->amount;
    // Kibibytes are for what somebody counts in them.
    const bool powers_of_2 = name.size() == 3 && name[1] == 'i';
    const auto parts = static_cast<wide>(amount) * 1000;
    if (name == "min" || amount < scale || parts % scale != 0
        || powers_of_2 != (what == quantity::kind::size && amount % 1024 == 0))
      continue;
    auto text =
        fmt::format("{}.{:03}", amount / scale, static_cast<unsigned>(parts / scale % 1000));
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.')
      text.pop_back();
    best = text + std::string{name};
  }
  return best;
}

std::string text_of(const amount_of_kind& v) {
  if (v.what == quantity::kind::factor)
    return fmt::format("{}x", static_cast<double>(v.amount) / static_cast<double>(factor_parts));
  if (v.what == quantity::kind::packets)
    return fmt::format("{}p", v.amount);
  if (v.bare)
    return fmt::format("{}", v.amount);
  return v.what == quantity::kind::percent ? show_quantity(v.what, v.amount)
                                           : short_text(v.what, v.amount);
}

double number_of(const amount_of_kind& v) {
  const auto n = static_cast<double>(v.amount);
  switch (v.what) {
    case quantity::kind::duration:
      return n / static_cast<double>(second);
    case quantity::kind::percent:
      return n / 1e4;
    case quantity::kind::factor:
      return n / static_cast<double>(factor_parts);
    default:
      return n;
  }
}

amount_of_kind end_of(std::string_view text, std::string_view range) {
  if (const auto end = amount_in(text))
    return *end;
  const auto q = parse_quantity(text);
  throw failure{fmt::format(
      "`{}`: a range goes from one number with a unit to another, as `1Gbit..10Gbit`; {}{}", range,
      text.empty() ? "an end is missing"
      : q.numeric  ? q.message
                   : fmt::format("`{}` is none", text),
      q.suggestion.empty() ? "" : fmt::format("; did you mean `{}`?", q.suggestion))};
}

class range {
public:
  range(std::string_view text, std::size_t dots) : text_{text} {
    auto rest = text.substr(dots + 2);
    if (const auto colon = rest.find(':'); colon != std::string_view::npos) {
      how_ = trimmed(rest.substr(colon + 1));
      rest = rest.substr(0, colon);
      if (how_.empty())
        fail("after `:` comes how many values, as `:5`, or `:+1Gbit`, `:x2`, `:log5`");
    }
    from_ = end_of(trimmed(text.substr(0, dots)), text);
    to_ = end_of(trimmed(rest), text);
    if (from_.bare && from_.amount == 0)
      from_ = {to_.what, to_.bare, 0};  // nothing needs no unit
    if (from_.what != to_.what)
      fail(fmt::format("its ends are {} and {}", kind_name(from_.what), kind_name(to_.what)));
    if (from_.amount >= to_.amount)
      fail("a range begins with its smaller end");
    from_.bare = from_.bare && to_.bare;
  }

  bool geometric() const { return how_.starts_with('x') || how_.starts_with("log"); }

  std::vector<amount_of_kind> values() const {
    if (how_.starts_with('+'))
      return in_steps();
    if (how_.starts_with("log"))
      return by_digits(number(how_.substr(3)));
    if (how_.starts_with('x'))
      return by_factor();
    if (!how_.empty())
      return evenly(number(how_));
    const auto apart = to_.amount - from_.amount;
    const bool whole = from_.bare || from_.what == quantity::kind::packets;
    return evenly(whole && apart < range_values ? static_cast<std::size_t>(apart) + 1
                                                : range_values);
  }

private:
  [[noreturn]] void fail(std::string_view why) const {
    throw failure{fmt::format("`{}`: {}", text_, why)};
  }

  std::size_t number(std::string_view digits) const {
    std::size_t n = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), n);
    if (error != std::errc{} || end != digits.data() + digits.size() || n < 2
        || n > max_swept_values)
      fail(
          fmt::format("`{}` is not a number of values from 2 to {}; write `:5`, `:+STEP`, `:x2` "
                      "or `:log5`",
                      how_, max_swept_values));
    return n;
  }

  amount_of_kind with(std::uint64_t amount) const { return {from_.what, from_.bare, amount}; }

  /// Both ends are written in multiples of 1024.
  bool binary() const {
    return from_.what == quantity::kind::size && from_.amount % 1024 == 0 && to_.amount % 1024 == 0;
  }

  std::vector<amount_of_kind> evenly(std::size_t n) const {
    const wide apart = to_.amount - from_.amount, steps = n - 1;
    wide round = 1;
    if (apart % steps != 0) {
      if (binary() && apart / steps >= 4096)
        round = 1024;
      else
        while (round * 1000 <= apart / steps)
          round *= 10;
    }
    std::vector<amount_of_kind> out;
    for (wide i = 0; i < n; ++i) {
      const auto above = (apart * i + steps * round / 2) / (steps * round) * round;
      out.push_back(
          with(i + 1 == n ? to_.amount : from_.amount + static_cast<std::uint64_t>(above)));
    }
    return out;
  }

  std::vector<amount_of_kind> in_steps() const {
    const auto step = amount_in(how_.substr(1));
    if (!step || step->what != from_.what || step->amount == 0)
      fail(fmt::format("`{}` is not a step such as `+{}`", how_, kind_example(from_.what)));
    std::vector<amount_of_kind> out;
    for (wide at = from_.amount; at <= to_.amount; at += step->amount)
      add(out, static_cast<std::uint64_t>(at));
    return out;
  }

  std::vector<amount_of_kind> by_factor() const {
    const auto f = parse_quantity(fmt::format("{}x", how_.substr(1)));
    constexpr std::uint64_t most = 1'000'000'000;  // so that products fit
    if (!f.value || f.value->amount <= f.value->divisor || f.value->amount > most)
      fail(fmt::format("`{}` is not a factor above 1, such as `x2`", how_));
    need_begin();
    std::vector<amount_of_kind> out;
    for (wide at = from_.amount; at <= to_.amount;) {
      add(out, static_cast<std::uint64_t>(at));
      const auto next = (at * f.value->amount + f.value->divisor / 2) / f.value->divisor;
      if (next == at)
        fail("the factor is too near to 1: values would repeat");
      at = next;
    }
    return out;
  }

  std::vector<amount_of_kind> by_digits(std::size_t n) const {
    need_begin();
    const auto low = static_cast<double>(from_.amount), high = static_cast<double>(to_.amount);
    std::vector<amount_of_kind> out{from_};
    for (std::size_t i = 1; i + 1 < n; ++i) {
      const auto v =
          low * std::pow(high / low, static_cast<double>(i) / static_cast<double>(n - 1));
      double round = 1;
      if (binary() && v >= 10 * 1024)
        round = 1024;
      else
        while (round * 1000 <= v)
          round *= 10;
      out.push_back(with(static_cast<std::uint64_t>(std::round(v / round) * round)));
    }
    out.push_back(to_);
    out.front().bare = out.back().bare = from_.bare;
    return out;
  }

  void need_begin() const {
    if (from_.amount == 0)
      fail("no factor leads up from 0");
  }

  void add(std::vector<amount_of_kind>& out, std::uint64_t amount) const {
    if (out.size() == max_swept_values)
      fail(fmt::format("these are more than {} values", max_swept_values));
    out.push_back(with(amount));
  }

  std::string_view text_, how_;
  amount_of_kind from_, to_;
};

/// A list that somebody wrote in factors: far apart, and ever farther.
bool looks_geometric(const std::vector<swept_value>& values) {
  if (values.size() < 3 || !(values.front().number > 0))
    return false;
  double first = 0, last = 0;
  for (std::size_t i = 1; i < values.size(); ++i) {
    last = values[i].number - values[i - 1].number;
    first = i == 1 ? last : first;
    if (last <= 0)
      return false;
  }
  return values.back().number >= 8 * values.front().number && last >= 3 * first;
}

swept_key parse(std::string_view argument) {
  const auto equals = argument.find('=');
  if (equals == std::string_view::npos || equals == 0)
    throw failure{
        fmt::format("`{}` is not PATH=VALUES, as `defaults.link.rate=1Gbit..10Gbit`", argument)};
  swept_key key;
  key.path = std::string{trimmed(argument.substr(0, equals))};
  const auto parts = split(argument.substr(equals + 1));
  std::optional<quantity::kind> kind;
  bool numbers = true, geometric = false;
  const auto add = [&](std::string text, const std::optional<amount_of_kind>& v) {
    if (key.values.size() == max_swept_values)
      throw failure{fmt::format("`{}` has more than {} values", key.path, max_swept_values)};
    for (const auto& other : key.values)
      if (other.text == text)
        throw failure{fmt::format("`{}` has the value `{}` twice", key.path, text)};
    key.values.push_back({std::move(text), v ? number_of(*v) : 0});
    // 0 is of every kind.
    if (v && v->bare && v->amount == 0)
      return;
    numbers = numbers && v && (!kind || *kind == v->what);
    if (v)
      kind = v->what;
  };
  for (const auto part : parts) {
    if (part.empty() && parts.size() > 1)
      throw failure{fmt::format("`{}`: a value is missing beside a comma", argument)};
    const bool quoted = part.starts_with('"') || part.starts_with('\'') || part.starts_with('[')
                        || part.starts_with('{');
    const auto dots = quoted ? std::string_view::npos : part.find("..");
    if (dots != std::string_view::npos
        && (parse_quantity(trimmed(part.substr(0, dots))).numeric
            || parse_quantity(trimmed(part.substr(dots + 2))).numeric)) {
      const range r{part, dots};
      geometric = geometric || r.geometric();
      for (const auto& v : r.values())
        add(text_of(v), v);
    } else {
      add(std::string{part}, amount_in(part));
    }
  }
  if (numbers)
    key.kind = kind ? *kind : quantity::kind::count;
  else
    for (auto& v : key.values)
      v.number = 0;
  key.geometric = key.kind && (geometric || looks_geometric(key.values));
  return key;
}

}  // namespace

std::string_view swept_key::unit() const {
  if (!kind)
    return {};
  switch (*kind) {
    case quantity::kind::duration:
      return "s";
    case quantity::kind::rate:
      return "bit/s";
    case quantity::kind::size:
      return "B";
    case quantity::kind::packets:
      return "packets";
    case quantity::kind::percent:
      return "%";
    case quantity::kind::factor:
      return "x";
    case quantity::kind::count:
      break;
  }
  return {};
}

std::variant<swept_key, std::string> parse_swept(std::string_view argument) {
  try {
    return parse(argument);
  } catch (failure& f) {
    return std::move(f.message);
  }
}

}  // namespace sluice
