/// \file
/// A packet on its way: a small value that is copied from hop to hop, and a handle to its bytes.
#pragma once

#include <cstdint>

#include "traffic/units.hpp"

namespace sluice {

/// Where a packet's bytes are: in a capture of the run, or nowhere yet (synthetic: they are made
/// only when somebody wants to see them).
class frame_ref {
public:
  constexpr frame_ref() = default;

  /// \param capture index of the capture in the run, from 0 to 65534.
  /// \param offset of the frame's first captured byte in the file.
  constexpr frame_ref(std::uint16_t capture, std::uint64_t offset)
      : bits_{(static_cast<std::uint64_t>(capture) + 1) << 48 | (offset & 0xffff'ffff'ffff)} {}

  constexpr bool synthetic() const { return bits_ == 0; }
  constexpr std::uint16_t capture() const { return static_cast<std::uint16_t>((bits_ >> 48) - 1); }
  constexpr std::uint64_t offset() const { return bits_ & 0xffff'ffff'ffff; }

private:
  std::uint64_t bits_ = 0;
};

/// Up to eight priorities (802.1Q PCP), 7 the highest.
inline constexpr unsigned max_priorities = 8;

/// One packet, 64 bytes. Sizes are frame bytes as Wireshark shows them: no preamble, no FCS.
struct packet {
  sim_time at = 0;            ///< arrival of the last bit at the channel's receiver
  sim_time due = 0;           ///< when its producer was to send it; latency counts from here
  std::uint64_t id = 0;       ///< producer << 40 | sequence: the same in every run
  frame_ref frame;            ///< its bytes
  std::uint32_t bytes = 0;    ///< length on the wire: what lines and buffers take
  std::uint32_t flow = 0;     ///< index of the scenario's traffic entry
  std::uint32_t from = 0;     ///< index of the endpoint (VM, generator) that made it
  std::uint32_t to = 0;       ///< index of the endpoint (VM, sink) that it is for
  std::uint16_t ingress = 0;  ///< the port by which it entered the switch it is in
  std::uint16_t egress = 0;   ///< the port by which it will leave that switch
  std::uint8_t priority = 0;
  bool pulled = false;       ///< the receiver asked for it, so it has not gone to sleep meanwhile
  std::uint8_t overlay = 0;  ///< of `bytes`: outer headers in front of the frame
  bool tunnelled = false;    ///< the bridge of its host has to put a tunnel's headers in front
  std::uint32_t remaining = 0;  ///< in-band: bytes that its connection has to send behind it
  std::uint8_t socket = 0;      ///< which of the receiving VM's sockets it is for, or `filtered`
  std::uint8_t ecn = 0;         ///< of its IP header (RFC 3168): see ecn_*
  std::uint8_t special = 0;     ///< whom it is for beside `to`, and whether a parser sees it
  bool refused = false;         ///< by the allocator of a router: it has to be stored

  /// Of `special`. Unknown, ARP: for `to`, but a router has to find that out. Multicast: for all of
  /// its traffic entry's `to`; broadcast: for all VMs of the host.
  static constexpr std::uint8_t ordinary = 0, unknown = 1, arp = 2, multicast = 3, broadcast = 4;
  static constexpr unsigned special_types = 4;

  /// In place of a socket: the receiver's packet filter lets it go no further.
  static constexpr std::uint8_t filtered = 0xff;

  static constexpr std::uint8_t ecn_not_capable = 0, ecn_capable = 2, ecn_congested = 3;

  /// What is counted: the frame that was made, without what a tunnel puts around it.
  std::uint32_t frame_bytes() const { return bytes - overlay; }
};

static_assert(sizeof(packet) == 64);

}  // namespace sluice
