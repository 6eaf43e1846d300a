/// \file
/// What the controller tells a switch. It travels down a control channel of the engine, whose items
/// are packets: a command is written into the fields of one, and neither counted nor queued as one.
///
/// The other way, a switch's notices are plain signals: `stop` and `start` of a port, at the time
/// at which the controller hears of it.
#pragma once

#include <cstdint>

#include "actors/logic/buffer_gate.hpp"
#include "traffic/packet.hpp"

namespace sluice {

struct command {
  enum class kind : std::uint8_t {
    stop_limit,    ///< port `port`: a sender finds no room from `limit` on...
    start_limit,   ///< ...and wakes at it
    output_limit,  ///< capacity of the output queue of `port`
    lossless,      ///< of these priorities (bit p in `value`) nothing is dropped for want of room
    mapping,       ///< VM `endpoint` is in virtual network `value`; `tunnelled`: behind a tunnel
    ready,         ///< that was all that had to be known before the first packet
    stop,          ///< who sends into `port` has to stop...
    start,         ///< ...and may go on, from `at` on
  };
  sim_time at = 0;  ///< when it takes effect
  kind what = kind::ready;
  bool tunnelled = false;
  std::uint16_t port = 0;
  std::uint32_t endpoint = 0;
  std::uint32_t value = 0;
  buffer_limit limit{};
};

inline packet as_packet(const command& c) {
  packet p;
  p.at = c.at;
  p.priority = static_cast<std::uint8_t>(c.what);
  p.tunnelled = c.tunnelled;
  p.ingress = c.port;
  p.to = c.endpoint;
  p.remaining = c.value;
  p.due = c.limit.bytes;
  p.id = static_cast<std::uint64_t>(c.limit.packets);
  return p;
}

inline command as_command(const packet& p) {
  return {p.at,        static_cast<command::kind>(p.priority),  p.tunnelled, p.ingress, p.to,
          p.remaining, {p.due, static_cast<std::int64_t>(p.id)}};
}

}  // namespace sluice
