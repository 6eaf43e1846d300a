// Waiting times against queueing theory, which knows nothing of how the emulator works: M/D/1 by
// Pollaczek and Khinchine, two classes by Cobham, D/D/1 by arithmetic; and packet by packet
// against Lindley's recursion. Latency counts from the due time, so it is waiting + service +
// cable.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>

#include "tests/support/small_network.hpp"
#include "traffic/generator.hpp"
#include "traffic/random.hpp"

using namespace sluice;
using namespace sluice::testing;

namespace {

constexpr std::uint64_t gbit = 1'000'000'000;

/// Of a sink with a drain: from its queue to the application.
constexpr sim_time to_reader = nanosecond;

/// In picoseconds, as IEEE 802.3 has it and a line is never faster than configured: rounded up.
sim_time on_the_line(std::uint64_t frame_bytes, std::uint64_t bps) {
  return static_cast<sim_time>(((frame_bytes + 24) * 8'000'000'000'000 + bps - 1) / bps);
}

/// Mean waiting time of M/D/1.
double md1_wait(double service, double load) {
  return service * load / (2 * (1 - load));
}

traffic_entry traffic(const std::string& name, const std::string& from, const std::string& to,
                      const generate_settings& g) {
  traffic_entry t;
  t.name = name;
  t.what = g;
  t.from = {from};
  t.to = {to};
  return t;
}

/// generator -- sink.
scenario one_link(const generate_settings& g, std::uint64_t line_bps, sim_time delay,
                  std::uint64_t drain_bps = 0) {
  scenario s;
  s.name = "one-link";
  s.seed = 2026;
  s.until_traffic_done = true;
  sink_settings sink;
  sink.drain_bps = drain_bps;
  sink.buffer_bytes = std::int64_t{1} << 40;
  s.nodes = {make_node("g", generator_settings{}), make_node("k", sink)};
  s.links = {make_link("g", "p", "k", "p", line_bps, delay)};
  s.traffic = {traffic("t", "g", "k", g)};
  return s;
}

run_results run_whole(const scenario& s) {
  run_options o;
  o.threads = 2;
  auto r = run(s, o);
  CHECK(r.violations.empty());
  CHECK(r.dropped.packets == 0);
  CHECK(r.delivered.packets == r.made.packets);
  return r;
}

struct load_case {
  double load;
  std::uint64_t packets;  // enough that the mean of a correct queue is within 1% or so
};
constexpr load_case loads[] = {{0.5, 1'000'000}, {0.8, 3'000'000}, {0.9, 8'000'000}};

}  // namespace

TEST_CASE("packets wait for a producer's own line as in M/D/1") {
  for (const auto [load, packets] : loads) {
    CAPTURE(load);
    generate_settings g;
    g.size_bytes = 1000;
    g.share_ppm = static_cast<std::uint32_t>(load * 1e6 + 0.5);
    g.arrivals = arrival_process::poisson;
    g.packets = packets;
    const auto delay = 700 * nanosecond;
    const auto r = run_whole(one_link(g, 10 * gbit, delay));
    REQUIRE(r.delivered.packets == packets);
    const auto service = static_cast<double>(on_the_line(1000, 10 * gbit));
    const auto wait = r.flows[0].latency.mean() - service - static_cast<double>(delay);
    MESSAGE(
        fmt::format("load {}: mean wait {:.4f} of theory", load, wait / md1_wait(service, load)));
    CHECK(wait == doctest::Approx(md1_wait(service, load)).epsilon(0.02));
    CHECK(r.flows[0].latency.min() == on_the_line(1000, 10 * gbit) + delay);
  }
}

// With fixed service times in a row and the slower server second, packet n leaves the second at
// max over j <= n of (arrival j + s1 + (n - j + 1) s2): it waits as if the first were only a delay.
TEST_CASE("packets wait in a port queue as in M/D/1") {
  for (const auto [load, packets] : loads) {
    CAPTURE(load);
    const std::uint64_t line = 400 * gbit, drain = 8 * gbit;
    generate_settings g;
    g.size_bytes = 1000;
    g.arrivals = arrival_process::poisson;
    g.packets = packets;
    g.rate_bps = static_cast<std::uint64_t>(load * static_cast<double>(drain));
    const auto delay = 300 * nanosecond;
    const auto r = run_whole(one_link(g, line, delay, drain));
    REQUIRE(r.delivered.packets == packets);
    const sim_time service = 1'000 * nanosecond;  // 1000 bytes without overhead at 8 Gbit/s
    const auto fixed = on_the_line(1000, line) + delay + service + to_reader;
    const auto wait = r.flows[0].latency.mean() - static_cast<double>(fixed);
    const auto theory = md1_wait(static_cast<double>(service), load);
    MESSAGE(fmt::format("load {}: mean wait {:.4f} of theory", load, wait / theory));
    CHECK(wait == doctest::Approx(theory).epsilon(0.02));
    CHECK(r.flows[0].latency.min() == fixed);
  }
}

// Cobham, for classes served in order of priority without preemption: with W0 = load * S / 2, the
// mean rest of the service that an arrival finds, the high class waits W0 / (1 - high), the low one
// W0 / ((1 - high) (1 - load)). Two fast lines bring the classes to the port of a switch.
TEST_CASE("two priorities wait at a switch's strict port as Cobham's formula has it") {
  const std::uint64_t fast = 400 * gbit, slow = 10 * gbit;
  const double high = 0.3, low = 0.5;
  scenario s;
  s.name = "cobham";
  s.seed = 7;
  s.duration = 4 * second;  // some four million packets
  switch_settings w;
  w.port_queue_bytes = std::int64_t{1} << 40;
  w.forwarding_delay = 100 * nanosecond;
  s.nodes = {make_node("a", generator_settings{}), make_node("b", generator_settings{}),
             make_node("w", w), make_node("k", sink_settings{})};
  s.links = {make_link("a", "p", "w", "p1", fast, 100 * nanosecond),
             make_link("b", "p", "w", "p2", fast, 100 * nanosecond),
             make_link("w", "p3", "k", "p", slow, 100 * nanosecond)};
  generate_settings g;
  g.size_bytes = 1000;
  g.arrivals = arrival_process::poisson;
  const auto service = on_the_line(1000, slow);
  g.pps = static_cast<std::uint64_t>(high * 1e12 / static_cast<double>(service));
  s.traffic.push_back(traffic("high", "a", "k", g));
  s.traffic.back().priority = 5;
  g.pps = static_cast<std::uint64_t>(low * 1e12 / static_cast<double>(service));
  s.traffic.push_back(traffic("low", "b", "k", g));
  s.traffic.back().priority = 1;
  for (auto& t : s.traffic)
    t.stop = s.duration - 10 * millisecond;
  const auto r = run_whole(s);

  // The empty way, which some packet of either class finds.
  const auto w0 = (high + low) * static_cast<double>(service) / 2;
  const double theory[] = {w0 / (1 - high), w0 / ((1 - high) * (1 - high - low))};
  for (int i : {0, 1}) {
    const auto& l = r.flows[i].latency;
    const auto wait = l.mean() - static_cast<double>(l.min());
    MESSAGE(fmt::format("{}: mean wait {:.4f} of theory", r.flows[i].name, wait / theory[i]));
    CHECK(wait == doctest::Approx(theory[i]).epsilon(0.02));
  }
}

TEST_CASE("the latency of random traffic is exactly that of Lindley's recursion") {
  for (const auto arrivals : {arrival_process::poisson, arrival_process::burst})
    for (const std::uint32_t size : {0u, 60u, 1000u}) {
      CAPTURE(size);
      const std::uint64_t line = 3 * gbit;  // a byte is no whole number of picoseconds
      generate_settings g;
      g.size_bytes = size;
      g.share_ppm = 850'000;
      g.arrivals = arrivals;
      g.packets = 100'000;
      const auto s = one_link(g, line, 700 * nanosecond);
      const auto r = run_whole(s);

      generator_config c;
      c.settings = g;
      c.seed = derive_seed(s.seed, "t@g");
      c.destinations = {1};
      c.line_bps = line;
      const auto source = make_generator(c);
      emission e[256];
      sim_time free = 0, longest = 0, shortest = never;
      double sum = 0;
      std::uint64_t n = 0;
      while (const auto more = source->next(e))
        for (std::size_t i = 0; i < more; ++i, ++n) {
          free = std::max(free, e[i].due) + on_the_line(e[i].bytes, line);
          const auto latency = free + 700 * nanosecond - e[i].due;
          longest = std::max(longest, latency);
          shortest = std::min(shortest, latency);
          sum += static_cast<double>(latency);
        }
      REQUIRE(n == r.delivered.packets);
      const auto& l = r.flows[0].latency;
      CHECK(l.max() == longest);
      CHECK(l.min() == shortest);
      CHECK(l.mean() == doctest::Approx(sum / static_cast<double>(n)).epsilon(1e-9));
      CHECK(r.last_delivery == free + 700 * nanosecond);
    }
}

TEST_CASE("constant arrivals that a line can carry never wait") {
  for (const std::uint64_t line : {1 * gbit, 3 * gbit, 7 * gbit, 10 * gbit, 25 * gbit, 100 * gbit})
    for (const std::uint32_t size : {60u, 61u, 590u, 1514u})
      for (const std::uint32_t share_ppm : {1'000u, 333'333u, 999'000u}) {
        CAPTURE(line);
        CAPTURE(size);
        CAPTURE(share_ppm);
        generate_settings g;
        g.size_bytes = size;
        g.share_ppm = share_ppm;
        g.packets = 5'000;
        const auto delay = 1234 * nanosecond + 567;
        const auto r = run_whole(one_link(g, line, delay));
        const auto& l = r.flows[0].latency;
        CHECK(l.count() == 5'000);
        CHECK(l.min() == on_the_line(size, line) + delay);
        CHECK(l.max() == on_the_line(size, line) + delay);
      }
}

TEST_CASE("constant arrivals at exactly the speed of line and reader never wait") {
  generate_settings g;
  g.size_bytes = 1000;
  g.packets = 100'000;
  g.share_ppm = 1'000'000;
  {
    const auto r = run_whole(one_link(g, 10 * gbit, microsecond));
    const auto& l = r.flows[0].latency;
    CHECK(l.min() == on_the_line(1000, 10 * gbit) + microsecond);
    CHECK(l.max() == l.min());
  }
  g.share_ppm = 0;
  g.rate_bps = 8 * gbit;  // the reader's speed: it counts no overhead
  {
    const auto r = run_whole(one_link(g, 10 * gbit, microsecond, 8 * gbit));
    const auto& l = r.flows[0].latency;
    CHECK(l.min() == on_the_line(1000, 10 * gbit) + microsecond + microsecond + to_reader);
    CHECK(l.max() == l.min());
  }
}
