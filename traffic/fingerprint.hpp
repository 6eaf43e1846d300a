/// \file
/// A run's fingerprint: a 64-bit hash over ordered (packet id, time) pairs.
///
/// Each pair is folded by one 64 x 64 -> 128 bit multiplication (both halves xored), off the chain
/// of dependencies; the state is then rotated, multiplied by an odd constant and xored with it.
/// That step is a bijection of the state, so what differed once stays different until another
/// difference undoes it by chance (2^-64), and order matters. About 2 ns a pair. Not for
/// adversaries.
#pragma once

#include <bit>
#include <cstdint>

#include "traffic/random.hpp"
#include "traffic/units.hpp"

namespace sluice {

class fingerprint {
public:
  /// Appends an arrival.
  constexpr void add(std::uint64_t id, sim_time at) {
    const auto product = static_cast<uint128>(id ^ 0x8bb8'4b93'962e'acc9)
                         * (static_cast<std::uint64_t>(at) ^ 0x2d35'8dcc'aa6c'78a5);
    absorb(static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64));
    ++count_;
  }

  /// Appends another fingerprint's value: the run's is that of all consumers, in their order.
  constexpr void combine(std::uint64_t value) {
    absorb(mix64(value));
    ++count_;
  }

  /// Of everything added so far; more may follow.
  constexpr std::uint64_t value() const { return mix64(state_ ^ mix64(count_)); }

private:
  constexpr void absorb(std::uint64_t word) {
    state_ = std::rotl(state_, 29) * 0x9e37'79b9'7f4a'7c15 ^ word;
  }

  std::uint64_t state_ = 0x243f'6a88'85a3'08d3;
  std::uint64_t count_ = 0;
};

}  // namespace sluice
