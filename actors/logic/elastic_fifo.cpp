#include "actors/logic/elastic_fifo.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sluice {

elastic_fifo::elastic_fifo(config c) : config_{std::move(c)} {
  for (const auto& n : config_.normal)
    pools_.push_back({n, {}, {}, {}});
  pools_.push_back({config_.indirect, {}, {}, {}});
  for (std::size_t p = 0; p < pools_.size(); ++p)
    grow(p, pools_[p].config.least);
  for (auto& p : pools_)
    p.state.grown = 0;  // that was the beginning
  special_.resize(config_.special_types);
  for (unsigned i = 0; i < config_.connections; ++i)
    add_connection();
}

// -- connections ----------------------------------------------------------------------------------

unsigned elastic_fifo::add_connection() {
  ++active_;
  account(config_.queue_bytes);
  const auto vacant = std::find(gone_.begin(), gone_.end(), true);
  if (vacant != gone_.end()) {
    *vacant = false;
    return static_cast<unsigned>(vacant - gone_.begin());
  }
  numbered_.emplace_back();
  gone_.push_back(false);
  return static_cast<unsigned>(numbered_.size() - 1);
}

void elastic_fifo::remove_connection(unsigned c) {
  gone_[c] = true;
  --active_;
  account(-std::int64_t{config_.queue_bytes});
}

// -- the life of a packet -------------------------------------------------------------------------

std::optional<std::uint32_t> elastic_fifo::obtain(std::uint32_t bytes) {
  for (std::size_t p = 0; p + 1 < pools_.size(); ++p) {
    auto& pool = pools_[p];
    if (pool.config.bytes < bytes || (pool.free.size == 0 && !grow(p, pool.config.step)))
      continue;
    const auto r = pop(pool.free);
    --pool.state.free;
    normal_[r].use = 1;
    normal_[r].filling = true;
    return r;
  }
  return {};
}

void elastic_fifo::submit(std::uint32_t buffer, const packet& p, unsigned connection) {
  normal_[buffer].content = p;
  normal_[buffer].filling = false;
  push(numbered_[connection], buffer);
  ++waiting_;
}

void elastic_fifo::submit_special(std::uint32_t buffer, const packet& p, unsigned type) {
  normal_[buffer].content = p;
  normal_[buffer].filling = false;
  push(special_[type], buffer);
}

const packet* elastic_fifo::special(unsigned type) const {
  const auto r = special_[type].first;
  return r == none ? nullptr : &normal_[r].content;
}

void elastic_fifo::assign(unsigned type, unsigned connection) {
  push(numbered_[connection], pop(special_[type]));
  ++waiting_;
}

bool elastic_fifo::fan_out(unsigned type, std::span<const std::uint32_t> connections) {
  auto& pool = pools_.back();
  const auto n = static_cast<std::uint32_t>(connections.size());
  if (pool.state.free < n) {
    const auto lacking = n - pool.state.free, step = std::max(1u, pool.config.step);
    const auto steps = (lacking + step - 1) / step;
    if (!grow(pools_.size() - 1, steps * step) && !grow(pools_.size() - 1, lacking))
      return false;
  }
  const auto target = pop(special_[type]);
  normal_[target].use = n;
  waiting_ += n;
  for (const auto c : connections) {
    const auto r = pop(pool.free);
    --pool.state.free;
    auto& i = indirect_[index_of(r)];
    i.target = target;
    i.used = true;
    push(numbered_[c], r);
  }
  return true;
}

packet elastic_fifo::discard(unsigned type) {
  const auto r = pop(special_[type]);
  const auto p = normal_[r].content;
  give_back(normal_[r].pool, r);
  return p;
}

const packet* elastic_fifo::front(unsigned connection) const {
  const auto r = numbered_[connection].first;
  return r == none ? nullptr : &content_of(r);
}

packet elastic_fifo::take(unsigned connection) {
  const auto r = pop(numbered_[connection]);
  --waiting_;
  const auto p = content_of(r);
  if (!is_indirect(r)) {
    give_back(normal_[r].pool, r);
    return p;
  }
  const auto target = indirect_[index_of(r)].target;
  auto& n = normal_[target];
  if (n.use > 1)
    --n.use;
  else
    give_back(n.pool, target);
  give_back(pools_.size() - 1, r);
  return p;
}

// -- lists and pools ------------------------------------------------------------------------------

void elastic_fifo::push(list& q, reference r) {
  link(r, none);
  if (q.first == none)
    q.first = r;
  else
    link(q.last, r);
  q.last = r;
  ++q.size;
}

elastic_fifo::reference elastic_fifo::pop(list& q) {
  const auto r = q.first;
  q.first = next_of(r);
  if (q.first == none)
    q.last = none;
  --q.size;
  return r;
}

std::uint32_t elastic_fifo::bytes_of(std::size_t pool) const {
  return pools_[pool].config.bytes + (pool + 1 < pools_.size() ? config_.header_bytes : 0);
}

// Adds so many free buffers, or as many as there may be still. False: there may be none, or, of
// indirect ones, not so many.
bool elastic_fifo::grow(std::size_t p, std::uint32_t count) {
  auto& pool = pools_[p];
  const bool indirect = p + 1 == pools_.size();
  const auto room = pool.config.most - pool.state.total;
  if (count == 0 || room == 0 || (indirect && room < count))
    return false;
  count = std::min(count, room);
  for (std::uint32_t i = 0; i < count; ++i) {
    std::uint32_t at;
    if (!pool.vacant.empty()) {
      at = pool.vacant.back();
      pool.vacant.pop_back();
    } else if (indirect) {
      at = static_cast<std::uint32_t>(indirect_.size());
      indirect_.emplace_back();
    } else {
      at = static_cast<std::uint32_t>(normal_.size());
      normal_.emplace_back();
    }
    if (indirect) {
      indirect_[at].exists = true;
    } else {
      normal_[at].exists = true;
      normal_[at].pool = static_cast<std::uint8_t>(p);
    }
    push(pool.free, indirect ? at | indirect_bit : at);
  }
  pool.state.total += count;
  pool.state.free += count;
  pool.state.most_total = std::max(pool.state.most_total, pool.state.total);
  ++pool.state.grown;
  account(std::int64_t{count} * bytes_of(p));
  return true;
}

void elastic_fifo::give_back(std::size_t p, reference r) {
  auto& pool = pools_[p];
  if (is_indirect(r))
    indirect_[index_of(r)].used = false;
  else
    normal_[r].use = 0;
  push(pool.free, r);
  ++pool.state.free;
  shrink(p);
}

// With one step to spare after it, so that it does not come and go with each packet.
void elastic_fifo::shrink(std::size_t p) {
  auto& pool = pools_[p];
  const auto step = std::max(1u, pool.config.step);
  if (pool.state.free < 2 * step || pool.state.total < pool.config.least + step)
    return;
  for (std::uint32_t i = 0; i < step; ++i) {
    const auto r = pop(pool.free);
    pool.vacant.push_back(index_of(r));
    if (is_indirect(r))
      indirect_[index_of(r)].exists = false;
    else
      normal_[r].exists = false;
  }
  pool.state.total -= step;
  pool.state.free -= step;
  ++pool.state.shrunk;
  account(-std::int64_t{step} * bytes_of(p));
}

// -- invariants -----------------------------------------------------------------------------------

std::string elastic_fifo::check() const {
  std::vector<unsigned> on_queues(normal_.size()), pointed_at(normal_.size());
  std::vector<std::uint32_t> used(pools_.size()), exist(pools_.size());
  std::string wrong;
  const auto say = [&](std::string what) {
    if (wrong.empty())
      wrong = std::move(what);
  };
  const auto walk = [&](const list& q, const std::string& name) {
    std::uint32_t n = 0;
    for (auto r = q.first; r != none && n <= q.size; r = next_of(r), ++n) {
      if (!is_indirect(r)) {
        ++on_queues[r];
        continue;
      }
      const auto& i = indirect_[index_of(r)];
      ++used.back();
      ++pointed_at[i.target];
      if (!i.used || !i.exists)
        say(fmt::format("indirect buffer {} is free and on queue {}", index_of(r), name));
    }
    if (n != q.size)
      say(fmt::format("queue {} has {} buffers, and counts {}", name, n, q.size));
  };
  for (std::size_t t = 0; t < special_.size(); ++t)
    walk(special_[t], fmt::format("special {}", t));
  std::uint64_t sum = 0;
  for (std::size_t c = 0; c < numbered_.size(); ++c) {
    walk(numbered_[c], fmt::format("{}", c));
    sum += numbered_[c].size;
  }
  if (sum != waiting_)
    say(fmt::format("{} packets wait, and it counts {}", sum, waiting_));
  std::int64_t memory = std::int64_t{active_} * config_.queue_bytes;
  for (std::uint32_t b = 0; b < normal_.size(); ++b) {
    const auto& n = normal_[b];
    exist[n.pool] += n.exists ? 1 : 0;
    used[n.pool] += n.use != 0 ? 1 : 0;
    const auto expected = n.filling || on_queues[b] != 0 ? 1u : pointed_at[b];
    if (on_queues[b] > 1 || (on_queues[b] != 0 && pointed_at[b] != 0))
      say(fmt::format("normal buffer {} is on {} queues and the target of {}", b, on_queues[b],
                      pointed_at[b]));
    if (n.use != expected)
      say(fmt::format("normal buffer {} has use count {}, not {}", b, n.use, expected));
  }
  for (const auto& i : indirect_)
    exist.back() += i.exists ? 1 : 0;
  for (std::size_t p = 0; p < pools_.size(); ++p) {
    const auto& s = pools_[p].state;
    memory += std::int64_t{s.total} * bytes_of(p);
    if (s.free + used[p] != s.total || s.total != exist[p] || s.free != pools_[p].free.size)
      say(fmt::format("pool {}: {} free and {} used of {}, of which {} exist", p, s.free, used[p],
                      s.total, exist[p]));
    if (s.total < pools_[p].config.least || s.total > pools_[p].config.most)
      say(fmt::format("pool {} has {} buffers, not {} to {}", p, s.total, pools_[p].config.least,
                      pools_[p].config.most));
  }
  if (memory != footprint_)
    say(fmt::format("the footprint is {} B, not {}", memory, footprint_));
  return wrong;
}

}  // namespace sluice
