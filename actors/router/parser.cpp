#include "actors/router/parser.hpp"

namespace sluice {

bool parser::handle(port_index i, const packet& first) {
  if (!windows_open(outputs_.size()))
    return false;
  auto p = first;
  pop_packet(i);
  counters_.in.add(p.frame_bytes());
  const auto connection = p.to - config_.first_endpoint;
  const auto from = config_.networks[p.from], to = config_.networks[p.to];
  if (connection >= config_.connections || (from != to && from != 0 && to != 0)) {
    counters_.drop(drop_reason::no_route, p);
    return true;
  }
  const auto o = p.special == packet::ordinary ? to_allocator : to_store;
  p.egress = static_cast<std::uint16_t>(connection);
  p.refused = false;
  p.at += outputs_[o].packet_latency;
  counters_.out.add(p.frame_bytes());
  emit(o, p);
  return true;
}

component_counters parser::snapshot(sim_time) const {
  return with_coming(counters_, inputs_.size());
}

}  // namespace sluice
