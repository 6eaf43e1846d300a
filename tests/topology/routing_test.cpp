#include "topology/routing.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <random>

namespace {

sluice::node made(std::string name, bool forwards) {
  sluice::node n;
  n.name = std::move(name);
  if (forwards)
    n.as = sluice::switch_settings{};
  else
    n.as = sluice::host_settings{};
  return n;
}

void connect(sluice::scenario& s, const std::string& a, const std::string& b) {
  sluice::link l;
  l.a.node = a;
  l.b.node = b;
  s.links.push_back(l);
}

std::vector<std::uint16_t> ports(const sluice::routes& r, std::size_t node, std::size_t to) {
  const auto p = r.next_ports(node, to);
  return {p.begin(), p.end()};
}

using list = std::vector<std::uint16_t>;

/// Two leaves with two hosts each, two spines; nodes 0 to 3 are hosts, 4 and 5 leaves, 6 and 7
/// spines.
sluice::scenario leaf_spine() {
  sluice::scenario s;
  for (const auto* h : {"h0", "h1", "h2", "h3"})
    s.nodes.push_back(made(h, false));
  for (const auto* w : {"l0", "l1", "s0", "s1"})
    s.nodes.push_back(made(w, true));
  connect(s, "h0", "l0");
  connect(s, "l0", "h1");
  connect(s, "h2", "l1");
  connect(s, "h3", "l1");
  connect(s, "l0", "s0");
  connect(s, "s1", "l0");
  connect(s, "l1", "s0");
  connect(s, "l1", "s1");
  return s;
}

}  // namespace

TEST_CASE("ports are numbered in the order of the links, from both ends") {
  const sluice::routes r{leaf_spine()};
  REQUIRE(r.ports(4).size() == 4);
  CHECK(r.ports(4)[1].peer == 1);
  CHECK(r.ports(4)[1].at_a);
  CHECK(r.ports(4)[3].peer == 7);
  CHECK(r.ports(4)[3].peer_port == 0);
  CHECK_FALSE(r.ports(4)[3].at_a);
  CHECK(r.ports(7)[0].peer == 4);
  CHECK(r.ports(7)[0].peer_port == 3);
}

TEST_CASE("all equally short paths are offered, in ascending order") {
  const sluice::routes r{leaf_spine()};
  CHECK(ports(r, 4, 2) == list{2, 3});
  CHECK(ports(r, 6, 2) == list{1});
  CHECK(ports(r, 5, 2) == list{0});
  CHECK(ports(r, 5, 3) == list{1});
  CHECK(ports(r, 0, 3) == list{0});
  CHECK(ports(r, 4, 5) == list{2, 3});
  CHECK(r.distance(0, 3) == 4);
  CHECK(r.distance(0, 1) == 2);
  CHECK(r.distance(4, 2) == 3);
}

TEST_CASE("nothing leads to oneself, and nothing where no path is") {
  auto s = leaf_spine();
  s.nodes.push_back(made("alone", false));
  s.nodes.push_back(made("island", true));
  const sluice::routes r{s};
  CHECK(ports(r, 4, 4).empty());
  CHECK(ports(r, 0, 0).empty());
  CHECK(ports(r, 0, 8).empty());
  CHECK(ports(r, 8, 0).empty());
  CHECK(ports(r, 4, 9).empty());
  CHECK(r.distance(0, 8) == sluice::routes::unreachable);
  CHECK(r.distance(9, 4) == sluice::routes::unreachable);
  CHECK(r.distance(8, 8) == 0);
}

TEST_CASE("two hosts may be linked with no switch") {
  sluice::scenario s;
  for (const auto* h : {"a", "b", "c"})
    s.nodes.push_back(made(h, false));
  connect(s, "a", "b");
  const sluice::routes r{s};
  CHECK(ports(r, 0, 1) == list{0});
  CHECK(ports(r, 1, 0) == list{0});
  CHECK(r.distance(0, 1) == 1);
  CHECK(ports(r, 0, 2).empty());
}

TEST_CASE("parallel links are equal paths") {
  sluice::scenario s;
  s.nodes = {made("a", false), made("x", true), made("y", true), made("b", false)};
  connect(s, "a", "x");
  connect(s, "x", "y");
  connect(s, "y", "x");
  connect(s, "y", "b");
  const sluice::routes r{s};
  CHECK(ports(r, 1, 3) == list{1, 2});
  CHECK(ports(r, 2, 0) == list{0, 1});
}

TEST_CASE("every offered port is one step nearer, in any graph") {
  std::mt19937 random{7};
  for (int round = 0; round < 50; ++round) {
    sluice::scenario s;
    const auto switches = 1 + random() % 12;
    for (std::size_t i = 0; i < switches; ++i)
      s.nodes.push_back(made("s" + std::to_string(i), true));
    for (std::size_t i = 0; i < random() % 20 && switches > 1; ++i) {
      const auto a = random() % switches, b = random() % switches;
      if (a != b)
        connect(s, s.nodes[a].name, s.nodes[b].name);
    }
    for (std::size_t i = 0; i < 6; ++i) {
      const auto at = random() % switches;
      s.nodes.push_back(made("h" + std::to_string(i), false));
      connect(s, s.nodes.back().name, s.nodes[at].name);
    }
    const sluice::routes r{s};
    for (std::size_t from = 0; from < r.nodes(); ++from)
      for (std::size_t to = 0; to < r.nodes(); ++to) {
        const auto d = r.distance(from, to);
        CHECK(d == r.distance(to, from));
        CHECK(ports(r, from, to).empty() == (d == 0 || d == sluice::routes::unreachable));
        for (const auto p : r.next_ports(from, to))
          CHECK(r.distance(r.ports(from)[p].peer, to) + 1 == d);
      }
  }
}

TEST_CASE("1,024 hosts in a leaf-spine are routed in well under a second") {
  sluice::scenario s;
  for (int i = 0; i < 32; ++i)
    s.nodes.push_back(made("l" + std::to_string(i), true));
  for (int i = 0; i < 32; ++i)
    s.nodes.push_back(made("s" + std::to_string(i), true));
  for (int l = 0; l < 32; ++l)
    for (int p = 0; p < 32; ++p)
      connect(s, "l" + std::to_string(l), "s" + std::to_string(p));
  for (int i = 0; i < 1024; ++i) {
    s.nodes.push_back(made("h" + std::to_string(i), false));
    connect(s, "h" + std::to_string(i), "l" + std::to_string(i / 32));
  }
  const auto begin = std::chrono::steady_clock::now();
  const sluice::routes r{s};
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds{2});
  CHECK(r.next_ports(0, 64 + 1023).size() == 32);
}
