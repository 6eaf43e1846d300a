/// \file
/// The elastic FIFO and the local data store: keeps what cannot be sent.
///
///     store engine ──▶ [ elastic FIFO ] ──▶ allocator         what the local engine takes out
///     assist engine ──▶                ◀──▶ assist engine     what has no connection, or several
///     local engine ──▶                 ──▶ local engine       what waits
///                      ─ ─▶ receive buffers: stop, start      if it may wait for buffers
///
/// The rules of buffers and queues are those of elastic_fifo.hpp. Here is when:
///
/// * A packet is submitted when the store engine has moved it. If there is no buffer for it, it is
///   dropped (`no_buffer`); or it waits in the store engine, and all behind it, until one is free,
///   and the head pointers of the receive buffers stop meanwhile.
/// * The assist engine says where the first packet of a special queue goes. If there are not enough
///   indirect buffers for it, it goes when there are; what it says later waits for that.
/// * The local engine takes packets of one connection after the other, each of which takes its time
///   to be read; a buffer is free when that has been done.
///
/// Counters: in, out, dropped, held; made: n - 1 for each packet that went to n connections.
/// Source: US 7,751,400, FIG. 4; blocks 115 to 123 of FIG. 1; claims 1, 5, 8 and 12.
#pragma once

#include <memory>
#include <vector>

#include "actors/logic/elastic_fifo.hpp"
#include "actors/router/copy_engine.hpp"
#include "actors/router/message.hpp"
#include "metrics/results.hpp"

namespace sluice {

struct local_store_config {
  std::string name, node;
  elastic_fifo::config memory;
  bool waits = false;   ///< for buffers; else it drops
  engine_time reads;    ///< a packet that is taken out
  look_times looks;     ///< of the local engine
  engine_time submits;  ///< the store engine's time: no packet comes sooner after another
  /// By flow: the connections that its packets go to, if they are multicast.
  std::vector<std::vector<std::uint32_t>> groups;
  /// By flow: by endpoint, which socket listens to it. For packets to several, which have another
  /// one at each.
  std::vector<std::shared_ptr<const std::vector<std::uint8_t>>> sockets;
  std::uint32_t first_endpoint = 0;  ///< of connection 0; the others follow
};

class local_store final : public sequencer {
public:
  static constexpr port_index from_store = 0, from_assist = 1, from_local = 2;
  /// From here on come the receive buffers' links: signals only.
  static constexpr port_index from_buffers = 3;
  static constexpr port_index to_assist = 0, to_local = 1, to_allocator = 2;

  explicit local_store(local_store_config c);

  std::string_view kind() const override { return "elastic fifo"; }
  loss_point loses() const override;
  component_counters snapshot(sim_time now) const override;
  std::uint64_t packet_hops() const override { return counters_.in.packets; }

  const elastic_fifo& memory() const { return fifo_; }
  void tell(router_result& r) const;

protected:
  bool handle(port_index i, const packet& p) override;
  sim_time own_time() const override;
  bool act() override;
  sim_time earliest_packet(port_index o) override;
  void explain_packet(port_index o, sim_time beyond) override;
  sim_time earliest_signal(port_index i) override;
  void explain_signal(port_index i, sim_time beyond) override;
  sim_time silent_until(port_index i) const override;

private:
  struct job {
    std::uint32_t connection;
    std::int64_t packets, bytes;
    std::uint64_t taken = 0, refused = 0;
  };

  bool submit(const packet& p, sim_time at);
  bool send_on(unsigned type, sim_time at);
  void freed(sim_time at);
  void next_job(sim_time at);
  bool continues(const job& j) const;
  void tell(router_message::kind what, std::uint32_t connection, sim_time at, std::int64_t packets,
            std::uint32_t bytes, std::uint64_t refused = 0);
  void stop_buffers(signal::kind what, sim_time at);
  sim_time next_take() const;
  sim_time next_leave() const;
  const std::vector<std::uint32_t>& group(const packet& p) const;
  void address(packet& p, std::uint32_t connection) const;

  local_store_config config_;
  elastic_fifo fifo_;
  std::vector<std::uint32_t> everybody_;
  ring<job> jobs_;
  sim_time leaves_at_ = never;  // the first packet of the first job
  ring<packet> submitting_;     // waits for a buffer
  std::uint64_t specials_ = 0, taken_ = 0, waited_ = 0, most_waiting_ = 0, longest_ = 0;
  std::size_t with_assist_ = 0;    // packets that it has not said anything of
  ring<std::uint32_t> assisting_;  // special types whose first packet waits for indirect buffers
  component_counters counters_;
};

}  // namespace sluice
