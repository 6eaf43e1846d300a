#include "actors/logic/buffer_gate.hpp"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <deque>

using namespace sluice;

TEST_CASE("a gate without flow control only says what fits") {
  buffer_gate gate{{.capacity = {3000}}};
  CHECK(gate.fits(3000));
  CHECK_FALSE(gate.fits(3001));
  CHECK_FALSE(gate.arrive(1500));
  CHECK_FALSE(gate.arrive(1500));
  CHECK_FALSE(gate.fits(1));
  CHECK_FALSE(gate.release(1500));
  CHECK(gate.fits(1500));
  CHECK(gate.max_bytes() == 3000);
  CHECK(gate.slack_bytes() == buffer_limit::unlimited);
}

TEST_CASE("a gate stops once when the threshold is reached, and starts once when it has drained") {
  buffer_gate gate{{.capacity = {10'000}, .stops = true, .stop = {3000}, .start = {1000}}};
  CHECK(gate.slack_bytes() == 2999);
  CHECK_FALSE(gate.arrive(2999));
  CHECK(gate.arrive(1));
  CHECK(gate.stopping());
  CHECK(gate.slack_bytes() == 0);
  CHECK_FALSE(gate.arrive(500));
  CHECK_FALSE(gate.release(2000));
  CHECK_FALSE(gate.release(1));
  CHECK(gate.release(499));
  CHECK_FALSE(gate.stopping());
  CHECK_FALSE(gate.release(1000));
}

TEST_CASE("thresholds in packets count packets of any size") {
  buffer_gate gate{{.capacity = {buffer_limit::unlimited, 4},
                    .stops = true,
                    .stop = {buffer_limit::unlimited, 3},
                    .start = {buffer_limit::unlimited, 1}}};
  CHECK_FALSE(gate.arrive(60));
  CHECK_FALSE(gate.arrive(9000));
  CHECK(gate.arrive(60));
  CHECK(gate.fits(9000));
  gate.arrive(9000);
  CHECK_FALSE(gate.fits(60));
  CHECK_FALSE(gate.release(60));
  CHECK_FALSE(gate.release(9000));
  CHECK(gate.release(60));
}

TEST_CASE("whatever arrives and leaves, stops and starts alternate and the slack is honest") {
  rc::check([] {
    const auto stop = *rc::gen::inRange(100, 5000);
    const auto start = *rc::gen::inRange(0, stop);
    buffer_gate gate{{.capacity = {stop + 2000}, .stops = true, .stop = {stop}, .start = {start}}};
    std::deque<int> queue;
    std::int64_t bytes = 0;
    bool stopped = false;
    const auto steps = *rc::gen::container<std::vector<int>>(rc::gen::inRange(-1, 400));
    for (const auto s : steps) {
      if (s < 0) {
        if (queue.empty())
          continue;
        bytes -= queue.front();
        const bool started = gate.release(queue.front());
        queue.pop_front();
        RC_ASSERT(started == (stopped && bytes <= start));
        if (started)
          stopped = false;
      } else {
        if (!gate.fits(s))
          continue;
        const auto slack = gate.slack_bytes();
        const bool stops = gate.arrive(s);
        queue.push_back(s);
        bytes += s;
        if (!stopped && s <= slack)
          RC_ASSERT(!stops);
        RC_ASSERT(stops == (!stopped && bytes >= stop));
        stopped = stopped || stops;
      }
      RC_ASSERT(gate.bytes() == bytes);
      RC_ASSERT(gate.stopping() == stopped);
      RC_ASSERT(gate.bytes() <= stop + 2000);
    }
  });
}
