#include "actors/credits/credit_sender.hpp"

#include <algorithm>

namespace sluice {

credit_sender::credit_sender(credit_sender_config c)
    : component{c.name, c.node}, config_{std::move(c)} {
  for (const auto& x : config_.connections) {
    numbers_.add(x.flow, x.to);
    auto& own = connections_.emplace_back();
    own.config = x;
    own.reader = credit_reader{x.lists.lists};
  }
}

// -- what comes -----------------------------------------------------------------------------------

void credit_sender::take_request() {
  const packet p = inputs_[side].items.front();
  pop_packet(side);
  counters_.in.add(p.frame_bytes());
  const auto c = numbers_.find(p.flow, p.to);
  if (c == connection_index::none) {
    // Of no connection: it goes as it is, ahead of what waits for credits.
    auto out = p;
    busy_ = std::max(busy_, p.at) + time_of(p.bytes, config_.per_packet);
    out.at = busy_ + outputs_[side].packet_latency;
    counters_.out.add(p.frame_bytes());
    emit(side, out);
    release(p.bytes);
    return;
  }
  auto& x = connections_[c];
  if (x.requests.empty())
    x.stalled_since = std::max(x.stalled_since, p.at);  // no earlier than its last packet had gone
  x.requests.push({p, p.bytes});
  ++waiting_;
}

// The lists that have come by output `o`.
void credit_sender::take_lists(port_index o) {
  auto& from = outputs_[o];
  while (!from.items.empty()) {
    const auto s = from.items.front();
    from.items.pop();
    ++from.heard;
    auto& x = connections_[s.port];
    if (x.config.window_bytes != 0) {
      x.grants.push({s.at + x.config.post, s.bytes});
      continue;
    }
    x.coming.push_back(s.bytes);
    if (s.priority == 0)
      continue;  // not the last one of its list
    if (!x.reader.receive(x.coming))
      fail("a credit list found no buffer");
    x.coming.clear();
    x.posts.push(s.at + x.config.post);
  }
}

// Bytes of its next packet, but for what it is allowed.
std::uint32_t credit_sender::wants(const connection& x) const {
  return x.requests.empty() ? 1 : std::min(x.requests.front().left, config_.largest);
}

bool credit_sender::may_send(const connection& x) const {
  return !x.config.regulated
         || (x.config.window_bytes != 0 ? x.window >= wants(x) : !x.reader.empty());
}

// When it will be allowed more, as far as has come.
sim_time credit_sender::next_grant(const connection& x) {
  return !x.posts.empty() ? x.posts.front() : !x.grants.empty() ? x.grants.front().at : never;
}

// When its next packet may go, as far as is known; `never`: it is not.
sim_time credit_sender::ready_at(connection& x) {
  while (!may_send(x)) {
    const auto at = next_grant(x);
    if (at > limit_)
      return at >= never ? never : std::max(at, x.stalled_since);
    if (x.config.window_bytes != 0) {
      x.window += x.grants.front().bytes;
      x.grants.pop();
    } else {
      x.posts.pop();
      x.reader.post();
    }
    x.stalled += std::max<sim_time>(0, at - x.stalled_since);
    x.stalled_since = std::max(x.stalled_since, at);
  }
  return x.stalled_since;
}

// -- what goes ------------------------------------------------------------------------------------

void credit_sender::advance() {
  auto& in = inputs_[side];
  for (;;) {
    // The earliest that could start, with the data and the credits that are known.
    auto start = never;
    for (auto& x : connections_)
      if (!x.requests.empty()) {
        if (!may_send(x))
          take_lists(x.lists);
        if (const auto at = ready_at(x); at < never)
          start = std::min(start, std::max(at, busy_));
      }
    const bool comes = !in.items.empty() && in.items.front().at <= start;
    const auto t = comes ? in.items.front().at : start;
    if (t > limit_) {
      // Whoever waits has to hear of lists until then.
      for (const auto& x : connections_)
        if (!x.requests.empty() && waits_for_list(x) && outputs_[x.lists].promise <= limit_)
          need_signals(x.lists, outputs_[x.lists].promise);
      return;
    }
    if (comes) {
      // What is of no connection goes at once: nothing else may go before it that is not known.
      if (config_.plain && !lists_known(t))
        return;
      take_request();
      continue;
    }
    if (in.items.empty() && in.promise <= t && !full()) {
      need_packets(side, t);
      return;
    }
    if (!window_open(outputs_[side]))
      return;
    // Others that would start then, too, take turns.
    if (!lists_known(t))
      return;
    auto c = turn_;
    while (connections_[c].requests.empty() || ready_at(connections_[c]) > t)
      c = (c + 1) % connections_.size();
    transmit(c, t);
  }
}

// Whether it is known of each connection that waits for credits that it goes on no earlier. Asks.
bool credit_sender::lists_known(sim_time t) {
  bool known = true;
  for (const auto& x : connections_)
    if (!x.requests.empty() && waits_for_list(x) && ready_bound(x) <= t) {
      need_signals(x.lists, t - x.config.post);
      known = false;
    }
  return known;
}

void credit_sender::transmit(std::size_t c, sim_time at) {
  auto& x = connections_[c];
  auto& r = x.requests.front();
  // Requests may have been taken that came later.
  for (; x.counted < x.requests.size() && x.requests[x.counted].what.at <= at; ++x.counted)
    x.left += x.requests[x.counted].left;
  const auto most = std::min(r.left, config_.largest);
  const bool lists = x.config.regulated && x.config.window_bytes == 0;
  const auto bytes = lists ? x.reader.use(most) : most;
  x.window -= x.config.window_bytes != 0 ? bytes : 0;
  // Software posts a descriptor for each packet, the device has one for the request.
  const bool posted = x.config.in_device && r.left != r.what.bytes;
  busy_ = at + time_of(bytes, posted ? 0 : x.config.post);
  packet p = r.what;
  p.id = static_cast<std::uint64_t>(config_.endpoint) << 40 | static_cast<std::uint64_t>(c) << 28
         | (x.packets++ & 0xfffffff);
  p.bytes = bytes;
  x.left -= bytes;
  r.left -= bytes;
  p.remaining = static_cast<std::uint32_t>(std::min<std::uint64_t>(x.left, UINT32_MAX));
  p.at = busy_ + outputs_[side].packet_latency;
  counters_.out.add(bytes);
  emit(side, p);
  if (r.left != 0) {
    // One more of it: what goes and what stays.
    counters_.cut(p.flow);
  } else {
    release(r.what.bytes);
    x.requests.pop();
    --x.counted;
    --waiting_;
  }
  x.stalled_since = std::max(x.stalled_since, busy_);
  if (!x.requests.empty())
    x.stalled_since = std::max(x.stalled_since, x.requests.front().what.at);
  turn_ = (c + 1) % connections_.size();
}

// A request is done when the line is, and its place free.
void credit_sender::release(std::uint32_t bytes) {
  emit_signal(
      side,
      {.at = busy_ + inputs_[side].signal_latency, .bytes = bytes, .what = signal::kind::release});
}

// -- what is known of the future ------------------------------------------------------------------

// No packet of the connection may go before this.
sim_time credit_sender::ready_bound(const connection& x) const {
  if (may_send(x))
    return 0;
  if (const auto at = next_grant(x); at < never)
    return at;
  const auto& from = outputs_[x.lists];
  return later(from.items.empty() ? from.promise : from.items.front().at, x.config.post);
}

sim_time credit_sender::next_start() const {
  const auto& in = inputs_[side];
  const auto next = in.items.empty() ? in.promise : in.items.front().at;
  auto t = config_.plain ? next : never;
  for (const auto& x : connections_)
    t = std::min(t, std::max(x.requests.empty() ? next : x.stalled_since, ready_bound(x)));
  return std::max(t, busy_);
}

void credit_sender::explain(sim_time t) {
  const auto& in = inputs_[side];
  if (in.items.empty())
    need_packets(side, std::max(t, in.promise));
  for (const auto& x : connections_)
    if (waits_for_list(x) && ready_bound(x) <= t && outputs_[x.lists].items.empty())
      need_signals(x.lists, std::max(t - x.config.post, outputs_[x.lists].promise));
}

sim_time credit_sender::earliest_packet(port_index o) {
  return o != side ? never : later(next_start(), least_time() + outputs_[o].packet_latency);
}

void credit_sender::explain_packet(port_index o, sim_time beyond) {
  if (o == side)
    explain(beyond - least_time() - outputs_[o].packet_latency);
}

sim_time credit_sender::earliest_signal(port_index i) {
  return later(next_start(), least_time() + inputs_[i].signal_latency);
}

void credit_sender::explain_signal(port_index i, sim_time beyond) {
  explain(beyond - least_time() - inputs_[i].signal_latency);
}

sim_time credit_sender::next_event() const {
  const auto& in = inputs_[side];
  auto t = in.items.empty() ? never : in.items.front().at;
  for (const auto& x : connections_)
    if (!x.requests.empty() && !(waits_for_list(x) && outputs_[x.lists].items.empty()))
      t = std::min(t, std::max({busy_, x.stalled_since, ready_bound(x)}));
  return t;
}

component_counters credit_sender::snapshot(sim_time) const {
  auto c = counters_;
  const auto coming = waiting(inputs_[side]);
  c.in += coming;
  c.held += coming;
  for (const auto& x : connections_)
    for (std::size_t i = 0; i < x.requests.size(); ++i)
      c.held.add(x.requests[i].left);
  return c;
}

void credit_sender::tell(std::size_t c, credit_counts& counts, sim_time now) const {
  const auto& x = connections_[c];
  counts.used = x.reader.used();
  counts.stalled = x.stalled;
  if (!x.requests.empty() && !may_send(x))
    counts.stalled += std::max<sim_time>(0, std::min(now, next_grant(x)) - x.stalled_since);
}

}  // namespace sluice
