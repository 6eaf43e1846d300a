#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "metrics/counters.hpp"

using namespace sluice;

namespace {

/// The oracle: sort everything, take the nearest rank.
sim_time nearest_rank(std::vector<sim_time> all, double q) {
  std::sort(all.begin(), all.end());
  const auto rank = static_cast<std::size_t>(
      std::max(1.0, std::ceil(q * static_cast<double>(all.size()) * (1 - 1e-12))));
  return all[std::min(rank, all.size()) - 1];
}

bool close(sim_time measured, sim_time exact) {
  const auto off = static_cast<double>(std::llabs(measured - exact));
  return off <= 0.008 * static_cast<double>(exact) + 0.5 * nanosecond;
}

}  // namespace

TEST_CASE("an empty histogram answers zero to everything") {
  const latency_histogram h;
  CHECK(h.count() == 0);
  CHECK(h.min() == 0);
  CHECK(h.max() == 0);
  CHECK(h.mean() == 0);
  CHECK(h.quantile(0.99) == 0);
  CHECK(h.count_at_most(second) == 0);
}

TEST_CASE("a single latency is its own minimum, maximum, mean and every percentile") {
  latency_histogram h;
  h.add(1'234'567);
  CHECK(h.count() == 1);
  CHECK(h.min() == 1'234'567);
  CHECK(h.max() == 1'234'567);
  CHECK(h.mean() == 1'234'567);
  for (const double q : {0.0, 0.5, 0.99, 1.0})
    CHECK(h.quantile(q) == 1'234'567);
}

TEST_CASE("whole nanoseconds below 128 keep a bucket each") {
  latency_histogram h;
  for (sim_time ns = 0; ns < 128; ++ns)
    h.add(ns * nanosecond);
  for (sim_time ns = 1; ns < 127; ++ns) {
    const double q = static_cast<double>(ns + 1) / 128;
    CHECK(h.quantile(q) == ns * nanosecond + nanosecond / 2);
    CHECK(h.count_at_most(ns * nanosecond + nanosecond / 2) == static_cast<std::uint64_t>(ns) + 1);
  }
}

TEST_CASE("the mean stays exact where a 64-bit sum would overflow") {
  latency_histogram h;
  const sim_time large = never / 2;
  for (int i = 0; i < 64; ++i)
    h.add(large);
  CHECK(h.mean() == doctest::Approx(static_cast<double>(large)).epsilon(1e-15));
  CHECK(h.sum_seconds() == doctest::Approx(64.0 * static_cast<double>(large) / 1e12));
}

TEST_CASE("a negative latency cannot corrupt the histogram and shows in the minimum") {
  latency_histogram h;
  h.add(-5);
  h.add(10);
  CHECK(h.count() == 2);
  CHECK(h.min() == -5);
  CHECK(h.mean() == 5);
}

TEST_CASE("percentiles of any latencies are within 0.8% of the sorted list") {
  CHECK(rc::check([] {
    // Exponents spread over all octaves: a uniform draw would only ever test the largest ones.
    const auto shifts = *rc::gen::nonEmpty(rc::gen::container<std::vector<std::pair<int, int>>>(
        rc::gen::pair(rc::gen::inRange(0, 60), rc::gen::inRange(0, 1 << 20))));
    std::vector<sim_time> all;
    latency_histogram h;
    for (const auto& [shift, low] : shifts) {
      all.push_back((sim_time{1} << shift) + (low & ((sim_time{1} << shift) - 1)));
      h.add(all.back());
    }
    RC_ASSERT(h.count() == all.size());
    RC_ASSERT(h.min() == *std::min_element(all.begin(), all.end()));
    RC_ASSERT(h.max() == *std::max_element(all.begin(), all.end()));
    for (const double q : {0.0, 0.1, 0.5, 0.9, 0.99, 0.999, 1.0})
      RC_ASSERT(close(h.quantile(q), nearest_rank(all, q)));
  }));
}

TEST_CASE("merging equals adding everything to one histogram") {
  CHECK(rc::check(
      [](const std::vector<std::uint32_t>& left, const std::vector<std::uint32_t>& right) {
        latency_histogram a, b, both;
        for (const auto v : left) {
          a.add(v);
          both.add(v);
        }
        for (const auto v : right) {
          b.add(sim_time{v} << 10);
          both.add(sim_time{v} << 10);
        }
        a.merge(b);
        RC_ASSERT(a.count() == both.count());
        RC_ASSERT(a.min() == both.min());
        RC_ASSERT(a.max() == both.max());
        RC_ASSERT(a.mean() == both.mean());
        for (const double q : {0.25, 0.5, 0.99})
          RC_ASSERT(a.quantile(q) == both.quantile(q));
      }));
}

TEST_CASE("counts at most a bound never fall as the bound rises, and end at the count") {
  latency_histogram h;
  for (sim_time t = 1; t < second; t = t * 3 / 2 + 1)
    h.add(t);
  std::uint64_t last = 0;
  for (sim_time bound = 1; bound < 2 * second; bound *= 2) {
    CHECK(h.count_at_most(bound) >= last);
    last = h.count_at_most(bound);
  }
  CHECK(last == h.count());
}
