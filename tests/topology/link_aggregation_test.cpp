// A switch that aggregates its links to a neighbour, by partition: what takes which port, and what
// becomes of flows whose port leaves.
#include <doctest/doctest.h>

#include "tests/support/small_network.hpp"

using namespace sluice;
using namespace sluice::testing;

namespace {

// Six generators at `sw`, three sinks behind `vios`, and three links of 10 Gbit/s between the two.
scenario server(link_choice select, hop_policy policy,
                std::vector<aggregation_settings::partition> partitions) {
  scenario s;
  s.duration = 3 * millisecond;
  flow_control_settings fc;
  fc.fabric = policy;
  fc.pfc.priorities = 0xff;
  switch_settings sw;
  sw.port_queue_bytes = 512 * 1024;
  const auto vios = sw;
  sw.aggregation.emplace();
  sw.aggregation->select = select;
  sw.aggregation->partitions = std::move(partitions);
  s.nodes.push_back(make_node("sw", sw, fc));
  s.nodes.push_back(make_node("vios", vios, fc));
  for (const std::string p : {"p1", "p2", "p3"})
    s.links.push_back(make_link("sw", p, "vios", p, 10'000'000'000, 500 * nanosecond));
  for (int i = 0; i < 3; ++i) {
    const auto name = "k" + std::to_string(i);
    s.nodes.push_back(make_node(name, sink_settings{}, fc));
    s.links.push_back(make_link("vios", "to_" + name, name, "p", 25'000'000'000, 500 * nanosecond));
  }
  for (int i = 0; i < 6; ++i) {
    const auto name = "g" + std::to_string(i);
    s.nodes.push_back(make_node(name, generator_settings{}, fc));
    s.links.push_back(make_link(name, "p", "sw", "from_" + name, 25'000'000'000, 500 * nanosecond));
  }
  return s;
}

void send(scenario& s, const std::string& from, const std::string& to, std::uint64_t bps) {
  traffic_entry t;
  t.name = from + "-" + to;
  generate_settings g;
  g.size_bytes = 1500;
  g.rate_bps = bps;
  g.arrivals = arrival_process::poisson;
  t.what = g;
  t.from = {from};
  t.to = {to};
  s.traffic.push_back(t);
}

void lose(scenario& s, std::size_t link, sim_time at, sim_time duration) {
  timed_event e;
  e.what = timed_event::kind::link_down;
  e.link = link;
  e.at = at;
  e.duration = duration;
  s.events.push_back(e);
}

const aggregation_result::partition& partition_of(const run_results& r, const std::string& name) {
  for (const auto& p : r.aggregations.at(0).partitions)
    if (p.name == name)
      return p;
  FAIL("no partition ", name);
  return r.aggregations[0].partitions[0];
}

constexpr link_choice choices[] = {link_choice::hash, link_choice::least_loaded,
                                   link_choice::round_robin};
constexpr hop_policy policies[] = {hop_policy::none, hop_policy::on_off, hop_policy::pfc,
                                   hop_policy::ib_credit};

}  // namespace

TEST_CASE("partitions keep to their ports, under every choice and policy") {
  for (const auto choice : choices)
    for (const auto policy : policies) {
      auto s = server(choice, policy, {{"k0", {"p1", "p2"}, {}}, {"k1", {"p3"}, {}}});
      for (int i = 0; i < 6; ++i) {
        send(s, "g" + std::to_string(i), "k0", 1'000'000'000);
        send(s, "g" + std::to_string(i), "k1", 3'000'000'000);
        send(s, "g" + std::to_string(i), "k2", 100'000'000);
      }
      const auto r = run_checked(s);
      REQUIRE(r.aggregations.size() == 1);
      const auto& a = r.aggregations[0];
      REQUIRE(a.ports.size() == 3);
      CHECK(a.ports[0].name == "sw:p1");
      const auto &k0 = partition_of(r, "k0"), &k1 = partition_of(r, "k1"),
                 &k2 = partition_of(r, "others via vios");
      CHECK(k0.sent[2].packets == 0);
      CHECK(k0.in_set == std::vector<bool>{true, true, false});
      CHECK(k1.sent[0].packets + k1.sent[1].packets == 0);
      CHECK(k0.flows == 6);
      CHECK(k2.flows == 6);
      CHECK(k2.in_set == std::vector<bool>{true, true, true});
      if (choice == link_choice::round_robin)
        for (const auto& sent : k2.sent)
          CHECK(sent.packets > 0);
      for (const auto* p : {&k0, &k1, &k2}) {
        CHECK(p->moves == 0);
        CHECK(p->lost.packets == 0);
      }
      // p3 gets almost twice what it can carry; nobody else has lost anything by that.
      CHECK((r.dropped.packets > 0) == (policy == hop_policy::none));
      const auto& p1 = counters_of(r, "sw:p1");
      const auto& p2 = counters_of(r, "sw:p2");
      const auto& p3 = counters_of(r, "sw:p3");
      CHECK(p1.in.packets + p2.in.packets + p3.in.packets
            <= k0.sent[0].packets + k0.sent[1].packets + k1.sent[2].packets + k2.sent[0].packets
                   + k2.sent[1].packets + k2.sent[2].packets);
      if (policy == hop_policy::none)
        CHECK(flow_of(r, "g0-k0").dropped.packets == 0);
    }
}

TEST_CASE("flows of a port that leaves go on over another of their set, in order, and stay there") {
  for (const auto choice : choices)
    for (const auto policy : policies)
      for (const sim_time down_delay : {sim_time{0}, 20 * microsecond}) {
        auto s = server(choice, policy, {{"k0", {"p1", "p2"}, {}}});
        auto& a = *std::get<switch_settings>(s.nodes[0].as).aggregation;
        a.down_delay = down_delay;
        a.up_delay = 100 * microsecond;
        for (int i = 0; i < 6; ++i)
          send(s, "g" + std::to_string(i), "k0", 1'500'000'000);
        lose(s, 0, millisecond, 500 * microsecond);
        lose(s, 1, 2 * millisecond, 500 * microsecond);
        const auto r = run_checked(s);
        const auto& ports = r.aggregations[0].ports;
        CHECK(ports[0].leaves == 1);
        CHECK(ports[0].returns == 1);
        CHECK(ports[1].leaves == 1);
        CHECK(ports[1].returns == 1);
        const auto& k0 = partition_of(r, "k0");
        CHECK(k0.lost.packets == 0);
        // Those of p1 first, and later all of them, as all were on p2 by then.
        CHECK(k0.moves > 6);
        CHECK(k0.moves < 12);
        CHECK(k0.sent[2].packets == 0);
        // What was on the links, and in their queues; a queue holds no more than the outage brings.
        CHECK(r.dropped.packets > 0);
        CHECK(r.dropped.packets < 200);
        std::uint64_t purged = 0;
        for (const auto& p : ports)
          purged += p.purged.packets;
        if (down_delay != 0)
          CHECK(purged > 0);
        CHECK(counters_of(r, "sw:p1").dropped.of(drop_reason::link_down, 0).packets
              == ports[0].purged.packets);
      }
}

TEST_CASE("an outage that is over before the down-delay is not noticed") {
  auto s = server(link_choice::hash, hop_policy::none, {{"k0", {"p1"}, {}}});
  std::get<switch_settings>(s.nodes[0].as).aggregation->down_delay = 200 * microsecond;
  send(s, "g0", "k0", 2'000'000'000);
  lose(s, 0, millisecond, 150 * microsecond);
  const auto r = run_checked(s);
  CHECK(r.aggregations[0].ports[0].leaves == 0);
  CHECK(r.aggregations[0].ports[0].purged.packets == 0);
  CHECK(partition_of(r, "k0").lost.packets == 0);
  CHECK(counters_of(r, "sw:p1->vios:p1").dropped_total().packets == r.dropped.packets);
  CHECK(r.dropped.packets < 5);  // what was on the cable; the rest has waited
}

TEST_CASE("a set without a link loses what comes, and no other does") {
  for (const auto policy : policies) {
    auto s =
        server(link_choice::round_robin, policy, {{"k0", {"p1"}, {}}, {"k1", {"p2", "p3"}, {}}});
    send(s, "g0", "k0", 2'000'000'000);
    send(s, "g1", "k1", 2'000'000'000);
    lose(s, 0, millisecond, never);
    const auto r = run_checked(s);
    const auto& k0 = partition_of(r, "k0");
    CHECK(k0.lost.packets > 300);
    const auto thrown = counters_of(r, "sw:p1").dropped.of(drop_reason::link_down, 0).packets;
    CHECK(thrown == r.aggregations[0].ports[0].purged.packets);
    // One may be on its way from the choice to the queue, when it leaves and at the end.
    CHECK(thrown >= k0.lost.packets - 1);
    CHECK(thrown <= k0.lost.packets + 1);
    CHECK(flow_of(r, "g1-k1").dropped.packets == 0);
    CHECK(r.aggregations[0].ports[0].returns == 0);
  }
}

TEST_CASE("without aggregation what waits for a lost link waits until it is back") {
  auto s = server(link_choice::hash, hop_policy::none, {});
  std::get<switch_settings>(s.nodes[0].as).aggregation.reset();
  for (int i = 0; i < 6; ++i)
    send(s, "g" + std::to_string(i), "k0", 500'000'000);
  auto with = s;
  for (std::size_t link = 0; link < 2; ++link)
    lose(s, link, millisecond, 900 * microsecond);
  const auto without = run_checked(s);
  CHECK(without.aggregations.empty());
  std::get<switch_settings>(with.nodes[0].as).aggregation.emplace();
  with.events = s.events;
  const auto r = run_checked(with);
  sim_time waited = 0, moved = 0;
  for (std::size_t f = 0; f < r.flows.size(); ++f) {
    waited = std::max(waited, without.flows[f].latency.max());
    moved = std::max(moved, r.flows[f].latency.max());
  }
  CHECK(waited > 800 * microsecond);
  CHECK(moved < 50 * microsecond);
}

TEST_CASE("a partition waits for no other that it shares no port with; hashed over all it does") {
  const auto slowest = [](std::vector<aggregation_settings::partition> partitions) {
    auto s = server(link_choice::round_robin, hop_policy::none, std::move(partitions));
    for (int i = 0; i < 3; ++i)
      send(s, "g" + std::to_string(i), "k0", 1'000'000'000);
    for (int i = 3; i < 6; ++i)
      send(s, "g" + std::to_string(i), "k1", 10'500'000'000);
    const auto r = run_checked(s);
    sim_time longest = 0;
    for (int i = 0; i < 3; ++i)
      longest = std::max(longest, flow_of(r, "g" + std::to_string(i) + "-k0").latency.max());
    return longest;
  };
  CHECK(slowest({{"k0", {"p1", "p2"}, {}}, {"k1", {"p3"}, {}}}) < 20 * microsecond);
  CHECK(slowest({}) > 200 * microsecond);
}
