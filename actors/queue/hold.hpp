/// \file
/// What a sender has heard of its receiver, or seen in its queue: whether it is held, and for how
/// long it was.
///
/// Two things hold it: a stop, until a start; and a queue without room, until as much was reported
/// as taken out. It goes on when neither does.
#pragma once

#include "actors/engine/parcel.hpp"
#include "actors/logic/room.hpp"

namespace sluice {

class hold {
public:
  room seen;  ///< of the receiver's queue, if it can look there
  std::uint64_t stops = 0, starts = 0;
  sim_time held_for = 0;  ///< up to `resumed`
  sim_time resumed = 0;   ///< the end of the last hold

  bool now() const { return stopped_ || asleep_; }
  sim_time held_until(sim_time t) const {
    return now() && t > since_ ? held_for + t - since_ : held_for;
  }

  void hear(const signal& s) {
    if (s.what == signal::kind::stop) {
      begin(stopped_, s.at);
    } else if (s.what == signal::kind::start) {
      end(stopped_, s.at);
    } else if (s.what == signal::kind::release && seen.checked()) {
      seen.taken_out(s.bytes);
      if (asleep_ && seen.wakes(wanted_))
        end(asleep_, s.at);
    }
  }
  /// It has found no room for a frame.
  void sleep(sim_time at, std::uint32_t frame_bytes) {
    wanted_ = frame_bytes;
    begin(asleep_, at);
  }

private:
  void begin(bool& why, sim_time at) {
    ++stops;
    if (!now())
      since_ = at;
    why = true;
  }
  void end(bool& why, sim_time at) {
    ++starts;
    if (!why)
      return;
    why = false;
    if (now())
      return;
    held_for += at - since_;
    resumed = at;
  }

  bool stopped_ = false;  // was told to
  bool asleep_ = false;
  sim_time since_ = 0;
  std::uint32_t wanted_ = 0;  // bytes of the frame that it sleeps with
};

}  // namespace sluice
