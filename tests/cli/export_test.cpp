#include <doctest/doctest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "tests/cli/program.hpp"

using namespace sluice;

namespace {

using nlohmann::json;

/// The lines of a metrics.jsonl without what the machine and the engine had to do with it, and
/// without the largest occupancies so far: before a run is over a queue may know of more than has
/// happened.
std::vector<std::string> model_of(const std::string& path) {
  std::istringstream in{read_text_of(path)};
  std::vector<std::string> out;
  bool model = true;
  for (std::string line; std::getline(in, line);) {
    const auto o = json::parse(line);
    if (o.contains("family")) {
      const auto name = o["family"].get<std::string>();
      const auto has = [&](const char* part) { return name.find(part) != std::string::npos; };
      model = !has("_engine_") && !has("_wall_time_") && !has("_setup_time_") && !has("_queue_max_")
              && !has("_closest_");
    }
    if (model)
      out.push_back(line);
  }
  return out;
}

json figures_of(const std::string& folder) {
  auto summary = json::parse(read_text_of(folder + "/summary.json"));
  for (const auto* key :
       {"threads", "wall_seconds", "setup_seconds", "packet_hops_per_second", "engine"})
    summary.erase(key);
  return summary;
}

}  // namespace

TEST_CASE("the metrics of a run with --out can be exported") {
  const temporary_folder folder;
  REQUIRE(run_program({"run", "scenarios/slow-consumer.yaml", "--out", folder / "o"}).code <= 1);
  const auto printed =
      run_program({"export", "openmetrics", folder / "o", "--start", "2026-11-22T03:00:00Z"});
  INFO(printed.err);
  CHECK(printed.code == 0);
  CHECK(printed.err.find(", 2026-11-22T03:00:00Z to 2026-11-22T03:") != std::string::npos);
  CHECK(printed.out.ends_with("\n# EOF\n"));
  CHECK(printed.out.find("sluice_virtual_time_seconds{job=\"sluice\",instance=\"o\"} 0 "
                         "1795316400.000\n")
        != std::string::npos);
  const auto summary = figures_of(folder / "o");
  for (const auto& [flow, figures] : summary["flows"].items()) {
    const auto last = "sluice_delivered_packets_total{job=\"sluice\",instance=\"o\",flow=\"" + flow
                      + "\"} " + figures["delivered"].dump() + ' ';
    CHECK_MESSAGE(printed.out.find(last) != std::string::npos, last);
  }

  const auto written = run_program({"export", "openmetrics", folder / "o/", "-o", folder / "o.om",
                                    "--start", "1795316400", "--interval", "1s"});
  CHECK(written.code == 0);
  CHECK(written.out.empty());
  CHECK(read_text_of(folder / "o.om") == printed.out);
  const auto named = run_program(
      {"export", "openmetrics", folder / "o", "--instance", "a", "--job", "b", "--interval", "5s"});
  CHECK(named.out.find("sluice_run_over{job=\"b\",instance=\"a\"} 0 ") != std::string::npos);
}

TEST_CASE("all metrics over time do not depend on threads, and change nothing in a run") {
  const temporary_folder folder;
  const std::string file = "scenarios/pfc-incast.yaml";
  for (const auto& [name, more] : std::vector<std::pair<std::string, std::vector<std::string>>>{
           {"1", {"--threads", "1"}},
           {"2", {"--threads", "2"}},
           {"r", {"--executor", "random"}},
           {"none", {"--metrics-every", "off"}},
           {"other", {"--metrics-every", "300us", "--series", "off"}}}) {
    std::vector<std::string> arguments{"run", file, "--out", folder / name};
    arguments.insert(arguments.end(), more.begin(), more.end());
    REQUIRE(run_program(arguments).code == 0);
  }
  const auto figures = figures_of(folder / "1");
  for (const auto* other : {"2", "r", "none", "other"})
    CHECK(figures_of(folder / other) == figures);
  const auto one = model_of(folder / "1/metrics.jsonl");
  for (const auto* other : {"2", "r"}) {
    const auto two = model_of(folder / (other + std::string{"/metrics.jsonl"}));
    REQUIRE(one.size() == two.size());
    for (std::size_t i = 0; i < one.size(); ++i)
      CHECK(one[i] == two[i]);
  }
  CHECK(!std::filesystem::exists(folder / "none/metrics.jsonl"));
  const auto head = json::parse(model_of(folder / "other/metrics.jsonl").front());
  CHECK(head["interval_seconds"] == 0.0003);
}

TEST_CASE("an export says what is missing, broken or wrong, and leaves nothing behind") {
  const temporary_folder folder;
  const auto says = [&](std::vector<std::string> arguments, const std::string& what) {
    arguments.insert(arguments.begin(), "export");
    const auto done = run_program(arguments);
    INFO(done.err);
    CHECK(done.code == 2);
    CHECK(done.err.find(what) != std::string::npos);
    CHECK(done.out.find("# EOF") == std::string::npos);
  };
  const auto at = folder / "o";
  says({"openmetrics", at},
       "metrics.jsonl is not there; `sluice run FILE --out " + at + "` writes it");
  write_text(folder / "s.yaml", small_scenario());
  REQUIRE(run_program({"run", folder / "s.yaml", "--out", at}).code == 0);
  says({"openmetrics", at, "--start", "soon"}, "--start: 'soon' is no time");
  says({"openmetrics", at, "--interval", "1ms"}, "--interval 1ms: write Prometheus' time");
  says({"openmetrics", at, "--interval", "1s", "--start", "9e99"}, "is no time");
  says({"prometheus", at}, "FORMAT");
  says({"openmetrics"}, "DIR");
  says({"openmetrics", at, "-o", folder / "no/such/o.om"}, "cannot write");

  const auto whole = read_text_of(at + "/metrics.jsonl");
  write_text(at + "/metrics.jsonl", whole.substr(0, whole.size() / 2));
  says({"openmetrics", at}, "metrics.jsonl is broken: line ");
  says({"openmetrics", at, "-o", folder / "o.om"}, "run the scenario again");
  std::set<std::string> there;
  for (const auto& f : std::filesystem::directory_iterator{folder.path()})
    there.insert(f.path().filename().string());
  CHECK(there == std::set<std::string>{"o", "s.yaml"});

  // An older one goes with the next run.
  REQUIRE(run_program({"run", folder / "s.yaml", "--out", at, "--metrics-every", "off"}).code == 0);
  says({"openmetrics", at}, "--metrics-every INTERVAL");
  const auto wrong = run_program({"run", folder / "s.yaml", "--metrics-every", "1ms"});
  CHECK(wrong.code == 2);
  CHECK(wrong.err.find("add --out DIR") != std::string::npos);
  CHECK(run_program({"run", folder / "s.yaml", "--out", at, "--metrics-every", "soon"}).code == 2);
}
