/// \file
/// Random early detection: which arrivals of a queue are marked, or dropped, before it is full.
///
///     probability   100% |                     ______
///                        |                    |
///                  most  |               ____/|
///                        |          ____/
///                     0  |_________/__________________ bytes in the queue when it arrives
///                                 min         max
///
/// By the occupancy that the packet finds, not a mean: as RoCE's and DCTCP's switches do. A packet
/// that says it understands (ECN-capable) is marked as congested; any other one is dropped where
/// dropping is allowed. Chance comes from the packet and the queue alone, so it does not depend on
/// the order in which queues are looked at.
///
/// Source: Floyd and Jacobson, "Random early detection gateways for congestion avoidance" (1993);
/// RFC 3168, 7567; Zhu et al., "Congestion control for large-scale RDMA deployments" (2015).
#pragma once

#include <algorithm>
#include <cstdint>

#include "traffic/packet.hpp"
#include "traffic/random.hpp"

namespace sluice {

class red {
public:
  struct config {
    bool on = false;
    std::int64_t min = 0, max = 0;       ///< bytes; min <= max
    std::uint32_t most_ppm = 1'000'000;  ///< probability just below max, in millionths
    bool drops = false;                  ///< what is not capable
    std::uint64_t seed = 0;              ///< of the queue
  };
  enum class verdict : std::uint8_t { pass, mark, drop };

  red() = default;
  explicit red(const config& c) : config_{c} {}

  /// Whether a queue that holds so much may do anything to a packet that comes.
  bool acts(std::int64_t bytes) const { return config_.on && bytes > config_.min; }

  /// For a packet that finds `bytes` in the queue.
  verdict decide(std::int64_t bytes, const packet& p) const {
    if (!acts(bytes))
      return verdict::pass;
    const bool capable = p.ecn != packet::ecn_not_capable;
    if ((!capable && !config_.drops) || p.ecn == packet::ecn_congested)
      return verdict::pass;
    if (bytes < config_.max) {
      const auto ppm = static_cast<std::uint64_t>(bytes - config_.min) * config_.most_ppm
                       / static_cast<std::uint64_t>(config_.max - config_.min);
      if (mix64(config_.seed ^ mix64(p.id)) % 1'000'000 >= ppm)
        return verdict::pass;
    }
    return capable ? verdict::mark : verdict::drop;
  }

private:
  config config_;
};

}  // namespace sluice
