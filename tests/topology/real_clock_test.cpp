// The real clock paces a run and changes nothing else; a run that is stopped keeps its books.
// Nothing here depends on how fast the machine is: there are only lower bounds on time.
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>

#include "tests/support/small_network.hpp"

using namespace sluice;
using namespace sluice::testing;

namespace {

using wall_clock = std::chrono::steady_clock;

// A slow reader behind a switch, stopped and started all the time; packets wait wherever it ends.
scenario busy(sim_time duration) {
  scenario s;
  s.name = "busy";
  s.seed = 3;
  s.duration = duration;
  const auto fc = everywhere(hop_policy::on_off);
  sink_settings sink;
  sink.drain_bps = 1'000'000'000;
  sink.buffer_bytes = 64 * 1024;
  s.nodes = {make_node("g", generator_settings{}, fc), make_node("w", switch_settings{}, fc),
             make_node("k", sink, fc)};
  s.links = {make_link("g", "p", "w", "p1", 10'000'000'000, 500 * nanosecond),
             make_link("w", "p2", "k", "p", 10'000'000'000, 500 * nanosecond)};
  generate_settings g;
  g.rate_bps = 2'000'000'000;
  g.arrivals = arrival_process::poisson;
  traffic_entry t;
  t.name = "t";
  t.what = g;
  t.from = {"g"};
  t.to = {"k"};
  s.traffic = {t};
  return s;
}

struct timed {
  run_results r;
  double wall;
};

timed run_timed(const scenario& s, const run_options& o) {
  const auto begin = wall_clock::now();
  auto r = run(s, o);
  return {std::move(r), std::chrono::duration<double>(wall_clock::now() - begin).count()};
}

}  // namespace

TEST_CASE("the real clock takes its time and gives the result of the virtual clock") {
  auto s = busy(100 * millisecond);
  run_options o;
  o.threads = 2;
  const auto expected = run(s, o);
  CHECK(expected.violations.empty());
  CHECK(!expected.real_clock);
  CHECK(expected.held.packets > 0);

  SUBCASE("at its own speed") {
    s.clock = clock_kind::real_time;
    const auto [r, wall] = run_timed(s, o);
    CHECK(wall >= 0.1);
    CHECK(r.wall_seconds >= 0.1);
    CHECK(r.real_clock);
    CHECK(r.lag_seconds >= 0);
    CHECK(digest(r) == digest(expected));
    CHECK(r.virtual_time == expected.virtual_time);
  }
  SUBCASE("at half of it, as the scenario says") {
    s.clock = clock_kind::real_time;
    s.speed = 0.5;
    const auto [r, wall] = run_timed(s, o);
    CHECK(wall >= 0.2);
    CHECK(r.lag_seconds >= 0);
    CHECK(digest(r) == digest(expected));
  }
  SUBCASE("at twice it, as the command line says") {
    s.clock = clock_kind::real_time;
    s.speed = 0.01;  // the command line has the last word
    o.real_speed = 2.0;
    const auto [r, wall] = run_timed(s, o);
    CHECK(wall >= 0.05);
    CHECK(r.real_clock);
    CHECK(digest(r) == digest(expected));
  }
  SUBCASE("in the random order of the tests' executor") {
    o.random_executor = true;
    o.executor_seed = 11;
    o.real_speed = 4.0;
    const auto [r, wall] = run_timed(s, o);
    CHECK(wall >= 0.025);
    CHECK(digest(r) == digest(expected));
  }
  SUBCASE("far too fast for it: late, but no different") {
    o.real_speed = 1e6;
    const auto [r, wall] = run_timed(s, o);
    CHECK(r.lag_seconds >= 0);
    CHECK(digest(r) == digest(expected));
  }
}

TEST_CASE("with the real clock a run without a duration ends when its traffic is done") {
  auto s = busy(never);
  s.until_traffic_done = true;
  s.traffic[0].stop = 20 * millisecond;
  run_options o;
  o.threads = 1;
  const auto expected = run(s, o);
  CHECK(expected.held.packets == 0);
  o.real_speed = 1.0;
  const auto [r, wall] = run_timed(s, o);
  CHECK(wall >= 0.02);
  CHECK(r.held.packets == 0);
  CHECK(r.fingerprint == expected.fingerprint);
  CHECK(r.delivered == expected.delivered);
}

TEST_CASE("a run that is told to stop ends where it is, and its books balance") {
  for (const bool real : {false, true})
    for (const unsigned threads : {1u, 2u}) {
      CAPTURE(real);
      CAPTURE(threads);
      const auto s = busy(1'000'000 * second);  // nobody would wait for its end
      std::atomic<bool> stop = false;
      run_options o;
      o.threads = threads;
      o.stop = &stop;
      if (real)
        o.real_speed = 1.0;
      o.on_progress = [&](sim_time, double) { stop = true; };
      const auto r = run(s, o);
      CHECK(r.interrupted);
      CHECK(r.violations.empty());
      CHECK(r.virtual_time > 0);
      CHECK(r.virtual_time < s.duration);
      CHECK(r.delivered.packets > 0);
      CHECK(r.made == r.delivered + r.dropped + r.held);

      // What it has is what a run of that duration has.
      auto same = s;
      same.duration = r.virtual_time;
      run_options one_thread;
      one_thread.threads = 1;
      CHECK(digest(run(same, one_thread)) == digest(r));
    }
}

TEST_CASE("a run that is told to stop before it begins has nothing to say") {
  for (const bool real : {false, true}) {
    CAPTURE(real);
    std::atomic<bool> stop = true;
    run_options o;
    o.threads = 1;
    o.stop = &stop;
    if (real)
      o.real_speed = 1.0;
    const auto r = run(busy(second), o);
    CHECK(r.interrupted);
    CHECK(r.virtual_time == 0);
    CHECK(r.violations.empty());
    CHECK(r.delivered.packets == 0);
  }
}

TEST_CASE("a run that nobody stops is not interrupted") {
  std::atomic<bool> stop = false;
  run_options o;
  o.threads = 1;
  o.stop = &stop;
  CHECK(!run(busy(millisecond), o).interrupted);
}
