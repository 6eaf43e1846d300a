#include "metrics/summary.hpp"

#include <doctest/doctest.h>

#include <sstream>

#include "metrics/text.hpp"
#include "tests/metrics/example_run.hpp"

using namespace sluice;

namespace {

std::vector<expectation_result> one_kept_one_broken() {
  expectation_result kept, broken;
  kept.text = "drops{priority=3} == 0";
  kept.measured = 0;
  kept.ok = true;
  broken.text = "latency{flow=storage} p99 < 4us";
  broken.measured = 59e-6;
  broken.unit = expectation::number_unit::seconds;
  return {kept, broken};
}

/// The example of SCENARIO.md, which is the contract. Sizes of arrays aside, every field there
/// must be in ours, with the same type.
const char* const contract = R"(
{"sluice":"0.1.0","scenario":"incast-lossless","seed":42,"clock":"virtual","threads":2,
 "virtual_seconds":0.2,"wall_seconds":0.41,"fingerprint":"9f0c...","packet_hops":8123456,"packet_hops_per_second":1.98e7,
 "packets":{"made":512345,"delivered":512345,"dropped":0,"held":0},"bytes":{"made":1,"delivered":1,"dropped":0,"held":0},
 "flows":{"storage":{"made":1,"delivered":1,"dropped":0,"latency_ns":{"min":1,"mean":1,"p50":1,"p99":1,"p999":1,"max":1},"goodput_bps":1.0}},
 "drops":[{"component":"h3/vm4.socket.rx","reason":"buffer_full","priority":0,"packets":1,"bytes":1}],
 "pauses":[{"on":"leaf1:p2","priority":3,"sent":4,"received":4,"paused_seconds":0.0012}],
 "components":{"h3/vm4.socket.rx":{"in":1,"out":1,"dropped":0,"held":0,"max_bytes":1}},
 "expect":[{"text":"drops{priority=3} == 0","measured":0,"ok":true}]})";

void check_shape(const nlohmann::json& wanted, const nlohmann::json& ours,
                 const std::string& path) {
  INFO(path);
  if (wanted.is_object()) {
    REQUIRE(ours.is_object());
    for (const auto& [key, value] : wanted.items()) {
      CHECK_MESSAGE(ours.contains(key), path << '/' << key);
      if (ours.contains(key))
        check_shape(value, ours[key], path + '/' + key);
    }
  } else if (wanted.is_array()) {
    REQUIRE(ours.is_array());
    REQUIRE_FALSE(ours.empty());
    check_shape(wanted[0], ours[0], path + "/0");
  } else {
    CHECK(wanted.is_string() == ours.is_string());
    CHECK(wanted.is_boolean() == ours.is_boolean());
    CHECK(wanted.is_number_float() == ours.is_number_float());
    CHECK(wanted.is_number_integer() == ours.is_number_integer());
  }
}

std::size_t widest_line(const std::string& text) {
  std::size_t widest = 0;
  std::istringstream in{text};
  for (std::string line; std::getline(in, line);)
    widest = std::max(widest, line.size());
  return widest;
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("the JSON summary has every field of the contract with its type") {
  check_shape(nlohmann::json::parse(contract), summary_json(example_run(), one_kept_one_broken()),
              "");
}

TEST_CASE("the JSON summary tells the run's figures") {
  const auto out = summary_json(example_run(), one_kept_one_broken(), "9.9.9");
  CHECK(out["sluice"] == "9.9.9");
  CHECK(out["fingerprint"] == "9f0c000000000001");
  CHECK(out["packet_hops_per_second"] == 2e6);
  CHECK(out["packets"]["held"] == 3);
  CHECK(out["bytes"]["dropped"] == 7'000);
  CHECK(out["flows"]["storage"]["latency_ns"]["min"] == 1'000);
  CHECK(out["flows"]["storage"]["latency_ns"]["mean"] == 30'500);
  CHECK(out["flows"]["noise"]["held"] == 3);
  CHECK(out["flows"]["storage"]["goodput_bps"] == doctest::Approx(2.4e6));
  CHECK(out["drops"].size() == 2);
  CHECK(out["drops"][1]["reason"] == "mtu_exceeded");
  CHECK(out["pauses"][0]["priority"] == -1);
  CHECK(out["pauses"][0]["paused_seconds"] == 0.02);
  CHECK(out["expect"][1]["ok"] == false);
  CHECK(out["expect"][1]["measured"] == 59e-6);
  CHECK_FALSE(out.contains("lag_seconds"));
}

TEST_CASE("each component of the JSON summary balances by itself") {
  const auto summary = summary_json(example_run(), {});
  for (const auto& [name, c] : summary["components"].items()) {
    INFO(name);
    CHECK(c["in"].get<int>()
          == c["out"].get<int>() + c["dropped"].get<int>() + c["held"].get<int>());
  }
}

TEST_CASE("a fingerprint keeps its leading zeros") {
  auto run = example_run();
  run.fingerprint = 0xabc;
  CHECK(summary_json(run, {})["fingerprint"] == "0000000000000abc");
}

TEST_CASE("a measured value that does not exist is null") {
  expectation_result nothing;
  nothing.text = "latency p99 < 1s";
  nothing.note = "nothing was delivered";
  const auto out = summary_json(example_run(), std::vector{nothing});
  CHECK(out["expect"][0]["measured"].is_null());
  CHECK(out["expect"][0]["note"] == "nothing was delivered");
}

TEST_CASE("a run that did nothing has a summary of the same shape") {
  const auto out = summary_json({}, {});
  CHECK(out["flows"].is_object());
  CHECK(out["components"].is_object());
  CHECK(out["drops"].is_array());
  CHECK(out["pauses"].is_array());
  CHECK(out["expect"].is_array());
  CHECK(out["packet_hops_per_second"] == 0.0);
  CHECK_FALSE(summary_text({}, {}).empty());
}

TEST_CASE("the exit code tells violations, interruption and broken expectations apart") {
  auto run = example_run();
  CHECK(exit_code_of(run, {}) == 0);
  CHECK(exit_code_of(run, one_kept_one_broken()) == 1);
  run.interrupted = true;
  CHECK(exit_code_of(run, one_kept_one_broken()) == 130);
  run.violations = {"queue x: in 1, out 2"};
  CHECK(exit_code_of(run, {}) == 4);
}

TEST_CASE("the text summary says what was lost, where, and who was stopped") {
  const auto text = summary_text(example_run(), one_kept_one_broken());
  CHECK(text.starts_with("FAILED  example: 1 of 2 expectations did not hold\n"));
  CHECK(contains(text, "h3/vm4.socket.rx  buffer_full"));
  CHECK(contains(text, "20 ms"));
  CHECK(contains(text, "10.0%"));
  CHECK(contains(text, "NOT MET"));
  CHECK(contains(text, "9f0c000000000001"));
  CHECK(contains(text, "made 110 = delivered 100 + dropped 7 + held 3"));
  CHECK(contains(text, "4 left out by the filter"));
  CHECK(contains(text, "2 million packet-hops/s"));
}

TEST_CASE("violations are listed in the text summary instead of the conservation line") {
  auto run = example_run();
  run.violations = {"queue x: in 1, out 2"};
  const auto text = summary_text(run, {});
  CHECK(text.starts_with("FAILED"));
  CHECK(contains(text, "queue x: in 1, out 2"));
  CHECK_FALSE(contains(text, "conserved"));
}

TEST_CASE("the summaries keep within 100 columns, whatever the names and figures") {
  auto run = example_run();
  run.flows[0].name = std::string(120, 'f');
  run.flows[1].made = {999'999'999'999, 1};
  run.components[1].name = "leaf" + std::string(120, '1') + ".egress";
  run.pauses[0].on = run.components[1].name;
  CHECK(widest_line(summary_text(run, {})) <= 100);
  const named_run columns[] = {{"no flow control", &run}, {"on/off everywhere", &run}};
  CHECK(widest_line(comparison_text(columns)) <= 100);
}

TEST_CASE("long tables are cut, and say so") {
  auto run = example_run();
  for (int i = 0; i < 100; ++i)
    run.flows.push_back({"flow" + std::to_string(i), {}, {}, {}, {}});
  CHECK(contains(summary_text(run, {}), "... and 82 more flows"));
}

TEST_CASE("a comparison shows a dash where a run lost nothing") {
  const auto lossy = example_run();
  auto lossless = example_run();
  lossless.components[1].counters.dropped = {};
  const named_run columns[] = {{"lossy", &lossy}, {"lossless", &lossless}};
  const auto text = comparison_text(columns);
  std::istringstream in{text};
  std::string line;
  while (std::getline(in, line) && !contains(line, "h3/vm4.socket.rx ")) {
  }
  CHECK(line.ends_with("-"));
  CHECK(contains(line, human_count(lossy.components[1].counters.dropped_total().packets)));
}

TEST_CASE("numbers for people keep three digits and the right unit") {
  CHECK(human_count(0) == "0");
  CHECK(human_count(999) == "999");
  CHECK(human_count(1'000) == "1,000");
  CHECK(human_count(1'234'567) == "1,234,567");
  CHECK(human_time(0) == "0 s");
  CHECK(human_time(4.2e-4) == "420 us");
  CHECK(human_time(0.99996e-3) == "1.00 ms");
  CHECK(human_time(1.5) == "1.50 s");
  CHECK(human_time(2e-12) == "0.00 ns");
  CHECK(human_bytes(1536) == "1.50 KiB");
  CHECK(human_rate(1e9) == "1 Gbit/s");
  CHECK(human_rate(25.34e9) == "25.3 Gbit/s");
}

TEST_CASE("a share that is not everything never reads 100%, nor something as nothing") {
  CHECK(human_share(1, 1) == "100%");
  CHECK(human_share(999'999, 1'000'000) == ">99.99%");
  CHECK(human_share(99'950, 100'000) == "99.95%");
  CHECK(human_share(1, 1'000'000) == "<0.01%");
  CHECK(human_share(0, 5) == "0%");
  CHECK(human_share(0, 0) == "-");
}

TEST_CASE("only a near word is suggested") {
  const std::vector<std::string> words{"drops", "delivered", "latency"};
  CHECK(closest("drop", words) == "drops");
  CHECK(closest("latnecy", words) == "latency");
  CHECK(closest("throughput", words).empty());
}
