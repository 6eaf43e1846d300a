// Early detection and what sources make of it: probabilities, and the rules of DCQCN by hand.
#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "actors/logic/rate_limiter.hpp"
#include "actors/logic/red.hpp"

using namespace sluice;

namespace {

packet packet_of(std::uint64_t id, std::uint8_t ecn) {
  packet p;
  p.id = id;
  p.ecn = ecn;
  return p;
}

}  // namespace

TEST_CASE("early detection marks with the probability of its profile") {
  const red r{{true, 10'000, 50'000, 200'000, true, 7}};
  const auto share = [&](std::int64_t bytes) {
    int marked = 0;
    for (std::uint64_t id = 0; id < 100'000; ++id)
      marked += r.decide(bytes, packet_of(id, packet::ecn_capable)) == red::verdict::mark;
    return marked / 1e5;
  };
  CHECK(share(0) == 0);
  CHECK(share(10'000) == 0);
  CHECK(share(20'000) == doctest::Approx(0.05).epsilon(0.03));
  CHECK(share(30'000) == doctest::Approx(0.1).epsilon(0.03));
  CHECK(share(49'999) == doctest::Approx(0.2).epsilon(0.03));
  CHECK(share(50'000) == 1);
  // Two queues decide apart from each other, the same one always alike.
  const red other{{true, 10'000, 50'000, 200'000, true, 8}};
  int differ = 0;
  for (std::uint64_t id = 0; id < 10'000; ++id) {
    const auto p = packet_of(id, packet::ecn_capable);
    differ += r.decide(40'000, p) != other.decide(40'000, p);
    REQUIRE(r.decide(40'000, p) == r.decide(40'000, p));
  }
  CHECK(differ > 1'000);
}

TEST_CASE("early detection drops what may not be marked, if it may drop at all") {
  const red drops{{true, 0, 1, 1'000'000, true, 1}}, passes{{true, 0, 1, 1'000'000, false, 1}};
  CHECK(drops.decide(5, packet_of(1, packet::ecn_not_capable)) == red::verdict::drop);
  CHECK(passes.decide(5, packet_of(1, packet::ecn_not_capable)) == red::verdict::pass);
  CHECK(passes.decide(5, packet_of(1, packet::ecn_capable)) == red::verdict::mark);
  CHECK(drops.decide(5, packet_of(1, 1)) == red::verdict::mark);                      // ECT(1)
  CHECK(drops.decide(5, packet_of(1, packet::ecn_congested)) == red::verdict::pass);  // is marked
  CHECK(red{}.decide(1 << 30, packet_of(1, 0)) == red::verdict::pass);
  // With min = max there is no slope to divide by.
  const red step{{true, 100, 100, 0, true, 1}};
  CHECK(step.decide(100, packet_of(1, 2)) == red::verdict::pass);
  CHECK(step.decide(101, packet_of(1, 2)) == red::verdict::mark);
}

TEST_CASE("a rate goes down by alpha/2 and comes back in fast recovery, then additively") {
  rate_limiter::config c;
  c.line_bps = 40'000'000'000;
  c.additive_bps = 1'000'000'000;
  rate_limiter r{c};
  CHECK_FALSE(r.limited());
  r.notify(1 * millisecond);
  CHECK(r.bps() == 20'000'000'000);  // alpha is 1 at first
  CHECK(r.notifications() == 1);
  // Half of what is missing to the target, five times.
  double expected = 20e9;
  auto t = 1 * millisecond;
  for (int stage = 0; stage < 5; ++stage) {
    t += c.increase_time;
    r.advance(t - 1);
    CHECK(static_cast<double>(r.bps()) == doctest::Approx(expected).epsilon(1e-6));
    r.advance(t);
    expected = (40e9 + expected) / 2;
    CHECK(static_cast<double>(r.bps()) == doctest::Approx(expected).epsilon(1e-6));
  }
  // A notification then: the target is where it was, and alpha has become less, once each 55 us.
  const auto before = static_cast<double>(r.bps());
  double alpha = 1;
  for (int n = 0; n < 5; ++n)
    alpha *= 1 - 1.0 / 256;
  r.notify(t);
  CHECK(static_cast<double>(r.bps()) == doctest::Approx(before * (1 - alpha / 2)).epsilon(1e-4));
  CHECK(r.lowest_bps() == 20'000'000'000);
  // Beyond five stages the target grows, and the rate to the line's, and not beyond.
  r.advance(t + second);
  CHECK(r.bps() == c.line_bps);
  CHECK_FALSE(r.limited());
}

TEST_CASE("a rate stays between its minimum and the line, and bytes bring it up as time does") {
  const bool ok = rc::check([] {
    rate_limiter::config c;
    c.line_bps = *rc::gen::inRange<std::uint64_t>(1'000'000, 400'000'000'000);
    c.min_bps = *rc::gen::inRange<std::uint64_t>(1, 1'000'000'000);
    c.increase_bytes = *rc::gen::inRange<std::uint64_t>(100, 100'000);
    rate_limiter r{c};
    sim_time t = 0;
    for (int i = 0; i < 300; ++i) {
      t += *rc::gen::inRange<sim_time>(0, 100 * microsecond);
      const auto was = r.bps();
      if (*rc::gen::inRange(0, 3) == 0) {
        r.advance(t);
        const auto now = r.bps();
        r.notify(t);
        RC_ASSERT(r.bps() <= now);
      } else {
        r.sent(*rc::gen::inRange(60u, 9'000u), t);
        RC_ASSERT(r.bps() >= was);
      }
      RC_ASSERT(r.bps() <= c.line_bps);
      RC_ASSERT(r.bps() >= std::min(c.min_bps, c.line_bps));
      RC_ASSERT(r.lowest_bps() <= r.bps());
    }
  });
  CHECK(ok);
  // By bytes alone.
  rate_limiter::config c;
  c.line_bps = 10'000'000'000;
  c.increase_time = second;
  c.increase_bytes = 10'000;
  rate_limiter r{c};
  r.notify(0);
  for (int i = 0; i < 10; ++i)
    r.sent(1'000, 1);
  CHECK(r.bps() == 7'500'000'000);
}
