#include "actors/queue/port_queue.hpp"

#include <algorithm>

#include "traffic/vxlan.hpp"

namespace sluice {

port_queue::port_queue(port_queue_config c)
    : component{c.name, c.node},
      config_{std::move(c)},
      gate_{config_.buffer},
      stops_{config_.buffer.stops()},
      least_stop_{config_.buffer.least_stop()},
      early_{config_.early},
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
  if (config_.lists)
    lists_ = std::make_unique<buffer_credits>(*config_.lists);
}

void port_queue::advance() {
  head_ = {never, false};
  out_of_window_ = false;
  frame_lacks_ = nowhere;
  if (frames_)
    take_requests();
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
          need_signals(listens(o), line_.checks_room(o) ? head_.at : p.at);
        else if (head_.pauses_beyond != never)
          need_signals(holds(), std::min(p.at, head_.pauses_beyond));
        break;
      }
      pop_packet(side);
      count_arrival(p);
      arrivals_.push({p.at, p.bytes, p.priority});
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
  if (frames_)
    for (transmitter::verdict nothing{never, false}; frame_goes_first(nothing, next_start());) {
    }
  const auto until = next_arrival();
  if (line_.by_class())
    line_.idle(outputs_[side], outputs_[holds()], until, limit_);
  else
    line_.idle(outputs_[stops_out_], until, limit_);
  if (sorts_)
    for (port_index o = 1; o < config_.sockets; ++o)
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
    head_ = first_start(out, p, o);
    if (head_.at > limit_)
      return;
    if (!head_.certain) {
      ask_for_start(o);
      return;
    }
    if (!window_open(out)) {
      out_of_window_ = true;
      return;
    }
    if (!line_.drops_some() || !drop_instead(head_.at, queue))
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
        if (p.at < ready || (p.at == ready && p.pulled)) {
          ready = p.at;
          pulled = p.pulled;
        }
        largest = std::max(largest, p.bytes);
      }
      if (pulling_ && !settle_pull())
        head_ = {std::max(pull_at_, ready), false};
      else
        head_ = first_start(out, ready, largest, pulled);
      if (!arrival || head_.at < in.items.front().at) {
        if (head_.at > limit_)
          break;
        if (!head_.certain) {
          if (line_.by_class() && head_.at > std::max(line_.busy(), next_arrival()))
            need_packets(side, head_.at);
          else
            ask_for_start(side);
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
        // Those that are held do not take part.
        const auto may = line_.by_class() ? head_.classes : waiting_;
        if (line_.drops_some() && drop_any(head_.at, may)) {
          settle(head_.at + 1);
          head_ = {never, false};
          continue;
        }
        const auto chosen = scheduler_.pick(
            may, [&](unsigned p) { return static_cast<std::int64_t>(queues_[p].front().bytes); });
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
  if (lists_)
    lists_->arrive(p.bytes, p.at);
}

void port_queue::arrive(const packet& p) {
  count_arrival(p);
  refresh(p.at);
  if (!reported(p) && !gate_.fits(p.priority, p.bytes)) {
    counters_.drop(config_.full, p);
    return;
  }
  const auto early = early_.decide(gate_.of(p.priority).bytes(), p);
  if (early == red::verdict::drop && !reported(p)) {
    counters_.drop(drop_reason::early, p);
    return;
  }
  enqueue(p);
  if (early == red::verdict::mark) {
    ++counters_.marked;
    queues_[single_ ? 0 : p.priority].back().ecn = packet::ecn_congested;
  }
  if (gate_.arrive(p.priority, p.bytes))
    tell(signal::kind::stop, p.priority, p.at);
}

// Stops or starts the sender: by the signal itself, or by a frame that it announces.
void port_queue::tell(signal::kind what, unsigned priority, sim_time at) {
  const bool stops = what == signal::kind::stop;
  ++(stops ? counters_.stops_sent : counters_.starts_sent);
  if (stops) {
    ++stops_of_[priority];
    no_arrival_before_ = 0;
    stopped_at_ = at;
  }
  signal s{.at = at + inputs_[side].signal_latency, .what = what};
  if (requests_out_ != nowhere) {
    auto r = stops ? requests_.hold(priority, at) : requests_.let_go(priority, at);
    const auto& gate = gate_.of(priority);
    r.why = {pause_reason::kind::buffer, static_cast<std::uint8_t>(priority), gate.bytes(),
             stops ? gate.settings().stop.bytes : gate.settings().start.bytes};
    s.bytes = r.number;
    s.priority = static_cast<std::uint8_t>(priority);
    request(r);
  }
  emit_signal(side, s);
}

// Nothing that is not handled yet happens before `before`: asks for the refreshes until then.
void port_queue::refresh(sim_time before) {
  requests_.refresh(before, [&](const pause_request& r) { request(r); });
}

void port_queue::request(const pause_request& r) {
  auto p = to_packet(r);
  p.at += outputs_[requests_out_].packet_latency;
  emit(requests_out_, p);
}

void port_queue::enqueue(const packet& p) {
  const unsigned queue = single_ ? 0 : p.priority;
  queues_[queue].push(p);
  waiting_ |= 1u << queue;
}

// Whether the packet fits, stops nobody and is not looked at early, even if nothing has left since
// the gate looked last.
bool port_queue::fits_anyway(const packet& p) const {
  const auto& gate = gate_.of(p.priority);
  const auto& s = gate.settings();
  const auto bytes = gate.bytes() + pending_bytes_ + p.bytes;
  const auto packets = gate.packets() + pending_packets_ + 1;
  if (bytes > s.capacity.bytes || packets > s.capacity.packets || early_.acts(bytes))
    return false;
  return !s.stops || (!gate.stopping() && !s.stop.reached_by(bytes, packets));
}

// Takes the first packet out of its queue, and out of the buffer as of `at`.
packet port_queue::let_go(sim_time at, ring<packet>& from) {
  const packet p = from.front();
  from.pop();
  if (from.empty())
    waiting_ &= ~(1u << (&from - queues_.data()));
  leaving_.push({at, p.bytes, p.priority});
  if (grants_)
    grants_->leave(p.priority, p.bytes, at);
  if (lists_)
    lists_->leave(p.bytes, at);
  else if (reported(p))
    emit_signal(reports_in_, {.at = report_at(at) + inputs_[reports_in_].signal_latency,
                              .bytes = p.bytes,
                              .port = p.ingress,
                              .what = signal::kind::release,
                              .priority = p.priority});
  return p;
}

template <bool Sorts>
void port_queue::transmit(sim_time at, ring<packet>& from) {
  packet p = let_go(at, from);
  const auto o = Sorts ? towards(p) : side;
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
  const auto sent = line_.transmit(at, p.bytes, o);
  line_.spend(at, sent, p.priority, p.bytes);
  p.at = sent + outputs_[o].packet_latency;
  p.pulled = false;
  emit(o, p);
  if (!config_.pulls)
    return;
  if (!line_.by_class() && config_.buffer.own == 0) {
    pulling_ = true;
    settle_pull();
    return;
  }
  if (!reported(p))
    return;
  // Only a class can hold it, so it comes back when it is done with this one. The switch ignores
  // what does not hold by then.
  const bool more = config_.buffer.own != 0 ? !from.empty() && from.front().at <= line_.busy()
                                            : waiting_ != 0 && first_queued().at <= line_.busy();
  if (!more)
    emit_signal(side, {.at = line_.busy() + inputs_[side].signal_latency,
                       .what = signal::kind::pull,
                       .priority = p.priority});
}

// The packet does not leave by the line, but it does leave the buffer.
bool port_queue::drop_instead(sim_time at, ring<packet>& from) {
  const auto& first = from.front();
  const bool purged = line_.purges(first.at, at);
  if (!purged && !line_.drops(first.priority, at))
    return false;
  const auto p = let_go(at, from);
  counters_.drop(purged ? drop_reason::link_down : drop_reason::watchdog, p);
  return true;
}

// The first of those classes that may start at `at`, if it is in a storm or the port has left its
// sets.
bool port_queue::drop_any(sim_time at, unsigned may) {
  bool any = false;
  for (unsigned c = 0; c < max_priorities; ++c)
    if ((may >> c & 1) != 0 && drop_instead(at, queues_[c]))
      any = true;
  return any;
}

sim_time port_queue::report_at(sim_time leaves) {
  if (config_.report_interval == 0)
    return leaves;
  if (leaves > next_report_ || next_report_ == 0)
    next_report_ =
        next_report_ == 0 ? leaves : std::max(leaves, later(next_report_, config_.report_interval));
  return next_report_;
}

bool port_queue::reported(const packet& p) const {
  return (config_.leaving == port_queue_config::reports::everything
          && (config_.lossless >> p.priority & 1) != 0)
         || (config_.leaving == port_queue_config::reports::accounted
             && p.ingress < config_.accounted.size()
             && (config_.accounted[p.ingress] >> p.priority & 1) != 0);
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

void port_queue::release(const leaving& l) {
  const bool held = upper_is_held();
  refresh(l.at);
  if (!gate_.release(l.priority, l.bytes))
    return;
  tell(signal::kind::start, l.priority, l.at);
  // The sender was held until now: nothing of it can be here before the start has been there.
  if (held)
    no_arrival_before_ = l.at + round_trip();
}

// The gate sees every packet that started before `before` leave, and what arrived in between.
void port_queue::settle(sim_time before) {
  const auto known = waiting_ != 0 ? head_.at : never;  // no departure before this is missing
  for (;;) {
    if (!arrivals_.empty() && (leaving_.empty() || arrivals_.front().at <= leaving_.front().at)) {
      if (arrivals_.front().at > known)
        return;
      refresh(arrivals_.front().at);
      gate_.arrive(arrivals_.front().priority, arrivals_.front().bytes);
      pending_bytes_ -= arrivals_.front().bytes;
      --pending_packets_;
      arrivals_.pop();
    } else if (!leaving_.empty() && leaving_.front().at < before) {
      const auto l = leaving_.front();
      leaving_.pop();
      release(l);
    } else {
      return;
    }
  }
}

// The run has ended: whatever left or arrived by now is known.
void port_queue::finish(sim_time now) {
  if (lists_)
    lists_->look(later(now, 1), later(now, 1), [](sim_time, std::uint32_t) {});
  for (;;) {
    const bool arrival = !arrivals_.empty() && arrivals_.front().at <= now;
    const bool departure = !leaving_.empty() && leaving_.front().at <= now;
    if (arrival && (!departure || arrivals_.front().at <= leaving_.front().at)) {
      gate_.arrive(arrivals_.front().priority, arrivals_.front().bytes);
      arrivals_.pop();
    } else if (departure) {
      gate_.release(leaving_.front().priority, leaving_.front().bytes);
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
  // Refreshes that nothing can come before. They are asked for when somebody has to know.
  if (requests_.refresh_at() < never) {
    auto quiet_until = std::min(next_arrival(), later(limit_, 1));
    if (!arrivals_.empty())
      quiet_until = std::min(quiet_until, arrivals_.front().at);
    if (!leaving_.empty())
      quiet_until = std::min(quiet_until, leaving_.front().at);
    if (waiting_ != 0)
      quiet_until = std::min(quiet_until, head_.at);
    refresh(quiet_until);
  }
  if (grants_)
    grants_->look(std::min(next_start(), limit_), [&](const pause_request& r) { request(r); });
  if (lists_)
    while (tell_lists(later(limit_, 1))) {  // who gets some may send again, and no earlier
    }
}

bool port_queue::tell_lists(sim_time known) {
  return lists_->look(std::min(next_arrival(), known), std::min(next_start(), known),
                      [&](sim_time at, std::uint32_t bytes) {
                        emit_signal(side, {.at = at + inputs_[side].signal_latency,
                                           .bytes = bytes,
                                           .what = signal::kind::release});
                      });
}

void port_queue::tell(credit_counts& counts) const {
  const auto& b = lists_->builder();
  counts.lists = b.lists();
  counts.credits = b.credits();
  counts.used = b.filled();
  counts.most_outstanding = b.most_outstanding();
  counts.wasted_bytes = b.wasted_bytes();
  counts.switches = b.switches();
}

// -- frames that hold the peer --------------------------------------------------------------------

void port_queue::take_requests() {
  if (requests_in_ == nowhere)
    return;
  auto& in = inputs_[requests_in_];
  while (!in.items.empty()) {
    frames_->ask(from_packet(in.items.front()));
    pop_packet(requests_in_);
  }
}

// Whether no request for t or before is still to come.
bool port_queue::requests_known(sim_time t) const {
  return requests_in_ == nowhere || inputs_[requests_in_].promise > t;
}

// Sends a frame that leaves before, or as, anything else does: then true, and what else starts has
// to be looked up again. Else makes sure that `v` does not start before a frame that may come.
bool port_queue::frame_goes_first(transmitter::verdict& v, sim_time no_data_before) {
  frame_lacks_ = nowhere;
  const auto waits = frames_->first();
  const auto at = waits >= never ? never : line_.control_start(waits);
  if (at <= std::min(v.at, limit_) && at < never) {
    if (at <= no_data_before && requests_known(at)) {
      send_frame(at);
      return true;
    }
    frame_lacks_ = at > no_data_before ? side : requests_in_;
    need_packets(frame_lacks_, at);
    v = {at, false};
  } else if (v.certain && !requests_known(v.at)) {
    v.certain = false;
    frame_lacks_ = requests_in_;
  }
  return false;
}

void port_queue::send_frame(sim_time at) {
  const auto sent = frames_->send(at, line_.transmit_control(at));
  if (!sent.lost)
    emit_signal(frames_in_, to_signal(sent.frame, sent.at));
}

// When the packet can start, which is the first in its queue.
transmitter::verdict port_queue::first_start(output& out, const packet& p, port_index o) {
  for (;;) {
    auto v = line_.by_class() ? line_.start_class(
                 out, outputs_[holds()], 1u << p.priority, [&](unsigned) { return p.at; },
                 [&](unsigned) { return p.bytes; }, limit_, never, p.pulled)
                              : line_.start(stops_out_ == side ? out : outputs_[stops_out_], p.at,
                                            p.bytes, limit_, p.pulled, o);
    if (!frames_ || !frame_goes_first(v, v.at))
      return v;
  }
}

// When the first packet of any priority can.
transmitter::verdict port_queue::first_start(output& out, sim_time ready, std::uint32_t largest,
                                             bool pulled) {
  for (;;) {
    auto v =
        line_.by_class() ? line_.start_class(
            out, outputs_[holds()], waiting_, [&](unsigned c) { return queues_[c].front().at; },
            [&](unsigned c) { return queues_[c].front().bytes; }, limit_, next_arrival(), pulled)
                         : line_.start(out, ready, largest, limit_, pulled);
    // What arrives meanwhile may start sooner, if it is not held.
    if (!frames_ || !frame_goes_first(v, std::max(line_.busy(), next_arrival())))
      return v;
  }
}

// What is lacking to be sure of the next start.
void port_queue::ask_for_start(port_index o) {
  if (frame_lacks_ != nowhere)
    need_packets(frame_lacks_, head_.at);
  else if (head_.pauses_beyond != never) {
    if (line_.asks_for_pauses(head_))
      need_signals(holds(), head_.pauses_beyond);
  }
  // Held by a stop: the receiver speaks when it is over. Else we have to know.
  else if (line_.asks(o))
    need_signals(listens(o), head_.at);
}

// -- what is known of the future ----------------------------------------------------------------

// The sender has obeyed our stop, and all that it sent before is here.
bool port_queue::upper_is_held() const {
  const auto& in = inputs_[side];
  if (requests_out_ != nowhere && !config_.sender.held_whole)
    return false;
  return gate_.stopping() && in.items.empty()
         && ((requests_out_ == nowhere && in.heard >= in.signals)
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
  if (lists_)
    if (const auto t = lists_->starved_until(); t > 0)
      return std::max(in.promise,
                      later(std::min(t, waiting_ != 0 ? head_.at : never), round_trip()));
  if (config_.leaving == port_queue_config::reports::everything && config_.buffer.own == 0)
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
  // What waits may be held while another class that comes is not.
  if (waiting_ != 0)
    return single_ || !line_.by_class()
               ? head_.at
               : std::min(head_.at, std::max(line_.busy(), next_arrival()));
  const auto& out = outputs_[stops_out_];
  auto t = line_.awake(next_arrival(), config_.pulls);
  // Held while empty: what arrives meanwhile has to wait for the start, if there is one way only.
  if (!sorts_ && line_.stopped())
    t = std::max(t, out.items.empty() ? out.promise : out.items.front().at);
  return t;
}

// While stopping: the start threshold is not reached before this.
sim_time port_queue::resume_bound() const {
  if (config_.buffer.own != 0) {
    // Any of the classes that are held: no sooner than any of them leaves again.
    for (std::size_t i = 0; i < leaving_.size(); ++i)
      if (gate_.of(leaving_[i].priority).stopping())
        return leaving_[i].at;
    if (waiting_ == 0)
      return never;
    auto t = never;
    for (unsigned c = 0; c < max_priorities; ++c)
      if (const auto& gate = gate_.of(c); (config_.buffer.own >> c & 1) != 0 && gate.stopping())
        t = std::min(t, least_drain(line_.fastest(), gate.bytes() - gate.settings().start.bytes,
                                    config_.sender.max_frame_bytes));
    return later(head_.at, t);
  }
  const auto& gate = gate_.of(0);
  const auto& s = gate.settings();
  auto bytes = gate.bytes();
  auto packets = gate.packets();
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

// The sender is told nothing new before this, as far as is known.
sim_time port_queue::next_transition() const {
  const auto& buffer = config_.buffer;
  if (!stops_)
    return never;
  auto t = gate_.stopping() ? resume_bound() : never;
  // Not before the sender, as fast as it can, has filled the buffer.
  const auto fill = [&](const buffer_gate& gate, std::size_t known) {
    if (gate.stopping())
      return;
    const auto& stop = gate.settings().stop;
    t = std::min(t, earliest_fill(config_.sender, next_arrival(), gate.bytes() + pending_bytes_,
                                  gate.packets() + pending_packets_, stop.bytes, stop.packets,
                                  known, [&](std::size_t i) { return leaving_[i]; }));
  };
  if (buffer.shared.stops)
    fill(gate_.of(0), leaving_.size());
  for (unsigned c = 0; c < max_priorities; ++c)
    if ((buffer.own >> c & 1) != 0 && gate_.of(c).settings().stops)
      fill(gate_.of(c), 0);
  return t;
}

const packet& port_queue::first_queued() const {
  return queues_[static_cast<unsigned>(__builtin_ctz(waiting_))].front();
}

sim_time port_queue::next_event() const {
  auto t = std::min(next_work(), requests_.refresh_at());
  // A class that is held by frames goes on when its time is over, if not before by another's doing.
  if (waiting_ != 0 && head_.pauses_beyond != never)
    t = std::min(t, std::max(head_.at, head_.ends));
  if (frames_ && frames_->first() < never)
    t = std::min(t, line_.control_start(frames_->first()));
  return t;
}

bool port_queue::untouched() const {
  return counters_.in.packets == 0 && inputs_[side].items.empty() && !frames_ && !grants_
         && requests_out_ == nowhere && frames_out_ == nowhere;
}

sim_time port_queue::next_work() const {
  sim_time t = never;
  const auto& in = inputs_[side];
  if (!in.items.empty())
    t = in.items.front().at;
  const auto o = towards();
  const bool held =
      line_.stopped(o) && outputs_[o < outputs_.size() ? listens(o) : side].items.empty();
  if (waiting_ != 0 && !held && head_.pauses_beyond == never)
    t = std::min(t, head_.at);
  if (pulling_ && !held)
    t = std::min(t, pull_at_);
  if (grants_)
    t = std::min(t, grants_->due());
  if (lists_)
    t = std::min(t, lists_->next_event());
  if (frames_ && frames_->has_news())
    t = std::min(t, line_.control_start(frames_->first()));
  if (waiting_ != 0 && head_.pauses_beyond != never && (line_.by_room() || line_.drops_some()))
    t = std::min(t, std::max(head_.at, head_.ends));
  if (gate_.stopping())
    t = std::min(
        t, resume_bound() <= (leaving_.empty() ? -1 : leaving_.back().at) ? resume_bound() : never);
  return t;
}

// -- promises -----------------------------------------------------------------------------------

// A tunnel's headers may be gone when the packet leaves; or it is dropped, and the next one goes.
sim_time port_queue::least_service() const {
  if (waiting_ == 0 || !single_ || line_.drops_some())
    return line_.least_service(1);
  const auto& p = first_queued();
  return line_.least_service(config_.decapsulates ? p.frame_bytes() : p.bytes);
}

sim_time port_queue::earliest_packet(port_index o) {
  if (o == frames_out_ || (o == stops_out_ && o != side))
    return never;
  if (o == requests_out_)
    return later(next_request(), outputs_[o].packet_latency);
  const auto least = least_service();
  return later(next_start(), least + outputs_[o].packet_latency);
}

void port_queue::explain_packet(port_index o, sim_time beyond) {
  if (o == frames_out_ || (o == stops_out_ && o != side))
    return;
  if (o == requests_out_) {
    explain_transition(beyond - outputs_[o].packet_latency);
    return;
  }
  const auto least = least_service();
  const auto t = beyond - outputs_[o].packet_latency - least;
  if (waiting_ != 0 && head_.pauses_beyond != never) {
    need_signals(holds(), std::min(std::max(t, outputs_[holds()].promise), head_.pauses_beyond));
    if (!single_ && inputs_[side].items.empty())
      need_packets(side, std::max(t, inputs_[side].promise));
  } else if (held_at() != nowhere) {
    need_signals(listens(held_at()), std::max(t, outputs_[listens(held_at())].promise));
  } else if (waiting_ == 0) {
    need_packets(side, std::max(t, inputs_[side].promise));
  } else if (!head_.certain) {
    need_start();
  }
}

// As ask_for_start, for somebody else, who cannot wait until the receiver speaks.
void port_queue::need_start() {
  if (frame_lacks_ != nowhere || head_.pauses_beyond != never)
    ask_for_start(towards());
  else
    need_signals(listens(towards()), head_.at);
}

sim_time port_queue::earliest_signal(port_index i) {
  if (i == frames_in_) {
    const auto next =
        std::min(frames_->first(), requests_in_ == nowhere ? never : inputs_[requests_in_].promise);
    return next >= never
               ? never
               : later(line_.control_start(next), line_.control_time() + frames_->latency());
  }
  if (i == requests_in_ || (i == side && reports_in_ != side))
    return never;
  const auto latency = inputs_[i].signal_latency;
  if (reports_classes())
    return later(next_report(), latency);
  if (lists_) {
    // What arrives lets a list go only if there is something to tell.
    const auto next = std::min(lists_->next_event(), next_start());
    return later(lists_->has_more() ? std::min(next, next_arrival()) : next, latency);
  }
  if (config_.leaving != port_queue_config::reports::nothing)
    return later(pulling_ ? std::min(pull_at_, next_start()) : next_start(), latency);
  return later(next_transition(), latency);
}

void port_queue::explain_signal(port_index i, sim_time beyond) {
  if (i == requests_in_ || (i == side && reports_in_ != side))
    return;
  if (i == frames_in_) {
    if (frames_->first() >= never) {
      if (requests_in_ != nowhere)
        need_packets(requests_in_, beyond - frames_->latency() - line_.control_time());
    } else if (waiting_ != 0 && !head_.certain) {
      need_start();  // it goes before what starts next
    }
    return;
  }
  if (reports_classes())
    explain_report(beyond - inputs_[i].signal_latency);
  else
    explain_transition(beyond - inputs_[i].signal_latency);
}

// Who waits for reports of a class that is held need not wait for what others do: when the next
// packet that is reported can leave.
sim_time port_queue::next_report() const {
  auto t = never;
  for (unsigned c = 0; c < max_priorities; ++c)
    if ((config_.priorities & config_.lossless & 1u << c) != 0)
      t = std::min(t, report_bound(c));
  return t;
}

sim_time port_queue::report_bound(unsigned c) const {
  if ((waiting_ >> c & 1) == 0)
    return std::max(line_.busy(), next_arrival());
  return std::max(head_.at, line_.class_bound(outputs_[holds()], c, queues_[c].front().at));
}

void port_queue::explain_report(sim_time t) {
  for (unsigned c = 0; c < max_priorities; ++c) {
    if ((config_.priorities & config_.lossless & 1u << c) == 0 || report_bound(c) > t)
      continue;
    if ((waiting_ >> c & 1) == 0) {
      if (inputs_[side].items.empty())
        need_packets(side, std::max(t, inputs_[side].promise));
    } else if (line_.class_held(c)) {
      need_signals(holds(), std::max(t, outputs_[holds()].promise));
    } else if (head_.certain || out_of_window_) {
      if (inputs_[side].items.empty() && !out_of_window_)
        need_packets(side,
                     std::max(t, inputs_[side].promise));  // who comes takes part in the choice
    } else {
      need_start();
    }
  }
}

// It asks for no frame before this.
sim_time port_queue::next_request() const {
  if (grants_)
    return std::min(grants_->due(), grants_->look_after(next_start()));
  return std::min(next_transition(), requests_.refresh_at());
}

void port_queue::explain_transition(sim_time t) {
  if (grants_)
    t = grants_->look_until(t) - 1;  // what leaves after that counts for a later look
  if (pulling_) {
    need_signals(side, line_.stopped() ? std::max(t, outputs_[side].promise) : pull_at_);
    return;
  }
  if (config_.buffer.own != 0 && stops_ && !gate_.stopping()) {
    // What leaves does not matter yet, nor what comes next: it takes so long to fill the buffer.
    const auto full = next_transition();
    const auto slack = full >= never ? 0 : full - next_arrival();
    if (inputs_[side].items.empty())
      need_packets(side, std::max(t - slack, inputs_[side].promise));
    return;
  }
  if (waiting_ != 0 && head_.at <= t) {
    if (held_at() != nowhere)
      need_signals(listens(held_at()), std::max(t, outputs_[listens(held_at())].promise));
    else if (!head_.certain)
      need_start();
    else if (!single_ && !out_of_window_)
      need_packets(side, head_.at);
    return;
  }
  if (inputs_[side].items.empty())
    need_packets(side, std::max(t, inputs_[side].promise));
}

bool port_queue::grant(port_index i, bool asked) {
  if (i != side || !stops_ || gate_.stopping())
    return false;
  auto& allowed = inputs_[side].allowed;
  const allowance next{arrived_bytes_ - pending_bytes_ + gate_.slack_bytes(),
                       arrived_packets_ - pending_packets_ + gate_.slack_packets(), never};
  const auto more_bytes = next.bytes - allowed.bytes;
  const auto more_packets = next.packets - allowed.packets;
  if (more_bytes <= 0 || more_packets <= 0)
    return false;
  const auto& stop = least_stop_;
  // Unasked, only when it is worth a message; asked, whatever there is.
  if (!asked && more_bytes < stop.bytes / 2 && more_packets < stop.packets / 2)
    return false;
  allowed = next;
  return true;
}

// -- counters -----------------------------------------------------------------------------------

loss_point port_queue::loses() const {
  const auto& a = config_.accounted;
  // Whether all that may come is held back in time.
  const auto come = config_.arriving != 0 ? config_.arriving : config_.priorities;
  const auto covered = [&](unsigned classes) { return (come & ~classes) == 0; };
  const bool guarded =
      (config_.leaving == port_queue_config::reports::everything && covered(config_.lossless))
      || (stops_ && covered(config_.buffer.stopping_classes()))
      || (grants_ && covered(config_.credits))
      || (config_.leaving == port_queue_config::reports::accounted
          && std::all_of(a.begin(), a.end(), covered));
  return guarded ? loss_point::guarded : loss_point::open;
}

held_counts port_queue::held_by(port_index o, sim_time now) const {
  if (line_.held_by_frames())
    return line_.paused_until(outputs_[holds()], now);
  return line_.until(outputs_[listens(o)], now, o);
}

stop_counts port_queue::stops_at(std::size_t, unsigned priority) const {
  if (!stops_ && config_.credits == 0) {
    if (config_.buffer.own == 0)
      return {0, config_.looked.share(gate_.max_bytes(), gate_.max_packets())};
    const auto& gate = gate_.of(priority);
    return {0, config_.looked.share(gate.max_bytes(), gate.max_packets())};
  }
  if (config_.buffer.own == 0)
    return {counters_.stops_sent,
            config_.buffer.shared.stop.share(gate_.max_bytes(), gate_.max_packets())};
  const auto& gate = gate_.of(priority);
  const auto& full = grants_ ? gate.settings().capacity : gate.settings().stop;
  return {stops_of_[priority], full.share(gate.max_bytes(), gate.max_packets())};
}

pause_counts port_queue::pauses_had(sim_time now) const {
  return line_.by_class() ? line_.pauses_until(outputs_[holds()], now) : pause_counts{};
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
  for (port_index o = 0; o < (sorts_ ? config_.sockets : 1); ++o) {
    const auto h = held_by(o, now);
    c.stops_received += h.stops;
    c.starts_received += h.starts;
    c.stopped += h.time;
  }
  c.wake_ups = line_.wake_ups();
  return c;
}

void port_queue::sample(sim_time, const sampler& tell) const {
  std::int64_t held = 0;
  for (const auto& q : queues_)
    for (std::size_t i = 0; i < q.size(); ++i)
      held += q[i].frame_bytes();
  tell(name(), kind(), held, counters_);
}

buffer_marks port_queue::marks() const {
  const auto known = [](std::int64_t bytes) {
    return bytes < buffer_limit::unlimited ? bytes : std::int64_t{-1};
  };
  buffer_marks m;
  const auto& b = config_.buffer;
  // Of a buffer that is divided no single threshold says anything of the sum that is sampled.
  if (b.own != 0)
    return m;
  m.capacity = known(b.shared.capacity.bytes);
  if (b.shared.stops) {
    m.stop = known(b.shared.stop.bytes);
    m.start = known(b.shared.start.bytes);
  } else if (config_.leaving == port_queue_config::reports::everything) {
    m.stop = known(config_.looked.bytes);
  }
  return m;
}

}  // namespace sluice
