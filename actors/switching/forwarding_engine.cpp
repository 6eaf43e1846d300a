#include "actors/switching/forwarding_engine.hpp"

#include <algorithm>
#include <bit>
#include <map>

#include "actors/queue/pause_sender.hpp"

namespace sluice {

forwarding_engine::forwarding_engine(forwarding_engine_config c)
    : component{c.name, c.node}, config_{std::move(c)} {
  const auto n = config_.ingress.size();
  config_.senders.resize(n);
  const auto m = config_.egress_ports;
  ingress_.resize(n);
  for (std::size_t i = 0; i < n; ++i) {
    ingress_[i].gate = class_gates{config_.ingress[i]};
    ingress_[i].regulated = config_.ingress[i].stops();
    ingress_[i].least_stop = config_.ingress[i].least_stop();
  }
  egress_.resize(m);
  unknown_.assign(n * m, 0);
  for (const auto& in : config_.ingress)
    gates_ = std::max(gates_, in.parts.size());
  accounted_.assign(n * m * gates_, 0);
  stopped_.assign(n * m, 0);
  forwarded_.assign(m * max_priorities, 0);
  left_.assign(m * max_priorities, 0);
  order_.assign(n, 0);
  std::map<std::vector<std::uint16_t>, std::size_t> known;
  for (std::size_t k = 0; k < m; ++k) {
    auto& inputs = config_.feeds[k];
    std::sort(inputs.begin(), inputs.end());
    const auto [it, added] = known.emplace(inputs, groups_.size());
    if (added)
      groups_.push_back({inputs});
    egress_[k].group = it->second;
  }
}

void forwarding_engine::request_pauses(std::size_t i, const pause_requests::config& c) {
  ingress_[i].requests = pause_requests{c};
  ingress_[i].requests_out = last_output();
  requested_by_.push_back(static_cast<std::uint16_t>(i));
}

void forwarding_engine::grant_credits(std::size_t i, const ib_grants::config& c) {
  auto& s = ingress_[i];
  s.grants = std::make_unique<ib_grants>(c);
  s.one_lane = std::popcount(c.lanes) == 1;
  s.lane = static_cast<std::uint8_t>(std::countr_zero(c.lanes));
  find_feeds(static_cast<port_index>(i));
  s.requests_out = last_output();
  requested_by_.push_back(static_cast<std::uint16_t>(i));
}

void forwarding_engine::advance() {
  for (auto k : listed_outputs_)
    if (k < config_.egress_ports)
      hear_egress(k);
  for (std::size_t x = 0; x < listed_inputs_.size(); ++x)
    take_ingress(listed_inputs_[x]);
  for (std::size_t x = 0; x < changed_.size(); ++x) {
    const auto i = changed_[x];
    account(i);
    if (!inputs_[i].items.empty()) {
      take_ingress(i);  // what it could not decide on before
      account(i);
    }
    list_input(i);
  }
  for (auto i : changed_)
    ingress_[i].changed = false;
  changed_.clear();
  forward_all();
}

void forwarding_engine::forward_all() {
  std::size_t kept = 0;
  for (std::size_t x = 0; x < busy_egress_.size(); ++x) {
    const auto k = busy_egress_[x];
    forward(k);
    egress_[k].listed = !egress_[k].heap.empty();
    if (egress_[k].listed)
      busy_egress_[kept++] = k;
  }
  busy_egress_.resize(kept);
}

void forwarding_engine::touch(port_index i) {
  if (!ingress_[i].changed) {
    ingress_[i].changed = true;
    changed_.push_back(i);
  }
}

// -- what leaves ---------------------------------------------------------------------------------

void forwarding_engine::hear_egress(port_index k) {
  auto& out = outputs_[k];
  const auto m = config_.egress_ports;
  while (!out.items.empty()) {
    const signal s = out.items.front();
    out.items.pop();
    ++out.heard;
    auto& in = ingress_[s.port];
    // Each egress reports in order of time; several have to be merged. Mostly it appends.
    insert_by_time(in.releases, amount{s.at, charged(s.port, s.bytes),
                                       static_cast<std::uint16_t>(k), s.priority});
    if (in.grants)
      in.grants->leave(s.priority, s.bytes, s.at);
    note_left(s.port, k, s);
    if (--unknown_[s.port * m + k] == 0)
      in.owing.erase(std::find(in.owing.begin(), in.owing.end(), static_cast<std::uint16_t>(k)));
    touch(s.port);
  }
  // A larger promise can let an accounting go on, too.
  for (auto i : groups_[egress_[k].group].inputs)
    if (!ingress_[i].arrivals.empty() || ingress_[i].gate.stopping() || !inputs_[i].items.empty())
      touch(i);
}

// Ingress i's packet is no longer before others.
void forwarding_engine::note_left(port_index i, port_index k, const signal& s) {
  left_[k * max_priorities + s.priority] += s.bytes;
  auto& queue = ingress_[i].at_egress;
  if (!ingress_[i].one_lane)
    return;
  std::size_t x = 0;
  while (queue[x].egress != k)
    ++x;
  for (; x > 0; --x)
    queue.swap(x - 1, x);
  queue.pop();
}

void forwarding_engine::find_feeds(port_index i) {
  for (std::size_t k = 0; k < config_.egress_ports; ++k)
    if (std::binary_search(config_.feeds[k].begin(), config_.feeds[k].end(),
                           static_cast<std::uint16_t>(i)))
      ingress_[i].feeds.push_back(static_cast<std::uint16_t>(k));
}

// -- what arrives --------------------------------------------------------------------------------

void forwarding_engine::take_ingress(port_index i) {
  auto& in = inputs_[i];
  while (!in.items.empty()) {
    const packet& p = in.items.front();
    if (p.at > limit_ || !clears(i, p))
      break;
    pop_packet(i);
  }
  if (ingress_[i].regulated)
    touch(i);
}

// Whether it is decided what becomes of the packet; if so it is forwarded or dropped.
bool forwarding_engine::clears(port_index i, const packet& p) {
  auto& s = ingress_[i];
  const auto& gate_config = config_.ingress[i].of(p.priority);
  if (!gate_config.stops) {
    counters_.in.add(p.frame_bytes());
    if (s.regulated) {
      // It counts against nobody, but the allowance is of everything that its sender sends.
      s.arrived_bytes += p.bytes;
      ++s.arrived_packets;
    }
    accept(i, p);
    return true;
  }
  const auto& cap = gate_config.capacity;
  const auto& gate = s.gate.of(p.priority);
  // Who has credits has room.
  if (!s.grants
      && (gate.bytes() + s.pending_bytes + p.bytes > cap.bytes
          || gate.packets() + s.pending_packets >= cap.packets)) {
    // It may not fit: now it matters what has left by then.
    account(i);
    if (!s.arrivals.empty())
      return false;
    while (!s.releases.empty() && s.releases.front().at < p.at
           && s.releases.front().at <= next_unknown_release(i)) {
      const auto r = s.releases.front();
      s.releases.pop();
      apply_release(i, r);
    }
    if (next_unknown_release(i) < p.at) {
      for (auto k : s.owing)
        need_signals(k, p.at);
      return false;
    }
    if (!gate.fits(p.bytes)) {
      counters_.in.add(p.frame_bytes());
      counters_.drop(drop_reason::headroom_exceeded, p);
      s.arrived_bytes += p.bytes;
      ++s.arrived_packets;
      return true;
    }
  }
  counters_.in.add(p.frame_bytes());
  s.arrivals.push({p.at, charged(i, p.bytes), p.egress, p.priority});
  s.pending_bytes += s.arrivals.back().bytes;
  ++s.pending_packets;
  if (unknown_[i * config_.egress_ports + p.egress]++ == 0)
    s.owing.push_back(p.egress);
  accept(i, p);
  return true;
}

void forwarding_engine::accept(port_index i, const packet& p) {
  std::uint32_t slot;
  if (free_slots_.empty()) {
    slot = static_cast<std::uint32_t>(slots_.size());
    slots_.push_back(p);
  } else {
    slot = free_slots_.back();
    free_slots_.pop_back();
    slots_[slot] = p;
  }
  auto& e = egress_[p.egress];
  e.heap.push_back({p.at, order_[i]++, static_cast<std::uint16_t>(i), slot});
  std::push_heap(e.heap.begin(), e.heap.end(), later_first{});
  if (!e.listed) {
    e.listed = true;
    busy_egress_.push_back(p.egress);
  }
}

// -- the accounting of an ingress port -----------------------------------------------------------

void forwarding_engine::account(port_index i) {
  auto& s = ingress_[i];
  if (!s.regulated)
    return;
  for (;;) {
    const auto unknown = next_unknown_release(i);
    if (!s.releases.empty()) {
      const auto r = s.releases.front();
      const auto arrival = s.arrivals.empty() ? next_arrival(i) : s.arrivals.front().at;
      if (r.at <= limit_
          && ((r.at < arrival && r.at <= unknown)
              || (s.arrivals.empty() && upper_is_held(i) && r.at <= unknown))) {
        s.releases.pop();
        apply_release(i, r);
        continue;
      }
    }
    if (!s.arrivals.empty() && s.arrivals.front().at <= unknown
        && (s.releases.empty() || s.arrivals.front().at <= s.releases.front().at)) {
      const auto a = s.arrivals.front();
      s.arrivals.pop();
      s.pending_bytes -= a.bytes;
      --s.pending_packets;
      apply_arrival(i, a);
      continue;
    }
    break;
  }
  // Refreshes that nothing can come before. They are asked for when somebody has to know.
  if (s.requests.refresh_at() < never) {
    auto quiet_until = std::min({next_unknown_release(i), next_arrival(i), later(limit_, 1)});
    if (!s.arrivals.empty())
      quiet_until = std::min(quiet_until, s.arrivals.front().at);
    if (!s.releases.empty())
      quiet_until = std::min(quiet_until, s.releases.front().at);
    refresh(i, quiet_until);
  }
  if (s.grants) {
    s.grants->look(std::min(nothing_leaves_before(i), limit_),
                   [&](const pause_request& r) { request(s.requests_out, r); });
    return;
  }
  // A start that we can foresee, if only the sender says that it is held, and the egress ports that
  // hold the rest say that nothing leaves before.
  if (s.gate.stopping() && s.arrivals.empty() && inputs_[i].items.empty()) {
    const auto t = known_resume(i);
    if (t >= never)
      return;
    if (t < next_unknown_release(i)) {
      need_packets(i, t);
    } else {
      for (auto k : s.owing)
        need_signals(k, t);
    }
  }
}

void forwarding_engine::apply_release(port_index i, const amount& r) {
  auto& s = ingress_[i];
  const bool held = upper_is_held(i);
  refresh(i, r.at);
  accounted_[(i * config_.egress_ports + r.egress) * gates_ + gate_number(i, r.priority)] -=
      r.bytes;
  if (!s.gate.release(r.priority, r.bytes))
    return;
  start_sender(i, r.priority, held, r.at);
}

// The class has come down to its start threshold.
void forwarding_engine::start_sender(port_index i, unsigned priority, bool held, sim_time at) {
  auto& s = ingress_[i];
  ++s.starts;
  if (!stopping(i))
    stopped_[i * config_.egress_ports + s.stopped_for] += at - s.stopped_since;
  tell(i, signal::kind::start, priority, at);
  if (held)
    s.no_arrival_before = at + round_trip(i);
}

void forwarding_engine::apply_arrival(port_index i, const amount& a) {
  auto& s = ingress_[i];
  refresh(i, a.at);
  s.arrived_bytes += a.bytes;
  ++s.arrived_packets;
  const auto gate = gate_number(i, a.priority);
  accounted_[(i * config_.egress_ports + a.egress) * gates_ + gate] += a.bytes;
  const bool first = !s.gate.stopping();
  if (s.gate.arrive(a.priority, a.bytes))
    stop_sender(i, a.priority, first, 0, a.at);
}

// The class has come to its stop threshold. \param first none of ingress i's was there before.
// \param egress to blame if no other has more of it.
void forwarding_engine::stop_sender(port_index i, unsigned priority, bool first,
                                    std::uint16_t egress, sim_time at) {
  auto& s = ingress_[i];
  ++s.stops;
  ++s.stops_of[priority];
  s.no_arrival_before = 0;
  s.stopped_at = s.since_of[priority] = at;
  if (config_.ingress[i].own == 0)
    s.since_of.fill(at);
  if (first) {
    s.stopped_since = at;
    s.stopped_for = egress;
    for (std::size_t k = 0; k < config_.egress_ports; ++k)
      if (accounted(i, k, priority) > accounted(i, s.stopped_for, priority))
        s.stopped_for = static_cast<std::uint16_t>(k);
  }
  tell(i, signal::kind::stop, priority, at);
}

// Stops or starts the sender of ingress i: by the signal itself, or by a frame that it announces.
void forwarding_engine::tell(port_index i, signal::kind what, unsigned priority, sim_time at) {
  auto& s = ingress_[i];
  if (s.grants)
    return;
  signal x{.at = at + inputs_[i].signal_latency, .what = what};
  if (s.requests_out != nowhere) {
    const bool stops = what == signal::kind::stop;
    auto r = stops ? s.requests.hold(priority, at) : s.requests.let_go(priority, at);
    r.why = reason(i, priority, stops);
    x.bytes = r.number;
    x.priority = static_cast<std::uint8_t>(priority);
    request(s.requests_out, r);
  }
  emit_signal(i, x);
}

pause_reason forwarding_engine::reason(port_index i, unsigned priority, bool stops) const {
  const auto& gate = ingress_[i].gate.of(priority);
  return {pause_reason::kind::buffer, static_cast<std::uint8_t>(priority), gate.bytes(),
          stops ? gate.settings().stop.bytes : gate.settings().start.bytes};
}

// Nothing that is not handled yet happens at ingress i before `before`.
void forwarding_engine::refresh(port_index i, sim_time before) {
  auto& s = ingress_[i];
  s.requests.refresh(before, [&](const pause_request& r) { request(s.requests_out, r); });
}

void forwarding_engine::request(port_index o, const pause_request& r) {
  auto p = to_packet(r);
  p.at += outputs_[o].packet_latency;
  emit(o, p);
}

// -- forwarding ----------------------------------------------------------------------------------

void forwarding_engine::forward(port_index k) {
  auto& e = egress_[k];
  const auto w = watermark(k);
  const auto latency = outputs_[k].packet_latency;
  while (!e.heap.empty() && e.heap.front().at < w) {
    if (!window_open(outputs_[k]))
      return;
    std::pop_heap(e.heap.begin(), e.heap.end(), later_first{});
    const auto slot = e.heap.back().slot;
    e.heap.pop_back();
    packet& p = slots_[slot];
    counters_.out.add(p.frame_bytes());
    if (accounts(p.ingress, p.priority)) {
      auto& bytes = forwarded_[k * max_priorities + p.priority];
      if (ingress_[p.ingress].one_lane)
        ingress_[p.ingress].at_egress.push({static_cast<std::uint16_t>(k), bytes});
      bytes += p.bytes;
    }
    p.at += latency;
    emit(k, p);
    free_slots_.push_back(slot);
  }
  if (!e.heap.empty()) {
    const auto t = e.heap.front().at;
    for (auto i : groups_[e.group].inputs)
      if (inputs_[i].items.empty() && next_arrival(i) <= t)
        need_packets(i, t);
  }
}

// Everything that comes to egress k from now on arrives here no earlier than this.
sim_time forwarding_engine::watermark(port_index k) {
  auto& g = groups_[egress_[k].group];
  if (g.computed != counts_.activations) {
    g.computed = counts_.activations;
    g.watermark = never;
    for (auto i : g.inputs)
      g.watermark = std::min(g.watermark, next_arrival(i));
  }
  return g.watermark;
}

// -- what is known of the future -----------------------------------------------------------------

bool forwarding_engine::upper_is_held(port_index i) const {
  const auto& in = inputs_[i];
  const auto& s = ingress_[i];
  if (s.grants || (s.requests_out != nowhere && !config_.senders[i].held_whole))
    return false;
  return stopping(i) && in.items.empty()
         && ((s.requests_out == nowhere && in.heard >= in.signals)
             || (config_.senders[i].known()
                 && in.promise >= config_.senders[i].quiet_after(s.stopped_at)));
}

sim_time forwarding_engine::round_trip(port_index i) const {
  const auto& in = inputs_[i];
  return std::max(config_.senders[i].round_trip, in.signal_latency + in.packet_latency);
}

sim_time forwarding_engine::next_arrival(port_index i) const {
  const auto& in = inputs_[i];
  if (!in.items.empty())
    return in.items.front().at;
  const auto& s = ingress_[i];
  if (upper_is_held(i) && s.arrivals.empty())
    return std::max(in.promise, later(resume_bound(i), round_trip(i)));
  return std::max(in.promise, s.no_arrival_before);
}

sim_time forwarding_engine::next_unknown_release(port_index i) const {
  sim_time t = never;
  for (auto k : ingress_[i].owing)
    t = std::min(t, outputs_[k].promise);
  return t;
}

// When the releases that are known bring the port down to its start threshold; never: they do not.
sim_time forwarding_engine::known_resume(port_index i) const {
  const auto& s = ingress_[i];
  auto t = never;
  const auto resumes = [&](const buffer_gate& gate, unsigned classes) {
    const auto& start = gate.settings().start;
    auto bytes = gate.bytes();
    auto packets = gate.packets();
    for (std::size_t x = 0; x < s.releases.size() && s.releases[x].at < t; ++x) {
      if ((classes >> s.releases[x].priority & 1) == 0)
        continue;
      bytes -= s.releases[x].bytes;
      --packets;
      if (bytes <= start.bytes && packets <= start.packets)
        t = s.releases[x].at;
    }
  };
  const unsigned own = config_.ingress[i].own;
  if (own == 0)
    resumes(s.gate.of(0), 0xff);
  for (unsigned c = 0; c < max_priorities && own != 0; ++c)
    if (const auto& gate = s.gate.of(c); (own >> c & 1) != 0 && gate.stopping())
      resumes(gate, 1u << c);
  return t;
}

// While stopping: the start threshold is not reached before this.
sim_time forwarding_engine::resume_bound(port_index i) const {
  return std::min(known_resume(i), later(next_unknown_release(i), least_drain_of(i)));
}

// What has to leave before ingress i starts its sender, and is not known to, takes no less at the
// lines that it waits for.
sim_time forwarding_engine::least_drain_of(port_index i) const {
  const auto& s = ingress_[i];
  const auto& c = config_.ingress[i];
  // Without classes all that leaves brings the start nearer, and is soon known: it does not pay.
  if (c.own == 0 || config_.egress_rates.empty() || s.owing.empty() || !s.gate.stopping())
    return 0;
  std::uint64_t bps = 0;
  for (auto k : s.owing)
    bps += config_.egress_rates[k].bps();
  auto least = never;
  for (unsigned p = 0; p < max_priorities; ++p)
    if (const auto& gate = s.gate.of(p); (c.own >> p & 1) != 0 && gate.stopping()) {
      auto bytes = gate.bytes() - gate.settings().start.bytes;
      for (std::size_t x = 0; x < s.releases.size(); ++x)
        bytes -= s.releases[x].priority == p ? s.releases[x].bytes : 0;
      // Each line lets a first frame go at once.
      const auto first =
          static_cast<std::int64_t>(s.owing.size() - 1) * config_.senders[i].max_frame_bytes;
      least = std::min(
          least, least_drain(line_rate{bps}, bytes - first, config_.senders[i].max_frame_bytes));
    }
  return least;
}

// Whether what has arrived and is not accounted yet could stop the sender, were nothing to leave.
bool forwarding_engine::pending_matter(port_index i) const {
  const auto& s = ingress_[i];
  const auto& c = config_.ingress[i];
  if (s.arrivals.empty())
    return false;
  const auto reaches = [&](const buffer_gate& gate) {
    const auto& x = gate.settings();
    return x.stops && !gate.stopping()
           && x.stop.reached_by(gate.bytes() + s.pending_bytes, gate.packets() + s.pending_packets);
  };
  bool any = reaches(s.gate.of(0));
  for (unsigned p = 1; p < max_priorities && c.own != 0 && !any; ++p)
    any = reaches(s.gate.of(p));
  return any;
}

// The sender of ingress i is told nothing new before this, as far as is known.
sim_time forwarding_engine::next_transition(port_index i) const {
  const auto& s = ingress_[i];
  const auto& c = config_.ingress[i];
  auto t = s.gate.stopping() ? resume_bound(i) : never;  // pending arrivals only delay it
  if (!s.arrivals.empty() && s.gate.stopping() && c.own == 0)
    return t;
  if (pending_matter(i))
    return std::min(t, s.arrivals.front().at);
  const auto fill = [&](const buffer_gate& gate, std::size_t known) {
    if (gate.stopping())
      return;
    const auto& stop = gate.settings().stop;
    t = std::min(t,
                 earliest_fill(config_.senders[i], next_arrival(i), gate.bytes() + s.pending_bytes,
                               gate.packets() + s.pending_packets, stop.bytes, stop.packets,
                               s.arrivals.empty() ? known : 0,
                               [&](std::size_t x) { return s.releases[x]; }));
  };
  if (c.shared.stops) {
    const auto unknown = next_unknown_release(i);
    std::size_t known = 0;
    while (known < s.releases.size() && s.releases[known].at <= unknown)
      ++known;
    fill(s.gate.of(0), known);
  }
  for (unsigned p = 0; p < max_priorities; ++p)
    if ((c.own >> p & 1) != 0)
      fill(s.gate.of(p), 0);
  return t;
}

// Of what is accounted to ingress i, but for what is known. Its packets have to wait for those of
// their class that are before them, from wherever these came.
sim_time forwarding_engine::nothing_leaves_before(port_index i) const {
  const auto& s = ingress_[i];
  auto t = never;
  for (auto k : s.owing)
    t = std::min(t, later(outputs_[k].promise, least_wait(i, k)));
  auto arrival = never;
  if (const auto next = next_arrival(i); next < never) {
    arrival = later(next, outputs_[0].packet_latency);
    if (s.one_lane) {
      const unsigned lane = s.lane;
      auto behind_all = never;
      for (auto k : s.feeds)
        behind_all = std::min(
            behind_all,
            later(outputs_[k].promise, drain_of(k, lane, forwarded_[k * max_priorities + lane])));
      arrival = std::max(arrival, behind_all);
    }
  }
  return std::min(t, arrival);
}

// From when the next packet leaves egress k to when one can that is so far behind in its class.
sim_time forwarding_engine::drain_of(port_index k, unsigned priority, std::uint64_t behind) const {
  const auto left = left_[k * max_priorities + priority];
  if (config_.egress_rates.empty() || behind <= left)
    return 0;
  return config_.egress_rates[k].time_of(std::min<std::uint64_t>(behind - left, 1'000'000));
}

// Likewise of the first packet of ingress i there.
sim_time forwarding_engine::least_wait(port_index i, port_index k) const {
  constexpr std::size_t looked_at = 16;
  const auto& s = ingress_[i];
  const unsigned lane = s.lane;
  for (std::size_t x = 0; x < std::min(looked_at, s.at_egress.size()); ++x)
    if (s.at_egress[x].egress == k)
      return drain_of(k, lane, s.at_egress[x].behind);
  return 0;
}

// It asks for no frame before this.
sim_time forwarding_engine::next_request(port_index i) const {
  const auto& s = ingress_[i];
  if (s.grants)
    return std::min(s.grants->due(), s.grants->look_after(nothing_leaves_before(i)));
  return std::min(next_transition(i), s.requests.refresh_at());
}

sim_time forwarding_engine::next_event() const {
  auto t = next_work();
  for (const auto& s : ingress_)
    t = std::min(t, s.requests.refresh_at());
  return t;
}

sim_time forwarding_engine::next_work() const {
  sim_time t = never;
  for (port_index i = 0; i < inputs_.size(); ++i) {
    const auto& in = inputs_[i];
    if (!in.items.empty())
      t = std::min(t, in.items.front().at);
    const auto& s = ingress_[i];
    if (s.grants)
      t = std::min(t, s.grants->due());
    if (!s.regulated || s.grants)
      continue;
    if (!s.arrivals.empty() && (s.gate.stopping() || pending_matter(i)))
      t = std::min(t, s.arrivals.front().at);
    if (s.gate.stopping())
      t = std::min(t, known_resume(i));
  }
  return std::min(t, next_to_forward());
}

sim_time forwarding_engine::next_to_forward() const {
  sim_time t = never;
  for (auto k : busy_egress_)
    if (!egress_[k].heap.empty())
      t = std::min(t, egress_[k].heap.front().at);
  return t;
}

// -- promises ------------------------------------------------------------------------------------

sim_time forwarding_engine::earliest_packet(port_index k) {
  if (k >= config_.egress_ports) {
    return later(next_request(requested_by_[k - config_.egress_ports]), outputs_[k].packet_latency);
  }
  auto t = watermark(k);
  if (!egress_[k].heap.empty())
    t = std::min(t, egress_[k].heap.front().at);  // out of window
  return later(t, outputs_[k].packet_latency);
}

void forwarding_engine::explain_packet(port_index k, sim_time beyond) {
  const auto t = beyond - outputs_[k].packet_latency;
  if (k >= config_.egress_ports) {
    explain_transition(requested_by_[k - config_.egress_ports], t);
    return;
  }
  for (auto i : groups_[egress_[k].group].inputs) {
    if (!inputs_[i].items.empty() || next_arrival(i) > t)
      continue;
    const auto& s = ingress_[i];
    if (upper_is_held(i) && s.arrivals.empty()) {
      // It comes back when we start it: who may still let something go before that?
      const auto resume = std::min(t - round_trip(i) - least_drain_of(i), known_resume(i));
      for (auto e : s.owing)
        need_signals(e, resume);
    } else {
      need_packets(i, t);
    }
  }
}

sim_time forwarding_engine::earliest_signal(port_index i) {
  return ingress_[i].regulated && !ingress_[i].grants
             ? later(next_transition(i), inputs_[i].signal_latency)
             : never;
}

void forwarding_engine::explain_signal(port_index i, sim_time beyond) {
  explain_transition(i, beyond - inputs_[i].signal_latency);
}

void forwarding_engine::explain_transition(port_index i, sim_time t) {
  const auto& s = ingress_[i];
  if (s.grants) {
    // What leaves after the last look that matters counts for a later one.
    const auto x = s.grants->look_until(t) - 1;
    for (auto k : s.owing)
      need_signals(k, x - least_wait(i, k));
    if (inputs_[i].items.empty())
      need_packets(i, x - outputs_[0].packet_latency);
    return;
  }
  if (s.gate.stopping() || pending_matter(i)) {
    // To account up to an arrival we need to know what has left before it; to know of a start,
    // what will leave; and of a refresh, that nothing happens before.
    const auto x = std::min(t, s.requests.refresh_at());
    const auto y = s.arrivals.empty() ? x - least_drain_of(i) : std::min(x, s.arrivals.front().at);
    for (auto k : s.owing)
      need_signals(k, std::max(std::min(y, known_resume(i)), outputs_[k].promise));
    if (s.requests_out == nowhere)
      return;
  }
  if (!inputs_[i].items.empty() || upper_is_held(i))
    return;
  // What comes next does not stop anybody: it takes so long to fill the buffer.
  const auto full = s.gate.stopping() ? never : next_transition(i);
  const auto slack = full >= never ? 0 : full - next_arrival(i);
  need_packets(i, std::max(std::min(t - slack, s.requests.refresh_at()), inputs_[i].promise));
}

bool forwarding_engine::grant(port_index i, bool asked) {
  const auto& s = ingress_[i];
  if (!s.regulated || s.grants || s.gate.stopping())
    return false;
  const auto stop = s.least_stop;
  auto& allowed = inputs_[i].allowed;
  const allowance next{s.arrived_bytes + s.gate.slack_bytes(),
                       s.arrived_packets + s.gate.slack_packets(), never};
  const auto more_bytes = next.bytes - allowed.bytes;
  const auto more_packets = next.packets - allowed.packets;
  if (more_bytes <= 0 || more_packets <= 0)
    return false;
  if (!asked && more_bytes < stop.bytes / 2 && more_packets < stop.packets / 2)
    return false;
  allowed = next;
  return true;
}

// -- the end -------------------------------------------------------------------------------------

void forwarding_engine::finish(sim_time now) {
  // Everything up to `now` is known; what was not pressing is accounted now.
  for (port_index i = 0; i < ingress_.size(); ++i)
    for (auto& s = ingress_[i];;) {
      const bool arrival = !s.arrivals.empty() && s.arrivals.front().at <= now;
      const bool release = !s.releases.empty() && s.releases.front().at <= now;
      // Where there are credits nothing was told; so what is not accounted yet can be so now.
      if (arrival && (!release || s.arrivals.front().at <= s.releases.front().at)) {
        const auto a = s.arrivals.front();
        s.arrivals.pop();
        s.grants ? apply_arrival(i, a) : void(s.gate.arrive(a.priority, a.bytes));
      } else if (release) {
        const auto r = s.releases.front();
        s.releases.pop();
        s.grants ? apply_release(i, r) : void(s.gate.release(r.priority, r.bytes));
      } else {
        break;
      }
    }
}

stop_counts forwarding_engine::stops_at(std::size_t i, unsigned priority) const {
  const auto& s = ingress_[i];
  const auto& c = config_.ingress[i];
  if (c.own == 0)
    return {s.stops, c.shared.stop.share(s.gate.max_bytes(), s.gate.max_packets())};
  const auto& gate = s.gate.of(priority);
  const auto& full = s.grants ? gate.settings().capacity : gate.settings().stop;
  return {s.stops_of[priority], full.share(gate.max_bytes(), gate.max_packets())};
}

std::int64_t forwarding_engine::accounted(std::size_t i, std::size_t k, unsigned priority) const {
  return accounted_[(i * config_.egress_ports + k) * gates_
                    + gate_number(static_cast<port_index>(i), priority)];
}

sim_time forwarding_engine::stopped_for(std::size_t i, std::size_t k, sim_time now) const {
  const auto& s = ingress_[i];
  auto t = stopped_[i * config_.egress_ports + k];
  if (stopping(i) && s.stopped_for == k && now > s.stopped_since)
    t += now - s.stopped_since;
  return t;
}

component_counters forwarding_engine::snapshot(sim_time) const {
  auto c = counters_;
  for (const auto& in : inputs_) {
    const auto coming = waiting(in);
    c.in += coming;
    c.held += coming;
  }
  for (const auto& e : egress_)
    for (const auto& w : e.heap)
      c.held.add(slots_[w.slot].frame_bytes());
  for (const auto& s : ingress_) {
    c.stops_sent += s.stops;
    c.starts_sent += s.starts;
    c.max_bytes = std::max(c.max_bytes, s.gate.max_bytes());
    c.max_packets = std::max(c.max_packets, s.gate.max_packets());
  }
  return c;
}

}  // namespace sluice
