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
  std::uint8_t classes = 0;
  for (unsigned p = 0; p < max_priorities; ++p)
    if ((config_.divided >> p & 1) != 0)
      class_of_[p] = classes++;
  for (auto& in : in_) {
    in.parts.resize(std::max<std::size_t>(1, classes));
    for (auto& part : in.parts)
      part.blocked_for.assign(n, 0);
  }
  for (auto& out : out_)
    out.parts.resize(std::max<std::size_t>(1, classes));
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
      tell_sender(i, std::min(lossless_ != 0 ? next_move(i) : never, later(limit_, 1)));
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
        lossless_ = static_cast<std::uint8_t>(c.value);
        break;
      case command::kind::mapping:
        if (remotes_.size() <= c.endpoint)
          remotes_.resize(c.endpoint + 1);
        remotes_[c.endpoint] = {c.value, c.tunnelled};
        break;
      case command::kind::ready: {
        ready_ = true;
        for (auto& in : in_)
          in.limits.checked = lossless_ != 0;
        // A sender needs to know what has left only when it sees no room, and then it asks.
        if (lossless_ != 0) {
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
void virtual_switch::note(port_index i, unsigned c, sim_time at) {
  auto& in = in_[i];
  auto& part = in.parts[c];
  const auto packets = static_cast<std::int64_t>(part.queue.size());
  const auto& [checked, stop, start, counts, credits] = in.limits;
  if (!checked
      || (part.reached ? part.bytes > start.bytes || packets > start.packets
                       : !stop.reached_by(part.bytes, packets)))
    return;
  part.reached = !part.reached;
  ++(part.reached ? in.counters.stops_sent : in.counters.starts_sent);
  notices_.push_back({at, static_cast<std::uint16_t>(i), static_cast<std::uint8_t>(c),
                      part.reached ? signal::kind::stop : signal::kind::start});
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
                           .what = notices_[sent].what,
                           .priority = notices_[sent].part});
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
  if (at > limit_ || !still_blocked(i, at))
    return false;
  enqueue(i, at);
  return true;
}

// What waits at input i: no output has pulled it before `at`. Asks.
bool virtual_switch::still_blocked(port_index i, sim_time at) {
  bool known = true;
  for (const auto& part : in_[i].parts)
    if (part.blocked_on != nobody && !news_known(part.blocked_on, at - 1))
      known = false;
  return known;
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
  const auto c = class_of_[s.priority];
  if (s.what == signal::kind::release) {
    out.parts[c].bytes -= s.bytes;
    --out.parts[c].packets;
  } else if (s.what == signal::kind::pull && out.parts[c].packets == 0) {
    out.pulling_at = s.at;
    out.pulling = c;
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
    if (!pushes_known(j, at) || next_push(j) <= own || !still_blocked(j, at))
      turn = false;
  }
  return turn;
}

bool virtual_switch::in_turn_to_pull(port_index k, sim_time at) {
  bool turn = true;
  for (auto j : config_.ports[k].feeds) {
    if (!pushes_known(j, at) || next_push(j) <= at)
      turn = false;
    for (const auto& part : in_[j].parts) {
      const auto l = part.blocked_on;
      if (l != nobody && l != k && !news_known(l, l < k ? at : at - 1))
        turn = false;
    }
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
  p.ingress = static_cast<std::uint16_t>(i);
  p.egress = p.bytes > most ? too_large : port;
  const auto c = class_of(p);
  auto& part = in.parts[c];
  part.queue.push(p);
  part.bytes += p.bytes;
  part.max_bytes = std::max(part.max_bytes, part.bytes);
  part.max_packets = std::max(part.max_packets, static_cast<std::int64_t>(part.queue.size()));
  in.bytes += p.bytes;
  ++in.packets;
  in.counters.max_bytes = std::max(in.counters.max_bytes, in.bytes);
  in.counters.max_packets = std::max(in.counters.max_packets, in.packets);
  in.pushing_at = at;
  in.pushing = static_cast<std::uint8_t>(c);
  if (lossless(p))
    note(i, c, at);
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
  auto& part = in.parts[in.pushing];
  while (!part.queue.empty()) {
    const packet& p = part.queue.front();
    const port_index k = p.egress;
    if (k >= out_.size()) {
      in.counters.drop(k == too_large ? drop_reason::mtu_exceeded : drop_reason::no_route, p);
      take_out(i, at, in.pushing);
      continue;
    }
    if (!in_turn_to_push(i, k, at))
      return false;
    if (lossless(p) && !fits(k, p)) {
      apply(k, at);
      if (!fits(k, p)) {
        if (!news_known(k, at - 1))
          return false;  // something may have left by then
        if (part.blocked_on == nobody) {
          part.blocked_on = static_cast<std::uint16_t>(k);
          part.blocked_since = at;
          ++out_[k].waiting;
        }
        break;
      }
    }
    if (!window_open(outputs_[k]))
      return false;
    move(i, k, at, in.pushing, false);
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
      const auto& queue = in.parts[out.pulling].queue;
      // An input that does not touch ours may be ahead of this pull in time: it is as if its first
      // packet were not there yet.
      const bool ahead = in.pushing_at != never && in.pushing_at > out.pulling_at;
      if (ahead || queue.empty() || queue.front().egress != k)
        continue;
      if (!fits(k, queue.front()))
        break;
      if (!window_open(outputs_[k]))
        return false;
      move(i, k, out.pulling_at, out.pulling, true);
      out.turn = static_cast<std::uint16_t>(i + 1);
      if (in.pulled_by == nobody) {
        in.pulled_by = static_cast<std::uint16_t>(k);
        in.pushing_at = out.pulling_at;
        in.pushing = out.pulling;
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

// The first packet of a class leaves input i.
packet virtual_switch::take_out(port_index i, sim_time at, unsigned c) {
  auto& in = in_[i];
  auto& part = in.parts[c];
  unblock(part, at);
  const packet p = part.queue.front();
  part.queue.pop();
  part.bytes -= p.bytes;
  in.bytes -= p.bytes;
  --in.packets;
  release(i, at, p);
  if (lossless(p))
    note(i, c, at);
  return p;
}

// Tells the sender that there is room for as much again, which wakes it if it sleeps.
void virtual_switch::release(port_index i, sim_time at, const packet& p) {
  tell_sender(i, at + 1);
  if (lossless(p))
    emit_signal(i, {.at = at + inputs_[i].signal_latency,
                    .bytes = p.bytes,
                    .what = signal::kind::release,
                    .priority = p.priority});
}

void virtual_switch::move(port_index i, port_index k, sim_time at, unsigned c, bool pulled) {
  auto& in = in_[i];
  packet p = take_out(i, at, c);
  in.counters.out.add(p.frame_bytes());
  ++(pulled ? in.counters.pulls : in.counters.pushes);
  if (lossless(p)) {
    out_[k].parts[c].bytes += p.bytes;
    ++out_[k].parts[c].packets;
  }
  p.at = at + outputs_[k].packet_latency;
  p.pulled = pulled;
  emit(k, p);
}

// Whether the output surely has room: what is not known yet can only be more of it. A packet that
// is larger than the whole queue may pass alone.
bool virtual_switch::fits(port_index k, const packet& p) const {
  const auto& there = out_[k].parts[class_of(p)];
  const auto& limit = out_[k].limit;
  return there.packets == 0
         || (there.bytes + p.bytes <= limit.bytes && there.packets < limit.packets);
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
      auto& there = out_[k].parts[class_of_[s.priority]];
      there.bytes -= s.bytes;
      --there.packets;
    }
  }
}

void virtual_switch::unblock(input_part& in, sim_time at) {
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
  if (in.parts.size() > 1)
    return false;  // that one part is says nothing of the others
  return in.limits.checked && in.limits.stop.reached_by(in.bytes, in.packets);
}

sim_time virtual_switch::next_arrival(port_index i) const {
  const auto& in = inputs_[i];
  if (!in.items.empty())
    return in.items.front().at;
  if (!full(i))
    return in.promise;
  auto leaves = in_[i].pushing_at;
  if (const auto k = in_[i].parts[0].blocked_on; k != nobody)
    leaves = std::min(leaves, next_signal(k));
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
  auto t = next_push(i);
  for (const auto& part : in_[i].parts)
    if (part.blocked_on != nobody)
      t = std::min(t, next_signal(part.blocked_on));
  return t;
}

// Its sender is told of none before this: of what is not lossless it is not.
sim_time virtual_switch::next_release(port_index i) const {
  const auto& in = in_[i];
  if (!ready_ || in.parts.size() == 1)
    return next_move(i);
  sim_time t = never;
  for (unsigned p = 0; p < max_priorities; ++p) {
    if ((config_.divided & lossless_ & 1u << p) == 0)
      continue;
    const auto& part = in.parts[class_of_[p]];
    const auto k = part.blocked_on;
    // While there is still no room, what arrives behind it does not help.
    if (k == nobody || fits(k, part.queue.front()))
      t = std::min(t, next_arrival(i));
    if (k != nobody)
      t = std::min(t, next_signal(k));
    if (in.pushing_at != never && in.pushing == class_of_[p])
      t = std::min(t, in.pushing_at);
  }
  return t;
}

void virtual_switch::explain_move(port_index i, sim_time beyond) {
  if (inputs_[i].items.empty() && inputs_[i].promise <= beyond && !full(i))
    need_packets(i, beyond);
  for (const auto& part : in_[i].parts)
    if (const auto k = part.blocked_on;
        k != nobody && outputs_[k].items.empty() && outputs_[k].promise <= beyond)
      need_signals(k, beyond);
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
  const auto t = lossless_ != 0 || !ready_ ? next_release(i) : never;
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
  sim_time longest = 0;
  for (const auto& part : in_[i].parts) {
    auto t = part.blocked_for[k];
    if (part.blocked_on == k && now > part.blocked_since)
      t += now - part.blocked_since;
    longest = std::max(longest, t);
  }
  return longest;
}

stop_counts virtual_switch::stops_at(std::size_t i, unsigned priority) const {
  const auto& part = in_[i].parts[priority < max_priorities ? class_of_[priority] : 0];
  return {0, in_[i].limits.stop.share(part.max_bytes, part.max_packets)};
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
    for (const auto& part : in_[i].parts)
      for (std::size_t x = 0; x < part.queue.size(); ++x)
        c.held.add(part.queue[x].frame_bytes());
    tell(config_.ports[i].name + ".in", "vswitch input", std::move(c));
  }
}

void virtual_switch::sample(sim_time, const sampler& tell) const {
  std::string name;
  for (std::size_t i = 0; i < in_.size(); ++i) {
    name = config_.ports[i].name + ".in";
    tell(name, "vswitch input", in_[i].bytes, in_[i].counters);
  }
}

}  // namespace sluice
