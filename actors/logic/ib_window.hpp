/// \file
/// What a sender may send on an InfiniBand link, by virtual lane: up to the credit limit that its
/// receiver said last.
///
/// A packet that the cable loses takes credits with it that nobody gives back. They come back by
/// the sender's own flow packets, which it sends every so often (`refresh`): its FCTBS corrects the
/// receiver's count, and the receiver's next flow packet has the difference. That exchange is
/// modelled here by its time: the first flow packet sent after the loss that gets through with its
/// answer.
///
/// A lane *waits* from when it could send but for credits until it has them.
/// Source: InfiniBand Architecture Specification, volume 1, 7.9.4.
#pragma once

#include <array>
#include <bit>
#include <vector>

#include "actors/logic/class_wait.hpp"
#include "actors/logic/ib_credits.hpp"
#include "actors/logic/ib_grants.hpp"
#include "traffic/units.hpp"

namespace sluice {

class ib_window {
public:
  struct config {
    std::uint8_t lanes = 0;  ///< bit n: lane n needs credits
    std::array<std::uint16_t, pause_classes> granted{};
    sim_time cable = 0;        ///< propagation
    sim_time refresh = never;  ///< between two of the sender's flow packets of a lane
    sim_time answer = 0;       ///< from the receiver's hearing one to its own that answers it
  };
  /// Of one lane.
  struct counters {
    std::uint64_t packets = 0;  ///< flow packets heard
    std::uint64_t waits = 0;
    sim_time waited = 0;
  };

  explicit ib_window(const config& c) : config_{c} {
    for (unsigned lane = 0; lane < pause_classes; ++lane) {
      lanes_[lane].said = c.granted[lane];
      lanes_[lane].sender.hear(c.granted[lane]);
    }
  }

  bool lacks(unsigned lane, std::uint32_t bytes) const {
    return (config_.lanes >> lane & 1) != 0 && !lanes_[lane].sender.may_send(ib_blocks(bytes));
  }
  /// It could send this now, and lacks credits.
  void wait(unsigned lane, std::uint32_t bytes, sim_time t) { lanes_[lane].wait.begin(bytes, t); }
  /// \pre not lacks
  void send(unsigned lane, std::uint32_t bytes) {
    if ((config_.lanes >> lane & 1) != 0)
      lanes_[lane].sender.send(ib_blocks(bytes));
  }
  /// It was sent until `t` and will never arrive. Exchanges get through but in `outages`, which
  /// have `from` and `to`, by time.
  template <class Outages>
  void lose(unsigned lane, std::uint32_t bytes, sim_time t, const Outages& outages) {
    if ((config_.lanes >> lane & 1) == 0)
      return;
    lost_.push_back({recovery(t, outages), t, static_cast<std::uint8_t>(lane),
                     static_cast<std::uint16_t>(ib_blocks(bytes))});
  }
  /// The outages are others, as far as nothing was decided: so what is lost comes back otherwise.
  template <class Outages>
  void revise(const Outages& outages) {
    for (auto& l : lost_)
      l.at = recovery(l.sent, outages);
  }
  /// When lost credits come back next; never: none are lost.
  sim_time recovers() const { return lost_.empty() ? never : lost_.front().at; }

  /// Takes in a flow packet that came at `r.at`, and what was recovered by then.
  void hear(const pause_request& r) {
    recover(r.at);
    const auto lane = static_cast<unsigned>(std::countr_zero(r.hold));
    auto& x = lanes_[lane];
    ++x.packets;
    x.said = r.quanta;
    go_on(lane, r.at);
  }
  void recover(sim_time t) {
    while (recovers() <= t) {
      const auto l = lost_.front();
      lost_.erase(lost_.begin());
      lanes_[l.lane].recovered = static_cast<std::uint16_t>(lanes_[l.lane].recovered + l.blocks);
      go_on(l.lane, l.at);
    }
  }

  /// When it last ended waiting. It did not start before, even if asked about an earlier time.
  sim_time resumed(unsigned lane) const { return lanes_[lane].wait.resumed; }
  /// Whether the lane waits, and with how many bytes.
  sim_time waits_since(unsigned lane) const { return lanes_[lane].wait.since; }
  std::uint32_t wanted(unsigned lane) const { return lanes_[lane].wait.wanted; }
  counters of(unsigned lane, sim_time now) const {
    const auto& x = lanes_[lane];
    return {x.packets, x.wait.times, x.wait.waited_until(now)};
  }

private:
  struct lane_state {
    ib_credit_sender sender;
    std::uint16_t said = 0;       // by the receiver
    std::uint16_t recovered = 0;  // that it does not know of
    std::uint64_t packets = 0;
    class_wait wait;
  };
  struct loss {
    sim_time at;
    sim_time sent;
    std::uint8_t lane;
    std::uint16_t blocks;
  };

  // When the credits of a packet come back that was sent until `t`: with the first exchange after
  // that which gets through.
  template <class Outages>
  sim_time recovery(sim_time t, const Outages& outages) const {
    const auto takes = 2 * config_.cable + config_.answer;
    const auto next = [&](sim_time x) {
      return later(x - x % config_.refresh, x % config_.refresh == 0 ? 0 : config_.refresh);
    };
    auto at = next(t);
    for (const auto& o : outages)
      if (o.from < later(at, takes) && o.to > at)
        at = o.to >= never ? never : next(o.to);
    return later(at, takes);
  }

  void go_on(unsigned lane, sim_time t) {
    auto& x = lanes_[lane];
    x.sender.hear(static_cast<std::uint16_t>((x.said + x.recovered) & ib_count_mask));
    if (x.wait.now() && x.sender.may_send(ib_blocks(x.wait.wanted)))
      x.wait.end(t);
  }

  config config_;
  std::array<lane_state, pause_classes> lanes_{};
  std::vector<loss> lost_;  // by time; seldom more than one
};

}  // namespace sluice
