#include "scenarios/quantity.hpp"

#include <fmt/format.h>

#include <array>
#include <limits>
#include <numeric>

#include "scenarios/suggest.hpp"
#include "traffic/units.hpp"

namespace sluice {

namespace {

__extension__ typedef unsigned __int128 wide;  // exact decimal arithmetic needs the room

struct unit {
  std::string_view name;
  quantity::kind what;
  std::uint64_t scale;
};

constexpr std::uint64_t kilo = 1'000, mega = 1'000'000, giga = 1'000'000'000;

// Within a kind from small to large: `show_quantity` and the messages rely on it.
constexpr std::array units{
    unit{"ps", quantity::kind::duration, picosecond},
    unit{"ns", quantity::kind::duration, nanosecond},
    unit{"us", quantity::kind::duration, microsecond},
    unit{"ms", quantity::kind::duration, millisecond},
    unit{"s", quantity::kind::duration, second},
    unit{"min", quantity::kind::duration, 60 * second},
    unit{"bit", quantity::kind::rate, 1},
    unit{"kbit", quantity::kind::rate, kilo},
    unit{"Mbit", quantity::kind::rate, mega},
    unit{"Gbit", quantity::kind::rate, giga},
    unit{"Tbit", quantity::kind::rate, kilo* giga},
    unit{"B", quantity::kind::size, 1},
    unit{"kB", quantity::kind::size, kilo},
    unit{"KiB", quantity::kind::size, 1024},
    unit{"MB", quantity::kind::size, mega},
    unit{"MiB", quantity::kind::size, 1024 * 1024},
    unit{"GB", quantity::kind::size, giga},
    unit{"GiB", quantity::kind::size, 1024 * 1024 * 1024},
    unit{"p", quantity::kind::packets, 1},
    unit{"packet", quantity::kind::packets, 1},
    unit{"packets", quantity::kind::packets, 1},
    unit{"%", quantity::kind::percent, 10'000},
    unit{"x", quantity::kind::factor, 1},
    unit{"k", quantity::kind::count, kilo},
    unit{"M", quantity::kind::count, mega},
    unit{"G", quantity::kind::count, giga},
};

struct spelling {
  std::string_view wrong, right;
};

// What people write instead. Edit distance alone would turn Gbps into Gbit only by luck.
constexpr std::array misspelt{
    spelling{"bps", "bit"},     spelling{"kbps", "kbit"},   spelling{"Kbps", "kbit"},
    spelling{"Mbps", "Mbit"},   spelling{"mbps", "Mbit"},   spelling{"Gbps", "Gbit"},
    spelling{"gbps", "Gbit"},   spelling{"Tbps", "Tbit"},   spelling{"bit/s", "bit"},
    spelling{"kbit/s", "kbit"}, spelling{"Mbit/s", "Mbit"}, spelling{"Gbit/s", "Gbit"},
    spelling{"Tbit/s", "Tbit"}, spelling{"Kbit", "kbit"},   spelling{"gbit", "Gbit"},
    spelling{"mbit", "Mbit"},   spelling{"Gb", "Gbit"},     spelling{"Mb", "Mbit"},
    spelling{"Gb/s", "Gbit"},   spelling{"Mb/s", "Mbit"},   spelling{"KB", "kB"},
    spelling{"kb", "kB"},       spelling{"K", "KiB"},       spelling{"Ki", "KiB"},
    spelling{"Mi", "MiB"},      spelling{"Gi", "GiB"},      spelling{"kib", "KiB"},
    spelling{"kiB", "KiB"},     spelling{"mib", "MiB"},     spelling{"b", "B"},
    spelling{"byte", "B"},      spelling{"bytes", "B"},     spelling{"sec", "s"},
    spelling{"secs", "s"},      spelling{"second", "s"},    spelling{"seconds", "s"},
    spelling{"msec", "ms"},     spelling{"usec", "us"},     spelling{"nsec", "ns"},
    spelling{"\u00b5s", "us"},  spelling{"\u03bcs", "us"},  spelling{"m", "min"},
    spelling{"mins", "min"},    spelling{"minutes", "min"}, spelling{"pkts", "packets"},
    spelling{"pkt", "packets"}, spelling{"pps", ""},        spelling{"X", "x"},
};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::string_view base_units(quantity::kind k) {
  switch (k) {
    case quantity::kind::duration:
      return "picoseconds";
    case quantity::kind::rate:
      return "bits per second";
    case quantity::kind::size:
      return "bytes";
    case quantity::kind::packets:
      return "packets";
    case quantity::kind::percent:
      return "millionths";
    default:
      return {};
  }
}

}  // namespace

quantity_result parse_quantity(std::string_view text) {
  quantity_result result;
  std::size_t i = 0;
  if (text.empty() || !(is_digit(text[0]) || text[0] == '-' || text[0] == '+' || text[0] == '.')) {
    result.message = "not a number";
    return result;
  }
  if (text.size() > 1 && (text[0] == '-' || text[0] == '+') && is_digit(text[1])) {
    result.numeric = true;
    result.message = fmt::format("`{}` has a sign", text);
    if (text[0] == '+')
      result.suggestion = std::string{text.substr(1)};
    return result;
  }
  result.numeric = is_digit(text[0]) || (text.size() > 1 && is_digit(text[1]));

  wide mantissa = 0, fraction = 1;
  bool overflow = false;
  constexpr auto room = std::numeric_limits<wide>::max() / 10 - 1;
  const auto take = [&](char c) {
    overflow = overflow || mantissa > room;
    mantissa = mantissa * 10 + static_cast<unsigned>(c - '0');
  };
  while (i < text.size() && is_digit(text[i]))
    take(text[i++]);
  bool ok = i > 0;
  if (i < text.size() && text[i] == '.') {
    const auto dot = i++;
    for (; i < text.size() && is_digit(text[i]); ++i) {
      take(text[i]);
      // Zeros never fill the mantissa, but a fraction can be too long by itself.
      overflow = overflow || fraction > room;
      if (!overflow)
        fraction *= 10;
    }
    ok = ok && i > dot + 1;
  }
  if (!ok) {
    result.message = fmt::format("`{}` is not a number with a unit", text);
    return result;
  }
  const auto digits = text.substr(0, i);
  while (i < text.size() && text[i] == ' ')
    ++i;
  const auto suffix = text.substr(i);

  quantity q;
  std::uint64_t scale = 1;
  if (suffix.empty()) {
    q.bare = true;
  } else {
    const unit* found = nullptr;
    for (const auto& u : units)
      if (u.name == suffix)
        found = &u;
    if (found == nullptr) {
      result.message = fmt::format("`{}` is not a unit", suffix);
      for (const auto& s : misspelt)
        if (s.wrong == suffix)
          result.suggestion = fmt::format("{}{}", digits, s.right);
      if (result.suggestion.empty()) {
        std::vector<std::string_view> names;
        for (const auto& u : units)
          names.push_back(u.name);
        if (const auto near = nearest(suffix, names))
          result.suggestion = fmt::format("{}{}", digits, *near);
      }
      return result;
    }
    q.what = found->what;
    scale = found->scale;
  }

  const auto too_large = fmt::format("`{}` is too large or has too many digits", text);
  if (overflow || (mantissa != 0 && scale > std::numeric_limits<wide>::max() / mantissa)) {
    result.message = too_large;
    return result;
  }
  mantissa *= scale;
  constexpr auto max = std::numeric_limits<std::uint64_t>::max();
  if (q.what == quantity::kind::factor) {
    // By hand: std::gcd does not take 128-bit integers in strict C++20.
    wide a = mantissa, b = fraction;  // b is at least 1, so a ends above 0
    while (b != 0) {
      const auto r = a % b;
      a = b;
      b = r;
    }
    if (mantissa / a > max || fraction / a > max) {
      result.message = fmt::format("`{}` has too many digits", text);
      return result;
    }
    q.amount = static_cast<std::uint64_t>(mantissa / a);
    q.divisor = static_cast<std::uint64_t>(fraction / a);
  } else {
    if (mantissa % fraction != 0) {
      result.message = fmt::format("`{}` is not a whole number", text);
      if (!base_units(q.what).empty())
        result.message += fmt::format(" of {}", base_units(q.what));
      return result;
    }
    if (mantissa / fraction > max) {
      result.message = too_large;
      return result;
    }
    q.amount = static_cast<std::uint64_t>(mantissa / fraction);
  }
  result.value = q;
  return result;
}

std::string_view kind_name(quantity::kind k) {
  switch (k) {
    case quantity::kind::count:
      return "a plain number";
    case quantity::kind::duration:
      return "a duration";
    case quantity::kind::rate:
      return "a rate";
    case quantity::kind::size:
      return "a size";
    case quantity::kind::packets:
      return "a number of packets";
    case quantity::kind::percent:
      return "a percentage";
    case quantity::kind::factor:
      return "a factor";
  }
  return "";
}

std::string_view kind_example(quantity::kind k) {
  switch (k) {
    case quantity::kind::count:
      return "100";
    case quantity::kind::duration:
      return "10ms";
    case quantity::kind::rate:
      return "10Gbit";
    case quantity::kind::size:
      return "256KiB";
    case quantity::kind::packets:
      return "256 packets";
    case quantity::kind::percent:
      return "30%";
    case quantity::kind::factor:
      return "4x";
  }
  return "";
}

std::string_view kind_units(quantity::kind k) {
  switch (k) {
    case quantity::kind::count:
      return "";
    case quantity::kind::duration:
      return "ps, ns, us, ms, s, min";
    case quantity::kind::rate:
      return "bit, kbit, Mbit, Gbit, Tbit";
    case quantity::kind::size:
      return "B, kB, KiB, MB, MiB, GB, GiB";
    case quantity::kind::packets:
      return "p, packet, packets";
    case quantity::kind::percent:
      return "%";
    case quantity::kind::factor:
      return "x";
  }
  return "";
}

std::string kind_pattern(quantity::kind k) {
  std::string names;
  for (const auto& u : units)
    if (u.what == k)
      names += fmt::format("{}{}", names.empty() ? "" : "|", u.name);
  return fmt::format("^[0-9]+(\\.[0-9]+)? *({}){}$", names, k == quantity::kind::count ? "?" : "");
}

std::string show_quantity(quantity::kind k, std::uint64_t amount) {
  if (k == quantity::kind::packets)
    return fmt::format("{} packet{}", amount, amount == 1 ? "" : "s");
  if (k == quantity::kind::percent) {
    auto text = fmt::format("{}.{:04}", amount / 10'000, amount % 10'000);
    while (text.back() == '0')
      text.pop_back();
    if (text.back() == '.')
      text.pop_back();
    return text + "%";
  }
  const unit* best = nullptr;
  for (const auto& u : units)
    if (u.what == k && (best == nullptr || (amount != 0 && amount % u.scale == 0))
        && u.name != "min")
      best = &u;
  if (best == nullptr || (k == quantity::kind::count && amount % best->scale != 0))
    return fmt::format("{}", amount);
  return fmt::format("{}{}", amount / best->scale, best->name);
}

}  // namespace sluice
