// Changes to a network that is running: it goes on exactly as one that has had them from the begin,
// as events of its scenario.
#include <doctest/doctest.h>

#include <cstdlib>
#include <memory>
#include <thread>

#include "actors/engine/executor.hpp"
#include "tests/support/drawn_network.hpp"
#include "topology/network.hpp"
#include "topology/steering.hpp"

using namespace sluice;
using namespace sluice::testing;

namespace {

std::unique_ptr<executor> make_executor(const network& n, std::uint64_t order) {
  return order < 2 ? make_caf_executor(n.cells(), static_cast<unsigned>(order) + 1)
                   : make_random_executor(n.cells(), order);
}

std::string finished(network& n, sim_time end) {
  n.finish(end);
  return digest(n.gather(end));
}

std::string undisturbed(const scenario& s, std::uint64_t order) {
  network n{s};
  const auto e = make_executor(n, order);
  e->run_until(s.duration);
  return finished(n, s.duration);
}

// Something that somebody could do; whether it can be done is another question.
timed_event draw_change(random_stream& r, const scenario& s) {
  timed_event e;
  const auto some_time = [&] { return static_cast<sim_time>(1 + r.below(200'000)) * nanosecond; };
  if (r.below(2) == 0)
    e.duration = some_time();
  switch (r.below(4)) {
    case 0: {
      e.what = timed_event::kind::set_drain;
      std::vector<std::string> readers;
      for (const auto& n : s.nodes)
        if (const auto* h = std::get_if<host_settings>(&n.as)) {
          for (const auto& vm : h->vms) {
            readers.push_back(n.name + "/" + vm.name);
            for (const auto& k : vm.sockets)
              readers.push_back(readers.back() + "." + k.name);
          }
        } else if (const auto* k = std::get_if<sink_settings>(&n.as); k && k->drain_bps != 0) {
          readers.push_back(n.name);
        }
      e.target = readers.empty() ? "nobody" : readers[r.below(readers.size())];
      e.bps = r.below(3) == 0 ? 0 : 50'000'000 + r.below(20'000'000'000);
      break;
    }
    case 1:
      e.what = timed_event::kind::set_rate;
      e.target = s.traffic[r.below(s.traffic.size())].name;
      e.bps = r.below(4) == 0 ? 0 : 50'000'000 + r.below(20'000'000'000);
      break;
    case 2:
      e.what = timed_event::kind::link_down;
      e.link = r.below(s.links.size());
      break;
    default:
      e.what = timed_event::kind::inject_pause;
      e.link = r.below(s.links.size());
      e.inject.from_b = r.below(2) == 0;
      e.inject.whole_link = r.below(4) == 0;
      e.inject.priorities = static_cast<std::uint8_t>(1 + r.below(255));
      e.inject.holds = r.below(2) == 0;
      e.inject.quanta = static_cast<std::uint16_t>(1 + r.below(2000));
      if (!e.inject.holds)
        e.inject.every = static_cast<sim_time>(100 + r.below(20'000)) * nanosecond;
      break;
  }
  return e;
}

// Runs `s` and makes changes at some stops; they are in `s` then.
std::string disturbed(scenario& s, random_stream& r, std::uint64_t order,
                      std::array<std::uint64_t, 6>& made) {
  network n{s, true};
  const auto e = make_executor(n, order);
  std::vector<std::size_t> live;
  sim_time now = 0;
  for (auto stops = 1 + r.below(8); stops > 0; --stops) {
    now += static_cast<sim_time>(1 + r.below(static_cast<std::uint64_t>(s.duration - now) / 2));
    e->run_until(now);
    for (auto changes = r.below(3); changes > 0; --changes) {
      if (!live.empty() && r.below(3) == 0) {
        const auto number = live[r.below(live.size())];
        auto& event = s.events[number];
        const auto at = n.earliest(event, now);
        if (later(event.at, event.duration) <= now || at >= s.duration || at <= event.at)
          continue;
        event.duration = at - event.at;
        n.end_change(s, number);
        e->retract(at);
        ++made[5];
        continue;
      }
      auto change = draw_change(r, s);
      if (!n.problem(change).empty())
        continue;
      change.at = n.earliest(change, now);
      if (change.at >= s.duration)
        continue;
      live.push_back(s.events.size());
      s.events.push_back(change);
      n.change(s, live.back());
      e->retract(change.at);
      ++made[static_cast<std::size_t>(change.what)];
    }
  }
  e->run_until(s.duration);
  return finished(n, s.duration);
}

}  // namespace

TEST_CASE("a network that is changed while it runs does what one with these events does") {
  const auto from_environment = [](const char* name, std::uint64_t otherwise) {
    const auto* text = std::getenv(name);
    return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
  };
  const auto networks = from_environment("SLUICE_NETWORKS", often(300));
  std::array<std::uint64_t, 6> made{};
  for (auto seed = from_environment("SLUICE_FIRST_NETWORK", 1); seed <= networks; ++seed) {
    CAPTURE(seed);
    auto s = draw(seed).s;
    if (s.until_traffic_done) {
      s.until_traffic_done = false;
      s.duration = 300 * microsecond;
    }
    random_stream r{seed, "changes"};
    auto with_events = s;
    const auto lived = disturbed(with_events, r, seed % 4, made);
    CHECK(difference(lived, undisturbed(with_events, seed % 3)) == "");
  }
  if (networks < 100 || from_environment("SLUICE_FIRST_NETWORK", 1) != 1)
    return;
  for (const auto kind : {timed_event::kind::set_drain, timed_event::kind::set_rate,
                          timed_event::kind::link_down, timed_event::kind::inject_pause})
    CHECK(made[static_cast<std::size_t>(kind)] > networks / 10);
  CHECK(made[5] > networks / 10);
}

TEST_CASE("a run on the real clock is held, quickened and changed, and repeats") {
  auto s = testing::draw(3).s;
  s.duration = 300 * microsecond;
  s.until_traffic_done = false;
  s.events.clear();
  steering wheel;
  std::vector<steering::answer> answers;
  sim_time stood = 0;
  std::thread watcher{[&] {
    timed_event e;
    e.what = timed_event::kind::link_down;
    answers.push_back(wheel.change(e).get());
    wheel.hold();
    // Whatever is asked for while it stands still takes effect at once.
    e.what = timed_event::kind::set_rate;
    e.target = s.traffic[0].name;
    e.bps = 5'000'000'000;
    answers.push_back(wheel.change(e).get());
    stood = answers.back().at;
    answers.push_back(wheel.end(0).get());
    answers.push_back(wheel.end(7).get());
    e.what = timed_event::kind::set_port;
    answers.push_back(wheel.change(e).get());
    wheel.speed(1.0);
    wheel.go_on();
  }};
  run_options o;
  o.threads = 2;
  o.real_speed = 1e-4;
  o.steered = &wheel;
  const auto r = run(s, o);
  watcher.join();
  REQUIRE(answers.size() == 5);
  CHECK(answers[0].refused == "");
  CHECK(answers[1].refused == "");
  CHECK(answers[2].refused == "");
  CHECK(answers[3].refused == "there is no such change");
  CHECK(answers[4].refused.find("`events`") != std::string::npos);
  CHECK(wheel.change({}).get().refused == "the run is over");

  const auto events = wheel.events();
  REQUIRE(events.size() == 2);
  CHECK(events[0].at == answers[0].at);
  CHECK(events[0].at + events[0].duration == answers[2].at);
  CHECK(events[1].at == stood);
  s.events = events;
  CHECK(difference(digest(r), digest(run(s, {}))) == "");
}
