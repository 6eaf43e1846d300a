/// \file
/// An adaptive-predictive filter: of the last intervals between two uses it predicts the next ones.
///
/// Normalised least mean squares over the last four intervals and their mean, in integers, so that
/// it gives the same everywhere. It starts as the mean of the last intervals, and learns with each
/// new one how much each of them says about the next.
///
/// Source: WO 00/41365: "the times at which buffers in a first credit message are used may be input
/// to an adaptive-predictive filter". Which one is left open; NLMS is B. Widrow and M. Hoff,
/// "Adaptive switching circuits", 1960, normalised.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "traffic/units.hpp"

namespace sluice {

class use_filter {
public:
  /// Another interval, not negative.
  void add(sim_time interval) {
    const auto x = std::min(interval, longest);
    if (seen_ >= taps)
      learn(x);
    for (std::size_t i = taps - 1; i > 0; --i)
      last_[i] = last_[i - 1];
    last_[0] = x;
    ++seen_;
  }
  /// Whether it has seen enough to predict anything.
  bool ready() const { return seen_ >= taps; }
  /// The next interval. \pre ready
  sim_time next() const { return predict(last_); }
  /// The next `n` together: each predicted from those before.
  sim_time sum_of(std::size_t n) const {
    auto x = last_;
    sim_time sum = 0;
    for (std::size_t k = 0; k < n; ++k) {
      const auto y = predict(x);
      sum = later(sum, y);
      for (std::size_t i = taps - 1; i > 0; --i)
        x[i] = x[i - 1];
      x[0] = y;
    }
    return sum;
  }

private:
  static constexpr std::size_t taps = 4;
  static constexpr std::int64_t one = 1 << 16;            // of weights
  static constexpr sim_time longest = 100 * millisecond;  // so that nothing overflows
  using window = std::array<sim_time, taps>;

  sim_time predict(const window& x) const {
    int128 sum = 0;
    for (std::size_t i = 0; i < taps; ++i)
      sum += static_cast<int128>(weights_[i]) * x[i];
    return std::clamp<sim_time>(static_cast<sim_time>(sum / one), 0, longest);
  }

  // w += (x / |x|^2) * error / 4
  void learn(sim_time interval) {
    int128 power = 1;
    for (const auto x : last_)
      power += static_cast<int128>(x) * x;
    const int128 error = interval - predict(last_);
    for (std::size_t i = 0; i < taps; ++i) {
      const auto step = error * last_[i] * one / 4 / power;
      weights_[i] = std::clamp<std::int64_t>(weights_[i] + static_cast<std::int64_t>(step),
                                             -4 * one, 4 * one);
    }
  }

  window last_{};
  std::array<std::int64_t, taps> weights_{one / 4, one / 4, one / 4, one / 4};
  std::size_t seen_ = 0;
};

}  // namespace sluice
