#include "actors/switching/shared_memory_engine.hpp"

#include <algorithm>

namespace sluice {

namespace {

// The base keeps its books by gate: here one for each priority, which decides nothing.
forwarding_engine_config by_priority(forwarding_engine_config c) {
  for (auto& in : c.ingress) {
    in = {};
    for (unsigned p = 0; p < max_priorities; ++p)
      in.add(p, {.stops = true});  // everything is accounted
  }
  return c;
}

// What a line of that rate can carry in a time, at the most; and how long it takes at the least.
std::int64_t most_bytes(std::uint64_t bps, sim_time t) {
  return static_cast<std::int64_t>(static_cast<uint128>(t) * bps / (8 * uint128{second})) + 1;
}
sim_time least_time(std::uint64_t bps, std::int64_t bytes) {
  const auto t = static_cast<uint128>(bytes) * 8 * uint128{second} / bps;
  return t >= static_cast<uint128>(never) ? never : static_cast<sim_time>(t);
}

}  // namespace

shared_memory_engine::shared_memory_engine(forwarding_engine_config c, shared_memory_config memory)
    : forwarding_engine{by_priority(std::move(c))},
      accounts_{memory.accounts},
      memory_{memory.bytes, std::move(memory.accounts)} {
  pending_.assign(accounts_.size(), 0);
  owed_.assign(config_.egress_ports, 0);
  stopping_.assign(ingress_.size(), 0);
  for (const auto& s : config_.senders) {
    bounded_ = bounded_ && s.known();
    bps_ += s.rate.bps();
    a_frame_each_ += s.max_frame_bytes;
  }
  for (port_index i = 0; i < ingress_.size(); ++i) {
    // With one class in the run all that comes from a sender waits when that is paused.
    ingress_[i].one_lane = config_.senders[i].held_whole;
    for (unsigned p = 0; p < max_priorities; ++p)
      if (accounts_[account_of(i, p)].headroom != 0)
        ingress_[i].lane = static_cast<std::uint8_t>(p);
    find_feeds(i);
  }
}

void shared_memory_engine::advance() {
  for (auto k : listed_outputs_)
    if (k < config_.egress_ports)
      hear(k);
  for (bool more = true; more;) {
    more = false;
    for (port_index i = 0; i < inputs_.size(); ++i)
      more = admit(i) || more;
    more = settle() || more;
  }
  refresh_all();
  to_come_ = arrivals_to_come();
  // What is still here waits for what is earlier.
  if (const auto& u = to_come_;
      u.from <= limit_ && u.first < inputs_.size() && !inputs_[u.first].items.empty())
    need(u.from, u.from - 1);
  forward_all();
}

// -- what leaves ----------------------------------------------------------------------------------

void shared_memory_engine::hear(port_index k) {
  auto& out = outputs_[k];
  while (!out.items.empty()) {
    const signal s = out.items.front();
    out.items.pop();
    ++out.heard;
    --owed_[k];
    note_left(s.port, k, s);
    insert_by_time(ingress_[s.port].releases,
                   amount{s.at, s.bytes, static_cast<std::uint16_t>(k), s.priority});
    events_.push_back({s.at, s.bytes, s.port, static_cast<std::uint16_t>(k), s.priority, true});
    std::push_heap(events_.begin(), events_.end(), later_first{});
  }
}

sim_time shared_memory_engine::nothing_leaves_before() const {
  auto t = never;
  for (std::size_t k = 0; k < owed_.size(); ++k)
    if (owed_[k] != 0)
      t = std::min(t, outputs_[k].promise);
  return t;
}

// -- what arrives ---------------------------------------------------------------------------------

shared_memory_engine::unknown shared_memory_engine::arrivals_to_come() const {
  unknown u{never, ~port_index{0}};
  for (port_index i = 0; i < inputs_.size(); ++i)
    if (const auto t = next_arrival(i); t < u.from) {
      u.from = t;
      u.first = i;
    }
  return u;
}

// Takes in what has room whatever else has happened.
bool shared_memory_engine::admit(port_index i) {
  auto& in = inputs_[i];
  if (in.items.empty())
    return false;
  const auto u = arrivals_to_come();  // later ones only make it safer
  bool any = false;
  while (!in.items.empty()) {
    const packet& p = in.items.front();
    if (p.at > limit_ || !surely_fits(i, p, u))
      break;
    counters_.in.add(p.frame_bytes());
    events_.push_back({p.at, p.bytes, static_cast<std::uint16_t>(i), p.egress, p.priority, false});
    std::push_heap(events_.begin(), events_.end(), later_first{});
    pending_[account_of(i, p.priority)] += p.bytes;
    pending_total_ += p.bytes;
    take(i, p);
    any = true;
  }
  return any;
}

bool shared_memory_engine::surely_fits(port_index i, const packet& p, const unknown& u) const {
  if (!bounded_)
    return false;
  const auto a = account_of(i, p.priority);
  const auto& x = memory_.of(a);
  const auto meanwhile = a_frame_each_ + (u.from >= p.at ? 0 : most_bytes(bps_, p.at - u.from));
  const auto free = memory_.shared_free() - pending_total_ - meanwhile;
  const auto limit = accounts_[a].xoff >= 0 ? accounts_[a].xoff : free >> accounts_[a].shift;
  return !x.pausing && free >= std::int64_t{p.bytes} && x.shared + pending_[a] < limit;
}

// Hands the packet at the front of ingress i on; it has room.
void shared_memory_engine::take(port_index i, const packet& p) {
  ++owed_[p.egress];
  accept(i, p);
  pop_packet(i);
}

// The packet at the front of ingress i is next: all that is earlier is accounted.
void shared_memory_engine::decide(port_index i) {
  const packet p = inputs_[i].items.front();
  refresh(i, p.at);
  counters_.in.add(p.frame_bytes());
  const auto a = account_of(i, p.priority);
  const auto v = memory_.arrive(a, p.bytes);
  if (v.accepted) {
    accounted_[(i * config_.egress_ports + p.egress) * gates_ + p.priority] += p.bytes;
    take(i, p);
  } else {
    counters_.drop(
        accounts_[a].lossless ? drop_reason::headroom_exceeded : drop_reason::buffer_full, p);
    pop_packet(i);
  }
  if (v.pause)
    stop(i, p.priority, p.egress, p.at);
}

// -- accounting, in one order ---------------------------------------------------------------------

bool shared_memory_engine::accounted_by(const event& e, const unknown& u, sim_time leaves) const {
  const bool first =
      e.leaves ? e.at < u.from : e.at < u.from || (e.at == u.from && u.first > e.ingress);
  return first && e.at <= leaves && e.at <= limit_;
}

bool shared_memory_engine::settle() {
  bool any = false;
  auto u = arrivals_to_come();
  auto leaves = nothing_leaves_before();
  for (;;) {
    if (!events_.empty() && accounted_by(events_.front(), u, leaves)) {
      const auto e = events_.front();
      std::pop_heap(events_.begin(), events_.end(), later_first{});
      events_.pop_back();
      apply(e);
      any = true;
      continue;
    }
    if (u.from > limit_ || u.from > leaves || u.first >= inputs_.size()
        || inputs_[u.first].items.empty())
      return any;
    const event front{u.from, 0, static_cast<std::uint16_t>(u.first), 0, 0, false};
    if (!events_.empty() && !later_first{}(events_.front(), front))
      return any;
    decide(u.first);
    any = true;
    u = arrivals_to_come();
    leaves = nothing_leaves_before();
  }
}

void shared_memory_engine::apply(const event& e) {
  refresh(e.ingress, e.at);
  const auto a = account_of(e.ingress, e.priority);
  auto& accounted = accounted_[(e.ingress * config_.egress_ports + e.egress) * gates_ + e.priority];
  if (e.leaves) {
    accounted -= e.bytes;
    ingress_[e.ingress].releases.pop();  // of one time they are alike
    const bool held = upper_is_held(e.ingress);
    if (memory_.leave(a, e.bytes)) {
      auto& stops = stopping_[e.ingress];
      stops = static_cast<std::uint8_t>(stops & ~(1u << e.priority));
      start_sender(e.ingress, e.priority, held, e.at);
    }
    return;
  }
  accounted += e.bytes;
  pending_[a] -= e.bytes;
  pending_total_ -= e.bytes;
  const auto v = memory_.arrive(a, e.bytes);
  if (!v.accepted)
    fail("a packet was let in that has no room");
  if (v.pause)
    stop(e.ingress, e.priority, e.egress, e.at);
}

void shared_memory_engine::stop(port_index i, unsigned priority, std::uint16_t egress,
                                sim_time at) {
  const bool first = stopping_[i] == 0;
  stopping_[i] = static_cast<std::uint8_t>(stopping_[i] | 1u << priority);
  stop_sender(i, priority, first, egress, at);
}

pause_reason shared_memory_engine::reason(port_index i, unsigned priority, bool stops) const {
  using kind = pause_reason::kind;
  const auto a = account_of(i, priority);
  const auto& x = memory_.of(a);
  const auto p = static_cast<std::uint8_t>(priority);
  if (!stops)
    return {kind::pool, p, x.shared, memory_.xon_threshold(a)};
  if (x.shared < memory_.threshold(a))
    return {kind::head_room, p, x.headroom, 0};
  return {kind::pool, p, x.shared, memory_.threshold(a)};
}

// Refreshes that nothing can come before.
void shared_memory_engine::refresh_all() {
  auto quiet = std::min({arrivals_to_come().from, nothing_leaves_before(), later(limit_, 1)});
  if (!events_.empty())
    quiet = std::min(quiet, events_.front().at);
  for (port_index i = 0; i < ingress_.size(); ++i)
    refresh(i, quiet);
}

// -- what is known of the future ------------------------------------------------------------------

// From the earliest arrival of any packet to when the account of ingress i that is nearest to its
// threshold could be there, if all ports are filled as fast as they can be and nothing leaves.
sim_time shared_memory_engine::fill_time(port_index i) const {
  if (!bounded_)
    return 0;
  const auto& sender = config_.senders[i];
  const auto free = memory_.shared_free() - pending_total_ - a_frame_each_;
  auto least = never;
  for (unsigned p = 0; p < max_priorities; ++p) {
    const auto a = account_of(i, p);
    const auto& c = accounts_[a];
    if (!c.lossless || memory_.of(a).pausing)
      continue;
    const auto has = memory_.of(a).shared + pending_[a] + sender.max_frame_bytes;
    const auto limit = c.xoff >= 0 ? std::min(c.xoff, free) : free >> c.shift;
    if (has >= limit)
      return 0;
    // The account grows as fast as its line, and the threshold falls as fast as all of them let it.
    const auto shift = c.xoff >= 0 ? 0u : unsigned{c.shift};
    least = std::min(least, least_time(sender.rate.bps() + (bps_ >> shift) + 1, limit - has));
  }
  return least;
}

sim_time shared_memory_engine::next_transition(port_index i) const {
  auto t =
      later(std::min(to_come_.from, events_.empty() ? never : events_.front().at), fill_time(i));
  return stopping_[i] != 0 ? std::min(t, resume_bound(i)) : t;
}

// While stopping: nothing of ingress i leaves before this, so its sender is not let go.
sim_time shared_memory_engine::resume_bound(port_index i) const {
  const auto& s = ingress_[i];
  auto t = s.releases.empty() ? never : s.releases.front().at;
  if (!s.one_lane)
    return std::min(t, nothing_leaves_before());
  for (auto k : s.feeds)
    if (owed_[k] != 0)
      t = std::min(t, later(outputs_[k].promise, least_wait(i, k)));
  return t;
}

sim_time shared_memory_engine::next_request(port_index i) const {
  return std::min(next_transition(i), ingress_[i].requests.refresh_at());
}

sim_time shared_memory_engine::earliest_signal(port_index i) {
  return ingress_[i].requests_out != nowhere ? later(next_transition(i), inputs_[i].signal_latency)
                                             : never;
}

void shared_memory_engine::explain_transition(port_index i, sim_time t) {
  // A refresh goes out once it is known that nothing comes before it.
  const auto x = std::min(t, ingress_[i].requests.refresh_at());
  const bool refreshes = ingress_[i].requests.refresh_at() <= t;
  const auto takes = fill_time(i);
  if (stopping_[i] != 0 && ingress_[i].one_lane && !refreshes) {
    // Only what leaves of its own matters.
    if (const auto& own = ingress_[i].releases; !own.empty() && own.front().at <= t)
      return need(own.front().at, own.front().at);
    for (auto k : ingress_[i].feeds)
      if (owed_[k] != 0)
        need_signals(k, t - least_wait(i, k));
    return;
  }
  const auto y = stopping_[i] != 0 || refreshes ? x : takes >= never ? -1 : x - takes;
  if (y >= 0) {
    const auto z = events_.empty() ? y : std::min(y, events_.front().at);
    need(z, z);
  }
}

// Asks for what is lacking to know all arrivals and departures up to these times.
void shared_memory_engine::need(sim_time arrivals, sim_time departures) {
  for (port_index i = 0; i < inputs_.size(); ++i)
    if (inputs_[i].items.empty())
      need_packets(i, arrivals);
  for (port_index k = 0; k < owed_.size(); ++k)
    if (owed_[k] != 0)
      need_signals(k, departures);
}

sim_time shared_memory_engine::next_work() const {
  auto t = next_to_forward();
  for (const auto& in : inputs_)
    if (!in.items.empty())
      t = std::min(t, in.items.front().at);
  return events_.empty() ? t : std::min(t, events_.front().at);
}

// -- the end --------------------------------------------------------------------------------------

void shared_memory_engine::finish(sim_time now) {
  while (!events_.empty() && events_.front().at <= now) {
    const auto e = events_.front();
    std::pop_heap(events_.begin(), events_.end(), later_first{});
    events_.pop_back();
    const auto a = account_of(e.ingress, e.priority);
    e.leaves ? void(memory_.leave(a, e.bytes)) : void(memory_.arrive(a, e.bytes));
  }
}

loss_point shared_memory_engine::loses() const {
  return std::all_of(accounts_.begin(), accounts_.end(), [](const auto& a) { return a.lossless; })
             ? loss_point::guarded
             : loss_point::open;
}

stop_counts shared_memory_engine::stops_at(std::size_t i, unsigned priority) const {
  return {ingress_[i].stops_of[priority],
          static_cast<double>(memory_.of(account_of(i, priority)).closest_ppm) / 1e6};
}

sim_time shared_memory_engine::stopping_since(std::size_t i, unsigned priority) const {
  return (stopping_[i] >> priority & 1) != 0 ? ingress_[i].since_of[priority] : never;
}

std::int64_t shared_memory_engine::start_bytes(std::size_t i, unsigned priority) const {
  const auto a = account_of(i, priority);
  return accounts_[a].reserve + memory_.xon_threshold(a);
}

component_counters shared_memory_engine::snapshot(sim_time now) const {
  auto c = forwarding_engine::snapshot(now);
  for (std::size_t a = 0; a < accounts_.size(); ++a)
    c.max_bytes = std::max(c.max_bytes, memory_.of(a).max_bytes);
  return c;
}

}  // namespace sluice
