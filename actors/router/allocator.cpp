#include "actors/router/allocator.hpp"

#include <algorithm>

namespace sluice {

// What the host has posted by `t` is there.
void allocator::settle(unsigned c, sim_time t) {
  auto& host = outputs_[to_hosts + c];
  while (!host.items.empty() && host.items.front().at <= t) {
    resources_.post(c, host.items.front().bytes);
    host.items.pop();
    ++host.heard;
  }
}

// Whether nothing else can have been posted by `t`. Asks.
bool allocator::posts_known(unsigned c, sim_time t) {
  auto& host = outputs_[to_hosts + c];
  if (!host.items.empty() || host.promise > t || resources_.empty(c))
    return true;
  need_signals(to_hosts + c, t);
  return false;
}

void allocator::send(const packet& p) {
  auto out = p;
  out.at += outputs_[to_send].packet_latency;
  counters_.out.add(p.frame_bytes());
  emit(to_send, out);
}

bool allocator::handle(port_index i, const packet& first) {
  if (!windows_open(to_hosts))
    return false;
  if (i == from_local)
    return answer(as_message(first));
  const unsigned c = first.egress;
  const auto t = first.at;
  if (i == from_parser && !resources_.held_back(c) && !resources_.available(c, first.bytes)) {
    settle(c, t);
    if (!resources_.available(c, first.bytes) && !posts_known(c, t))
      return false;
  }
  auto p = first;
  pop_packet(i);
  counters_.in.add(p.frame_bytes());
  if (i == from_fifo) {
    settle(c, t);
    resources_.stored(c, p.bytes);
    send(p);
  } else if (resources_.direct(c, p.bytes)) {
    ++direct_;
    send(p);
  } else {
    ++refused_;
    p.refused = true;
    p.at += outputs_[to_store].packet_latency;
    counters_.out.add(p.frame_bytes());
    emit(to_store, p);
  }
  return true;
}

bool allocator::answer(const router_message& m) {
  using kind = router_message::kind;
  const auto c = m.connection;
  // It asks again only when all that it was granted has come.
  grants_ -= granted_[c] ? 1 : 0;
  granted_[c] = false;
  if (m.what == kind::done) {
    const auto free = resources_.give_back(c, m.refused);
    pop_packet(from_local);
    say(free ? kind::freed : kind::kept, m);
    return true;
  }
  resources_.hold_back(c);
  settle(c, m.at);
  const auto enough = static_cast<std::uint32_t>(m.bytes);
  if (!posts_known(c, m.at))
    return false;  // how much is there has to be exact
  pop_packet(from_local);
  if (resources_.available(c, enough)) {
    auto left = resources_.left(c);
    // One that is larger than all the memory goes alone.
    left.bytes = std::max<std::int64_t>(left.bytes, resources_.empty(c) ? enough : 0);
    granted_[c] = true;
    ++grants_;
    say(kind::left, m, left);
  } else {
    const auto& host = outputs_[to_hosts + c];
    say(kind::left, m, {0, 0}, host.items.empty() ? host.promise : host.items.front().at);
  }
  return true;
}

void allocator::say(router_message::kind what, const router_message& to, buffer_limit left,
                    sim_time when) {
  constexpr std::int64_t many = 1 << 30;
  emit(to_local, as_packet({.at = to.at + outputs_[to_local].packet_latency,
                            .what = what,
                            .connection = to.connection,
                            .packets = std::min(left.packets, many),
                            .bytes = left.bytes,
                            .when = when}));
}

sim_time allocator::earliest_packet(port_index o) {
  if (o >= to_hosts)
    return never;
  const auto t = o == to_send    ? std::min(next_by(from_parser), next_by(from_fifo))
                 : o == to_store ? next_by(from_parser)
                                 : next_by(from_local);
  return later(t, outputs_[o].packet_latency);
}

void allocator::explain_packet(port_index o, sim_time beyond) {
  if (o >= to_hosts)
    return;
  const auto t = beyond - outputs_[o].packet_latency;
  if (o != to_local)
    need_input(from_parser, t);
  if (o == to_send && grants_ != 0)
    need_step(from_fifo, t);
  else if (o != to_store)
    may_be_asked() ? need_step(from_local, t)
                   : need_input(from_parser, looks_.until(t - inputs_[from_local].packet_latency));
}

sim_time allocator::silent_until(port_index i) const {
  if (i == from_local && !may_be_asked())
    return later(looks_.from(next_by(from_parser)), inputs_[from_local].packet_latency);
  if (i == from_fifo && grants_ == 0)
    return later(next_by(from_local),
                 outputs_[to_local].packet_latency + inputs_[from_fifo].packet_latency);
  return 0;
}

component_counters allocator::snapshot(sim_time) const {
  return with_coming(counters_, from_local);
}

}  // namespace sluice
