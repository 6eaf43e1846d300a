// InfiniBand's credits on links: what they let through against the formula of a credit loop, that
// nobody ever finds no room, lane 15, credits that a cable loses, and a circle that waits for ever.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>

#include "actors/logic/ib_credits.hpp"
#include "tests/support/small_network.hpp"

using namespace sluice;
using namespace sluice::testing;

namespace {

/// A generator and a sink on one cable.
scenario loop(const ib_settings& ib, sim_time cable, std::uint64_t drain_bps = 400'000'000'000) {
  scenario s;
  s.name = "credit-loop";
  s.duration = 4 * millisecond;
  auto fc = everywhere(hop_policy::ib_credit);
  fc.ib = ib;
  sink_settings k;
  k.drain_bps = drain_bps;
  s.nodes = {make_node("g", generator_settings{}, fc), make_node("k", k, fc)};
  s.links = {make_link("g", "p", "k", "p", 25'000'000'000, cable)};
  s.traffic = {stream("t", "g", "k", 0, 1024)};
  return s;
}

}  // namespace

TEST_CASE("an InfiniBand credit loop passes what its credits and its round trip allow") {
  int below = 0, above = 0;
  for (const sim_time cable : {1 * microsecond, 2 * microsecond, 5 * microsecond})
    for (const std::int64_t window : {2, 3, 5, 8, 13, 21, 34, 55, 89}) {
      ib_settings ib;
      ib.credits = window * 1024;
      ib.update = 10 * nanosecond;
      const auto s = loop(ib, cable);
      const auto r = run(s, {});
      CHECK(r.violations.empty());
      CHECK(r.dropped.packets == 0);
      const line_rate rate{25'000'000'000};
      const auto service = rate.time_of(1024 + ethernet_overhead_bytes);
      // Packets that come may be larger than these: a lane has room for the largest frame.
      const auto frames = std::max<std::int64_t>(window, (1518 + 1023) / 1024);
      const auto round_trip = service + 2 * cable + rate.time_of(8) + *ib.update / 2 + nanosecond;
      const auto between = std::max(service, round_trip / frames);
      const auto expected = static_cast<double>(s.duration - cable) / static_cast<double>(between);
      CAPTURE(cable);
      CAPTURE(window);
      CHECK(static_cast<double>(r.delivered.packets) == doctest::Approx(expected).epsilon(0.01));
      (round_trip / frames > service ? below : above) += 1;
    }
  CHECK(below > 8);  // the sweep has to have both sides of the knee
  CHECK(above > 8);
}

TEST_CASE("a slow reader behind credits loses nothing and is never given more than it granted") {
  for (const std::int64_t credits : {2048, 10'000, 65'536}) {
    ib_settings ib;
    ib.credits = credits;
    ib.update = 1 * microsecond;
    const auto r = run(loop(ib, 700 * nanosecond, 3'000'000'000), {});
    CAPTURE(credits);
    CHECK(r.dropped.packets == 0);
    CHECK(static_cast<std::uint64_t>(counters_of(r, "k").max_bytes)
          <= static_cast<std::uint64_t>(credits));
    CHECK(static_cast<std::uint64_t>(counters_of(r, "k").max_bytes)
          > static_cast<std::uint64_t>(credits) / 2);
    CHECK(static_cast<double>(r.delivered.bytes) * 8 == doctest::Approx(3e9 * 0.004).epsilon(0.02));
    REQUIRE(r.pause_frames.size() == 1);
    const auto& p = r.pause_frames[0];
    CHECK(p.credits);
    CHECK(p.from == "k");
    CHECK(p.to == "g");
    // The reader frees a frame each 2.7 us, and each is told of at the next look.
    CHECK(p.sent.priorities[0].frames == doctest::Approx(4000 / 2.73).epsilon(0.02));
    CHECK(p.had.priorities[0].transitions > 1000);
    CHECK(p.had.priorities[0].time > 3 * millisecond);
  }
}

TEST_CASE("lane 15 has no credits: what finds no room is lost, and nothing else is") {
  ib_settings ib;
  ib.management = 7;
  auto s = loop(ib, 500 * nanosecond, 5'000'000'000);
  s.nodes.push_back(make_node("g2", generator_settings{}, s.nodes[0].flow_control));
  switch_settings w;
  s.nodes.push_back(make_node("s", w, s.nodes[0].flow_control));
  s.links = {make_link("g", "p", "s", "1", 25'000'000'000, 500 * nanosecond),
             make_link("g2", "p", "s", "2", 25'000'000'000, 500 * nanosecond),
             make_link("s", "3", "k", "p", 25'000'000'000, 500 * nanosecond)};
  s.traffic = {stream("data", "g", "k", 2, 1024), stream("management", "g2", "k", 7, 256, 400'000)};
  const auto r = run(s, {});
  CHECK(r.violations.empty());
  CHECK(r.flows[0].dropped.packets == 0);
  CHECK(r.flows[0].delivered.packets > 100);
  CHECK(r.flows[1].dropped.packets > 100);
}

TEST_CASE("credits that a cable has lost come back by the sender's flow packets") {
  ib_settings ib;
  ib.credits = 8 * 1024;
  auto s = loop(ib, 1 * microsecond);
  // Eight frames on the cable are all the credits there are; flow packets are cut, too.
  for (int i = 0; i < 20; ++i) {
    timed_event e;
    e.what = timed_event::kind::link_down;
    e.at = (100 + 137 * i) * microsecond;
    e.duration = (1 + i) * microsecond;
    s.events.push_back(e);
  }
  std::string expected;
  for (const unsigned threads : {1u, 2u}) {
    run_options o;
    o.threads = threads;
    const auto r = run(s, o);
    CHECK(r.violations.empty());
    CHECK(r.dropped.packets > 20);
    REQUIRE(r.pause_frames.size() == 1);
    CHECK(r.pause_frames[0].sent.lost > 5);
    // All of it is back: the loop gives what it gives without cuts, in the time that it has.
    auto whole = s;
    whole.events.clear();
    const auto undisturbed = static_cast<double>(run(whole, o).delivered.packets);
    // 20 cuts of 11 us on average, and up to 21 us and a round trip each until FCTBS has gone.
    const auto down = 20 * (11.0 + 25.0) / 4000;
    CHECK(static_cast<double>(r.delivered.packets) > undisturbed * (1 - down));
    if (expected.empty())
      expected = digest(r);
    CHECK(difference(digest(r), expected) == "");
  }
}

TEST_CASE("a circle of credits that waits for ever is found, and named") {
  scenario s;
  s.name = "circle";
  s.duration = 20 * millisecond;
  auto fc = everywhere(hop_policy::ib_credit);
  for (int i = 1; i <= 3; ++i) {
    switch_settings w;
    w.port_queue_bytes = 64 * 1024;
    const auto next = i % 3 + 1, over = next % 3 + 1;
    w.routes = {{fmt::format("s{}", over), fmt::format("s{}", next), {}}};
    s.nodes.push_back(make_node(fmt::format("s{}", i), w, fc));
    s.nodes.push_back(make_node(fmt::format("g{}", i), generator_settings{}, fc));
    s.nodes.push_back(make_node(fmt::format("k{}", i), sink_settings{}, fc));
    const auto link = [&](const std::string& a, const std::string& b, const char* port) {
      s.links.push_back(make_link(a, "p", b, port, 10'000'000'000, 500 * nanosecond));
    };
    link(fmt::format("g{}", i), fmt::format("s{}", i), "1");
    link(fmt::format("k{}", i), fmt::format("s{}", i), "2");
    s.links.push_back(make_link(fmt::format("s{}", i), "3", fmt::format("s{}", next), "4",
                                10'000'000'000, 500 * nanosecond));
    s.traffic.push_back(
        stream(fmt::format("t{}", i), fmt::format("g{}", i), fmt::format("k{}", over), 3, 1000));
  }
  std::string expected;
  for (const unsigned threads : {1u, 2u}) {
    run_options o;
    o.threads = threads;
    const auto r = run(s, o);
    CHECK(r.dropped.packets == 0);
    REQUIRE(r.deadlock.has_value());
    CHECK(r.deadlock->links.size() == 3);
    CHECK(r.virtual_time < s.duration);
    const auto text = digest(r) + fmt::format("{}", r.deadlock->since);
    if (expected.empty())
      expected = text;
    CHECK(text == expected);
  }
  // With two lanes nobody waits for himself.
  s.traffic[0].priority = 4;
  const auto r = run(s, {});
  CHECK_FALSE(r.deadlock.has_value());
  CHECK(r.virtual_time == s.duration);
}
