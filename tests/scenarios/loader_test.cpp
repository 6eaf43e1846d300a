#include "scenarios/loader.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace {

using sluice::load_options;
using sluice::load_result;

constexpr const char* smallest =
    "nodes: {a: {kind: host, vms: [v]}, b: {kind: host, vms: [w]}}\n"
    "links: [a -- b]\n"
    "traffic: {t: {generate: {rate: 1Gbit}, from: a/v, to: b/w}}\n";

load_result load(const std::string& text, load_options options = {}) {
  return sluice::load_scenario_text(text, "test.yaml", options);
}

sluice::scenario good(const std::string& text, load_options options = {}) {
  auto r = load(text, options);
  REQUIRE_MESSAGE(r.value, sluice::render(r, false));
  return std::move(*r.value);
}

/// What is wrong, one "line:column message | hint" each.
std::vector<std::string> wrong(const std::string& text, load_options options = {}) {
  const auto r = load(text, options);
  CHECK_FALSE(r.value);
  std::vector<std::string> out;
  for (const auto& d : r.diagnostics)
    out.push_back(std::to_string(d.where.line) + ":" + std::to_string(d.where.column) + " "
                  + d.message + (d.hint.empty() ? "" : " | " + d.hint));
  return out;
}

bool mentions(const std::vector<std::string>& list, const std::string& part) {
  for (const auto& l : list)
    if (l.find(part) != std::string::npos)
      return true;
  for (const auto& l : list)
    MESSAGE(l);
  return false;
}

/// The smallest scenario with something more at its end.
std::vector<std::string> wrong_with(const std::string& more) {
  return wrong(smallest + more);
}

}  // namespace

TEST_CASE("the smallest legal file loads, with every default") {
  const auto s = good(smallest);
  CHECK(s.name == "test");
  CHECK(s.seed == 1);
  CHECK(s.clock == sluice::clock_kind::virtual_time);
  CHECK(s.duration == 100 * sluice::millisecond);
  REQUIRE(s.nodes.size() == 2);
  REQUIRE(s.links.size() == 1);
  CHECK(s.links[0].a.node == "a");
  CHECK(s.links[0].a.port == "nic0");
  CHECK(s.links[0].rate_bps == 25'000'000'000);
  REQUIRE(s.traffic.size() == 1);
  const auto& g = std::get<sluice::generate_settings>(s.traffic[0].what);
  CHECK(g.rate_bps == 1'000'000'000);
  CHECK(g.size_bytes == 1500);
  CHECK(s.traffic[0].from == std::vector<std::string>{"a/v"});
  const auto& h = std::get<sluice::host_settings>(s.nodes[0].as);
  REQUIRE(h.vms.size() == 1);
  CHECK(h.vms[0].where.line == 1);
  CHECK(h.vms[0].where.column == 31);
}

TEST_CASE("defaults lie under what nodes and links say themselves") {
  const auto s = good(R"(
defaults:
  link: {rate: 100Gbit, mtu: 9000}
  flow-control: on_off
  on-off: {stop: 100KiB, start: 50KiB}
  host: {nic: {rx-buffer: 1MiB, tx-buffer: 2MiB}}
  vm: {drain: 8Gbit, qdisc: 64KiB}
  switch: {buffer: 16MiB, scheduler: dwrr, weights: {3: 4}}
nodes:
  a:
    kind: host
    vms: {v: {drain: 1Gbit}, w:}
    nic: {rx-buffer: 3MiB}
    flow-control: {guest: none}
    on-off: {stop: 10 packets, start: 5p}
  s: {kind: switch, port-queue: 64KiB, weights: [1, 2]}
links: [{endpoints: a -- s, delay: 1us}]
)");
  const auto& h = std::get<sluice::host_settings>(s.nodes[0].as);
  CHECK(h.nic.rx_buffer_bytes == 3 * 1024 * 1024);
  CHECK(h.nic.tx_buffer_bytes == 2 * 1024 * 1024);
  CHECK(h.vms[0].drain_bps == 1'000'000'000);
  CHECK(h.vms[1].drain_bps == 8'000'000'000);
  CHECK(h.vms[1].qdisc->in == sluice::queue_limit::unit::bytes);
  const auto& flow = s.nodes[0].flow_control;
  CHECK(flow.guest_tx == sluice::hop_policy::none);
  CHECK(flow.fabric == sluice::hop_policy::on_off);
  CHECK(flow.on_off.stop->amount == 10);
  CHECK(flow.on_off.stop->in == sluice::queue_limit::unit::packets);
  const auto& sw = std::get<sluice::switch_settings>(s.nodes[1].as);
  CHECK(sw.buffer_bytes == 16 * 1024 * 1024);
  CHECK(sw.port_queue_bytes == 64 * 1024);
  CHECK(sw.scheduler.kind == sluice::scheduler_kind::dwrr);
  CHECK(sw.scheduler.weights[1] == 2);
  CHECK(sw.scheduler.weights[3] == 4);
  CHECK(s.nodes[1].flow_control.on_off.stop->amount == 100 * 1024);
  CHECK(s.links[0].rate_bps == 100'000'000'000);
  CHECK(s.links[0].mtu == 9000);
  CHECK(s.links[0].delay == sluice::microsecond);
}

TEST_CASE("ports that are not named are the lowest that no link names") {
  const auto s = good(R"(
nodes:
  a: {kind: generator}
  b: {kind: sink}
  c: {kind: host, vms: [v]}
  s: {kind: switch}
  t: {kind: switch}
links: [a -- s, b -- s, "c:nic0 -- s:p1", {endpoints: ["s:p3", t]}, s -- t:p7]
)");
  CHECK(s.links[0].b.port == "p2");
  CHECK(s.links[0].a.port == "p1");
  CHECK(s.links[1].b.port == "p4");
  CHECK(s.links[2].b.port == "p1");
  CHECK(s.links[3].a.port == "p3");
  CHECK(s.links[3].b.port == "p1");
  CHECK(s.links[4].a.port == "p5");
  CHECK(s.links[4].b.port == "p7");
}

TEST_CASE("events and expectations become plain values") {
  const auto s = good(std::string{smallest} + R"(
duration: 200ms
events:
  - {at: 50ms, set: b/w.drain, to: 0bit, for: 20ms}
  - {at: 60ms, set: t.rate, to: 2Gbit}
  - {at: 120ms, link: b -- a, state: down, for: 1ms}
expect:
  - drops{priority=3} == 0
  - {check: "delivered{flow=t} == 100%"}
  - no-deadlock: 5ms
)");
  REQUIRE(s.events.size() == 3);
  CHECK(s.events[0].what == sluice::timed_event::kind::set_drain);
  CHECK(s.events[0].target == "b/w");
  CHECK(s.events[0].bps == 0);
  CHECK(s.events[0].duration == 20 * sluice::millisecond);
  CHECK(s.events[1].what == sluice::timed_event::kind::set_rate);
  CHECK(s.events[1].duration == sluice::never);
  CHECK(s.events[2].what == sluice::timed_event::kind::link_down);
  CHECK(s.events[2].link == 0);
  REQUIRE(s.expectations.size() == 3);
  CHECK(s.expectations[1].text == "delivered{flow=t} == 100%");
  CHECK(s.expectations[2].metric == "no-deadlock");
  CHECK(s.expectations[2].number == doctest::Approx(0.005));
}

TEST_CASE("replays have a pace, a map and a file relative to the scenario") {
  const auto s = good(R"(
nodes: {a: {kind: host, vms: [v]}, b: {kind: host, vms: [w]}}
links: [a -- b]
traffic:
  r:
    replay: captures/x.pcap
    map: {10.0.0.1: a/v, "2001:DB8::1": b/w, "02:AA:00:00:00:01": b/w}
    speed: 0.5x
    max-gap: 10ms
    repeat: 20
    filter: tcp port 80
    oversize: drop
    on-stop: shift
  q: {replay: /tmp/y.pcap, from: a/v, to: b/w, speed: as-fast-as-possible}
)",
                      {.check_files = false, .folder = "some/where"});
  const auto& r = std::get<sluice::replay_settings>(s.traffic[0].what);
  CHECK(r.file == "some/where/captures/x.pcap");
  REQUIRE(r.map.size() == 3);
  CHECK(r.map[1].address == "2001:db8::1");
  CHECK(r.map[2].address == "02:aa:00:00:00:01");
  CHECK(r.timing.how == sluice::replay_timing::mode::speed);
  CHECK(r.timing.speed_num == 1);
  CHECK(r.timing.speed_den == 2);
  CHECK(r.timing.max_gap == 10 * sluice::millisecond);
  CHECK(r.timing.repeat == 20);
  CHECK(r.oversize == sluice::oversize_rule::drop);
  CHECK(s.traffic[0].on_stop == sluice::stop_rule::shift);
  CHECK(std::get<sluice::replay_settings>(s.traffic[1].what).file == "/tmp/y.pcap");
  // Both replays end by themselves, so the run does too.
  CHECK(s.until_traffic_done);
  CHECK(s.duration == sluice::never);
}

TEST_CASE("a capture that does not exist is reported at its place") {
  const auto list = wrong(R"(
nodes: {a: {kind: host, vms: [v, w]}}
traffic: {r: {replay: nope.pcap, from: a/v, to: a/w}}
)");
  CHECK(mentions(list, "3:23 there is no file `nope.pcap`"));
}

TEST_CASE("wrong units say what was given and what is wanted") {
  CHECK(mentions(wrong_with("defaults: {link: {rate: 10ms}}"),
                 "4:25 `10ms` is a duration, but `rate` wants a rate such as `10Gbit`"));
  CHECK(mentions(wrong_with("duration: 100"),
                 "4:11 `100` has no unit: `duration` is in ps, ns, us, ms, s, min"));
  CHECK(mentions(wrong_with("defaults: {link: {rate: 10Gbps}}"), "did you mean `10Gbit`?"));
  CHECK(mentions(wrong_with("defaults: {vm: {qdisc: 100}}"),
                 "B, kB, KiB, MB, MiB, GB, GiB, p, packet"));
  CHECK(mentions(wrong_with("defaults: {link: {delay: 0ns}}"),
                 "is out of range: `delay` is at least 1ps"));
  CHECK(good(std::string{smallest} + "duration: 27000min").duration < sluice::never);
  CHECK(mentions(wrong_with("duration: 100000min"), "longer than any run can be"));
  CHECK(mentions(wrong_with("seed: -1"), "has a sign"));
  CHECK(mentions(wrong_with("seed: 1.5"), "is not a whole number"));
  CHECK(mentions(wrong_with("clock: wall"), "`virtual` or `real`"));
  CHECK(mentions(wrong_with("name: [a]"), "`name` wants text, not a list"));
  CHECK(mentions(wrong_with("duration:"), "`duration` has no value"));
}

TEST_CASE("unknown keys get the nearest known one, or the place where they belong") {
  CHECK(mentions(wrong_with("sede: 3"), "4:1 unknown key `sede` | did you mean `seed`?"));
  CHECK(mentions(wrong_with("defaults: {host: {nic: {rx-bufer: 1KiB}}}"),
                 "did you mean `rx-buffer`?"));
  CHECK(mentions(wrong_with("defaults: {host: {vms: [a]}}"), "there is `nodes.<host>.vms`"));
  CHECK(mentions(wrong_with("zzz: 3"), "keys here are name, "));
}

TEST_CASE("flow control that cannot work is refused") {
  const auto with = [](const std::string& policy, const std::string& sw, const std::string& event) {
    return wrong("defaults: {flow-control: {nic-fabric: " + policy
                 + "}, pfc: {priorities: [0]}}\nnodes: {a: {kind: generator}, s: {kind: switch, " + sw
                 + "}, k: {kind: sink}}\nlinks: [a -- s, s -- k]\n"
                   "traffic: {t: {generate: {rate: 1Gbit}, from: a, to: k}}\n"
                 + event);
  };
  CHECK(mentions(with("pfc", "ecn: {min: 500KiB, max: 100KiB}", ""), "marks from 512000 B on"));
  CHECK(mentions(with("pfc", "buffer: 20KiB, shared-buffer: {}", ""),
                 "and reserves and head-rooms of"));
  CHECK(
      mentions(with("on_off", "shared-buffer: {}", ""), "shares its buffer, and the link a -- s"));
  CHECK(mentions(with("ib_credit", "buffer: 1MiB",
                      "events: [{at: 1ms, inject: pfc-pause, on: k, priority: 0, for: 1us}]\n"),
                 "the link has InfiniBand's credits"));
}

TEST_CASE("S-PFC needs to know what is lossless") {
  const std::string hosts =
      "nodes: {a: {kind: host, vms: [v]}, b: {kind: host, vms: [w]}}\n"
      "links: [a -- b]\n";
  CHECK(mentions(wrong_with("defaults: {flow-control: {vm-vswitch: s_pfc}}\n" + hosts),
                 "has s_pfc and no lossless priority"));
}

TEST_CASE("an elastic FIFO that cannot work is refused") {
  const auto with = [](const std::string& vswitch, const std::string& more = "") {
    return wrong(
        "duration: 1ms\nnodes: {a: {kind: host, vms: [v, w, x], vswitch: {kind: elastic-fifo, "
        + vswitch + "}" + more + "}, b: {kind: generator}}\nlinks: [a -- b]\n");
  };
  CHECK(mentions(with("indirect: {most: 2}"), "fewer indirect buffers (2) than VMs (3)"));
  CHECK(mentions(with("buffers: [{size: 1KiB}]"), "no buffer for a frame of 1518 B"));
  CHECK(mentions(with("buffers: [{size: 2KiB}, {size: 256B}]"), "not in the order of their sizes"));
  CHECK(
      mentions(with("buffers: [{size: 2KiB, least: 9, most: 8}]"), "`least` is above its `most`"));
  CHECK(mentions(with("on-exhausted: wait, receive-buffer: 0B"), "no receive buffer"));
  CHECK(mentions(with("look: 20ns"), "looks again before it can have an answer"));
  CHECK(mentions(with("step: 1", ", bridge: {overlay: vxlan}"), "knows no tunnels"));
  const std::string casts =
      "nodes: {a: {kind: host, vms: [v]}, b: {kind: generator}}\n"
      "links: [a -- b]\n"
      "traffic: {t: {generate: {rate: 1Gbit}, from: b, to: a/v, cast: ";
  CHECK(mentions(wrong(casts + "broadcast}}\n"), "wants VMs of one host with an elastic FIFO"));
}

TEST_CASE("virtual functions that cannot be are refused") {
  const auto with = [](const std::string& vms, const std::string& links) {
    return wrong("duration: 1ms\nnodes: {a: {kind: host, vms: " + vms
                 + ", vswitch: {kind: sr-iov}}, b: {kind: generator}, c: {kind: sink}}\n" + links);
  };
  CHECK(mentions(with("[v]", "links: [b -- c]\n"), "are of a NIC without a link"));
  CHECK(mentions(with("{v: {network: 1}, w: {network: 2}}", "links: [a -- b]\n"),
                 "know no virtual networks"));
}

TEST_CASE("what is not implemented yet is refused, never ignored") {
  for (const auto* text : {"defaults: {flow-control: {nic-fabric: credit_list}}",
                           "defaults: {flow-control: {vswitch: credit_list}}",
                           "expect: [{check: \"drops == 0\", between: [1ms, 2ms]}]",
                           "events: [{at: 1ms, link: a -- b, state: up}]"})
    CHECK_MESSAGE(mentions(wrong_with(text), "not implemented yet"), text);
  CHECK(mentions(wrong("nodes: {s: {kind: switch, classify: {otherwise: 1}}}"),
                 "`classify` is not implemented yet"));
}

TEST_CASE("duplicate keys are errors, wherever they are") {
  CHECK(mentions(wrong_with("name: a\nname: b"),
                 "5:1 `name` is given twice | the first is in line 4"));
  CHECK(mentions(wrong("nodes: {a: {kind: sink}, a: {kind: sink}}"), "1:26 `a` is given twice"));
}

TEST_CASE("all problems of a file are reported at once, in its order") {
  const auto list = wrong(
      "sede: 1\nduration: 5\nnodes:\n  a: {kind: swich}\n  b: {kind: sink, drian: 1bit}\n"
      "links: [a -- c]\n");
  REQUIRE(list.size() == 5);
  CHECK(list[0].substr(0, 4) == "1:1 ");
  CHECK(list[1].substr(0, 5) == "2:11 ");
  CHECK(mentions({list[2]}, "did you mean `switch`?"));
  CHECK(mentions({list[3]}, "did you mean `drain`?"));
  CHECK(mentions({list[4]}, "6:14 there is no node `c`"));
}

TEST_CASE("links that cannot be are refused") {
  const auto with_links = [](const std::string& links) {
    return wrong(
        "nodes: {a: {kind: host, vms: [v]}, b: {kind: host, vms: [w]}, s: {kind: switch}, g: "
        "{kind: generator}}\nlinks: "
        + links);
  };
  CHECK(mentions(with_links("[a -- x]"), "there is no node `x`"));
  CHECK(mentions(with_links("[a -- s, a -- b]"), "2:17 `a` has more than one link"));
  CHECK(mentions(with_links("[g -- s, g -- s]"), "`g` has more than one link"));
  CHECK(mentions(with_links("[a -- s:p1, b -- s:p1]"), "port `s:p1` is used twice"));
  CHECK(mentions(with_links("[s -- s]"), "`s` is linked to itself"));
  CHECK(mentions(with_links("[a:p1 -- s]"), "host `a` has no port `p1`"));
  CHECK(mentions(with_links("[a -- s:eth0]"), "ports are p1 to p65535"));
  CHECK(mentions(with_links("[a -- s:p0]"), "ports are p1 to p65535"));
  CHECK(mentions(with_links("[a - s]"), "`a - s` is no link"));
  CHECK(mentions(with_links("[{endpoints: [a, b, s]}]"), "two ends, not 3"));
  CHECK(mentions(with_links("[{rate: 1Gbit}]"), "`endpoints` is missing"));
}

TEST_CASE("traffic between things that cannot talk is refused") {
  const auto with_traffic = [](const std::string& t) {
    return wrong(
        "nodes:\n  a: {kind: host, vms: [v, w]}\n  b: {kind: host, vms: [x]}\n  s: {kind: "
        "switch}\n  g: {kind: generator}\n  k: {kind: sink}\nlinks: [a -- s, g -- s, k -- "
        "s]\ntraffic: {t: "
        + t + "}");
  };
  const std::string g = "{generate: {rate: 1Gbit}, ";
  CHECK(mentions(with_traffic(g + "from: a/v, to: b/x}"),
                 "no path leads from `a/v` to `b/x` | `b` has no link"));
  CHECK(mentions(with_traffic(g + "from: a/v, to: a/q}"), "host `a` has no VM `q`"));
  CHECK(mentions(with_traffic(g + "from: a, to: k}"), "did you mean `a/v`?"));
  CHECK(mentions(with_traffic(g + "from: s, to: k}"), "`s` is a switch, not an endpoint"));
  CHECK(mentions(with_traffic(g + "from: k, to: a/v}"), "`k` is a sink: it cannot send"));
  CHECK(mentions(with_traffic(g + "from: a/v, to: g}"), "`g` is a generator: it cannot receive"));
  CHECK(mentions(with_traffic(g + "from: a/v, to: a/v}"), "`a/v` sends to itself"));
  CHECK(mentions(with_traffic(g + "from: nobody, to: k}"), "there is no endpoint `nobody`"));
  CHECK(mentions(with_traffic(g + "from: a/v}"), "traffic `t` has no `to`"));
  CHECK(mentions(with_traffic("{from: a/v, to: k}"), "neither `replay` nor `generate`"));
  CHECK(mentions(with_traffic("{generate: {}, from: a/v, to: k}"), "neither `rate` nor `pps`"));
  CHECK(mentions(with_traffic("{generate: {rate: 1Gbit, pps: 1k}, from: a/v, to: k}"),
                 "`rate` and `pps` cannot both be given"));
  CHECK(mentions(with_traffic(g + "from: a/v, to: k, speed: 4x}"), "`speed` belongs to a replay"));
  CHECK(mentions(with_traffic("{generate: {rate: 1Gbit, size: 9000B}, from: a/v, to: k}"),
                 "frames of 9000 bytes do not fit the link of `a`"));
  CHECK(mentions(with_traffic(g + "from: a/v, to: k, start: 200ms}"),
                 "not before the end of the run"));
  CHECK(mentions(with_traffic(g + "from: a/v, to: k, start: 20ms, stop: 10ms}"),
                 "`stop` is not after"));
  CHECK(mentions(with_traffic(g + "from: a/v, to: k, priority: 8}"), "at most 7"));
}

TEST_CASE("addresses are checked and unique, however they are spelt") {
  const auto vms = [](const std::string& settings) {
    return wrong("nodes: {a: {kind: host, vms: {v: " + settings + "}}}");
  };
  CHECK(mentions(vms("{ip: 10.0.0}"), "no IPv4 or IPv6 address"));
  CHECK(mentions(vms("{mac: \"0:1:2:3:4:5\"}"), "no Ethernet address"));
  CHECK(mentions(vms("{mac: \"01:00:00:00:00:00\"}"), "group address"));
  CHECK(mentions(vms("{ip: \"fe80::1\"}, w: {ip: \"FE80:0::1\"}"), "is used twice"));
  CHECK(mentions(
      wrong("nodes: {a: {kind: host, vms: [v, w]}}\ntraffic: {t: {replay: x, map: {\"::1\": "
            "a/v, \"0::1\": a/w}}}"),
      "`0::1` is the same address as `::1`"));
}

TEST_CASE("a VM's sockets take its settings, and are checked") {
  const auto s = good(R"(
nodes:
  a: {kind: host, vms: [v]}
  b:
    kind: host
    vms:
      w:
        drain: 3Gbit
        socket-buffer: 100KiB
        filter: not port 53
        sockets: {redis: {port: 6379, buffer: 64KiB}, web: {port: 80, drain: 1Gbit}}
links: [a -- b]
traffic: {t: {generate: {rate: 1Gbit, port: 80}, from: a/v, to: b/w}}
events: [{at: 1ms, set: b/w.redis.drain, to: 0bit, for: 1ms}]
)");
  const auto& vm = std::get<sluice::host_settings>(s.nodes[1].as).vms.at(0);
  CHECK(vm.filter == "not port 53");
  REQUIRE(vm.sockets.size() == 2);
  CHECK(vm.sockets[0].name == "redis");
  CHECK(vm.sockets[0].port == 6379);
  CHECK(vm.sockets[0].buffer_bytes == 64 * 1024);
  CHECK(vm.sockets[0].drain_bps == 3'000'000'000);
  CHECK(vm.sockets[1].buffer_bytes == 100 * 1024);
  CHECK(vm.sockets[1].drain_bps == 1'000'000'000);
  CHECK(std::get<sluice::generate_settings>(s.traffic[0].what).port == 80);
  CHECK(s.events.at(0).target == "b/w.redis");

  const auto vms = [](const std::string& settings) {
    return wrong("nodes: {a: {kind: host, vms: {v: " + settings + "}}}");
  };
  CHECK(mentions(vms("{sockets: {x: {}}}"), "`port` is missing"));
  CHECK(mentions(vms("{sockets: {x: {port: 80}, y: {port: 80}}}"), "port 80 has a socket, `x`"));
  CHECK(mentions(vms("{sockets: {x: {port: 65536}}}"), "65535"));
  CHECK(mentions(vms("{filter: prot 53}"), "filter"));
}

TEST_CASE("events that cannot happen are refused") {
  const auto event = [](const std::string& e) { return wrong_with("events: [" + e + "]"); };
  CHECK(mentions(event("{at: 1ms, set: b/w.drane, to: 1bit}"), "did you mean `b/w.drain`?"));
  CHECK(mentions(event("{at: 1ms, set: b/w.drain}"), "`set` wants `to` beside it"));
  CHECK(mentions(event("{at: 1ms, link: a -- b}"), "`link` wants `state` beside it"));
  CHECK(mentions(event("{at: 1ms, link: a -- c, state: down}"), "there is no node `c`"));
  CHECK(mentions(event("{at: 1s, link: a -- b, state: down}"),
                 "not before the end of the run (100ms)"));
  CHECK(mentions(event("{at: 1ms, port: \"a.vswitch:x\", state: stopped}"),
                 "`a.vswitch:x` is no port of a virtual switch"));
  CHECK(mentions(event("{at: 1ms, port: \"a.vswitch:uplnk\", state: stopped}"),
                 "did you mean `a.vswitch:uplink`?"));
  CHECK(mentions(event("{at: 1ms, port: \"a.vswitch:v\", state: down}"), "a port is not down"));
  CHECK(mentions(event("{at: 1ms, link: a -- b, state: stopped}"), "a link is not stopped"));
  CHECK(mentions(event("{at: 1ms, port: \"a.vswitch:v\"}"), "`port` wants `state` beside it"));
  CHECK(mentions(event("{at: 1ms, port: \"a.vswitch:v\", state: stopped, to: 1bit}"),
                 "`to` means nothing beside `port`"));
  CHECK(mentions(event("{at: 1ms, link: a -- b, port: \"a.vswitch:v\", state: down}"),
                 "one of `set`, `link`, `port` and `inject`"));
  CHECK(mentions(event("{set: b/w.drain, to: 1bit}"), "`at` is missing"));
  CHECK(mentions(event("{at: 1ms}"), "says what to do"));
}

TEST_CASE("injected pauses name a port that exists, and what they hold") {
  const auto event = [](const std::string& e) { return wrong_with("events: [" + e + "]"); };
  CHECK(mentions(event("{at: 1ms, inject: pfc-pause, on: \"a:nic0\"}"),
                 "wants `priority` beside it"));
  CHECK(mentions(event("{at: 1ms, inject: pfc-pause, priority: 3}"),
                 "`inject` wants `on` beside it"));
  CHECK(mentions(event("{at: 1ms, inject: pause, priority: 3, on: a}"), "holds the whole link"));
  CHECK(mentions(event("{at: 1ms, inject: pause, on: \"a:nic7\"}"),
                 "`a:nic7` is no port of a link | did you mean `a:nic0`?"));
  CHECK(mentions(event("{at: 1ms, inject: pause, on: a, every: 1us}"), "wants `quanta` beside it"));
  CHECK(mentions(event("{at: 1ms, inject: pause, on: a, state: down}"),
                 "`state` means nothing beside `inject`"));
  CHECK(mentions(event("{at: 1ms, set: b/w.drain, to: 1bit, quanta: 3}"),
                 "`quanta` means nothing beside `set`"));
  const auto s = good(std::string{smallest}
                      + "events: [{at: 1ms, inject: pfc-pause, on: \"b:nic0\", priority: [1, 3], "
                        "quanta: 9, every: 2us, for: 1ms}, {at: 0ms, inject: pause, on: a}]\n");
  CHECK(s.events[0].inject.from_b);
  CHECK(s.events[0].inject.priorities == (1 << 1 | 1 << 3));
  CHECK_FALSE(s.events[0].inject.holds);
  CHECK(s.events[0].inject.quanta == 9);
  CHECK(s.events[0].inject.every == 2 * sluice::microsecond);
  CHECK(s.events[1].inject.whole_link);
  CHECK(s.events[1].inject.holds);
  CHECK_FALSE(s.events[1].inject.from_b);
}

TEST_CASE("PFC's settings have defaults, a node's own, and a lossless priority at least") {
  CHECK(mentions(wrong_with("defaults: {flow-control: {nic-fabric: pfc}}"),
                 "speaks pfc and has no lossless priority"));
  CHECK(mentions(wrong_with("defaults: {pfc: {xoff: 10KiB, xon: 10KiB}}"), "`xon` is not below"));
  CHECK(mentions(wrong_with("defaults: {flow-control: {guest: pfc}}"), "pfc"));
  const auto s = good(
      "defaults: {flow-control: {nic-fabric: pfc}, pfc: {priorities: [3, 4], xoff: 80KiB, refresh: "
      "9us}}\n"
      "nodes: {a: {kind: host, vms: [v], pfc: {headroom: 7KiB}}, b: {kind: host, vms: [w]}}\n"
      "links: [{endpoints: [a, b], flow-control: on_off}]\n");
  const auto& a = s.nodes[0].flow_control.pfc;
  CHECK(a.priorities == (1 << 3 | 1 << 4));
  CHECK(a.xoff == 80 * 1024);
  CHECK(a.headroom == 7 * 1024);
  CHECK(a.refresh == 9 * sluice::microsecond);
  CHECK_FALSE(s.nodes[1].flow_control.pfc.headroom);
  CHECK(s.nodes[1].flow_control.fabric == sluice::hop_policy::pfc);
  CHECK(s.links[0].flow_control == sluice::hop_policy::on_off);
}

TEST_CASE("a switch's routes go to neighbours, and lead nowhere in a circle") {
  const auto with_routes = [](const std::string& s1, const std::string& s2) {
    return "nodes: {s1: {kind: switch, routes: {" + s1 + "}}, s2: {kind: switch, routes: {" + s2
           + "}}, s3: {kind: switch}, g: {kind: generator}}\n"
             "links: [s1 -- s2, s2 -- s3, s3 -- s1, g -- s1]\n";
  };
  good(with_routes("s3: s2", ""));
  CHECK(mentions(wrong(with_routes("g: s2", "")), "`g` is no other switch"));
  CHECK(mentions(wrong(with_routes("s3: g", "")), "`s1` has no link to a switch `g`"));
  CHECK(mentions(wrong(with_routes("s3: s2", "s3: s1")),
                 "this route leads what is for `s3` in a circle"));
}

TEST_CASE("a set of aggregated ports leads to its partition, over links to one neighbour") {
  const auto with = [](const std::string& aggregation) {
    return "nodes:\n"
           "  sw: {kind: switch, aggregation: {"
           + aggregation
           + "}}\n"
             "  vios: {kind: switch}\n"
             "  mid1: {kind: switch}\n"
             "  mid2: {kind: switch}\n"
             "  far: {kind: switch}\n"
             "  h: {kind: host, vms: [v1, v2, v3]}\n"
             "  k: {kind: sink}\n"
             "  g: {kind: generator}\n"
             "links: [\"sw:p1 -- vios:p1\", \"sw:p2 -- vios:p2\", \"sw:p3 -- mid1\", \"sw:p4 -- "
             "mid2\", mid1 -- far, mid2 -- far, vios -- h, far -- k, \"sw:p5 -- g\"]\n";
  };
  const auto s =
      good(with("select: least-loaded, down-delay: 1ms, up-delay: 2ms, load-window: "
                "3ms, partitions: {\"h/v[1-2]\": [p1, p2], h/v3: p2}"));
  const auto& a = *std::get<sluice::switch_settings>(s.nodes[0].as).aggregation;
  CHECK(a.select == sluice::link_choice::least_loaded);
  CHECK(a.down_delay == sluice::millisecond);
  CHECK(a.up_delay == 2 * sluice::millisecond);
  CHECK(a.load_window == 3 * sluice::millisecond);
  REQUIRE(a.partitions.size() == 3);
  CHECK(a.partitions[1].endpoint == "h/v2");
  CHECK(a.partitions[1].ports == std::vector<std::string>{"p1", "p2"});
  CHECK(a.partitions[2].ports == std::vector<std::string>{"p2"});
  CHECK(std::get<sluice::switch_settings>(good(with("")).nodes[0].as).aggregation);
  CHECK_FALSE(std::get<sluice::switch_settings>(s.nodes[1].as).aggregation);

  const auto said = [&](const std::string& partitions, const std::string& what) {
    return mentions(wrong(with("partitions: {" + partitions + "}")), what);
  };
  CHECK(said("h/v1: [p1, p9]", "2:60 `sw` has no port `p9`"));
  CHECK(said("h/v1: [p1, p5]", "port `sw:p5` does not lead to `h/v1`"));
  CHECK(said("h/v1: [p3]", "those that do: p1, p2"));
  CHECK(said("h/v1: []", "`h/v1` has an empty set of ports"));
  CHECK(said("h/v1: [p1, p1]", "port `sw:p1` is in the set twice"));
  CHECK(said("k: [p3, p4]", "port `sw:p4` leads to `mid2`, and `sw:p3` to `mid1`"));
  CHECK(said("h/v9: p1", "host `h` has no VM `v9`"));
  CHECK(said("vios: p1", "`vios` is a switch, not an endpoint"));
  CHECK(said("h/v1: p1, \"h/v[1-2]\": p2", "`h/v1` has a set already"));
  CHECK(said("\"h/v[2-1]\": p2", "is no range of names"));
  CHECK(
      mentions(wrong("nodes: {a: {kind: switch, aggregation: {partitions: {\"h/v[1-4097]\": p1}}}, "
                     "h: {kind: host, vms: [\"v[1-4097]\"]}}\nlinks: [\"a:p1 -- h\"]\n"),
               "`a` has more than 4096 partitions"));
  CHECK(mentions(wrong(with("select: fastest")), "hash"));
  CHECK(mentions(wrong_with("defaults: {switch: {aggregation: {}}}"), "aggregation"));
}

TEST_CASE("classification is by fields that exist") {
  CHECK(mentions(wrong_with("defaults: {classify: {dscp: {64: 3}}}"), "`64` is no dscp"));
  CHECK(mentions(wrong_with("defaults: {classify: {trust: [vlan]}}"), "vlan"));
  const auto s = good(std::string{smallest}
                      + "defaults: {classify: {trust: [dscp], dscp: {26: 3}, otherwise: 1}}\n");
  REQUIRE(s.nodes[0].classify);
  CHECK(s.nodes[0].classify->priority_of(5, 26) == 3);
  CHECK(s.nodes[0].classify->priority_of(5, 27) == 1);
  CHECK_FALSE(s.traffic[0].classified);  // a generator has one priority
}

TEST_CASE("expectations know metrics and flows, and point into their line") {
  const load_options options{.known_metrics = [] {
    return std::vector<std::string>{"drops", "latency"};
  }};
  CHECK(mentions(wrong(std::string{smallest} + "expect:\n  - drps == 0\n", options),
                 "5:5 there is no metric `drps` | did you mean `drops`?"));
  CHECK(mentions(wrong(std::string{smallest} + "expect:\n  - drops{flow=x} == 0\n", options),
                 "5:16 there is no traffic entry `x`"));
  CHECK(mentions(wrong_with("expect:\n  - \"drops = 0\"\n"), "5:12 `=` is none of"));
}

TEST_CASE("an endless generator needs an end") {
  CHECK(mentions(wrong_with("until: traffic-done"), "traffic `t` never ends by itself"));
  CHECK(good(std::string{smallest} + "until: traffic-done\nduration: 1s").until_traffic_done);
}

TEST_CASE("--set changes any value, and its errors name it") {
  const load_options many{.set = {"b/w.drain=1Gbit", "links.0.rate=40Gbit", "t.generate.rate=30%",
                                  "seed=7", "a.nic.rx-buffer=1MiB", "defaults.flow-control=on_off",
                                  "defaults.flow-control.guest=none", "t.from=[a/v]"}};
  const auto s = good(smallest, many);
  CHECK(std::get<sluice::host_settings>(s.nodes[1].as).vms[0].drain_bps == 1'000'000'000);
  CHECK(s.links[0].rate_bps == 40'000'000'000);
  CHECK(std::get<sluice::generate_settings>(s.traffic[0].what).share_ppm == 300'000);
  CHECK(s.seed == 7);
  CHECK(std::get<sluice::host_settings>(s.nodes[0].as).nic.rx_buffer_bytes == 1024 * 1024);
  CHECK(s.nodes[0].flow_control.guest_tx == sluice::hop_policy::none);
  CHECK(s.nodes[0].flow_control.fabric == sluice::hop_policy::on_off);

  const auto r = load(smallest, {.set = {"b/w.drain=10ms"}});
  CHECK(sluice::render(r, false)
        == "--set b/w.drain=10ms: error: `10ms` is a duration, but `drain` wants a rate such as "
           "`10Gbit`\n"
           "      | b/w.drain=10ms\n"
           "      |           ^^^^\n");
  const auto set = [](const char* argument) { return wrong(smallest, {.set = {argument}}); };
  CHECK(mentions(set("b/x.drain=1bit"), "node `b` has no VM `x`"));
  CHECK(mentions(set("c/x.drain=1bit"), "there is no node `c`"));
  CHECK(mentions(set("drain=1bit"), "is no key, node or traffic entry"));
  CHECK(mentions(set("links.3.rate=1bit"), "its items are 0 to 0"));
  CHECK(mentions(set("links.99999999999999999999.rate=1bit"), "its items are 0 to 0"));
  CHECK(mentions(set("seed.x=1"), "`seed` wants a whole number, not a map"));
  CHECK(mentions(set("nodes.a.kind.x=1"), "is a single value"));
  CHECK(mentions(set("seed"), "an override is `path=value`"));
  CHECK(mentions(set("seed="), "wants a value"));
  CHECK(mentions(set("=1"), "an override is `path=value`"));
  CHECK(mentions(set("a..b=1"), "a name is missing"));
  CHECK(mentions(set("seed=[1"), "is not closed"));
  CHECK(mentions(set("b.nic.rx-bufer=1kB"), "did you mean `rx-buffer`?"));
}

TEST_CASE("a diagnostic shows the line and a caret under the value") {
  CHECK(sluice::render(load(std::string{smallest} + "defaults: {link: {rate: 10ms}}\n"), false)
        == "test.yaml:4:25: error: `10ms` is a duration, but `rate` wants a rate such as `10Gbit`\n"
           "    4 | defaults: {link: {rate: 10ms}}\n"
           "      |                         ^^^^\n");
  CHECK(sluice::render(load("größe: 1\nnodes: {k: {kind: sink}}"), false)
        == "test.yaml:1:1: error: unknown key `größe`\n"
           "    1 | größe: 1\n"
           "      | ^^^^^\n"
           "      = keys here are name, description, include, seed, clock, speed, duration, until, "
           "controller, defaults, nodes, links, traffic, events, taps, expect\n");
  const auto coloured = sluice::render(load("a: 1"), true);
  CHECK(coloured.find("\033[1;31merror") != std::string::npos);
}

TEST_CASE("columns count characters, not bytes") {
  CHECK(mentions(wrong("nodes: {k: {kind: sink}} # é\nname: {\"öäü\": 1, seed: }"),
                 "2:7 `name` wants text"));
  CHECK(mentions(wrong("description: {é: 1}\nnodes: {\"é\": {kind: sink}, b: {kind: snk}}"),
                 "2:38 there is no node kind `snk`"));
}

TEST_CASE("every scenario that we ship loads") {
  std::size_t n = 0;
  for (const auto& f :
       std::filesystem::directory_iterator{std::string{SLUICE_SOURCE_DIR} + "/scenarios"})
    if (f.path().extension() == ".yaml") {
      const auto r = sluice::load_scenario(f.path().string());
      CHECK_MESSAGE(r.value, sluice::render(r, false));
      ++n;
    }
  MESSAGE(n << " scenarios");
}

TEST_CASE("every whole scenario in the manual loads") {
  std::ifstream in{std::string{SLUICE_SOURCE_DIR} + "/docs/scenarios.md"};
  std::stringstream text;
  text << in.rdbuf();
  const auto page = text.str();
  std::size_t n = 0;
  constexpr std::string_view fence = "```yaml\n";
  for (auto at = page.find(fence); at != std::string::npos; at = page.find(fence, at + 1)) {
    const auto begin = at + fence.size();
    const auto block = page.substr(begin, page.find("```", begin) - begin);
    if (block.find("nodes:") == std::string::npos)
      continue;
    good(block, {.check_files = false});
    ++n;
  }
  CHECK(n == 5);
}

TEST_CASE("a range stands for many VMs, where they are and where traffic goes") {
  const auto s = good(
      "nodes:\n"
      "  a: {kind: host, vms: {\"v[08-11]\": {drain: 8Gbit}, w: {}}}\n"
      "  b: {kind: host, vms: [\"x[1-3]\", y]}\n"
      "links: [a -- b]\n"
      "traffic: {t: {generate: {rate: 1Gbit}, from: \"a/v[09-10]\", to: [\"b/x[2-3]\", b/y]}}\n");
  const auto& a = std::get<sluice::host_settings>(s.nodes[0].as);
  REQUIRE(a.vms.size() == 5);
  CHECK(a.vms[0].name == "v08");
  CHECK(a.vms[3].name == "v11");
  CHECK(a.vms[3].drain_bps == 8'000'000'000);
  CHECK(a.vms[4].drain_bps == 100'000'000'000);
  CHECK(s.traffic[0].from == std::vector<std::string>{"a/v09", "a/v10"});
  CHECK(s.traffic[0].to == std::vector<std::string>{"b/x2", "b/x3", "b/y"});
}

TEST_CASE("ranges that are none are refused, once each") {
  const auto vms = [](const std::string& list) {
    return wrong("nodes: {a: {kind: host, vms: [" + list
                 + "]}, b: {kind: host, vms: [w]}}\nlinks: [a -- b]\n"
                   "traffic: {t: {generate: {rate: 1Gbit}, from: b/w, to: a/v1}}\n");
  };
  CHECK(mentions(vms("v1, \"v[1-\""), "1:35 `v[1-` is no range of names | a range ends with `]`"));
  CHECK(mentions(vms("v1, \"u[x-2]\""), "a range is two numbers"));
  CHECK(mentions(vms("v1, \"u[3-2]\""), "`3` comes after `2`"));
  CHECK(mentions(vms("v1, \"u[1-2][1-2]\""), "at most one range"));
  CHECK(mentions(vms("v1, \"u[1-99999999]\""), "at most 32768 names"));
  CHECK(mentions(vms("v1, \"u[1-20000]\", \"t[1-20000]\""), "`a` has more than 32768 VMs"));
  CHECK(mentions(vms("\"v[1-3]\", v2"), "VM `v2` is given twice"));
  CHECK(mentions(vms("v1, \"u.[1-2]\""), "cannot be the name of a VM"));
  CHECK(
      mentions(wrong("nodes: {a: {kind: host, vms: {\"v[1-2]\": {ip: 10.0.0.1}}}, b: {kind: host, "
                     "vms: [w]}}\nlinks: [a -- b]\n"
                     "traffic: {t: {generate: {rate: 1Gbit}, from: b/w, to: a/v1}}\n"),
               "`v[1-2]` are several VMs, with one address"));
  const auto ends = wrong(
      "nodes: {a: {kind: host, vms: [v1]}, b: {kind: host, vms: [w]}}\nlinks: [a -- b]\n"
      "traffic: {t: {generate: {rate: 1Gbit}, from: b/w, to: \"a/v[1-4]\"}}\n");
  CHECK(ends.size() == 1);
  CHECK(mentions(ends, "host `a` has no VM `v2`"));
}

TEST_CASE("the ranges of a file are bounded in all") {
  std::string text = "nodes:\n";
  for (int h = 0; h < 30; ++h)
    text += "  h" + std::to_string(h) + ": {kind: host, vms: [\"v[1-20000]\"]}\n";
  const auto errors = wrong(text + "traffic: {}\n");
  CHECK(mentions(errors, "27:27 the ranges of this file stand for more than 500000 names"));
  CHECK(errors.size() <= 2);
}

TEST_CASE("a replay has one sender, and casts as captured need a router") {
  const std::string nodes =
      "nodes: {a: {kind: host, vms: [v]}, b: {kind: host, vms: [w, x]}}\nlinks: [a -- b]\n";
  CHECK(mentions(wrong(nodes + "traffic: {t: {replay: x.pcap, from: [b/w, b/x], to: a/v}}\n"),
                 "a replay has one sender"));
  CHECK(mentions(
      wrong(nodes + "traffic: {t: {replay: x.pcap, from: a/v, to: [b/w, b/x], cast: captured}}\n"),
      "`captured` wants VMs of one host with an elastic FIFO in `to`"));
  CHECK(mentions(
      wrong(nodes
            + "traffic: {t: {generate: {rate: 1Gbit}, from: a/v, to: b/w, cast: captured}}\n"),
      "only what is replayed was captured"));
}

TEST_CASE("VMs are not short of time so often that nobody could keep it") {
  const std::string text =
      "nodes: {a: {kind: host, vms: [\"v[1-1000]\"], vswitch: {shortage: {share: 5%, for: 1us}}}, "
      "b: {kind: host, vms: [w]}}\nlinks: [a -- b]\n"
      "traffic: {t: {generate: {rate: 1Gbit}, from: b/w, to: a/v1}}\nduration: ";
  CHECK(mentions(wrong(text + "1s\n"), "would be short of time 1000001000 times in this run"));
  (void)good(text + "1ms\n");
}

TEST_CASE("credit lists are between applications, with buffers that can be") {
  const std::string nodes =
      "nodes: {a: {kind: host, vms: [v]}, b: {kind: host, vms: {w: {}, x: {sockets: {s: {port: "
      "7}}}}}, "
      "k: {kind: sink}, s: {kind: switch}}\nlinks: [a -- s, b -- s, k -- s]\n";
  const auto with = [&](const std::string& to, const std::string& credits) {
    return nodes + "traffic: {t: {generate: {rate: 1Gbit, size: 64000B}, from: a/v, to: " + to
           + ", credits: {" + credits + "}}}\n";
  };
  const auto s =
      good(with("b/w", "when: timed, by: rdma, buffers: 9, smallest: 100B, limit: 1Gbit"));
  REQUIRE(s.traffic[0].credits);
  const auto& c = *s.traffic[0].credits;
  CHECK(c.when == sluice::credit_builder::trigger::timed);
  CHECK(c.by == sluice::credit_settings::way::rdma);
  CHECK(c.buffers == 9);
  CHECK(c.least == 100);
  CHECK(c.most == 1514);
  CHECK(c.limit_bps == 1'000'000'000);
  CHECK(c.regulated);
  CHECK_FALSE(good(with("b/w", "when: never")).traffic[0].credits->regulated);
  CHECK(good(with("b/w", "when: window")).traffic[0].credits->window_bytes == 65536);

  CHECK(mentions(wrong(with("k", "buffers: 9")), "`k` has no application with buffers"));
  CHECK(mentions(wrong(with("b/x", "buffers: 9")), "`b/x` has sockets by port, or a filter"));
  CHECK(mentions(wrong(with("b/w", "by: shared-memory")), "the two ends share no memory"));
  CHECK(mentions(wrong(with("b/w", "by: tcp-options, per-list: 10")),
                 "the options of a TCP segment hold 9 credits"));
  CHECK(mentions(wrong(with("b/w", "smallest: 2kB")), "`smallest` is above `buffer`"));
  CHECK(mentions(wrong(with("b/w", "window: 64KiB")), "credit lists have no window"));
  CHECK(mentions(wrong(with("b/w", "buffers: 0")), "out of range"));
  // A connection is from one VM to another, and each has its buffers.
  CHECK(mentions(wrong(with("b/w, cast: unknown", "buffers: 9")),
                 "a connection with credit lists is between two VMs"));
  CHECK(mentions(wrong(nodes
                       + "traffic: {t: {replay: none.pcap, map: {10.0.0.1: a/v, 10.0.0.2: b/w}, "
                         "credits: {buffers: 9}}}\n"),
                 "credit lists are between the VMs that `from` and `to` name"));
  const auto many = [&](const char* senders, const char* receivers, const char* buffers) {
    return "nodes: {a: {kind: host, vms: [\"v[1-5000]\"]}, b: {kind: host, vms: [\"w[1-5000]\"]}}\n"
           "links: [a -- b]\n"
           "traffic: {t: {generate: {rate: 1Mbit}, from: \"a/"
           + std::string{senders} + "\", to: \"b/" + receivers + "\", credits: {buffers: " + buffers
           + "}}}\n";
  };
  CHECK(mentions(wrong(many("v1", "w[1-5000]", "1")), "has 5000 connections with credit lists"));
  CHECK(mentions(wrong(many("v[1-4096]", "w1", "1025")), "more than 4194304 receive buffers"));
  (void)good(many("v[1-4096]", "w1", "1024"));
}

TEST_CASE("taps are on ports that there are") {
  const std::string text =
      "nodes: {a: {kind: host, vms: [v]}, b: {kind: host, vms: [w]}}\nlinks: [a -- b]\n"
      "traffic: {t: {generate: {rate: 1Gbit}, from: a/v, to: b/w}}\ntaps: ";
  const auto s = good(text + "{x: {on: a}, y: {on: b/w, direction: in, filter: udp, snap: 96B}}\n");
  REQUIRE(s.taps.size() == 2);
  CHECK(s.taps[0].on == "a:nic0");
  CHECK(s.taps[1].on == "b/w");
  CHECK(s.taps[1].direction == sluice::tap_settings::way::in);
  CHECK(s.taps[1].filter == "udp");
  CHECK(s.taps[1].snap_bytes == 96);
  CHECK(mentions(wrong(text + "{x: {on: c}}\n"), "`c` is no port of a link"));
  CHECK(mentions(wrong(text + "{x: {direction: in}}\n"), "`on`"));
  CHECK(mentions(wrong(text + "{x: {on: a, filter: \"tcp porrt\"}}\n"), "syntax error"));
  CHECK(mentions(wrong(text + "{\"../x\": {on: a}}\n"), "is no name for a file"));
}

TEST_CASE("--set adds to the end of a list, or begins one") {
  const std::string drain = "{at: 1ms, set: b/w.drain, to: 2Gbit}";
  load_options options;
  options.set = {"events.+=" + drain, "events.+={at: 2ms, link: a -- b, state: down, for: 1ms}"};
  for (const std::string begin : {"", "events:\n", "events: []\n"}) {
    const auto s = good(smallest + begin, options);
    REQUIRE(s.events.size() == 2);
    CHECK(s.events[0].bps == 2'000'000'000);
    CHECK(s.events[1].at == 2 * sluice::millisecond);
  }
  CHECK(good(smallest + ("events: [" + drain + "]\n"), options).events.size() == 3);
  // On a path's way, too: the rest of the path is in the new item.
  options.set = {"events.+.set=b/w.drain", "events.0.to=3Gbit", "events.0.at=1ms"};
  CHECK(good(smallest, options).events.at(0).bps == 3'000'000'000);
  options.set = {"nodes.b.vms.+=x"};
  CHECK(std::get<sluice::host_settings>(good(smallest, options).nodes[1].as).vms.size() == 2);

  const auto set = [](const std::string& argument) {
    load_options o;
    o.set = {argument};
    return wrong(smallest, o);
  };
  CHECK(mentions(set("nodes.+=x"), "`nodes` is no list, so nothing can be added to it"));
  CHECK(mentions(set("traffic.t.to.+=x"), "`to` is no list"));
  CHECK(mentions(set("events.+={at: 1ms}"), "an event says what to do"));
  CHECK(mentions(set("events.+="), "wants a value"));
  CHECK(mentions(set("+=x"), "is no key, node or traffic entry"));
}

TEST_CASE("mbufs have a pool that holds what is promised of it") {
  const auto text = [](const std::string& mbufs, const std::string& more = {}) {
    return "nodes: {a: {kind: host, vms: [v]}, b: {kind: host, vms: {w: {mbufs: " + mbufs
           + "}}}}\nlinks: [a -- b]\n"
             "traffic: {t: {generate: {rate: 1Gbit}, from: a/v, to: b/w"
           + more + "}}\n";
  };
  const auto of = [&](const std::string& mbufs) {
    const auto s = good(text(mbufs));
    return *std::get<sluice::host_settings>(s.nodes[1].as).vms[0].mbufs;
  };
  using limits = sluice::mbuf_pool::limits;
  const auto all =
      of("{pool: 4MiB, cluster: 4KiB, limits: fixed, limit: 1MiB, least: 64KiB, unhealthy: 20ms, "
         "healthy: 3ms, measure: 2ms, restore-after: 7}");
  CHECK(all.pool_bytes == 4 << 20);
  CHECK(all.cluster_bytes == 4096);
  CHECK(all.how == limits::fixed);
  CHECK(all.limit_bytes == 1 << 20);
  CHECK(all.least_bytes == 64 << 10);
  CHECK(all.unhealthy == 20 * sluice::millisecond);
  CHECK(all.healthy == 3 * sluice::millisecond);
  CHECK(all.measure == 2 * sluice::millisecond);
  CHECK(all.restore_after == 7);
  // What is not said follows from what is.
  const auto some = of("{pool: 1MiB, unhealthy: 6ms}");
  CHECK(some.how == limits::dynamic);
  CHECK(some.limit_bytes == 256 << 10);
  CHECK(some.least_bytes == 16 << 10);
  CHECK(some.healthy == 3 * sluice::millisecond);
  CHECK(of("{}").pool_bytes == sluice::mbuf_pool::config{}.pool_bytes);
  CHECK(of("{pool: 1MiB, limit: 2MiB, limits: none}").how == limits::none);

  CHECK(mentions(wrong(text("{pool: 1MiB, limit: 2MiB}")),
                 "a chain may hold 2097152 bytes, and the pool has 1048576"));
  CHECK(mentions(wrong(text("{limit: 64KiB, least: 65KiB}")),
                 "a limit of 65536 bytes cannot be lowered to 66560"));
  CHECK(mentions(wrong(text("{unhealthy: 1ms, healthy: 2ms}")),
                 "a chain would be healthy and unhealthy at once"));
  CHECK(mentions(wrong(text("{pool: 1KiB}")), "the pool has no mbuf"));
  CHECK(mentions(wrong(text("{limits: lots}")), "`lots`"));
  CHECK(mentions(wrong(text("{limmit: 1MiB}")), "limit"));
  CHECK(mentions(wrong(text("{restore-after: 0}")), "restore-after"));
  CHECK(mentions(wrong("defaults: {vm: {mbufs: {pool: 1MiB, limit: 2MiB}}}\n" + text("{}")),
                 "a chain may hold 2097152 bytes"));
  CHECK(mentions(wrong(text("{}", ", credits: {buffers: 9}")),
                 "`b/w` keeps what it receives in mbufs"));
}
