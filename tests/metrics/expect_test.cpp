#include "metrics/expect.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/metrics/example_run.hpp"

using namespace sluice;

namespace {

using op = expectation::op;
using aggregate = expectation::aggregate;
using number_unit = expectation::number_unit;

expectation line(std::string metric, std::vector<expectation::label> labels, op compare,
                 double number, number_unit unit = number_unit::plain,
                 aggregate of = aggregate::value) {
  expectation e;
  e.text = metric;
  e.metric = std::move(metric);
  e.labels = std::move(labels);
  e.of = of;
  e.compare = compare;
  e.number = number;
  e.unit = unit;
  return e;
}

double measured(const expectation& e, const run_results& run = example_run()) {
  const auto result = evaluate(e, run);
  INFO(result.note);
  REQUIRE(result.measured);
  return *result.measured;
}

std::string note(const expectation& e) {
  const auto result = evaluate(e, example_run());
  CHECK_FALSE(result.ok);
  CHECK(result.invalid);
  return result.note;
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("drops are added over every component, reason and priority that match") {
  CHECK(measured(line("drops", {}, op::eq, 0)) == 7);
  CHECK(measured(line("drops", {{"priority", "3"}}, op::eq, 0)) == 2);
  CHECK(measured(line("drops", {{"reason", "buffer_full"}}, op::eq, 0)) == 5);
  CHECK(measured(line("drops", {{"component", "h3/vm4.socket.rx"}, {"priority", "0"}}, op::eq, 0))
        == 5);
  CHECK(measured(line("drops", {{"node", "h3"}}, op::eq, 0)) == 7);
  CHECK(measured(line("drops", {{"flow", "noise"}}, op::eq, 0)) == 7);
  CHECK(measured(line("drops", {{"flow", "storage"}}, op::eq, 0)) == 0);
  CHECK(measured(line("drops_packets_total", {}, op::eq, 0)) == 7);
}

TEST_CASE("dropping nothing at an existing place measures zero") {
  const auto result =
      evaluate(line("drops", {{"component", "h1/vm1.producer"}}, op::eq, 0), example_run());
  CHECK(result.ok);
  CHECK(*result.measured == 0);
}

TEST_CASE("a percentage of delivered is a share of what the same flows made") {
  CHECK(measured(line("delivered", {{"flow", "storage"}}, op::eq, 1, number_unit::ratio)) == 1);
  CHECK(measured(line("delivered", {{"flow", "noise"}}, op::ge, 1, number_unit::ratio))
        == doctest::Approx(0.8));
  CHECK(measured(line("delivered", {}, op::ge, 1, number_unit::ratio))
        == doctest::Approx(100.0 / 110));
  CHECK(measured(line("drops", {{"priority", "3"}}, op::lt, 0.1, number_unit::ratio))
        == doctest::Approx(2.0 / 110));
}

TEST_CASE("the unit of the number chooses between packets and bytes") {
  CHECK(measured(line("delivered", {{"flow", "noise"}}, op::eq, 40)) == 40);
  CHECK(measured(line("delivered", {{"flow", "noise"}}, op::eq, 40'000, number_unit::bytes))
        == 40'000);
  CHECK(measured(line("delivered_packets", {{"flow", "noise"}}, op::eq, 40)) == 40);
  CHECK(measured(line("made_bytes", {}, op::eq, 110'000, number_unit::bytes)) == 110'000);
  CHECK(measured(line("held", {}, op::eq, 0)) == 3);
}

TEST_CASE("latency percentiles are of the flow that was asked for, in seconds") {
  const auto p50 =
      line("latency", {{"flow", "storage"}}, op::lt, 400e-6, number_unit::seconds, aggregate::p50);
  CHECK(measured(p50) == doctest::Approx(30e-6).epsilon(0.01));
  CHECK(evaluate(p50, example_run()).ok);
  const auto max =
      line("latency", {{"flow", "noise"}}, op::lt, 400e-6, number_unit::seconds, aggregate::max);
  CHECK(measured(max) == doctest::Approx(40e-3));
  CHECK_FALSE(evaluate(max, example_run()).ok);
}

TEST_CASE("latency over several flows is that of all their packets together") {
  const auto all = line("latency", {}, op::lt, 1, number_unit::seconds, aggregate::p50);
  CHECK(measured(all) == doctest::Approx(50e-6).epsilon(0.01));  // the 50th of 100 packets
}

TEST_CASE("latency of a flow that delivered nothing does not hold and says why") {
  auto run = example_run();
  run.flows[0].latency = {};
  const auto result = evaluate(
      line("latency", {{"flow", "storage"}}, op::lt, 1, number_unit::seconds, aggregate::p99), run);
  CHECK_FALSE(result.ok);
  CHECK_FALSE(result.invalid);
  CHECK_FALSE(result.measured);
  CHECK(contains(result.note, "nothing was delivered"));
}

TEST_CASE("stops and stopped time are looked up by hop") {
  CHECK(measured(line("stopped_seconds", {{"on", "h3/vm4.socket.rx"}}, op::gt, 1e-3,
                      number_unit::seconds))
        == 0.02);
  CHECK(measured(line("stopped", {{"on", "h3/*"}}, op::lt, 0.5, number_unit::ratio))
        == doctest::Approx(0.1));
  CHECK(measured(line("stops_sent", {}, op::gt, 0)) == 4);
  CHECK(measured(line("stops_received", {{"on", "leaf1:p2"}}, op::eq, 0)) == 0);
}

TEST_CASE("the largest occupancy of several queues is the largest of them, not their sum") {
  CHECK(measured(line("max_bytes", {}, op::le, 100 * 1024, number_unit::bytes)) == 65'536);
  CHECK(measured(line("queue_max_packets", {{"component", "h3/vm4.socket.rx"}}, op::le, 100))
        == 64);
}

TEST_CASE("goodput is measured in bits per second of virtual time") {
  CHECK(measured(line("goodput", {{"flow", "storage"}}, op::ge, 1e9, number_unit::bits_per_second))
        == doctest::Approx(60'000 * 8 / 0.2));
}

TEST_CASE("every comparison compares") {
  const auto ok = [](op compare, double number) {
    return evaluate(line("made", {}, compare, number), example_run()).ok;
  };
  CHECK(ok(op::eq, 110));
  CHECK_FALSE(ok(op::eq, 109));
  CHECK(ok(op::ne, 109));
  CHECK(ok(op::lt, 111));
  CHECK_FALSE(ok(op::lt, 110));
  CHECK(ok(op::le, 110));
  CHECK(ok(op::gt, 109));
  CHECK_FALSE(ok(op::gt, 110));
  CHECK(ok(op::ge, 110));
}

TEST_CASE("no-deadlock fails only when packets are held and nothing moved for too long") {
  auto run = example_run();
  CHECK(evaluate(line("no-deadlock", {}, op::le, 5e-3, number_unit::seconds), run).ok);
  run.last_delivery = 100 * millisecond;
  const auto stuck = evaluate(line("no-deadlock", {}, op::le, 5e-3, number_unit::seconds), run);
  CHECK_FALSE(stuck.ok);
  CHECK(*stuck.measured == doctest::Approx(0.1));
  CHECK(contains(stuck.note, "3 packets are held"));
  run.held = {};
  CHECK(evaluate(line("no-deadlock", {}, op::le, 5e-3, number_unit::seconds), run).ok);
}

TEST_CASE("an unknown metric is an error that names the nearest one") {
  CHECK(contains(note(line("dropps", {}, op::eq, 0)), "did you mean 'drops'"));
  CHECK(contains(problem_of(line("latenzy", {}, op::eq, 0)), "did you mean 'latency'"));
}

TEST_CASE("an unknown label is an error that lists the labels there are") {
  const auto text = note(line("drops", {{"prio", "3"}}, op::eq, 0));
  CHECK(contains(text, "no label 'prio'"));
  CHECK(contains(text, "priority"));
}

TEST_CASE("labels of different countings cannot be combined") {
  CHECK(contains(note(line("drops", {{"flow", "noise"}, {"priority", "3"}}, op::eq, 0)),
                 "by (flow) or by (component"));
}

TEST_CASE("a flow, component or priority that is not in the run is an error, not a zero") {
  CHECK(contains(note(line("drops", {{"flow", "storag"}}, op::eq, 0)), "did you mean 'storage'"));
  CHECK(contains(note(line("drops", {{"component", "h3/vm4.socket.tx"}}, op::eq, 0)),
                 "did you mean 'h3/vm4.socket.rx'"));
  CHECK(contains(note(line("drops", {{"priority", "8"}}, op::eq, 0)), "no priority '8'"));
}

TEST_CASE("a number with the wrong unit or none is an error that shows the right one") {
  CHECK(contains(note(line("latency", {}, op::lt, 400, number_unit::plain, aggregate::p99)),
                 "400us"));
  CHECK(contains(note(line("goodput", {}, op::ge, 1, number_unit::bytes)), "1Gbit"));
  CHECK(contains(note(line("max_bytes", {}, op::le, 100)), "100KiB"));
  CHECK(contains(note(line("stops_sent", {}, op::eq, 1, number_unit::seconds)), "without a unit"));
}

TEST_CASE("percentiles belong to distributions, and a distribution needs one") {
  CHECK(contains(note(line("latency", {}, op::lt, 1, number_unit::seconds)), "p99"));
  CHECK(contains(note(line("drops", {}, op::eq, 0, number_unit::plain, aggregate::p99)),
                 "no percentiles"));
}

TEST_CASE("problems that need no run are found without one") {
  CHECK(problem_of(line("drops", {{"priority", "3"}}, op::eq, 0)).empty());
  CHECK(problem_of(line("no-deadlock", {}, op::le, 5e-3, number_unit::seconds)).empty());
  CHECK_FALSE(problem_of(line("no-deadlock", {{"flow", "x"}}, op::le, 5e-3)).empty());
  CHECK_FALSE(problem_of(line("max_bytes", {}, op::le, 100)).empty());
}

TEST_CASE("all names of the scenario language's examples are known") {
  const auto names = known_metric_names();
  for (const auto* name : {"drops", "delivered", "delivered_packets", "latency", "held", "made",
                           "stopped_seconds", "stops_sent", "max_bytes", "goodput", "no-deadlock"})
    CHECK_MESSAGE(std::ranges::find(names, name) != names.end(), name);
}

TEST_CASE("measured values read like their unit") {
  const auto text = [](const expectation& e) { return measured_text(evaluate(e, example_run())); };
  CHECK(text(line("stopped_seconds", {}, op::gt, 0, number_unit::seconds)) == "20 ms");
  CHECK(text(line("made", {}, op::gt, 0)) == "110");
  CHECK(text(line("max_bytes", {}, op::gt, 0, number_unit::bytes)) == "64 KiB");
  CHECK(text(line("delivered", {{"flow", "noise"}}, op::gt, 0, number_unit::ratio)) == "80.0%");
}
