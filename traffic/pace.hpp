/// \file
/// Internal to traffic/: when a generator's packets follow each other.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "traffic/generator.hpp"
#include "traffic/random.hpp"

namespace sluice {

/// Sizes that a generator sends; one, or IMIX.
struct size_mix {
  std::array<std::uint32_t, 3> bytes{};
  std::array<std::uint32_t, 3> weight{};

  static size_mix of(std::uint32_t size_bytes);
  std::uint32_t total_weight() const { return weight[0] + weight[1] + weight[2]; }
};

/// What determines the gap after a packet: `per_packet` + `per_byte` * bytes, over `denominator`
/// picoseconds. Whole numbers of unlimited truth: never rounded before the division.
struct gap_rule {
  uint128 per_packet = 0;
  uint128 per_byte = 0;
  std::uint64_t denominator = 1;

  static gap_rule of_rate(std::uint64_t bps);
  static gap_rule of_pps(std::uint64_t pps);
  static gap_rule of_share(std::uint32_t share_ppm, std::uint64_t line_bps);

  uint128 of(std::uint32_t bytes) const { return per_packet + per_byte * bytes; }
};

/// The absolute schedule of a generator under a changing rate. `due` is when the next packet is
/// due.
class pace {
public:
  /// \throws traffic_error bad_config
  pace(const generator_config& config, const size_mix& mix);

  sim_time due() const { return due_; }

  /// Past a packet of size class `size`, the next following by its gap exactly: the quotient is
  /// added and the remainder carried.
  void advance(std::size_t size) {
    const auto& step = steps_[size];
    due_ += step.quotient;
    remainder_ += step.remainder;
    if (remainder_ >= denominator_) {
      remainder_ -= denominator_;
      ++due_;
    }
    if (due_ > next_change_)
      change_rate(size);
  }

  /// Past any packet, the next following by an exponential gap.
  void advance_poisson() {
    due_ = later_by_random_gap(due_);
    if (due_ > next_change_)
      change_rate(0);
  }

private:
  struct gap_step {
    sim_time quotient = 0;
    std::uint64_t remainder = 0;
  };

  void set_rule(const gap_rule& rule);
  void change_rate(std::size_t size);
  std::uint64_t gap_for_scaling(std::size_t size) const;
  sim_time later_by_random_gap(sim_time from);

  size_mix mix_;
  bool poisson_;
  random_stream random_;
  sim_time due_ = 0;
  std::array<gap_step, 3> steps_{};
  std::uint64_t remainder_ = 0, denominator_ = 1;
  std::uint64_t mean_ = 0;  // of all gaps, with mean_bits_ after the point
  unsigned mean_bits_ = 0;
  uint128 fraction_ = 0;                                // of due_, for exponential gaps
  std::vector<generator_config::rate_change> changes_;  // those after start
  std::size_t change_ = 0;
  sim_time next_change_ = never;
  bool held_ = false;            // at rate 0
  std::uint64_t held_left_ = 0;  // what is left of the gap...
  std::uint64_t held_gap_ = 1;   // ...of so much, when the rate is no longer 0
};

}  // namespace sluice
