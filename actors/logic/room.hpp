/// \file
/// The room in a queue as its sender sees it: what was sent there and has not been reported as
/// taken out again. The sender looks before it sends, and sleeps while there is no room, so such a
/// hop loses nothing whatever the size of the queue: no head-room is needed for what is under way,
/// because the sender counts it already.
///
/// Over PCI Express it needs credits besides, which are counted in transactions; see
/// pcie_window.hpp.
///
/// Source: US 9,485,188: "the sender checks if the associated TX queue is full; if full it goes to
/// sleep until a free buffer becomes available"; "if the TX queue reaches a threshold, typically
/// one MTU below maximum, the Qdisc may be stopped [...] when the TX queue drops below the
/// threshold the Qdisc may be restarted".
#pragma once

#include "actors/logic/buffer_gate.hpp"
#include "actors/logic/pcie_window.hpp"

namespace sluice {

class room {
public:
  struct config {
    bool checked = false;  ///< without it there is always room
    buffer_limit stop;     ///< reached by either measure: no room
    buffer_limit start;    ///< a sender that sleeps wakes when both are met or undercut
    bool counts_credits = false;
    pcie_window::config credits;
  };

  room() = default;
  explicit room(const config& c) : config_{c}, credits_{c.credits} {}

  bool checked() const { return config_.checked; }
  std::int64_t bytes() const { return bytes_; }
  std::int64_t packets() const { return packets_; }

  /// Whether a sender that wants to send a frame now has to sleep.
  bool full(std::uint32_t frame_bytes) const {
    return config_.checked
           && (config_.stop.reached_by(bytes_, packets_)
               || (config_.counts_credits && !credits_.fits(frame_bytes)));
  }
  /// Whether a sender that sleeps with this frame may wake.
  bool wakes(std::uint32_t frame_bytes) const {
    return bytes_ <= config_.start.bytes && packets_ <= config_.start.packets
           && (!config_.counts_credits || credits_.fits(frame_bytes));
  }

  void send(std::uint32_t frame_bytes) {
    bytes_ += frame_bytes;
    ++packets_;
    if (config_.counts_credits)
      credits_.send(frame_bytes);
  }
  void taken_out(std::uint32_t frame_bytes) {
    bytes_ -= frame_bytes;
    --packets_;
    if (config_.counts_credits)
      credits_.returned(frame_bytes);
  }

private:
  config config_;
  pcie_window credits_;
  std::int64_t bytes_ = 0, packets_ = 0;
};

}  // namespace sluice
