// The shared memory of a switch: how much each port gets of it against the formula of dynamic
// thresholds, what is dropped and what is paused, and that static thresholds are where they are
// said.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "tests/support/small_network.hpp"

using namespace sluice;
using namespace sluice::testing;

namespace {

constexpr std::int64_t frame = 1000;

/// `senders` generators at line rate, to one sink, over a switch whose ports share a megabyte.
scenario incast(int senders, const shared_memory_settings& shared, std::uint8_t priority,
                pfc_settings pfc = {}) {
  scenario s;
  s.name = "shared";
  s.duration = 3 * millisecond;
  auto fc = everywhere(hop_policy::pfc);
  pfc.priorities = 1u << 3;
  fc.pfc = pfc;
  switch_settings w;
  w.buffer_bytes = 1'000'000;
  w.shared = shared;
  s.nodes = {make_node("s", w, fc), make_node("k", sink_settings{}, fc)};
  const auto link = [&](const std::string& name) {
    s.links.push_back(make_link(name, "p", "s", name, 10'000'000'000, 500 * nanosecond));
  };
  link("k");
  auto t = stream("t", "", "k", priority, frame);
  t.from.clear();
  for (int i = 0; i < senders; ++i) {
    const auto name = fmt::format("g{}", i);
    s.nodes.push_back(make_node(name, generator_settings{}, fc));
    link(name);
    t.from.push_back(name);
  }
  s.traffic = {t};
  return s;
}

}  // namespace

TEST_CASE(
    "ports that all want more get what dynamic thresholds give: alpha x pool / (1 + alpha x n)") {
  for (const unsigned shift : {0u, 1u, 3u})
    for (const int senders : {2, 3, 8}) {
      CAPTURE(shift);
      CAPTURE(senders);
      shared_memory_settings m;
      m.reserve_bytes = 2'000;
      m.shift = shift;
      const auto r = run(incast(senders, m, 1), {});
      CHECK(r.violations.empty());
      // Every sender has one account; the port to the sink is no ingress.
      const auto pool = 1'000'000.0 - senders * 2'000.0;
      const auto alpha = 1.0 / (1 << shift);
      const auto each = 2'000 + alpha * pool / (1 + alpha * senders);
      const auto& c = counters_of(r, "s");
      CHECK(static_cast<double>(c.max_bytes) > each - 2 * frame);
      CHECK(static_cast<double>(c.max_bytes) < each + 2 * frame);
      CHECK(c.dropped.of(drop_reason::buffer_full, 1).packets > 100);
      // The sink gets all that its line carries.
      CHECK(static_cast<double>(r.delivered.packets)
            == doctest::Approx(3e-3 * 10e9 / 8 / (frame + 24)).epsilon(0.01));
    }
}

TEST_CASE("a lossless priority in shared memory pauses at its threshold and loses nothing") {
  for (const bool fixed : {false, true}) {
    CAPTURE(fixed);
    shared_memory_settings m;
    pfc_settings pfc;
    if (fixed)
      pfc.xoff = 40'000;
    std::string expected;
    for (const unsigned threads : {1u, 2u}) {
      run_options o;
      o.threads = threads;
      const auto r = run(incast(4, m, 3, pfc), o);
      CHECK(r.violations.empty());
      CHECK(r.dropped.packets == 0);
      for (const auto& p : r.pauses) {
        CHECK(p.sent > 10);
        CHECK(p.closest >= 1);
      }
      const auto most = counters_of(r, "s").max_bytes;
      // Reserve, threshold, and what came after the pause was decided, which is bounded.
      if (fixed) {
        CHECK(most > 4'096 + 40'000);
        CHECK(most < 4'096 + 40'000 + 12'000);
      } else {
        CHECK(most > 4'096 + 1'000'000 / 16);
      }
      if (expected.empty())
        expected = digest(r);
      CHECK(difference(digest(r), expected) == "");
    }
  }
}

TEST_CASE("in shared memory one that is alone may have what several would have to share") {
  shared_memory_settings m;
  m.shift = 1;
  const auto alone = run(incast(2, m, 1), {});
  const auto many = run(incast(8, m, 1), {});
  CHECK(counters_of(alone, "s").max_bytes > 2 * counters_of(many, "s").max_bytes);
}
