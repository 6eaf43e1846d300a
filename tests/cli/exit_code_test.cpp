#include <doctest/doctest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/cli/program.hpp"

using namespace sluice;

namespace {

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a run in which every expectation holds exits with 0") {
  const temporary_folder folder;
  write_text(folder / "s.yaml", small_scenario("expect: [drops == 0]\n"));
  const auto done = run_program({"run", folder / "s.yaml"});
  CHECK(done.code == 0);
  CHECK(done.out.starts_with("OK  small"));
  CHECK(done.err == "");
}

TEST_CASE("an expectation that does not hold exits with 1 and is told") {
  const temporary_folder folder;
  write_text(folder / "s.yaml", small_scenario("expect: [made == 0]\n"));
  const auto done = run_program({"run", folder / "s.yaml"});
  CHECK(done.code == 1);
  CHECK(done.out.starts_with("FAILED  small"));
  CHECK(contains(done.out, "NOT MET"));
}

TEST_CASE("wrong usage exits with 2 and says what to do") {
  const auto fails = [](const std::vector<std::string>& arguments, std::string_view says) {
    const auto done = run_program(arguments);
    INFO(done.err);
    CHECK(done.code == 2);
    CHECK(done.out == "");
    CHECK(contains(done.err, says));
  };
  fails({}, "Usage:");
  fails({"rnu", "x.yaml"}, "did you mean 'run'?");
  fails({"run"}, "FILE is required");
  fails({"run", "x.yaml", "--tempo", "3"}, "--tempo");
  fails({"run", "scenarios/smallest.yaml", "--speed", "fast"}, "2x or 0.5x");
  fails({"run", "scenarios/smallest.yaml", "--hold"}, "--serve");
  fails({"run", "scenarios/smallest.yaml", "--serve=1.2.3.4.5:1"}, "cannot serve");
  fails({"run", "scenarios/smallest.yaml", "--serve=127.0.0.1:http"}, "127.0.0.1:9464");
  fails({"run", "scenarios/smallest.yaml", "--out", "/dev/null/x"}, "cannot write /dev/null/x");
  fails({"run", "no-such-file.yaml"}, "no-such-file.yaml");
  fails({"completion", "tcsh"}, "bash");
  fails({"explain", "defaults.lnik"}, "did you mean");
}

TEST_CASE("a report of files that are not there or broken exits with 2 and says so") {
  const temporary_folder folder;
  const auto fails = [&](std::string_view says) {
    for (const auto* verb : {"report", "diff"}) {
      auto arguments = std::vector<std::string>{verb, folder.path()};
      if (arguments.front() == "diff")
        arguments.push_back(folder.path());
      const auto done = run_program(arguments);
      INFO(done.err);
      CHECK(done.code == 2);
      CHECK(done.out == "");
      CHECK(contains(done.err, says));
    }
  };
  fails("summary.json is not there");
  write_text(folder / "summary.json", "{\"scenario\": ");
  fails("summary.json is broken");
  write_text(folder / "summary.json", "[]");
  fails("it is not an object");
  write_text(folder / "summary.json", std::string(100'000, '[') + std::string(100'000, ']'));
  fails("nested too deeply");
  CHECK(run_program({"diff", folder.path()}).code == 2);
  CHECK_FALSE(std::filesystem::exists(folder / "report.html"));
}

TEST_CASE("the interval of a series is a time") {
  const temporary_folder folder;
  for (const auto* interval : {"often", "0us", "3Gbit", "10", "1ps", "1000000s"}) {
    const auto done = run_program(
        {"run", "scenarios/smallest.yaml", "--out", folder / "o", "--series", interval});
    INFO(interval);
    CHECK(done.code == 2);
    CHECK(contains(done.err, "100us"));
    CHECK_FALSE(std::filesystem::exists(folder / "o"));
  }
  const auto done = run_program({"run", "scenarios/smallest.yaml", "--series", "1us"});
  CHECK(done.code == 2);
  CHECK(contains(done.err, "--out"));
}

TEST_CASE("a scenario error exits with 2 and points at the place") {
  const temporary_folder folder;
  write_text(folder / "s.yaml", small_scenario("durration: 3ms\n"));
  const auto done = run_program({"run", folder / "s.yaml"});
  CHECK(done.code == 2);
  CHECK(contains(done.err, "s.yaml:6:1: error"));
  CHECK(contains(done.err, "^"));
}

TEST_CASE("an expectation that cannot be evaluated is a scenario error before the run") {
  const temporary_folder folder;
  for (const auto* line :
       {"dropps == 0", "\"drops{prio=3} == 0\"", "latency p99 < 400", "latency < 4us"}) {
    write_text(folder / "s.yaml", small_scenario(std::string{"expect: ["} + line + "]\n"));
    const auto done = run_program({"run", folder / "s.yaml"});
    INFO(line);
    CHECK(done.code == 2);
    CHECK(done.out == "");
    CHECK(contains(done.err, "s.yaml:6:"));
  }
}

TEST_CASE("a capture that cannot be read exits with 3") {
  const temporary_folder folder;
  write_text(folder / "broken.pcap", "this is no capture at all, not even nearly");
  CHECK(run_program({"pcap", folder / "broken.pcap"}).code == 3);
  CHECK(run_program({"pcap", folder / "absent.pcap"}).code == 3);

  write_text(folder / "s.yaml",
             "nodes: {a: {kind: host, vms: [v]}, b: {kind: host, vms: [w]}}\n"
             "links: [a -- b]\n"
             "traffic: {t: {replay: broken.pcap, from: a/v, to: b/w}}\n");
  CHECK(run_program({"run", folder / "s.yaml"}).code == 3);
  CHECK(run_program({"check", folder / "s.yaml"}).code == 3);
}

TEST_CASE("a cut-off capture exits with 3 and still shows what came before") {
  const temporary_folder folder;
  const auto whole = read_text_of(SLUICE_SOURCE_DIR "/scenarios/captures/redis.pcapng");
  write_text(folder / "cut.pcapng", whole.substr(0, 20'001));
  const auto done = run_program({"pcap", "--json", folder / "cut.pcapng"});
  CHECK(done.code == 3);
  const auto info = nlohmann::json::parse(done.out);
  CHECK(info["complete"] == false);
  CHECK(info["packets"].get<int>() > 0);
  CHECK(contains(done.err, "packet"));
  CHECK(contains(done.err, "offset"));
}

TEST_CASE("an interrupted run exits with 130 and tells the results so far") {
  const temporary_folder folder;
  write_text(folder / "s.yaml", small_scenario());
  for (const int signal : {SIGINT, SIGTERM}) {
    // On the real clock, so that the run lasts however fast the machine is.
    const auto done = interrupt_program({"run", folder / "s.yaml", "--speed", "0.0001x", "--json",
                                         "--out", folder / "out", "--serve=127.0.0.1:0"},
                                        "serving", 0, signal);
    INFO(done.err);
    CHECK(done.code == 130);
    const auto summary = nlohmann::json::parse(done.out);
    CHECK(summary["interrupted"] == true);
    CHECK(nlohmann::json::parse(read_text_of(folder / "out/summary.json"))["interrupted"] == true);
  }
}
