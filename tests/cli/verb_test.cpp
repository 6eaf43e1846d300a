#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/cli/program.hpp"

using namespace sluice;

namespace {

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

nlohmann::json summary_of(std::vector<std::string> arguments) {
  arguments.emplace_back("--json");
  const auto done = run_program(arguments);
  INFO(done.err);
  REQUIRE_FALSE(done.out.empty());
  return nlohmann::json::parse(done.out);  // throws unless stdout is exactly one JSON value
}

}  // namespace

TEST_CASE("the JSON summary is all that --json prints, and it balances") {
  const auto summary = summary_of({"run", "scenarios/smallest.yaml"});
  CHECK(summary["scenario"] == "smallest");
  CHECK(summary["clock"] == "virtual");
  CHECK(summary["fingerprint"].get<std::string>().size() == 16);
  const auto& packets = summary["packets"];
  CHECK(packets["made"].get<int>() > 0);
  CHECK(packets["made"].get<int>()
        == packets["delivered"].get<int>() + packets["dropped"].get<int>()
               + packets["held"].get<int>());
  for (const auto& [name, c] : summary["components"].items()) {
    INFO(name);
    CHECK(c["in"].get<int>()
          == c["out"].get<int>() + c["dropped"].get<int>() + c["held"].get<int>());
  }
}

TEST_CASE("matrix runs the four corners, and only the lossless one loses nothing") {
  for (const auto* file :
       {"scenarios/two-to-one-host.yaml", "scenarios/partition-aggregate.yaml"}) {
    CAPTURE(file);
    const auto all = summary_of({"matrix", file});
    REQUIRE(all.size() == 4);
    for (const auto* corner : {"lossy-lossy", "lossy-lossless", "lossless-lossy"})
      CHECK(all[corner]["packets"]["dropped"].get<int>() > 0);
    CHECK(all["lossless-lossless"]["packets"]["dropped"] == 0);
    // A lossless part of the network is never where packets are lost.
    for (const auto& d : all["lossless-lossy"]["drops"]) {
      const auto at = d["component"].get<std::string>();
      CHECK((at.starts_with("tor") || at.ends_with(":nic0")));
    }
    for (const auto& d : all["lossy-lossless"]["drops"]) {
      const auto at = d["component"].get<std::string>();
      CHECK_FALSE((at.starts_with("tor") || at.ends_with(":nic0")));
    }
    CHECK(all["lossless-lossless"]["fingerprint"]
          == summary_of({"run", file, "--threads", "1"})["fingerprint"]);
  }
  const auto text = run_program({"matrix", "scenarios/two-to-one-host.yaml"});
  CHECK(text.code == 0);
  for (const auto* part : {"lossless, lossless", "lost at", "last delivery", "latency"})
    CHECK(contains(text.out, part));
}

TEST_CASE("graph --parts draws the components, and the manual shows what it draws") {
  const auto text = run_program({"graph", "scenarios/smallest.yaml", "--parts"});
  CHECK(text.code == 0);
  std::ifstream in{std::string{SLUICE_SOURCE_DIR} + "/docs/virtual-switch.md"};
  std::stringstream manual;
  manual << in.rdbuf();
  CHECK(contains(manual.str(), text.out));
  const auto guarded = run_program({"graph", "scenarios/two-to-one-host.yaml", "--parts"});
  CHECK_FALSE(contains(guarded.out, ":::open"));
  CHECK(contains(guarded.out, "h1/receiver.socket\"]:::guarded"));
  const auto json =
      run_program({"graph", "scenarios/smallest.yaml", "--parts", "--format", "json"});
  CHECK(nlohmann::json::parse(json.out)["parts"].size() == 34);
  const auto dot = run_program({"graph", "scenarios/smallest.yaml", "--parts", "--format", "dot"});
  CHECK(contains(dot.out, "digraph parts"));
  CHECK(run_program({"graph", "scenarios/smallest.yaml", "--parts", "--format", "svg"}).code == 2);
}

TEST_CASE("an innocent flow is told who blocks it") {
  const auto summary = summary_of({"run", "scenarios/stalled-vm.yaml"});
  const auto& blocked = summary["flows"]["bystander"]["blocked_by"];
  REQUIRE(blocked.size() > 0);
  CHECK(blocked[0]["component"] == "h3/stalled.socket");
  CHECK(blocked[0]["share"].get<double>() > 0.3);
  CHECK(summary["flows"]["local"]["blocked_by"].empty());
}

TEST_CASE("threads and executor do not change the fingerprint, the seed is told") {
  const temporary_folder folder;
  write_text(folder / "s.yaml", small_scenario("seed: 5\n"));
  const std::vector<std::string> base{"run", folder / "s.yaml", "--set",
                                      "traffic.t.generate.arrivals=poisson"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), base.begin(), base.end());
    return summary_of(more);
  };
  const auto one = with({"--threads", "1"});
  CHECK(one["threads"] == 1);
  CHECK(with({"--threads", "2"})["fingerprint"] == one["fingerprint"]);
  CHECK(with({"--executor", "random"})["fingerprint"] == one["fingerprint"]);
  const auto other = with({"--seed", "77"});
  CHECK(other["seed"] == 77);
  CHECK(other["fingerprint"] != one["fingerprint"]);
}

TEST_CASE("--set changes a value of the scenario, and may be repeated") {
  const auto summary = summary_of(
      {"run", "scenarios/smallest.yaml", "--set", "name=other", "--set", "duration=2ms"});
  CHECK(summary["scenario"] == "other");
  CHECK(summary["virtual_seconds"] == 0.002);
  CHECK(run_program({"run", "scenarios/smallest.yaml", "--set", "durration=2ms"}).code == 2);
}

TEST_CASE("--out holds the summaries, the metrics and a scenario that runs again alike") {
  const temporary_folder folder;
  write_text(folder / "base.yaml", small_scenario());
  write_text(folder / "s.yaml", "include: [base.yaml]\nname: derived\n");
  const auto first = run_program({"run", folder / "s.yaml", "--out", folder / "out"});
  CHECK(first.code == 0);
  CHECK(read_text_of(folder / "out/summary.txt") == first.out);
  const auto summary = nlohmann::json::parse(read_text_of(folder / "out/summary.json"));
  CHECK(summary["scenario"] == "derived");
  CHECK(
      contains(read_text_of(folder / "out/metrics.prom"), "sluice_made_packets_total{flow=\"t\"}"));
  for (const auto& entry : std::filesystem::directory_iterator{folder / "out"})
    CHECK_FALSE(contains(entry.path().string(), ".part-"));

  const auto again = summary_of({"run", folder / "out/scenario.yaml"});
  CHECK(again["fingerprint"] == summary["fingerprint"]);
}

TEST_CASE("a run that cannot begin leaves no summary of an earlier one") {
  const temporary_folder folder;
  write_text(folder / "s.yaml", small_scenario());
  CHECK(run_program({"run", folder / "s.yaml", "--out", folder / "out"}).code == 0);
  CHECK(run_program({"run", folder / "s.yaml", "--out", folder / "out", "--serve=9.9.9.9:1"}).code
        == 2);
  CHECK_FALSE(std::filesystem::exists(folder / "out/summary.json"));
}

TEST_CASE("--tap writes pcapng: to files, or to a pipe, and then the summary gives way") {
  temporary_folder folder;
  const auto file = folder / "a.pcapng";
  const auto one = run_program({"run", "scenarios/smallest.yaml", "--tap", "a", file});
  CHECK(one.code == 0);
  CHECK(contains(one.out, file));
  const auto piped = run_program({"run", "scenarios/smallest.yaml", "--tap", "a", "-"});
  CHECK(piped.code == 0);
  CHECK(contains(piped.err, "conserved"));
  CHECK(piped.out == read_text_of(file));
  CHECK(piped.out.starts_with("\x0a\x0d\x0d\x0a"));

  CHECK(run_program({"run", "scenarios/smallest.yaml", "--json", "--tap", "a", "-"}).code == 2);
  CHECK(run_program({"run", "scenarios/smallest.yaml", "--tap", "nobody", file}).code == 2);
  const auto nowhere = run_program({"run", "scenarios/smallest.yaml", "--tap", "a", "/none/x"});
  CHECK(nowhere.code == 2);
  CHECK(contains(nowhere.err, "/none/x: cannot write"));

  // Interrupted, it has what there was.
  const auto cut = folder / "cut.pcapng";
  CHECK(
      interrupt_program(
          {"run", "scenarios/smallest.yaml", "--set", "duration=1000s", "--tap", "a", cut}, "", 500)
          .code
      == 130);
  CHECK(run_program({"pcap", cut, "--json"}).code == 0);
}

TEST_CASE("--serve takes its address after '=', after a blank, or not at all, and never the file") {
  const temporary_folder folder;
  write_text(folder / "s.yaml", small_scenario());
  for (const auto& arguments :
       {std::vector<std::string>{"run", "--serve=127.0.0.1:0", folder / "s.yaml"},
        std::vector<std::string>{"run", folder / "s.yaml", "--serve", "127.0.0.1:0"}}) {
    const auto done = run_program(arguments);
    CHECK(done.code == 0);
    CHECK(contains(done.err, "serving metrics at http://127.0.0.1:"));
  }
}

TEST_CASE("--hold keeps serving after the run until it is interrupted, and keeps the exit code") {
  const temporary_folder folder;
  write_text(folder / "s.yaml", small_scenario("expect: [made == 0]\n"));
  const auto done = interrupt_program({"run", folder / "s.yaml", "--serve=127.0.0.1:0", "--hold"},
                                      "until Ctrl-C", 0);
  CHECK(done.code == 1);
  CHECK(done.out.starts_with("FAILED"));
}

TEST_CASE("check tells what each replay would do, and looks at every file") {
  const auto done = run_program({"check", "scenarios/demo-lossy.yaml", "scenarios/smallest.yaml"});
  INFO(done.err);
  CHECK(done.code == 0);
  CHECK(contains(done.out, "scenarios/demo-lossy.yaml: ok: 4 nodes, 3 links"));
  CHECK(contains(done.out, "redis.pcapng"));
  CHECK(contains(done.out, "scenarios/smallest.yaml: ok"));

  const temporary_folder folder;
  write_text(folder / "bad.yaml", "nodes: 3\n");
  const auto mixed = run_program({"check", folder / "bad.yaml", "scenarios/smallest.yaml"});
  CHECK(mixed.code == 2);
  CHECK(contains(mixed.out, "scenarios/smallest.yaml: ok"));
}

TEST_CASE("check refuses a map whose address no packet has") {
  const temporary_folder folder;
  std::filesystem::copy(SLUICE_SOURCE_DIR "/scenarios/captures/redis.pcapng",
                        folder / "redis.pcapng");
  write_text(folder / "s.yaml",
             "nodes: {a: {kind: host, vms: [v]}, b: {kind: host, vms: [w, x]}}\n"
             "links: [a -- b]\n"
             "traffic:\n"
             "  t:\n"
             "    replay: redis.pcapng\n"
             "    map: {10.99.0.11: a/v, 10.99.0.2: b/w, 10.1.2.3: b/x}\n");
  const auto done = run_program({"check", folder / "s.yaml"});
  CHECK(done.code == 2);
  CHECK(contains(done.err, "10.1.2.3"));
  CHECK(contains(done.err, "s.yaml:6:"));
}

TEST_CASE("graph draws in every format") {
  const auto drawn = [](const char* format) {
    const auto done = run_program({"graph", "scenarios/smallest.yaml", "--format", format});
    CHECK(done.code == 0);
    return done.out;
  };
  CHECK(contains(drawn("svg"), "</svg>"));
  CHECK(contains(drawn("dot"), "graph"));
  CHECK(contains(drawn("mermaid"), "---"));
  CHECK(nlohmann::json::accept(drawn("json")));
}

TEST_CASE("pcap --json has the fields of the contract") {
  const auto done = run_program({"pcap", "--json", "scenarios/captures/redis.pcapng"});
  CHECK(done.code == 0);
  const auto info = nlohmann::json::parse(done.out);
  for (const auto* field :
       {"packets", "bytes", "captured_bytes", "first_ns", "last_ns", "interfaces", "link_types",
        "sliced", "oversize", "backward_timestamps", "complete"})
    CHECK_MESSAGE(info.contains(field), field);
}

TEST_CASE("schema is JSON, explain knows keys and metrics, version is the project's") {
  CHECK(nlohmann::json::accept(run_program({"schema"}).out));
  CHECK(contains(run_program({"explain", "duration"}).out, "duration"));
  CHECK(contains(run_program({"explain", "stopped_seconds"}).out, "sluice_stopped_seconds_total"));
  CHECK(run_program({"explain"}).code == 0);
  CHECK(run_program({"version"}).out.starts_with("sluice " SLUICE_VERSION "\n"));
  CHECK(run_program({"--version"}).out == "sluice " SLUICE_VERSION "\n");
}

TEST_CASE("completion scripts name every verb, and bash can read its own") {
  for (const auto* shell : {"bash", "zsh", "fish"}) {
    const auto done = run_program({"completion", shell});
    CHECK(done.code == 0);
    for (const auto* word : {"run", "demo", "check", "graph", "pcap", "--threads", "fish"})
      if (!(std::string{shell} == "fish" && word[0] == '-'))  // fish has no dashes in its options
        CHECK_MESSAGE(contains(done.out, word), shell << ": " << word);
  }
  const temporary_folder folder;
  write_text(folder / "c.bash", run_program({"completion", "bash"}).out);
  CHECK(std::system(("bash -n " + (folder / "c.bash")).c_str()) == 0);
}

TEST_CASE("help goes to stdout and exits with 0, for the program and for each verb") {
  CHECK(contains(run_program({"--help"}).out, "Exit codes"));
  for (const auto* word :
       {"run", "demo", "check", "graph", "pcap", "schema", "explain", "completion", "version"}) {
    const auto done = run_program({word, "--help"});
    CHECK(done.code == 0);
    CHECK(contains(done.out, "Usage:"));
  }
}
