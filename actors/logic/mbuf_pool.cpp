#include "actors/logic/mbuf_pool.hpp"

#include <algorithm>

namespace sluice {

mbuf_pool::mbuf_pool(const config& c, std::size_t chains, std::size_t sockets)
    : config_{c},
      sockets_{sockets},
      chains_(chains),
      lists_(chains * sockets),
      next_{c.how == limits::dynamic ? c.measure : never} {
  for (auto& x : chains_)
    x.limit = x.lowest_limit = c.how == limits::none ? c.pool_bytes : c.limit_bytes;
}

mbuf_pool::verdict mbuf_pool::take(std::size_t whose, std::size_t socket, std::uint32_t bytes,
                                   sim_time at) {
  auto& c = chains_[whose];
  const auto size = clusters(bytes);
  ++c.packets;
  if (config_.how != limits::none && c.held != 0 && c.held + size > c.limit) {
    ++c.over_limit;
    return verdict::over_limit;
  }
  if (held_ + size > config_.pool_bytes) {
    ++c.exhausted;
    return verdict::exhausted;
  }
  if (free_ == none) {
    free_ = static_cast<std::uint32_t>(entries_.size());
    entries_.emplace_back();
  }
  const auto e = free_;
  free_ = entries_[e].next;
  entries_[e] = {at, size, none};
  auto& queue = on(whose, socket);
  (queue.first == none ? queue.first : entries_[queue.last].next) = e;
  queue.last = e;
  c.held += size;
  c.most_held = std::max(c.most_held, c.held);
  held_ += size;
  most_held_ = std::max(most_held_, held_);
  return verdict::taken;
}

void mbuf_pool::give_back(std::size_t whose, std::size_t socket) {
  auto& queue = on(whose, socket);
  const auto e = queue.first;
  queue.first = entries_[e].next;
  chains_[whose].held -= entries_[e].bytes;
  held_ -= entries_[e].bytes;
  entries_[e].next = free_;
  free_ = e;
}

void mbuf_pool::measure(sim_time until) {
  for (std::size_t c = 0; c < chains_.size(); ++c)
    measure_one(c, next_);
  next_ = later(next_, config_.measure);
  // All are empty and as they were at the begin: they stay so.
  if (held_ == 0 && lowered_ == 0 && next_ <= until)
    next_ = later(next_, ((until - next_) / config_.measure + 1) * config_.measure);
}

void mbuf_pool::measure_one(std::size_t c, sim_time at) {
  auto& x = chains_[c];
  if (x.held == 0 && x.limit == config_.limit_bytes)
    return;
  auto since = at;
  for (std::size_t s = 0; s < sockets_; ++s)
    if (const auto& queue = on(c, s); queue.first != none)
      since = std::min(since, entries_[queue.first].at);
  const auto age = at - since;
  x.oldest = std::max(x.oldest, age);
  if (age > config_.healthy) {
    x.healthy_in_a_row = 0;
    if (age <= config_.unhealthy || x.limit <= config_.least_bytes)
      return;
    lowered_ += x.limit == config_.limit_bytes;
    x.limit = std::max(config_.least_bytes, x.limit / 2);
    x.lowest_limit = std::min(x.lowest_limit, x.limit);
    ++x.lowered;
    return;
  }
  if (x.limit == config_.limit_bytes || ++x.healthy_in_a_row < config_.restore_after)
    return;
  x.healthy_in_a_row = 0;
  x.limit = std::min(config_.limit_bytes, 2 * x.limit);
  ++x.raised;
  lowered_ -= x.limit == config_.limit_bytes;
}

}  // namespace sluice
