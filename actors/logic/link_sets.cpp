#include "actors/logic/link_sets.hpp"

#include <algorithm>

namespace sluice {

namespace {

constexpr std::uint32_t everybody = ~std::uint32_t{0};

}  // namespace

std::vector<outage> absences(const std::vector<outage>& down, sim_time down_delay,
                             sim_time up_delay) {
  std::vector<outage> away;
  for (const auto& o : down) {
    const auto back = later(o.to, up_delay);
    if (!away.empty() && o.from < away.back().to)
      away.back().to = back;  // gone again before it was back
    else if (const auto gone = later(o.from, down_delay); gone < o.to)
      away.push_back({gone, back});
  }
  return away;
}

bool link_sets::is_away(std::uint16_t port, sim_time at) const {
  const auto& all = away[port];
  if (all.empty())
    return false;
  const auto next = std::upper_bound(all.begin(), all.end(), at,
                                     [](sim_time t, const outage& o) { return t < o.from; });
  return next != all.begin() && at < std::prev(next)->to;
}

link_selector::link_selector(std::shared_ptr<const link_sets> sets, std::size_t first)
    : sets_{std::move(sets)},
      first_{first},
      flows_(64),
      next_(sets_->sets.size(), first),
      loads_(sets_->away.size()),
      counts_(sets_->sets.size()) {
  for (std::size_t s = 0; s < counts_.size(); ++s)
    counts_[s].sent.resize(sets_->sets[s].ports.size());
}

std::uint16_t link_selector::choose(std::uint16_t set, const packet& p, std::uint32_t hash) {
  seen_ = p.at;
  auto& counted = counts_[set];
  const auto& ports = sets_->sets[set].ports;
  const auto to = to_several(p) ? everybody : p.to;
  auto& f = find(p.flow, p.from, to, hash);
  if (f.place == link_sets::none || sets_->is_away(ports[f.place], p.at)) {
    const auto place = pick(set, p.at, hash);
    if (place == link_sets::none) {
      counted.lost.add(p.frame_bytes());
      return ports[f.place == link_sets::none ? 0 : f.place];
    }
    if (f.place == link_sets::none) {
      f = {p.flow, p.from, to, hash, place};
      ++counted.flows;
      ++known_;
    } else {
      f.place = place;
      ++counted.moved;
    }
  }
  const auto place = f.place;
  counted.sent[place].add(p.frame_bytes());
  if (sets_->choice == link_choice::least_loaded) {
    decay(p.at);
    loads_[ports[place]] += p.bytes;
  }
  if (2 * known_ > flows_.size())
    grow();
  return ports[place];
}

// Its slot, or the empty one where it belongs.
link_selector::flow& link_selector::find(std::uint32_t entry, std::uint32_t from, std::uint32_t to,
                                         std::uint32_t hash) {
  const auto mask = flows_.size() - 1;
  for (std::size_t i = hash & mask;; i = (i + 1) & mask) {
    auto& f = flows_[i];
    if (f.place == link_sets::none || (f.to == to && f.from == from && f.entry == entry))
      return f;
  }
}

void link_selector::grow() {
  std::vector<flow> old(2 * flows_.size());
  old.swap(flows_);
  for (const auto& f : old)
    if (f.place != link_sets::none)
      find(f.entry, f.from, f.to, f.hash) = f;
}

std::uint16_t link_selector::pick(std::uint16_t set, sim_time at, std::uint32_t hash) {
  const auto& ports = sets_->sets[set].ports;
  const auto n = ports.size();
  const auto away = [&](std::size_t place) { return sets_->is_away(ports[place], at); };
  switch (sets_->choice) {
    case link_choice::hash: {
      std::size_t there = 0;
      for (std::size_t i = 0; i < n; ++i)
        there += away(i) ? 0 : 1;
      if (there == 0)
        return link_sets::none;
      auto left = hash % there;
      for (std::size_t i = 0;; ++i)
        if (!away(i) && left-- == 0)
          return static_cast<std::uint16_t>(i);
    }
    case link_choice::round_robin:
      for (std::size_t i = 0; i < n; ++i)
        if (const auto place = (next_[set] + i) % n; !away(place)) {
          next_[set] = place + 1;
          return static_cast<std::uint16_t>(place);
        }
      return link_sets::none;
    case link_choice::least_loaded: {
      decay(at);
      auto best = link_sets::none;
      for (std::size_t i = 0; i < n; ++i)
        if (const auto place = (first_ + i) % n;
            !away(place) && (best == link_sets::none || loads_[ports[place]] < loads_[ports[best]]))
          best = static_cast<std::uint16_t>(place);
      return best;
    }
  }
  return link_sets::none;
}

void link_selector::decay(sim_time at) {
  const auto window = at / sets_->load_window;
  if (window == decayed_)
    return;
  const auto halvings = window - decayed_;
  decayed_ = window;
  for (auto& load : loads_)
    load = halvings > 63 ? 0 : load >> halvings;
}

}  // namespace sluice
