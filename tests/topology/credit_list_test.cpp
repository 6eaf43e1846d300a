// Credit lists between VMs: the actors, in whole networks.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "tests/support/small_network.hpp"
#include "topology/run.hpp"

using namespace sluice;
using namespace sluice::testing;

namespace {

using trigger = credit_builder::trigger;

// So many VMs of one host send to a VM of the other.
scenario two_hosts(unsigned clients, std::uint32_t request, std::uint64_t bps,
                   std::uint64_t packets) {
  scenario s;
  s.until_traffic_done = true;
  s.duration = second;
  const auto host = [](unsigned vms) {
    host_settings h;
    for (unsigned v = 0; v < vms; ++v) {
      h.vms.emplace_back();
      h.vms.back().name = fmt::format("v{}", v);
    }
    return h;
  };
  s.nodes = {make_node("a", host(clients), everywhere(hop_policy::on_off)),
             make_node("b", host(1), everywhere(hop_policy::on_off))};
  s.links = {make_link("a", "nic0", "b", "nic0", 10'000'000'000, 2 * microsecond)};
  traffic_entry t;
  t.name = "t";
  for (unsigned v = 0; v < clients; ++v)
    t.from.push_back(fmt::format("a/v{}", v));
  t.to = {"b/v0"};
  generate_settings g;
  g.size_bytes = request;
  g.rate_bps = bps;
  g.packets = packets;
  t.what = g;
  t.credits.emplace();
  s.traffic = {t};
  return s;
}

credit_settings& credits_of(scenario& s) {
  return *s.traffic[0].credits;
}

double gbps(const run_results& r, std::uint64_t bytes) {
  return static_cast<double>(bytes) * 8e3 / static_cast<double>(r.virtual_time);
}

}  // namespace

TEST_CASE("requests are cut by the receiver's buffers, and every byte arrives in order") {
  auto s = two_hosts(1, 10'000, 5'000'000'000, 50);
  auto& c = credits_of(s);
  c.most = 1000;
  c.least = 1000;
  const auto r = run_checked(s);
  // Ten packets of a thousand bytes each.
  CHECK(r.made.packets == 500);
  CHECK(r.made.bytes == 500'000);
  CHECK(r.delivered == r.made);
  REQUIRE(r.credit_lists.size() == 1);
  const auto& n = r.credit_lists[0].counts;
  CHECK(n.used == 500);
  CHECK(n.wasted_bytes == 0);
  CHECK_FALSE(n.broken);
  CHECK(n.credits >= 500);
  CHECK(n.credits <= 564);
  CHECK(n.most_outstanding <= 64);
}

TEST_CASE("a packet that is smaller than its credit wastes the rest") {
  auto s = two_hosts(1, 300, 1'000'000'000, 200);
  credits_of(s).most = credits_of(s).least = 1000;
  const auto r = run_checked(s);
  CHECK(r.delivered.packets == 200);
  CHECK(r.credit_lists[0].counts.wasted_bytes == 200 * 700);
}

TEST_CASE("without lists a packet that finds no buffer breaks the connection; with them never") {
  auto s = two_hosts(1, 1000, 9'000'000'000, 2000);
  auto& c = credits_of(s);
  c.most = c.least = 1514;
  c.buffers = 8;
  c.work = 5 * microsecond;
  const auto with = run_checked(s);
  CHECK(with.delivered.packets == 2000);
  CHECK_FALSE(with.credit_lists[0].counts.broken);
  CHECK(with.credit_lists[0].counts.stalled > millisecond);

  c.regulated = false;
  const auto without = run_checked(s);
  CHECK(without.credit_lists[0].counts.broken);
  CHECK(without.delivered.packets >= 8);
  CHECK(without.delivered.packets < 20);
  CHECK(without.dropped.packets == 2000 - without.delivered.packets);
  CHECK(counters_of(without, "b/v0.lists-out").dropped.of(drop_reason::connection_broken, 0)
        == without.dropped);

  // One that is too small does, too.
  c.most = c.least = 999;
  c.buffers = 5000;
  CHECK(run_checked(s).delivered.packets == 0);
}

TEST_CASE("a limit holds for each client, and who has none gets the rest") {
  for (const unsigned clients : {1u, 10u, 100u}) {
    CAPTURE(clients);
    auto s = two_hosts(clients + 1, 4000, 0, 0);
    auto& limited = s.traffic[0];
    limited.from.pop_back();
    auto& g = std::get<generate_settings>(limited.what);
    g.rate_bps = 9'000'000'000;
    s.until_traffic_done = false;
    s.duration = 100 * millisecond;
    auto rest = limited;
    rest.name = "rest";
    rest.from = {fmt::format("a/v{}", clients)};
    const std::uint64_t all = 4'000'000'000;
    limited.credits->limit_bps = all / clients;
    // What it sends while a list is on its way: the others fill the queues to 200 us.
    limited.credits->burst_bytes =
        std::max<std::int64_t>(4096, static_cast<std::int64_t>(all / clients / 8 / 5000));
    limited.credits->lists = 4;
    limited.credits->buffers = rest.credits->buffers = 128;
    s.traffic.push_back(rest);
    const auto r = run_checked(s);
    const auto limited_gbps = gbps(r, r.flows[0].delivered.bytes);
    CHECK(limited_gbps == doctest::Approx(4.0).epsilon(0.02));
    // The line has 9.8 Gbit/s for frames of this size.
    CHECK(limited_gbps + gbps(r, r.flows[1].delivered.bytes) > 9.3);
  }
}

TEST_CASE("by a rate fewer lists are sent than eagerly, and no less gets through") {
  const auto with = [](trigger when) {
    auto s = two_hosts(1, 16'000, 9'000'000'000, 1000);
    credits_of(s).when = when;
    credits_of(s).work = microsecond;
    return run_checked(s);
  };
  const auto eager = with(trigger::first);
  for (const auto when : {trigger::adaptive, trigger::timed, trigger::predictive}) {
    CAPTURE(static_cast<int>(when));
    const auto r = with(when);
    CHECK(r.delivered == eager.delivered);
    CHECK(r.credit_lists[0].counts.lists < eager.credit_lists[0].counts.lists * 8 / 10);
    CHECK(r.virtual_time <= eager.virtual_time);
    CHECK(r.credit_lists[0].counts.stalled <= eager.credit_lists[0].counts.stalled);
  }
}

TEST_CASE("each way of a list has its time, and the options of TCP hold nine credits") {
  const auto with = [](credit_settings::way by) {
    auto s = two_hosts(1, 16'000, 9'000'000'000, 200);
    auto& c = credits_of(s);
    c.by = by;
    c.when = trigger::last;
    c.latency = 3 * microsecond;
    return run_checked(s);
  };
  const auto message = with(credit_settings::way::message).credit_lists[0].counts;
  const auto options = with(credit_settings::way::tcp_options).credit_lists[0].counts;
  CHECK(message.lists * 4 < options.lists);
  CHECK(options.credits <= 9 * options.lists);
  CHECK(with(credit_settings::way::rdma).delivered.packets == 200 * 11);
  CHECK(with(credit_settings::way::shared_memory).delivered.packets == 200 * 11);
}

TEST_CASE("a window gets through what lists do, with many more messages") {
  auto s = two_hosts(1, 16'000, 9'000'000'000, 500);
  const auto lists = run_checked(s);
  credits_of(s).window_bytes = 64 * 1514;
  const auto window = run_checked(s);
  CHECK(window.delivered.bytes == lists.delivered.bytes);
  CHECK(window.credit_lists[0].counts.lists > 10 * lists.credit_lists[0].counts.lists);
  CHECK(window.virtual_time < lists.virtual_time * 101 / 100);
}

TEST_CASE("who posts each packet is slower with small buffers than a device that cuts by itself") {
  auto s = two_hosts(1, 16'000, 9'000'000'000, 300);
  auto& c = credits_of(s);
  c.most = c.least = 200;
  c.buffers = 1000;
  c.post = 500 * nanosecond;
  const auto software = run_checked(s);
  c.in_device = true;
  const auto device = run_checked(s);
  CHECK(software.delivered.bytes == device.delivered.bytes);
  // 80 packets a request: 500 ns each, or what the line takes for 224 bytes.
  CHECK(gbps(software, software.delivered.bytes) == doctest::Approx(3.2).epsilon(0.03));
  CHECK(gbps(device, device.delivered.bytes) > 7.5);
}

TEST_CASE("two flows to one VM share the control connection, and other traffic goes past") {
  auto s = two_hosts(2, 3000, 2'000'000'000, 300);
  auto second_flow = s.traffic[0];
  second_flow.name = "u";
  second_flow.credits->most = second_flow.credits->least = 500;
  auto plain = s.traffic[0];
  plain.name = "plain";
  plain.credits.reset();
  std::get<generate_settings>(plain.what).size_bytes = 700;
  s.traffic.push_back(second_flow);
  s.traffic.push_back(plain);
  const auto r = run_checked(s);
  CHECK(r.delivered == r.made);
  CHECK(r.credit_lists.size() == 4);
  CHECK(r.flows[0].made.packets == 2 * 300 * 2);
  CHECK(r.flows[1].made.packets == 2 * 300 * 6);
  CHECK(r.flows[2].made.packets == 2 * 300);
}

TEST_CASE("a broadcast reaches a VM that has credit lists, too") {
  auto s = two_hosts(2, 10'000, 5'000'000'000, 50);
  auto& b = std::get<host_settings>(s.nodes[1].as);
  b.vms.push_back(b.vms[0]);
  b.vms[1].name = "v1";
  b.vswitch.elastic.emplace();
  s.traffic[0].from = {"a/v0"};
  auto& all = s.traffic.emplace_back();
  all.name = "all";
  all.from = {"a/v1"};
  all.to = {"b/v1"};
  all.cast = cast_kind::broadcast;
  all.what = generate_settings{.size_bytes = 1000, .rate_bps = 1'000'000'000, .packets = 20};
  const auto r = run_checked(s);
  CHECK(flow_of(r, "all").delivered.packets == 40);
  CHECK(r.dropped.packets == 0);
  CHECK(r.held.packets == 0);
}

TEST_CASE(
    "as the policy of a host's queues credit lists lose nothing, and tell of many buffers at "
    "once") {
  const auto with = [](hop_policy policy) {
    auto s = two_hosts(2, 1500, 8'000'000'000, 3000);
    s.traffic[0].credits.reset();
    for (auto& n : s.nodes) {
      n.flow_control = everywhere(policy);
      for (auto& vm : std::get<host_settings>(n.as).vms)
        vm.drain_bps = 2'000'000'000;
    }
    return run_checked(s);
  };
  const auto lists = with(hop_policy::credit_list), looks = with(hop_policy::on_off);
  CHECK(lists.dropped.packets == 0);
  CHECK(lists.delivered.packets == looks.delivered.packets);
  CHECK(lists.virtual_time < looks.virtual_time * 101 / 100);
  CHECK(looks.credit_lists.empty());
  const auto between = [&](const std::string& from, const std::string& to) {
    const auto found =
        std::find_if(lists.credit_lists.begin(), lists.credit_lists.end(),
                     [&](const auto& x) { return x.flow.empty() && x.from == from && x.to == to; });
    REQUIRE(found != lists.credit_lists.end());
    return found->counts;
  };
  // Between VM and virtual switch, both ways.
  for (const auto& n : {between("a/v0.vnic-tx", "a/v0.hypervisor-tx"),
                        between("b.vswitch:v0", "b/v0.hypervisor")}) {
    CHECK(n.used > 1000);
    CHECK(n.credits >= n.used);
    CHECK(n.credits - n.used <= n.most_outstanding);
    CHECK(n.lists < n.used / 4);
    CHECK_FALSE(n.broken);
  }
  CHECK(between("b.vswitch:v0", "b/v0.hypervisor").stalled > millisecond);
}
