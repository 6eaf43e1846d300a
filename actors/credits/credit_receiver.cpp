#include "actors/credits/credit_receiver.hpp"

#include <algorithm>

namespace sluice {

credit_receiver::credit_receiver(credit_receiver_config c)
    : component{c.name, c.node}, config_{std::move(c)} {
  unasked_ = config_.plain;
  for (const auto& x : config_.connections) {
    unasked_ = unasked_ || !x.regulated || x.window_bytes != 0;
    least_work_ = config_.plain ? 0 : std::min(least_work_, x.work);
    const auto number = connections_.size();
    numbers_.add(x.flow, x.from);
    connections_.push_back(
        {x, credit_builder{x.lists}, {x.seed, "receive buffers"}, 0, 0, never, false});
    for (unsigned b = 0; b < x.buffers && x.window_bytes == 0; ++b)
      post(number, 0);
    connections_.back().unsaid = x.window_bytes;
    look(number, 0);
  }
}

void credit_receiver::speak(std::size_t c, port_index i, std::size_t there) {
  auto& x = connections_[c];
  x.sender = i;
  arrives_.resize(inputs_.size());
  x.there = static_cast<std::uint16_t>(there);
  inputs_[x.sender].urgent = true;
}

loss_point credit_receiver::loses() const {
  const bool all = std::all_of(connections_.begin(), connections_.end(),
                               [](const auto& x) { return x.config.regulated; });
  return all ? loss_point::guarded : loss_point::open;
}

// A receive request of the application.
void credit_receiver::post(std::size_t c, sim_time at) {
  auto& x = connections_[c];
  const auto& f = x.config;
  x.builder.post(f.least + static_cast<std::uint32_t>(x.sizes.below(f.most - f.least + 1)), at);
}

// When its next list is to go, as of now.
void credit_receiver::look(std::size_t c, sim_time at) {
  auto& x = connections_[c];
  if (const auto window = x.config.window_bytes; window != 0) {
    const std::int64_t full = x.config.largest;
    x.due = x.unsaid >= std::clamp<std::int64_t>(window - full + 1, 1, 2 * full) ? at : never;
  } else {
    x.due = x.config.regulated && !x.broken ? x.builder.due(at) : never;
  }
  for (std::size_t k = 0; k < connections_.size(); ++k)
    if (connections_[k].due < connections_[first_due_].due)
      first_due_ = k;
}

void credit_receiver::advance() {
  auto& in = inputs_[side];
  for (;;) {
    const auto next = next_read();
    const auto due = connections_[first_due_].due;
    const auto own = std::min(next, due);
    if (!in.items.empty() && in.items.front().at <= own) {
      if (in.items.front().at > limit_ || !window_open(outputs_[side]))
        return;
      arrive();
      continue;
    }
    if (own > limit_)
      return;
    if (next_arrival() <= own) {
      need_packets(side, own);
      return;
    }
    if (next <= due) {
      const auto done = readings_.front();
      readings_.pop();
      read(done.connection, done.bytes, done.done);
      look(done.connection, done.done);
    } else {
      send_list(first_due_, due);
    }
  }
}

void credit_receiver::arrive() {
  packet p = inputs_[side].items.front();
  pop_packet(side);
  counters_.in.add(p.frame_bytes());
  const auto at = p.at;
  const auto c = numbers_.find(p.flow, p.from);
  if (c == connection_index::none) {
    // The application has its own ways with it.
    p.at = std::max(worked_, at) + outputs_[side].packet_latency;
  } else {
    auto& x = connections_[c];
    const auto before = x.builder.outstanding();
    if (x.broken || !receive(x, p)) {
      outstanding_ -= x.broken ? 0 : before;
      x.broken = true;
      counters_.drop(drop_reason::connection_broken, p);
      look(c, at);
      return;
    }
    outstanding_ -= before - x.builder.outstanding();
    worked_ = std::max(worked_, at) + x.config.work;
    readings_.push({worked_, static_cast<std::uint32_t>(c), p.frame_bytes()});
    p.at = worked_ + outputs_[side].packet_latency;
    look(c, at);
  }
  counters_.out.add(p.frame_bytes());
  emit(side, p);
}

// False: there is no buffer for it.
bool credit_receiver::receive(connection& x, const packet& p) {
  if (x.config.window_bytes != 0) {
    x.buffered += p.frame_bytes();
    return x.buffered <= x.config.window_bytes;
  }
  return x.builder.arrive(p.frame_bytes(), p.at, p.remaining) == credit_builder::arrival::filled;
}

// The application is done with so many bytes.
void credit_receiver::read(std::size_t c, std::uint32_t bytes, sim_time at) {
  auto& x = connections_[c];
  if (x.config.window_bytes == 0)
    return post(c, at);
  x.buffered -= bytes;
  x.unsaid += bytes;
}

void credit_receiver::send_list(std::size_t c, sim_time at) {
  auto& x = connections_[c];
  signal s{.at = tell_at(x, at), .port = x.there, .what = signal::kind::list, .priority = 1};
  if (x.config.window_bytes != 0) {
    s.bytes = static_cast<std::uint32_t>(x.unsaid);
    emit_signal(x.sender, s);
    x.unsaid = 0;
    ++x.updates;
    return look(c, at);
  }
  const auto before = x.builder.outstanding();
  x.builder.take(list_, at);
  outstanding_ += x.builder.outstanding() - before;
  for (std::size_t k = 0; k < list_.size(); ++k) {
    s.bytes = list_[k];
    s.priority = k + 1 == list_.size();
    emit_signal(x.sender, s);
  }
  look(c, at);
}

// When what is said now is there.
sim_time credit_receiver::tell_at(const connection& x, sim_time at) {
  said_ = std::max(said_, at) + x.config.per_list;
  auto arrives = said_ + inputs_[x.sender].signal_latency;
  if (x.config.poll != 0)
    arrives += (x.config.poll - arrives % x.config.poll) % x.config.poll;
  return arrives_[x.sender] = std::max(arrives, arrives_[x.sender]);
}

// -- what is known of the future ------------------------------------------------------------------

// Nobody has credits for anything that could come, unless it needs none.
sim_time credit_receiver::next_arrival() const {
  const auto& in = inputs_[side];
  if (!in.items.empty())
    return in.items.front().at;
  return outstanding_ == 0 && !unasked_ ? never : in.promise;
}

// No list goes before this.
sim_time credit_receiver::next_list() const {
  return std::min({next_read(), connections_[first_due_].due, next_arrival()});
}

sim_time credit_receiver::earliest_packet(port_index o) {
  // What has no credits yet has to get them first.
  return later(std::max(next_list(), worked_), least_work_ + outputs_[o].packet_latency);
}

void credit_receiver::explain_packet(port_index o, sim_time beyond) {
  if (inputs_[side].items.empty() && next_arrival() < never)
    need_packets(
        side, std::max(inputs_[side].promise, beyond - outputs_[o].packet_latency - least_work_));
}

sim_time credit_receiver::earliest_signal(port_index i) {
  if (i == side)
    return never;
  return later(std::max(next_list(), said_), inputs_[i].signal_latency);
}

void credit_receiver::explain_signal(port_index i, sim_time beyond) {
  if (i != side && inputs_[side].items.empty() && next_arrival() < never)
    need_packets(side, std::max(inputs_[side].promise, beyond - inputs_[i].signal_latency));
}

sim_time credit_receiver::next_event() const {
  const auto& in = inputs_[side];
  const auto t = in.items.empty() ? never : in.items.front().at;
  return std::min({t, next_read(), connections_[first_due_].due});
}

component_counters credit_receiver::snapshot(sim_time) const {
  auto c = counters_;
  const auto coming = waiting(inputs_[side]);
  c.in += coming;
  c.held += coming;
  return c;
}

void credit_receiver::tell(std::size_t c, credit_counts& counts) const {
  const auto& x = connections_[c];
  counts.lists = x.builder.lists() + x.updates;
  counts.credits = x.builder.credits();
  counts.wasted_bytes = x.builder.wasted_bytes();
  counts.switches = x.builder.switches();
  counts.most_outstanding = x.builder.most_outstanding();
  counts.broken = x.broken;
}

}  // namespace sluice
