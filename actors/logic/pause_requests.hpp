/// \file
/// Which PFC frames a port's buffer wants sent, and when: one at each transition of a class, and
/// refreshes for as long as any class is held.
///
/// A frame says everything: quanta for all classes that are held, 0 for one that may go on. So a
/// refresh is the same frame again, and a frame that is lost is made good by the next one.
///
/// Source: IEEE 802.1Q-2018 clause 36.1 (PFC_REQUEST); switches refresh at about half of the time.
#pragma once

#include <cstdint>

#include "traffic/mac_control.hpp"
#include "traffic/units.hpp"

namespace sluice {

/// Why a buffer asks for a frame: what it held at that moment, and what that came up or down to.
/// For who looks at frames; nobody decides anything by it.
struct pause_reason {
  enum class kind : std::uint8_t {
    nothing,    ///< a refresh, or not known
    buffer,     ///< the class's part of the buffer against a fixed threshold
    pool,       ///< the account's share of a shared pool against the threshold in force
    head_room,  ///< the account had to take of its head-room: the pool was full
    scenario,   ///< no buffer: the scenario has the frame sent
  };
  kind what = kind::nothing;
  std::uint8_t priority = 0;  ///< the class of which it is told
  std::int64_t bytes = 0;     ///< of it in the buffer or pool when the frame was asked for
  std::int64_t limit = 0;     ///< bytes: XOFF at or above, XON at or below
};

/// A frame that is to be sent.
struct pause_request {
  enum class kind : std::uint8_t {
    pfc,
    pause,   ///< a PAUSE frame of 802.3x, with these quanta
    credit,  ///< a flow packet of InfiniBand's: the lane in `hold` may send up to `quanta` (FCCL)
  };
  sim_time at = 0;           ///< when it was asked for
  std::uint8_t hold = 0;     ///< bit c: class c, for `quanta`
  std::uint8_t go = 0;       ///< bit c: class c may go on at once
  std::uint16_t quanta = 0;  ///< of the classes in `hold`
  std::uint16_t number = 0;  ///< of the requests of its port, counting on and round
  kind what = kind::pfc;
  pause_reason why{};

  /// \pre no flow packet
  mac_control frame() const {
    mac_control f;
    const bool whole_link = what == kind::pause;
    f.what = whole_link ? mac_control::kind::pause : mac_control::kind::pfc;
    if (whole_link)
      f.quanta[0] = quanta;
    f.classes = whole_link ? 0 : static_cast<std::uint8_t>(hold | go);
    for (unsigned c = 0; c < pause_classes && !whole_link; ++c)
      if ((hold >> c & 1) != 0)
        f.quanta[c] = quanta;
    return f;
  }
};

class pause_requests {
public:
  struct config {
    std::uint16_t quanta = max_quanta;
    sim_time refresh = never;  ///< from one frame to the next while a class is held; positive
  };

  pause_requests() = default;
  explicit pause_requests(const config& c) : config_{c} {}

  /// The class came to XOFF, or down to XON.
  pause_request hold(unsigned c, sim_time t) {
    held_ = static_cast<std::uint8_t>(held_ | 1u << c);
    return next(t, 0);
  }
  pause_request let_go(unsigned c, sim_time t) {
    const auto bit = static_cast<std::uint8_t>(1u << c);
    held_ = static_cast<std::uint8_t>(held_ & ~bit);
    return next(t, bit);
  }
  /// When a refresh is due if nothing happens before; never: nothing is held.
  sim_time refresh_at() const { return refresh_at_; }
  pause_request refresh() { return next(refresh_at_, 0); }
  /// Hands over all that are due before `before`, if nothing else happens until then.
  template <class Send>
  void refresh(sim_time before, Send send) {
    while (refresh_at_ < before)
      send(refresh());
  }

private:
  pause_request next(sim_time t, std::uint8_t go) {
    refresh_at_ = held_ == 0 ? never : later(t, config_.refresh);
    return {t, held_, go, config_.quanta, ++number_, pause_request::kind::pfc, {}};
  }

  config config_;
  std::uint8_t held_ = 0;
  sim_time refresh_at_ = never;
  std::uint16_t number_ = 0;
};

}  // namespace sluice
