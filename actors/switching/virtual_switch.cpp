#include "actors/switching/virtual_switch.hpp"

#include <algorithm>
#include <limits>

#include "traffic/vxlan.hpp"

namespace sluice {

virtual_switch::virtual_switch(virtual_switch_config c)
    : component{c.name, c.node}, config_{std::move(c)} {
  const auto n = config_.ports.size();
  in_.resize(n);
  out_.resize(n);
  for (auto& in : in_)
    in.blocked_for.assign(n, 0);
  control_ = static_cast<port_index>(n);
}

void virtual_switch::advance() {
  obey();
  if (!ready_)
    return;
  asking_ = false;
  for (;;) {
    bool went_on = false;
    for (port_index i = 0; i < in_.size(); ++i)
      while (step_input(i))
        went_on = true;
    for (port_index k = 0; k < out_.size(); ++k)
      while (step_output(k))
        went_on = true;
    if (asking_)
      break;
    asking_ = !went_on;
  }
  for (port_index i = 0; i < in_.size(); ++i)
    if (next_command(i) < never)
      tell_sender(i, std::min(lossless_ ? next_move(i) : never, later(limit_, 1)));
  if (notices_.size() >= notify_at_) {
    notify(nothing_before());
    notify_at_ = std::max(notices_in_a_parcel, 2 * notices_.size());
  }
}

// -- the controller -------------------------------------------------------------------------------

void virtual_switch::obey() {
  auto& control = inputs_[control_];
  for (; !control.items.empty(); pop_packet(control_)) {
    const auto c = as_command(control.items.front());
    switch (c.what) {
      case command::kind::stop_limit:
        in_[c.port].limits.stop = c.limit;
        break;
      case command::kind::start_limit:
        in_[c.port].limits.start = c.limit;
        break;
      case command::kind::output_limit:
        out_[c.port].limit = c.limit;
        break;
      case command::kind::lossless:
        lossless_ = c.value != 0;
        break;
      case command::kind::mapping:
        if (remotes_.size() <= c.endpoint)
          remotes_.resize(c.endpoint + 1);
        remotes_[c.endpoint] = {c.value, c.tunnelled};
        break;
      case command::kind::ready: {
        ready_ = true;
        for (auto& in : in_)
          in.limits.checked = lossless_;
        // A sender needs to know what has left only when it sees no room, and then it asks.
        if (lossless_) {
          const auto& looked = in_[0].limits.stop;
          hold_back_signals(looked.bytes / 2, looked.packets / 2);
        }
        break;
      }
      case command::kind::stop:
      case command::kind::start:
        in_[c.port].commands.push_back(c);
        list_input(c.port);
        break;
    }
  }
  if (!ready_)
    need_packets(control_, control.promise);
}

sim_time virtual_switch::next_command(port_index i) const {
  const auto& in = in_[i];
  if (in.next_command < in.commands.size())
    return in.commands[in.next_command].at;
  return inputs_[control_].promise;
}

// Hands on what the controller has said for times before `until`: its place among the signals.
void virtual_switch::tell_sender(port_index i, sim_time until) {
  auto& in = in_[i];
  for (; in.next_command < in.commands.size(); ++in.next_command) {
    const auto& c = in.commands[in.next_command];
    if (c.at >= until)
      return;
    in.stopped = c.what == command::kind::stop;
    emit_signal(i, {.at = c.at + inputs_[i].signal_latency,
                    .what = in.stopped ? signal::kind::stop : signal::kind::start});
  }
}

// The controller is told when a sender finds no room any more, and when it does again.
void virtual_switch::note(port_index i, sim_time at) {
  auto& in = in_[i];
  const auto packets = static_cast<std::int64_t>(in.queue.size());
  const auto& start = in.limits.start;
  if (!lossless_
      || (in.reached ? in.bytes > start.bytes || packets > start.packets
                     : !in.limits.stop.reached_by(in.bytes, packets)))
    return;
  in.reached = !in.reached;
  ++(in.reached ? in.counters.stops_sent : in.counters.starts_sent);
  notices_.push_back(
      {at, static_cast<std::uint16_t>(i), in.reached ? signal::kind::stop : signal::kind::start});
}

// Inputs that do not touch are handled independently of each other, so their notices have to be put
// in order. Those before `horizon` go: none can come in between any more. An input without traffic
// may keep all of them; it is asked only when they have become many, since who is asked often sends
// in small batches.
void virtual_switch::notify(sim_time horizon) {
  std::stable_sort(notices_.begin(), notices_.end(),
                   [](const auto& a, const auto& b) { return a.at < b.at; });
  const auto& latency = inputs_[control_].signal_latency;
  std::size_t sent = 0;
  for (; sent < notices_.size() && notices_[sent].at < horizon; ++sent)
    emit_signal(control_, {.at = notices_[sent].at + latency,
                           .port = notices_[sent].port,
                           .what = notices_[sent].what});
  if (sent == 0 && notices_.size() >= many_notices)
    for (port_index i = 0; i < in_.size(); ++i)
      explain_move(i, notices_.front().at);
  notices_.erase(notices_.begin(), notices_.begin() + static_cast<std::ptrdiff_t>(sent));
}

sim_time virtual_switch::nothing_before() const {
  sim_time t = never;
  for (port_index i = 0; i < in_.size(); ++i)
    t = std::min(t, next_move(i));
  return t;
}

void virtual_switch::finish(sim_time) {
  if (!notices_.empty())
    notify(never);
}

// -- events in the order of time ------------------------------------------------------------------

// The next arrival at input i, or a push that it is in the middle of. False: not yet.
bool virtual_switch::step_input(port_index i) {
  auto& in = in_[i];
  if (in.pushing_at != never)
    return push(i);
  if (inputs_[i].items.empty())
    return false;
  const auto at = inputs_[i].items.front().at;
  if (at > limit_)
    return false;
  if (in.blocked_on != nobody && !news_known(in.blocked_on, at - 1))
    return false;  // the output may have pulled before
  enqueue(i, at);
  return true;
}

// What comes from an output that packets wait for. Of others only their room counts.
bool virtual_switch::step_output(port_index k) {
  auto& out = out_[k];
  if (out.pulling_at != never)
    return pull(k);
  if (out.waiting == 0)
    return false;
  if (outputs_[k].items.empty()) {
    if (asking_)
      need_signals(k, outputs_[k].promise);
    return false;
  }
  const auto s = outputs_[k].items.front();
  if (s.at > limit_ || !in_turn_to_pull(k, s.at))
    return false;
  outputs_[k].items.pop();
  ++outputs_[k].heard;
  if (s.what == signal::kind::release) {
    out.bytes -= s.bytes;
    --out.packets;
  } else if (s.what == signal::kind::pull && out.packets == 0) {
    out.pulling_at = s.at;
  }
  return true;
}

// Whether nothing can be pushed from input i up to `beyond` any more, but what is known. Asks.
bool virtual_switch::pushes_known(port_index i, sim_time beyond) {
  if (in_[i].pushing_at != never || !inputs_[i].items.empty() || next_arrival(i) > beyond)
    return true;
  if (asking_ && !full(i))
    need_packets(i, beyond);
  return false;
}

bool virtual_switch::news_known(port_index k, sim_time beyond) {
  if (out_[k].pulling_at <= beyond)
    return false;
  if (!outputs_[k].items.empty())
    return outputs_[k].items.front().at > beyond;
  if (outputs_[k].promise > beyond)
    return true;
  if (asking_)
    need_signals(k, beyond);
  return false;
}

bool virtual_switch::in_turn_to_push(port_index i, port_index k, sim_time at) {
  bool turn = true;
  for (auto j : config_.ports[k].feeds) {
    if (j == i)
      continue;
    // At the same time the input with the smaller number comes first.
    const auto own = j < i ? at : at - 1;
    if (!pushes_known(j, at) || next_push(j) <= own)
      turn = false;
    const auto l = in_[j].blocked_on;
    if (l != nobody && !news_known(l, at - 1))
      turn = false;
  }
  return turn;
}

bool virtual_switch::in_turn_to_pull(port_index k, sim_time at) {
  bool turn = true;
  for (auto j : config_.ports[k].feeds) {
    if (!pushes_known(j, at) || next_push(j) <= at)
      turn = false;
    const auto l = in_[j].blocked_on;
    if (l != nobody && l != k && !news_known(l, l < k ? at : at - 1))
      turn = false;
  }
  return turn;
}

// A sender has put a packet into its input queue, and starts the forwarder.
void virtual_switch::enqueue(port_index i, sim_time at) {
  packet p = inputs_[i].items.front();
  pop_packet(i);
  ++hops_;
  auto& in = in_[i];
  in.counters.in.add(p.frame_bytes());
  const auto port = destination(i, p);
  auto most = config_.ports[i].max_frame_bytes;
  if (p.tunnelled)
    most -= static_cast<std::uint32_t>(vxlan_header_bytes(p.priority != 0));
  const bool large = p.bytes > most;
  if (large || port == forwarding_table::none) {
    in.counters.drop(large ? drop_reason::mtu_exceeded : drop_reason::no_route, p);
    release(i, at, p.bytes);
    return;
  }
  p.ingress = static_cast<std::uint16_t>(i);
  p.egress = port;
  in.queue.push(p);
  in.bytes += p.bytes;
  in.counters.max_bytes = std::max(in.counters.max_bytes, in.bytes);
  in.counters.max_packets =
      std::max(in.counters.max_packets, static_cast<std::int64_t>(in.queue.size()));
  in.pushing_at = at;
  note(i, at);
}

// There is no way from one virtual network to another. What comes by the uplink was looked at by
// the switch of its sender.
std::uint16_t virtual_switch::destination(port_index i, packet& p) const {
  const auto port = config_.table->port_of(p);
  if (port == forwarding_table::none)
    return port;
  remote to{config_.ports[port].network, false};
  if (!config_.table->lists(p) && p.to < remotes_.size())
    to = remotes_[p.to];
  p.tunnelled = to.tunnelled;
  const auto from = config_.ports[i].network;
  return from == to.network || from == 0 || to.network == 0 ? port : forwarding_table::none;
}

// -- the forwarder --------------------------------------------------------------------------------

// Moves the packets of input i, in order, while the outputs that they are for have room. False: it
// cannot go on yet.
bool virtual_switch::push(port_index i) {
  auto& in = in_[i];
  const auto at = in.pushing_at;
  if (in.pulled_by != nobody)
    return false;
  while (!in.queue.empty()) {
    const packet& p = in.queue.front();
    const port_index k = p.egress;
    if (!in_turn_to_push(i, k, at))
      return false;
    if (lossless_ && !fits(k, p)) {
      apply(k, at);
      if (!fits(k, p)) {
        if (!news_known(k, at - 1))
          return false;  // something may have left by then
        if (in.blocked_on == nobody) {
          in.blocked_on = static_cast<std::uint16_t>(k);
          in.blocked_since = at;
          ++out_[k].waiting;
        }
        break;
      }
    }
    if (!window_open(outputs_[k]))
      return false;
    move(i, k, at, false);
  }
  in.pushing_at = never;
  return true;
}

// Moves packets to the output that pulls, one from each input in turn, while there are some and
// there is room; then lets those inputs push what was behind. False: it cannot go on yet.
bool virtual_switch::pull(port_index k) {
  auto& out = out_[k];
  const auto& feeds = config_.ports[k].feeds;
  const auto n = feeds.size();
  for (bool moved = true; moved;) {
    moved = false;
    std::size_t first = 0;
    while (first < n && feeds[first] < out.turn)
      ++first;
    for (std::size_t x = 0; x < n && !moved; ++x) {
      const auto i = feeds[(first + x) % n];
      auto& in = in_[i];
      // An input that does not touch ours may be ahead of this pull in time: it is as if its first
      // packet were not there yet.
      const bool ahead = in.pushing_at != never && in.pushing_at > out.pulling_at;
      if (ahead || in.queue.empty() || in.queue.front().egress != k)
        continue;
      if (!fits(k, in.queue.front()))
        break;
      if (!window_open(outputs_[k]))
        return false;
      move(i, k, out.pulling_at, true);
      out.turn = static_cast<std::uint16_t>(i + 1);
      if (in.pulled_by == nobody) {
        in.pulled_by = static_cast<std::uint16_t>(k);
        in.pushing_at = out.pulling_at;
        out.pulled.push_back(i);
      }
      moved = true;
    }
  }
  for (auto i : out.pulled)
    in_[i].pulled_by = nobody;
  out.pulled.clear();
  out.pulling_at = never;
  return true;
}

// Tells the sender that there is room for as much again, which wakes it if it sleeps.
void virtual_switch::release(port_index i, sim_time at, std::uint32_t bytes) {
  tell_sender(i, at + 1);
  if (lossless_)
    emit_signal(
        i, {.at = at + inputs_[i].signal_latency, .bytes = bytes, .what = signal::kind::release});
}

void virtual_switch::move(port_index i, port_index k, sim_time at, bool pulled) {
  auto& in = in_[i];
  unblock(i, at);
  packet p = in.queue.front();
  in.queue.pop();
  in.bytes -= p.bytes;
  in.counters.out.add(p.frame_bytes());
  ++(pulled ? in.counters.pulls : in.counters.pushes);
  out_[k].bytes += p.bytes;
  ++out_[k].packets;
  release(i, at, p.bytes);
  note(i, at);
  p.at = at + outputs_[k].packet_latency;
  p.pulled = pulled;
  emit(k, p);
}

// Whether the output surely has room: what is not known yet can only be more of it. A packet that
// is larger than the whole queue may pass alone.
bool virtual_switch::fits(port_index k, const packet& p) const {
  const auto& out = out_[k];
  return out.packets == 0
         || (out.bytes + p.bytes <= out.limit.bytes && out.packets < out.limit.packets);
}

// What has left output k before `before` leaves the books. Nobody waits for k, or it is a pull's
// time: then all of it has been heard already.
void virtual_switch::apply(port_index k, sim_time before) {
  if (out_[k].waiting != 0)
    return;  // its news are events, handled in their turn
  auto& out = outputs_[k];
  while (!out.items.empty() && out.items.front().at < before) {
    const auto s = out.items.front();
    out.items.pop();
    ++out.heard;
    if (s.what == signal::kind::release) {
      out_[k].bytes -= s.bytes;
      --out_[k].packets;
    }
  }
}

void virtual_switch::unblock(port_index i, sim_time at) {
  auto& in = in_[i];
  if (in.blocked_on == nobody)
    return;
  in.blocked_for[in.blocked_on] += at - in.blocked_since;
  --out_[in.blocked_on].waiting;
  in.blocked_on = nobody;
}

// -- what is known of the future ------------------------------------------------------------------

// The sender counts what is under way, so if the input queue is as full as it looks for it cannot
// send before something leaves.
bool virtual_switch::full(port_index i) const {
  const auto& in = in_[i];
  return lossless_
         && in.limits.stop.reached_by(in.bytes, static_cast<std::int64_t>(in.queue.size()));
}

sim_time virtual_switch::next_arrival(port_index i) const {
  const auto& in = inputs_[i];
  if (!in.items.empty())
    return in.items.front().at;
  if (!full(i))
    return in.promise;
  auto leaves = in_[i].pushing_at;
  if (in_[i].blocked_on != nobody)
    leaves = std::min(leaves, next_signal(in_[i].blocked_on));
  return std::max(in.promise, later(leaves, in.signal_latency + in.packet_latency));
}

sim_time virtual_switch::next_push(port_index i) const {
  return std::min(next_arrival(i), in_[i].pushing_at);
}

sim_time virtual_switch::next_signal(port_index k) const {
  const auto& out = outputs_[k];
  return std::min(out.items.empty() ? out.promise : out.items.front().at, out_[k].pulling_at);
}

// Nothing leaves input queue i before this: a packet moves when one arrives behind it, or when the
// output that its first one waits for pulls.
sim_time virtual_switch::next_move(port_index i) const {
  const auto& in = in_[i];
  const auto t = next_push(i);
  return in.blocked_on == nobody ? t : std::min(t, next_signal(in.blocked_on));
}

void virtual_switch::explain_move(port_index i, sim_time beyond) {
  const auto& in = in_[i];
  if (inputs_[i].items.empty() && inputs_[i].promise <= beyond && !full(i))
    need_packets(i, beyond);
  if (in.blocked_on != nobody && outputs_[in.blocked_on].items.empty()
      && outputs_[in.blocked_on].promise <= beyond)
    need_signals(in.blocked_on, beyond);
}

sim_time virtual_switch::next_event() const {
  sim_time t = never;
  if (!ready_ && !inputs_[control_].items.empty())
    t = inputs_[control_].items.front().at;
  for (port_index i = 0; i < in_.size(); ++i) {
    if (!inputs_[i].items.empty())
      t = std::min(t, inputs_[i].items.front().at);
    t = std::min(t, in_[i].pushing_at);
    if (in_[i].next_command < in_[i].commands.size())
      t = std::min(t, in_[i].commands[in_[i].next_command].at);
  }
  for (port_index k = 0; k < outputs_.size(); ++k) {
    t = std::min(t, out_[k].pulling_at);
    if (out_[k].waiting != 0 && !outputs_[k].items.empty())
      t = std::min(t, outputs_[k].items.front().at);
  }
  return t;
}

sim_time virtual_switch::earliest_packet(port_index k) {
  sim_time t = never;
  for (auto i : config_.ports[k].feeds)
    t = std::min(t, next_move(i));
  return later(t, outputs_[k].packet_latency);
}

void virtual_switch::explain_packet(port_index k, sim_time beyond) {
  for (auto i : config_.ports[k].feeds)
    explain_move(i, beyond - outputs_[k].packet_latency);
}

sim_time virtual_switch::earliest_signal(port_index i) {
  if (i == control_) {
    auto t = nothing_before();
    for (const auto& n : notices_)
      t = std::min(t, n.at);
    return later(t, inputs_[i].signal_latency);
  }
  const auto t = lossless_ || !ready_ ? next_move(i) : never;
  return later(std::min(t, next_command(i)), inputs_[i].signal_latency);
}

void virtual_switch::explain_signal(port_index i, sim_time beyond) {
  if (i == control_)
    return;  // nobody waits for notices
  explain_move(i, std::min(beyond - inputs_[i].signal_latency, next_command(i)));
}

// As far as the controller's next stop, the sender need not ask whether there is one.
bool virtual_switch::grant(port_index i, bool) {
  if (i == control_ || !ready_)
    return false;
  auto& allowed = inputs_[i].allowed;
  const auto& in = in_[i];
  auto until = never;
  if (in.stopped) {
    until = allowed.stated() ? allowed.until : 0;  // from then on it is stopped
  } else {
    for (auto c = in.next_command; c < in.commands.size() && until == never; ++c)
      if (in.commands[c].what == command::kind::stop)
        until = in.commands[c].at + inputs_[i].signal_latency;
  }
  if (allowed.stated() && until <= allowed.until)
    return false;
  constexpr auto all = std::numeric_limits<std::int64_t>::max() / 2;
  allowed = {all, all, until};
  return true;
}

// -- counters -------------------------------------------------------------------------------------

sim_time virtual_switch::blocked(std::size_t i, std::size_t k, sim_time now) const {
  const auto& in = in_[i];
  auto t = in.blocked_for[k];
  if (in.blocked_on == k && now > in.blocked_since)
    t += now - in.blocked_since;
  return t;
}

// The switch as such holds nothing and counts nothing: its ports do, and report.
component_counters virtual_switch::snapshot(sim_time) const {
  return {};
}

void virtual_switch::report(sim_time now, const reporter& tell) const {
  component::report(now, tell);
  for (std::size_t i = 0; i < in_.size(); ++i) {
    auto c = in_[i].counters;
    const auto coming = waiting(inputs_[i]);
    c.in += coming;
    c.held += coming;
    const auto& queue = in_[i].queue;
    for (std::size_t x = 0; x < queue.size(); ++x)
      c.held.add(queue[x].frame_bytes());
    tell(config_.ports[i].name + ".in", "vswitch input", std::move(c));
  }
}

}  // namespace sluice
