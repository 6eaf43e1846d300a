// A host with the elastic-FIFO router in place of its virtual switch: who waits for whom, what is
// lost, and what a packet to many costs.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>

#include "tests/support/small_network.hpp"

using namespace sluice;
using namespace sluice::testing;

namespace {

// A generator and a host with so many VMs, by a link of 100 Gbit/s.
scenario one_host(std::size_t vms, elastic_fifo_settings router = {}) {
  scenario s;
  s.name = "router";
  s.until_traffic_done = true;
  host_settings h;
  for (std::size_t v = 0; v < vms; ++v) {
    h.vms.push_back({});
    h.vms.back().name = fmt::format("v{}", v);
  }
  h.vswitch.elastic = router;
  h.nic.rx_buffer_bytes = 16 << 20;
  h.bridge.queue = {16 << 20, queue_limit::unit::bytes};
  s.nodes = {make_node("g", generator_settings{}, everywhere(hop_policy::none)),
             make_node("h", h, everywhere(hop_policy::none))};
  s.links = {make_link("g", "p", "h", "nic0", 100'000'000'000, 500 * nanosecond)};
  return s;
}

host_settings& host_of(scenario& s) {
  return std::get<host_settings>(s.nodes[1].as);
}

void send(scenario& s, const std::string& name, std::vector<std::string> to, std::uint64_t packets,
          std::uint64_t bps, cast_kind cast = cast_kind::unicast, std::uint32_t bytes = 1000) {
  traffic_entry t;
  t.name = name;
  t.from = {"g"};
  t.to = std::move(to);
  t.cast = cast;
  t.pick = destination_rule::round_robin;
  generate_settings g;
  g.size_bytes = bytes;
  g.rate_bps = bps;
  g.packets = packets;
  t.what = g;
  s.traffic.push_back(t);
}

}  // namespace

TEST_CASE("a VM that posts nothing makes nobody else wait, and loses nothing") {
  const auto with = [](std::uint32_t short_ppm) {
    auto s = one_host(2);
    s.duration = 20 * millisecond;
    host_of(s).vms[0].vnic_ring = {4, queue_limit::unit::packets};
    host_of(s).vms[0].short_ppm = short_ppm;
    host_of(s).vswitch.short_for = 200 * microsecond;
    send(s, "slow", {"h/v0"}, 2000, 2'000'000'000);
    send(s, "quick", {"h/v1"}, 2000, 2'000'000'000);
    return run_checked(s);
  };
  const auto never_short = with(0), half = with(500'000);
  CHECK(counters_of(never_short, "h.router.elastic-fifo").in.packets == 0);
  CHECK(counters_of(half, "h.router.elastic-fifo").in.packets > 500);
  CHECK(half.dropped.packets == 0);
  CHECK(flow_of(half, "slow").delivered == flow_of(half, "slow").made);
  CHECK(flow_of(half, "slow").latency.quantile(0.9) > 100 * microsecond);
  CHECK(flow_of(half, "quick").latency.quantile(0.99)
        < flow_of(never_short, "quick").latency.quantile(0.99) + 2 * microsecond);
}

TEST_CASE("what each engine did adds up") {
  elastic_fifo_settings router;
  router.step = 16;
  auto s = one_host(20, router);
  s.duration = 40 * millisecond;
  s.until_traffic_done = true;
  for (std::size_t v = 0; v < 20; ++v)
    host_of(s).vms[v].vnic_ring = {4, queue_limit::unit::packets};
  for (std::size_t v = 0; v < 5; ++v)
    host_of(s).vms[v].short_ppm = 500'000;
  std::vector<std::string> all;
  for (int v = 0; v < 20; ++v)
    all.push_back(fmt::format("h/v{}", v));
  send(s, "web", all, 4000, 5'000'000'000);
  send(s, "odd", {"h/v3"}, 50, 100'000'000, cast_kind::unknown);
  send(s, "all", {"h/v4"}, 10, 20'000'000, cast_kind::broadcast);
  const auto r = run_checked(s);
  CHECK(r.held.packets == 0);
  REQUIRE(r.routers.size() == 1);
  const auto& x = r.routers[0];
  CHECK(x.host == "h");
  CHECK(x.refused > 100);
  CHECK(x.special == 60);
  CHECK(x.assisted == 60);
  CHECK(x.assigned == 50 + 10 * 20);
  CHECK(x.direct + x.refused == 4000);
  CHECK(x.taken == x.refused + x.assigned);
  CHECK(x.direct + x.taken == r.delivered.packets);
  CHECK(x.waiting == 0);
  CHECK(x.most_waiting >= x.longest_queue);
  CHECK(x.longest_queue > 0);
  CHECK(x.granted > 0);
  CHECK(x.granted <= x.taken);
  CHECK(x.exclusive > 100 * microsecond);
  CHECK(x.exclusive < 20 * r.virtual_time);
  CHECK(x.footprint <= x.most_footprint);
  REQUIRE(x.pools.size() == 3);
  CHECK(x.pools[1].name == "2048 B");
  CHECK(x.pools[2].name == "indirect");
  for (const auto& p : x.pools) {
    CHECK(p.used == 0);
    CHECK(p.most >= p.total);
  }
}

TEST_CASE("a broadcast takes one normal buffer and an indirect one for each VM") {
  elastic_fifo_settings router;
  router.buffers = {{2048, 1, 64}};
  router.indirect = {0, 0, 1000};
  router.step = 1;
  auto s = one_host(500, router);
  send(s, "hello", {"h/v7"}, 1, 1'000'000'000, cast_kind::broadcast);
  const auto r = run_checked(s);
  CHECK(r.made.packets == 500);
  CHECK(r.delivered.packets == 500);
  for (int v = 0; v < 500; v += 99)
    CHECK(counters_of(r, fmt::format("h/v{}.consumer", v)).consumed.packets == 1);
  // Buffers with 32 B of header, indirect ones of 16 B, queues of 24 B.
  CHECK(counters_of(r, "h.router.elastic-fifo").max_bytes == 2048 + 32 + 500 * 16 + 500 * 24);
}

TEST_CASE("a multicast goes to its group, and to nobody else") {
  auto s = one_host(6);
  send(s, "group", {"h/v1", "h/v2", "h/v4"}, 100, 1'000'000'000, cast_kind::multicast);
  const auto r = run_checked(s);
  CHECK(r.made.packets == 300);
  for (int v = 0; v < 6; ++v)
    CHECK(counters_of(r, fmt::format("h/v{}.consumer", v)).consumed.packets
          == (v == 1 || v == 2 || v == 4 ? 100 : 0));
}

TEST_CASE("what the parser cannot tell goes by the assist engine, and takes its time") {
  elastic_fifo_settings router;
  router.assist = 5 * microsecond;
  auto s = one_host(2, router);
  send(s, "known", {"h/v0"}, 100, 100'000'000);
  send(s, "unknown", {"h/v1"}, 100, 100'000'000, cast_kind::unknown);
  const auto r = run_checked(s);
  CHECK(r.delivered == r.made);
  const auto later =
      flow_of(r, "unknown").latency.quantile(0.5) - flow_of(r, "known").latency.quantile(0.5);
  CHECK(later > 5 * microsecond);
  CHECK(later < 8 * microsecond);
}

TEST_CASE("without a free buffer a packet is dropped, or waits and all behind it") {
  const auto with = [](bool waits) {
    elastic_fifo_settings router;
    router.buffers = {{2048, 8, 8}};
    router.waits = waits;
    auto s = one_host(2, router);
    host_of(s).vms[0].drain_bps = 500'000'000;
    host_of(s).vms[0].socket_buffer_bytes = 2000;
    host_of(s).vms[0].vnic_ring = {2, queue_limit::unit::packets};
    s.nodes[1].flow_control = everywhere(hop_policy::on_off);
    s.nodes[1].flow_control.fabric = hop_policy::none;
    send(s, "slow", {"h/v0"}, 500, 2'000'000'000);
    send(s, "quick", {"h/v1"}, 500, 2'000'000'000);
    return run_checked(s);
  };
  const auto drops = with(false), waits = with(true);
  CHECK(flow_of(drops, "slow").dropped.packets > 100);
  CHECK(flow_of(drops, "quick").dropped.packets == 0);
  CHECK(counters_of(drops, "h.router.elastic-fifo").dropped.of(drop_reason::no_buffer, 0)
        == flow_of(drops, "slow").dropped);
  CHECK(waits.dropped.packets == 0);
  CHECK(waits.delivered == waits.made);
  // The head pointer does not move while the store engine waits.
  CHECK(flow_of(waits, "quick").latency.quantile(0.9) > 100 * microsecond);
  CHECK(flow_of(drops, "quick").latency.quantile(0.9) < 100 * microsecond);
  CHECK(counters_of(waits, "h.router:rx").stopped > 500 * microsecond);
}

TEST_CASE("there is no way from one virtual network to another, and one between VMs of a host") {
  auto s = one_host(3);
  host_of(s).vms[1].network = 2;
  send(s, "out", {"h/v0"}, 10, 1'000'000'000);
  s.traffic[0].from = {"h/v2"};
  send(s, "across", {"h/v1"}, 10, 1'000'000'000);
  s.traffic[1].from = {"h/v2"};
  const auto r = run_checked(s);
  CHECK(flow_of(r, "out").delivered.packets == 10);
  CHECK(flow_of(r, "across").delivered.packets == 0);
  CHECK(counters_of(r, "h.router.parser").dropped.of(drop_reason::no_route, 0).packets == 10);
}

TEST_CASE("of those that wait, the most important VMs are served first") {
  const auto with = [](std::size_t first, std::size_t last) {
    elastic_fifo_settings router;
    router.look = 50 * microsecond;  // both packets wait for the same one
    auto s = one_host(50, router);
    for (auto v = first; v < last; ++v)
      host_of(s).vms[v].importance = 1;
    std::vector<std::string> a, b;
    for (int v = 0; v < 50; ++v)
      (v < 25 ? a : b).push_back(fmt::format("h/v{}", v));
    send(s, "a", a, 1, 10'000'000'000, cast_kind::multicast);
    send(s, "b", b, 1, 10'000'000'000, cast_kind::multicast);
    return run_checked(s);
  };
  const auto alike = with(0, 0), b_first = with(25, 50);
  CHECK(alike.delivered.packets == 50);
  CHECK(flow_of(alike, "a").latency.max() < flow_of(alike, "b").latency.max());
  CHECK(flow_of(b_first, "b").latency.max() < flow_of(b_first, "a").latency.min());
}
