#include "metrics/conservation.hpp"

#include <doctest/doctest.h>

#include "tests/metrics/example_run.hpp"

using namespace sluice;

TEST_CASE("books that balance raise no objection") {
  CHECK(check_conservation(example_run()).empty());
}

TEST_CASE("a packet that vanished in a component is reported with the component's name") {
  auto run = example_run();
  --run.components[1].counters.out.packets;
  const auto wrong = check_conservation(run);
  REQUIRE(wrong.size() == 1);
  CHECK(wrong[0].find("h3/vm4.socket.rx") != std::string::npos);
  CHECK(wrong[0].find("off by 1 packets") != std::string::npos);
}

TEST_CASE("bytes must balance even where packets do") {
  auto run = example_run();
  run.components[0].counters.out.bytes += 64;
  const auto wrong = check_conservation(run);
  REQUIRE(wrong.size() == 1);
  CHECK(wrong[0].find("off by 0 packets, -64 B") != std::string::npos);
}

TEST_CASE("the run's own totals must balance") {
  auto run = example_run();
  run.held = {};
  CHECK(check_conservation(run).size() == 2);  // the run, and the components' sum of held
}

TEST_CASE("a flow cannot deliver and drop more than it made") {
  auto run = example_run();
  run.flows[0].dropped = {1, 1'000};
  bool found = false;
  for (const auto& text : check_conservation(run))
    found = found || text.starts_with("flow storage");
  CHECK(found);
}

TEST_CASE("components that drop what the run does not know of are found") {
  auto run = example_run();
  run.components[1].counters.dropped.of(drop_reason::buffer_full, 0).packets += 1;
  run.components[1].counters.in.packets += 1;
  const auto wrong = check_conservation(run);
  REQUIRE(wrong.size() == 1);
  CHECK(wrong[0].find("components add up to") != std::string::npos);
}
