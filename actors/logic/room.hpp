/// \file
/// The room in a queue as its sender sees it: what was sent there and has not been reported as
/// taken out again. The sender looks before it sends, and sleeps while there is no room, so such a
/// hop loses nothing whatever the size of the queue: no head-room is needed for what is under way,
/// because the sender counts it already.
///
/// Source: US 9,485,188: "the sender checks if the associated TX queue is full; if full it goes to
/// sleep until a free buffer becomes available"; "if the TX queue reaches a threshold, typically
/// one MTU below maximum, the Qdisc may be stopped [...] when the TX queue drops below the
/// threshold the Qdisc may be restarted".
#pragma once

#include "actors/logic/buffer_gate.hpp"

namespace sluice {

class room {
public:
  struct config {
    bool checked = false;  ///< without it there is always room
    buffer_limit stop;     ///< reached by either measure: no room
    buffer_limit start;    ///< a sender that sleeps wakes when both are met or undercut
  };

  room() = default;
  explicit room(const config& c) : config_{c} {}

  bool checked() const { return config_.checked; }
  std::int64_t bytes() const { return bytes_; }
  std::int64_t packets() const { return packets_; }

  /// Whether a sender that wants to send now has to sleep.
  bool full() const { return config_.checked && config_.stop.reached_by(bytes_, packets_); }
  /// Whether a sender that sleeps may wake.
  bool wakes() const { return bytes_ <= config_.start.bytes && packets_ <= config_.start.packets; }

  void send(std::int64_t frame_bytes) {
    bytes_ += frame_bytes;
    ++packets_;
  }
  void taken_out(std::int64_t frame_bytes) {
    bytes_ -= frame_bytes;
    --packets_;
  }

private:
  config config_;
  std::int64_t bytes_ = 0, packets_ = 0;
};

}  // namespace sluice
