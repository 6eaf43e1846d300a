// Where two kinds of flow control meet, the component between them translates: what it holds is
// held back on one side because it is held on the other. Every pair, in both directions, from an
// application that always has something to send to one that hardly reads: nothing is lost, and the
// way back to the sender is short enough that it is held in the end. With S-PFC or credit lists at
// the bus all queues of that host have them; with S-PFC the application sends in two priorities.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "tests/support/small_network.hpp"

using namespace sluice;
using namespace sluice::testing;

namespace {

/// a -- s1 -- s2 -- b, one VM each, with the policies of the three links and of the two buses.
scenario between(hop_policy bus_a, hop_policy first, hop_policy middle, hop_policy last,
                 hop_policy bus_b, bool forth) {
  scenario s;
  s.name = "translation";
  s.duration = 10 * millisecond;
  const auto host = [&](const char* name, hop_policy bus) {
    const bool all = bus == hop_policy::s_pfc || bus == hop_policy::credit_list;
    auto fc = everywhere(all ? bus : hop_policy::on_off);
    fc.bridge = fc.nic = bus;
    fc.pfc.priorities = 1 << 3 | 1 << 4;
    host_settings h;
    vm_settings vm;
    vm.name = "v";
    vm.drain_bps = 1'000'000'000;
    h.vms = {vm};
    s.nodes.push_back(make_node(name, h, fc));
  };
  host("a", bus_a);
  auto fc = everywhere(hop_policy::on_off);
  fc.pfc.priorities = 1 << 3 | 1 << 4;
  switch_settings sw;
  sw.buffer_bytes = 512 * 1024;
  s.nodes.push_back(make_node("s1", sw, fc));
  s.nodes.push_back(make_node("s2", sw, fc));
  host("b", bus_b);
  const auto link = [&](const char* a, const char* b, hop_policy policy) {
    s.links.push_back(make_link(a, fmt::format("to-{}", b), b, fmt::format("to-{}", a),
                                25'000'000'000, 500 * nanosecond));
    s.links.back().flow_control = policy;
  };
  link("a", "s1", first);
  link("s1", "s2", middle);
  link("s2", "b", last);
  generate_settings g;
  g.size_bytes = 1500;
  const bool two = bus_a == hop_policy::s_pfc || bus_b == hop_policy::s_pfc;
  g.share_ppm = two ? 400'000 : 800'000;
  traffic_entry t;
  t.name = "t";
  t.what = g;
  t.priority = 3;
  t.from = {forth ? "a/v" : "b/v"};
  t.to = {forth ? "b/v" : "a/v"};
  s.traffic = {t};
  if (two) {
    t.name = "u";
    t.priority = 4;
    s.traffic.push_back(t);
  }
  return s;
}

}  // namespace

TEST_CASE("every pair of policies translates, in both directions, without loss") {
  const hop_policy buses[] = {hop_policy::on_off, hop_policy::pcie_credit, hop_policy::s_pfc,
                              hop_policy::credit_list};
  const hop_policy wires[] = {hop_policy::on_off, hop_policy::pfc, hop_policy::ib_credit};
  int runs = 0;
  for (const auto bus_a : buses)
    for (const auto bus_b : buses)
      for (const auto first : wires)
        for (const auto middle : wires)
          for (const auto last : wires)
            for (const bool forth : {true, false}) {
              CAPTURE(runs);
              run_options o;
              o.random_executor = true;
              const auto s = between(bus_a, first, middle, last, bus_b, forth);
              const auto r = run(s, o);
              ++runs;
              CHECK(r.violations.empty());
              CHECK(r.dropped.packets == 0);
              // As fast as it is read, and the rest waits with its producer: all hops hold theirs.
              CHECK(static_cast<double>(r.delivered.bytes) * 8
                    == doctest::Approx(1e9 * 0.01).epsilon(0.05));
              const std::string from = forth ? "a" : "b";
              for (const auto& p : r.pauses)
                if (p.on == from + "/v.socket-tx")
                  CHECK(p.paused > s.duration / 4);

              // The same with a rate at the source: what fills up in the receiver's host is marked,
              // and the marks come through every kind of hop.
              auto rated = s;
              for (auto& n : rated.nodes) {
                n.flow_control.regulates = true;
                if (auto* h = std::get_if<host_settings>(&n.as))
                  h->ecn = ecn_settings{20'000, 60'000, 1'000'000, true};
              }
              const auto x = run(rated, o);
              ++runs;
              CHECK(x.violations.empty());
              CHECK(x.dropped.packets == 0);
              CHECK(static_cast<double>(x.delivered.bytes) * 8 > 0.8 * 1e9 * 0.01);
              REQUIRE(x.rates.size() == 2);
              CHECK(x.rates[forth ? 0 : 1].notifications > 5);
              CHECK(x.rates[forth ? 0 : 1].lowest_bps < 2'000'000'000);
              CHECK(x.rates[forth ? 1 : 0].notifications == 0);
            }
  CHECK(runs == 1728);
}
