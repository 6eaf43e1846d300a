/// \file
/// The sending side of connections with credit lists: list reader/processor and send queue.
///
///     application ──send requests──▶ [ a queue a connection ▸ I/O device ] ──packets──▶ network
///                 ◀────done────────          ▲ credit lists, from each receiver
///
/// A send request is data of some size. It is cut as the connection's credits say, one packet for
/// each; a packet says how much of the connection's data remains. The device posts one packet after
/// the other, each in its time (descriptor and doorbell), of those connections that have data and
/// credits in turn. The request is done, and its place in the send queue free, when its last packet
/// is posted. What is not regulated goes as it is.
///
/// A list may be used when another buffer for lists has been posted; see credit_reader.hpp. Data
/// are never copied.
///
/// Order at one time: requests, lists, packets.
/// Counters: in, out, held; made: a packet without bytes for each cut.
/// Source: WO 00/41365, FIG. 2, 3 and 7; claims 26 to 30, 43, 45.
#pragma once

#include <algorithm>
#include <vector>

#include "actors/component.hpp"
#include "actors/credits/connection.hpp"
#include "actors/logic/credit_reader.hpp"

namespace sluice {

struct credit_sender_config {
  std::string name, node;
  std::uint32_t endpoint = 0;
  sim_time per_packet = 0;     ///< of the device: descriptor and doorbell...
  line_rate line;              ///< ...but no less than its line takes for it
  std::uint32_t overhead = 0;  ///< bytes of the line besides
  std::uint32_t largest = 0;   ///< packet that the network takes
  bool plain = false;          ///< whether packets of no connection come as well
  std::size_t places = 0;      ///< of requests: the application has no more; 0: any number
  std::vector<credit_connection> connections;
};

class credit_sender final : public component {
public:
  explicit credit_sender(credit_sender_config c);

  /// Before the run: by output `o` come this connection's lists.
  void listen(std::size_t c, port_index o) { connections_[c].lists = o; }

  std::string_view kind() const override { return "credit sender"; }
  component_counters snapshot(sim_time now) const override;
  std::uint64_t packet_hops() const override { return counters_.in.packets; }
  sim_time next_event() const override;
  void tell(std::size_t c, credit_counts& counts, sim_time now) const;

protected:
  void advance() override;
  sim_time earliest_packet(port_index o) override;
  void explain_packet(port_index o, sim_time beyond) override;
  sim_time earliest_signal(port_index) override;
  void explain_signal(port_index, sim_time beyond) override;

private:
  static constexpr port_index side = 0;
  struct request {
    packet what;
    std::uint32_t left = 0;
  };
  struct connection {
    credit_connection config;
    credit_reader reader;
    ring<request> requests;
    std::size_t counted = 0;            // of them, those that had come when the last packet went...
    std::uint64_t left = 0;             // ...and how many bytes they had
    port_index lists = 0;               // by which output come its lists
    std::vector<std::uint32_t> coming;  // of a list, what has come
    ring<sim_time> posts;  // when another buffer for lists is there, for each that came
    // With a window: what is left of it, and what of it comes when.
    struct grant {
      sim_time at = 0;
      std::int64_t bytes = 0;
    };
    std::int64_t window = 0;
    ring<grant> grants;
    sim_time stalled_since = 0, stalled = 0;
    std::uint64_t packets = 0;
  };

  // The next packet is prepared while this one is on the line.
  sim_time time_of(std::uint32_t bytes, sim_time post) const {
    return std::max(post, config_.line.time_of(bytes + config_.overhead));
  }
  sim_time least_time() const { return config_.line.time_of(1 + config_.overhead); }
  std::uint32_t wants(const connection& x) const;
  bool may_send(const connection& x) const;
  static sim_time next_grant(const connection& x);
  // Nothing that was taken in lets it go on.
  bool waits_for_list(const connection& x) const { return !may_send(x) && next_grant(x) >= never; }
  // Nothing comes before a request is done.
  bool full() const { return config_.places != 0 && waiting_ >= config_.places; }
  void take_request();
  void take_lists(port_index o);
  sim_time ready_at(connection& c);
  sim_time ready_bound(const connection& c) const;
  sim_time next_start() const;
  bool lists_known(sim_time t);
  void transmit(std::size_t c, sim_time at);
  void release(std::uint32_t bytes);
  void explain(sim_time t);

  credit_sender_config config_;
  std::vector<connection> connections_;
  connection_index numbers_;
  std::size_t turn_ = 0;
  std::size_t waiting_ = 0;  // requests, of all connections
  sim_time busy_ = 0;
  component_counters counters_;
};

}  // namespace sluice
