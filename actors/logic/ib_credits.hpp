/// \file
/// InfiniBand's credits of one virtual lane: the sender may send while the receiver has room, in
/// blocks of 64 bytes.
///
///     sender   FCTBS: blocks sent since init             ──flow packets──▶  receiver  ABR: blocks
///              FCCL: limit that the receiver has told    ◀─flow packets──             received
///
/// * The receiver says FCCL = ABR + free blocks, at most 2048 of them, modulo 4096. The sender may
///   send a packet of n blocks if (FCCL - (FCTBS + n)) modulo 4096 is at most 2048.
/// * A flow packet of the sender's sets the receiver's ABR to its FCTBS: blocks that were lost on
/// the
///   way are counted as received, and the room that was meant for them comes back. So credits that
///   are lost recover with the next exchange, and both directions send one now and then.
/// * Lane 15 has no credits; who uses it does not ask.
///
/// Source: InfiniBand Architecture Specification, volume 1, 7.9.4.
#pragma once

#include <algorithm>
#include <cstdint>

#include "traffic/credit_frames.hpp"

namespace sluice {

inline constexpr std::uint16_t ib_most_credits = 2048;
inline constexpr unsigned ib_management_lane = 15;

constexpr std::uint32_t ib_blocks(std::uint32_t bytes) {
  return (bytes + ib_block_bytes - 1) / ib_block_bytes;
}

class ib_credit_sender {
public:
  bool may_send(std::uint32_t blocks) const {
    return ((limit_ - (sent_ + blocks)) & ib_count_mask) <= ib_most_credits
           && blocks <= ib_most_credits;
  }
  /// \pre may_send
  void send(std::uint32_t blocks) {
    sent_ = static_cast<std::uint16_t>((sent_ + blocks) & ib_count_mask);
  }
  /// A flow packet of the receiver's.
  void hear(std::uint16_t fccl) { limit_ = fccl; }
  /// What the sender's own flow packet says.
  std::uint16_t fctbs() const { return sent_; }

private:
  std::uint16_t sent_ = 0, limit_ = 0;
};

class ib_credit_receiver {
public:
  explicit ib_credit_receiver(std::uint32_t room_blocks) : room_{room_blocks} {}

  /// A packet has come. False: there is no room for it, and it is lost.
  bool arrive(std::uint32_t blocks) {
    received_ = static_cast<std::uint16_t>((received_ + blocks) & ib_count_mask);
    if (held_ + blocks > room_)
      return false;
    held_ += blocks;
    return true;
  }
  void leave(std::uint32_t blocks) { held_ -= blocks; }
  /// A flow packet of the sender's.
  void hear(std::uint16_t fctbs) { received_ = fctbs; }
  /// What the receiver's own flow packet says.
  std::uint16_t fccl() const {
    const auto free = std::min<std::uint32_t>(room_ - held_, ib_most_credits);
    return static_cast<std::uint16_t>((received_ + free) & ib_count_mask);
  }
  std::uint32_t held() const { return held_; }

private:
  std::uint32_t room_, held_ = 0;
  std::uint16_t received_ = 0;
};

}  // namespace sluice
