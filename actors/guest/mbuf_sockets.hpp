/// \file
/// The receiving sockets of a VM whose kernel keeps packets in mbufs of one pool.
///
///                      ┌ socket 0 [ buffer ▸ application ] ──packets──▶ consumer 0
///     vNIC ring ──────▶┤ socket 1 [ buffer ▸ application ] ──packets──▶ consumer 1
///        ◀─releases─   └ ...             ╲ mbufs of one pool, a chain for each remote address
///
/// Input i and output i are socket i's. A packet arrives at its socket when the softirq is done
/// with it. It is dropped there if the socket's buffer has no room (`buffer_full`), if its sender's
/// chain of mbufs is at its limit (`mbuf_limit`), or if the pool is empty (`no_mbufs`); see
/// mbuf_pool.hpp for these two. What is taken waits until the application reads it, at the socket's
/// own rate; then its mbufs are free again.
///
/// Sockets that share a pool are one component, as ports that share a buffer are: what the pool
/// does to a packet depends on all that arrived and left before, on whatever socket, and is known
/// here.
///
/// If the softirq looks before it fills a socket (`looks`), each packet that leaves is reported to
/// it, by the socket's input; and each that is dropped, at once, so that a peer whose packets are
/// refused holds up nobody. Its buffer is never full then; limit and pool hold all the same.
///
/// Order at one time: measurements, arrivals (by socket), starts of the application.
/// Counters, of each socket: in, out, dropped, held, marked, largest occupancy, wake-ups. Of the
/// pool and its chains: see mbuf_pool. Source: US 8,423,636.
#pragma once

#include <string>
#include <vector>

#include "actors/component.hpp"
#include "actors/logic/buffer_gate.hpp"
#include "actors/logic/mbuf_pool.hpp"
#include "actors/logic/red.hpp"
#include "actors/queue/transmitter.hpp"
#include "metrics/results.hpp"

namespace sluice {

struct mbuf_sockets_config {
  struct socket {
    std::string name;
    std::int64_t buffer_bytes = 0;
    buffer_limit looked;  ///< with `looks`: from here on the softirq sees no room
    line_config line;     ///< the application
    red::config early;
  };
  std::string name, node;
  std::vector<socket> sockets;
  bool looks = false;
  mbuf_pool::config pool;
  std::vector<std::string> remotes;     ///< by chain
  std::vector<std::uint32_t> chain_of;  ///< by endpoint; \pre each less than there are remotes
};

class mbuf_sockets final : public component {
public:
  explicit mbuf_sockets(mbuf_sockets_config c);

  std::string_view kind() const override { return "mbuf pool"; }
  loss_point loses() const override { return loss_point::open; }
  component_counters snapshot(sim_time) const override { return {}; }
  void report(sim_time now, const reporter& tell) const override;
  void sample(sim_time now, const sampler& tell) const override;
  std::uint64_t packet_hops() const override;
  sim_time next_event() const override;
  bool untouched() const override;
  stop_counts stops_at(std::size_t i, unsigned priority) const override;

  /// Between activations, for changes while it runs: who reads from socket `s`.
  transmitter& line(std::size_t s) { return sockets_[s].line; }
  /// Pool and chains as of `now`.
  mbuf_result tell(sim_time now) const;

protected:
  void advance() override;
  sim_time earliest_packet(port_index) override;
  void explain_packet(port_index, sim_time beyond) override;
  sim_time earliest_signal(port_index) override;
  void explain_signal(port_index, sim_time beyond) override;

private:
  struct departure {
    sim_time at;
    std::uint32_t bytes;
    std::uint32_t chain;
  };
  struct socket {
    explicit socket(const mbuf_sockets_config::socket& c)
        : line{c.line},
          early{c.early},
          gate{buffer_gate::config{{c.buffer_bytes}, false, {}, {}}} {}
    transmitter line;
    red early;
    buffer_gate gate;
    ring<packet> queue;
    transmitter::verdict head{never, false};  // of the next start, if something is queued
    bool out_of_window = false;
    // Started, but maybe later than what the pool has seen; and not yet reported to the softirq.
    ring<departure> leaving, unsaid;
    buffer_limit seen{0, 0};  // what the softirq sees at least: what came and was not reported
    component_counters counters;
  };

  void serve(port_index s);
  void arrive(port_index s);
  void catch_up(sim_time t);
  void leave(sim_time before);
  void say(port_index s);
  void release(port_index s, sim_time at, std::uint32_t bytes);
  bool known(port_index s, sim_time t);
  sim_time next_arrival(port_index s) const;
  sim_time next_start(port_index s) const;
  std::uint32_t chain_of(const packet& p) const {
    return p.from < config_.chain_of.size() ? config_.chain_of[p.from] : 0;
  }

  mbuf_sockets_config config_;
  std::vector<socket> sockets_;
  mbuf_pool pool_;
};

}  // namespace sluice
