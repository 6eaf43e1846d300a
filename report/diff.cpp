#include "report/diff.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "metrics/text.hpp"

namespace sluice {

namespace {

using nlohmann::json;

constexpr std::size_t most_rows = 20;  // of each kind: longer tables hide what matters

/// A number at the end of a way of keys; nothing if there is none.
std::optional<double> at(const json& from, std::initializer_list<const char*> way) {
  const auto* here = &from;
  for (const auto* key : way) {
    if (!here->is_object() || !here->contains(key))
      return {};
    here = &(*here)[key];
  }
  return here->is_number() ? std::optional{here->get<double>()} : std::nullopt;
}

std::string text_of(const json& from, const char* key) {
  return from.contains(key) && from[key].is_string() ? from[key].get<std::string>() : "-";
}

using show = std::function<std::string(double)>;

std::string count(double n) {
  return human_count(static_cast<std::uint64_t>(std::clamp(n, 0.0, 1e18)));
}

std::string nanoseconds(double ns) {
  return human_time(ns * 1e-9);
}

class comparison {
public:
  comparison(const named_summary& a, const named_summary& b)
      : a_{*a.summary},
        b_{*b.summary},
        table_{{"", std::string{a.name}, std::string{b.name}, "change"}} {}

  void row(const std::string& label, std::optional<double> x, std::optional<double> y,
           const show& shown) {
    const auto text = [&](const auto& v) { return v ? shown(*v) : std::string{"-"}; };
    table_.row({label, text(x), text(y), change(x, y)});
  }
  void row(const std::string& label, std::initializer_list<const char*> way, const show& shown) {
    row(label, at(a_, way), at(b_, way), shown);
  }
  void words(const std::string& label, const char* key) {
    const auto x = text_of(a_, key), y = text_of(b_, key);
    table_.row({label, x, y, x == y ? "same" : "differs"});
  }
  void heading(const std::string& text) {
    table_.row({""});
    table_.row({text});
  }

  void flows() {
    std::vector<std::string> names;
    for (const auto* s : {&a_, &b_})
      for (const auto& [name, flow] : (*s)["flows"].items())
        if (std::ranges::find(names, name) == names.end() && names.size() <= 10 * most_rows)
          names.push_back(name);
    const auto of = [](const json& s, const std::string& name) {
      return s["flows"].contains(name) ? s["flows"][name] : json::object();
    };
    const auto all = names.size();
    // Those first that differ the most in what was delivered; in files they are sorted by name.
    std::ranges::stable_sort(names, std::greater{}, [&](const auto& name) {
      return std::abs(at(of(a_, name), {"delivered"}).value_or(0)
                      - at(of(b_, name), {"delivered"}).value_or(0));
    });
    names.resize(std::min(names.size(), most_rows));
    for (const auto& name : names) {
      const auto x = of(a_, name), y = of(b_, name);
      heading("flow " + name);
      const auto line = [&](const char* label, std::initializer_list<const char*> way,
                            const show& shown) { row(label, at(x, way), at(y, way), shown); };
      line("  delivered", {"delivered"}, count);
      line("  dropped", {"dropped"}, count);
      line("  p50", {"latency_ns", "p50"}, nanoseconds);
      line("  p99", {"latency_ns", "p99"}, nanoseconds);
      line("  goodput", {"goodput_bps"}, human_rate);
    }
    if (all > names.size())
      table_.row({fmt::format("... and {} more flows", all - names.size())});
  }

  /// Sums of a list's figures by a name in its lines.
  void sums(const std::string& title, const char* list, const char* by, const char* figure,
            const show& shown) {
    std::map<std::string, std::pair<double, double>> rows;
    const auto add = [&](const json& s, auto part) {
      for (const auto& line : s[list])
        if (line.is_object() && line.contains(by) && line[by].is_string())
          if (const auto n = at(line, {figure}); n && *n != 0)
            rows[line[by].get<std::string>()].*part += *n;
    };
    add(a_, &std::pair<double, double>::first);
    add(b_, &std::pair<double, double>::second);
    if (rows.empty())
      return;
    std::vector<std::pair<std::string, std::pair<double, double>>> sorted{rows.begin(), rows.end()};
    std::ranges::stable_sort(sorted, std::greater{}, [](const auto& r) {
      return std::max(r.second.first, r.second.second);
    });
    heading(title);
    for (std::size_t i = 0; i < std::min(most_rows, sorted.size()); ++i)
      row("  " + sorted[i].first, sorted[i].second.first, sorted[i].second.second, shown);
    if (sorted.size() > most_rows)
      table_.row({fmt::format("  ... and {} more", sorted.size() - most_rows)});
  }

  std::string text() { return table_.to_string("", 100); }

private:
  static std::string change(std::optional<double> x, std::optional<double> y) {
    if (!x || !y)
      return "";
    if (*x == *y)
      return "same";
    if (*x == 0)
      return "new";
    const auto percent = 100 * (*y - *x) / *x;
    if (!std::isfinite(percent))
      return "differs";  // no run has such figures
    return std::abs(percent) < 0.05 ? "<0.1%" : fmt::format("{:+.1f}%", percent);
  }

  const json &a_, &b_;
  text_table table_;
};

}  // namespace

std::string diff_text(const named_summary& a, const named_summary& b) {
  comparison c{a, b};
  c.words("scenario", "scenario");
  c.words("fingerprint", "fingerprint");
  c.row("seed", {"seed"}, [](double n) { return fmt::format("{:.0f}", n); });
  c.row("virtual time", {"virtual_seconds"}, human_time);
  c.row("packets made", {"packets", "made"}, count);
  c.row("  delivered", {"packets", "delivered"}, count);
  c.row("  dropped", {"packets", "dropped"}, count);
  c.row("  still on their way", {"packets", "held"}, count);
  c.flows();
  c.sums("lost at", "drops", "component", "packets", count);
  c.sums("senders stopped by", "pauses", "on", "paused_seconds", human_time);
  return c.text();
}

}  // namespace sluice
