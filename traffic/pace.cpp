#include "traffic/pace.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

#include "traffic/error.hpp"
#include "traffic/exponential.hpp"

namespace sluice {

namespace {

constexpr std::uint64_t bits_ps = 8 * static_cast<std::uint64_t>(second);  // of a byte at 1 bit/s
constexpr std::uint64_t million = 1'000'000;
constexpr unsigned most_mean_bits = 20;

std::uint64_t saturate(uint128 value) {
  constexpr auto most = static_cast<uint128>(never);
  return static_cast<std::uint64_t>(std::min(value, most));
}

[[noreturn]] void refuse(const char* why) {
  throw traffic_error{traffic_ec::bad_config, why};
}

gap_rule rule_of(const generator_config& config) {
  const auto& settings = config.settings;
  if ((settings.rate_bps != 0) + (settings.pps != 0) + (settings.share_ppm != 0) != 1)
    refuse("a generator needs exactly one of rate, share and pps, and not 0");
  if (settings.rate_bps != 0)
    return gap_rule::of_rate(settings.rate_bps);
  if (settings.pps != 0)
    return gap_rule::of_pps(settings.pps);
  if (config.line_bps == 0)
    refuse("a share of the line needs the line's rate");
  return gap_rule::of_share(settings.share_ppm, config.line_bps);
}

}  // namespace

size_mix size_mix::of(std::uint32_t size_bytes) {
  if (size_bytes == 0)
    return {{60, 590, 1514}, {7, 4, 1}};
  return {{size_bytes, 0, 0}, {1, 0, 0}};
}

gap_rule gap_rule::of_rate(std::uint64_t bps) {
  return {0, bits_ps, bps};
}

gap_rule gap_rule::of_pps(std::uint64_t pps) {
  return {static_cast<std::uint64_t>(second), 0, pps};
}

gap_rule gap_rule::of_share(std::uint32_t share_ppm, std::uint64_t line_bps) {
  const auto common = std::gcd<std::uint64_t>(share_ppm, million);
  const auto denominator = static_cast<uint128>(line_bps) * (share_ppm / common);
  if (denominator > std::numeric_limits<std::int64_t>::max())
    refuse("this share of this line is too fast");
  const auto byte = static_cast<uint128>(bits_ps) * (million / common);
  return {byte * ethernet_overhead_bytes, byte, static_cast<std::uint64_t>(denominator)};
}

pace::pace(const generator_config& config, const size_mix& mix)
    : mix_{mix},
      poisson_{config.settings.arrivals == arrival_process::poisson},
      random_{config.seed, "gaps"},
      due_{config.start} {
  set_rule(rule_of(config));
  for (const auto& change : config.rate_profile) {
    if (!changes_.empty() && change.at < changes_.back().at)
      refuse("changes of a rate are not in the order of time");
    changes_.push_back(change);
  }
  // Changes up to the start only say at which rate to start.
  while (change_ != changes_.size() && changes_[change_].at <= config.start)
    ++change_;
  if (change_ != 0 && changes_[change_ - 1].rate_bps != 0)
    set_rule(gap_rule::of_rate(changes_[change_ - 1].rate_bps));
  held_ = change_ != 0 && changes_[change_ - 1].rate_bps == 0;
  next_change_ = change_ == changes_.size() ? never : changes_[change_].at;
  if (poisson_)
    due_ = later_by_random_gap(due_);
  if (held_) {
    // The gap that was begun, if any, goes on when there is a rate.
    held_left_ = static_cast<std::uint64_t>(due_ - config.start);
    held_gap_ = gap_for_scaling(0);
    due_ = never;
  }
  if (due_ > next_change_)
    change_rate(0);
}

void pace::set_rule(const gap_rule& rule) {
  denominator_ = rule.denominator;
  remainder_ = 0;
  uint128 weighted = 0;
  for (std::size_t i = 0; i != mix_.bytes.size(); ++i) {
    const auto gap = rule.of(mix_.bytes[i]);
    steps_[i] = {static_cast<sim_time>(saturate(gap / rule.denominator)),
                 static_cast<std::uint64_t>(gap % rule.denominator)};
    weighted += gap * mix_.weight[i];
  }
  // As many bits after the point as leave room for the mean itself below 2^61.
  const auto divisor = static_cast<uint128>(rule.denominator) * mix_.total_weight();
  mean_bits_ = most_mean_bits;
  while (mean_bits_ != 0 && (weighted << mean_bits_) / divisor >= static_cast<uint128>(never))
    --mean_bits_;
  mean_ = saturate((weighted << mean_bits_) / divisor);
  fraction_ = 0;
}

// The gap that is under way, in any unit that is the same before and after a change of rate. At
// least 1: it is divided by.
std::uint64_t pace::gap_for_scaling(std::size_t size) const {
  const auto gap =
      poisson_ ? mean_ >> mean_bits_ : static_cast<std::uint64_t>(steps_[size].quotient);
  return std::max<std::uint64_t>(gap, 1);
}

// What is left of the gap to the next packet passes at the new rate.
void pace::change_rate(std::size_t size) {
  while (change_ != changes_.size() && due_ > changes_[change_].at) {
    const auto& change = changes_[change_++];
    if (!held_) {
      held_left_ = static_cast<std::uint64_t>(due_ - change.at);
      held_gap_ = gap_for_scaling(size);
    }
    held_ = change.rate_bps == 0;
    if (held_) {
      due_ = never;
      continue;
    }
    set_rule(gap_rule::of_rate(change.rate_bps));
    const auto left = static_cast<uint128>(held_left_) * gap_for_scaling(size) / held_gap_;
    due_ = later(change.at, static_cast<sim_time>(saturate(left)));
  }
  next_change_ = change_ == changes_.size() ? never : changes_[change_].at;
}

sim_time pace::later_by_random_gap(sim_time from) {
  fraction_ += static_cast<uint128>(exponential::from_bits(random_.next())) * mean_;
  const unsigned bits = exponential::fraction_bits + mean_bits_;
  const auto whole = fraction_ >> bits;
  fraction_ -= whole << bits;
  return later(from, static_cast<sim_time>(saturate(whole)));
}

}  // namespace sluice
