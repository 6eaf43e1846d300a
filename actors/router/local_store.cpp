#include "actors/router/local_store.hpp"

#include <algorithm>
#include <numeric>

namespace sluice {

local_store::local_store(local_store_config c)
    : sequencer{c.name, c.node}, config_{std::move(c)}, fifo_{config_.memory} {
  everybody_.resize(config_.memory.connections);
  std::iota(everybody_.begin(), everybody_.end(), 0u);
}

loss_point local_store::loses() const {
  return config_.waits ? loss_point::guarded : loss_point::open;
}

const std::vector<std::uint32_t>& local_store::group(const packet& p) const {
  return p.special == packet::broadcast ? everybody_ : config_.groups[p.flow];
}

// A packet that may have been for several is for this one now.
void local_store::address(packet& p, std::uint32_t connection) const {
  p.egress = static_cast<std::uint16_t>(connection);
  if (p.special != packet::multicast && p.special != packet::broadcast)
    return;
  p.to = config_.first_endpoint + connection;
  const auto& listens = config_.sockets[p.flow];
  p.socket = listens ? (*listens)[p.to] : 0;
}

bool local_store::handle(port_index i, const packet& first) {
  if (!windows_open(outputs_.size()))
    return false;
  const auto at = first.at;
  if (i == from_store) {
    const auto p = first;
    pop_packet(i);
    counters_.in.add(p.frame_bytes());
    if (submitting_.empty() && submit(p, at))
      return true;
    if (config_.waits) {
      if (submitting_.empty())
        stop_buffers(signal::kind::stop, at);
      submitting_.push(p);
      ++waited_;
      return true;
    }
    counters_.drop(drop_reason::no_buffer, p);
    if (p.refused)
      tell(router_message::kind::lost, p.egress, at, 1, p.bytes);
    return true;
  }
  const auto m = as_message(first);
  pop_packet(i);
  if (i == from_assist) {
    --with_assist_;
    if (!assisting_.empty() || !send_on(m.connection, at))
      assisting_.push(m.connection);
  } else {
    jobs_.push({m.connection, m.packets, m.bytes});
    if (jobs_.size() == 1)
      next_job(at);
  }
  return true;
}

// Into a buffer, and to its queue.
bool local_store::submit(const packet& p, sim_time at) {
  const auto buffer = fifo_.obtain(p.bytes);
  if (!buffer)
    return false;
  if (p.special == packet::ordinary) {
    fifo_.submit(*buffer, p, p.egress);
    tell(router_message::kind::waits, p.egress, at, 1, p.bytes);
    return true;
  }
  fifo_.submit_special(*buffer, p, p.special - 1u);
  auto work = p;
  work.at = at + outputs_[to_assist].packet_latency;
  ++with_assist_;
  ++specials_;
  emit(to_assist, work);
  return true;
}

// The first packet of that type, to where it is for.
bool local_store::send_on(unsigned type, sim_time at) {
  const auto p = *fifo_.special(type);
  if (p.special == packet::unknown || p.special == packet::arp) {
    fifo_.assign(type, p.egress);
    tell(router_message::kind::waits, p.egress, at, 1, p.bytes);
    return true;
  }
  const auto& to = group(p);
  if (!fifo_.fan_out(type, to))
    return false;
  for (std::size_t n = 1; n < to.size(); ++n)
    counters_.copy(p);
  for (const auto c : to)
    tell(router_message::kind::waits, c, at, 1, p.bytes);
  return true;
}

// -- what is taken out ----------------------------------------------------------------------------

// Whether the job has another packet. What it may take was found out for the first one.
bool local_store::continues(const job& j) const {
  const auto* p = fifo_.front(j.connection);
  return p != nullptr && j.packets > 0 && (j.taken == 0 || j.bytes >= p->bytes);
}

void local_store::next_job(sim_time at) {
  leaves_at_ = never;
  while (!jobs_.empty()) {
    const auto& j = jobs_.front();
    if (continues(j)) {
      leaves_at_ = at + config_.reads.of(fifo_.front(j.connection)->bytes);
      return;
    }
    const auto* next = fifo_.front(j.connection);
    tell(router_message::kind::taken, j.connection, at, static_cast<std::int64_t>(j.taken),
         next != nullptr ? next->bytes : 0, j.refused);
    jobs_.pop();
  }
}

sim_time local_store::own_time() const {
  return leaves_at_;
}

bool local_store::act() {
  if (!windows_open(outputs_.size()))
    return false;
  const auto at = leaves_at_;
  auto& j = jobs_.front();
  auto p = fifo_.take(j.connection);
  ++taken_;
  --j.packets;
  j.bytes -= p.bytes;
  ++j.taken;
  j.refused += p.refused ? 1 : 0;
  counters_.out.add(p.frame_bytes());
  address(p, j.connection);
  p.at = at + outputs_[to_allocator].packet_latency;
  emit(to_allocator, p);
  freed(at);
  next_job(at);
  return true;
}

// A buffer may be free again, for who waits for one.
void local_store::freed(sim_time at) {
  while (!assisting_.empty() && send_on(assisting_.front(), at))
    assisting_.pop();
  if (submitting_.empty())
    return;
  while (!submitting_.empty() && submit(submitting_.front(), at))
    submitting_.pop();
  if (submitting_.empty())
    stop_buffers(signal::kind::start, at);
}

// -- messages and signals -------------------------------------------------------------------------

void local_store::tell(router_message::kind what, std::uint32_t connection, sim_time at,
                       std::int64_t packets, std::uint32_t bytes, std::uint64_t refused) {
  if (what == router_message::kind::waits) {
    most_waiting_ = std::max(most_waiting_, fifo_.waiting());
    longest_ = std::max<std::uint64_t>(longest_, fifo_.waiting(connection));
  }
  emit(to_local, as_packet({.at = at + outputs_[to_local].packet_latency,
                            .what = what,
                            .connection = connection,
                            .packets = packets,
                            .bytes = bytes,
                            .refused = refused}));
}

void local_store::stop_buffers(signal::kind what, sim_time at) {
  for (port_index i = from_buffers; i < inputs_.size(); ++i)
    emit_signal(i, {.at = at + inputs_[i].signal_latency, .what = what});
}

// -- what is known of the future ------------------------------------------------------------------

// The local engine has nothing taken before this. It does that of what waits only, of which it was
// told.
sim_time local_store::next_take() const {
  return next_by(from_local);
}

// The assist engine speaks only of what it was given; the local engine, if nothing waits, only
// after its first look at what comes next.
sim_time local_store::silent_until(port_index i) const {
  if (i == from_assist && with_assist_ == 0)
    return later(next_by(from_store),
                 outputs_[to_assist].packet_latency + inputs_[from_assist].packet_latency);
  if (i == from_local && fifo_.waiting() == 0)
    return later(config_.looks.from(later(std::min(next_by(from_store), next_by(from_assist)),
                                          outputs_[to_local].packet_latency)),
                 inputs_[from_local].packet_latency);
  return 0;
}

// No packet is taken out before this.
sim_time local_store::next_leave() const {
  return std::min(leaves_at_, later(next_take(), config_.reads.of(1)));
}

sim_time local_store::earliest_packet(port_index o) {
  auto t = never;
  if (o == to_allocator) {
    t = next_leave();
  } else {
    t = next_by(from_store);
    if (!submitting_.empty() || o == to_local)
      t = std::min(t, leaves_at_ < never ? leaves_at_ : next_take());
    if (o == to_local)
      t = std::min(t, next_by(from_assist));
  }
  return later(t, outputs_[o].packet_latency);
}

void local_store::explain_packet(port_index o, sim_time beyond) {
  const auto t = beyond - outputs_[o].packet_latency;
  const bool idle = fifo_.waiting() == 0;
  // By when it has to be known what comes, for no look to be worth it before `t`.
  const auto before =
      idle && o == to_allocator
          ? config_.looks.until(t - config_.reads.of(1) - inputs_[from_local].packet_latency)
                - outputs_[to_local].packet_latency
          : t;
  if (o != to_allocator || idle)
    need_input(from_store, before);
  if (o == to_local || idle)
    need_input(from_assist, before);
  if (!idle && leaves_at_ == never && (o != to_assist || !submitting_.empty()))
    need_step(from_local, o == to_allocator ? t - config_.reads.of(1) : t);
}

// The buffers are not stopped while there is room: each packet that comes takes one buffer, and its
// time in the store engine.
sim_time local_store::earliest_signal(port_index i) {
  if (!config_.waits || i < from_buffers)
    return never;
  auto t = never;
  if (submitting_.empty()) {
    const auto& largest = fifo_.normal_pool(fifo_.sizes() - 1);
    const auto room =
        std::int64_t{largest.free} + config_.memory.normal.back().most - largest.total;
    t = later(next_by(from_store), room * config_.submits.of(1));
  } else {
    t = next_leave();
  }
  return later(t, inputs_[i].signal_latency);
}

void local_store::explain_signal(port_index i, sim_time beyond) {
  if (!config_.waits || i < from_buffers)
    return;
  const auto t = beyond - inputs_[i].signal_latency;
  if (!submitting_.empty() && leaves_at_ == never)
    need_step(from_local, t - config_.reads.of(1));
  if (submitting_.empty())
    need_input(from_store, t);
}

void local_store::tell(router_result& r) const {
  r.special = specials_;
  r.taken = taken_;
  r.waiting = fifo_.waiting();
  r.most_waiting = most_waiting_;
  r.longest_queue = longest_;
  r.waits = waited_;
  r.footprint = fifo_.footprint();
  r.most_footprint = fifo_.most_footprint();
  const auto pool = [&](std::string name, const elastic_fifo::pool_state& s) {
    r.pools.push_back(
        {std::move(name), s.total, s.total - s.free, s.most_total, s.grown, s.shrunk});
  };
  for (std::size_t size = 0; size < fifo_.sizes(); ++size)
    pool(std::to_string(config_.memory.normal[size].bytes) + " B", fifo_.normal_pool(size));
  pool("indirect", fifo_.indirect_pool());
}

component_counters local_store::snapshot(sim_time) const {
  auto c = with_coming(counters_, from_store + 1);
  for (std::size_t x = 0; x < submitting_.size(); ++x)
    c.held.add(submitting_[x].frame_bytes());
  fifo_.each_waiting([&](const packet& p) { c.held.add(p.frame_bytes()); });
  c.max_bytes = fifo_.most_footprint();
  return c;
}

}  // namespace sluice
