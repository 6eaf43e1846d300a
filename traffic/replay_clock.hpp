/// \file
/// Internal to traffic/: from time stamps, bytes and counts to due times; see replay.hpp.
#pragma once

#include <cstdint>

#include "traffic/capture.hpp"
#include "traffic/settings.hpp"
#include "traffic/units.hpp"

namespace sluice {

/// Follows the selected packets of one round. All times count from the round's begin.
class replay_clock {
public:
  enum class stamp : std::uint8_t { forward, backward, none };

  explicit replay_clock(const replay_timing& timing);

  /// Moves on to a packet.
  stamp packet(const capture_record& record);

  /// When the packet's next piece, of `bytes`, is due.
  sim_time piece(std::uint32_t bytes);

  /// When round k begins, once a whole round has passed through: what `begin_of_round` needs.
  struct round {
    replay_timing::mode how = replay_timing::mode::as_fast_as_possible;
    int128 period_ps = 0;  ///< as captured, before speed
    std::uint64_t speed_num = 1, speed_den = 1;
    std::uint64_t units = 0;  ///< bits or packets in a round
    std::uint64_t units_per_second = 1;

    sim_time begin(std::uint64_t k) const;
  };
  round finish() const;

private:
  replay_timing timing_;
  std::uint64_t packets_ = 0;
  bool any_stamp_ = false;
  std::int64_t latest_ns_ = 0;
  int128 elapsed_ps_ = 0;                 // of the latest stamp, long gaps shortened, before speed
  sim_time elapsed_due_ = 0;              // the same after speed
  std::uint64_t bytes_ = 0, pieces_ = 0;  // before the next piece
};

}  // namespace sluice
