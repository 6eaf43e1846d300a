// The cases of a hardware acceptance suite for priority flow control, with the values that it asks
// for, at the rates of three generations of hardware. Sources: sonic-mgmt, PFC congestion and
// oversubscription test plan; the values follow from max-min fairness and hold at any rate.
#include <doctest/doctest.h>

#include <filesystem>

#include "metrics/expect.hpp"
#include "scenarios/loader.hpp"
#include "tests/support/small_network.hpp"
#include "topology/run.hpp"

using namespace sluice;

namespace {

scenario load_at(const std::string& name, const std::string& rate,
                 std::vector<std::string> more = {}) {
  load_options o;
  o.set = std::move(more);
  o.set.push_back("defaults.link.rate=" + rate);
  const auto file = std::filesystem::path{SLUICE_SOURCE_DIR} / "scenarios" / (name + ".yaml");
  auto r = load_scenario(file.string(), o);
  REQUIRE_MESSAGE(r.value, render(r, false));
  return std::move(*r.value);
}

run_results run_on_two(const scenario& s) {
  run_options o;
  o.threads = 2;
  auto r = run(s, o);
  CHECK(r.violations.empty());
  return r;
}

void check_expectations(const scenario& s) {
  const auto r = run_on_two(s);
  for (const auto& e : evaluate(s.expectations, r))
    CHECK_MESSAGE(e.ok, e.text << ": measured " << measured_text(e) << " " << e.note);
}

}  // namespace

TEST_CASE("acceptance of PFC at 1, 10 and 100 Gbit/s") {
  for (const std::string rate : {"1Gbit", "10Gbit", "100Gbit"}) {
    CAPTURE(rate);
    // Long enough that filling the buffers once does not count.
    const std::string duration = rate == "1Gbit" ? "2s" : rate == "10Gbit" ? "200ms" : "20ms";
    check_expectations(load_at("pfc-oversubscribed", rate, {"duration=" + duration}));
    check_expectations(load_at("pfc-storm", rate));
    check_expectations(load_at("pfc-storm-on-lossy", rate));

    // While the storm lasts nothing of the lossless priorities passes.
    const auto during =
        run_on_two(load_at("pfc-storm", rate, {"duration=101ms", "events.0.for=101ms"}));
    for (const auto& f : during.flows)
      CHECK((f.delivered.packets == 0) == f.name.starts_with("lossless"));
    CHECK(during.dropped.packets == 0);
  }
}

TEST_CASE("a second priority takes the victim out of the congestion") {
  const auto rate_of_victim = [](const std::string& priority) {
    const auto r =
        run_on_two(load_at("pfc-spreading", "10Gbit", {"traffic.victim.priority=" + priority}));
    CHECK(r.dropped.packets == 0);
    for (const auto& f : r.flows)
      if (f.name == "victim")
        return static_cast<double>(f.delivered.bytes) * 8
               / (static_cast<double>(r.virtual_time) / static_cast<double>(second)) / 1e9;
    return 0.0;
  };
  // Max-min fairness: with its own queue it has what the hot flow cannot use, 10 - 10/3 Gbit/s of
  // the line, of which 1000 of 1024 bytes are frame. In one queue it gets no more than that flow.
  CHECK(rate_of_victim("4") == doctest::Approx(20.0 / 3 * 1000 / 1024).epsilon(0.03));
  CHECK(rate_of_victim("3") == doctest::Approx(10.0 / 3 * 1000 / 1024).epsilon(0.06));
}
