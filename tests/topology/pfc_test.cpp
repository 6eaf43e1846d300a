// PFC on a link against what can be computed: the head-room bound for every phase of arrival, the
// duty of pauses, the credit-loop formula; and who is held by a frame and who is not.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>

#include "actors/logic/pfc_headroom.hpp"
#include "tests/support/small_network.hpp"
#include "topology/thresholds.hpp"

using namespace sluice;
using namespace sluice::testing;

namespace {

constexpr std::uint64_t gbit = 1'000'000'000;

flow_control_settings pfc(std::uint8_t priorities) {
  flow_control_settings fc;
  fc.fabric = hop_policy::pfc;
  fc.pfc.priorities = priorities;
  return fc;
}

run_results run_once(const scenario& s) {
  run_options o;
  o.random_executor = true;  // starts faster than CAF, and there are thousands of runs
  auto r = run(s, o);
  CHECK(r.violations.empty());
  return r;
}

const pause_frames_result& frames(const run_results& r, const std::string& from) {
  const auto found = std::find_if(r.pause_frames.begin(), r.pause_frames.end(),
                                  [&](const auto& p) { return p.from == from; });
  REQUIRE(found != r.pause_frames.end());
  return *found;
}

// g -> s1 -> s2 -> k, which reads nothing: s2 comes to XOFF. Its frame for s1 has to wait for the
// largest frames of h -> s2 -> s1 -> l, which fill the line the other way.
struct headroom_case {
  std::uint64_t bps;
  std::uint32_t frame;  // without FCS
  std::int64_t xoff;
  sim_time phase;
};

constexpr sim_time cable = 500 * nanosecond;

scenario scenario_of(const headroom_case& x, std::int64_t headroom) {
  scenario s;
  s.name = "headroom";
  const auto others = pfc(1 << 3);
  auto tight = others;
  tight.pfc.xoff = x.xoff;
  tight.pfc.headroom = headroom;
  switch_settings wide;
  wide.buffer_bytes = std::int64_t{1} << 30;
  sink_settings stuck, open;
  stuck.drain_bps = 1;
  stuck.buffer_bytes = 1'000'000;
  auto soon = others;
  soon.pfc.xoff = x.frame;
  s.nodes = {make_node("g", generator_settings{}, others),
             make_node("h", generator_settings{}, {}),
             make_node("s1", wide, others),
             make_node("s2", wide, tight),
             make_node("k", stuck, soon),
             make_node("l", open, {})};
  s.links = {make_link("g", "p", "s1", "p1", x.bps, cable),
             make_link("s1", "p2", "s2", "p1", x.bps, cable),
             make_link("s2", "p2", "k", "p", x.bps, cable),
             make_link("h", "p", "s2", "p3", x.bps, cable),
             make_link("s1", "p3", "l", "p", x.bps, cable)};
  for (auto& l : s.links)
    l.mtu = x.frame - 18;
  s.traffic = {stream("t", "g", "k", 3, x.frame), stream("back", "h", "l", 0, x.frame)};
  s.traffic[1].start = x.phase;
  const line_rate rate{x.bps};
  s.duration = 20 * microsecond + 3 * rate.time_of(static_cast<std::uint64_t>(x.xoff) + 200'000);
  return s;
}

}  // namespace

TEST_CASE(
    "head-room: nothing is lost at the bound for any phase, and two frames less is too little") {
  for (const std::uint64_t rate : {10, 25, 40, 100})
    for (const std::uint32_t frame : {1514, 9014}) {
      const auto bps = rate * gbit;
      const hop_facts hop{line_rate{bps}, cable + nanosecond, cable + nanosecond, frame, 24};
      const auto bound = pfc_headroom_for(hop, pfc_response({}, bps));
      std::vector<headroom_case> cases;
      const auto period = line_rate{bps}.time_of(frame + 24);
      constexpr int phases = 8, thresholds = 4;
      for (int p = 0; p < phases; ++p)
        for (int t = 1; t <= thresholds; ++t)
          cases.push_back({bps, frame,
                           6 * std::int64_t{frame} + t * std::int64_t{frame} / thresholds
                               - std::int64_t{frame} + 1,
                           period * p / phases});
      const auto lossless = [&](std::int64_t headroom) {
        return std::all_of(cases.begin(), cases.end(), [&](const auto& x) {
          return run_once(scenario_of(x, headroom)).dropped.packets == 0;
        });
      };
      CAPTURE(rate);
      CAPTURE(frame);
      CHECK(lossless(bound));
      std::int64_t too_little = 0, enough = bound;
      while (enough - too_little > 1) {
        const auto middle = (too_little + enough) / 2;
        (lossless(middle) ? enough : too_little) = middle;
      }
      MESSAGE(fmt::format("{} Gbit/s, frames of {}: bound {} B, smallest drop-free {} B", rate,
                          frame, bound, enough));
      CHECK(enough > 0);
      CHECK(bound - enough <= 2 * frame);
    }
}

TEST_CASE("pauses take their share of the line") {
  for (const std::uint64_t rate : {1, 10, 100})
    for (const std::uint16_t quanta : {200, 800, 3000})
      for (const int share : {2, 5}) {
        scenario s;
        s.name = "duty";
        const auto bps = rate * gbit;
        const auto pause = quanta_time(quanta, bps);
        s.duration = 400 * pause * share;
        s.nodes = {make_node("g", generator_settings{}, pfc(1 << 3)),
                   make_node("k", sink_settings{}, pfc(1 << 3))};
        s.links = {make_link("g", "p", "k", "p", bps, cable)};
        s.traffic = {stream("t", "g", "k", 3, 60)};
        timed_event e;
        e.what = timed_event::kind::inject_pause;
        e.inject.from_b = true;
        e.inject.priorities = 1 << 3;
        e.inject.holds = false;
        e.inject.quanta = quanta;
        e.inject.every = pause * share;
        s.events = {e};
        const auto r = run_once(s);
        const auto line =
            static_cast<double>(s.duration) / static_cast<double>(line_rate{bps}.time_of(84));
        const auto expected = line * (1 - 1.0 / share);
        CAPTURE(rate);
        CAPTURE(quanta);
        CAPTURE(share);
        CHECK(static_cast<double>(r.delivered.packets) == doctest::Approx(expected).epsilon(0.01));
        const auto& had = frames(r, "k").had.priorities[3];
        // The first at 0, the last at the end.
        CHECK(had.frames + frames(r, "k").had.under_way == 401);
        CHECK(had.quanta == had.frames * quanta);
        CHECK(had.transitions == had.frames);
        CHECK(static_cast<double>(had.time)
              == doctest::Approx(static_cast<double>(400 * pause)).epsilon(0.01));
      }
}

TEST_CASE("a frame holds the priorities that it enables, and none that is not lossless") {
  scenario s;
  s.name = "classes";
  s.duration = 5 * millisecond;
  s.nodes = {make_node("g", generator_settings{}, pfc(1 << 3 | 1 << 4)),
             make_node("k", sink_settings{}, pfc(1 << 3 | 1 << 4))};
  s.links = {make_link("g", "p", "k", "p", 10 * gbit, cable)};
  for (const std::uint8_t p : {0, 3, 4})
    s.traffic.push_back(stream(fmt::format("p{}", p), "g", "k", p, 1000, 200'000));
  timed_event e;
  e.what = timed_event::kind::inject_pause;
  e.at = 2 * millisecond;
  e.duration = 4 * millisecond;
  e.inject.from_b = true;
  e.inject.priorities = 1 << 3 | 1 << 0;
  s.events = {e};
  const auto r = run_once(s);
  CHECK(r.dropped.packets == 0);
  CHECK(flow_of(r, "p0").latency.max() < 5 * microsecond);
  CHECK(flow_of(r, "p4").latency.max() < 5 * microsecond);
  // What is due while it is held waits at the generator: 3 of 5 milliseconds.
  CHECK(static_cast<double>(flow_of(r, "p3").delivered.packets)
        == doctest::Approx(0.4 * static_cast<double>(flow_of(r, "p4").delivered.packets))
               .epsilon(0.01));
  const auto& had = frames(r, "k").had;
  CHECK(had.priorities[3].transitions == 1);
  CHECK(had.priorities[0].frames == 0);
  CHECK(had.ignored == had.frames);  // each meant priority 0, too
}

TEST_CASE("PAUSE holds a link without PFC, and is ignored on one with it") {
  for (const bool with_pfc : {false, true}) {
    scenario s;
    s.name = "pause";
    s.duration = 10 * millisecond;
    const auto fc = with_pfc ? pfc(1 << 3) : flow_control_settings{};
    s.nodes = {make_node("g", generator_settings{}, fc), make_node("k", sink_settings{}, fc)};
    s.links = {make_link("g", "p", "k", "p", 10 * gbit, cable)};
    s.traffic = {stream("t", "g", "k", 3, 1000, 200'000)};
    timed_event e;
    e.what = timed_event::kind::inject_pause;
    e.at = 2 * millisecond;
    e.duration = 4 * millisecond;
    e.inject.from_b = true;
    e.inject.whole_link = true;
    s.events = {e};
    const auto r = run_once(s);
    const auto& had = frames(r, "k").had;
    CAPTURE(with_pfc);
    CHECK((had.ignored != 0) == with_pfc);
    CHECK((had.priorities[3].transitions != 0) != with_pfc);
    CHECK((flow_of(r, "t").latency.max() > 3 * millisecond) != with_pfc);
  }
}

TEST_CASE("a frame takes its time on the line, and waits for what is on it") {
  // k is held at once and stays so: refreshes go out every `refresh`, each 84 bytes of the line.
  scenario s;
  s.name = "line";
  s.duration = 10 * millisecond;
  auto fc = pfc(1 << 3);
  fc.pfc.refresh = 2 * microsecond;
  sink_settings k;
  k.drain_bps = 1;
  k.buffer_bytes = 100'000;
  switch_settings sw;
  s.nodes = {make_node("g", generator_settings{}, fc), make_node("s", sw, fc),
             make_node("k", k, fc), make_node("h", generator_settings{}, fc),
             make_node("l", sink_settings{}, fc)};
  s.links = {make_link("g", "p", "s", "p1", 10 * gbit, cable),
             make_link("s", "p2", "k", "p", 10 * gbit, cable),
             make_link("h", "p", "s", "p3", 10 * gbit, cable),
             make_link("s", "p4", "l", "p", 10 * gbit, cable)};
  s.traffic = {stream("held", "g", "k", 3, 1000), stream("free", "h", "l", 0, 1000)};
  const auto r = run_once(s);
  CHECK(r.dropped.packets == 0);
  const auto& had = frames(r, "k");
  // From the first XOFF on, about every 2 us.
  CHECK(had.sent.frames > 4'900);
  CHECK(had.sent.frames < 5'001);
  CHECK(flow_of(r, "free").delivered.packets > flow_of(r, "held").delivered.packets);
}

TEST_CASE("a watchdog lets go of what is held too long, and of nothing else") {
  enum class action { none, drop, forward };
  for (const auto act : {action::none, action::drop, action::forward}) {
    CAPTURE(static_cast<int>(act));
    scenario s;
    s.name = "storm";
    s.duration = 20 * millisecond;
    auto fc = pfc(1 << 3);
    if (act != action::none)
      fc.pfc.watchdog = {1 * millisecond, 500 * microsecond, act == action::drop};
    s.nodes = {make_node("g", generator_settings{}, pfc(1 << 3)),
               make_node("s", switch_settings{}, fc), make_node("k", sink_settings{}, pfc(1 << 3))};
    s.links = {make_link("g", "p", "s", "1", 10 * gbit, cable),
               make_link("s", "2", "k", "p", 10 * gbit, cable)};
    s.traffic = {stream("held", "g", "k", 3, 1000, 200'000),
                 stream("free", "g", "k", 0, 1000, 200'000)};
    timed_event e;
    e.what = timed_event::kind::inject_pause;
    e.link = 1;
    e.at = 2 * millisecond;
    e.duration = 10 * millisecond;
    e.inject.from_b = true;
    e.inject.priorities = 1 << 3;
    s.events = {e};
    const auto r = run_once(s);
    run_options o;
    o.threads = 2;
    CHECK(difference(digest(run(s, o)), digest(r)) == "");
    const auto& held = flow_of(r, "held");
    const auto storms = frames(r, "k").had.priorities[3].storms;
    const auto between = 5 * line_rate{10 * gbit}.time_of(1024);  // packets, at 20% of the line
    CHECK(flow_of(r, "free").dropped.packets == 0);
    switch (act) {
      case action::none:
        CHECK(storms == 0);
        CHECK(held.dropped.packets == 0);
        CHECK(held.latency.max() > 9 * millisecond);
        break;
      case action::drop: {
        // From the pause until half a millisecond after its end nothing gets through.
        CHECK(storms == 1);
        const auto expected = (10 * millisecond + 500 * microsecond) / between;
        CHECK(static_cast<std::int64_t>(held.dropped.packets) >= expected - 2);
        CHECK(static_cast<std::int64_t>(held.dropped.packets) <= expected + 2);
        CHECK(held.latency.max() < 20 * microsecond);
        // Nor does a backlog come after it, which is served first.
        CHECK(flow_of(r, "free").latency.max() < 20 * microsecond);
        break;
      }
      case action::forward:
        CHECK(storms == 1);
        CHECK(held.dropped.packets == 0);
        CHECK(held.latency.max() > 990 * microsecond);
        CHECK(held.latency.max() < 1010 * microsecond);
        break;
    }
  }
}
