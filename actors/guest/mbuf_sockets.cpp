#include "actors/guest/mbuf_sockets.hpp"

#include <algorithm>

namespace sluice {

mbuf_sockets::mbuf_sockets(mbuf_sockets_config c)
    : component{c.name, c.node},
      config_{std::move(c)},
      pool_{config_.pool, config_.remotes.size(), config_.sockets.size()} {
  sockets_.reserve(config_.sockets.size());
  buffer_limit least;
  for (const auto& s : config_.sockets) {
    sockets_.emplace_back(s);
    least.bytes = std::min(least.bytes, s.looked.bytes);
    least.packets = std::min(least.packets, s.looked.packets);
  }
  // The softirq needs to know what has left only when it sees no room, and then it asks.
  if (config_.looks)
    hold_back_signals(least.bytes / 2, least.packets / 2);
}

void mbuf_sockets::advance() {
  for (port_index s = 0; s < sockets_.size(); ++s)
    serve(s);
  for (;;) {
    // The first arrival, of those that are here.
    auto first = static_cast<port_index>(sockets_.size());
    sim_time at = never;
    for (port_index s = 0; s < sockets_.size(); ++s)
      if (const auto& in = inputs_[s]; !in.items.empty() && in.items.front().at < at) {
        at = in.items.front().at;
        first = s;
      }
    if (at > limit_)
      break;
    // What the pool has then depends on everything before.
    bool all = true;
    for (port_index s = 0; s < sockets_.size(); ++s)
      all = known(s, at) && all;
    if (!all)
      break;
    catch_up(at);
    arrive(first);
    serve(first);
  }
  for (port_index s = 0; config_.looks && s < sockets_.size(); ++s)
    say(s);
}

// Whether no arrival at this socket before or at t, and no start before t, is still unknown. An
// arrival that is here is not.
bool mbuf_sockets::known(port_index s, sim_time t) {
  if (const auto& in = inputs_[s]; in.items.empty() && next_arrival(s) <= t) {
    need_packets(s, t);
    return false;
  }
  // If it is not certain, what is lacking has been asked for.
  return sockets_[s].queue.empty() || sockets_[s].head.at >= t;
}

// The application reads as far as is certain.
void mbuf_sockets::serve(port_index s) {
  auto& x = sockets_[s];
  auto& out = outputs_[s];
  x.out_of_window = false;
  while (!x.queue.empty()) {
    packet p = x.queue.front();
    x.head = x.line.start(out, p.at, p.bytes, limit_);
    if (x.head.at > limit_)
      return;
    if (!x.head.certain) {
      need_signals(s, x.head.at);
      return;
    }
    if (!window_open(out)) {
      x.out_of_window = true;
      return;
    }
    x.queue.pop();
    const departure d{x.head.at, p.bytes, chain_of(p)};
    x.leaving.push(d);
    if (config_.looks)
      x.unsaid.push(d);
    x.counters.out.add(p.frame_bytes());
    p.at = x.line.transmit(d.at, p.bytes) + out.packet_latency;
    p.pulled = false;
    emit(s, p);
  }
  x.head = {never, false};
}

void mbuf_sockets::arrive(port_index s) {
  auto& x = sockets_[s];
  if (config_.looks)
    say(s);  // what has left before
  packet p = inputs_[s].items.front();
  pop_packet(s);
  x.counters.in.add(p.frame_bytes());
  x.seen.bytes += p.bytes;
  ++x.seen.packets;
  const auto refuse = [&](drop_reason why) {
    x.counters.drop(why, p);
    release(s, p.at, p.bytes);
  };
  // Who looks has seen to it that there is room.
  if (!config_.looks && !x.gate.fits(p.bytes))
    return refuse(drop_reason::buffer_full);
  const auto early = x.early.decide(x.gate.bytes(), p);
  if (early == red::verdict::drop && !config_.looks)
    return refuse(drop_reason::early);
  switch (pool_.take(chain_of(p), s, p.bytes, p.at)) {
    case mbuf_pool::verdict::over_limit:
      return refuse(drop_reason::mbuf_limit);
    case mbuf_pool::verdict::exhausted:
      return refuse(drop_reason::no_mbufs);
    case mbuf_pool::verdict::taken:
      break;
  }
  if (early == red::verdict::mark) {
    ++x.counters.marked;
    p.ecn = packet::ecn_congested;
  }
  x.gate.arrive(p.bytes);
  x.queue.push(p);
}

// Pool and buffers see what left before t, and the measurements up to t in between.
void mbuf_sockets::catch_up(sim_time t) {
  while (pool_.next_measurement() <= t) {
    leave(pool_.next_measurement());
    pool_.measure(t);
  }
  leave(t);
}

void mbuf_sockets::leave(sim_time before) {
  for (std::size_t s = 0; s < sockets_.size(); ++s)
    for (auto& x = sockets_[s]; !x.leaving.empty() && x.leaving.front().at < before;) {
      x.gate.release(x.leaving.front().bytes);
      pool_.give_back(x.leaving.front().chain, s);
      x.leaving.pop();
    }
}

// Reports what left before anything can arrive, and be dropped, at this socket.
void mbuf_sockets::say(port_index s) {
  auto& x = sockets_[s];
  while (!x.unsaid.empty() && x.unsaid.front().at < next_arrival(s)) {
    const auto d = x.unsaid.front();
    x.unsaid.pop();
    release(s, d.at, d.bytes);
  }
  if (!x.unsaid.empty() && inputs_[s].items.empty())
    need_packets(s, x.unsaid.front().at);
}

void mbuf_sockets::release(port_index s, sim_time at, std::uint32_t bytes) {
  auto& x = sockets_[s];
  x.seen.bytes -= bytes;
  --x.seen.packets;
  if (config_.looks)
    emit_signal(
        s, {.at = at + inputs_[s].signal_latency, .bytes = bytes, .what = signal::kind::release});
}

// -- what is known of the future ------------------------------------------------------------------

// No packet arrives at this socket before this. While all that has come and was not reported is as
// much as the softirq looks for, it sends nothing: it counts that and what is under way.
sim_time mbuf_sockets::next_arrival(port_index s) const {
  const auto& in = inputs_[s];
  if (!in.items.empty())
    return in.items.front().at;
  const auto& x = sockets_[s];
  if (!config_.looks || !config_.sockets[s].looked.reached_by(x.seen.bytes, x.seen.packets))
    return in.promise;
  const auto next = !x.unsaid.empty() ? x.unsaid.front().at : x.queue.empty() ? never : x.head.at;
  return std::max(in.promise, later(next, in.signal_latency + in.packet_latency));
}

// No start of its application that is not decided yet is before this.
sim_time mbuf_sockets::next_start(port_index s) const {
  const auto& x = sockets_[s];
  return x.queue.empty() ? x.line.awake(next_arrival(s)) : x.head.at;
}

sim_time mbuf_sockets::earliest_packet(port_index o) {
  const auto& x = sockets_[o];
  const auto least = x.line.least_service(x.queue.empty() ? 1 : x.queue.front().bytes);
  return later(next_start(o), least + outputs_[o].packet_latency);
}

void mbuf_sockets::explain_packet(port_index o, sim_time beyond) {
  // Of one that has come and waits, or cannot start, what is lacking has been asked for.
  if (sockets_[o].queue.empty() && inputs_[o].items.empty())
    need_packets(o, std::max(inputs_[o].promise, beyond - outputs_[o].packet_latency
                                                     - sockets_[o].line.least_service(1)));
}

sim_time mbuf_sockets::earliest_signal(port_index i) {
  if (!config_.looks)
    return never;
  const auto& x = sockets_[i];
  const auto leaves = !x.unsaid.empty() ? x.unsaid.front().at : x.queue.empty() ? never : x.head.at;
  return later(std::min(leaves, next_arrival(i)), inputs_[i].signal_latency);
}

void mbuf_sockets::explain_signal(port_index i, sim_time beyond) {
  if (config_.looks && inputs_[i].items.empty() && next_arrival(i) == inputs_[i].promise)
    need_packets(i, std::max(inputs_[i].promise, beyond - inputs_[i].signal_latency));
}

sim_time mbuf_sockets::next_event() const {
  sim_time t = never;
  for (std::size_t s = 0; s < sockets_.size(); ++s) {
    if (!inputs_[s].items.empty())
      t = std::min(t, inputs_[s].items.front().at);
    if (!sockets_[s].queue.empty())
      t = std::min(t, sockets_[s].head.at);
    // Nobody may take it that nothing happens before a report that is still to go.
    if (!sockets_[s].unsaid.empty())
      t = std::min(t, sockets_[s].unsaid.front().at);
  }
  return t;
}

bool mbuf_sockets::untouched() const {
  for (std::size_t s = 0; s < sockets_.size(); ++s)
    if (sockets_[s].counters.in.packets != 0 || !inputs_[s].items.empty())
      return false;
  return true;
}

// -- counters -------------------------------------------------------------------------------------

stop_counts mbuf_sockets::stops_at(std::size_t i, unsigned) const {
  const auto& gate = sockets_[i].gate;
  return {0, config_.sockets[i].looked.share(gate.max_bytes(), gate.max_packets())};
}

std::uint64_t mbuf_sockets::packet_hops() const {
  std::uint64_t sum = 0;
  for (const auto& x : sockets_)
    sum += x.counters.in.packets;
  return sum;
}

void mbuf_sockets::report(sim_time now, const reporter& tell) const {
  component::report(now, tell);
  for (std::size_t s = 0; s < sockets_.size(); ++s) {
    const auto& x = sockets_[s];
    auto c = x.counters;
    c.held = waiting(inputs_[s]);
    c.in += c.held;
    for (std::size_t k = 0; k < x.queue.size(); ++k)
      c.held.add(x.queue[k].frame_bytes());
    c.max_bytes = x.gate.max_bytes();
    c.max_packets = x.gate.max_packets();
    c.wake_ups = x.line.wake_ups();
    tell(config_.sockets[s].name, "socket", std::move(c));
  }
}

void mbuf_sockets::sample(sim_time now, const sampler& tell) const {
  auto held = pool_.held();
  for (std::size_t s = 0; s < sockets_.size(); ++s) {
    const auto& x = sockets_[s];
    std::int64_t waits = 0;
    for (std::size_t k = 0; k < x.queue.size(); ++k)
      waits += x.queue[k].frame_bytes();
    for (std::size_t k = 0; k < x.leaving.size(); ++k)
      if (x.leaving[k].at <= now)
        held -= pool_.clusters(x.leaving[k].bytes);
    tell(config_.sockets[s].name, "socket", waits, x.counters);
  }
  tell(name(), kind(), held, {});
}

mbuf_result mbuf_sockets::tell(sim_time now) const {
  // As if something arrived now: what left before, and the measurements until then.
  auto pool = pool_;
  std::vector<std::size_t> gone(sockets_.size());
  const auto leave = [&](sim_time before) {
    for (std::size_t s = 0; s < sockets_.size(); ++s)
      for (const auto& all = sockets_[s].leaving; gone[s] < all.size() && all[gone[s]].at < before;
           ++gone[s])
        pool.give_back(all[gone[s]].chain, s);
  };
  while (pool.next_measurement() <= now) {
    leave(pool.next_measurement());
    pool.measure(now);
  }
  leave(later(now, 1));
  mbuf_result r;
  r.of = name();
  r.pool = config_.pool.pool_bytes;
  r.held = pool.held();
  r.most_held = pool.most_held();
  r.limited = config_.pool.how != mbuf_pool::limits::none;
  for (std::size_t c = 0; c < pool.chains().size(); ++c) {
    const auto& x = pool.chains()[c];
    r.chains.push_back({config_.remotes[c], x.packets, x.held, x.most_held, x.limit, x.lowest_limit,
                        x.oldest, x.lowered, x.raised, x.over_limit, x.exhausted});
  }
  return r;
}

}  // namespace sluice
