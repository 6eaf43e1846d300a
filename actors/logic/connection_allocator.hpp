/// \file
/// Who gets the resources of a connection of the Ethernet virtualization router: the receive
/// descriptors and the memory that its virtual host has posted, and not yet had filled.
///
/// * A packet that comes straight from the parser gets them if they are there, and if nothing is in
///   its way: a packet of the same connection that was refused, or that the assist engine has
///   assigned, and that has not been sent since.
/// * The first refusal *holds back* the connection: the local engine has its resources for itself,
///   until it has emptied the connection's queue. What it asks for is there or not; nobody else
///   takes of it, so what it was told it may rely on.
/// * The local engine gives the connection back when its queue is empty. A refused packet may be on
///   its way to the queue then: only when all that were refused have come back is the connection
///   free again. That keeps the order of its packets.
///
/// Source: US 7,751,400: blocks 105, 107, 113 and 129 of FIG. 1; claims 3, 6, 7, 10, 13 and 14.
#pragma once

#include <cstdint>
#include <vector>

#include "actors/logic/buffer_gate.hpp"

namespace sluice {

class connection_allocator {
public:
  /// \param posted by connection: how many descriptors (packets) and how much memory its host
  /// posts.
  explicit connection_allocator(std::vector<buffer_limit> posted) {
    for (const auto& p : posted)
      connections_.push_back({p});
  }

  /// Whether the resources for such a packet are there. One that is larger than all the memory
  /// needs all of it.
  bool available(unsigned c, std::uint32_t bytes) const {
    const auto& x = connections_[c];
    return x.used_packets < x.posted.packets
           && (x.used_packets == 0 || x.used_bytes + bytes <= x.posted.bytes);
  }
  /// What is there.
  buffer_limit left(unsigned c) const {
    const auto& x = connections_[c];
    return {x.posted.bytes - x.used_bytes, x.posted.packets - x.used_packets};
  }
  bool held_back(unsigned c) const { return connections_[c].held_back; }
  std::size_t held_back() const { return held_back_; }  ///< how many
  std::size_t connections() const { return connections_.size(); }
  bool empty(unsigned c) const { return connections_[c].used_packets == 0; }

  /// A new packet of the connection. Returns whether it has got its resources; if not it is to be
  /// stored.
  bool direct(unsigned c, std::uint32_t bytes) {
    auto& x = connections_[c];
    if (!x.held_back && available(c, bytes)) {
      take(x, bytes);
      return true;
    }
    hold_back(c);
    ++x.refused;
    return false;
  }
  /// The local engine has a packet of the connection that did not come by a refusal.
  void hold_back(unsigned c) {
    held_back_ += connections_[c].held_back ? 0 : 1;
    connections_[c].held_back = true;
  }
  /// A packet from the connection's queue. \pre held back, and available
  void stored(unsigned c, std::uint32_t bytes) { take(connections_[c], bytes); }
  /// The queue is empty, out of which so many came that were refused here. Returns whether the
  /// connection is free again.
  bool give_back(unsigned c, std::uint64_t refused_that_came) {
    auto& x = connections_[c];
    if (x.refused == refused_that_came && x.held_back) {
      x.held_back = false;
      --held_back_;
    }
    return !x.held_back;
  }
  /// The host has posted what a packet of so many bytes had taken.
  void post(unsigned c, std::uint32_t bytes) {
    connections_[c].used_bytes -= bytes;
    --connections_[c].used_packets;
  }

private:
  struct connection {
    buffer_limit posted;
    std::int64_t used_bytes = 0, used_packets = 0;
    std::uint64_t refused = 0;
    bool held_back = false;
  };
  static void take(connection& x, std::uint32_t bytes) {
    x.used_bytes += bytes;
    ++x.used_packets;
  }
  std::vector<connection> connections_;
  std::size_t held_back_ = 0;
};

}  // namespace sluice
