#include "traffic/vxlan.hpp"

#include <pcap/dlt.h>

#include <algorithm>
#include <cstring>
#include <functional>

#include "traffic/byte_order.hpp"
#include "traffic/headers.hpp"
#include "traffic/packet.hpp"
#include "traffic/random.hpp"

namespace sluice {

namespace {

constexpr std::uint16_t type_ipv4 = 0x0800, type_vlan = 0x8100;
constexpr std::uint8_t protocol_udp = 17;
constexpr std::size_t ipv4_bytes = 20, udp_bytes = 8, vxlan_bytes = 8;
constexpr std::uint16_t dont_fragment = 0x4000;
constexpr std::uint16_t fragment_bits = 0x3fff;  // more fragments, and the offset
constexpr std::uint8_t time_to_live = 64;        // what hosts use; no underlay is that deep
constexpr std::uint8_t flag_vni = 0x08;

static_assert(ethernet_header_bytes + ipv4_bytes + udp_bytes + vxlan_bytes == vxlan_overhead_bytes);
static_assert(ipv4_bytes + udp_bytes + vxlan_bytes + max_vxlan_inner_bytes == 0xffff);

using bytes = std::span<const std::uint8_t>;

// With its checksum in place, an undamaged range sums up to all ones.
bool verifies(std::uint32_t sum) {
  return folded(sum) == 0xffff;
}

vxlan_ec check(const vxlan_outer& outer, std::size_t inner_bytes, std::size_t needed_bytes,
               std::size_t room_bytes) {
  using family = net_address::family;
  if (outer.vni > max_vni || outer.priority >= max_priorities
      || outer.source_mac.kind() != family::mac || outer.destination_mac.kind() != family::mac
      || outer.source.kind() != family::ipv4 || outer.destination.kind() != family::ipv4)
    return vxlan_ec::bad_settings;
  if (inner_bytes < min_vxlan_inner_bytes)
    return vxlan_ec::too_short;
  if (inner_bytes > max_vxlan_inner_bytes)
    return vxlan_ec::too_long;
  return room_bytes < needed_bytes ? vxlan_ec::no_room : vxlan_ec::ok;
}

// Everything was checked.
void write_headers(const vxlan_outer& outer, std::uint16_t source_port, std::size_t inner_bytes,
                   std::span<std::uint8_t> out) {
  header_writer w{out};
  w.address(outer.destination_mac);
  w.address(outer.source_mac);
  if (outer.tagged) {
    w.u16(type_vlan);
    w.u16(static_cast<std::uint16_t>(outer.priority << 13));
  }
  w.u16(type_ipv4);

  const std::size_t ip_at = w.at();
  w.u8(0x45);
  w.u8(static_cast<unsigned>(outer.priority) << 5);  // CSn: n << 3, and two bits of ECN below
  w.u16(ipv4_bytes + udp_bytes + vxlan_bytes + inner_bytes);
  w.u16(0);  // the ID is for putting fragments together, and DF forbids them
  w.u16(dont_fragment);
  w.u8(time_to_live);
  w.u8(protocol_udp);
  w.u16(0);  // the checksum, when the rest is there
  w.address(outer.source);
  w.address(outer.destination);
  header_writer{out.subspan(ip_at + 10, 2)}.u16(
      static_cast<std::uint16_t>(~folded(sum16(out.subspan(ip_at, ipv4_bytes)))));

  w.u16(source_port);
  w.u16(vxlan_port);
  w.u16(udp_bytes + vxlan_bytes + inner_bytes);
  w.u16(0);  // no checksum: the inner frame has its own

  w.u8(flag_vni);
  w.u8(0);
  w.u16(0);
  w.u32(outer.vni << 8);
}

vxlan_decoded refused(vxlan_ec code) {
  vxlan_decoded d;
  d.code = code;
  return d;
}

// UDP's checksum covers addresses, protocol and length of the IPv4 header too.
bool udp_verifies(bytes ip, bytes datagram) {
  return verifies(sum16(datagram, sum16(ip.subspan<12, 8>())) + protocol_udp
                  + static_cast<std::uint32_t>(datagram.size()));
}

}  // namespace

std::string_view to_string(vxlan_ec code) {
  switch (code) {
    case vxlan_ec::ok:
      return "ok";
    case vxlan_ec::too_short:
      return "too_short";
    case vxlan_ec::not_ipv4:
      return "not_ipv4";
    case vxlan_ec::not_udp:
      return "not_udp";
    case vxlan_ec::fragment:
      return "fragment";
    case vxlan_ec::not_vxlan_port:
      return "not_vxlan_port";
    case vxlan_ec::no_vni_flag:
      return "no_vni_flag";
    case vxlan_ec::bad_length:
      return "bad_length";
    case vxlan_ec::bad_checksum:
      return "bad_checksum";
    case vxlan_ec::bad_udp_checksum:
      return "bad_udp_checksum";
    case vxlan_ec::bad_settings:
      return "bad_settings";
    case vxlan_ec::too_long:
      return "too_long";
    case vxlan_ec::no_room:
      return "no_room";
  }
  return "unknown";
}

std::uint16_t vxlan_source_port(std::uint64_t flow_hash) {
  // As many ports as 14 bits have values, so each is as likely.
  return static_cast<std::uint16_t>(vxlan_first_source_port | (mix64(flow_hash) & 0x3fff));
}

std::uint16_t vxlan_source_port(std::span<const std::uint8_t> inner) {
  const auto h = parse_headers(DLT_EN10MB, inner);
  const bool ip = h.ip_version != 0;
  const bool whole = !h.fragment && !h.more_fragments;
  const std::hash<net_address> hash;
  std::uint64_t flow = hash(ip ? h.source : h.source_mac);
  flow = mix64(flow) ^ hash(ip ? h.destination : h.destination_mac);  // there is not back again
  flow = mix64(flow) ^ static_cast<std::uint64_t>(h.ether_type) << 40
         ^ static_cast<std::uint64_t>(h.protocol) << 32;
  if (whole)
    flow ^= static_cast<std::uint64_t>(h.source_port) << 16 | h.destination_port;
  return vxlan_source_port(flow);
}

vxlan_encoded write_vxlan_headers(const vxlan_outer& outer, std::uint16_t source_port,
                                  std::size_t inner_bytes, std::span<std::uint8_t> out) {
  const std::size_t size = vxlan_header_bytes(outer.tagged);
  if (const auto code = check(outer, inner_bytes, size, out.size()); code != vxlan_ec::ok)
    return {code, {}};
  write_headers(outer, source_port, inner_bytes, out.first(size));
  return {vxlan_ec::ok, out.first(size)};
}

vxlan_encoded encapsulate_vxlan(const vxlan_outer& outer, std::span<const std::uint8_t> inner,
                                std::span<std::uint8_t> out) {
  const std::size_t header = vxlan_header_bytes(outer.tagged);
  if (const auto code = check(outer, inner.size(), header + inner.size(), out.size());
      code != vxlan_ec::ok)
    return {code, {}};
  // The inner frame may lie where the headers go: it is read and moved before they are written.
  const auto port = vxlan_source_port(inner);
  std::memmove(out.data() + header, inner.data(), inner.size());
  write_headers(outer, port, inner.size(), out.first(header));
  return {vxlan_ec::ok, out.first(header + inner.size())};
}

// Each size is asked for before the bytes behind it, so a packet that was cut is always `too_short`
// and never something else.
vxlan_decoded decapsulate_vxlan(std::span<const std::uint8_t> data) {
  vxlan_decoded d;

  if (data.size() < ethernet_header_bytes)
    return refused(vxlan_ec::too_short);
  d.outer.destination_mac = net_address::mac(data.subspan<0, 6>());
  d.outer.source_mac = net_address::mac(data.subspan<6, 6>());
  std::size_t ip_at = ethernet_header_bytes;
  std::uint16_t type = be16(data, 12);
  if (type == type_vlan) {
    ip_at += vxlan_tag_bytes;
    if (data.size() < ip_at)
      return refused(vxlan_ec::too_short);
    d.outer.tagged = true;
    d.outer.priority = data[14] >> 5;
    d.vid = be16(data, 14) & 0x0fff;
    type = be16(data, 16);
  }
  if (type != type_ipv4)
    return refused(vxlan_ec::not_ipv4);

  const bytes ip = data.subspan(ip_at);
  if (ip.size() < ipv4_bytes)
    return refused(vxlan_ec::too_short);
  if (ip[0] >> 4 != 4)
    return refused(vxlan_ec::not_ipv4);
  const std::size_t header_bytes = (ip[0] & 15) * std::size_t{4};  // with options
  if (header_bytes < ipv4_bytes)
    return refused(vxlan_ec::bad_length);
  if (ip.size() < header_bytes)
    return refused(vxlan_ec::too_short);
  // Before any other field is believed.
  if (!verifies(sum16(ip.first(header_bytes))))
    return refused(vxlan_ec::bad_checksum);
  if ((be16(ip, 6) & fragment_bits) != 0)
    return refused(vxlan_ec::fragment);
  if (ip[9] != protocol_udp)
    return refused(vxlan_ec::not_udp);
  const std::size_t total_bytes = be16(ip, 2);
  if (total_bytes < header_bytes + udp_bytes)
    return refused(vxlan_ec::bad_length);
  if (ip.size() < total_bytes)
    return refused(vxlan_ec::too_short);
  d.dscp = ip[1] >> 2;
  if (!d.outer.tagged)
    d.outer.priority = d.dscp >> 3;
  d.outer.source = net_address::ipv4(ip.subspan<12, 4>());
  d.outer.destination = net_address::ipv4(ip.subspan<16, 4>());

  const bytes udp = ip.subspan(header_bytes, total_bytes - header_bytes);
  if (be16(udp, 2) != vxlan_port)
    return refused(vxlan_ec::not_vxlan_port);
  // A tunnel's end leaves no gap between the two lengths: where there is one, one is damaged.
  if (be16(udp, 4) != udp.size() || udp.size() < udp_bytes + vxlan_bytes + min_vxlan_inner_bytes)
    return refused(vxlan_ec::bad_length);
  if (be16(udp, 6) != 0 && !udp_verifies(ip, udp))
    return refused(vxlan_ec::bad_udp_checksum);
  d.source_port = be16(udp, 0);

  const bytes vxlan = udp.subspan(udp_bytes);
  if ((vxlan[0] & flag_vni) == 0)
    return refused(vxlan_ec::no_vni_flag);
  d.outer.vni = static_cast<std::uint32_t>(vxlan[4] << 16 | vxlan[5] << 8 | vxlan[6]);
  d.inner = vxlan.subspan(vxlan_bytes);
  return d;
}

}  // namespace sluice
