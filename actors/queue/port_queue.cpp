#include "actors/queue/port_queue.hpp"

#include <algorithm>

#include "traffic/vxlan.hpp"

namespace sluice {

port_queue::port_queue(port_queue_config c)
    : component{c.name, c.node},
      config_{std::move(c)},
      gate_{config_.buffer},
      line_{config_.line},
      scheduler_{config_.scheduler},
      single_{(config_.priorities & (config_.priorities - 1)) == 0},
      sorts_{config_.sockets > 1 || config_.filters} {
  if (sorts_)
    line_.receivers(config_.sockets + 1);
  nowhere_.promise = never;
  // A sender that looks needs to know what has left only when it sees no room, and then it asks.
  if (config_.leaving == port_queue_config::reports::everything)
    hold_back_signals(config_.looked.bytes / 2, config_.looked.packets / 2);
}

void port_queue::advance() {
  head_ = {never, false};
  out_of_window_ = false;
  if (pulling_)
    settle_pull();
  if (single_)
    advance_single();
  else
    advance_classes();
}

// -- one priority: starts run ahead of arrivals ---------------------------------------------------

void port_queue::advance_single() {
  auto& in = inputs_[side];
  for (;;) {
    if (waiting_ != 0 && head_.at == never)
      sorts_ ? serve<true>() : serve<false>();
    if (in.items.empty())
      break;
    const packet p = in.items.front();
    if (p.at > limit_)
      break;
    if (waiting_ != 0 && head_.at < p.at) {
      // What has left by then is not known. Mostly that does not matter; but how far the future may
      // pile up here is bounded like everything that runs ahead.
      if (queues_[0].size() >= window_ || !fits_anyway(p)) {
        if (const auto o = towards(); line_.stopped(o))
          need_signals(o, line_.checks_room(o) ? head_.at : p.at);
        break;
      }
      pop_packet(side);
      count_arrival(p);
      arrivals_.push({p.at, p.bytes});
      pending_bytes_ += p.bytes;
      ++pending_packets_;
      enqueue(p);
      continue;
    }
    pop_packet(side);
    settle(p.at);
    arrive(p);
  }
  if (waiting_ == 0)
    idle();
  settle_rest();
}

void port_queue::idle() {
  const auto until = next_arrival();
  line_.idle(outputs_[side], until, limit_);
  if (sorts_)
    for (port_index o = 1; o < outputs_.size(); ++o)
      line_.idle(outputs_[o], until, limit_, o);
}

// Starts as many packets as is certain. Leaves the next start, or its bound, in head_.
template <bool Sorts>
void port_queue::serve() {
  auto& queue = queues_[0];
  while (!queue.empty()) {
    const packet& p = queue.front();
    const auto o = Sorts ? towards(p) : side;
    auto& out = Sorts ? output_of(o) : outputs_[side];
    if (pulling_ && !settle_pull()) {
      head_ = {std::max(pull_at_, p.at), false};
      return;
    }
    head_ = line_.start(out, p.at, p.bytes, limit_, p.pulled, o);
    if (head_.at > limit_)
      return;
    if (!head_.certain) {
      // Held by a stop: the receiver speaks when it is over. Else we have to know.
      if (line_.asks(o))
        need_signals(o, head_.at);
      return;
    }
    if (!window_open(out)) {
      out_of_window_ = true;
      return;
    }
    transmit<Sorts>(head_.at, queue);
  }
  head_ = {never, false};
}

// -- several priorities: strictly in the order of time --------------------------------------------

void port_queue::advance_classes() {
  auto& in = inputs_[side];
  auto& out = outputs_[side];
  for (;;) {
    const bool arrival = !in.items.empty() && in.items.front().at <= limit_;
    if (waiting_ != 0) {
      sim_time ready = never;
      bool pulled = false;
      std::uint32_t largest = 0;
      for (unsigned left = waiting_; left != 0; left &= left - 1) {
        const auto& p = queues_[static_cast<unsigned>(__builtin_ctz(left))].front();
        if (p.at < ready) {
          ready = p.at;
          pulled = p.pulled;
        }
        largest = std::max(largest, p.bytes);
      }
      if (pulling_ && !settle_pull())
        head_ = {std::max(pull_at_, ready), false};
      else
        head_ = line_.start(out, ready, largest, limit_, pulled);
      if (!arrival || head_.at < in.items.front().at) {
        if (head_.at > limit_)
          break;
        if (!head_.certain) {
          if (line_.asks())
            need_signals(side, head_.at);
          break;
        }
        if (next_arrival() <= head_.at) {
          need_packets(side, head_.at);  // who comes by then takes part in the choice
          break;
        }
        if (!window_open(out)) {
          out_of_window_ = true;
          break;
        }
        const auto chosen = scheduler_.pick(waiting_, [&](unsigned p) {
          return static_cast<std::int64_t>(queues_[p].front().bytes);
        });
        transmit<false>(head_.at, queues_[chosen]);
        settle(head_.at + 1);
        head_ = {never, false};
        continue;
      }
    }
    if (!arrival)
      break;
    const packet p = in.items.front();
    pop_packet(side);
    arrive(p);
  }
  if (waiting_ == 0)
    idle();
  settle_rest();
}

// -- packets in and out --------------------------------------------------------------------------

void port_queue::count_arrival(const packet& p) {
  counters_.in.add(p.frame_bytes());
  arrived_bytes_ += p.bytes;
  ++arrived_packets_;
}

void port_queue::arrive(const packet& p) {
  count_arrival(p);
  if (!reported(p) && !gate_.fits(p.bytes)) {
    counters_.drop(config_.full, p);
    return;
  }
  enqueue(p);
  if (gate_.arrive(p.bytes)) {
    ++counters_.stops_sent;
    no_arrival_before_ = 0;
    stopped_at_ = p.at;
    emit_signal(side, {.at = p.at + inputs_[side].signal_latency, .what = signal::kind::stop});
  }
}

void port_queue::enqueue(const packet& p) {
  const unsigned queue = single_ ? 0 : p.priority;
  queues_[queue].push(p);
  waiting_ |= 1u << queue;
}

// Whether the packet fits and stops nobody even if nothing has left since the gate looked last.
bool port_queue::fits_anyway(const packet& p) const {
  const auto& s = gate_.settings();
  const auto bytes = gate_.bytes() + pending_bytes_ + p.bytes;
  const auto packets = gate_.packets() + pending_packets_ + 1;
  if (bytes > s.capacity.bytes || packets > s.capacity.packets)
    return false;
  return !s.stops || (!gate_.stopping() && !s.stop.reached_by(bytes, packets));
}

template <bool Sorts>
void port_queue::transmit(sim_time at, ring<packet>& from) {
  packet p = from.front();
  const auto o = Sorts ? towards(p) : side;
  from.pop();
  if (from.empty())
    waiting_ &= ~(1u << (&from - queues_.data()));
  leaving_.push({at, p.bytes});
  if (reported(p))
    emit_signal(side, {.at = at + inputs_[side].signal_latency,
                       .bytes = p.bytes,
                       .port = p.ingress,
                       .what = signal::kind::release});
  if (Sorts && o >= outputs_.size()) {
    line_.transmit(at, p.bytes, o);
    counters_.drop(drop_reason::filtered, p);
    return;
  }
  counters_.out.add(p.frame_bytes());
  if (config_.encapsulates && p.tunnelled) {
    // The outer header carries the priority: in the DSCP always, in a tag if it is not the lowest.
    p.overlay = static_cast<std::uint8_t>(vxlan_header_bytes(p.priority != 0));
    p.bytes += p.overlay;
  } else if (config_.decapsulates) {
    p.bytes -= p.overlay;
    p.overlay = 0;
    p.tunnelled = false;
  }
  p.at = line_.transmit(at, p.bytes, o) + outputs_[o].packet_latency;
  p.pulled = false;
  emit(o, p);
  if (config_.pulls) {
    pulling_ = true;
    settle_pull();
  }
}

bool port_queue::reported(const packet& p) const {
  return config_.leaving == port_queue_config::reports::everything
         || (config_.leaving == port_queue_config::reports::accounted
             && p.ingress < config_.accounted.size() && config_.accounted[p.ingress]);
}

// The process comes back when it is free and the receiver lets it. If it finds nothing then, it
// asks the switch to pull. Whether something arrives until then may not be known here, but the
// switch knows, and ignores what does not hold. Returns false if it is not known yet when.
bool port_queue::settle_pull() {
  auto& out = outputs_[side];
  const auto verdict = line_.start(out, line_.busy(), 1, limit_);
  pull_at_ = verdict.at;
  if (verdict.at > limit_)
    return false;
  if (waiting_ == 0 || first_queued().at > verdict.at) {
    if (!verdict.certain) {
      if (line_.asks())
        need_signals(side, verdict.at);
      return false;
    }
    emit_signal(side,
                {.at = verdict.at + inputs_[side].signal_latency, .what = signal::kind::pull});
  }
  pulling_ = false;
  pull_at_ = never;
  return true;
}

void port_queue::release(sim_time at, std::uint32_t bytes) {
  const bool held = upper_is_held();
  if (!gate_.release(bytes))
    return;
  ++counters_.starts_sent;
  auto& in = inputs_[side];
  emit_signal(side, {.at = at + in.signal_latency, .what = signal::kind::start});
  // The sender was held until now: nothing of it can be here before the start has been there.
  if (held)
    no_arrival_before_ = at + round_trip();
}

// The gate sees every packet that started before `before` leave, and what arrived in between.
void port_queue::settle(sim_time before) {
  const auto known = waiting_ != 0 ? head_.at : never;  // no departure before this is missing
  for (;;) {
    if (!arrivals_.empty() && (leaving_.empty() || arrivals_.front().at <= leaving_.front().at)) {
      if (arrivals_.front().at > known)
        return;
      gate_.arrive(arrivals_.front().bytes);
      pending_bytes_ -= arrivals_.front().bytes;
      --pending_packets_;
      arrivals_.pop();
    } else if (!leaving_.empty() && leaving_.front().at < before) {
      const auto l = leaving_.front();
      leaving_.pop();
      release(l.at, l.bytes);
    } else {
      return;
    }
  }
}

// The run has ended: whatever left or arrived by now is known.
void port_queue::finish(sim_time now) {
  for (;;) {
    const bool arrival = !arrivals_.empty() && arrivals_.front().at <= now;
    const bool departure = !leaving_.empty() && leaving_.front().at <= now;
    if (arrival && (!departure || arrivals_.front().at <= leaving_.front().at)) {
      gate_.arrive(arrivals_.front().bytes);
      arrivals_.pop();
    } else if (departure) {
      gate_.release(leaving_.front().bytes);
      leaving_.pop();
    } else {
      return;
    }
  }
}

// Lets the gate see what left as far as no arrival can come in between.
void port_queue::settle_rest() {
  settle(std::min(next_arrival(), later(limit_, 1)));
  while (!leaving_.empty() && gate_.stopping() && upper_is_held()) {
    settle(leaving_.front().at + 1);
    settle(std::min(next_arrival(), later(limit_, 1)));
  }
  if (gate_.stopping() && !leaving_.empty()) {
    const auto t = resume_bound();
    if (t <= leaving_.back().at)
      need_packets(side, t);  // to be sure of our own start
  }
}

// -- what is known of the future ----------------------------------------------------------------

// The sender has obeyed our stop, and all that it sent before is here.
bool port_queue::upper_is_held() const {
  const auto& in = inputs_[side];
  return gate_.stopping() && in.items.empty()
         && (in.heard >= in.signals
             || (config_.sender.known() && in.promise >= config_.sender.quiet_after(stopped_at_)));
}

sim_time port_queue::round_trip() const {
  const auto& in = inputs_[side];
  return std::max(config_.sender.round_trip, in.signal_latency + in.packet_latency);
}

// No packet arrives before this.
sim_time port_queue::next_arrival() const {
  const auto& in = inputs_[side];
  if (!in.items.empty())
    return in.items.front().at;
  if (upper_is_held())
    return std::max(in.promise, later(resume_bound(), round_trip()));
  if (config_.leaving == port_queue_config::reports::everything)
    if (const auto t = room_bound(); t > 0)
      return std::max(in.promise, later(t, round_trip()));
  return std::max(in.promise, no_arrival_before_);
}

// The sender counts what is under way, so if all that has come is as much as it looks for it cannot
// send before something leaves. When is there room again, at the earliest? 0: there is.
sim_time port_queue::room_bound() const {
  auto bytes = gate_.bytes() + pending_bytes_;
  auto packets = gate_.packets() + pending_packets_;
  const auto full = [&] { return config_.looked.reached_by(bytes, packets); };
  if (!full())
    return 0;
  for (std::size_t i = 0; i < leaving_.size(); ++i) {
    bytes -= leaving_[i].bytes;
    --packets;
    if (!full())
      return leaving_[i].at;
  }
  return waiting_ != 0 ? head_.at : never;
}

// No transmission that is not decided yet starts before this.
sim_time port_queue::next_start() const {
  if (waiting_ != 0)
    return head_.at;
  const auto& out = outputs_[side];
  auto t = line_.awake(next_arrival(), config_.pulls);
  // Held while empty: what arrives meanwhile has to wait for the start, if there is one way only.
  if (!sorts_ && line_.stopped())
    t = std::max(t, out.items.empty() ? out.promise : out.items.front().at);
  return t;
}

// While stopping: the start threshold is not reached before this.
sim_time port_queue::resume_bound() const {
  const auto& s = gate_.settings();
  auto bytes = gate_.bytes();
  auto packets = gate_.packets();
  for (std::size_t i = 0; i < leaving_.size(); ++i) {
    bytes -= leaving_[i].bytes;
    --packets;
    if (bytes <= s.start.bytes && packets <= s.start.packets)
      return leaving_[i].at;
  }
  if (waiting_ != 0)
    return head_.at;
  return never;  // everything has left, or nothing ever will
}

const packet& port_queue::first_queued() const {
  return queues_[static_cast<unsigned>(__builtin_ctz(waiting_))].front();
}

sim_time port_queue::next_event() const {
  sim_time t = never;
  const auto& in = inputs_[side];
  if (!in.items.empty())
    t = in.items.front().at;
  const auto o = towards();
  const bool held = line_.stopped(o) && outputs_[o < outputs_.size() ? o : side].items.empty();
  if (waiting_ != 0 && !held)
    t = std::min(t, head_.at);
  if (pulling_ && !held)
    t = std::min(t, pull_at_);
  if (gate_.stopping())
    t = std::min(
        t, resume_bound() <= (leaving_.empty() ? -1 : leaving_.back().at) ? resume_bound() : never);
  return t;
}

// -- promises -----------------------------------------------------------------------------------

// A tunnel's headers may be gone when the packet leaves.
sim_time port_queue::least_service() const {
  if (waiting_ == 0 || !single_)
    return line_.least_service(1);
  const auto& p = first_queued();
  return line_.least_service(config_.decapsulates ? p.frame_bytes() : p.bytes);
}

sim_time port_queue::earliest_packet(port_index o) {
  const auto least = least_service();
  return later(next_start(), least + outputs_[o].packet_latency);
}

void port_queue::explain_packet(port_index o, sim_time beyond) {
  const auto least = least_service();
  const auto t = beyond - outputs_[o].packet_latency - least;
  if (held_at() != nowhere) {
    need_signals(held_at(), std::max(t, outputs_[held_at()].promise));
  } else if (waiting_ == 0) {
    need_packets(side, std::max(t, inputs_[side].promise));
  } else if (!head_.certain) {
    need_signals(towards(), head_.at);
  }
}

sim_time port_queue::earliest_signal(port_index) {
  const auto latency = inputs_[side].signal_latency;
  if (config_.leaving != port_queue_config::reports::nothing)
    return later(pulling_ ? std::min(pull_at_, next_start()) : next_start(), latency);
  if (!config_.buffer.stops)
    return never;
  if (gate_.stopping())
    return later(resume_bound(), latency);
  // Not before the sender, as fast as it can, has filled the buffer.
  const auto& stop = config_.buffer.stop;
  return later(earliest_fill(config_.sender, next_arrival(), gate_.bytes() + pending_bytes_,
                             gate_.packets() + pending_packets_, stop.bytes, stop.packets,
                             leaving_.size(), [&](std::size_t i) { return leaving_[i]; }),
               latency);
}

void port_queue::explain_signal(port_index, sim_time beyond) {
  const auto t = beyond - inputs_[side].signal_latency;
  if (pulling_) {
    need_signals(side, line_.stopped() ? std::max(t, outputs_[side].promise) : pull_at_);
    return;
  }
  if (waiting_ != 0 && head_.at <= t) {
    if (held_at() != nowhere)
      need_signals(held_at(), std::max(t, outputs_[held_at()].promise));
    else if (!head_.certain)
      need_signals(towards(), head_.at);
    else if (!single_ && !out_of_window_)
      need_packets(side, head_.at);
    return;
  }
  if (inputs_[side].items.empty())
    need_packets(side, std::max(t, inputs_[side].promise));
}

bool port_queue::grant(port_index, bool asked) {
  if (!config_.buffer.stops || gate_.stopping())
    return false;
  auto& allowed = inputs_[side].allowed;
  const allowance next{arrived_bytes_ - pending_bytes_ + gate_.slack_bytes(),
                       arrived_packets_ - pending_packets_ + gate_.slack_packets(), never};
  const auto more_bytes = next.bytes - allowed.bytes;
  const auto more_packets = next.packets - allowed.packets;
  if (more_bytes <= 0 || more_packets <= 0)
    return false;
  const auto& stop = config_.buffer.stop;
  // Unasked, only when it is worth a message; asked, whatever there is.
  if (!asked && more_bytes < stop.bytes / 2 && more_packets < stop.packets / 2)
    return false;
  allowed = next;
  return true;
}

// -- counters -----------------------------------------------------------------------------------

loss_point port_queue::loses() const {
  const auto& a = config_.accounted;
  const bool guarded = config_.leaving == port_queue_config::reports::everything
                       || config_.buffer.stops
                       || (config_.leaving == port_queue_config::reports::accounted
                           && std::find(a.begin(), a.end(), false) == a.end());
  return guarded ? loss_point::guarded : loss_point::open;
}

held_counts port_queue::held_by(port_index o, sim_time now) const {
  return line_.until(outputs_[o], now, o);
}

component_counters port_queue::snapshot(sim_time now) const {
  auto c = counters_;
  const auto coming = waiting(inputs_[side]);
  c.in += coming;
  c.held += coming;
  for (const auto& q : queues_)
    for (std::size_t i = 0; i < q.size(); ++i)
      c.held.add(q[i].frame_bytes());
  c.max_bytes = gate_.max_bytes();
  c.max_packets = gate_.max_packets();
  for (port_index o = 0; o < outputs_.size(); ++o) {
    const auto h = held_by(o, now);
    c.stops_received += h.stops;
    c.starts_received += h.starts;
    c.stopped += h.time;
  }
  c.wake_ups = line_.wake_ups();
  return c;
}

}  // namespace sluice
