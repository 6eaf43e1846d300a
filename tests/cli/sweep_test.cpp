#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/cli/program.hpp"

using namespace sluice;

namespace {

using nlohmann::json;

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

json sweep_of(std::vector<std::string> arguments, int code = 0) {
  arguments.insert(arguments.begin(), "sweep");
  arguments.emplace_back("--json");
  const auto done = run_program(arguments);
  INFO(done.err);
  REQUIRE(done.code == code);
  return json::parse(done.out);
}

/// A sender of 4 Gbit/s, and a reader whose rate decides what is lost.
std::string slow_reader(const std::string& more = "") {
  return "name: reader\n"
         "nodes:\n"
         "  a: {kind: host, vms: [v]}\n"
         "  b: {kind: host, vms: {w: {drain: 1Gbit, socket-buffer: 64KiB}}}\n"
         "links: [a -- b]\n"
         "traffic: {t: {generate: {rate: 4Gbit}, from: a/v, to: b/w, stop: 1ms}}\n"
         "duration: 10ms\n"
         + more;
}

}  // namespace

TEST_CASE("a sweep has a point for each value, each as run with --set finds it") {
  const temporary_folder folder;
  write_text(folder / "s.yaml", slow_reader());
  const auto sweep = sweep_of({folder / "s.yaml", "--set", "b/w.drain=1Gbit..5Gbit:3"});
  CHECK(sweep["keys"][0]["unit"] == "bit/s");
  REQUIRE(sweep["points"].size() == 3);
  int before = 1 << 30;
  for (const auto& p : sweep["points"]) {
    const auto value = p["values"][0].get<std::string>();
    const auto alone = json::parse(
        run_program({"run", folder / "s.yaml", "--json", "--set", "b/w.drain=" + value}).out);
    CHECK(p["fingerprint"] == alone["fingerprint"]);
    CHECK(p["dropped"] == alone["packets"]["dropped"]);
    CHECK(p["bytes"] == alone["bytes"]);
    CHECK(p["flows"]["t"]["latency_ns"] == alone["flows"]["t"]["latency_ns"]);
    CHECK(p["latency_ns"] == alone["flows"]["t"]["latency_ns"]);  // there is one flow
    CHECK(p["numbers"][0].get<double>() > 0);
    CHECK(p["dropped"].get<int>() < before);
    before = p["dropped"].get<int>();
  }
  CHECK(before == 0);
}

TEST_CASE("several swept keys make a grid, the last one changes fastest") {
  const temporary_folder folder;
  write_text(folder / "s.yaml", slow_reader());
  const auto sweep = sweep_of({folder / "s.yaml", "--set", "b/w.drain=1Gbit,2Gbit", "--set",
                               "defaults.flow-control=none,on_off", "--set", "duration=5ms"});
  REQUIRE(sweep["points"].size() == 4);
  CHECK(sweep["points"][1]["values"] == json{"1Gbit", "on_off"});
  CHECK(sweep["points"][2]["values"] == json{"2Gbit", "none"});
  CHECK(sweep["set"] == json{"duration=5ms"});
  for (const auto& p : sweep["points"]) {
    CHECK(p["virtual_seconds"] == 5e-3);
    CHECK((p["dropped"] == 0) == (p["values"][1] == "on_off"));
    CHECK((p["stops"] > 0) == (p["values"][1] == "on_off"));
  }
}

TEST_CASE("how many points run at a time changes nothing but the time") {
  const temporary_folder folder;
  write_text(folder / "s.yaml", slow_reader("seed: 5\n"));
  const std::vector<std::string> grid{folder / "s.yaml", "--set", "b/w.drain=1Gbit..6Gbit:6",
                                      "--set", "traffic.t.generate.arrivals=constant,poisson"};
  const auto with = [&](std::vector<std::string> more) {
    auto all = grid;
    all.insert(all.end(), more.begin(), more.end());
    return sweep_of(all);
  };
  const auto one = with({"--jobs", "1", "--threads", "1"});
  CHECK(one["points"].size() == 12);
  CHECK(with({"--jobs", "4"}) == one);
  CHECK(with({"--jobs", "2", "--threads", "3"}) == one);
}

TEST_CASE("the table has the figures that were asked for") {
  const temporary_folder folder;
  write_text(folder / "s.yaml", slow_reader());
  const auto main = run_program({"sweep", folder / "s.yaml", "--set", "b/w.drain=1Gbit,5Gbit"});
  CHECK(main.code == 0);
  for (const auto* part : {"b/w.drain", "delivered", "dropped", "goodput", "p99", "paused", "100%"})
    CHECK(contains(main.out, part));
  CHECK(contains(main.err, "2 of 2"));
  const auto chosen = sweep_of({folder / "s.yaml", "--set", "b/w.drain=1Gbit,5Gbit", "--metric",
                                "latency{flow=t} p99", "--metric", "delivered %"});
  for (const auto& p : chosen["points"]) {
    REQUIRE(p["metrics"].size() == 2);
    CHECK(p["metrics"][0]["unit"] == "s");
    CHECK(p["metrics"][0]["measured"].get<double>()
          == doctest::Approx(p["latency_ns"]["p99"].get<double>() * 1e-9).epsilon(0.001));
    CHECK(p["metrics"][1]["unit"] == "ratio");
    CHECK(p["metrics"][1]["measured"].get<double>()
          == doctest::Approx(p["delivered"].get<double>() / p["made"].get<double>()));
  }
  const auto strange = run_program({"sweep", folder / "s.yaml", "--set", "b/w.drain=1Gbit,5Gbit",
                                    "--metric", "latency{flow=u} p99"});
  CHECK(contains(strange.err, "no flow 'u' in this run"));
}

TEST_CASE("--out has the sweep and each of its points") {
  const temporary_folder folder;
  write_text(folder / "s.yaml", slow_reader());
  const auto arguments = [&](const std::string& values) {
    return std::vector<std::string>{folder / "s.yaml", "--set", "b/w.drain=" + values, "--out",
                                    folder / "o"};
  };
  const auto sweep = sweep_of(arguments("1Gbit,2Gbit,3Gbit"));
  CHECK(json::parse(read_text_of(folder / "o/sweep.json")) == sweep);
  const auto csv = read_text_of(folder / "o/sweep.csv");
  CHECK(std::ranges::count(csv, '\n') == 4);
  CHECK(std::ranges::count(read_text_of(folder / "o/flows.csv"), '\n') == 4);
  CHECK(contains(read_text_of(folder / "o/sweep.html"), "<title>reader, sweep - Sluice</title>"));
  for (const auto& p : sweep["points"]) {
    const auto point = folder / ("o/" + p["directory"].get<std::string>());
    const auto summary = json::parse(read_text_of(point + "/summary.json"));
    CHECK(summary["fingerprint"] == p["fingerprint"]);
    CHECK(contains(summary["scenario"].get<std::string>(), p["values"][0].get<std::string>()));
    CHECK(std::filesystem::exists(point + "/report.html"));
  }
  // A smaller one leaves nothing of it that could be taken for its own.
  sweep_of(arguments("1Gbit,2Gbit"));
  CHECK_FALSE(std::filesystem::exists(folder / "o/0003/summary.json"));
  CHECK(std::filesystem::exists(folder / "o/0002/summary.json"));
}

TEST_CASE("an expectation that fails at one point makes the code 1, and is told where") {
  const temporary_folder folder;
  write_text(folder / "s.yaml", slow_reader("expect: [drops == 0, made > 0]\n"));
  const std::vector<std::string> arguments{"sweep", folder / "s.yaml", "--set",
                                           "b/w.drain=5Gbit,1Gbit,6Gbit"};
  const auto done = run_program(arguments);
  CHECK(done.code == 1);
  CHECK(contains(done.out,
                 "drops == 0: did not hold at 1 of 3 points, first at point 2 "
                 "(b/w.drain=1Gbit)"));
  CHECK(contains(done.out, "made > 0: held at 3 of 3 points"));
}

TEST_CASE("whatever is wrong with any point is told before one runs") {
  const temporary_folder folder;
  write_text(folder / "s.yaml", slow_reader());
  const auto fails = [&](std::vector<std::string> more, std::string_view says) {
    more.insert(more.begin(), {"sweep", folder / "s.yaml", "--out", folder / "o"});
    const auto done = run_program(more);
    INFO(done.err);
    CHECK(done.code == 2);
    CHECK(done.out == "");
    CHECK(contains(done.err, says));
    CHECK_FALSE(contains(done.err, "at a time"));
    CHECK_FALSE(std::filesystem::exists(folder / "o"));
  };
  fails({"--set", "defaults.flow-control=none,no_off"}, "point 2 of 2 cannot run");
  fails({"--set", "defaults.flow-control=none,no_off"}, "no_off");
  fails({"--set", "b/u.drain=1Gbit,2Gbit"}, "error:");
  fails({}, "nothing is swept");
  fails({"--set", "b/w.drain=1Gbit"}, "nothing is swept");
  fails({"--set", "seed=1..9:x1"}, "above 1");
  fails({"--set", "seed=1,2", "--set", "seed=3,4"}, "several values already");
  fails({"--set", "seed=1,2", "--seed", "7"}, "--seed would undo");
  fails({"--set", "seed=1..40:40", "--set", "duration=1ms..40ms:40"}, "at most 1000 are run");
  fails({"--set", "seed=1,2", "--metric", "latncy p99"}, "there is no metric");
  fails({"--set", "seed=1,2", "--metric", "latency p98"}, "did you mean `p99`?");
  fails({"--set", "seed=1,2", "--metric", "drops == 0"}, "without a comparison");
}

TEST_CASE("a point whose capture is damaged is told, and the others are run all the same") {
  const temporary_folder folder;
  write_text(folder / "bad.pcap", "this is no capture, whatever its name says");
  const auto sweep =
      sweep_of({"scenarios/incast-lossy.yaml", "--out", folder / "o", "--set",
                "traffic.query.replay=" + (folder / "bad.pcap") + ",captures/incast.pcapng"},
               3);
  REQUIRE(sweep["points"].size() == 2);
  CHECK(sweep["points"][0]["verdict"] == "error");
  CHECK(contains(sweep["points"][0]["error"].get<std::string>(), "bad.pcap"));
  CHECK(sweep["points"][1]["verdict"] == "ok");
  CHECK(contains(read_text_of(folder / "o/sweep.csv"), ",error,,,"));
}

TEST_CASE("an interrupted sweep writes the points that it has and exits with 130") {
  const temporary_folder folder;
  write_text(folder / "s.yaml", slow_reader());
  // The third one would take hours.
  const auto done = interrupt_program({"sweep", folder / "s.yaml", "--jobs", "1", "--out",
                                       folder / "o", "--set", "duration=2ms,3ms,1000s", "--set",
                                       "traffic.t={generate: {rate: 4Gbit}, from: a/v, to: b/w}"},
                                      "point 2", 0);
  INFO(done.err);
  CHECK(done.code == 130);
  const auto sweep = json::parse(read_text_of(folder / "o/sweep.json"));
  CHECK(sweep["interrupted"] == true);
  CHECK(sweep["points"][0]["verdict"] == "ok");
  CHECK(sweep["points"][1]["verdict"] == "ok");
  CHECK(sweep["points"].size() <= 3);
  CHECK(contains(read_text_of(folder / "o/sweep.html"), "\"interrupted\":true"));
}
