/// \file
/// The receiving side of connections with credit lists: receive queue, list builder/communicator,
/// and the application that reads.
///
///     network ──packets──▶ [ a receive queue a connection ▸ application ] ──packets──▶ consumer
///     senders ◀─credit lists─        ▲ receive requests
///
/// A packet comes straight into the buffer at the head of its connection's queue; there is no other
/// copy than the wire. If there is none, or if it is too small, the connection is broken, and what
/// comes by it from then on is dropped (`connection_broken`). The application takes one filled
/// buffer after the other, each in its time, and then asks for data in another one: a receive
/// request, which is a credit. When a list of them goes says credit_builder.hpp; it takes the
/// receiver's time for each list, and the way to the sender. What is of no connection goes straight
/// on.
///
/// Order at one time: packets, receive requests, lists.
/// Counters: in, out, dropped, held.
/// Source: WO 00/41365, FIG. 2 to 6; claims 2 to 19, 31 to 40, 46 to 51.
#pragma once

#include <vector>

#include "actors/component.hpp"
#include "actors/credits/connection.hpp"
#include "traffic/random.hpp"

namespace sluice {

struct credit_receiver_config {
  std::string name, node;
  bool plain = false;  ///< whether packets of no connection come as well
  std::vector<credit_connection> connections;
};

class credit_receiver final : public component {
public:
  explicit credit_receiver(credit_receiver_config c);

  /// Before the run: by input `i` the sender of this connection is told of credits; it calls it
  /// `there`.
  void speak(std::size_t c, port_index i, std::size_t there);

  std::string_view kind() const override { return "credit receiver"; }
  loss_point loses() const override;
  component_counters snapshot(sim_time now) const override;
  std::uint64_t packet_hops() const override { return counters_.in.packets; }
  sim_time next_event() const override;
  void tell(std::size_t c, credit_counts& counts) const;

protected:
  void advance() override;
  sim_time earliest_packet(port_index o) override;
  void explain_packet(port_index o, sim_time beyond) override;
  sim_time earliest_signal(port_index) override;
  void explain_signal(port_index, sim_time beyond) override;

private:
  static constexpr port_index side = 0;
  struct connection {
    credit_connection config;
    credit_builder builder;
    random_stream sizes;
    port_index sender = 0;  // by which input its lists go
    std::uint16_t there = 0;
    sim_time due = never;
    bool broken = false;
    // With a window: bytes in the transport buffer, and those that are free and not said to be.
    std::int64_t buffered = 0, unsaid = 0;
    std::uint64_t updates = 0;
  };
  struct reading {
    sim_time done = 0;
    std::uint32_t connection = 0;
    std::uint32_t bytes = 0;
  };

  void arrive();
  void post(std::size_t c, sim_time at);
  void send_list(std::size_t c, sim_time at);
  static bool receive(connection& x, const packet& p);
  void read(std::size_t c, std::uint32_t bytes, sim_time at);
  sim_time tell_at(const connection& x, sim_time at);
  void look(std::size_t c, sim_time at);
  sim_time next_arrival() const;
  // When the application is done with its next buffer.
  sim_time next_read() const { return readings_.empty() ? never : readings_.front().done; }
  sim_time next_list() const;

  credit_receiver_config config_;
  std::vector<connection> connections_;
  connection_index numbers_;
  std::size_t outstanding_ = 0;  // credits, of all that are not broken
  bool unasked_ = false;         // packets may come without
  sim_time least_work_ = never;
  ring<reading> readings_;          // filled buffers that the application has
  std::vector<sim_time> arrives_;   // the last list, by input
  sim_time worked_ = 0, said_ = 0;  // when it is done with them; when the last list has gone
  std::size_t first_due_ = 0;       // of the connections
  std::vector<std::uint32_t> list_;
  component_counters counters_;
};

}  // namespace sluice
