/// \file
/// What a port may send, by class, after the MAC control frames that it has had.
///
/// Each class has a timer. A PFC frame sets the timers of the classes whose enable bit is set, to
/// its quanta from the time at which it takes effect on: a new frame replaces what an older one
/// said, and quanta of 0 let the class go on at once. Classes without the bit are not touched. A
/// PFC frame for a class that is not lossless is ignored and counted; on a port without PFC a PAUSE
/// frame holds all classes, on one with it PAUSE is ignored and counted.
///
/// A *watchdog* may look after them. A class that is held for `detect` without a break is a storm:
/// from then on its packets are dropped, or go as if nothing held them, until it has not been held
/// for `restore`. What ports do with a storm is their business, too.
///
/// A timer holds transmissions that have not begun; what is being sent is finished. When frames
/// take effect (arrival and response time) is the caller's business. Times do not go back. Source:
/// IEEE 802.1Q-2018 clause 36.1, 802.3-2018 annex 31B.3.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "traffic/mac_control.hpp"
#include "traffic/units.hpp"

namespace sluice {

class pause_timers {
public:
  struct config {
    std::uint64_t bps = 0;      ///< of the line: what a quantum is
    std::uint8_t lossless = 0;  ///< bit n: PFC is on for class n; 0: the port speaks PAUSE
    sim_time detect = never;    ///< never: no watchdog
    sim_time restore = 0;
    bool drops = true;  ///< in a storm; else its packets go
  };
  /// Of one class.
  struct counters {
    std::uint64_t frames = 0;       ///< that set its timer
    std::uint64_t quanta = 0;       ///< the sum of what they said
    std::uint64_t transitions = 0;  ///< from running to paused
    sim_time paused = 0;            ///< up to the time last looked at
    std::uint64_t storms = 0;       ///< that the watchdog has seen
    friend bool operator==(const counters&, const counters&) = default;
  };

  explicit pause_timers(const config& c) : config_{c} {}

  /// Takes a frame in that has its effect at `at`.
  void hear(sim_time at, const mac_control& frame) {
    ++frames_;
    if (frame.what == mac_control::kind::pause) {
      if (config_.lossless != 0) {
        ++ignored_;
        return;
      }
      for (unsigned c = 0; c < pause_classes; ++c)
        set(c, at, frame.quanta[0]);
      return;
    }
    if ((frame.classes & ~config_.lossless) != 0)
      ++ignored_;
    for (unsigned c = 0; c < pause_classes; ++c)
      if ((frame.classes & config_.lossless & 1u << c) != 0)
        set(c, at, frame.quanta[c]);
  }

  /// Whether the class may not begin a transmission at `t`, which is no earlier than any time
  /// before.
  bool paused(unsigned c, sim_time t) const { return timers_[c].until > t; }
  /// From when on it may, unless another frame says otherwise.
  sim_time resumes(unsigned c) const { return timers_[c].until; }
  bool watched() const { return config_.detect < never; }
  bool drops() const { return config_.drops; }
  /// Whether the class is in a storm at `t`, which is no earlier than any time before.
  bool storm(unsigned c, sim_time t) const {
    const auto& x = timers_[c];
    const auto from = x.storm_from != never ? x.storm_from : storm_at(c);
    return from <= t && t < later(x.until, config_.restore);
  }
  /// When what holds the class becomes one, if nothing lets it go before; never: it does not.
  sim_time storm_at(unsigned c) const {
    const auto& x = timers_[c];
    const auto at = later(x.since, config_.detect);
    return at < x.until ? at : never;
  }

  /// bit n: class n is paused.
  std::uint8_t paused_classes(sim_time t) const {
    unsigned bits = 0;
    for (unsigned c = 0; c < pause_classes; ++c)
      bits |= (paused(c, t) ? 1u : 0u) << c;
    return static_cast<std::uint8_t>(bits);
  }

  counters of(unsigned c, sim_time now) const {
    auto k = timers_[c].counted;
    k.paused += held(c, now);
    const auto storm = timers_[c].storm_from == never ? storm_at(c) : never;
    k.storms += storm < never && storm <= now ? 1 : 0;
    return k;
  }
  /// Frames in all.
  std::uint64_t frames() const { return frames_; }
  /// Frames that had no effect on at least one class that they meant.
  std::uint64_t ignored() const { return ignored_; }

private:
  struct timer {
    sim_time from = 0, until = 0;  // of the pause in force, if any
    sim_time since = 0;            // from when on it has been held without a break
    sim_time storm_from = never;   // of the storm that was seen, if it is not over
    counters counted;
  };

  sim_time held(unsigned c, sim_time now) const {
    const auto& t = timers_[c];
    return std::max<sim_time>(0, std::min(now, t.until) - t.from);
  }

  // What the watchdog has seen before a frame has its effect.
  void watch(timer& t, unsigned c, sim_time at) {
    if (t.storm_from == never && storm_at(c) <= at) {
      t.storm_from = storm_at(c);
      ++t.counted.storms;
    }
    if (t.storm_from != never && later(t.until, config_.restore) <= at) {
      t.storm_from = never;
      t.since = t.until;  // it was over
    }
  }

  void set(unsigned c, sim_time at, std::uint16_t quanta) {
    auto& t = timers_[c];
    if (watched())
      watch(t, c, at);
    ++t.counted.frames;
    t.counted.quanta += quanta;
    const bool was = t.until > at;
    if (!was)
      t.since = at;
    t.counted.paused += held(c, at);
    t.from = at;
    t.until = quanta == 0 ? at : later(at, quanta_time(quanta, config_.bps));
    if (!was && t.until > at)
      ++t.counted.transitions;
  }

  config config_;
  std::array<timer, pause_classes> timers_{};
  std::uint64_t frames_ = 0, ignored_ = 0;
};

}  // namespace sluice
