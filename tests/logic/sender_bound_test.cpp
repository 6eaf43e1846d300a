#include "actors/logic/sender_bound.hpp"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <vector>

using namespace sluice;

namespace {

constexpr std::int64_t buffer_limit_none() {
  return never;
}

struct departure {
  sim_time at;
  std::uint32_t bytes;
};

sender_bound line(std::uint64_t bps, std::uint32_t max_frame) {
  const line_rate rate{bps};
  return {rate, 0, max_frame, 2 * microsecond, rate.time_of(max_frame)};
}

}  // namespace

TEST_CASE("an empty buffer cannot fill faster than the line") {
  // 10 kB at 0.8 ns a byte, of which the first frame may be there at once.
  const auto t = earliest_fill(line(10'000'000'000, 1000), 500, 0, 0, 10'000, buffer_limit_none(),
                               0, [](std::size_t) { return departure{}; });
  CHECK(t == 500 + 9000 * 800);
}

TEST_CASE("known departures put the filling off") {
  const std::vector<departure> known{{1000, 1000}, {2000, 1000}};
  const auto none = earliest_fill(line(10'000'000'000, 100), 0, 9000, 9, 10'000,
                                  buffer_limit_none(), 0, [&](std::size_t i) { return known[i]; });
  const auto both = earliest_fill(line(10'000'000'000, 100), 0, 9000, 9, 10'000,
                                  buffer_limit_none(), 2, [&](std::size_t i) { return known[i]; });
  CHECK(none == 900 * 800);
  CHECK(both == 2900 * 800);
}

TEST_CASE("no sender within its bound fills a buffer before the earliest time") {
  rc::check([] {
    const auto bound = line(8'000'000'000, 500);  // a byte a nanosecond
    const auto stop = *rc::gen::inRange(600, 5000);
    const auto start_bytes = *rc::gen::inRange(0, 500);
    std::vector<departure> leaving;
    sim_time t = 0;
    std::int64_t left = start_bytes;
    while (left > 0) {
      t += *rc::gen::inRange(1, 2'000'000);
      const auto b = std::min<std::int64_t>(left, *rc::gen::inRange(1, 200));
      leaving.push_back({t, static_cast<std::uint32_t>(b)});
      left -= b;
    }
    const auto from = *rc::gen::inRange(0, 1'000'000);
    const auto earliest = earliest_fill(bound, from, start_bytes, 1, stop, buffer_limit_none(),
                                        leaving.size(), [&](std::size_t i) { return leaving[i]; });
    // A sender that keeps to the line, with gaps.
    std::int64_t bytes = start_bytes;
    std::size_t gone = 0;
    sim_time at = from;
    for (int i = 0; i < 200; ++i) {
      const auto size = *rc::gen::inRange(1, 501);
      if (i > 0)
        at += size * 1000 + *rc::gen::inRange(0, 300'000);
      while (gone < leaving.size() && leaving[gone].at < at)
        bytes -= leaving[gone++].bytes;
      bytes += size;
      if (bytes >= stop) {
        RC_ASSERT(at >= earliest);
        return;
      }
    }
  });
}
