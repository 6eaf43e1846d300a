/// \file
/// The bytes of a packet, for who wants to see them: those of its capture, or made up.
///
/// | packet | its bytes |
/// |---|---|
/// | replayed | as captured; of a link type without Ethernet with a header of the endpoints' |
/// | a piece of one too large | its headers with lengths, sequence number, checksums of the piece |
/// | generated | Ethernet, IPv4 or IPv6, UDP with checksum; the packet's id, then zeros |
/// | ARP, multicast, broadcast (generated) | an ARP request; group or broadcast addresses |
/// | in a tunnel | VXLAN's outer headers before it |
///
/// A mark of congestion is put into the IP header, and into its checksum. The priority of what is
/// generated is its DSCP (class selector). Captured bytes are mapped, not copied, unless something
/// about them has to change. Frames are cut where their capture had been cut.
///
/// Source: RFC 791, 8200, 768, 9293 (headers), 1071 and 1624 (checksums), 3168 (ECN), 826 (ARP).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "traffic/address.hpp"
#include "traffic/packet.hpp"

namespace sluice {

struct frame_headers;

class frame_bytes {
public:
  struct endpoint {
    net_address mac;     ///< none: made from the number
    net_address ip;      ///< likewise, of 10.0.0.0/8
    std::uint32_t host;  ///< number of its tunnel's end
    std::uint32_t vni = 0;
  };
  struct flow {
    std::uint16_t port = 9;  ///< UDP destination
  };
  struct config {
    std::vector<std::string> captures;  ///< by number, as in frame_ref
    std::vector<endpoint> endpoints;
    std::vector<flow> flows;
  };
  /// Of one place where packets are seen in their order: which pieces of frames have passed.
  struct progress {
    struct frame {
      frame_ref which;
      std::uint32_t data = 0;    // of it that has passed
      std::uint16_t pieces = 0;  // likewise
    };
    std::vector<frame> of;  // by sender
  };
  struct made {
    std::span<const std::uint8_t> bytes;  ///< that there are; valid until the next call
    std::uint32_t wire_bytes = 0;
  };

  /// Reads the captures once.
  /// \throws capture_error
  explicit frame_bytes(config c);
  ~frame_bytes();

  /// \throws capture_error if the capture changed since.
  made of(const packet& p, progress& seen);
  /// Its turn comes soon: the memory is asked for its bytes.
  void soon(const packet& p) const;

private:
  class store;
  struct source {
    std::span<const std::uint8_t> data;
    std::uint32_t wire_bytes = 0;
    int link_type = 0;
  };

  made inner(const packet& p, progress& seen);
  made captured(const packet& p, progress& seen);
  static progress::frame pass(const packet& p, std::size_t headers, std::size_t whole,
                              progress& seen);
  void wrap(std::span<std::uint8_t> out, const packet& p, const frame_headers& h,
            std::span<const std::uint8_t> captured) const;
  std::span<std::uint8_t> room(std::size_t bytes);
  std::span<std::uint8_t> in_buffer(std::span<const std::uint8_t> frame);
  void ethernet(std::span<std::uint8_t> out, const packet& p, std::uint16_t type) const;
  std::span<const std::uint8_t> generate(const packet& p);
  net_address ipv4_of(std::uint32_t number) const;
  void generate_arp(std::span<std::uint8_t> out, const packet& p) const;
  void generate_udp(std::span<std::uint8_t> out, const packet& p) const;

  config config_;
  std::vector<std::unique_ptr<store>> stores_;
  std::vector<std::uint8_t> buffer_;  // room for a tunnel's headers, and the frame
};

}  // namespace sluice
