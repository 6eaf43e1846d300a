/// \file
/// The credits that a buffer gives, by virtual lane, and when it says so.
///
/// The port looks at fixed times, `update` apart: for each lane of which anything has left since it
/// looked last it wants a flow packet sent, with the credit limit (FCCL) as of then. What leaves at
/// the very time of a look counts for the next one.
///
/// The limit is room + blocks that have left, modulo 4096: as ABR + free, which the specification
/// has, while nothing is lost on the way (ib_credits.hpp is literal); what is lost, the sender's
/// side makes good (ib_window.hpp).
///
/// Source: InfiniBand Architecture Specification, volume 1, 7.9.4.
#pragma once

#include <array>

#include "actors/engine/ring.hpp"
#include "actors/logic/ib_credits.hpp"
#include "actors/logic/pause_requests.hpp"

namespace sluice {

class ib_grants {
public:
  struct config {
    std::uint8_t lanes = 0;                              ///< bit n: lane n has credits
    std::array<std::uint16_t, pause_classes> granted{};  ///< blocks, from the start on
    sim_time update = microsecond;                       ///< positive
  };

  explicit ib_grants(const config& c) : config_{c}, limit_{c.granted} {}

  /// A packet has left the buffer. Mostly in order of time; never before a look that was had.
  void leave(unsigned lane, std::uint32_t bytes, sim_time at) {
    if ((config_.lanes >> lane & 1) == 0)
      return;
    insert_by_time(freed_, amount{at, static_cast<std::uint16_t>(ib_blocks(bytes)),
                                  static_cast<std::uint8_t>(lane)});
  }

  /// The first look later than `t`, and the last that is no later.
  sim_time look_after(sim_time t) const {
    return t >= never ? never : later(t - t % config_.update, config_.update);
  }
  sim_time look_until(sim_time t) const { return t - t % config_.update; }
  /// When there is something to say; never: nothing has left that was not said.
  sim_time due() const { return freed_.empty() ? never : look_after(freed_.front().at); }

  /// Nothing that leaves before `known` is missing: hands over the flow packets until then.
  template <class Send>
  void look(sim_time known, Send send) {
    while (due() <= known && !freed_.empty()) {
      const auto at = due();
      unsigned lanes = 0;
      while (!freed_.empty() && freed_.front().at < at) {
        const auto f = freed_.front();
        freed_.pop();
        limit_[f.lane] = static_cast<std::uint16_t>((limit_[f.lane] + f.blocks) & ib_count_mask);
        lanes |= 1u << f.lane;
      }
      for (unsigned lane = 0; lane < pause_classes; ++lane)
        if ((lanes >> lane & 1) != 0)
          send(pause_request{at,
                             static_cast<std::uint8_t>(1u << lane),
                             0,
                             limit_[lane],
                             0,
                             pause_request::kind::credit,
                             {}});
    }
  }

private:
  struct amount {
    sim_time at;
    std::uint16_t blocks;
    std::uint8_t lane;
  };

  config config_;
  std::array<std::uint16_t, pause_classes> limit_;
  ring<amount> freed_;
};

}  // namespace sluice
