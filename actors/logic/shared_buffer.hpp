/// \file
/// The buffer of a switch, shared by its ports: who has room, and whom to pause.
///
/// Every frame is charged to the ingress port by which it came and to its priority; together they
/// are an *account*. A frame takes what is left of its account's own reserve, then of the shared
/// pool, as far as the account's threshold allows, and if its priority is lossless then of the
/// account's head-room. With none of them it is dropped.
///
///     |<- reserve, by account ->|<----------- shared pool ----------->|<- head-room, by account
///     ->|
///                                    XON ... XOFF: a static size, or
///                                    free shared space >> shift
///
/// * A lossless account is to pause its sender (XOFF) once it has as much of the shared pool as its
///   threshold says, or takes of its head-room. It lets it go on (XON) when its head-room is empty
///   and it has no more of the pool than the threshold less `xon_offset`. A dynamic threshold is
///   looked up at the time: it falls as the pool fills, for all accounts alike.
/// * A frame that leaves gives back head-room first, then shared space, then reserve.
/// * Reserves and head-room of all accounts are set aside; the pool is what is left of the buffer.
///
/// Times play no role here: the caller calls in the order of time.
/// Source: IEEE 802.1Q-2018 clause 36 and annex N (head-room); the dynamic threshold of Choudhury
/// and Hahne, "Dynamic queue length thresholds for shared-memory packet switches" (1998), with a
/// power of two for alpha as in merchant silicon.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace sluice {

class shared_buffer {
public:
  struct account_config {
    std::int64_t reserve = 0;     ///< bytes that are its own
    std::int64_t headroom = 0;    ///< bytes for what comes after XOFF; lossless only
    std::int64_t xoff = -1;       ///< static threshold in bytes of the pool; negative: dynamic
    std::uint8_t shift = 3;       ///< dynamic: the free part of the pool, divided by 2^shift
    std::int64_t xon_offset = 0;  ///< bytes below the threshold
    bool lossless = false;
  };
  struct verdict {
    bool accepted = false;
    bool pause = false;  ///< the account has just come to XOFF
  };
  struct account {
    std::int64_t bytes = 0, packets = 0;  ///< in the buffer
    std::int64_t shared = 0, headroom = 0;
    std::int64_t max_bytes = 0, max_headroom = 0;
    /// How close it came: the largest share of its threshold that it ever had, in millionths.
    std::int64_t closest_ppm = 0;
    std::uint64_t xoffs = 0, xons = 0;
    bool pausing = false;
  };

  /// \pre total is at least the sum of all reserves and head-rooms.
  shared_buffer(std::int64_t total, std::vector<account_config> accounts)
      : configs_{std::move(accounts)}, accounts_(configs_.size()), pool_{total} {
    for (const auto& c : configs_)
      pool_ -= c.reserve + c.headroom;
  }

  std::int64_t shared_size() const { return pool_; }
  std::int64_t shared_free() const { return pool_ - shared_used_; }
  const account& of(std::size_t a) const { return accounts_[a]; }

  /// As much of the pool as the account may have now.
  std::int64_t threshold(std::size_t a) const {
    const auto& c = configs_[a];
    return c.xoff >= 0 ? c.xoff : shared_free() >> c.shift;
  }

  /// It goes on once it has no more of the pool than this.
  std::int64_t xon_threshold(std::size_t a) const {
    return std::max<std::int64_t>(0, threshold(a) - configs_[a].xon_offset);
  }

  /// A frame has come. Its bytes may lie in several pools.
  verdict arrive(std::size_t a, std::int64_t bytes) {
    const auto& c = configs_[a];
    auto& x = accounts_[a];
    const auto reserved = std::min(x.bytes - x.shared - x.headroom, c.reserve);
    const auto own = std::min(bytes, c.reserve - reserved);
    const auto rest = bytes - own;
    if (rest > 0) {
      const auto limit = threshold(a);
      const bool fits = rest <= shared_free() && !x.pausing && x.shared < limit;
      if (fits)
        x.shared += rest, shared_used_ += rest;
      else if (c.lossless && x.headroom + rest <= c.headroom)
        x.headroom += rest;
      else
        return {false, start_pause(a)};
    }
    x.bytes += bytes;
    ++x.packets;
    x.max_bytes = std::max(x.max_bytes, x.bytes);
    x.max_headroom = std::max(x.max_headroom, x.headroom);
    const bool pause = start_pause(a);
    if (rest > 0 && !pause && !x.pausing)
      note_closeness(x, threshold(a));
    return {true, pause};
  }

  /// A frame of the account has left. True: its sender may go on (XON).
  bool leave(std::size_t a, std::int64_t bytes) {
    auto& x = accounts_[a];
    x.bytes -= bytes;
    --x.packets;
    const auto from_headroom = std::min(x.headroom, bytes);
    x.headroom -= from_headroom;
    const auto from_shared = std::min(x.shared, bytes - from_headroom);
    x.shared -= from_shared;
    shared_used_ -= from_shared;
    return end_pause(a);
  }

  /// The account is pausing and need no longer: another one's frames have left. For dynamic
  /// thresholds, which rise for all when the pool empties.
  bool end_pause(std::size_t a) {
    auto& x = accounts_[a];
    if (!x.pausing || x.headroom > 0 || x.shared > xon_threshold(a))
      return false;
    x.pausing = false;
    ++x.xons;
    return true;
  }

private:
  bool start_pause(std::size_t a) {
    auto& x = accounts_[a];
    if (!configs_[a].lossless || x.pausing || (x.headroom == 0 && x.shared < threshold(a)))
      return false;
    x.pausing = true;
    x.closest_ppm = 1'000'000;
    ++x.xoffs;
    return true;
  }

  static void note_closeness(account& x, std::int64_t limit) {
    // Of one that may not pause, and has come there, too.
    const auto ppm = limit <= 0 || x.shared >= limit ? 999'999 : x.shared * 1'000'000 / limit;
    x.closest_ppm = std::max(x.closest_ppm, ppm);
  }

  std::vector<account_config> configs_;
  std::vector<account> accounts_;
  std::int64_t pool_;
  std::int64_t shared_used_ = 0;
};

}  // namespace sluice
