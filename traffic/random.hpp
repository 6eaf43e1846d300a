/// \file
/// Chance: one seeded stream for each component, the same on every machine.
///
/// A stream's seed comes from the run's seed and the component's name, so a new component changes
/// nobody else's numbers. The generator is xoshiro256** (Blackman and Vigna, "Scrambled linear
/// pseudorandom number generators", 2021), its state filled by splitmix64.
#pragma once

#include <bit>
#include <cstdint>
#include <string_view>

#include "traffic/units.hpp"

namespace sluice {

/// One step of splitmix64: a bijection that mixes every bit into every other.
constexpr std::uint64_t mix64(std::uint64_t x) {
  x += 0x9e37'79b9'7f4a'7c15;
  x = (x ^ (x >> 30)) * 0xbf58'476d'1ce4'e5b9;
  x = (x ^ (x >> 27)) * 0x94d0'49bb'1331'11eb;
  return x ^ (x >> 31);
}

/// The seed of a component: depends on every character of its name and on the run's seed.
constexpr std::uint64_t derive_seed(std::uint64_t run_seed, std::string_view name) {
  std::uint64_t h = mix64(run_seed);
  for (const char c : name)
    h = mix64(h ^ static_cast<std::uint8_t>(c));
  return mix64(h ^ name.size());
}

class random_stream {
public:
  using result_type = std::uint64_t;

  explicit constexpr random_stream(std::uint64_t seed) {
    for (auto& word : s_) {
      word = mix64(seed);
      seed += 0x9e37'79b9'7f4a'7c15;
    }
  }

  constexpr random_stream(std::uint64_t run_seed, std::string_view component)
      : random_stream{derive_seed(run_seed, component)} {}

  /// 64 uniform bits.
  constexpr std::uint64_t next() {
    const std::uint64_t result = std::rotl(s_[1] * 5, 7) * 9;
    const std::uint64_t t = s_[1] << 17;
    s_[2] ^= s_[0];
    s_[3] ^= s_[1];
    s_[1] ^= s_[2];
    s_[0] ^= s_[3];
    s_[2] ^= t;
    s_[3] = std::rotl(s_[3], 45);
    return result;
  }

  /// Uniform in [0, n), each value exactly as likely (Lemire, "Fast random integer generation in an
  /// interval", 2019). n = 0 gives 0.
  constexpr std::uint64_t below(std::uint64_t n) {
    auto product = static_cast<uint128>(next()) * n;
    if (static_cast<std::uint64_t>(product) < n) {
      const std::uint64_t threshold = n == 0 ? 0 : (0 - n) % n;
      while (static_cast<std::uint64_t>(product) < threshold)
        product = static_cast<uint128>(next()) * n;
    }
    return static_cast<std::uint64_t>(product >> 64);
  }

  /// True with probability `ppm` millionths.
  constexpr bool chance_ppm(std::uint32_t ppm) { return below(1'000'000) < ppm; }

  // What the standard's algorithms want of a generator.
  static constexpr std::uint64_t min() { return 0; }
  static constexpr std::uint64_t max() { return UINT64_MAX; }
  constexpr std::uint64_t operator()() { return next(); }

private:
  std::uint64_t s_[4]{};
};

}  // namespace sluice
