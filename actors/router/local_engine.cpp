#include "actors/router/local_engine.hpp"

#include <algorithm>

namespace sluice {

local_engine::local_engine(local_engine_config c)
    : sequencer{c.name, c.node}, config_{std::move(c)}, connections_(config_.importance.size()) {}

// Something is to be done about the connection, from then on.
void local_engine::attend(std::uint32_t c, sim_time from) {
  auto& x = connections_[c];
  x.ready = from;
  if (!x.active) {
    x.active = true;
    const auto place =
        std::upper_bound(active_.begin(), active_.end(), c, [&](std::uint32_t a, std::uint32_t b) {
          const auto &i = config_.importance[a], &j = config_.importance[b];
          return i != j ? i > j : a < b;
        });
    active_.insert(place, c);
  }
  if (!x.busy)
    next_look_ = std::min(next_look_, look_at(from));
}

bool local_engine::handle(port_index i, const packet& p) {
  if (!window_open(outputs_[to_fifo]))
    return false;
  using kind = router_message::kind;
  const auto m = as_message(p);
  pop_packet(i);
  auto& c = connections_[m.connection];
  if (i == from_allocator) {
    --asked_;
    c.busy = false;
  }
  switch (m.what) {
    case kind::waits:
      if (c.waiting++ == 0)
        c.first_bytes = static_cast<std::uint32_t>(m.bytes);
      if (c.waiting == 1 && !c.busy)
        attend(m.connection, m.at);
      break;
    case kind::lost:
      ++c.came;
      if (!c.busy)
        attend(m.connection, m.at);
      break;
    case kind::taken:
      c.waiting -= m.packets;
      c.came += m.refused;
      c.first_bytes = static_cast<std::uint32_t>(m.bytes);
      c.busy = false;
      attend(m.connection, m.at);
      break;
    case kind::left:
      if (m.packets > 0) {
        ++granted_;
        c.busy = true;
        emit(to_fifo, as_packet({.at = m.at + outputs_[to_fifo].packet_latency,
                                 .what = kind::take,
                                 .connection = m.connection,
                                 .packets = m.packets,
                                 .bytes = m.bytes}));
      } else {
        attend(m.connection, std::max(m.at, m.when - outputs_[to_allocator].packet_latency));
      }
      break;
    case kind::freed:
      exclusive_ += c.since < never ? m.at - c.since : 0;
      c.since = never;
      if (c.waiting > 0) {
        attend(m.connection, m.at);
      } else {
        c.active = false;
        active_.erase(std::find(active_.begin(), active_.end(), m.connection));
      }
      break;
    default:
      // kept: there will be news of the one that is on its way.
      if (c.waiting > 0 || c.came != c.said)
        attend(m.connection, m.at);
      else
        c.ready = never;
      break;
  }
  return true;
}

// One connection of a look.
bool local_engine::act() {
  if (!window_open(outputs_[to_allocator]))
    return false;
  using kind = router_message::kind;
  const auto now = next_look_;
  for (; cursor_ < active_.size(); ++cursor_) {
    const auto number = active_[cursor_];
    auto& c = connections_[number];
    if (c.busy || c.ready >= never)
      continue;
    if (look_at(c.ready) > now) {
      after_ = std::min(after_, look_at(c.ready));
      continue;
    }
    const auto at = now + outputs_[to_allocator].packet_latency;
    c.busy = true;
    ++asked_;
    if (c.waiting > 0) {
      c.since = std::min(c.since, now);
      emit(to_allocator, as_packet({.at = at,
                                    .what = kind::ask,
                                    .connection = number,
                                    .packets = 1,
                                    .bytes = c.first_bytes}));
    } else {
      c.said = c.came;
      emit(to_allocator, as_packet({.at = at,
                                    .what = kind::done,
                                    .connection = number,
                                    .packets = 1,
                                    .refused = c.came}));
    }
    ++cursor_;
    return true;
  }
  cursor_ = 0;
  next_look_ = after_;
  after_ = never;
  return true;
}

void local_engine::tell(router_result& r, sim_time now) const {
  r.granted = granted_;
  r.exclusive = exclusive_;
  for (const auto& c : connections_)
    r.exclusive += c.since < now ? now - c.since : 0;
}

// It asks for nothing before this.
sim_time local_engine::next_ask() const {
  auto t = std::min(next_look_, look_at(next_by(from_fifo)));
  if (asked_ != 0)
    t = std::min(t, look_at(next_by(from_allocator)));
  return t;
}

sim_time local_engine::earliest_packet(port_index o) {
  if (o == to_allocator)
    return later(next_ask(), outputs_[o].packet_latency);
  const auto answer = later(
      next_ask(), outputs_[to_allocator].packet_latency + inputs_[from_allocator].packet_latency);
  return later(asked_ != 0 ? std::min(answer, next_by(from_allocator)) : answer,
               outputs_[o].packet_latency);
}

void local_engine::explain_packet(port_index o, sim_time beyond) {
  const auto t = beyond - outputs_[o].packet_latency;
  if (asked_ != 0)
    need_step(from_allocator, t);
  need_step(from_fifo, t);
}

}  // namespace sluice
