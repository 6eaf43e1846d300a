// The virtual switch as docs/virtual-switch.md tells it, to the picosecond; and the process that
// takes packets from a ring in polls.
#include "actors/switching/virtual_switch.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "actors/queue/transmitter.hpp"
#include "metrics/conservation.hpp"
#include "tests/support/small_network.hpp"

using namespace sluice;
using namespace sluice::testing;

namespace {

// One host with three VMs; its link is there for the MTU only.
scenario one_host(std::int64_t port_queue) {
  scenario s;
  s.until_traffic_done = true;
  host_settings h;
  for (const auto* name : {"vm1", "vm2", "vm3"}) {
    h.vms.push_back({});
    h.vms.back().name = name;
  }
  h.vswitch.port_queue_bytes = port_queue;
  host_settings x;
  x.vms.push_back({});
  x.vms[0].name = "y";
  const auto fc = everywhere(hop_policy::on_off);
  s.nodes = {make_node("h", h, fc), make_node("x", x, fc)};
  s.links = {make_link("h", "nic0", "x", "nic0", 25'000'000'000, 500 * nanosecond)};
  return s;
}

traffic_entry from_vm1(const char* to, std::uint64_t packets) {
  traffic_entry t;
  t.name = to;
  t.from = {"h/vm1"};
  t.to = {to};
  generate_settings g;
  g.size_bytes = 1250;
  g.rate_bps = 100'000'000'000;
  g.packets = packets;
  t.what = g;
  return t;
}

}  // namespace

TEST_CASE("the worked example of the manual: who sleeps, who pushes, who pulls") {
  auto s = one_host(3000);
  s.traffic = {from_vm1("h/vm2", 6)};
  const auto r = run(s, {});
  CHECK(r.delivered.packets == 6);
  CHECK(r.last_delivery == 7501 * nanosecond);
  const auto& input = counters_of(r, "h.vswitch:vm1.in");
  CHECK(input.pushes == 4);
  CHECK(input.pulls == 2);
  CHECK(input.max_packets == 2);
  const auto& sender = counters_of(r, "h/vm1.hypervisor-tx");
  CHECK(sender.stops_received == 1);
  CHECK(sender.starts_received == 1);
  CHECK(sender.stopped == 1101 * nanosecond);
  CHECK(counters_of(r, "h.vswitch:vm2").wake_ups == 2);
}

TEST_CASE("without flow control the same packets are lost at the output queue, and nobody sleeps") {
  auto s = one_host(3000);
  for (auto& n : s.nodes)
    n.flow_control = everywhere(hop_policy::none);
  s.traffic = {from_vm1("h/vm2", 6)};
  const auto r = run(s, {});
  CHECK(counters_of(r, "h.vswitch:vm2").dropped_total().packets == 4);
  CHECK(r.dropped.packets == 4);
  CHECK(counters_of(r, "h/vm1.hypervisor-tx").stops_received == 0);
  CHECK(counters_of(r, "h.vswitch:vm1.in").pulls == 0);
}

TEST_CASE("a packet waits behind one whose output is full, though its own is empty") {
  // vm2 does not read: once its queues are full nothing of vm1 gets to vm3.
  auto s = one_host(3000);
  auto& h = std::get<host_settings>(s.nodes[0].as);
  h.vms[1].drain_bps = 0;
  h.vms[1].socket_buffer_bytes = 3000;
  h.vms[1].vnic_ring = {2, queue_limit::unit::packets};
  h.hypervisor.queue = {2, queue_limit::unit::packets};
  s.traffic = {from_vm1("h/vm2", 40), from_vm1("h/vm3", 5)};
  s.traffic[1].start = 50 * microsecond;
  s.until_traffic_done = false;
  s.duration = millisecond;
  const auto r = run(s, {});
  CHECK(r.dropped.packets == 0);
  CHECK(r.flows[1].made.packets == 5);
  CHECK(r.flows[1].delivered.packets == 0);
  REQUIRE(!r.flows[1].blocked_by.empty());
  CHECK(r.flows[1].blocked_by[0].component == "h/vm2.socket");
  CHECK(r.flows[1].blocked_by[0].share > 0.9);
  CHECK(check_conservation(r).empty());
}

TEST_CASE("a softirq pays for polls and lets others run, and sleeps only when there is nothing") {
  line_config c;
  c.rate = line_rate{8'000'000'000'000};  // a byte a picosecond: next to nothing
  c.per_packet = 100;
  c.wake_up = 1000;
  c.weight = 4;
  c.budget = 8;
  c.per_poll = 10;
  c.per_budget = 500;
  transmitter line{c};
  cell::output out;
  out.promise = never;
  sim_time last = 0;
  for (int i = 0; i < 9; ++i) {
    const auto v = line.start(out, 5000, 0, never);
    REQUIRE(v.certain);
    if (i == 0)
      CHECK(v.at == 6000);  // the interrupt
    else if (i == 4)
      CHECK(v.at == last + 10);  // another poll
    else if (i == 8)
      CHECK(v.at == last + 10 + 500);  // the budget is used up
    else
      CHECK(v.at == last);
    last = line.transmit(v.at, 0);
    CHECK(last == v.at + 100);
  }
  CHECK(line.wake_ups() == 1);
  CHECK(line.start(out, last + 1, 0, never).at == last + 1 + 1000);
  CHECK(line.start(out, last + 1, 0, never, true).at == last + 1);  // it was waiting for this one
}
