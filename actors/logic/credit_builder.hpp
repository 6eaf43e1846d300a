/// \file
/// Credit lists, the receiver's side: the credit list builder/communicator.
///
///     receive requests ──▶ [ receive queue: buffers, told of or not ] ──▶ credit lists
///     data packets     ──▶
///
/// Each receive request of the application is a buffer at the end of the receive queue, and a
/// credit. Packets fill the buffers in order. Two pointers:
///
/// * `Next`: the first buffer that the sender has not been told of. None: all have been.
/// * `Rtrip`: the buffer of the first credit of the last list. While it is not filled nobody knows
///   whether the sender has a buffer for another list; when it is, it has (see credit_reader.hpp),
///   and Rtrip is none. A sender with several such buffers may have as many lists on their way.
///
/// **The first list** goes when the sender has no credits, or when `first_list` of them have been
/// accumulated. **Each further one** carries what has been accumulated since, up to `most`: when
///
///   * `first`, `last`, `middle`: that buffer of the last list has been filled (FIG. 4);
///   * `adaptive`: a buffer has been filled that is chosen, each time that one is, by the rate at
///     which they are used: so near to the end that a new list is just there in time (FIG. 5);
///   * `timed`: the time has come at which the sender would run out by that rate, less a round
///     trip;
///   * `predictive`: likewise, by a filter over the times of use (use_filter.hpp), asked with each
///     list and again whenever an eighth of what it was asked about has been used;
///   * `switching`: as `first` or `last`, whatever suits the amount that the sender says remains
///     to be sent, and whether it has had to wait; but it stays as it is while the rate varies
///     too much (FIG. 6, claim 40).
///
/// A sender without credits gets what there is at once, as with the first list. But by a rate
/// (`adaptive`, `timed`, `predictive`) nobody is in a hurry as long as the application has data for
/// a round trip: then it is the one that everybody waits for, and credits may accumulate until it
/// would run out, whether the sender has some or not. In `switching` the sender gets none if it
/// said that no more remains to be sent than it has credits for.
///
/// **A maximum bandwidth**: a credit is withheld as long as the sender could exceed it with what it
/// has been told of: credits are told of no faster than `limit`, and no further ahead of that than
/// `burst`, or than two round trips take. What a packet leaves of its credit counts no longer.
///
/// Without a buffer for it, or with one that is too small, a packet breaks the connection (VIA).
///
/// Source: WO 00/41365, FIG. 4 to 6 and 8; claims 12 to 16, 31 to 40.
#pragma once

#include <cstdint>
#include <vector>

#include "actors/engine/ring.hpp"
#include "actors/logic/use_filter.hpp"
#include "traffic/units.hpp"

namespace sluice {

class credit_builder {
public:
  enum class trigger : std::uint8_t { first, middle, last, adaptive, timed, predictive, switching };
  struct config {
    trigger when = trigger::first;
    unsigned most = 32;        ///< credits of a list: what a message of the control channel holds
    unsigned first_list = 32;  ///< so many accumulated: the first list goes
    unsigned lists = 1;        ///< buffers for credit lists that the sender has
    sim_time round_trip = 0;   ///< at least; longer ones are measured
    std::uint64_t limit_bps = 0;   ///< of the sender's data; 0: none
    std::int64_t burst_bytes = 0;  ///< that it may be ahead of that; at least the largest buffer
    /// `switching`: only while the mean deviation of intervals is less.
    unsigned steady_percent = 100;
  };
  /// What has become of a data packet.
  enum class arrival : std::uint8_t { filled, no_buffer, too_small };
  static constexpr std::uint64_t unknown = ~std::uint64_t{0};

  explicit credit_builder(const config& c) : config_{c} {}

  /// The application wants data in a buffer of so many bytes.
  void post(std::uint32_t bytes, sim_time at);
  /// A packet with so much data. \param remaining what the sender says it has besides, or `unknown`
  arrival arrive(std::uint32_t bytes, sim_time at, std::uint64_t remaining = unknown);
  /// From when on there is a list to be sent, if nothing else happens; not before `now`, to which
  /// all is known. `never`: there is none.
  sim_time due(sim_time now) const;
  /// The list that goes now, its credits in order: `list` is overwritten. \pre due(now) <= now
  void take(std::vector<std::uint32_t>& list, sim_time now);

  // -- to look at -------------------------------------------------------------------------------

  /// Sizes of the buffers in the receive queue, in order.
  std::vector<std::uint32_t> buffers() const;
  /// Pointers, as positions in the receive queue; -1: none.
  std::int64_t next() const {
    return told_ == buffers_.size() ? -1 : static_cast<std::int64_t>(told_);
  }
  std::int64_t rtrip() const;

  std::size_t outstanding() const { return told_; }  ///< credits that the sender has not used
  std::uint64_t lists() const { return lists_; }
  std::uint64_t credits() const { return credits_; }  ///< told of, ever
  std::uint64_t filled() const { return filled_; }
  std::uint64_t wasted_bytes() const { return wasted_; }
  std::uint64_t switches() const { return switches_; }
  std::size_t most_outstanding() const { return most_outstanding_; }
  /// How long a list has taken until its first credit was used, at least.
  sim_time round_trip() const { return measured_ < never ? measured_ : config_.round_trip; }

private:
  // Of a list: the number of its first buffer, counted from the begin, and how many it has.
  struct list {
    std::uint64_t first = 0;
    std::uint32_t size = 0;
    sim_time sent = 0;
    bool starved = false;  // the sender had no credits, so that its first use measures a round trip
  };

  bool room_for_list() const;
  sim_time triggered_at(sim_time now) const;
  sim_time cost(std::uint64_t bytes) const;
  sim_time allowed_at(std::uint64_t bytes) const;
  std::uint64_t trigger_now() const;
  bool told_enough() const;
  sim_time busy() const;
  void count_use(sim_time at, bool waited);
  void choose_mode();
  void predict();
  bool by_rate() const {
    return config_.when == trigger::adaptive || config_.when == trigger::timed
           || config_.when == trigger::predictive;
  }

  config config_;
  ring<std::uint32_t> buffers_;
  std::size_t told_ = 0;                   // of buffers_, from the front
  std::uint64_t filled_ = 0;               // ever: the number of the first buffer
  ring<list> lists_out_;                   // whose first buffer has not been filled
  list last_;                              // the last one that was sent
  std::uint64_t trigger_ = 0;              // the buffer of it that lets the next one go
  sim_time last_use_ = -1;                 // when a buffer was last filled
  sim_time interval_ = 0, deviation_ = 0;  // mean between two uses, and mean difference from it
  std::uint64_t intervals_ = 0;
  use_filter filter_;
  std::size_t predicted_for_ = 0;  // outstanding credits, of which was predicted...
  sim_time runs_out_ = 0;          // ...that they are used up then
  std::size_t most_posted_ = 0;    // what is not posted of so many is with the application
  sim_time last_post_ = 0;
  sim_time work_ = 0;  // mean time between two requests while it has something to do
  std::uint64_t works_ = 0;
  bool working_ = false;  // it had, after the last one
  sim_time measured_ = never;
  bool eager_ = true;  // `switching`: as `first`, or as `last`
  std::uint64_t remaining_ = unknown;
  std::int64_t told_bytes_ = 0;  // of the outstanding credits
  sim_time earned_at_ = 0;       // with a limit: when all that was told of would have been allowed
  std::uint64_t lists_ = 0, credits_ = 0, wasted_ = 0, switches_ = 0;
  std::size_t most_outstanding_ = 0;
};

}  // namespace sluice
