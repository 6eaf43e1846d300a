/// \file
/// Which of up to eight priorities is served next: strict, WRR or DWRR.
///
/// Strict: the highest priority that has a packet (IEEE 802.1Q-2018, 8.6.8.1). WRR: each priority
/// in turn, highest first, sends up to its weight in packets a round. DWRR: likewise with a
/// deficit in bytes that grows by its quantum each round (Shreedhar and Varghese, 1995).
#pragma once

#include <array>
#include <cstdint>

#include "traffic/packet.hpp"

namespace sluice {

class priority_scheduler {
public:
  enum class kind : std::uint8_t { strict, wrr, dwrr };
  struct config {
    kind how = kind::strict;
    /// wrr: packets a round, at least 1; dwrr: bytes a round, at least 1.
    std::array<std::uint32_t, max_priorities> weights{1, 1, 1, 1, 1, 1, 1, 1};
  };

  priority_scheduler() = default;
  explicit priority_scheduler(const config& c) : config_{c} {}

  /// The priority to serve. `waiting` has bit p set for every priority with a packet (not zero);
  /// `head_bytes(p)` is the size of its first one. Accounts the packet as sent.
  template <class HeadBytes>
  unsigned pick(unsigned waiting, HeadBytes head_bytes) {
    if (config_.how == kind::strict)
      return highest(waiting);
    // A priority that has nothing to send loses what is left of its turn.
    for (unsigned p = 0; p < max_priorities; ++p)
      if ((waiting >> p & 1) == 0)
        credit_[p] = 0;
    for (;;) {
      if ((waiting >> turn_ & 1) != 0) {
        const std::int64_t cost = config_.how == kind::wrr ? 1 : head_bytes(turn_);
        if (!entered_) {
          credit_[turn_] += config_.weights[turn_];
          entered_ = true;
        }
        if (credit_[turn_] >= cost) {
          credit_[turn_] -= cost;
          return turn_;
        }
        if (config_.how == kind::wrr)
          credit_[turn_] = 0;
      }
      turn_ = turn_ == 0 ? max_priorities - 1 : turn_ - 1;
      entered_ = false;
    }
  }

private:
  static unsigned highest(unsigned waiting) {
    return 31u - static_cast<unsigned>(__builtin_clz(waiting));
  }

  config config_;
  std::array<std::int64_t, max_priorities> credit_{};
  unsigned turn_ = max_priorities - 1;
  bool entered_ = false;
};

}  // namespace sluice
