#include "traffic/replay_clock.hpp"

#include <algorithm>
#include <numeric>

#include "traffic/error.hpp"

namespace sluice {

namespace {

using mode = replay_timing::mode;

// Keeps elapsed * den within 128 bits: 2^73 ps (2^63 ns) times 2^40.
constexpr std::uint64_t max_speed_term = 1'000'000'000'000;

sim_time scale(int128 ps, std::uint64_t num, std::uint64_t den) {
  const auto scaled = num == 1 && den == 1 ? ps : ps * den / num;
  return scaled >= never ? never : static_cast<sim_time>(scaled);
}

[[noreturn]] void refuse(const char* why) {
  throw traffic_error{traffic_ec::bad_config, why};
}

// As captured is speed 1, and speeds are in lowest terms.
replay_timing checked(replay_timing timing) {
  if (timing.repeat == 0)
    refuse("repeat: 0 plays nothing");
  if (timing.max_gap && *timing.max_gap < 0)
    refuse("max-gap is negative");
  if (timing.how == mode::rate && timing.rate_bps == 0)
    refuse("rate is 0");
  if (timing.how == mode::pps && timing.pps == 0)
    refuse("pps is 0");
  if (timing.how != mode::speed) {
    timing.speed_num = timing.speed_den = 1;
    return timing;
  }
  if (timing.speed_num == 0 || timing.speed_den == 0)
    refuse("speed is 0");
  const auto common = std::gcd(timing.speed_num, timing.speed_den);
  timing.speed_num /= common;
  timing.speed_den /= common;
  if (std::max(timing.speed_num, timing.speed_den) > max_speed_term)
    refuse("speed has too many digits");
  return timing;
}

}  // namespace

replay_clock::replay_clock(const replay_timing& timing) : timing_{checked(timing)} {}

replay_clock::stamp replay_clock::packet(const capture_record& record) {
  ++packets_;
  if (!record.stamped)
    return stamp::none;
  if (!any_stamp_) {
    any_stamp_ = true;
    latest_ns_ = record.timestamp_ns;
    return stamp::forward;
  }
  if (record.timestamp_ns < latest_ns_)
    return stamp::backward;
  int128 gap = int128{record.timestamp_ns - latest_ns_} * nanosecond;
  if (timing_.max_gap)
    gap = std::min<int128>(gap, *timing_.max_gap);
  latest_ns_ = record.timestamp_ns;
  elapsed_ps_ += gap;
  elapsed_due_ = scale(elapsed_ps_, timing_.speed_num, timing_.speed_den);
  return stamp::forward;
}

sim_time replay_clock::piece(std::uint32_t bytes) {
  const auto bytes_before = bytes_, pieces_before = pieces_;
  bytes_ += bytes;
  ++pieces_;
  switch (timing_.how) {
    case mode::rate:
      return absolute_time(bytes_before * 8, timing_.rate_bps);
    case mode::pps:
      return absolute_time(pieces_before, timing_.pps);
    case mode::as_fast_as_possible:
      return 0;
    case mode::as_captured:
    case mode::speed:
      break;
  }
  return elapsed_due_;
}

replay_clock::round replay_clock::finish() const {
  round result;
  result.how = timing_.how;
  result.period_ps = packets_ < 2
                         ? elapsed_ps_
                         : elapsed_ps_ + elapsed_ps_ / static_cast<std::int64_t>(packets_ - 1);
  result.speed_num = timing_.speed_num;
  result.speed_den = timing_.speed_den;
  result.units = timing_.how == mode::rate ? bytes_ * 8 : pieces_;
  result.units_per_second = timing_.how == mode::rate  ? timing_.rate_bps
                            : timing_.how == mode::pps ? timing_.pps
                                                       : 1;
  return result;
}

sim_time replay_clock::round::begin(std::uint64_t k) const {
  switch (how) {
    case mode::as_fast_as_possible:
      return 0;
    case mode::rate:
    case mode::pps: {
      const auto total = static_cast<uint128>(units) * k;
      return total > UINT64_MAX
                 ? never
                 : absolute_time(static_cast<std::uint64_t>(total), units_per_second);
    }
    case mode::as_captured:
    case mode::speed:
      break;
  }
  // One period first: when k of them are beyond the end of time, k * period may be beyond 128 bits.
  const int128 one = scale(period_ps, speed_num, speed_den);
  return one * k >= never ? never : scale(period_ps * k, speed_num, speed_den);
}

}  // namespace sluice
