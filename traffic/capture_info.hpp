/// \file
/// What is in a capture: the figures of `sluice pcap FILE`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "traffic/address.hpp"
#include "traffic/capture.hpp"

namespace sluice {

struct capture_info {
  /// Packets from one address to another: IP addresses where there are some, else MAC addresses.
  struct talker {
    net_address source, destination;
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;  ///< on the wire
  };

  /// An address that sent or received.
  struct endpoint {
    net_address address;
    std::uint64_t sent_packets = 0, sent_bytes = 0;
    std::uint64_t received_packets = 0, received_bytes = 0;
  };

  std::string file;
  std::uint64_t file_bytes = 0;
  capture_reader::format format = capture_reader::format::pcap;
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;           ///< on the wire
  std::uint64_t captured_bytes = 0;  ///< of them in the file
  std::int64_t first_ns = 0;         ///< earliest time stamp, since 1970; 0 without packets
  std::int64_t last_ns = 0;          ///< latest
  std::uint32_t interfaces = 0;
  std::vector<std::string> link_types;    ///< without repetition, in the file's order: "EN10MB"
  std::uint64_t sliced = 0;               ///< captured less than was on the wire
  std::uint64_t oversize = 0;             ///< frames above 1518 bytes
  std::uint64_t backward_timestamps = 0;  ///< stamped earlier than the packet before
  std::uint64_t unstamped = 0;            ///< without a time stamp (Simple Packet Blocks)
  std::uint64_t fragments = 0;            ///< IP fragments other than the first
  bool complete = true;  ///< false: cut off or corrupt; figures count what came before
  std::string error;     ///< why not complete: the reader's whole message
  std::optional<traffic_ec> error_code;  ///< set when not complete
  std::uint64_t error_packet = 0;        ///< the packet that could not be read
  std::uint64_t error_offset = 0;
  std::vector<talker> talkers;          ///< the largest by bytes, at most `max_talkers`
  std::vector<endpoint> endpoints;      ///< unicast, by bytes; at most `max_tracked`
  std::uint64_t talkers_total = 0;      ///< distinct pairs seen, up to `max_tracked`
  std::uint64_t untracked_packets = 0;  ///< packets of pairs or addresses beyond `max_tracked`

  static constexpr std::size_t max_talkers = 20;
  /// Distinct pairs, and distinct addresses, that are counted; memory stays below about 20 MB.
  static constexpr std::size_t max_tracked = 65'536;
};

/// Reads a whole capture, streaming. A capture that is cut off or corrupt after its header gives
/// figures up to that place and `complete == false`.
/// \throws capture_error when it cannot be opened or is no capture at all.
capture_info read_capture_info(const std::string& file);

/// The same of an open reader; reads it to its end.
capture_info read_capture_info(capture_reader& reader);

/// A page of text for a terminal, with a suggested `map`.
std::string to_text(const capture_info& info);

}  // namespace sluice
