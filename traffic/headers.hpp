/// \file
/// The headers at a frame's front, as far as a replay needs them: addresses, lengths, priorities.
///
/// Never reads beyond the bytes given, and gives what it found when they end early.
/// Source: IEEE 802.3 clause 3, 802.1Q clause 9, RFC 791, 8200, 826, 9293, 768; link types as in
/// draft-ietf-opsawg-pcaplinktype.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "traffic/address.hpp"

namespace sluice {

/// How a link type's packets become Ethernet frames.
enum class link_class : std::uint8_t {
  ethernet,
  convertible,  ///< RAW, IPV4, IPV6, NULL, LOOP, LINUX_SLL, LINUX_SLL2: has a layer 3 to put a
                ///< header before
  foreign,      ///< anything else
};

link_class classify_link_type(int link_type);

struct frame_headers {
  link_class link = link_class::foreign;
  net_address source_mac, destination_mac;  ///< Ethernet only
  net_address source, destination;  ///< IPv4, IPv6 or (ARP) the protocol addresses; else none
  std::uint16_t ether_type = 0;     ///< after VLAN tags; 0: none (LLC) or not captured
  std::uint16_t link_bytes = 0;     ///< Ethernet header with tags, or the pseudo header
  std::uint16_t ip_bytes = 0;       ///< IP header with options and extension headers; 0: not IP
  std::uint16_t transport_bytes =
      0;                        ///< TCP with options, UDP; 0: neither, not captured, a fragment
  std::uint8_t ip_version = 0;  ///< 4, 6 or 0
  std::uint8_t protocol = 0;    ///< IP protocol: 6 TCP, 17 UDP
  bool fragment = false;        ///< a fragment that is not the first
  bool more_fragments = false;
  std::uint16_t source_port = 0, destination_port = 0;
  std::optional<std::uint8_t> pcp;  ///< of the outer VLAN tag
  std::optional<std::uint8_t> dscp;
  std::uint8_t ecn = 0;  ///< the two bits behind the DSCP; 0: not capable, or not IP
};

/// \param link_type DLT_ value.
/// \param data the captured bytes.
frame_headers parse_headers(int link_type, std::span<const std::uint8_t> data);

/// The bytes of a packet as an Ethernet frame: `wire_bytes` itself, or its layer 3 and a 14-byte
/// header. Zero when it is foreign or shorter than its own link header.
std::uint32_t ethernet_bytes(int link_type, const frame_headers& headers, std::uint32_t wire_bytes);

inline constexpr std::uint32_t ethernet_header_bytes = 14;
inline constexpr std::uint16_t ether_type_arp = 0x0806;

}  // namespace sluice
