/// \file
/// How fast a source may send that is told of congestion: down by a factor at each notification, up
/// again step by step.
///
///     notified   target = current;  current x (1 - alpha / 2);  alpha = (1 - g) alpha + g
///     otherwise  alpha = (1 - g) alpha, each `alpha_time` without a notification
///                each `increase_time`, and each `increase_bytes` sent, is a stage:
///                  fast recovery   the first `fast_stages` of both: current = (target + current)/2
///                  additive        then: target + `additive`, and likewise
///                  hyper           when both are beyond: target + `hyper`
///
/// It is that of DCQCN, the QCN of IEEE 802.1Qau as RDMA has it. Times do not go back; what happens
/// at one time is taken in this order: stages, then the notification.
///
/// Source: Zhu et al., "Congestion control for large-scale RDMA deployments" (2015), sections 3 and
/// 5; IEEE 802.1Q-2018 clause 30.
#pragma once

#include <algorithm>
#include <cstdint>

#include "traffic/units.hpp"

namespace sluice {

class rate_limiter {
public:
  struct config {
    std::uint64_t line_bps = 0;  ///< never faster
    std::uint64_t min_bps = 100'000'000;
    std::uint64_t additive_bps = 40'000'000, hyper_bps = 200'000'000;
    sim_time alpha_time = 55 * microsecond, increase_time = 55 * microsecond;
    std::uint64_t increase_bytes = 10'000'000;
    unsigned fast_stages = 5;
    unsigned gain_shift = 8;  ///< g = 1 / 2^gain_shift
  };

  rate_limiter() = default;
  explicit rate_limiter(const config& c)
      : config_{c}, target_{c.line_bps}, current_{c.line_bps}, lowest_{c.line_bps} {}

  /// A notification has come at `t`.
  void notify(sim_time t) {
    advance(t);
    ++notifications_;
    target_ = current_;
    current_ -= static_cast<std::uint64_t>(static_cast<uint128>(current_) * alpha_ / (2 * one));
    current_ = std::max(current_, std::min(config_.min_bps, config_.line_bps));
    lowest_ = std::min(lowest_, current_);
    alpha_ += (one - alpha_) >> config_.gain_shift;
    alpha_at_ = later(t, config_.alpha_time);
    increase_at_ = later(t, config_.increase_time);
    time_stages_ = byte_stages_ = 0;
    bytes_ = 0;
  }
  /// It has begun to send so many bytes at `t`.
  void sent(std::uint32_t bytes, sim_time t) {
    advance(t);
    if (!limited())
      return;
    for (bytes_ += bytes; bytes_ >= config_.increase_bytes; bytes_ -= config_.increase_bytes) {
      ++byte_stages_;
      increase();
    }
  }
  /// Takes in the stages up to `t`.
  void advance(sim_time t) {
    while (alpha_at_ <= t) {
      alpha_ -= alpha_ >> config_.gain_shift;
      alpha_at_ = later(alpha_at_, config_.alpha_time);
    }
    while (increase_at_ <= t) {
      increase_at_ = later(increase_at_, config_.increase_time);
      ++time_stages_;
      increase();
    }
  }

  bool limited() const { return current_ < config_.line_bps; }
  std::uint64_t bps() const { return current_; }
  std::uint64_t lowest_bps() const { return lowest_; }
  std::uint64_t notifications() const { return notifications_; }
  /// How long a packet of so many bytes takes at this rate, from its start to the next one's.
  sim_time time_of(std::uint32_t bytes) const { return line_rate{current_}.time_of(bytes); }

private:
  static constexpr std::uint64_t one = 1u << 20;  // of alpha

  void increase() {
    const bool time = time_stages_ > config_.fast_stages;
    const bool by_bytes = byte_stages_ > config_.fast_stages;
    if (time && by_bytes)
      target_ += config_.hyper_bps;
    else if (time || by_bytes)
      target_ += config_.additive_bps;
    target_ = std::min(target_, config_.line_bps);
    current_ = (target_ + current_ + 1) / 2;  // rounded up, or it would never get there
    if (!limited()) {
      alpha_at_ = increase_at_ = never;  // until the next notification
      alpha_ = one;
    }
  }

  config config_;
  std::uint64_t target_ = 0, current_ = 0, lowest_ = 0;
  std::uint64_t alpha_ = one;
  sim_time alpha_at_ = never, increase_at_ = never;
  unsigned time_stages_ = 0, byte_stages_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t notifications_ = 0;
};

}  // namespace sluice
