#include "traffic/headers.hpp"

#include <pcap/dlt.h>

#include "traffic/byte_order.hpp"

namespace sluice {

namespace {

constexpr std::uint16_t type_ipv4 = 0x0800, type_arp = ether_type_arp, type_ipv6 = 0x86dd;
constexpr std::uint8_t protocol_tcp = 6, protocol_udp = 17;
constexpr unsigned max_tags = 4;        // more VLAN tags than anybody stacks
constexpr unsigned max_extensions = 8;  // and more IPv6 extension headers

using bytes = std::span<const std::uint8_t>;

bool is_vlan(std::uint16_t type) {
  return type == 0x8100 || type == 0x88a8 || type == 0x9100;
}

std::uint16_t type_of_version(bytes data) {
  if (data.empty())
    return 0;
  return data[0] >> 4 == 4 ? type_ipv4 : data[0] >> 4 == 6 ? type_ipv6 : std::uint16_t{0};
}

// BSD's loopback header is an address family, in the capturing machine's byte order for NULL.
// AF_INET is 2 everywhere, AF_INET6 is 24, 28 or 30 on the BSDs and 10 on Linux.
std::uint16_t type_of_family(bytes data) {
  if (data.size() < 4)
    return 0;
  const unsigned family = data[0] == 0 ? data[3] : data[0];
  switch (family) {
    case 2:
      return type_ipv4;
    case 10:
    case 24:
    case 28:
    case 30:
      return type_ipv6;
    default:
      return 0;
  }
}

// Reads addresses, tags and type, and says where layer 3 begins.
void parse_ethernet(bytes data, frame_headers& h) {
  h.link_bytes = ethernet_header_bytes;
  if (data.size() < ethernet_header_bytes)
    return;
  h.destination_mac = net_address::mac(data.subspan<0, 6>());
  h.source_mac = net_address::mac(data.subspan<6, 6>());
  std::uint16_t type = be16(data, 12);
  for (unsigned tags = 0; tags != max_tags && is_vlan(type); ++tags) {
    const std::size_t at = h.link_bytes;
    h.link_bytes += 4;
    if (data.size() < at + 4)
      return;
    if (!h.pcp)
      h.pcp = data[at] >> 5;
    type = be16(data, at + 2);
  }
  if (type >= 0x0600)  // below that it is a length: LLC
    h.ether_type = type;
}

void parse_transport(bytes data, frame_headers& h) {
  if (h.fragment)
    return;
  if ((h.protocol == protocol_tcp || h.protocol == protocol_udp) && data.size() >= 4) {
    h.source_port = be16(data, 0);
    h.destination_port = be16(data, 2);
  }
  if (h.protocol == protocol_udp && data.size() >= 4)
    h.transport_bytes = 8;
  if (h.protocol == protocol_tcp && data.size() >= 13 && data[12] >> 4 >= 5)
    h.transport_bytes = static_cast<std::uint16_t>((data[12] >> 4) * 4);
}

void parse_ipv4(bytes data, frame_headers& h) {
  if (data.size() < 20 || data[0] >> 4 != 4 || (data[0] & 15) < 5)
    return;
  h.ip_version = 4;
  h.ip_bytes = static_cast<std::uint16_t>((data[0] & 15) * 4);
  h.dscp = data[1] >> 2;
  h.ecn = data[1] & 3;
  h.more_fragments = (data[6] & 0x20) != 0;
  h.fragment = (be16(data, 6) & 0x1fff) != 0;
  h.protocol = data[9];
  h.source = net_address::ipv4(data.subspan<12, 4>());
  h.destination = net_address::ipv4(data.subspan<16, 4>());
  if (data.size() >= h.ip_bytes)
    parse_transport(data.subspan(h.ip_bytes), h);
}

bool is_extension(std::uint8_t next) {
  return next == 0 || next == 43 || next == 44 || next == 51 || next == 60 || next == 135;
}

void parse_ipv6(bytes data, frame_headers& h) {
  if (data.size() < 40 || data[0] >> 4 != 6)
    return;
  h.ip_version = 6;
  h.ip_bytes = 40;
  h.dscp = static_cast<std::uint8_t>((data[0] & 15) << 2 | data[1] >> 6);
  h.ecn = data[1] >> 4 & 3;
  h.source = net_address::ipv6(data.subspan<8, 16>());
  h.destination = net_address::ipv6(data.subspan<24, 16>());
  h.protocol = data[6];
  for (unsigned n = 0; n != max_extensions && is_extension(h.protocol); ++n) {
    const std::size_t at = h.ip_bytes;
    if (data.size() < at + 8)
      return;
    std::size_t size = (data[at + 1] + std::size_t{1}) * 8;
    if (h.protocol == 44) {  // fragment header
      size = 8;
      h.fragment = h.fragment || (be16(data, at + 2) & 0xfff8) != 0;
      h.more_fragments = (data[at + 3] & 1) != 0;
    } else if (h.protocol == 51) {  // authentication header: counted in words of four bytes
      size = (data[at + 1] + std::size_t{2}) * 4;
    }
    h.protocol = data[at];
    h.ip_bytes = static_cast<std::uint16_t>(at + size);
  }
  if (data.size() >= h.ip_bytes)
    parse_transport(data.subspan(h.ip_bytes), h);
}

void parse_arp(bytes data, frame_headers& h) {
  // Ethernet and IPv4 only: hardware type 1, protocol 0x0800, address lengths 6 and 4.
  if (data.size() < 28 || be16(data, 0) != 1 || be16(data, 2) != type_ipv4 || data[4] != 6
      || data[5] != 4)
    return;
  h.source = net_address::ipv4(data.subspan<14, 4>());
  h.destination = net_address::ipv4(data.subspan<24, 4>());
}

}  // namespace

link_class classify_link_type(int link_type) {
  switch (link_type) {
    case DLT_EN10MB:
      return link_class::ethernet;
    case DLT_RAW:
    case DLT_IPV4:
    case DLT_IPV6:
    case DLT_NULL:
    case DLT_LOOP:
    case DLT_LINUX_SLL:
    case DLT_LINUX_SLL2:
      return link_class::convertible;
    default:
      return link_class::foreign;
  }
}

frame_headers parse_headers(int link_type, std::span<const std::uint8_t> data) {
  frame_headers h;
  h.link = classify_link_type(link_type);
  switch (link_type) {
    case DLT_EN10MB:
      parse_ethernet(data, h);
      break;
    case DLT_RAW:
      h.ether_type = type_of_version(data);
      break;
    case DLT_IPV4:
      h.ether_type = type_ipv4;
      break;
    case DLT_IPV6:
      h.ether_type = type_ipv6;
      break;
    case DLT_NULL:
    case DLT_LOOP:
      h.link_bytes = 4;
      h.ether_type = type_of_family(data);
      break;
    case DLT_LINUX_SLL:
      h.link_bytes = 16;
      h.ether_type = data.size() >= 16 ? be16(data, 14) : 0;
      break;
    case DLT_LINUX_SLL2:
      h.link_bytes = 20;
      h.ether_type = data.size() >= 20 ? be16(data, 0) : 0;
      break;
    default:
      return h;
  }
  if (data.size() <= h.link_bytes)
    return h;
  const auto payload = data.subspan(h.link_bytes);
  switch (h.ether_type) {
    case type_ipv4:
      parse_ipv4(payload, h);
      break;
    case type_ipv6:
      parse_ipv6(payload, h);
      break;
    case type_arp:
      parse_arp(payload, h);
      break;
    default:
      break;
  }
  return h;
}

std::uint32_t ethernet_bytes(int link_type, const frame_headers& headers,
                             std::uint32_t wire_bytes) {
  switch (classify_link_type(link_type)) {
    case link_class::ethernet:
      return wire_bytes < ethernet_header_bytes ? 0 : wire_bytes;
    case link_class::convertible:
      return wire_bytes <= headers.link_bytes
                 ? 0
                 : wire_bytes - headers.link_bytes + ethernet_header_bytes;
    case link_class::foreign:
      break;
  }
  return 0;
}

}  // namespace sluice
