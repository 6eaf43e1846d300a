#include "metrics/openmetrics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <istream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>
#include <span>
#include <vector>

namespace sluice {

namespace {

using nlohmann::json;

// What `run` writes stays far below: a histogram with 8,000 samples has a line of 3 MB.
constexpr std::size_t longest_line = 8u << 20;
constexpr std::size_t most_samples = 10'000, most_bounds = 100, most_families = 1'000;
constexpr std::size_t most_labels = 16;
constexpr int deepest = 5;
// As large as integers are exact.
constexpr std::int64_t latest_ms = 253'402'300'799'000;  // the year 9999

bool is_name(std::string_view text, bool colons) {
  const auto letter = [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (colons && c == ':');
  };
  return !text.empty() && text.size() <= 200 && letter(text[0])
         && std::ranges::all_of(text, [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == '"')
      out += '\\';
    if (c == '\n')
      out += "\\n";
    else
      out += c;
  }
  return out;
}

/// "0.001", "1.0", "1e+16": bounds of buckets always show that they are no integers.
std::string bound_text(double v) {
  auto text = fmt::format("{}", v);
  if (text.find_first_of(".e") == std::string::npos)
    text += ".0";
  return text;
}

class converter {
public:
  converter(std::istream& in, const openmetrics_options& options,
            const std::function<void(std::string_view)>& write)
      : in_{in}, options_{options}, write_{write} {}

  openmetrics_totals run() {
    read_head(next_object());
    for (;;) {
      const auto o = next_object();
      if (const auto end = o.find("end"); end != o.end()) {
        if (*end != totals_.series)
          fail(fmt::format("it has {} series and says otherwise at its end", totals_.series));
        break;
      }
      if (o.contains("family"))
        begin_family(o);
      else
        read_series(o);
      flush(1u << 16);
    }
    if (std::string more; next_line(more))
      fail("something follows its end");
    out_ += "# EOF\n";
    flush(0);
    return totals_;
  }

private:
  struct column {
    std::size_t first = 0;
    std::vector<double> values;
    double at(std::size_t i) const {
      return i < first || values.empty() ? 0 : values[std::min(i - first, values.size() - 1)];
    }
  };

  [[noreturn]] void fail(std::string_view what) const {
    throw history_error{fmt::format("line {}: {}", line_, what)};
  }
  void require(bool truth, std::string_view what) const {
    if (!truth)
      fail(what);
  }

  bool next_line(std::string& text) {
    text.clear();
    ++line_;
    for (int c; (c = in_.get()) != std::istream::traits_type::eof();) {
      if (c == '\n')
        return true;
      require(text.size() < longest_line, "it is too long");
      text += static_cast<char>(c);
    }
    require(text.empty(), "it is cut off");
    return false;
  }

  json next_object() {
    require(next_line(text_), "the end is missing: the file was cut off");
    bool deep = false;
    json value;
    try {
      value = json::parse(text_, [&](int depth, json::parse_event_t, json&) {
        deep = deep || depth > deepest;
        return !deep;
      });
    } catch (const json::exception&) {
      fail("it is not JSON");
    }
    require(!deep, "it is nested too deeply");
    require(value.is_object(), "it is no object");
    return value;
  }

  const json& member(const json& o, const char* name) const {
    const auto found = o.find(name);
    require(found != o.end(), fmt::format("it has no '{}'", name));
    return *found;
  }
  std::string text_of(const json& o, const char* name) const {
    const auto& v = member(o, name);
    require(v.is_string(), fmt::format("'{}' is no text", name));
    return v.get<std::string>();
  }
  double number(const json& v) const {
    require(v.is_number(), "there must be a number");
    const auto n = v.get<double>();
    require(std::isfinite(n), "a number is too large");
    return n;
  }

  // Finite and rising.
  std::vector<double> rising(const json& list, std::size_t most, double above,
                             const char* what) const {
    require(list.is_array() && !list.empty() && list.size() <= most,
            fmt::format("'{}' must be a list of 1 to {} numbers", what, most));
    std::vector<double> out;
    out.reserve(list.size());
    for (const auto& v : list) {
      out.push_back(number(v));
      require(out.back() > above, fmt::format("'{}' must rise", what));
      above = out.back();
    }
    return out;
  }

  void read_head(const json& o) {
    require(member(o, "metrics") == 1, "it is of another version");
    // Only their number is of interest.
    totals_.samples = rising(member(o, "seconds"), most_samples, -1, "seconds").size();
    const auto length = static_cast<std::int64_t>(totals_.samples - 1) * options_.interval_ms;
    totals_.first_ms = options_.ends ? options_.time_ms - length : options_.time_ms;
    totals_.last_ms = totals_.first_ms + length;
    require(totals_.first_ms >= 0 && totals_.last_ms <= latest_ms,
            "its samples are before 1970 or after 9999");
    for (std::size_t i = 0; i < totals_.samples; ++i) {
      const auto ms = totals_.first_ms + static_cast<std::int64_t>(i) * options_.interval_ms;
      stamps_.push_back(fmt::format(" {}.{:03}\n", ms / 1'000, ms % 1'000));
    }
  }

  // OpenMetrics names a family without what its samples have at their ends.
  void begin_family(const json& o) {
    name_ = text_of(o, "family");
    require(is_name(name_, true), "a family has no right name");
    const auto type = text_of(o, "type");
    auto family = name_;
    auto shown = type;
    const auto without = [&](std::string_view end) {
      require(family.size() > end.size() && family.ends_with(end),
              fmt::format("the name of a {} must end in {}", type, end));
      family.resize(family.size() - end.size());
    };
    histogram_ = type == "histogram";
    if (type == "counter") {
      without("_total");
    } else if (type == "gauge" && family.ends_with("_info")) {
      without("_info");
      shown = "info";
    } else {
      require(histogram_ || type == "gauge", "a family is of no known type");
    }
    require(names_.size() < most_families, "it has too many families");
    require(names_.insert(family).second, "a family comes twice");
    bounds_.clear();
    if (histogram_)
      for (const auto bound : rising(member(o, "le"), most_bounds, -HUGE_VAL, "le"))
        bounds_.push_back(bound_text(bound));
    out_ += fmt::format("# HELP {} {}\n# TYPE {} {}\n", family, escaped(text_of(o, "help")), family,
                        shown);
  }

  std::string labels_of(const json& o) const {
    const auto& labels = member(o, "labels");
    require(labels.is_object() && labels.size() <= most_labels, "'labels' are no labels");
    auto out = fmt::format("job=\"{}\",instance=\"{}\"", escaped(options_.job),
                           escaped(options_.instance));
    for (const auto& [name, value] : labels.items()) {
      require(is_name(name, false) && !name.starts_with("__") && name != "job" && name != "instance"
                  && name != "le" && value.is_string(),
              "a label has no right name or value");
      out += fmt::format(",{}=\"{}\"", name, escaped(value.get_ref<const std::string&>()));
    }
    return out;
  }

  column column_of(const json& o) const {
    require(o.is_object(), "a column is no object");
    column out;
    const auto values = o.find("values");
    if (values == o.end())
      return out;  // always 0
    require(values->is_array() && !values->empty() && values->size() <= totals_.samples,
            "'values' must be a list of 1 to as many numbers as there are samples");
    const auto first = member(o, "first");
    require(first.is_number_unsigned(), "'first' is no number of a sample");
    require(first.get<std::uint64_t>() <= totals_.samples - values->size(),
            "it has more values than there are samples");
    out.first = first.get<std::size_t>();
    out.values.reserve(values->size());
    for (const auto& v : *values)
      out.values.push_back(number(v));
    return out;
  }

  void read_series(const json& o) {
    require(!name_.empty(), "a series comes before the first family");
    const auto labels = labels_of(o);
    ++totals_.series;
    if (!histogram_) {
      const auto c = column_of(o);
      const auto begin = fmt::format("{}{{{}}} ", name_, labels);
      for (std::size_t i = 0; i < totals_.samples; ++i)
        sample(begin, c.at(i), i);
      return;
    }
    const auto& buckets = member(o, "buckets");
    require(buckets.is_array() && buckets.size() == bounds_.size() + 1,
            "a histogram has not as many buckets as bounds, and one for all");
    std::vector<std::string> begins;
    std::vector<column> columns;
    for (std::size_t b = 0; b < buckets.size(); ++b) {
      columns.push_back(column_of(buckets[b]));
      begins.push_back(fmt::format("{}_bucket{{{},le=\"{}\"}} ", name_, labels,
                                   b < bounds_.size() ? bounds_[b] : "+Inf"));
    }
    columns.push_back(columns.back());
    begins.push_back(fmt::format("{}_count{{{}}} ", name_, labels));
    columns.push_back(column_of(member(o, "sum")));
    begins.push_back(fmt::format("{}_sum{{{}}} ", name_, labels));
    for (std::size_t i = 0; i < totals_.samples; ++i)
      for (std::size_t c = 0; c < columns.size(); ++c)
        sample(begins[c], columns[c].at(i), i);
  }

  void sample(const std::string& begin, double value, std::size_t number) {
    out_ += begin;
    fmt::format_to(std::back_inserter(out_), "{}", value);
    out_ += stamps_[number];
    flush(1u << 20);
  }

  void flush(std::size_t from) {
    if (out_.size() < from)
      return;
    write_(out_);
    out_.clear();
  }

  std::istream& in_;
  const openmetrics_options& options_;
  const std::function<void(std::string_view)>& write_;
  std::uint64_t line_ = 0;
  std::string text_, out_;
  openmetrics_totals totals_;
  std::vector<std::string> stamps_;
  std::string name_;  // of the family's samples
  bool histogram_ = false;
  std::vector<std::string> bounds_;
  std::set<std::string> names_;
};

}  // namespace

openmetrics_totals write_openmetrics(std::istream& history, const openmetrics_options& options,
                                     const std::function<void(std::string_view)>& write) {
  return converter{history, options, write}.run();
}

std::string utc_time(std::int64_t ms) {
  using namespace std::chrono;
  const sys_time<milliseconds> time{milliseconds{ms}};
  const auto day = floor<days>(time);
  const year_month_day date{day};
  const hh_mm_ss clock{floor<seconds>(time - day)};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

std::int64_t parse_utc_time(std::string_view text) {
  const auto wrong = [&] {
    return std::invalid_argument(
        fmt::format("'{}' is no time: write 2026-11-22T03:00:00Z, or seconds since 1970", text));
  };
  if (text.find('T') == std::string_view::npos) {
    double seconds = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (error != std::errc{} || end != text.data() + text.size() || !(seconds >= 0)
        || seconds * 1e3 > static_cast<double>(latest_ms))
      throw wrong();
    return std::llround(seconds * 1e3);
  }
  // Each # is a digit.
  constexpr std::string_view form = "####-##-##T##:##:##Z";
  if (text.size() != form.size()
      || !std::equal(text.begin(), text.end(), form.begin(),
                     [](char c, char f) { return f == '#' ? c >= '0' && c <= '9' : c == f; }))
    throw wrong();
  const auto at = [&](std::size_t from, std::size_t size) {
    int n = 0;
    for (const char c : text.substr(from, size))
      n = 10 * n + (c - '0');
    return n;
  };
  using namespace std::chrono;
  const year_month_day date{year{at(0, 4)}, month{static_cast<unsigned>(at(5, 2))},
                            day{static_cast<unsigned>(at(8, 2))}};
  if (!date.ok() || at(0, 4) < 1970 || at(11, 2) > 23 || at(14, 2) > 59 || at(17, 2) > 59)
    throw wrong();
  return duration_cast<milliseconds>(sys_days{date}.time_since_epoch()).count()
         + 1'000 * ((at(11, 2) * 60 + at(14, 2)) * 60 + at(17, 2));
}

}  // namespace sluice
