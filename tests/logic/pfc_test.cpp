// The logic of priority-based flow control: timers, a switch's shared buffer, head-room.
#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <deque>
#include <map>

#include "actors/logic/pause_timers.hpp"
#include "actors/logic/pfc_headroom.hpp"
#include "actors/logic/shared_buffer.hpp"

using namespace sluice;

namespace {

constexpr std::uint64_t gbit = 1'000'000'000;
constexpr sim_time quantum = 51'200;  // at 10 Gbit/s

mac_control pfc(std::uint8_t classes, std::uint16_t quanta) {
  mac_control f;
  f.classes = classes;
  f.quanta.fill(quanta);
  return f;
}

mac_control pause(std::uint16_t quanta) {
  mac_control f;
  f.what = mac_control::kind::pause;
  f.quanta[0] = quanta;
  return f;
}

}  // namespace

// -- timers --------------------------------------------------------------------------------------

TEST_CASE("a PFC frame pauses the classes that it means, for its quanta and no longer") {
  pause_timers t{{10 * gbit, 0xff}};
  CHECK(t.paused_classes(0) == 0);
  t.hear(1000, pfc(0b1001, 10));
  CHECK(t.paused_classes(1000) == 0b1001);
  CHECK(t.paused_classes(1000 + 10 * quantum - 1) == 0b1001);
  CHECK(t.paused_classes(1000 + 10 * quantum) == 0);
  CHECK(t.resumes(3) == 1000 + 10 * quantum);
  CHECK(t.of(3, never) == pause_timers::counters{1, 10, 1, 10 * quantum});
  CHECK(t.of(1, never) == pause_timers::counters{});
}

TEST_CASE("a new frame replaces the timer, shorter or longer, and zero quanta resume at once") {
  pause_timers t{{10 * gbit, 0xff}};
  t.hear(0, pfc(1, 100));
  t.hear(10 * quantum, pfc(1, 5));  // shorter
  CHECK(t.resumes(0) == 15 * quantum);
  t.hear(12 * quantum, pfc(1, 100));  // longer: refreshed while it runs
  CHECK(t.resumes(0) == 112 * quantum);
  CHECK(t.of(0, 20 * quantum) == pause_timers::counters{3, 205, 1, 20 * quantum});
  t.hear(30 * quantum, pfc(1, 0));
  CHECK_FALSE(t.paused(0, 30 * quantum));
  CHECK(t.of(0, never) == pause_timers::counters{4, 205, 1, 30 * quantum});
  t.hear(40 * quantum, pfc(1, 1));
  CHECK(t.of(0, never) == pause_timers::counters{5, 206, 2, 31 * quantum});
}

TEST_CASE("a class that is not lossless, and PAUSE on a port with PFC, are ignored and counted") {
  pause_timers t{{10 * gbit, 0b1000}};
  t.hear(0, pfc(0b0111, 100));
  CHECK(t.paused_classes(0) == 0);
  CHECK(t.ignored() == 1);
  t.hear(0, pfc(0b1100, 100));  // one of both kinds
  CHECK(t.paused_classes(0) == 0b1000);
  CHECK(t.ignored() == 2);
  t.hear(quantum, pause(0));
  CHECK(t.paused_classes(quantum) == 0b1000);
  CHECK(t.ignored() == 3);

  pause_timers plain{{10 * gbit, 0}};
  plain.hear(0, pause(7));
  CHECK(plain.paused_classes(7 * quantum - 1) == 0xff);
  CHECK(plain.paused_classes(7 * quantum) == 0);
  CHECK(plain.ignored() == 0);
}

TEST_CASE("the time for which a class was paused is what one finds by looking at every moment") {
  const bool ok = rc::check([] {
    pause_timers t{{10 * gbit, 0xff}};
    std::map<sim_time, std::uint16_t> frames;  // at, quanta
    const auto n = *rc::gen::inRange(1, 20);
    for (int i = 0; i < n; ++i)
      frames[*rc::gen::inRange<sim_time>(0, 60) * quantum] = *rc::gen::inRange<std::uint16_t>(0, 9);
    for (const auto& [at, quanta] : frames)
      t.hear(at, pfc(1, quanta));
    sim_time paused = 0;
    const sim_time end = 100 * quantum;
    for (sim_time x = 0; x < end; x += quantum) {
      const auto last = frames.upper_bound(x);
      if (last == frames.begin())
        continue;
      const auto& [at, quanta] = *std::prev(last);
      paused += x < at + quanta * quantum ? quantum : 0;
    }
    RC_ASSERT(t.of(0, end).paused == paused);
  });
  CHECK(ok);
}

// -- the shared buffer ---------------------------------------------------------------------------

TEST_CASE(
    "a frame takes reserve, then the pool up to XOFF, then head-room, and is lost after that") {
  shared_buffer b{20'000,
                  {{.reserve = 2'000,
                    .headroom = 3'000,
                    .xoff = 4'000,
                    .xon_offset = 1'000,
                    .lossless = true}}};
  CHECK(b.shared_size() == 15'000);
  for (int i = 0; i < 5; ++i) {  // 2,000 of its own and 3,000 of the pool
    const auto v = b.arrive(0, 1'000);
    CHECK(v.accepted);
    CHECK_FALSE(v.pause);
  }
  CHECK(b.of(0).shared == 3'000);
  CHECK(b.of(0).closest_ppm == 750'000);
  CHECK(b.arrive(0, 1'000).pause);
  CHECK(b.of(0).shared == 4'000);
  for (int i = 0; i < 3; ++i) {
    const auto v = b.arrive(0, 1'000);
    CHECK(v.accepted);
    CHECK_FALSE(v.pause);  // it has said so
  }
  CHECK(b.of(0).headroom == 3'000);
  CHECK_FALSE(b.arrive(0, 1).accepted);
  CHECK(b.of(0).bytes == 9'000);
  // Head-room first: 3,000 of it, then 1,000 of the pool until XON at 3,000.
  for (int i = 0; i < 3; ++i)
    CHECK_FALSE(b.leave(0, 1'000));
  CHECK(b.of(0).headroom == 0);
  CHECK(b.leave(0, 1'000));
  CHECK(b.of(0).shared == 3'000);
  CHECK(b.of(0).xoffs == 1);
  CHECK(b.of(0).xons == 1);
  CHECK(b.shared_free() == 12'000);
}

TEST_CASE("a dynamic threshold is a share of what is free, and falls for all as the pool fills") {
  shared_buffer b{16'000, {{.shift = 1}, {.shift = 1, .lossless = true}}};
  CHECK(b.threshold(0) == 8'000);
  // One account alone comes to alpha / (1 + alpha) of the pool: with alpha 1/2 to a third.
  while (b.arrive(0, 100).accepted) {
  }
  CHECK(b.of(0).shared >= 16'000 / 3);
  CHECK(b.of(0).shared < 16'000 / 3 + 100);
  CHECK(b.threshold(1) == (16'000 - b.of(0).shared) / 2);
  bool paused = false;
  while (!paused)
    paused = b.arrive(1, 100).pause;
  // Two come to alpha / (1 + 2 alpha) each, if they begin together; the second here gets less.
  CHECK(b.of(1).shared < b.of(0).shared);
  // What the first gives back lets the second go on, though nothing of its own has left.
  bool resumed = false;
  while (!resumed && b.of(0).packets > 0) {
    CHECK_FALSE(b.leave(0, 100));
    resumed = b.end_pause(1);
  }
  CHECK(resumed);
}

TEST_CASE("the books of a shared buffer balance, whatever comes and leaves") {
  const bool ok = rc::check([] {
    std::vector<shared_buffer::account_config> accounts;
    std::int64_t aside = 0;
    const auto n = *rc::gen::inRange<std::size_t>(1, 5);
    for (std::size_t i = 0; i < n; ++i) {
      shared_buffer::account_config c;
      c.reserve = *rc::gen::inRange<std::int64_t>(0, 5'000);
      c.lossless = *rc::gen::arbitrary<bool>();
      c.headroom = c.lossless ? *rc::gen::inRange<std::int64_t>(0, 8'000) : 0;
      c.xoff = *rc::gen::inRange<std::int64_t>(-1, 9'000);
      c.shift = *rc::gen::inRange<std::uint8_t>(0, 4);
      c.xon_offset = *rc::gen::inRange<std::int64_t>(0, 2'000);
      aside += c.reserve + c.headroom;
      accounts.push_back(c);
    }
    const auto pool = *rc::gen::inRange<std::int64_t>(0, 30'000);
    shared_buffer b{aside + pool, accounts};
    RC_ASSERT(b.shared_size() == pool);
    std::vector<std::deque<std::int64_t>> inside(n);
    for (int step = 0; step < 300; ++step) {
      const auto a = *rc::gen::inRange<std::size_t>(0, n);
      if (inside[a].empty() || *rc::gen::inRange(0, 3) != 0) {
        const auto bytes = *rc::gen::inRange<std::int64_t>(60, 1'600);
        const auto before = b.of(a);
        const auto v = b.arrive(a, bytes);
        if (v.accepted)
          inside[a].push_back(bytes);
        else if (accounts[a].lossless)
          RC_ASSERT(before.headroom + bytes > accounts[a].headroom);  // only then
        RC_ASSERT(v.pause == (!before.pausing && b.of(a).pausing));
        RC_ASSERT(!v.pause || accounts[a].lossless);
      } else {
        const auto bytes = inside[a].front();
        inside[a].pop_front();
        const auto was = b.of(a).pausing;
        const bool resumes = b.leave(a, bytes);
        RC_ASSERT(resumes == (was && !b.of(a).pausing));
      }
      std::int64_t shared = 0;
      for (std::size_t i = 0; i < n; ++i) {
        const auto& x = b.of(i);
        std::int64_t held = 0;
        for (auto bytes : inside[i])
          held += bytes;
        RC_ASSERT(x.bytes == held);
        RC_ASSERT(x.packets == static_cast<std::int64_t>(inside[i].size()));
        const auto reserved = x.bytes - x.shared - x.headroom;
        RC_ASSERT(reserved >= 0);
        RC_ASSERT(reserved <= accounts[i].reserve);
        RC_ASSERT(x.headroom <= accounts[i].headroom);
        RC_ASSERT(x.xoffs == x.xons + (x.pausing ? 1u : 0u));
        shared += x.shared;
      }
      RC_ASSERT(shared == pool - b.shared_free());
      RC_ASSERT(shared <= pool);
    }
  });
  CHECK(ok);
}

// -- head-room -----------------------------------------------------------------------------------

TEST_CASE("the head-room is what the formula says, by speed and frame size") {
  const auto at = [](std::uint64_t speed, std::uint32_t frame) {
    const auto bps = speed * gbit;
    return pfc_headroom({bps, 500 * nanosecond, frame, pause_response_quanta(bps)});
  };
  CHECK(at(1, 1518) == 3'373);
  CHECK(at(10, 1518) == 8'658);
  CHECK(at(25, 1518) == 11'365);
  CHECK(at(40, 1518) == 15'672);
  CHECK(at(100, 1518) == 40'836);
  CHECK(at(10, 9018) == 23'658);
  CHECK(at(100, 9018) == 55'836);
}

namespace {

// A sender at line rate against a buffer that nobody empties: what comes after the account has
// reached XOFF, in bytes of the line (with preamble and gap, and FCS), for the worst phase of a
// frame on the way back. All frames have the largest size.
std::int64_t comes_after_xoff(const pfc_link& link, sim_time phase) {
  const line_rate rate{link.bps};
  const std::int64_t on_line = link.max_frame_bytes;
  const auto frame = rate.time_of(static_cast<std::uint64_t>(on_line));
  // Frames follow each other from `phase` on; the first to arrive after time 0 reaches XOFF.
  const sim_time xoff = phase + frame + link.propagation;
  // The worst: a frame has just begun the other way.
  const sim_time sent = xoff + frame + rate.time_of(pfc_line_bytes);
  const sim_time stopped =
      sent + link.propagation
      + quanta_time(static_cast<std::uint16_t>(link.response_quanta), link.bps);
  std::int64_t bytes = 0;
  for (sim_time begin = phase + frame; begin < stopped; begin += frame)
    bytes += on_line;  // finished, once begun
  return bytes;
}

}  // namespace

TEST_CASE("nothing is lost at that head-room for any phase, and it is no more than needed") {
  for (const std::uint64_t speed : {1, 10, 25, 40, 100})
    for (const std::uint32_t frame : {64u, 512u, 1518u, 9018u})
      for (const sim_time cable : {5 * nanosecond, 500 * nanosecond, 10 * microsecond}) {
        const auto bps = speed * gbit;
        const pfc_link link{bps, cable, frame, pause_response_quanta(bps)};
        const auto bound = pfc_headroom(link);
        std::int64_t most = 0;
        const auto period = line_rate{bps}.time_of(frame);
        for (int i = 0; i < 100; ++i)
          most = std::max(most, comes_after_xoff(link, period * i / 100));
        CAPTURE(speed);
        CAPTURE(frame);
        CAPTURE(cable);
        CHECK(most <= bound);
        CHECK(most >= bound - 2 * std::int64_t{frame});
      }
}

// -- watchdog ------------------------------------------------------------------------------------

TEST_CASE("a watchdog sees what is held without a break, refreshed or not, and when it is over") {
  pause_timers::config c{10 * gbit, 0xff};
  c.detect = 100 * quantum;
  c.restore = 30 * quantum;
  pause_timers t{c};
  // Paused for long, but with a break: no storm.
  t.hear(0, pfc(1, 90));
  t.hear(95 * quantum, pfc(1, 90));
  CHECK(t.storm_at(0) == never);
  CHECK_FALSE(t.storm(0, 180 * quantum));
  // Refreshed in time it is one from `detect` on.
  t.hear(180 * quantum, pfc(1, 90));
  CHECK(t.storm_at(0) == 195 * quantum);
  CHECK_FALSE(t.storm(0, 195 * quantum - 1));
  CHECK(t.storm(0, 195 * quantum));
  CHECK(t.paused(0, 200 * quantum));  // what the peer says is another matter
  CHECK(t.of(0, 194 * quantum).storms == 0);
  CHECK(t.of(0, 200 * quantum).storms == 1);
  // It lasts until nothing has held it for `restore`; a new pause within that time makes it longer.
  t.hear(250 * quantum, pfc(1, 0));
  CHECK(t.storm(0, 279 * quantum));
  CHECK_FALSE(t.storm(0, 280 * quantum));
  t.hear(270 * quantum, pfc(1, 5));
  CHECK(t.storm(0, 304 * quantum));
  CHECK_FALSE(t.storm(0, 305 * quantum));
  // The next one is another.
  t.hear(400 * quantum, pfc(1, 200));
  CHECK_FALSE(t.storm(0, 499 * quantum));
  CHECK(t.storm(0, 500 * quantum));
  CHECK(t.of(0, never).storms == 2);
  CHECK_FALSE(t.storm(1, 500 * quantum));
}
