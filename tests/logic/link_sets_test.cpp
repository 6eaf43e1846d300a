// Selective link aggregation: what may be true of any sets, outages and packets.
#include "actors/logic/link_sets.hpp"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <map>
#include <tuple>

#include "actors/switching/forwarding_table.hpp"

using namespace sluice;

namespace {

link_sets sets_of(link_choice choice, std::vector<std::vector<std::uint16_t>> ports,
                  std::size_t all) {
  link_sets s;
  s.choice = choice;
  for (auto& p : ports) {
    s.set_of.push_back(static_cast<std::uint16_t>(s.sets.size()));
    s.sets.push_back({"p" + std::to_string(s.sets.size()), std::move(p)});
  }
  s.away.resize(all);
  return s;
}

packet packet_of(std::uint32_t from, std::uint32_t to, sim_time at, std::uint32_t bytes = 1000) {
  packet p;
  p.from = from;
  p.to = to;
  p.at = at;
  p.bytes = bytes;
  return p;
}

link_selector selector(link_sets s, std::size_t first = 0) {
  return link_selector{std::make_shared<const link_sets>(std::move(s)), first};
}

std::uint16_t choose(link_selector& x, const packet& p) {
  return x.choose(static_cast<std::uint16_t>(p.to), p, path_hash(p));
}

std::vector<outage> some_outages() {
  std::vector<outage> down;
  sim_time t = 0;
  for (auto n = *rc::gen::inRange(0, 4); n > 0; --n) {
    outage o;
    o.from = t + *rc::gen::inRange(1, 400);
    o.to = o.from + *rc::gen::inRange(1, 400);
    t = o.to;
    down.push_back(o);
  }
  if (!down.empty() && *rc::gen::inRange(0, 4) == 0)
    down.back().to = never;
  return down;
}

}  // namespace

TEST_CASE("a port is away from the delay after a loss of carrier to the delay after its return") {
  const auto is = [](const std::vector<outage>& a, std::vector<std::pair<sim_time, sim_time>> b) {
    REQUIRE(a.size() == b.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
      CHECK(a[i].from == b[i].first);
      CHECK(a[i].to == b[i].second);
    }
  };
  is(absences({{100, 200}}, 0, 0), {{100, 200}});
  is(absences({{100, 200}}, 30, 50), {{130, 250}});
  is(absences({{100, 200}}, 100, 50), {});                       // not noticed
  is(absences({{100, 200}, {240, 245}}, 30, 50), {{130, 295}});  // gone again before it was back
  is(absences({{100, 200}, {250, 260}}, 0, 50), {{100, 250}, {250, 310}});
  is(absences({{100, never}}, 30, 50), {{130, never}});
}

TEST_CASE("a later outage changes nothing of what was before it") {
  rc::check("absences up to a time depend on outages that began by then", [] {
    const auto down = some_outages();
    const sim_time down_delay = *rc::gen::inRange(0, 300), up_delay = *rc::gen::inRange(0, 300);
    link_sets with = sets_of(link_choice::hash, {{0}}, 1), without = with;
    with.away[0] = absences(down, down_delay, up_delay);
    const sim_time t = *rc::gen::inRange(0, 2500);
    auto known = down;
    std::erase_if(known, [&](const auto& o) { return o.from > t; });
    // Nor does it matter yet when the present one will end.
    if (!known.empty() && known.back().to > t)
      known.back().to = never;
    without.away[0] = absences(known, down_delay, up_delay);
    for (sim_time at = 0; at <= t; ++at)
      RC_ASSERT(with.is_away(0, at) == without.is_away(0, at));
  });
}

TEST_CASE("a partition never appears on a port outside its set, nor on one that is away") {
  rc::check("whatever the sets, the outages, the packets and the choice", [] {
    const auto ports = *rc::gen::inRange<std::uint16_t>(1, 6);
    std::vector<std::vector<std::uint16_t>> of;
    for (auto n = *rc::gen::inRange(1, 5); n > 0; --n) {
      auto& set = of.emplace_back();
      for (std::uint16_t p = 0; p < ports; ++p)
        if (*rc::gen::inRange(0, 2) == 0)
          set.push_back(p);
      if (set.empty())
        set.push_back(*rc::gen::inRange<std::uint16_t>(0, ports));
    }
    auto s = sets_of(static_cast<link_choice>(*rc::gen::inRange(0, 3)), of, ports);
    s.load_window = *rc::gen::inRange(1, 500);
    for (auto& away : s.away)
      away = absences(some_outages(), *rc::gen::inRange(0, 100), *rc::gen::inRange(0, 100));
    const auto shared = std::make_shared<const link_sets>(s);
    link_selector x{shared, static_cast<std::size_t>(*rc::gen::inRange(0, 40))};
    std::map<std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>, std::uint16_t> kept;
    sim_time at = 0;
    std::uint64_t packets = 0, moves = 0, lost = 0;
    for (auto n = *rc::gen::inRange(1, 200); n > 0; --n) {
      at += *rc::gen::inRange(0, 30);
      auto p = packet_of(*rc::gen::inRange(0u, 40u),
                         *rc::gen::inRange(0u, static_cast<std::uint32_t>(of.size())), at);
      p.flow = *rc::gen::inRange(0u, 2u);
      const auto& set = of[p.to];
      const auto port = choose(x, p);
      ++packets;
      RC_ASSERT(std::find(set.begin(), set.end(), port) != set.end());
      if (s.is_away(port, at)) {  // it will be thrown away there
        for (const auto any : set)
          RC_ASSERT(s.is_away(any, at));
        ++lost;
        continue;
      }
      // A flow stays where it is while that port is there.
      const auto [before, first] = kept.try_emplace({p.flow, p.from, p.to}, port);
      if (!first && before->second != port) {
        RC_ASSERT(s.is_away(before->second, at));
        ++moves;
      }
      before->second = port;
    }
    std::uint64_t counted = 0, counted_lost = 0, counted_moves = 0, flows = 0;
    for (std::size_t i = 0; i < of.size(); ++i) {
      for (const auto& sent : x.counted(i).sent)
        counted += sent.packets;
      counted_lost += x.counted(i).lost.packets;
      counted_moves += x.counted(i).moved;
      flows += x.counted(i).flows;
    }
    RC_ASSERT(counted + lost == packets);
    RC_ASSERT(counted_lost == lost);
    RC_ASSERT(counted_moves == moves);
    RC_ASSERT(flows == kept.size());
  });
}

TEST_CASE("round robin deals new flows out evenly, and each ingress port begins elsewhere") {
  for (std::size_t first = 0; first < 3; ++first) {
    auto x = selector(sets_of(link_choice::round_robin, {{4, 5, 6}}, 8), first);
    for (std::uint32_t f = 0; f < 30; ++f)
      CHECK(choose(x, packet_of(f, 0, f)) == 4 + (first + f) % 3);
    for (const auto& sent : x.counted(0).sent)
      CHECK(sent.packets == 10);
  }
}

TEST_CASE("least loaded gives a new flow to the port with the fewest bytes of late") {
  auto s = sets_of(link_choice::least_loaded, {{0, 1}, {1, 2}}, 3);
  s.load_window = 1000;
  auto x = selector(s);
  CHECK(choose(x, packet_of(1, 0, 0, 9000)) == 0);
  CHECK(choose(x, packet_of(2, 0, 1, 1000)) == 1);
  CHECK(choose(x, packet_of(3, 0, 2, 1000)) == 1);
  CHECK(choose(x, packet_of(4, 1, 3, 1000)) == 2);  // port 1 has what the other partition sent
  CHECK(choose(x, packet_of(5, 0, 4, 5000)) == 1);
  CHECK(choose(x, packet_of(6, 0, 5, 5000)) == 1);  // 7000 bytes; now it has 12000
  CHECK(choose(x, packet_of(7, 0, 6, 1000)) == 0);
  // Long after that they are equal again.
  CHECK(choose(x, packet_of(8, 0, 100'000, 1000)) == 0);
}

TEST_CASE("hash spreads thousands of flows, and moves only those of a port that leaves") {
  auto s = sets_of(link_choice::hash, {{0, 1, 2, 3}}, 4);
  s.away[2] = {{1000, 2000}};
  auto x = selector(s);
  std::vector<std::uint16_t> at(4000);
  for (std::uint32_t f = 0; f < at.size(); ++f)
    at[f] = choose(x, packet_of(f, 0, 0));
  for (const auto& sent : x.counted(0).sent)
    CHECK(sent.packets > 900);
  for (std::uint32_t f = 0; f < at.size(); ++f) {
    const auto now = choose(x, packet_of(f, 0, 1500));
    CHECK(now != 2);
    if (at[f] != 2)
      CHECK(now == at[f]);
    at[f] = now;
  }
  // It is back: who has moved stays, who is new may take it.
  for (std::uint32_t f = 0; f < at.size(); ++f)
    CHECK(choose(x, packet_of(f, 0, 2000)) == at[f]);
  const auto before = x.counted(0).sent[2].packets;
  for (std::uint32_t f = 10'000; f < 10'400; ++f)
    choose(x, packet_of(f, 0, 2001));
  CHECK(x.counted(0).sent[2].packets > before + 60);
}
