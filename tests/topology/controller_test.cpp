// The controller: what it tells the virtual switches, and what it hears of them.
#include "actors/control/controller.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/support/small_network.hpp"

using namespace sluice;
using namespace sluice::testing;

namespace {

host_settings host_of(std::initializer_list<const char*> vms) {
  host_settings h;
  for (const auto* name : vms) {
    h.vms.push_back({});
    h.vms.back().name = name;
  }
  return h;
}

// Two VMs on one host, and one on another.
scenario two_hosts(hop_policy policy) {
  scenario s;
  s.until_traffic_done = true;
  const auto fc = everywhere(policy);
  s.nodes = {make_node("a", host_of({"v", "w"}), fc), make_node("b", host_of({"x"}), fc)};
  s.links = {make_link("a", "nic0", "b", "nic0", 25'000'000'000, 500 * nanosecond)};
  return s;
}

traffic_entry flow(const char* from, const char* to, std::uint64_t packets) {
  traffic_entry t;
  t.name = to;
  t.from = {from};
  t.to = {to};
  generate_settings g;
  g.size_bytes = 1250;
  g.rate_bps = 10'000'000'000;
  g.packets = packets;
  t.what = g;
  return t;
}

timed_event port_event(sim_time at, const char* port, bool stopped, sim_time duration = never) {
  timed_event e;
  e.what = timed_event::kind::set_port;
  e.at = at;
  e.duration = duration;
  e.target = port;
  e.bps = stopped ? 1 : 0;
  return e;
}

const port_result& port_of(const run_results& r, const std::string& name) {
  const auto p =
      std::find_if(r.ports.begin(), r.ports.end(), [&](const auto& x) { return x.port == name; });
  REQUIRE(p != r.ports.end());
  return *p;
}

const pause_result& pause_of(const run_results& r, const std::string& name) {
  const auto p =
      std::find_if(r.pauses.begin(), r.pauses.end(), [&](const auto& x) { return x.on == name; });
  REQUIRE(p != r.pauses.end());
  return *p;
}

}  // namespace

TEST_CASE("a command travels in a packet of the engine as it is") {
  const command c{.at = 17,
                  .what = command::kind::mapping,
                  .tunnelled = true,
                  .port = 3,
                  .endpoint = 70'000,
                  .value = 0xff'ffff,
                  .limit = {-1, std::int64_t{1} << 40}};
  const auto back = as_command(as_packet(c));
  CHECK(back.at == c.at);
  CHECK(back.what == c.what);
  CHECK(back.tunnelled == c.tunnelled);
  CHECK(back.port == c.port);
  CHECK(back.endpoint == c.endpoint);
  CHECK(back.value == c.value);
  CHECK(back.limit.bytes == c.limit.bytes);
  CHECK(back.limit.packets == c.limit.packets);
}

TEST_CASE("a stopped port holds its sender until it is started, whether it is lossless or not") {
  for (const auto policy : {hop_policy::none, hop_policy::on_off}) {
    auto s = two_hosts(policy);
    s.traffic = {flow("a/v", "a/w", 1)};
    const auto last = [&](std::vector<timed_event> events) {
      s.events = std::move(events);
      const auto r = run(s, {});
      CHECK(r.delivered.packets == 1);
      return r.last_delivery;
    };
    const auto undisturbed = last({});
    CHECK(undisturbed < 10 * microsecond);
    const auto stopped = last({port_event(0, "a.vswitch:v", true, 20 * microsecond)});
    CHECK(stopped > 20 * microsecond);
    // To the picosecond as much later as the port was stopped longer; however that is said.
    CHECK(last({port_event(0, "a.vswitch:v", true, 50 * microsecond)})
          == stopped + 30 * microsecond);
    CHECK(last({port_event(0, "a.vswitch:v", true),
                port_event(50 * microsecond, "a.vswitch:v", false)})
          == stopped + 30 * microsecond);
    // Another port, and a stop that comes too late, change nothing.
    CHECK(last({port_event(0, "a.vswitch:w", true, 20 * microsecond)}) == undisturbed);
    CHECK(last({port_event(20 * microsecond, "a.vswitch:v", true)}) == undisturbed);
    CHECK(last({port_event(0, "a.vswitch:v", false)}) == undisturbed);
  }
}

TEST_CASE("a stop of the uplink stops what comes from the fabric, not what goes there") {
  auto s = two_hosts(hop_policy::on_off);
  s.traffic = {flow("a/v", "b/x", 40), flow("b/x", "a/w", 40)};
  s.events = {port_event(0, "a.vswitch:uplink", true)};
  s.until_traffic_done = false;
  s.duration = 100 * microsecond;
  const auto r = run(s, {});
  CHECK(r.dropped.packets == 0);
  CHECK(r.flows[0].delivered.packets == 40);
  CHECK(r.flows[1].delivered.packets == 0);
  const auto& p = pause_of(r, "a.vswitch:uplink.in");
  CHECK(p.received == 1);
  CHECK(p.paused > 99 * microsecond);
  CHECK(port_of(r, "a.vswitch:uplink").by_command);
  CHECK_FALSE(port_of(r, "a.vswitch:v").by_command);
}

TEST_CASE("the controller hears of every stop of a sender, and for how long it was") {
  // b/x reads slowly, so that its host fills up to the uplink and stops the wire.
  auto s = two_hosts(hop_policy::on_off);
  auto& b = std::get<host_settings>(s.nodes[1].as);
  b.vms[0].drain_bps = 1'000'000'000;
  b.vms[0].socket_buffer_bytes = 10'000;
  b.vms[0].vnic_ring = b.hypervisor.queue = {4, queue_limit::unit::packets};
  b.vswitch.port_queue_bytes = 10'000;
  s.traffic = {flow("a/v", "b/x", 100)};
  s.controller.latency = 10 * microsecond;
  const auto r = run(s, {});
  CHECK(r.dropped.packets == 0);
  const auto& heard = port_of(r, "b.vswitch:uplink");
  CHECK(heard.stops > 5);
  CHECK(heard.stops == heard.starts);
  CHECK_FALSE(heard.is_stopped);
  CHECK(heard.stops == counters_of(r, "b.vswitch:uplink.in").stops_sent);
  // The sender has looked before its last packet was there, and hears of room a little later.
  CHECK(heard.stopped + static_cast<sim_time>(heard.stops) * microsecond
        > pause_of(r, "b.vswitch:uplink.in").paused);
  CHECK(heard.stopped < r.last_delivery);
  CHECK(port_of(r, "a.vswitch:v").stops == 0);

  // In the middle of it, the last notices are still on their way.
  s.until_traffic_done = false;
  s.duration = 600 * microsecond;
  s.controller.latency = 200 * microsecond;
  const auto late = port_of(run(s, {}), "b.vswitch:uplink");
  s.controller.latency = nanosecond;
  const auto early = port_of(run(s, {}), "b.vswitch:uplink");
  CHECK(late.stops < early.stops);
}

TEST_CASE("mappings are for those who need them") {
  auto s = two_hosts(hop_policy::on_off);
  s.traffic = {flow("a/v", "b/x", 1)};
  const auto plain = run(s, {}).commands;
  CHECK(plain == 3 * 5 + 2 * 2);  // three commands a port, two a switch
  for (auto& n : s.nodes)
    std::get<host_settings>(n.as).bridge.vxlan = true;
  CHECK(run(s, {}).commands == plain + 1);  // a hears of b/x; b sends nothing
  s.traffic.push_back(flow("b/x", "a/w", 1));
  CHECK(run(s, {}).commands == plain + 2);
}
