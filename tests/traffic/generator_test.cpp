#include "traffic/generator.hpp"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <cmath>
#include <map>

#include "traffic/error.hpp"
#include "traffic/exponential.hpp"
#include "traffic/random.hpp"

using namespace sluice;

namespace {

generator_config config_of(generate_settings settings) {
  generator_config config;
  config.settings = settings;
  config.seed = derive_seed(1, "test");
  config.destinations = {7};
  config.line_bps = 10'000'000'000;
  return config;
}

std::vector<emission> take(traffic_source& source, std::size_t n) {
  std::vector<emission> out(n);
  std::size_t got = 0;
  while (got != n) {
    const auto more = source.next(std::span{out}.subspan(got));
    if (more == 0)
      break;
    got += more;
  }
  out.resize(got);
  return out;
}

std::vector<emission> take(const generator_config& config, std::size_t n) {
  return take(*make_generator(config), n);
}

}  // namespace

TEST_CASE("constant traffic follows the absolute schedule exactly, however odd the rate") {
  for (const std::uint64_t rate : {1ull, 999'999'937ull, 3'000'000'000ull, 400'000'000'000ull}) {
    auto config = config_of({.size_bytes = 1500, .rate_bps = rate});
    config.start = 5 * microsecond;
    const auto out = take(config, 10'000);
    for (std::size_t n = 0; n != out.size(); ++n)
      REQUIRE(out[n].due == config.start + absolute_time(n * 12'000, rate));
  }
}

TEST_CASE("pps counts packets, whatever their size") {
  const auto out = take(config_of({.size_bytes = 0, .pps = 7'000'003}), 10'000);
  for (std::size_t n = 0; n != out.size(); ++n)
    REQUIRE(out[n].due == absolute_time(n, 7'000'003));
}

TEST_CASE("a share counts overheads of the line") {
  // 1500 + 24 bytes at 10 Gb/s are 1219.2 ns; at 30% a packet each 4064 ns.
  const auto out = take(config_of({.size_bytes = 1500, .share_ppm = 300'000}), 1'000);
  for (std::size_t n = 0; n != out.size(); ++n)
    REQUIRE(out[n].due == static_cast<sim_time>(n) * 4064 * nanosecond);
}

TEST_CASE("imix keeps the rate in frame bits and the mix 7:4:1") {
  const auto out = take(config_of({.size_bytes = 0, .rate_bps = 1'000'000'007}), 240'000);
  std::map<std::uint32_t, double> counts;
  std::uint64_t bits = 0;
  for (const auto& e : out) {
    REQUIRE(e.due == absolute_time(bits, 1'000'000'007));
    bits += 8 * e.bytes;
    ++counts[e.bytes];
  }
  CHECK(counts.size() == 3);
  CHECK(counts[60] == doctest::Approx(140'000).epsilon(0.01));
  CHECK(counts[590] == doctest::Approx(80'000).epsilon(0.01));
  CHECK(counts[1514] == doctest::Approx(20'000).epsilon(0.03));
}

TEST_CASE("the exponential sampler agrees with the logarithm") {
  random_stream random{3, "test"};
  const auto check = [](std::uint64_t bits) {
    const double expected = -std::log(std::ldexp(static_cast<double>(bits), -64));
    const double sample = std::ldexp(static_cast<double>(exponential::from_bits(bits)), -44);
    REQUIRE(std::abs(sample - expected) < 1e-12);
  };
  for (int i = 0; i != 100'000; ++i)
    check(random.next() >> random.below(64) | 1);
  for (unsigned i = 0; i != 64; ++i)
    check(1ull << i);
  CHECK(exponential::from_bits(0) == exponential::from_bits(1));
  CHECK(exponential::from_bits(UINT64_MAX) == 0);
}

TEST_CASE("the exponential sampler's values are pinned") {
  CHECK(exponential::from_bits(1ull << 63) == 12193974156572ull);  // ln 2
  CHECK(exponential::from_bits(0x0123'4567'89ab'cdef)
        == 95281045910816ull);  // checked with 50 digits
}

TEST_CASE("poisson gaps have the mean of the rate and the variance of an exponential") {
  for (const std::uint32_t size : {1500u, 0u}) {
    const double bytes = size == 0 ? 4294.0 / 12 : size;
    const double mean = bytes * 8e12 / 3e9;
    const auto out = take(
        config_of(
            {.size_bytes = size, .rate_bps = 3'000'000'000, .arrivals = arrival_process::poisson}),
        4'000'000);
    double squares = 0;
    for (std::size_t i = 1; i != out.size(); ++i) {
      const double gap = static_cast<double>(out[i].due - out[i - 1].due) / mean - 1;
      squares += gap * gap;
    }
    const auto n = static_cast<double>(out.size());
    CHECK(static_cast<double>(out.back().due) / n == doctest::Approx(mean).epsilon(0.0015));
    CHECK(squares / n == doctest::Approx(1).epsilon(0.01));
  }
}

TEST_CASE("the mean of the exponential sampler is right to a millionth over a regular grid") {
  // Not by chance: each of 2^20 equal parts of [0, 1) is represented by its middle.
  double sum = 0;
  for (std::uint64_t i = 0; i != 1 << 20; ++i)
    sum += std::ldexp(static_cast<double>(exponential::from_bits(i << 44 | 1ull << 43)), -44);
  CHECK(std::ldexp(sum, -20) == doctest::Approx(1).epsilon(1e-6));
}

TEST_CASE("bursts leave back to back at line rate and keep the mean rate") {
  auto config = config_of({.size_bytes = 1226,
                           .rate_bps = 1'000'000'000,
                           .arrivals = arrival_process::burst,
                           .burst_packets = 4});
  const auto out = take(config, 4'000);
  for (std::size_t n = 0; n != out.size(); ++n)
    REQUIRE(out[n].due
            == absolute_time(n / 4 * 4 * 1226 * 8, 1'000'000'000)
                   + static_cast<sim_time>(n % 4) * 1000 * nanosecond);
}

TEST_CASE("bursts faster than the line follow each other at line rate") {
  auto config = config_of({.size_bytes = 1226,
                           .rate_bps = 20'000'000'000,
                           .arrivals = arrival_process::burst,
                           .burst_packets = 4});
  const auto out = take(config, 100);
  for (std::size_t n = 0; n != out.size(); ++n)
    REQUIRE(out[n].due == static_cast<sim_time>(n) * 1000 * nanosecond);
}

TEST_CASE("a generator stops before its stop and after its packets") {
  auto config = config_of({.size_bytes = 125, .rate_bps = 1'000'000'000});  // 1 us each
  config.start = 10 * microsecond;
  config.stop = 20 * microsecond;
  auto out = take(config, 100);
  CHECK(out.size() == 10);
  CHECK(out.back().due == 19 * microsecond);
  config.settings.packets = 3;
  const auto source = make_generator(config);
  CHECK(take(*source, 100).size() == 3);
  CHECK(take(*source, 100).empty());
}

TEST_CASE("a change of rate shares the gap under way and then keeps an absolute schedule") {
  auto config = config_of({.size_bytes = 125, .rate_bps = 1'000'000'000});  // a packet each 1 us
  // At 2.5 us half the gap to the packet at 3 us is left: at half the rate it takes 1 us.
  config.rate_profile = {{2500 * nanosecond, 500'000'000}};
  const auto out = take(config, 6);
  const std::vector<sim_time> expected{0, 1000, 2000, 3500, 5500, 7500};
  for (std::size_t i = 0; i != out.size(); ++i)
    CHECK(out[i].due == expected[i] * nanosecond);
}

TEST_CASE("rate 0 holds everything until the next change") {
  auto config = config_of({.size_bytes = 125, .rate_bps = 1'000'000'000});
  config.rate_profile = {{1250 * nanosecond, 0}, {10 * microsecond, 250'000'000}};
  const auto out = take(config, 4);
  REQUIRE(out.size() == 4);
  CHECK(out[1].due == 1000 * nanosecond);
  CHECK(out[2].due == 13'000 * nanosecond);  // 0.75 of a gap was left, now of 4 us
  CHECK(out[3].due == 17'000 * nanosecond);
  config.rate_profile.pop_back();
  CHECK(take(config, 4).size() == 2);
}

TEST_CASE("changes at or before the start only set the first rate") {
  auto config = config_of({.size_bytes = 125, .rate_bps = 1'000'000'000});
  config.start = 10 * microsecond;
  config.rate_profile = {{5 * microsecond, 0}, {10 * microsecond, 500'000'000}};
  const auto out = take(config, 3);
  CHECK(out[0].due == 10 * microsecond);
  CHECK(out[2].due == 14 * microsecond);
  config.rate_profile = {{5 * microsecond, 0}, {20 * microsecond, 500'000'000}};
  CHECK(take(config, 1)[0].due == 20 * microsecond);
}

TEST_CASE("poisson traffic follows a change of rate") {
  auto config = config_of(
      {.size_bytes = 125, .rate_bps = 1'000'000'000, .arrivals = arrival_process::poisson});
  config.rate_profile = {{100 * millisecond, 4'000'000'000}};
  config.stop = 200 * millisecond;
  const auto out = take(config, 10'000'000);
  const auto before = std::count_if(out.begin(), out.end(),
                                    [](const auto& e) { return e.due < 100 * millisecond; });
  CHECK(static_cast<double>(before) == doctest::Approx(100'000).epsilon(0.015));
  CHECK(static_cast<double>(out.size() - before) == doctest::Approx(400'000).epsilon(0.01));
}

TEST_CASE("destinations are drawn evenly or taken in turn") {
  auto config = config_of({.size_bytes = 100, .pps = 1'000'000});
  config.destinations = {3, 5, 9};
  std::map<std::uint32_t, double> counts;
  for (const auto& e : take(config, 300'000))
    ++counts[e.to];
  CHECK(counts.size() == 3);
  for (const auto& [to, count] : counts)
    CHECK(count == doctest::Approx(100'000).epsilon(0.01));
  config.pick = destination_rule::round_robin;
  const auto out = take(config, 7);
  for (std::size_t i = 0; i != out.size(); ++i)
    CHECK(out[i].to == config.destinations[i % 3]);
}

TEST_CASE(
    "the same seed gives the same traffic, in batches of any size; another seed other traffic") {
  const bool ok = rc::check([] {
    generate_settings settings;
    settings.size_bytes = *rc::gen::element(0u, 64u, 1500u);
    settings.rate_bps = *rc::gen::inRange<std::uint64_t>(1'000'000, 100'000'000'000);
    settings.arrivals = *rc::gen::element(arrival_process::constant, arrival_process::poisson,
                                          arrival_process::burst);
    settings.burst_packets = *rc::gen::inRange(1u, 50u);
    auto config = config_of(settings);
    config.seed = *rc::gen::arbitrary<std::uint64_t>();
    config.destinations = {1, 2, 3};
    for (const auto at : {1, 5, 9})
      config.rate_profile.push_back({at * microsecond * *rc::gen::inRange(1, 1000),
                                     *rc::gen::inRange<std::uint64_t>(0, 50'000'000'000)});
    std::sort(config.rate_profile.begin(), config.rate_profile.end(),
              [](const auto& a, const auto& b) { return a.at < b.at; });
    const auto whole = take(config, 2'000);
    const auto pieces = make_generator(config);
    std::vector<emission> out;
    while (out.size() < whole.size()) {
      const auto more = take(*pieces, std::min<std::size_t>(*rc::gen::inRange<std::size_t>(1, 300),
                                                            whole.size() - out.size()));
      RC_ASSERT(!more.empty());
      out.insert(out.end(), more.begin(), more.end());
    }
    for (std::size_t i = 0; i != whole.size(); ++i) {
      RC_ASSERT(whole[i].due == out[i].due);
      RC_ASSERT(whole[i].bytes == out[i].bytes);
      RC_ASSERT(whole[i].to == out[i].to);
      if (i != 0)  // RC_ASSERT evaluates both sides of ||
        RC_ASSERT(whole[i - 1].due <= whole[i].due);
      RC_ASSERT(whole[i].frame.synthetic());
    }
  });
  CHECK(ok);
}

TEST_CASE("the traffic of a seed is pinned") {
  auto config =
      config_of({.size_bytes = 0, .rate_bps = 1'000'000'000, .arrivals = arrival_process::poisson});
  config.destinations = {1, 2, 3, 4};
  const auto out = take(config, 1000);
  CHECK(out[0].due == 1'016'686);
  CHECK(out[999].due == 2'927'696'749);
}

TEST_CASE("settings that cannot work are refused") {
  const auto refused = [](generator_config config) {
    try {
      make_generator(config);
      return false;
    } catch (const traffic_error& error) {
      return error.code() == traffic_ec::bad_config;
    }
  };
  CHECK(refused(config_of({})));
  CHECK(refused(config_of({.rate_bps = 1, .pps = 1})));
  CHECK(refused(config_of({.size_bytes = 13, .rate_bps = 1})));
  CHECK(refused(config_of({.size_bytes = max_frame_bytes + 1, .rate_bps = 1})));
  auto config = config_of({.rate_bps = 1});
  config.destinations.clear();
  CHECK(refused(config));
  config = config_of({.share_ppm = 1});
  config.line_bps = 0;
  CHECK(refused(config));
  config = config_of({.rate_bps = 1, .arrivals = arrival_process::burst, .burst_packets = 0});
  CHECK(refused(config));
  config = config_of({.rate_bps = 1});
  config.rate_profile = {{5, 1}, {4, 1}};
  CHECK(refused(config));
}
