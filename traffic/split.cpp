#include "traffic/split.hpp"

#include <algorithm>

namespace sluice {

namespace {

constexpr std::uint32_t mtu_to_frame = 18;  // Ethernet header and one tag
constexpr std::uint32_t fragment_header_bytes = 8;
constexpr std::uint32_t least_tcp_header_bytes = 20;
constexpr std::uint8_t protocol_tcp = 6;

// `payload` bytes, at most `room` of them in a piece; in each piece but the last a multiple of
// `unit`, since fragment offsets count in that (RFC 791, 3.2).
std::optional<split_plan> divide(std::uint32_t headers, std::uint32_t payload, std::uint32_t room,
                                 std::uint32_t unit) {
  const auto chunk = room / unit * unit;
  if (chunk == 0)
    return std::nullopt;
  if (payload <= room)
    return split_plan{1, headers + payload, headers + payload};
  const auto before_last = (payload - room + chunk - 1) / chunk;
  return split_plan{before_last + 1, headers + chunk, headers + payload - before_last * chunk};
}

}  // namespace

std::optional<split_plan> plan_split(const frame_headers& headers, std::uint32_t frame_bytes,
                                     std::uint32_t max_frame) {
  const std::uint32_t link =
      headers.link == link_class::ethernet ? headers.link_bytes : ethernet_header_bytes;
  if (headers.ip_version == 0 || max_frame <= std::max(mtu_to_frame, link))
    return std::nullopt;
  const auto mtu = max_frame - std::max(mtu_to_frame, link);
  const bool is_fragment = headers.fragment || headers.more_fragments;
  if (headers.protocol == protocol_tcp && !is_fragment) {
    // A header that was not captured is taken to be the shortest.
    const auto tcp = std::max<std::uint32_t>(headers.transport_bytes, least_tcp_header_bytes);
    const auto repeated = headers.ip_bytes + tcp;
    if (mtu <= repeated || frame_bytes <= link + repeated)
      return std::nullopt;
    return divide(link + repeated, frame_bytes - link - repeated, mtu - repeated, 1);
  }
  // A fragment already has IPv6's fragment header among its own.
  const std::uint32_t repeated =
      headers.ip_bytes
      + (headers.ip_version == 6 && !is_fragment ? fragment_header_bytes : std::uint32_t{0});
  if (mtu <= repeated || frame_bytes <= link + headers.ip_bytes)
    return std::nullopt;
  return divide(link + repeated, frame_bytes - link - headers.ip_bytes, mtu - repeated, 8);
}

}  // namespace sluice
