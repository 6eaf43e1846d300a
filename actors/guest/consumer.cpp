#include "actors/guest/consumer.hpp"

#include <algorithm>

namespace sluice {

void consumer::advance() {
  auto& in = inputs_[side];
  while (!in.items.empty() && in.items.front().at <= limit_) {
    const packet& p = in.items.front();
    if (p.flow >= flows_.size())
      flows_.resize(p.flow + 1);
    auto& f = flows_[p.flow];
    f.delivered.add(p.frame_bytes());
    f.latency.add(p.at - p.due);
    if (p.from >= f.seen.size())
      f.seen.resize(p.from + 1);
    f.reordered += p.id < f.seen[p.from];
    f.seen[p.from] = std::max(f.seen[p.from], p.id);
    f.last = p.at;
    fingerprint_.add(p.id, p.at);
    counters_.consumed.add(p.frame_bytes());
    last_ = p.at;
    pop_packet(side);
  }
}

sim_time consumer::next_event() const {
  const auto& in = inputs_[side];
  return in.items.empty() ? never : in.items.front().at;
}

component_counters consumer::snapshot(sim_time) const {
  auto c = counters_;
  c.held = waiting(inputs_[side]);
  c.in = c.consumed + c.held;
  return c;
}

}  // namespace sluice
