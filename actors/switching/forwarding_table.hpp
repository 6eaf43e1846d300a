/// \file
/// Which port of a switch leads to which endpoint.
#pragma once

#include <cstdint>
#include <vector>

#include "actors/logic/link_sets.hpp"
#include "traffic/packet.hpp"

namespace sluice {

/// For the choice among equal paths: the same for all packets of a flow between two endpoints, or
/// from one to several.
inline std::uint32_t path_hash(const packet& p) {
  std::uint64_t x = (static_cast<std::uint64_t>(p.from) << 32 | (to_several(p) ? 0 : p.to))
                    ^ (std::uint64_t{p.flow} << 17);
  x = (x ^ x >> 33) * 0xff51afd7ed558ccdULL;
  x = (x ^ x >> 33) * 0xc4ceb9fe1a85ec53ULL;
  return static_cast<std::uint32_t>(x >> 32);
}

/// The ports that lead to each endpoint of the run; shared by the ports of a switch. A virtual
/// switch knows its own VMs and sends everything else to the uplink.
struct forwarding_table {
  static constexpr std::uint16_t none = 0xffff;
  struct entry {
    std::uint16_t port = none;  ///< the only port, if `count` is 1
    std::uint16_t count = 0;
    std::uint32_t first = 0;  ///< into `ports`, if `count` is more than 1
  };
  std::uint32_t first_endpoint = 0;
  std::vector<entry> by_endpoint;  ///< from first_endpoint on
  entry otherwise;
  std::vector<std::uint16_t> ports;

  bool lists(const packet& p) const {
    return p.to - first_endpoint < by_endpoint.size();  // wraps for smaller ones
  }
  std::uint16_t port_of(const packet& p) const {
    const auto& e = lists(p) ? by_endpoint[p.to - first_endpoint] : otherwise;
    return e.count <= 1 ? e.port : ports[e.first + path_hash(p) % e.count];
  }
};

}  // namespace sluice
