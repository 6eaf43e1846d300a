/// \file
/// VXLAN as an overlay bridge does it: the outer headers put before an inner frame, and taken off.
///
/// | outer header | bytes | fields |
/// |---|---|---|
/// | Ethernet | 14, tagged 18 | addresses; 802.1Q tag with PCP = priority, DEI 0, VID 0; 0x0800 |
/// | IPv4 | 20 | DSCP = priority << 3 (class selector), ECN 0, ID 0, DF, TTL 64, checksum |
/// | UDP | 8 | source port by the inner flow, destination port 4789, checksum 0 |
/// | VXLAN | 8 | flags 0x08, VNI in 24 bits, the rest 0 |
///
/// Frames have no preamble and no FCS; sizes are bytes; addresses are as in `net_address`.
///
/// Nothing here allocates, throws, or touches a byte outside the spans given. Errors are `vxlan_ec`
/// values: a packet that is not ours is daily business of a bridge, not an exception.
///
/// Not done: outer IPv6, stacked outer tags, fragments, ECN (RFC 6040). Inner VLAN tags are carried
/// as they are, which RFC 7348 section 6.1 leaves to configuration.
///
/// Source: RFC 7348 sections 4.3 (no fragments), 5 (format, checksum, source port) and 6.1;
/// RFC 791 section 3.1 and RFC 1071 (header checksum); RFC 6864 section 4.1 (ID of what is never
/// fragmented); RFC 768; RFC 2474 section 4.2.2 (class selectors); IEEE 802.1Q clauses 6.9.3
/// (priority by tag) and 9.6 (tag, VID 0).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "traffic/address.hpp"

namespace sluice {

/// Outer headers without a tag: Ethernet 14, IPv4 20, UDP 8, VXLAN 8.
inline constexpr std::size_t vxlan_overhead_bytes = 50;
inline constexpr std::size_t vxlan_tag_bytes = 4;  ///< and what a tag adds

/// What an inner frame grows by.
constexpr std::size_t vxlan_header_bytes(bool tagged) {
  return vxlan_overhead_bytes + (tagged ? vxlan_tag_bytes : 0);
}

inline constexpr std::uint16_t vxlan_port = 4789;
inline constexpr std::uint16_t vxlan_first_source_port = 49152;  ///< to 65535: 2^14 ports
inline constexpr std::uint32_t max_vni = 0xff'ffff;
inline constexpr std::size_t min_vxlan_inner_bytes = 14;  ///< an Ethernet header

/// IPv4's total length is 16 bits, and counts IPv4, UDP and VXLAN headers.
inline constexpr std::size_t max_vxlan_inner_bytes = 65535 - 20 - 8 - 8;

enum class vxlan_ec : std::uint8_t {
  ok,

  too_short,  ///< a header or the length it promises ends behind the bytes; inner frame below 14

  // Only when decoding.
  not_ipv4,          ///< another EtherType behind at most one tag, or another IP version
  not_udp,           ///< another IP protocol
  fragment,          ///< of an IPv4 packet: a tunnel's end need not put them together
  not_vxlan_port,    ///< another UDP destination port
  no_vni_flag,       ///< the I flag is not set, so the VNI means nothing
  bad_length,        ///< lengths that contradict each other, or no room for an inner frame
  bad_checksum,      ///< of the IPv4 header
  bad_udp_checksum,  ///< there is one, and it is wrong

  // Only when encoding.
  bad_settings,  ///< VNI above 24 bits, priority above 7, an address of another family
  too_long,      ///< the inner frame does not fit an IPv4 packet
  no_room,       ///< the caller's buffer is too small
};

/// "too_short" and so on: the name of a code.
std::string_view to_string(vxlan_ec code);

/// What the two ends of a tunnel say to each other beside the inner frame.
struct vxlan_outer {
  net_address source_mac, destination_mac;  ///< MAC addresses
  net_address source, destination;          ///< IPv4 addresses of the tunnel's ends
  std::uint32_t vni = 0;                    ///< up to `max_vni`
  std::uint8_t priority = 0;                ///< 0 to 7, 7 the highest

  /// With an 802.1Q tag, so that switches which look at layer 2 only can pause this priority alone.
  /// The DSCP carries the priority either way.
  bool tagged = false;

  friend bool operator==(const vxlan_outer&, const vxlan_outer&) = default;
};

/// A UDP source port from a flow's hash: equal hashes take equal paths of the underlay. Any hash
/// will do, its bits are mixed here.
std::uint16_t vxlan_source_port(std::uint64_t flow_hash);

/// The same from an inner frame's flow: IP addresses, protocol and ports; of a fragment without the
/// ports, since only the first has them and all should take one path; of anything else MAC
/// addresses and EtherType. Takes a frame that was cut when it was captured.
std::uint16_t vxlan_source_port(std::span<const std::uint8_t> inner);

struct vxlan_encoded {
  vxlan_ec code = vxlan_ec::ok;
  std::span<std::uint8_t> bytes;  ///< what was written: the front of the buffer; empty on errors

  explicit operator bool() const { return code == vxlan_ec::ok; }
};

/// Writes the outer headers alone, for a caller who keeps headroom before the frame, or who has no
/// bytes of it at all.
/// \param inner_bytes the inner frame's length on the wire.
/// \param out at least `vxlan_header_bytes(outer.tagged)`. Not written to on errors.
vxlan_encoded write_vxlan_headers(const vxlan_outer& outer, std::uint16_t source_port,
                                  std::size_t inner_bytes, std::span<std::uint8_t> out);

/// Writes the outer headers and the inner frame behind them.
/// \param out at least `vxlan_header_bytes(outer.tagged) + inner.size()`; may contain `inner`
/// itself, at any offset. Not written to on errors.
vxlan_encoded encapsulate_vxlan(const vxlan_outer& outer, std::span<const std::uint8_t> inner,
                                std::span<std::uint8_t> out);

struct vxlan_decoded {
  vxlan_ec code = vxlan_ec::ok;  ///< unless ok, nothing else here has a value

  /// Part of the bytes that were given, and lives as long as they do. Ends where the outer lengths
  /// say: Ethernet padding is cut off.
  std::span<const std::uint8_t> inner;

  /// `priority` is the tag's PCP, or without a tag the upper three bits of the DSCP: the tag is
  /// what the last switch queued and paused by.
  vxlan_outer outer;

  std::uint16_t source_port = 0;
  std::uint16_t vid = 0;  ///< of the tag; 0: none, or a tag for the priority only
  std::uint8_t dscp = 0;  ///< as it came: a router may have changed it

  explicit operator bool() const { return code == vxlan_ec::ok; }
};

/// Takes the outer headers off. Accepts more than the encoder writes: IPv4 options, any VID, and
/// reserved VXLAN bits, which RFC 7348 wants ignored. A UDP checksum other than 0 is verified. A
/// UDP length other than what IPv4 leaves for it is refused. Does not ask whether the addresses are
/// the receiver's own.
/// \param data a whole outer frame; one that was cut when it was captured is too short.
vxlan_decoded decapsulate_vxlan(std::span<const std::uint8_t> data);

}  // namespace sluice
