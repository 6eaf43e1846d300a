#include "actors/guest/producer.hpp"

#include <algorithm>

namespace sluice {

producer::producer(producer_config c)
    : component{c.name, c.node}, config_{std::move(c)}, line_{config_.line} {}

void producer::add(schedule_config s) {
  auto x = std::make_unique<schedule>();
  x->config = std::move(s);
  x->refill();
  schedules_.push_back(std::move(x));
  front_ = earliest();
}

void producer::replace(std::uint32_t flow, std::unique_ptr<traffic_source> source) {
  for (auto& s : schedules_) {
    if (s->config.flow != flow)
      continue;
    s->config.source = std::move(source);
    s->next = s->size = 0;
    for (auto past = s->sent.packets; past != 0 && s->refill();) {
      s->next = static_cast<std::size_t>(std::min<std::uint64_t>(past, s->size));
      past -= s->next;
    }
    s->refill();
    break;
  }
  front_ = earliest();
}

bool producer::schedule::refill() {
  if (next < size)
    return true;
  size = config.source->next(batch);
  next = 0;
  return size != 0;
}

producer::schedule* producer::earliest(unsigned classes) const {
  schedule* best = nullptr;
  for (const auto& s : schedules_)
    if (s->next < s->size && (classes >> s->priority() & 1) != 0
        && (best == nullptr || s->due() < best->due()))
      best = s.get();
  return best;
}

// When the packet can start that is due next; or, where single classes are held, any.
transmitter::verdict producer::first_start(sim_time due, std::uint32_t bytes) {
  if (!line_.by_class())
    return line_.start(outputs_[side], std::max(due, may_start()), bytes, limit_);
  unsigned waiting = 0;
  for (const auto& s : schedules_)
    if (s->next < s->size)
      waiting |= 1u << s->priority();
  const auto size = [&](unsigned c) {
    const auto* s = earliest(1u << c);
    return s->batch[s->next].bytes;
  };
  return line_.start_class(
      outputs_[side], outputs_[frames_], waiting,
      [&](unsigned c) { return std::max(earliest(1u << c)->due(), may_start()); }, size, limit_);
}

// Whether it is known when the next packet may start: what was told by the start of the last one.
bool producer::settle_rate() {
  auto& r = *regulated_;
  if (r.settled)
    return true;
  bool known = true;
  for (const auto o : r.told_by)
    if (auto& out = outputs_[o];
        out.promise <= r.started && (out.items.empty() || out.items.back().at <= r.started)) {
      need_signals(o, r.started);
      known = false;
    }
  if (!known)
    return false;
  for (;;) {
    output* first = nullptr;
    for (const auto o : r.told_by)
      if (auto& out = outputs_[o];
          !out.items.empty() && out.items.front().at <= r.started
          && (first == nullptr || out.items.front().at < first->items.front().at))
        first = &out;
    if (first == nullptr)
      break;
    r.rate.notify(first->items.front().at);
    first->items.pop();
    ++first->heard;
  }
  r.rate.sent(r.bytes, r.started);
  r.may_start = r.rate.limited() ? later(r.started, r.rate.time_of(r.bytes)) : 0;
  r.settled = true;
  return true;
}

rate_limiter producer::rate(sim_time now) const {
  auto rate = regulated_->rate;
  std::vector<sim_time> told;
  for (const auto o : regulated_->told_by)
    each_coming(outputs_[o], [&](const signal& s) {
      if (s.at <= now)
        told.push_back(s.at);
    });
  std::sort(told.begin(), told.end());
  auto sent = regulated_->settled;
  for (const auto t : told) {
    if (!sent && t > regulated_->started) {
      rate.sent(regulated_->bytes, regulated_->started);
      sent = true;
    }
    rate.notify(t);
  }
  if (!sent)
    rate.sent(regulated_->bytes, regulated_->started);
  rate.advance(now);
  return rate;
}

// No packet that can be the next is smaller.
std::uint32_t producer::least_bytes() const {
  auto least = front_->batch[front_->next].bytes;
  if (line_.by_class())
    for (const auto& s : schedules_)
      if (s->next < s->size)
        least = std::min(least, s->batch[s->next].bytes);
  return least;
}

void producer::advance() {
  auto& out = outputs_[side];
  head_ = {never, false};
  const auto idle = [&](sim_time until) {
    if (line_.by_class())
      line_.idle(out, outputs_[frames_], until, limit_);
    else
      line_.idle(out, until, limit_);
  };
  while (front_ != nullptr) {
    if (front_->due() > limit_) {
      idle(front_->due());
      head_ = {std::max(front_->due(), line_.busy()), false};
      return;
    }
    if (regulated_ && !settle_rate()) {
      head_ = {std::max({front_->due(), line_.busy(), regulated_->started}), false};
      return;
    }
    const auto free = line_.busy();
    head_ = first_start(front_->due(), front_->batch[front_->next].bytes);
    if (head_.at > limit_)
      return;
    if (!head_.certain) {
      if (head_.pauses_beyond != never) {
        if (line_.asks_for_pauses(head_))
          need_signals(frames_, head_.pauses_beyond);
      } else if (line_.asks())
        need_signals(side, head_.at);
      return;
    }
    if (!window_open(out))
      return;
    auto& s = line_.by_class() ? *earliest(head_.classes) : *front_;
    const emission e = s.batch[s.next];
    const auto due = s.due();
    const auto ready = std::max(due, free);
    if (s.config.shift_on_stop && head_.at > ready)
      s.shifted += head_.at - ready;

    packet p;
    p.due = due;
    p.id = static_cast<std::uint64_t>(config_.endpoint) << 40 | sequence_++;
    p.frame = e.frame;
    p.bytes = e.bytes;
    p.flow = s.config.flow;
    p.from = config_.endpoint;
    p.to = e.to;
    p.priority = s.priority();
    p.ecn = e.ecn | s.config.ecn;
    p.special = e.special != packet::ordinary ? e.special : s.config.special;
    p.socket = s.config.sockets ? (*s.config.sockets)[e.to] : e.socket;
    const auto sent = line_.transmit(head_.at, e.bytes);
    line_.spend(head_.at, sent, p.priority, e.bytes);
    p.at = sent + out.packet_latency;
    counters_.out.add(e.bytes);
    s.sent.add(e.bytes);
    emit(side, p);
    if (regulated_) {
      regulated_->settled = false;
      regulated_->started = head_.at;
      regulated_->bytes = e.bytes;
    }
    ++s.next;
    if (schedules_.size() > 1 || s.next == s.size) {
      s.refill();
      front_ = earliest();
    }
  }
  idle(limit_);
  head_ = {never, false};
}

sim_time producer::next_event() const {
  if (front_ == nullptr || (line_.stopped() && outputs_[side].items.empty()))
    return never;
  return head_.pauses_beyond != never ? std::max(head_.at, head_.ends) : head_.at;
}

sim_time producer::next_work() const {
  const bool paused = head_.pauses_beyond != never && !line_.by_room();
  return paused ? never : next_event();
}

sim_time producer::earliest_packet(port_index o) {
  if (front_ == nullptr || o != side)
    return never;
  return later(head_.at, line_.least_service(least_bytes()) + outputs_[side].packet_latency);
}

void producer::explain_packet(port_index o, sim_time beyond) {
  if (front_ == nullptr || o != side)
    return;
  const auto& out = outputs_[side];
  const auto t = beyond - out.packet_latency - line_.least_service(least_bytes());
  if (regulated_ && !regulated_->settled)
    settle_rate();  // which asks
  else if (head_.pauses_beyond != never)
    need_signals(frames_, std::min(std::max(t, outputs_[frames_].promise), head_.pauses_beyond));
  else if (line_.stopped())
    need_signals(side, std::max(t, out.promise));
  else if (!head_.certain)
    need_signals(side, head_.at);
}

// A held producer can be behind its schedule by more than the batch it has read ahead.
void producer::finish(sim_time now) {
  for (const auto& s : schedules_)
    while (s->refill() && s->due() <= now) {
      s->due_unsent.add(s->batch[s->next].bytes);
      ++s->next;
    }
}

std::vector<producer::flow_made> producer::made(sim_time now) const {
  std::vector<flow_made> result;
  for (const auto& s : schedules_) {
    flow_made f{s->config.flow, s->sent};
    f.made += s->due_unsent;
    for (auto i = s->next; i < s->size && later(s->batch[i].due, s->shifted) <= now; ++i)
      f.made.add(s->batch[i].bytes);
    result.push_back(f);
  }
  return result;
}

held_counts producer::held_by(port_index, sim_time now) const {
  if (line_.held_by_frames())
    return line_.paused_until(outputs_[frames_], now);
  return line_.until(outputs_[side], now);
}

pause_counts producer::pauses_had(sim_time now) const {
  return line_.by_class() ? line_.pauses_until(outputs_[frames_], now) : pause_counts{};
}

component_counters producer::snapshot(sim_time now) const {
  auto c = counters_;
  for (const auto& f : made(now))
    c.made += f.made;
  c.held = c.made - c.out;
  const auto h = held_by(side, now);
  c.stops_received = h.stops;
  c.starts_received = h.starts;
  c.stopped = h.time;
  return c;
}

}  // namespace sluice
