// The on/off loop of one hop against the fluid formula, and its head-room against every phase of
// arrival.
//
// A generator that always has something to send, on a line of rate C, feeds a sink that reads with
// D < C; the cable takes t each way. Frames have b bytes. The line carries b + 24 bytes for each,
// so frames arrive every SC = (b + 24) * 8 / C while it sends: c = b / SC bytes a second. The
// reader takes SD = b * 8 / D for each: d = b / SD. The buffer does not count the frame that is
// being read.
//
// One cycle, from the start signal on, which the sink issues when its buffer is down to Y bytes:
//  * The start takes t, the first frame SC and t again. Meanwhile the reader has the frame that it
//    has just taken and the floor(Y / b) whole frames behind it. Without reading pass
//        idle = max(0, 2 t + SC - (floor(Y / b) + 1) * SD).
//  * If idle > 0, the buffer is empty when frames arrive again, and grows by c - d until it holds
//    X: after X / (c - d). (If not, it starts higher; the reader never rests and all is said.)
//  * The stop takes t to the generator; what was sent until then goes on arriving for another t.
//    The frame that is on the line then is finished: half a frame on average, SC / 2.
//  * So B = c * (X / (c - d) + 2 t + SC / 2) bytes arrive in a cycle.
//  * The reader takes B / d for them, and idle passes without it: one cycle lasts B / d + idle, and
//        throughput = B / (B / d + idle) = d * B / (B + d * idle).
// What the fluid does not know is that frames come whole: within about b / (B * (1 - d / c)).
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>

#include "tests/support/small_network.hpp"
#include "topology/thresholds.hpp"

using namespace sluice;
using namespace sluice::testing;

namespace {

constexpr std::uint64_t gbit = 1'000'000'000;

/// Of a sink with a drain: from its queue to the application.
constexpr sim_time to_reader = nanosecond;

struct loop {
  std::uint64_t line_bps = 10 * gbit;
  std::uint64_t drain_bps = 5 * gbit;
  std::uint32_t frame = 500;  ///< 0: imix
  sim_time delay = microsecond;
  std::int64_t capacity = std::int64_t{1} << 40;
  std::int64_t stop = 64'000;
  std::int64_t start = 0;
  sim_time first = 0;  ///< when the first packet is due
  sim_time duration = 20 * millisecond;
  arrival_process arrivals = arrival_process::constant;

  sim_time on_line() const { return line_rate{line_bps}.time_of(frame + 24); }
  sim_time reading() const { return line_rate{drain_bps}.time_of(frame); }
  sim_time round_trip() const { return 2 * delay; }
};

queue_limit bytes(std::int64_t n) {
  return {n, queue_limit::unit::bytes};
}

scenario scenario_of(const loop& x) {
  scenario s;
  s.name = "loop";
  s.seed = 5;
  s.duration = x.duration;
  auto fc = everywhere(hop_policy::on_off);
  fc.on_off.stop = bytes(x.stop);
  fc.on_off.start = bytes(x.start);
  sink_settings sink;
  sink.drain_bps = x.drain_bps;
  sink.buffer_bytes = x.capacity;
  s.nodes = {make_node("g", generator_settings{}, fc), make_node("k", sink, fc)};
  s.links = {make_link("g", "p", "k", "p", x.line_bps, x.delay)};
  generate_settings g;
  g.size_bytes = x.frame;
  g.share_ppm = 1'000'000;
  g.arrivals = x.arrivals;
  traffic_entry t;
  t.name = "t";
  t.what = g;
  t.from = {"g"};
  t.to = {"k"};
  t.start = x.first;
  s.traffic = {t};
  return s;
}

run_results run_loop(const loop& x) {
  run_options o;
  o.threads = 1;
  auto r = run(scenario_of(x), o);
  CHECK(r.violations.empty());
  return r;
}

/// Times without reading in each cycle, in picoseconds; not positive: there are none.
sim_time idle_of(const loop& x) {
  return x.round_trip() + x.on_line() - (x.start / x.frame + 1) * x.reading();
}

/// Bytes per picosecond.
double fluid_throughput(const loop& x) {
  const double c = x.frame / static_cast<double>(x.on_line());
  const double d = x.frame / static_cast<double>(x.reading());
  const double sending = static_cast<double>(x.stop) / (c - d) + static_cast<double>(x.round_trip())
                         + static_cast<double>(x.on_line()) / 2;
  const double idle = std::max(0.0, static_cast<double>(idle_of(x)));
  return d * c * sending / (c * sending + d * idle);
}

double measured_throughput(const loop& x, const run_results& r) {
  const auto from = x.first + x.delay + x.on_line() + to_reader;
  return static_cast<double>(r.delivered.bytes) / static_cast<double>(x.duration - from);
}

/// The most that can be read by the end if the reader rests not once after the first packet.
std::uint64_t packets_without_rest(const loop& x) {
  return static_cast<std::uint64_t>((x.duration - x.first - x.delay - x.on_line() - to_reader)
                                    / x.reading());
}

}  // namespace

TEST_CASE("the throughput of an on/off loop is that of the fluid formula") {
  double least_share = 1, worst = 0;
  int loops = 0;
  for (const sim_time delay : {sim_time{1}, sim_time{20}, sim_time{100}, sim_time{500}})
    for (const std::int64_t stop : {25'000, 100'000, 400'000})
      for (const std::int64_t start_share : {0, 10, 50})
        for (const std::uint64_t drain : {2 * gbit, 5 * gbit, 8 * gbit}) {
          loop x;
          x.frame = 250;
          x.delay = delay * microsecond;
          x.stop = stop;
          x.start = stop * start_share / 100;
          x.drain_bps = drain;
          x.duration = std::max<sim_time>(20 * millisecond, 200 * x.delay);
          CAPTURE(delay);
          CAPTURE(stop);
          CAPTURE(x.start);
          CAPTURE(drain);
          const auto r = run_loop(x);
          CHECK(r.dropped.packets == 0);
          const auto measured = measured_throughput(x, r), fluid = fluid_throughput(x);
          CHECK(measured == doctest::Approx(fluid).epsilon(0.01));
          worst = std::max(worst, std::abs(measured / fluid - 1));
          least_share = std::min(least_share, fluid * static_cast<double>(x.reading()) / x.frame);
          ++loops;
        }
  MESSAGE(fmt::format("{} loops, at most {:.3f}% off; the slowest at {:.1f}% of its reader", loops,
                      100 * worst, 100 * least_share));
  CHECK(least_share < 0.6);  // the sweep has to contain loops that starve
}

TEST_CASE("a reader never rests from the start threshold on that covers the round trip") {
  for (const sim_time delay : {sim_time{1}, sim_time{7}, sim_time{50}, sim_time{200}})
    for (const std::uint64_t drain : {2 * gbit, 5 * gbit, 8 * gbit}) {
      loop x;
      x.delay = delay * microsecond;
      x.drain_bps = drain;
      CAPTURE(delay);
      CAPTURE(drain);
      // The fewest whole frames that the reader can be left with.
      while (idle_of(x) > 0)
        x.start += x.frame;
      x.stop = 3 * x.start + 20'000;
      const auto enough = run_loop(x);
      CHECK(enough.delivered.packets == packets_without_rest(x));
      CHECK(counters_of(enough, "k").stops_sent > 1);
      if (x.start > 0) {
        x.start -= x.frame;
        const auto less = run_loop(x);
        CHECK(less.delivered.packets < packets_without_rest(x));
        CHECK(measured_throughput(x, less) == doctest::Approx(fluid_throughput(x)).epsilon(0.01));
      }
    }
}

TEST_CASE("the computed head-room loses nothing for any phase of arrival") {
  std::int64_t most_used = 0, runs = 0;
  double fullest = 0;
  for (const std::uint32_t frame : {60u, 1000u, 1518u, 0u})
    for (const sim_time delay : {sim_time{100}, sim_time{10'000}})
      for (const std::uint64_t line : {1 * gbit, 10 * gbit, 100 * gbit})
        for (const std::uint64_t drain : {std::uint64_t{1'000'000}, line / 3, line * 9 / 10})
          for (int phase = 0; phase < 16; ++phase) {
            loop x;
            x.frame = frame;
            x.arrivals = phase % 2 == 0 ? arrival_process::constant : arrival_process::poisson;
            x.line_bps = line;
            x.drain_bps = drain;
            x.delay = delay * nanosecond;
            x.stop = 20'000 + 97 * phase;
            x.start = x.stop / 2;
            hop_facts hop;
            hop.rate = line_rate{line};
            hop.latency_down = hop.latency_up = x.delay;
            hop.max_frame_bytes = 1518;
            hop.overhead_bytes = 24;
            x.capacity = x.stop + headroom_for(hop).bytes;
            // Over the time of one of the largest frames, in steps that divide nothing.
            x.first = line_rate{line}.time_of(1518 + 24) * phase / 16 + 13 * phase;
            x.duration = 4 * x.delay + 6 * line_rate{line}.time_of(40'000);
            CAPTURE(frame);
            CAPTURE(delay);
            CAPTURE(line);
            CAPTURE(drain);
            CAPTURE(phase);
            const auto r = run_loop(x);
            const auto& k = counters_of(r, "k");
            CHECK(r.dropped.packets == 0);
            // The smallest frames fill the line by 60/84 only, which the fast reader keeps up with.
            if (drain < line / 2)
              CHECK(k.stops_sent > 0);
            CHECK(k.max_bytes <= x.capacity);
            most_used = std::max(most_used, k.max_bytes - x.stop);
            fullest = std::max(fullest, static_cast<double>(k.max_bytes - x.stop)
                                            / static_cast<double>(x.capacity - x.stop));
            ++runs;
          }
  MESSAGE(fmt::format("{} runs, at most {} bytes ({:.1f}%) of the head-room used", runs, most_used,
                      100 * fullest));
  // It is no waste either.
  CHECK(fullest > 0.9);
}

TEST_CASE("with the stop threshold at the capacity, what is under way is lost") {
  for (const sim_time delay : {sim_time{1}, sim_time{20}})
    for (const std::uint64_t drain : {1 * gbit, 5 * gbit}) {  // a fast one frees room in time
      loop x;
      x.delay = delay * microsecond;
      x.drain_bps = drain;
      x.stop = x.capacity = 64'000;  // 128 frames: the last one fits, and stops
      CAPTURE(delay);
      CAPTURE(drain);
      const auto r = run_loop(x);
      const auto& k = counters_of(r, "k");
      CHECK(k.dropped.of(drop_reason::headroom_exceeded, 0).packets > 0);
      CHECK(k.dropped.of(drop_reason::headroom_exceeded, 0) == r.dropped);
      CHECK(k.stops_sent > 0);
      CHECK(k.max_bytes == x.capacity);
    }
}
