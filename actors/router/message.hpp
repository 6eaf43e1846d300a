/// \file
/// What the engines of the router say to each other beside the packets. It travels down links of
/// the engine, whose items are packets: a message is written into the fields of one, and neither
/// counted nor queued as one.
#pragma once

#include <cstdint>

#include "traffic/packet.hpp"

namespace sluice {

struct router_message {
  enum class kind : std::uint8_t {
    // The elastic FIFO to the local engine: of connection `connection`
    waits,  ///< another one waits, of `bytes`
    lost,   ///< one that the allocator had refused found no buffer
    taken,  ///< what was to be: `packets`, of which the allocator had refused `refused`; the next
            ///< one has `bytes`
    // The local engine to the elastic FIFO
    take,  ///< as many as there are, up to `packets` of `bytes` together
    // The local engine to the allocator, and back
    ask,    ///< I want the connection's resources for myself: is there enough for `bytes`?
    left,   ///< there is so much, and it is yours; `packets` 0: not enough before `when`
    done,   ///< its queue is empty; of those refused `refused` have come
    freed,  ///< then it is everybody's again
    kept,   ///< another one is on its way to you
    // The assist engine to the elastic FIFO
    assist,  ///< the first packet of special type `connection` goes where it is for
  };
  sim_time at = 0;
  kind what = kind::waits;
  std::uint32_t connection = 0;
  std::int64_t packets = 0, bytes = 0;
  std::uint64_t refused = 0;
  sim_time when = 0;
};

/// When the local engine looks: at the multiples of a time.
struct look_times {
  sim_time each = microsecond;

  /// The first one, no earlier than `t`.
  sim_time from(sim_time t) const {
    return t >= never ? never : later(t, (each - t % each) % each);
  }
  /// The last one, no later than `t`.
  sim_time until(sim_time t) const { return t - t % each; }
};

inline packet as_packet(const router_message& m) {
  packet p;
  p.at = m.at;
  p.priority = static_cast<std::uint8_t>(m.what);
  p.to = m.connection;
  p.bytes = static_cast<std::uint32_t>(m.packets);
  p.due = m.what == router_message::kind::left && m.packets == 0 ? m.when : m.bytes;
  p.id = m.refused;
  return p;
}

inline router_message as_message(const packet& p) {
  router_message m{p.at, static_cast<router_message::kind>(p.priority), p.to, p.bytes, p.due, p.id,
                   p.due};
  return m;
}

}  // namespace sluice
