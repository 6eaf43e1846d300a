#include "metrics/history.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <sstream>

#include "metrics/openmetrics.hpp"
#include "tests/metrics/example_run.hpp"

using namespace sluice;

namespace {

/// The run after so many milliseconds: `n` packets delivered, losses of `lost`.
run_results at(int ms, std::uint64_t n, std::uint64_t lost = 0) {
  auto run = example_run();
  run.over = false;
  run.virtual_time = ms * millisecond;
  run.flows[0].delivered = {n, 1000 * n};
  run.components[1].counters.dropped = {};
  if (lost != 0)
    run.components[1].counters.dropped.of(drop_reason::buffer_full, 0) = {lost, 1000 * lost};
  return run;
}

run_results over(int ms, std::uint64_t n, std::uint64_t lost = 0) {
  auto run = at(ms, n, lost);
  run.over = true;
  return run;
}

const metric_history::family* find(const metric_history& h, std::string_view name) {
  const auto found =
      std::ranges::find(h.families, name, [](const auto& f) { return f.metric->name; });
  return found == h.families.end() ? nullptr : &*found;
}

/// The values of the first series with this value of a label.
std::vector<double> values(const metric_history& h, std::string_view name, std::string_view label) {
  const auto* family = find(h, name);
  REQUIRE(family != nullptr);
  for (const auto& s : family->lines)
    if (std::ranges::any_of(s.labels, [&](const auto& l) { return l.value == label; })) {
      std::vector<double> out;
      const auto& c = s.columns[0];
      for (std::size_t i = 0; i < h.times.size(); ++i)
        out.push_back(i < c.first || c.values.empty()
                          ? 0
                          : c.values[std::min(i - c.first, c.values.size() - 1)]);
      return out;
    }
  FAIL("no series of " << name << " with " << label);
  return {};
}

std::string exported(const std::string& history, const openmetrics_options& options) {
  std::istringstream in{history};
  std::string out;
  write_openmetrics(in, options, [&](std::string_view text) { out += text; });
  return out;
}

bool has(const std::string& text, std::string_view line) {
  return ('\n' + text).find('\n' + std::string{line} + '\n') != std::string::npos;
}

/// A small history, line by line.
const std::vector<std::string> small{
    R"({"metrics":1,"seconds":[0,0.5,1]})",
    R"({"family":"a_total","type":"counter","help":"A \"b\"\nc."})",
    R"({"labels":{"x":"q\"\\\n"},"first":1,"values":[2]})",
    R"({"labels":{}})",
    R"({"family":"h","type":"histogram","help":"H."})",
    R"({"end":2})"};

std::string joined(const std::vector<std::string>& lines) {
  std::string out;
  for (const auto& l : lines)
    out += l + '\n';
  return out;
}

/// What is wrong with it; empty if nothing is. Then, and only then, it ends with EOF.
std::string problem_of(const std::string& history) {
  std::istringstream in{history};
  std::string out;
  try {
    write_openmetrics(in, {}, [&](std::string_view text) { out += text; });
  } catch (const history_error& e) {
    CHECK(out.find("# EOF") == std::string::npos);
    CHECK(*e.what() != '\0');
    return e.what();
  }
  CHECK(out.ends_with("# EOF\n"));
  return {};
}

}  // namespace

TEST_CASE("a history has every metric of every sample") {
  history_recorder recorder{millisecond, {}};
  CHECK(recorder.next() == 0);
  for (int i = 0; i < 5; ++i) {
    CHECK(recorder.next() == i * millisecond);
    recorder.sample(at(i, static_cast<std::uint64_t>(10 * i)));
  }
  const auto h = recorder.finish(over(5, 60));
  CHECK(h.times.size() == 6);
  CHECK(h.times.back() == 5 * millisecond);
  CHECK(values(h, "sluice_delivered_packets_total", "storage")
        == std::vector<double>{0, 10, 20, 30, 40, 60});
  CHECK(values(h, "sluice_made_packets_total", "noise") == std::vector<double>(6, 50));
  for (const auto& metric : metric_catalogue())
    CHECK_MESSAGE((find(h, metric.name) != nullptr) == !metric.read(over(5, 60)).empty(),
                  metric.name);
}

TEST_CASE("losses are 0 before the first, and a series that goes away is 0 from there on") {
  history_recorder recorder{millisecond, {}};
  auto held = at(0, 0);
  held.flows[1].blocked_by = {{"there", 0.5}};
  recorder.sample(at(0, 0));
  recorder.sample(held);
  recorder.sample(at(2, 1, 7));
  const auto h = recorder.finish(over(3, 2, 9));
  CHECK(values(h, "sluice_drops_packets_total", "buffer_full") == std::vector<double>{0, 0, 7, 9});
  CHECK(values(h, "sluice_flow_blocked_ratio", "there") == std::vector<double>{0, 0.5, 0, 0});
}

TEST_CASE("what a run is holds for all of it: one series, with the fingerprint") {
  history_recorder recorder{millisecond, {}};
  recorder.sample(at(0, 0));
  const auto h = recorder.finish(over(1, 1));
  REQUIRE(find(h, "sluice_run_info") != nullptr);
  CHECK(find(h, "sluice_run_info")->lines.size() == 1);
  CHECK(values(h, "sluice_run_info", "9f0c000000000001") == std::vector<double>{1, 1});
}

TEST_CASE("too many samples become half as many, twice as far apart") {
  history_recorder recorder{millisecond, {8, 1'000'000, 0}};
  while (recorder.next() < 100 * millisecond) {
    const auto ms = static_cast<int>(recorder.next() / millisecond);
    recorder.sample(at(ms, static_cast<std::uint64_t>(ms)));
  }
  const auto h = recorder.finish(over(99, 99));
  CHECK(h.interval == 16 * millisecond);
  CHECK(values(h, "sluice_delivered_packets_total", "storage")
        == std::vector<double>{0, 16, 32, 48, 64, 80, 96, 99});
}

TEST_CASE("samples at the end of a run and beyond it are dropped") {
  history_recorder recorder{millisecond, {}};
  for (int i = 0; i < 6; ++i)
    recorder.sample(at(i, static_cast<std::uint64_t>(i), i > 4 ? 1 : 0));
  const auto h = recorder.finish(over(3, 3));
  CHECK(h.times.size() == 4);
  CHECK(values(h, "sluice_delivered_packets_total", "storage") == std::vector<double>{0, 1, 2, 3});
}

TEST_CASE("large networks have fewer samples, and none is taken in vain") {
  history_recorder recorder{millisecond, {1000, 1, 1000 * millisecond}};
  recorder.sample(at(0, 0));
  CHECK(recorder.next() == 64 * millisecond);  // 20 at least
}

TEST_CASE("a history becomes OpenMetrics, a scrape for each sample") {
  history_recorder recorder{millisecond, {}};
  recorder.sample(at(0, 0));
  recorder.sample(at(1, 10, 3));
  const auto done = over(2, 60, 3);
  const auto history = history_text(recorder.finish(done), done, "9.9");
  CHECK(history.ends_with("}\n"));
  openmetrics_options options;
  options.time_ms = 1'700'000'000'500;
  options.interval_ms = 5'000;
  options.instance = "out";
  const auto text = exported(history, options);
  CHECK(has(text, "# TYPE sluice_delivered_packets counter"));
  CHECK(has(
      text,
      R"(sluice_delivered_packets_total{job="sluice",instance="out",flow="storage"} 0 1700000000.500
sluice_delivered_packets_total{job="sluice",instance="out",flow="storage"} 10 1700000005.500
sluice_delivered_packets_total{job="sluice",instance="out",flow="storage"} 60 1700000010.500)"));
  CHECK(has(text, "# TYPE sluice_run info"));
  CHECK(has(text, "# TYPE sluice_held_packets gauge"));
  CHECK(has(text,
            R"(sluice_virtual_time_seconds{job="sluice",instance="out"} 0.001 1700000005.500)"));
  CHECK(has(
      text,
      R"(sluice_latency_seconds_bucket{job="sluice",instance="out",flow="storage",le="0.0001"} 60 1700000010.500)"));
  CHECK(has(
      text,
      R"(sluice_latency_seconds_bucket{job="sluice",instance="out",flow="storage",le="+Inf"} 60 1700000010.500
sluice_latency_seconds_count{job="sluice",instance="out",flow="storage"} 60 1700000010.500
sluice_latency_seconds_sum{job="sluice",instance="out",flow="storage"} 0.00183 1700000010.500)"));
  CHECK(has(text, R"(sluice_run_over{job="sluice",instance="out"} 1 1700000010.500)"));
  CHECK(text.ends_with("\n# EOF\n"));

  // The same values, so that the last sample is where it shall be.
  options.ends = true;
  const auto other = exported(history, options);
  CHECK(has(other, R"(sluice_run_over{job="sluice",instance="out"} 1 1700000000.500)"));
  CHECK(has(other, R"(sluice_run_over{job="sluice",instance="out"} 0 1699999990.500)"));
}

TEST_CASE("labels and help are escaped, and what was always 0 is there") {
  openmetrics_options options;
  options.instance = "a\"b\\c\nd";
  auto lines = small;
  lines[4] = R"({"family":"g","type":"gauge","help":""})";
  CHECK(exported(joined(lines), options) == R"(# HELP a A \"b\"\nc.
# TYPE a counter
a_total{job="sluice",instance="a\"b\\c\nd",x="q\"\\\n"} 0 0.000
a_total{job="sluice",instance="a\"b\\c\nd",x="q\"\\\n"} 2 1.000
a_total{job="sluice",instance="a\"b\\c\nd",x="q\"\\\n"} 2 2.000
a_total{job="sluice",instance="a\"b\\c\nd"} 0 0.000
a_total{job="sluice",instance="a\"b\\c\nd"} 0 1.000
a_total{job="sluice",instance="a\"b\\c\nd"} 0 2.000
# HELP g 
# TYPE g gauge
# EOF
)");
}

TEST_CASE("a history that is broken or cut off is refused, and never ends with EOF") {
  auto lines = small;
  lines[4] = R"({"family":"h","type":"histogram","help":"H.","le":[1,2]})";
  const auto whole = joined(lines);
  REQUIRE(problem_of(whole).empty());
  for (std::size_t size = 0; size < whole.size(); ++size)
    CHECK_MESSAGE(!problem_of(whole.substr(0, size)).empty(), size);
  CHECK(problem_of(whole + "{}\n") == "line 7: something follows its end");

  const auto with = [&](std::size_t line, const std::string& text) {
    auto broken = lines;
    broken[line] = text;
    return problem_of(joined(broken));
  };
  const auto head = [&](const std::string& seconds) {
    return with(0, R"({"metrics":1,"seconds":)" + seconds + "}");
  };
  CHECK(with(0, "{}") == "line 1: it has no 'metrics'");
  CHECK(with(0, R"({"metrics":2,"seconds":[0,1]})") == "line 1: it is of another version");
  CHECK(head("[]") == "line 1: 'seconds' must be a list of 1 to 10000 numbers");
  CHECK(head("[0,2,1]") == "line 1: 'seconds' must rise");
  CHECK(head("[0,1e999]") == "line 1: it is not JSON");
  CHECK(head("[0,\"1\"]") == "line 1: there must be a number");
  std::string many = "[0";
  for (int i = 1; i <= 10'000; ++i)
    many += ',' + std::to_string(i);
  CHECK(head(many + ']') == "line 1: 'seconds' must be a list of 1 to 10000 numbers");

  CHECK(with(1, lines[2]) == "line 2: a series comes before the first family");
  CHECK(with(1, R"({"family":"a","type":"counter","help":""})")
        == "line 2: the name of a counter must end in _total");
  CHECK(with(1, R"({"family":"a b_total","type":"counter","help":""})")
        == "line 2: a family has no right name");
  CHECK(with(1, R"({"family":"a","type":"summary","help":""})")
        == "line 2: a family is of no known type");
  CHECK(with(4, R"({"family":"a","type":"gauge","help":""})") == "line 5: a family comes twice");
  CHECK(with(4, R"({"family":"h","type":"histogram","help":"","le":[2,1]})")
        == "line 5: 'le' must rise");

  CHECK(with(2, R"({"labels":{},"first":1,"values":[1,2,3]})")
        == "line 3: it has more values than there are samples");
  CHECK(with(2, R"({"labels":{},"first":18446744073709551615,"values":[1]})")
        == "line 3: it has more values than there are samples");
  CHECK(with(2, R"({"labels":{},"first":-1,"values":[1]})")
        == "line 3: 'first' is no number of a sample");
  CHECK(!with(2, R"({"labels":{},"first":0,"values":[1,2,3,4]})").empty());
  CHECK(with(2, R"({"labels":{},"first":0,"values":[null]})") == "line 3: there must be a number");
  CHECK(with(2, R"({"labels":[]})") == "line 3: 'labels' are no labels");
  for (const auto* label : {R"({"job":"a"})", R"({"instance":"a"})", R"({"le":"a"})",
                            R"({"__name__":"a"})", R"({"a-b":"a"})", R"({"a":1})"})
    CHECK(with(2, std::string{R"({"labels":)"} + label + "}")
          == "line 3: a label has no right name or value");
  CHECK(with(2, R"({"labels":)" + std::string(5'000, '[') + std::string(5'000, ']') + "}")
        == "line 3: it is nested too deeply");
  CHECK(with(2, std::string(9u << 20, ' ')) == "line 3: it is too long");
  CHECK(with(2, "[]") == "line 3: it is no object");
  CHECK(with(5, R"({"end":3})") == "line 6: it has 2 series and says otherwise at its end");
}

TEST_CASE("times are read as they are written") {
  CHECK(utc_time(1'795'316'461'000) == "2026-11-22T03:01:01Z");
  CHECK(parse_utc_time("2026-11-22T03:01:01Z") == 1'795'316'461'000);
  CHECK(parse_utc_time("1970-01-01T00:00:00Z") == 0);
  CHECK(parse_utc_time("2024-02-29T23:59:59Z") == 1'709'251'199'000);
  CHECK(parse_utc_time("1700000000.5") == 1'700'000'000'500);
  for (const auto* wrong : {"", "now", "2026-11-22", "2026-11-22T03:01:01", "2026-02-29T00:00:00Z",
                            "2026-13-01T00:00:00Z", "2026-11-22T24:00:00Z", "1969-12-31T23:59:59Z",
                            "-1", "1e300", "nan", "12s"})
    CHECK_THROWS_AS(parse_utc_time(wrong), std::invalid_argument);
}
