/// \file
/// The mbufs of a VM's kernel: one pool, and for each remote address a chain with a limit of its
/// own.
///
///     remote a ──▶ [#####··········|            ] limit: pre-set
///     remote b ──▶ [##|                         ] limit: lowered, its mbufs grow old
///     remote c ──▶ [#··············|            ]
///                    one pool of clusters
///
/// A packet takes whole clusters, as a NIC's driver fills them, from when it is put onto a socket
/// until the application takes it. Those that a remote address holds are its chain, on whatever
/// sockets. A packet is refused if its chain would be longer than its limit (`over_limit`), or if
/// the pool has no more (`exhausted`). A chain that is empty takes one packet whatever its limit.
///
/// With dynamic limits each chain's health is measured at fixed times: the age of its oldest mbuf.
/// A chain older than `unhealthy` has its limit halved, down to `least`, at each measurement; one
/// that was no older than `healthy` at `restore_after` measurements in a row has it doubled, up to
/// the pre-set one. What a chain holds already is left to it: a lowered limit only keeps it from
/// more.
///
/// Times are picoseconds, sizes bytes. Chains and sockets are numbers from 0. Order at one time is
/// the caller's; it calls in the order of time.
///
/// Source: US 8,423,636 (its abstract: pre-set level, health, first and second health criterion);
/// mbufs, clusters and the limit of a socket buffer in mbufs (sb_mbmax): McKusick et al., "The
/// Design and Implementation of the FreeBSD Operating System", 2nd edition, 2014.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "traffic/units.hpp"

namespace sluice {

class mbuf_pool {
public:
  enum class limits : std::uint8_t { none, fixed, dynamic };
  struct config {
    std::int64_t pool_bytes = 8 * 1024 * 1024;
    std::int64_t cluster_bytes = 2048;
    limits how = limits::dynamic;
    std::int64_t limit_bytes = 2 * 1024 * 1024;  ///< of a chain, pre-set; no more than the pool
    std::int64_t least_bytes = 128 * 1024;       ///< to which it is lowered; no more than that
    sim_time unhealthy = 10 * millisecond;       ///< an oldest mbuf that is older
    sim_time healthy = 5 * millisecond;          ///< one that is no older; at most `unhealthy`
    sim_time measure = millisecond;              ///< from one measurement to the next; positive
    unsigned restore_after = 3;                  ///< healthy measurements; positive
  };
  enum class verdict : std::uint8_t { taken, over_limit, exhausted };

  struct chain {
    std::int64_t held = 0, most_held = 0;  ///< bytes of clusters
    std::int64_t limit = 0, lowest_limit = 0;
    sim_time oldest = 0;                          ///< the greatest age that was measured
    std::uint64_t lowered = 0, raised = 0;        ///< times
    std::uint64_t over_limit = 0, exhausted = 0;  ///< packets that were refused
    std::uint64_t packets = 0;                    ///< that came, refused or not
    unsigned healthy_in_a_row = 0;
  };

  mbuf_pool(const config& c, std::size_t chains, std::size_t sockets);

  /// A packet of chain `whose` comes for this socket. If it is taken it waits behind those that are
  /// on the socket.
  verdict take(std::size_t whose, std::size_t socket, std::uint32_t bytes, sim_time at);
  /// The first packet of that chain on that socket leaves it. \pre there is one
  void give_back(std::size_t whose, std::size_t socket);

  /// When the health of the chains is measured next; `never` if limits are not dynamic.
  sim_time next_measurement() const { return next_; }
  /// Measures as of then. Nothing will be measured up to `until` if there is nothing to measure.
  void measure(sim_time until);

  /// What so many bytes take.
  std::int64_t clusters(std::uint32_t bytes) const {
    const auto n = (bytes + config_.cluster_bytes - 1) / config_.cluster_bytes;
    return (n > 0 ? n : 1) * config_.cluster_bytes;
  }
  const config& settings() const { return config_; }
  const std::vector<chain>& chains() const { return chains_; }
  std::int64_t held() const { return held_; }
  std::int64_t most_held() const { return most_held_; }
  /// Chains whose limit is lower than the pre-set one.
  std::size_t lowered() const { return lowered_; }

private:
  static constexpr std::uint32_t none = ~std::uint32_t{0};
  struct entry {
    sim_time at = 0;
    std::int64_t bytes = 0;
    std::uint32_t next = none;  // of the same chain and socket; or the next that is free
  };
  struct list {
    std::uint32_t first = none, last = none;
  };
  list& on(std::size_t whose, std::size_t socket) { return lists_[whose * sockets_ + socket]; }
  void measure_one(std::size_t c, sim_time at);

  config config_;
  std::size_t sockets_;
  std::vector<chain> chains_;
  std::vector<list> lists_;     // chain by chain, its packets on each socket
  std::vector<entry> entries_;  // as many as the pool ever held packets
  std::uint32_t free_ = none;
  std::int64_t held_ = 0, most_held_ = 0;
  std::size_t lowered_ = 0;
  sim_time next_;
};

}  // namespace sluice
