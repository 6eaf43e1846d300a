/// \file
/// How a NIC reads packets from the memory of its host: the buffers of a packet, the descriptors
/// that point at them, and the transactions on the bus that this takes.
///
///     split    [ header ]   [ payload        ]     two buffers, two descriptors, two operations
///     single   [ header | payload            ]     one of each: the stack has asked for a buffer
///                                                   with room for the header in front
///
/// An operation takes the engine its set-up, and the bus the completions that bring the data. In
/// front of it stands the read of its descriptor, of which `fetch` come with one read. The bus
/// brings data for one operation while the engine sets up none: they follow each other, as with one
/// outstanding operation of a simple device; how many reads may be outstanding besides is
/// read_requests.hpp's. Requests go the other way and take no time of it, but are counted.
///
///     time of a packet = sum over its buffers of set-up + (completions of the data
///                                                          + of descriptors that are fetched) /
///                                                          rate
///
/// Data come in completions of at most `max_payload` bytes, each with 20 bytes around it (3 double
/// words of header, framing, sequence number and LCRC); they are asked for by requests of 24 bytes
/// (4 double words), each for at most `read_request`.
///
/// Source: US 8,054,848 (a single DMA operation); PCI Express Base Specification 3.0, 2.2.1 and
/// 2.2.9 (headers of requests and completions), 4.2.2 (framing of 8 GT/s).
#pragma once

#include <algorithm>
#include <cstdint>

#include "traffic/units.hpp"

namespace sluice {

class dma_engine {
public:
  static constexpr std::uint32_t completion_overhead = 20, request_bytes = 24;

  struct config {
    bool single = true;                   ///< else header and payload are apart
    std::uint32_t header_bytes = 54;      ///< that are apart: Ethernet, IPv4 and TCP
    std::uint32_t descriptor_bytes = 16;  ///< that points at a buffer
    std::uint32_t fetch = 1;              ///< descriptors that one read brings; positive
    sim_time set_up = 60 * nanosecond;    ///< of an operation
    line_rate bus;
    std::uint32_t read_request = 512, max_payload = 256;  ///< positive
  };
  struct counts {
    std::uint64_t packets = 0, operations = 0, fetches = 0;
    std::uint64_t bytes_down = 0;  ///< towards the NIC: completions
    std::uint64_t bytes_up = 0;    ///< requests
  };

  explicit dma_engine(const config& c) : config_{c} {}

  /// Operations of a frame: one that is all header has nothing apart.
  std::uint32_t operations(std::uint32_t bytes) const {
    return config_.single || bytes <= config_.header_bytes ? 1 : 2;
  }
  /// Reads a frame. Returns how long that takes.
  sim_time read(std::uint32_t bytes) {
    const auto n = operations(bytes);
    const auto before = counts_.bytes_down;
    each_buffer(bytes, [&](std::uint32_t length) {
      // Descriptors are fetched when the last that were fetched are used up.
      if (counts_.operations % config_.fetch == 0) {
        ++counts_.fetches;
        transfer(config_.fetch * config_.descriptor_bytes);
      }
      ++counts_.operations;
      transfer(length);
    });
    ++counts_.packets;
    return n * config_.set_up + config_.bus.time_of(counts_.bytes_down - before);
  }
  /// It takes no less.
  sim_time least(std::uint32_t bytes) const {
    std::uint64_t down = 0;
    each_buffer(bytes, [&](std::uint32_t length) { down += completions(length); });
    return operations(bytes) * config_.set_up + config_.bus.time_of(down);
  }
  const counts& counted() const { return counts_; }

private:
  static std::uint32_t pieces(std::uint32_t bytes, std::uint32_t most) {
    return (bytes + most - 1) / most;
  }
  std::uint64_t completions(std::uint32_t bytes) const {
    return bytes + std::uint64_t{pieces(bytes, config_.max_payload)} * completion_overhead;
  }
  void transfer(std::uint32_t bytes) {
    counts_.bytes_down += completions(bytes);
    counts_.bytes_up += std::uint64_t{pieces(bytes, config_.read_request)} * request_bytes;
  }
  template <class Visit>
  void each_buffer(std::uint32_t bytes, Visit visit) const {
    if (operations(bytes) == 1)
      return visit(bytes);
    visit(config_.header_bytes);
    visit(bytes - config_.header_bytes);
  }

  config config_;
  counts counts_;
};

}  // namespace sluice
