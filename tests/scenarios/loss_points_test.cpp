// Every loss point is a switch of its own: scenarios/loss-points has one scenario for each, in
// which everything is lossless but that point. Exactly it loses packets; switched on it loses
// nothing.
#include <doctest/doctest.h>

#include <filesystem>
#include <set>

#include "metrics/expect.hpp"
#include "scenarios/loader.hpp"
#include "tests/support/small_network.hpp"

using namespace sluice;
using namespace sluice::testing;

namespace {

namespace fs = std::filesystem;

std::set<std::string> losers(const run_results& r) {
  std::set<std::string> names;
  for (const auto& c : r.components)
    if (c.counters.dropped_total().packets != 0)
      names.insert(c.name);
  return names;
}

// The component of `drops{component=X} > 0`.
std::string expected_loser(const scenario& s) {
  for (const auto& e : s.expectations)
    if (e.text.starts_with("drops{component="))
      return e.text.substr(16, e.text.find('}') - 16);
  return {};
}

}  // namespace

TEST_CASE("at each loss point exactly that point loses, and nothing when it is lossless") {
  std::set<std::string> points;
  for (const auto& f :
       fs::directory_iterator{fs::path{SLUICE_SOURCE_DIR} / "scenarios" / "loss-points"}) {
    CAPTURE(f.path().filename().string());
    const auto loaded = load_scenario(f.path().string(), {.known_metrics = known_metric_names});
    REQUIRE(loaded.value);
    auto s = *loaded.value;
    const auto point = expected_loser(s);
    REQUIRE(!point.empty());
    points.insert(point);
    const auto lossy = run(s, {});
    CHECK(losers(lossy) == std::set<std::string>{point});
    CHECK(lossy.violations.empty());
    for (auto& n : s.nodes)
      n.flow_control = everywhere(hop_policy::on_off);
    const auto lossless = run(s, {});
    CHECK(losers(lossless).empty());
    CHECK(lossless.delivered.packets == lossless.made.packets);
  }
  CHECK(points.size() == 10);
}
