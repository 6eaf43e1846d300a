#include "traffic/random.hpp"

#include <doctest/doctest.h>

#include <array>
#include <set>

#include "traffic/fingerprint.hpp"

using namespace sluice;

TEST_CASE("a stream is the same wherever it is made, and another for another seed or name") {
  // Pinned: these numbers must never change, or every fingerprint does.
  random_stream stream{42, "h1/vm1"};
  CHECK(stream.next() == 6071108841459898329ull);
  CHECK(random_stream{42, "h1/vm1"}.next() != random_stream{43, "h1/vm1"}.next());
  CHECK(random_stream{42, "h1/vm1"}.next() != random_stream{42, "h1/vm2"}.next());
  CHECK(derive_seed(1, "ab") != derive_seed(1, "ba"));
  CHECK(derive_seed(1, "") != derive_seed(2, ""));
}

TEST_CASE("below(n) gives each value equally often and never n") {
  random_stream stream{7, "test"};
  std::array<int, 12> counts{};
  for (int i = 0; i != 1'200'000; ++i)
    ++counts.at(stream.below(12));
  double chi_square = 0;
  for (const int count : counts)
    chi_square += (count - 1e5) * (count - 1e5) / 1e5;
  CHECK(chi_square < 31.3);  // 11 degrees of freedom, 0.999
  CHECK(stream.below(0) == 0);
  CHECK(stream.below(1) == 0);
}

TEST_CASE("below(n) has no bias for an n near 2^64") {
  random_stream stream{7, "test"};
  const std::uint64_t n = 3ull << 62;
  int upper = 0;
  for (int i = 0; i != 300'000; ++i)
    upper += stream.below(n) >= 2ull << 62;
  CHECK(upper == doctest::Approx(100'000).epsilon(0.02));
}

TEST_CASE("a fingerprint depends on order, ids, times and how many there are") {
  const auto of = [](std::initializer_list<std::pair<std::uint64_t, sim_time>> pairs) {
    fingerprint f;
    for (const auto& [id, at] : pairs)
      f.add(id, at);
    return f.value();
  };
  const std::set<std::uint64_t> different{
      of({}),
      of({{0, 0}}),
      of({{0, 0}, {0, 0}}),
      of({{1, 2}, {3, 4}}),
      of({{3, 4}, {1, 2}}),
      of({{2, 1}}),
      of({{1, 2}}),
      of({{1, 3}}),
      of({{1, 4}, {3, 2}}),
      of({{1, 2}, {3, 5}}),
      of({{1, 1}}),
      of({{1, 1}, {1, 1}}),
  };
  CHECK(different.size() == 12);
  CHECK(of({{1, 2}, {3, 4}}) == of({{1, 2}, {3, 4}}));
}

TEST_CASE("one changed bit anywhere changes half of a fingerprint's bits") {
  double sum = 0;
  int n = 0;
  for (unsigned bit = 0; bit != 64; ++bit)
    for (const bool in_time : {false, true}) {
      fingerprint a, b;
      for (std::uint64_t i = 0; i != 100; ++i) {
        const bool change = i == 50;
        a.add(i, static_cast<sim_time>(i * 1000));
        b.add(i ^ (change && !in_time ? 1ull << bit : 0),
              static_cast<sim_time>((i * 1000) ^ (change && in_time ? 1ull << bit : 0)));
      }
      const int differ = std::popcount(a.value() ^ b.value());
      CHECK(differ > 8);
      sum += differ;
      ++n;
    }
  CHECK(sum / n == doctest::Approx(32).epsilon(0.05));
}

TEST_CASE("fingerprints combine in order") {
  fingerprint a, b;
  a.combine(1);
  a.combine(2);
  b.combine(2);
  b.combine(1);
  CHECK(a.value() != b.value());
}
