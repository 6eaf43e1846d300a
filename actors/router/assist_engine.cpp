#include "actors/router/assist_engine.hpp"

#include <algorithm>

namespace sluice {

bool assist_engine::handle(port_index i, const packet& p) {
  if (!window_open(outputs_[0]))
    return false;
  std::uint32_t connections = 1;
  if (p.special == packet::broadcast)
    connections = config_.connections;
  else if (p.special == packet::multicast)
    connections = config_.groups[p.flow];
  busy_ = later(std::max(busy_, p.at),
                config_.per_packet + static_cast<sim_time>(connections) * config_.per_connection);
  ++packets_;
  assigned_ += connections;
  emit(0, as_packet({.at = busy_ + outputs_[0].packet_latency,
                     .what = router_message::kind::assist,
                     .connection = p.special - 1u}));
  pop_packet(i);
  return true;
}

sim_time assist_engine::earliest_packet(port_index) {
  return later(std::max(busy_, next_arrival()), config_.per_packet + outputs_[0].packet_latency);
}

void assist_engine::explain_packet(port_index, sim_time beyond) {
  need_inputs(beyond - outputs_[0].packet_latency - config_.per_packet);
}

}  // namespace sluice
