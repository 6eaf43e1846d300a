#include "metrics/text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <utility>

namespace sluice {

namespace {

struct scale {
  double factor;
  std::string_view unit;
};

/// Three significant digits with the largest unit that keeps the number at or above one.
std::string scaled(double value, std::span<const scale> scales) {
  const auto* chosen = &scales.back();
  for (const auto& s : scales) {
    // 999.6 would print as "1000": take the next unit then.
    if (std::fabs(value) / s.factor >= 0.9995) {
      chosen = &s;
      break;
    }
  }
  const double v = value / chosen->factor;
  if (v == 0)
    return fmt::format("0 {}", chosen->unit);
  // 60e-6 / 1e-6 is not quite 60; whole is what rounds to whole.
  if (std::fabs(v - std::round(v)) < 1e-9 * std::fabs(v))
    return fmt::format("{:.0f} {}", v, chosen->unit);
  const int decimals = std::fabs(v) < 9.995 ? 2 : std::fabs(v) < 99.95 ? 1 : 0;
  return fmt::format("{:.{}f} {}", v, decimals, chosen->unit);
}

}  // namespace

std::string human_count(std::uint64_t n) {
  auto digits = std::to_string(n);
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3)
    digits.insert(static_cast<std::size_t>(at), ",");
  return digits;
}

std::string human_bytes(double bytes) {
  static constexpr std::array scales{scale{1099511627776.0, "TiB"}, scale{1073741824.0, "GiB"},
                                     scale{1048576.0, "MiB"}, scale{1024.0, "KiB"}, scale{1, "B"}};
  return scaled(bytes, scales);
}

std::string human_time(double seconds) {
  static constexpr std::array scales{scale{1, "s"}, scale{1e-3, "ms"}, scale{1e-6, "us"},
                                     scale{1e-9, "ns"}};
  if (seconds == 0)
    return "0 s";
  return scaled(seconds, scales);
}

std::string human_time_ps(sim_time t) {
  return human_time(seconds_of(t));
}

std::string human_rate(double bits_per_second) {
  static constexpr std::array scales{scale{1e12, "Tbit/s"}, scale{1e9, "Gbit/s"},
                                     scale{1e6, "Mbit/s"}, scale{1e3, "kbit/s"}, scale{1, "bit/s"}};
  return scaled(bits_per_second, scales);
}

std::string human_speed(double hops_per_second) {
  static constexpr std::array scales{
      scale{1e9, "billion packet-hops/s"}, scale{1e6, "million packet-hops/s"},
      scale{1e3, "thousand packet-hops/s"}, scale{1, "packet-hops/s"}};
  return scaled(hops_per_second, scales);
}

std::string human_share(double part, double of) {
  if (of == 0)
    return "-";
  const double percent = 100 * part / of;
  if (part == of || part == 0)
    return fmt::format("{:.0f}%", percent);
  // A share that is not everything must not look like it, nor something like nothing.
  if (percent < 100 && percent > 99.9)
    return percent >= 99.99 ? ">99.99%" : fmt::format("{:.2f}%", std::floor(percent * 100) / 100);
  if (percent > 0 && percent < 0.01)
    return "<0.01%";
  return fmt::format("{:.{}f}%", percent, percent < 1 ? 2 : 1);
}

std::string deadlock_text(const deadlock_result& d) {
  constexpr std::size_t shown = 8;
  const auto first = std::min(shown, d.links.size());
  return fmt::format(
      "since {}: {}{} wait for each other", human_time_ps(d.since),
      fmt::join(d.links.begin(), d.links.begin() + static_cast<std::ptrdiff_t>(first), ", "),
      first < d.links.size() ? fmt::format(" and {} more", d.links.size() - first) : std::string{});
}

std::string hex16(std::uint64_t n) {
  return fmt::format("{:016x}", n);
}

std::string closest(std::string_view word, std::span<const std::string> candidates) {
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const auto& candidate : candidates) {
    // Levenshtein's distance, one row at a time.
    std::vector<std::size_t> row(candidate.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < word.size(); ++i) {
      std::size_t diagonal = std::exchange(row[0], i + 1);
      for (std::size_t j = 0; j < candidate.size(); ++j) {
        const auto replaced = diagonal + (word[i] == candidate[j] ? 0 : 1);
        diagonal = row[j + 1];
        row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
      }
    }
    if (row.back() < best_distance) {
      best_distance = row.back();
      best = candidate;
    }
  }
  return best;
}

text_table::text_table(std::vector<std::string> header, std::vector<align> columns)
    : columns_{std::move(columns)} {
  if (columns_.empty())
    columns_.push_back(align::left);
  columns_.resize(header.size(), align::right);
  rows_.push_back(std::move(header));
}

std::string text_table::to_string(std::string_view indent, std::size_t width) const {
  constexpr std::size_t gap = 2;
  std::vector<std::size_t> widths(columns_.size());
  for (const auto& row : rows_)
    for (std::size_t i = 0; i < row.size() && i < widths.size(); ++i)
      widths[i] = std::max(widths[i], row[i].size());

  // Too wide: take it from the widest left column, which holds names; figures are never cut.
  const auto total = [&] {
    return indent.size() + std::accumulate(widths.begin(), widths.end(), std::size_t{0})
           + gap * (widths.size() - 1);
  };
  while (total() > width) {
    std::size_t widest = widths.size();
    for (std::size_t i = 0; i < widths.size(); ++i)
      if (columns_[i] == align::left && (widest == widths.size() || widths[i] > widths[widest]))
        widest = i;
    constexpr std::size_t narrowest = 12;
    if (widest == widths.size() || widths[widest] <= narrowest)
      break;
    const auto over = total() - width;
    widths[widest] = widths[widest] > narrowest + over ? widths[widest] - over : narrowest;
  }

  std::string out;
  for (const auto& row : rows_) {
    std::string line{indent};
    for (std::size_t i = 0; i < widths.size(); ++i) {
      auto cell = i < row.size() ? row[i] : std::string{};
      if (cell.size() > widths[i]) {
        const auto keep = widths[i] - 3;
        cell = cell.substr(0, keep / 2) + "..." + cell.substr(cell.size() - (keep - keep / 2));
      }
      if (i != 0)
        line.append(gap, ' ');
      line += columns_[i] == align::left ? fmt::format("{:<{}}", cell, widths[i])
                                         : fmt::format("{:>{}}", cell, widths[i]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + '\n';
  }
  return out;
}

std::string in_markup(std::string_view text) {
  std::string out;
  for (const char c : text)
    switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  return out;
}

}  // namespace sluice
