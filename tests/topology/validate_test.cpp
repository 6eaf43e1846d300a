#include "topology/validate.hpp"

#include <doctest/doctest.h>

#include "scenarios/loader.hpp"
#include "topology/graph.hpp"

#include <nlohmann/json.hpp>

namespace {

sluice::scenario load(const std::string& text) {
  auto r = sluice::load_scenario_text(text, "v.yaml", {});
  REQUIRE_MESSAGE(r.value, sluice::render(r, false));
  return std::move(*r.value);
}

std::string warnings(const std::string& text) {
  std::string out;
  for (const auto& d : sluice::validate(load(text))) {
    CHECK(d.level == sluice::diagnostic::severity::warning);
    CHECK(d.where.line > 0);
    out += d.message + "\n";
  }
  return out;
}

bool has(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}

/// Four switches in a ring with a host each; traffic goes two hops, all the same way round.
std::string ring(const std::string& flow_control) {
  std::string text = "defaults: {flow-control: " + flow_control + "}\nnodes:\n";
  for (const auto* i : {"1", "2", "3", "4"})
    text += "  s" + std::string{i} + ": {kind: switch}\n  h" + i + ": {kind: host, vms: [v]}\n";
  text +=
      "links: [h1 -- s1, h2 -- s2, h3 -- s3, h4 -- s4, s1 -- s2, s2 -- s3, s3 -- s4, s4 -- s1]\n";
  text += "traffic:\n";
  for (const auto* pair : {"1 3", "2 4", "3 1", "4 2"})
    text += std::string{"  t"} + pair[0] + ": {generate: {rate: 1Gbit}, from: h" + pair[0]
            + "/v, to: h" + pair[2] + "/v}\n";
  return text;
}

}  // namespace

TEST_CASE("head-room is what is in flight both ways, and three frames") {
  // 100 Gbit/s over 1 us: 12,500 bytes each way.
  CHECK(sluice::headroom_bytes(100'000'000'000, sluice::microsecond, 1518) == 25'000 + 3 * 1518);
  CHECK(sluice::headroom_bytes(100'000'000'000'000, 60 * sluice::second, 1518) > 0);
}

TEST_CASE("the defaults need no warning") {
  const std::string text =
      "nodes: {a: {kind: host, vms: [v]}, s: {kind: switch}, b: {kind: host, vms: [w]}}\n"
      "links: [a -- s, b -- s]\ntraffic: {t: {generate: {rate: 1Gbit}, from: a/v, to: b/w}}\n";
  CHECK(warnings(text).empty());
  CHECK(warnings("defaults: {flow-control: on_off}\n" + text).empty());
}

TEST_CASE("a stop without head-room is warned of, where it was written") {
  const auto s = load(
      "nodes: {a: {kind: generator, flow-control: on_off}, s: {kind: switch, port-queue: 100KiB, "
      "flow-control: on_off,\n"
      "  on-off: {stop: 99KiB}}, b: {kind: sink}}\nlinks: [a -- s, b -- s]\n");
  const auto list = sluice::validate(s);
  REQUIRE(list.size() == 1);
  CHECK(list[0].where.line == 2);
  CHECK(list[0].where.column == 18);
  CHECK(has(list[0].message, "port-queue of `s:p1` has 1024 B of head-room above `stop`"));
  // 25 Gbit/s over 501 ns both ways, and three frames.
  CHECK(list[0].hint
        == "`stop` of at most " + std::to_string(100 * 1024 - 3131 - 3 * 1518) + "B loses nothing");
}

TEST_CASE("buffers too small for their line are warned of") {
  CHECK(has(warnings("nodes: {a: {kind: generator, flow-control: on_off}, s: {kind: switch, "
                     "port-queue: 16KiB, flow-control: "
                     "on_off}}\nlinks: [{endpoints: a -- s, delay: 100us}]\n"),
            "holds 16.0 KiB, and 614.8 KiB may still arrive after it says stop"));
  CHECK(has(
      warnings("nodes: {a: {kind: generator}, s: {kind: switch, port-queue: 1000B}}\nlinks: [a -- "
               "s]\n"),
      "less than one frame of 1518"));
  CHECK(has(warnings("nodes: {a: {kind: generator, flow-control: on_off}, k: {kind: sink, buffer: "
                     "64KiB, flow-control: on_off, "
                     "on-off: {stop: 1MiB}}}\nlinks: [a -- k]\n"),
            "full before it says stop"));
}

TEST_CASE("PFC without enough head-room, or with a late refresh, is warned of") {
  const auto with_pfc = [](const std::string& pfc) {
    return warnings("defaults: {flow-control: {nic-fabric: pfc}, link: {rate: 10Gbit}, pfc: "
                    "{priorities: [3]"
                    + pfc
                    + "}}\nnodes: {a: {kind: generator}, s: {kind: switch}, b: {kind: sink}}\n"
                      "links: [a -- s, b -- s]\n");
  };
  CHECK(with_pfc("").empty());
  // 2 x 501 ns, 84 bytes, 67 quanta, and three frames of 1518: see pfc_headroom.hpp.
  CHECK(has(with_pfc(", headroom: 5KiB"), "has 5120 B of head-room above `xoff` for a priority"));
  CHECK(has(with_pfc(", headroom: 5KiB"), "and 10187 B may still arrive"));
  CHECK(with_pfc(", headroom: 10187B").empty());
  CHECK(has(with_pfc(", quanta: 100, refresh: 5us"), "repeats a pause later than it lasts"));
  CHECK(has(warnings("defaults: {flow-control: {nic-fabric: pfc}, pfc: {priorities: [3]}}\n"
                     "nodes: {a: {kind: generator, flow-control: on_off}, s: {kind: switch}}\n"
                     "links: [a -- s]\n"),
            "has another flow control at each end"));
  CHECK(has(warnings("defaults: {flow-control: {nic-fabric: pfc}, pfc: {priorities: [3]}}\n"
                     "nodes: {a: {kind: generator, pfc: {priorities: [4]}}, s: {kind: switch}}\n"
                     "links: [a -- s]\n"),
            "other lossless priorities than its peer"));
}

TEST_CASE("equal queues of many nodes make one warning") {
  std::string text = "nodes:\n  s: {kind: switch}\n", links = "links: [";
  for (int i = 0; i < 20; ++i) {
    text += "  k" + std::to_string(i) + ": {kind: sink, buffer: 100B}\n";
    links += (i == 0 ? "s -- k" : ", s -- k") + std::to_string(i);
  }
  const auto list = sluice::validate(load(text + links + "]\n"));
  REQUIRE(list.size() == 1);
  CHECK(has(list[0].message, "buffer of `k0` (and of 19 others)"));
}

TEST_CASE("a circle of lossless links is found and named") {
  const auto out = warnings(ring("on_off"));
  CHECK(has(out, "wait for each other in a circle"));
  CHECK(has(out, "s1:p2 -> s2:p2"));
  CHECK(has(out, "s4:p3 -> s1:p3"));
}

TEST_CASE("with PFC, or credits, a circle has to close within one priority") {
  const auto with = [](int last, const std::string& policy = "pfc") {
    return warnings(
        "defaults: {flow-control: {nic-fabric: " + policy + "}, pfc: {priorities: [3, 4]}}\n"
        "nodes: {s1: {kind: switch, routes: {s3: s2}}, s2: {kind: switch, routes: {s1: s3}},\n"
        "  s3: {kind: switch, routes: {s2: s1}}, g1: {kind: generator}, g2: {kind: generator},\n"
        "  g3: {kind: generator}, k1: {kind: sink}, k2: {kind: sink}, k3: {kind: sink}}\n"
        "links: [g1 -- s1, g2 -- s2, g3 -- s3, k1 -- s1, k2 -- s2, k3 -- s3, s1 -- s2, s2 -- s3, "
        "s3 -- s1]\n"
        "traffic:\n"
        "  a: {generate: {rate: 1Gbit}, from: g1, to: k3, priority: 3}\n"
        "  b: {generate: {rate: 1Gbit}, from: g2, to: k1, priority: 3}\n"
        "  c: {generate: {rate: 1Gbit}, from: g3, to: k2, priority: "
        + std::to_string(last) + "}\n");
  };
  CHECK(has(with(3), "wait for each other in a circle: s1:p3 -> s2:p3"));
  CHECK_FALSE(has(with(4), "circle"));
  CHECK(has(with(3, "ib_credit"), "wait for each other in a circle: s1:p3 -> s2:p3"));
  CHECK_FALSE(has(with(4, "ib_credit"), "circle"));
}

TEST_CASE("credits that cannot fill the line are warned of") {
  const auto with = [](const std::string& credits) {
    return warnings("defaults: {flow-control: {nic-fabric: ib_credit}, ib: {credits: " + credits
                    + "}}\nnodes: {a: {kind: generator}, s: {kind: switch}, k: {kind: sink}}\n"
                      "links: [a -- s, s -- k]\n"
                      "traffic: {t: {generate: {rate: 1Gbit}, from: a, to: k}}\n");
  };
  CHECK(has(with("2KiB"), "gives a lane credits for 2048 B, and "));
  CHECK(with("64KiB").empty());
}

TEST_CASE("a circle in which anybody may drop is none") {
  CHECK(warnings(ring("none")).empty());
  auto open = ring("on_off");
  open.replace(open.find("s3: {kind: switch}"), 18, "s3: {kind: switch, flow-control: none}");
  open.replace(open.find("s1: {kind: switch}"), 18, "s1: {kind: switch, flow-control: none}");
  CHECK_FALSE(has(warnings(open), "circle"));
}

TEST_CASE("a leaf-spine has no circle, a ring without traffic neither") {
  auto quiet = ring("on_off");
  quiet.resize(quiet.find("traffic:"));
  CHECK(warnings(quiet).empty());
  std::string text = "defaults: {flow-control: on_off}\nnodes:\n";
  std::string links = "links: [l0 -- s0", from;
  for (const auto* n : {"l0", "l1", "l2", "s0", "s1"})
    text += std::string{"  "} + n + ": {kind: switch, buffer: 16MiB}\n";
  for (const auto* pair : {"l0 -- s1", "l1 -- s0", "l1 -- s1", "l2 -- s0", "l2 -- s1"})
    links += std::string{", "} + pair;
  for (int i = 0; i < 6; ++i) {
    const auto h = "h" + std::to_string(i);
    text += "  " + h + ": {kind: host, vms: [v]}\n";
    links += ", " + h + " -- l" + std::to_string(i / 2);
    from += (i == 0 ? "" : ", ") + h + "/v";
  }
  CHECK(warnings(text + links + "]\ntraffic: {t: {generate: {rate: 1Gbit}, from: [" + from
                 + "], to: [" + from + "]}}\n")
            .empty());
}

TEST_CASE("a graph names every node, VM, rate and delay in every format") {
  auto text = ring("none");
  text.replace(text.find("h1: {kind: host, vms: [v]}"), 26,
               "h1: {kind: host, vms: {v: {ip: 10.1.2.3}}}");
  const auto s = load(text);
  for (const auto* name : {"svg", "dot", "mermaid", "json"}) {
    const auto format = sluice::parse_graph_format(name);
    REQUIRE(format);
    const auto out = sluice::graph(s, *format);
    for (const auto* part : {"h1", "h4", "s3", "10.1.2.3"})
      CHECK_MESSAGE(has(out, part), name);
    if (*format != sluice::graph_format::json)
      CHECK_MESSAGE(has(out, "25Gbit, 500ns"), name);
  }
  CHECK_FALSE(sluice::parse_graph_format("png"));
  const auto json = nlohmann::json::parse(sluice::graph(s, sluice::graph_format::json));
  CHECK(json["nodes"].size() == 8);
  CHECK(json["links"][4]["a"] == "s1:p2");
  CHECK(json["links"][4]["rate_bps"] == 25'000'000'000);
}

TEST_CASE("an SVG escapes what a name may hold, and has a picture for any graph") {
  auto s = load("name: \"<a> & \\\"b\\\"\"\nnodes: {k: {kind: sink}}\n");
  const auto out = sluice::graph(s, sluice::graph_format::svg);
  CHECK(has(out, "&lt;a&gt; &amp; &quot;b&quot;"));
  CHECK_FALSE(has(out, "<a>"));
  for (const auto* text :
       {"nodes: {s: {kind: switch}, t: {kind: switch}}\nlinks: [s -- t, s -- t, s -- t]",
        "nodes: {a: {kind: host}, b: {kind: host}}\nlinks: [a -- b]"})
    CHECK(has(sluice::graph(load(text), sluice::graph_format::svg), "</svg>"));
}
