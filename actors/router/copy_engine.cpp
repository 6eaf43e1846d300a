#include "actors/router/copy_engine.hpp"

#include <algorithm>

namespace sluice {

bool copy_engine::handle(port_index i, const packet& first) {
  const port_index o = outputs_.size() == 1 ? 0 : first.egress;
  if (!window_open(outputs_[o]))
    return false;
  auto p = first;
  pop_packet(i);
  counters_.in.add(p.frame_bytes());
  counters_.out.add(p.frame_bytes());
  busy_ = std::max(busy_, p.at) + takes_.of(p.bytes);
  p.at = busy_ + outputs_[o].packet_latency;
  emit(o, p);
  return true;
}

sim_time copy_engine::earliest_packet(port_index o) {
  return later(std::max(busy_, next_arrival()), takes_.of(1) + outputs_[o].packet_latency);
}

void copy_engine::explain_packet(port_index o, sim_time beyond) {
  need_inputs(beyond - outputs_[o].packet_latency - takes_.of(1));
}

component_counters copy_engine::snapshot(sim_time) const {
  return with_coming(counters_, inputs_.size());
}

}  // namespace sluice
