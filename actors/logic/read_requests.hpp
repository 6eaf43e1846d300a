/// \file
/// How many reads a PCI Express device may have outstanding: each is a non-posted request, needs a
/// header credit of the host, and gives it back when the host has taken it and has said so.
///
///     NIC ──request──▶ host   ...   host starts its completion
///     NIC ◀─UpdateFC── host
///
/// A frame is read by requests of at most `request_bytes`. Seen from the host, which sends the
/// data: a credit that one frame has used serves another no earlier than a round trip of the bus
/// after it. A frame that needs more credits than there are goes when all of them are back.
///
/// Source: PCI Express Base Specification 2.6.1 (non-posted header credits), 2.2.7 (read requests).
#pragma once

#include <algorithm>
#include <cstdint>

#include "actors/engine/ring.hpp"
#include "traffic/units.hpp"

namespace sluice {

class read_requests {
public:
  struct config {
    std::uint32_t credits = 0;  ///< headers; 0: without limit
    std::uint32_t request_bytes = 512;
    std::uint32_t apart = 0;  ///< bytes at the begin of a frame that lie in a buffer of their own
    sim_time round_trip = 0;
  };

  explicit read_requests(const config& c) : config_{c}, free_{c.credits} {}

  /// From when on, at `t` at the earliest, a frame of so many bytes can be sent.
  sim_time ready(sim_time t, std::uint32_t bytes) const {
    if (config_.credits == 0)
      return t;
    auto free = free_;
    const auto need = needed(bytes);
    for (std::size_t i = 0; i < out_.size() && (free < need || out_[i].back <= t); ++i) {
      free += out_[i].credits;
      t = std::max(t, out_[i].back);
    }
    return t;
  }
  /// It starts at `t`, no earlier than `ready` says.
  void send(sim_time t, std::uint32_t bytes) {
    if (config_.credits == 0)
      return;
    for (; !out_.empty() && out_.front().back <= t; out_.pop())
      free_ += out_.front().credits;
    const auto need = needed(bytes);
    free_ -= need;
    out_.push({later(t, config_.round_trip), need});
  }

private:
  struct outstanding {
    sim_time back;
    std::uint32_t credits;
  };
  std::uint32_t needed(std::uint32_t bytes) const {
    const auto requests = [&](std::uint32_t n) {
      return (n + config_.request_bytes - 1) / config_.request_bytes;
    };
    const auto front = std::min(bytes, config_.apart);
    return std::min(config_.credits, requests(front) + requests(bytes - front));
  }

  config config_;
  std::uint32_t free_;
  ring<outstanding> out_;
};

}  // namespace sluice
