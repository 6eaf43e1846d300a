// S-PFC: queues in hosts that are divided by priority. A priority that is held holds no other; what
// is lossless is not lost, what is not may be; and all of it up to the application.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/support/small_network.hpp"

using namespace sluice;
using namespace sluice::testing;

namespace {

// Two VMs of one host send to two of another: slow in priority 3, or 4, to one that hardly reads;
// quick in priority 5 to one that does.
scenario two_hosts(hop_policy inside, hop_policy wire, std::uint8_t lossless) {
  scenario s;
  s.name = "s-pfc";
  s.duration = 5 * millisecond;
  auto fc = everywhere(inside);
  fc.fabric = wire;
  fc.pfc.priorities = lossless;
  for (const auto* name : {"a", "b"}) {
    host_settings h;
    for (const auto* vm : {"slow", "quick"}) {
      vm_settings v;
      v.name = vm;
      h.vms.push_back(v);
    }
    if (name[0] == 'b')
      h.vms[0].drain_bps = 500'000'000;
    s.nodes.push_back(make_node(name, h, fc));
  }
  s.links = {make_link("a", "nic0", "b", "nic0", 10'000'000'000, 500 * nanosecond)};
  const auto send = [&](const char* vm, std::uint8_t priority, std::uint64_t bps) {
    traffic_entry t;
    t.name = vm;
    t.from = {std::string{"a/"} + vm};
    t.to = {std::string{"b/"} + vm};
    t.priority = priority;
    generate_settings g;
    g.size_bytes = 1500;
    g.rate_bps = bps;
    t.what = g;
    s.traffic.push_back(t);
  };
  send("slow", 3, 5'000'000'000);
  send("quick", 5, 1'000'000'000);
  return s;
}

}  // namespace

TEST_CASE("a priority that is held inside a host holds no other, on every kind of link") {
  for (const auto wire : {hop_policy::on_off, hop_policy::pfc, hop_policy::ib_credit}) {
    CAPTURE(static_cast<int>(wire));
    const auto whole = run(two_hosts(hop_policy::on_off, wire, 1 << 3 | 1 << 5), {});
    const auto divided = run(two_hosts(hop_policy::s_pfc, wire, 1 << 3 | 1 << 5), {});
    for (const auto* r : {&whole, &divided}) {
      CHECK(r->violations.empty());
      CHECK(r->dropped.packets == 0);
    }
    // The slow reader gets what it reads.
    const auto slow = static_cast<double>(flow_of(divided, "slow").delivered.bytes);
    CHECK(slow * 8 == doctest::Approx(500e6 * 5e-3).epsilon(0.1));
    // Whole queues make the other one wait for it; divided ones do not, but on a link that holds
    // all priorities together.
    const auto waits = flow_of(whole, "quick").latency.quantile(0.99);
    if (wire == hop_policy::on_off)
      continue;
    CHECK(flow_of(divided, "quick").latency.quantile(0.99) < waits / 4);
    CHECK(static_cast<double>(flow_of(divided, "quick").delivered.bytes) * 8
          == doctest::Approx(1e9 * 5e-3).epsilon(0.05));
  }
}

TEST_CASE("both VMs' applications are held by priority, and one that sends both by each") {
  auto s = two_hosts(hop_policy::s_pfc, hop_policy::pfc, 1 << 3 | 1 << 5);
  s.traffic[1].from = {"a/slow"};  // one application, two sockets
  s.duration = 20 * millisecond;
  const auto r = run(s, {});
  CHECK(r.violations.empty());
  CHECK(r.dropped.packets == 0);
  CHECK(static_cast<double>(flow_of(r, "quick").delivered.bytes) * 8
        == doctest::Approx(1e9 * 20e-3).epsilon(0.05));
  CHECK(flow_of(r, "quick").latency.quantile(0.99) < 300 * microsecond);
  int held = 0;
  for (const auto& p : r.pauses)
    if (p.on == "a/slow.socket-tx") {
      CHECK((p.priority == 3 || p.priority == 5));
      CHECK((p.paused > s.duration / 4) == (p.priority == 3));
      ++held;
    }
  CHECK(held == 2);
  // Whole queues hold them together.
  auto together = s;
  for (auto& n : together.nodes) {
    const auto pfc = n.flow_control.pfc;
    n.flow_control = everywhere(hop_policy::on_off);
    n.flow_control.fabric = hop_policy::pfc;
    n.flow_control.pfc = pfc;
  }
  CHECK(static_cast<double>(flow_of(run(together, {}), "quick").delivered.bytes) * 8
        < 0.7 * 1e9 * 20e-3);
}

TEST_CASE("what is not lossless is lost where its part of a queue is full, and nothing else is") {
  auto s = two_hosts(hop_policy::s_pfc, hop_policy::pfc, 1 << 5);
  std::get<host_settings>(s.nodes[1].as).hypervisor.queue = {64, queue_limit::unit::packets};
  auto& reader = std::get<host_settings>(s.nodes[1].as).vms[1];
  reader.drain_bps = 300'000'000;  // now both are too slow
  const auto r = run(s, {});
  CHECK(r.violations.empty());
  CHECK(flow_of(r, "slow").dropped.packets > 100);
  CHECK(flow_of(r, "quick").dropped.packets == 0);
  CHECK(static_cast<double>(flow_of(r, "quick").delivered.bytes) * 8
        == doctest::Approx(300e6 * 5e-3).epsilon(0.1));
  for (const auto& p : r.pauses)
    if (p.priority >= 0)
      CHECK(p.priority == 5);
}

TEST_CASE("with one priority S-PFC is what on/off is") {
  auto s = two_hosts(hop_policy::s_pfc, hop_policy::pfc, 1 << 3);
  s.traffic.pop_back();
  auto t = two_hosts(hop_policy::on_off, hop_policy::pfc, 1 << 3);
  t.traffic.pop_back();
  CHECK(run(s, {}).fingerprint == run(t, {}).fingerprint);
}
