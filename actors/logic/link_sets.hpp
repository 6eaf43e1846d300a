/// \file
/// Selective link aggregation: which of a switch's ports may carry what is for a partition, and
/// which of them a packet takes.
///
///     packet ──▶ partition that it is for ──▶ its set of ports ──▶ those with a link ──▶ its
///     flow's
///                                                                                         port
///
/// * A flow (traffic entry, sender, receiver) keeps the port that was chosen for its first packet,
///   so it keeps its order. It gets another one only if its port has left the sets. It does not go
///   back when the port returns: what it left in the other queue would be overtaken.
/// * What goes to several endpoints at once is one flow whatever endpoint it names.
/// * hash: by the flow, among the ports that are there. round_robin: the next one of the set.
///   least_loaded: to which the fewest bytes went lately; all are halved after each `load_window`.
/// * Each ingress port chooses by itself and knows its own packets only, as the line cards of a
///   switch do. So that not all begin with the same port, each begins with one of its own.
///
/// Time is an argument: a choice depends on the packets that this ingress port has had, and on the
/// outages that began by then.
/// Source: US 2011/0103396 (a data structure with a set of ports for each logical partition); IEEE
/// 802.1AX-2014, 6.2.4 and 6.5 (frame distribution, order of a conversation).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "actors/logic/outage.hpp"
#include "traffic/packet.hpp"

namespace sluice {

/// Whether the packet is for several endpoints, of which it names one.
inline bool to_several(const packet& p) {
  return p.special == packet::multicast || p.special == packet::broadcast;
}

enum class link_choice : std::uint8_t { hash, least_loaded, round_robin };

/// When a port is in no set, by time and disjoint, if its link is down at `down` (likewise): from
/// `down_delay` after the loss of its carrier, if that lasts, until it has had one for `up_delay`.
std::vector<outage> absences(const std::vector<outage>& down, sim_time down_delay,
                             sim_time up_delay);

/// The sets of one switch, which its ingress ports share.
struct link_sets {
  static constexpr std::uint16_t none = 0xffff;

  struct set {
    std::string name;
    std::vector<std::uint16_t> ports;  ///< not empty
  };

  link_choice choice = link_choice::hash;
  sim_time load_window = millisecond;
  std::vector<set> sets;
  std::vector<std::uint16_t> set_of;      ///< by endpoint; none: it has no set
  std::vector<std::vector<outage>> away;  ///< by port

  /// Of what goes to several endpoints: their sets may differ, so it has one of its own.
  std::vector<std::uint16_t> group_set_of;

  std::uint16_t set_for(const packet& p) const {
    const auto& by = to_several(p) ? group_set_of : set_of;
    return p.to < by.size() ? by[p.to] : none;
  }
  bool is_away(std::uint16_t port, sim_time at) const;
};

/// What one ingress port chooses.
class link_selector {
public:
  /// \param first by which it begins: its number.
  link_selector(std::shared_ptr<const link_sets> sets, std::size_t first);

  /// The port for a packet to an endpoint with that set. If all of them are away it is one of them,
  /// whose queue throws away what comes. Packets come in the order of time. \param hash of the flow
  std::uint16_t choose(std::uint16_t set, const packet& p, std::uint32_t hash);

  struct amount {
    std::uint64_t packets = 0, bytes = 0;
    void add(std::uint32_t frame_bytes) {
      ++packets;
      bytes += frame_bytes;
    }
  };
  struct counts {
    std::vector<amount> sent;            ///< by port of the set, in its order
    std::uint64_t flows = 0, moved = 0;  ///< that it chose for; choices for one that had a port
    amount lost;                         ///< all of the set were away
  };
  const counts& counted(std::size_t set) const { return counts_[set]; }
  /// When the last packet came: what was so before is decided.
  sim_time seen() const { return seen_; }

private:
  struct flow {
    std::uint32_t entry = 0, from = 0, to = 0, hash = 0;
    std::uint16_t place = link_sets::none;  // in its set; none: an empty slot
  };
  flow& find(std::uint32_t entry, std::uint32_t from, std::uint32_t to, std::uint32_t hash);
  void grow();
  std::uint16_t pick(std::uint16_t set, sim_time at, std::uint32_t hash);
  void decay(sim_time at);

  std::shared_ptr<const link_sets> sets_;
  std::size_t first_;
  std::vector<flow> flows_;  // open addressing; a power of two
  std::size_t known_ = 0;
  std::vector<std::size_t> next_;     // round robin: by set
  std::vector<std::uint64_t> loads_;  // least loaded: by port
  sim_time decayed_ = 0;              // in windows
  std::vector<counts> counts_;
  sim_time seen_ = 0;
};

}  // namespace sluice
