#include "actors/router/sequencer.hpp"

#include <algorithm>

namespace sluice {

void sequencer::advance() {
  for (;;) {
    const auto n = static_cast<port_index>(inputs_.size());
    auto t = own_time();
    port_index first = n;
    for (port_index i = n; i-- > 0;)
      if (const auto& in = inputs_[i]; !in.items.empty() && in.items.front().at <= t) {
        t = in.items.front().at;
        first = i;
      }
    if (t > limit_)
      return;
    bool turn = true;
    for (port_index i = 0; i < n; ++i) {
      const auto until = i < first ? t : t - 1;
      if (i != first && inputs_[i].items.empty() && next_by(i) <= until) {
        need_packets(i, until);
        turn = false;
      }
    }
    if (!turn || !(first == n ? act() : handle(first, inputs_[first].items.front())))
      return;
  }
}

sim_time sequencer::next_arrival() const {
  auto t = never;
  for (port_index i = 0; i < inputs_.size(); ++i)
    t = std::min(t, next_by(i));
  return t;
}

bool sequencer::windows_open(std::size_t n) const {
  for (std::size_t o = 0; o < n; ++o)
    if (!window_open(outputs_[o]))
      return false;
  return true;
}

sim_time sequencer::next_event() const {
  auto t = own_time();
  for (const auto& in : inputs_)
    if (!in.items.empty())
      t = std::min(t, in.items.front().at);
  return t;
}

component_counters sequencer::with_coming(component_counters c, std::size_t last) const {
  for (std::size_t i = 0; i < last; ++i) {
    const auto held = waiting(inputs_[i]);
    c.in += held;
    c.held += held;
  }
  return c;
}

}  // namespace sluice
