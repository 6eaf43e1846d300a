#include "actors/guest/consumer.hpp"

#include <algorithm>

namespace sluice {

void consumer::notify(std::uint32_t endpoint, sim_time interval) {
  if (endpoint >= sources_.size())
    sources_.resize(endpoint + 1);
  sources_[endpoint] = {last_input(), interval, 0};
  told_by_.resize(inputs_.size());
  told_by_.back() = endpoint;
  inputs_.back().urgent = true;
}

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
    if (p.ecn == packet::ecn_congested) {
      ++f.marked;
      if (p.from < sources_.size())
        if (auto& s = sources_[p.from]; s.input != side && p.at >= s.next) {
          s.next = later(p.at, s.interval);
          emit_signal(s.input, {.at = later(p.at, inputs_[s.input].signal_latency),
                                .what = signal::kind::slow_down});
        }
    }
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

sim_time consumer::earliest_signal(port_index i) {
  if (i == side)
    return never;
  const auto& in = inputs_[side];
  const auto next = in.items.empty() ? in.promise : in.items.front().at;
  return later(std::max(next, sources_[told_by_[i]].next), inputs_[i].signal_latency);
}

void consumer::explain_signal(port_index i, sim_time beyond) {
  if (i != side && inputs_[side].items.empty())
    need_packets(side, beyond - inputs_[i].signal_latency);
}

}  // namespace sluice
