/// \file
/// S-PFC: the room in a queue that is divided by priority, as its sender sees it. What PFC does
/// with frames on a wire, software does by looking: each lossless priority has a part of the queue
/// with thresholds of its own, and a sender that finds no room there sleeps with that priority
/// only. The others go on; and so does a priority that is not lossless, whatever room there is.
///
/// A priority *waits* from when it could go but for room until it has it.
/// Source: US 9,485,188, "the flow control signals may be [...] S-PFC signals", "vPFC incl. S-PFC";
/// IEEE 802.1Q-2018 clause 36 for what a priority is to the others; room.hpp.
#pragma once

#include <array>

#include "actors/engine/parcel.hpp"
#include "actors/logic/class_wait.hpp"
#include "actors/logic/room.hpp"
#include "traffic/packet.hpp"

namespace sluice {

class class_rooms {
public:
  struct config {
    std::uint8_t lossless = 0;  ///< bit p: priority p needs room
    room::config each;          ///< of each such priority
  };
  /// Of one priority.
  struct counters {
    std::uint64_t waits = 0;
    sim_time waited = 0;
  };

  explicit class_rooms(const config& c) : lossless_{c.lossless} {
    for (auto& x : classes_)
      x.seen = room{c.each};
  }

  /// Who waits goes on waiting until the queue is down to its start threshold.
  bool lacks(unsigned c, std::uint32_t bytes) const {
    const auto& x = classes_[c];
    return (lossless_ >> c & 1) != 0 && (x.wait.now() || x.seen.full(bytes));
  }
  /// It could send this now, and there is no room.
  void wait(unsigned c, std::uint32_t bytes, sim_time t) { classes_[c].wait.begin(bytes, t); }
  void send(unsigned c, std::uint32_t bytes) {
    if ((lossless_ >> c & 1) != 0)
      classes_[c].seen.send(bytes);
  }
  /// Takes in that something was taken out of the queue.
  void hear(const signal& release) {
    auto& x = classes_[release.priority];
    x.seen.taken_out(release.bytes);
    if (x.wait.now() && x.seen.wakes(x.wait.wanted))
      x.wait.end(release.at);
  }
  bool waits(unsigned c) const { return classes_[c].wait.now(); }
  /// When it last ended waiting. It did not start before, even if asked about an earlier time.
  sim_time resumed(unsigned c) const { return classes_[c].wait.resumed; }
  counters of(unsigned c, sim_time now) const {
    const auto& w = classes_[c].wait;
    return {w.times, w.waited_until(now)};
  }

private:
  struct part {
    room seen;
    class_wait wait;
  };
  std::uint8_t lossless_;
  std::array<part, max_priorities> classes_{};
};

}  // namespace sluice
