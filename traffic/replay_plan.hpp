/// \file
/// Internal to traffic/: the one walk over a capture by which a replay's schedule comes about. The
/// pass that opens a replay and every streaming source make it with the same code.
#pragma once

#include <optional>
#include <unordered_map>

#include "traffic/bpf_filter.hpp"
#include "traffic/replay.hpp"
#include "traffic/replay_clock.hpp"
#include "traffic/split.hpp"

namespace sluice {

/// Steps 1 to 4 of replay.hpp: whose packet it is, and what sizes it is sent in.
class packet_selector {
public:
  /// \throws traffic_error bad_config
  explicit packet_selector(const replay_config& config);

  struct selected {
    std::uint32_t from = 0, to = 0;
    split_plan pieces;
    std::uint8_t socket = 0;
    std::uint8_t priority = emission::unclassified;
    std::uint8_t ecn = 0;
    std::uint8_t special = packet::ordinary;
  };

  /// Compiles what the packet's link type needs.
  /// \throws traffic_error bad_filter
  void prepare(int link_type) {
    filter_.prepare(link_type);
    for (auto& [endpoint, r] : receivers_)
      r.filter.prepare(link_type);
  }

  /// \param report counts when there is one.
  std::optional<selected> select(const capture_record& record, replay_report* report) const;

private:
  struct target {
    std::uint32_t endpoint = 0;
    std::size_t index = 0;  // in the configured map
  };

  struct receiver {
    std::vector<std::uint16_t> ports;
    bpf_filter filter;
  };

  std::uint8_t socket_of(const capture_record& record, const frame_headers& headers,
                         std::uint32_t to) const;
  bool map_packet(const frame_headers& headers, selected& into, replay_report* report) const;
  const target* find(const net_address& address, const net_address& mac) const;
  bool fit(const frame_headers& headers, std::uint32_t bytes, selected& into,
           replay_report* report) const;

  bpf_filter filter_;
  oversize_rule oversize_;
  bool mapped_;
  bool casts_;
  std::uint32_t from_;
  std::vector<std::uint32_t> to_;
  std::unordered_map<net_address, target> map_;
  std::unordered_map<std::uint32_t, std::uint32_t> max_frame_;  // by producer
  std::unordered_map<std::uint32_t, receiver> receivers_;       // by endpoint
  std::function<const classify_settings*(std::uint32_t)> classify_;
};

/// A piece that one producer sends, timed from the begin of its round.
struct planned {
  sim_time due = 0;
  std::uint64_t offset = 0;
  std::uint32_t bytes = 0;
  std::uint32_t from = 0, to = 0;
  std::uint8_t socket = 0;
  std::uint8_t priority = emission::unclassified;
  std::uint8_t ecn = 0;
  std::uint8_t special = packet::ordinary;
};

/// One round.
class replay_walk {
public:
  /// \throws capture_error
  replay_walk(const std::string& file, const replay_timing& timing);

  /// False: the round is over.
  /// \param report counts when there is one.
  /// \throws capture_error
  bool next(const packet_selector& selector, planned& piece, replay_report* report);

  /// The same for the first walk, which compiles the filter for each link type it meets.
  bool next_preparing(packet_selector& selector, planned& piece, replay_report& report);

  const capture_reader& reader() const { return reader_; }
  const replay_clock& clock() const { return clock_; }

private:
  bool emit(planned& piece);
  void begin(const packet_selector& selector, replay_report* report);

  capture_reader reader_;
  replay_clock clock_;
  capture_record record_;
  packet_selector::selected packet_;
  std::uint32_t piece_ = 0;   // the next of packet_...
  std::uint32_t pieces_ = 0;  // ...of so many
  bool any_stamp_ = false;
};

}  // namespace sluice
