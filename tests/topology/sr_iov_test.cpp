// Hosts whose VMs have virtual functions of the NIC: what goes where, credits of each function by
// itself, and pauses from the fabric up to the VM.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/support/small_network.hpp"

using namespace sluice;
using namespace sluice::testing;

namespace {

scenario hosts(hop_policy bus, hop_policy wire) {
  scenario s;
  s.name = "sr-iov";
  s.duration = 10 * millisecond;
  auto fc = everywhere(hop_policy::on_off);
  fc.nic = fc.bridge = bus;
  fc.fabric = wire;
  fc.pfc.priorities = 1 << 3;
  for (const auto* name : {"a", "b"}) {
    host_settings h;
    h.vswitch.sr_iov = true;
    for (const auto* vm : {"v", "w"}) {
      h.vms.push_back({});
      h.vms.back().name = vm;
    }
    s.nodes.push_back(make_node(name, h, fc));
  }
  s.links = {make_link("a", "nic0", "b", "nic0", 25'000'000'000, 500 * nanosecond)};
  return s;
}

host_settings& host_of(scenario& s, std::size_t n) {
  return std::get<host_settings>(s.nodes[n].as);
}

void send(scenario& s, const char* name, const char* from, const char* to, std::uint64_t bps) {
  traffic_entry t;
  t.name = name;
  t.from = {from};
  t.to = {to};
  t.priority = 3;
  generate_settings g;
  g.size_bytes = 1500;
  g.rate_bps = bps;
  t.what = g;
  s.traffic.push_back(t);
}

double delivered(const run_results& r, const std::string& flow) {
  return static_cast<double>(flow_of(r, flow).delivered.bytes) * 8 / 10e-3;
}

}  // namespace

TEST_CASE("the NIC forwards between its functions and the wire, without loss under any policy") {
  for (const auto bus : {hop_policy::on_off, hop_policy::pcie_credit})
    for (const auto wire : {hop_policy::on_off, hop_policy::pfc, hop_policy::ib_credit}) {
      auto s = hosts(bus, wire);
      host_of(s, 1).vms[0].drain_bps = 1'000'000'000;
      send(s, "slow", "a/v", "b/v", 5'000'000'000);
      send(s, "inside", "b/w", "b/v", 1'000'000'000);
      send(s, "quick", "b/w", "a/w", 2'000'000'000);
      const auto r = run(s, {});
      CHECK(r.violations.empty());
      CHECK(r.dropped.packets == 0);
      CHECK(delivered(r, "slow") + delivered(r, "inside") == doctest::Approx(1e9).epsilon(0.05));
      for (const auto& c : r.components)
        CHECK(c.kind != "hypervisor");
      // Up to the application that sends.
      bool held = false;
      for (const auto& p : r.pauses)
        held |= p.on == "a/v.socket-tx" && p.paused > s.duration / 4;
      CHECK(held);
    }
}

TEST_CASE("a function passes what the credits of its own pass") {
  const auto with = [](std::uint32_t headers, std::size_t functions) {
    auto s = hosts(hop_policy::pcie_credit, hop_policy::none);
    for (std::size_t n = 0; n < 2; ++n) {
      host_of(s, n).pcie.latency = 2 * microsecond;
      host_of(s, n).pcie.update = 1;
      host_of(s, n).pcie.posted = {headers, 0};
    }
    send(s, "v", "a/v", "b/v", 12'000'000'000);
    if (functions == 2)
      send(s, "w", "a/w", "b/w", 12'000'000'000);
    return run(s, {});
  };
  // Twelve headers are two frames of six transactions, for one function; as many again for another.
  const auto one = with(12, 1), two = with(12, 2), more = with(24, 1);
  const auto alone = delivered(one, "v");
  CHECK(alone < 8e9);
  CHECK(delivered(two, "v") == doctest::Approx(alone).epsilon(0.03));
  CHECK(delivered(two, "w") == doctest::Approx(alone).epsilon(0.03));
  CHECK(delivered(more, "v") == doctest::Approx(2 * alone).epsilon(0.05));
}
