#include "topology/network.hpp"

#include <algorithm>
#include <map>

#include "actors/control/controller.hpp"
#include "actors/credits/credit_receiver.hpp"
#include "actors/credits/credit_sender.hpp"
#include "actors/fabric/cable.hpp"
#include "actors/guest/consumer.hpp"
#include "actors/guest/mbuf_sockets.hpp"
#include "actors/guest/producer.hpp"
#include "actors/queue/port_queue.hpp"
#include "actors/router/allocator.hpp"
#include "actors/router/assist_engine.hpp"
#include "actors/router/local_engine.hpp"
#include "actors/router/local_store.hpp"
#include "actors/switching/forwarding_engine.hpp"
#include "actors/switching/ingress_port.hpp"
#include "actors/switching/virtual_switch.hpp"
#include "topology/blocked_by.hpp"
#include "topology/network_builder.hpp"

namespace sluice {

network::network(const scenario& s, bool changeable) {
  network_builder{s, *this, changeable}.build();
}

network::~network() = default;

void network::change(const scenario& s, std::size_t event) {
  levers_.begin(s, event);
  const auto& e = s.events[event];
  if (e.what != timed_event::kind::inject_pause)
    return;
  const auto& lever = levers_.sender_of(e);
  const auto shown = lever.own_priorities
                     | (e.inject.whole_link ? lever.all_priorities : unsigned{e.inject.priorities});
  auto& way = pause_ways_[lever.pause_way];
  way.priorities |= static_cast<std::uint8_t>(shown);
  for (unsigned p = 0; p < max_priorities; ++p)
    stoppables_[lever.first_stoppable + p].shown |= (shown >> p & 1) != 0;
}

void network::finish(sim_time now) {
  for (auto& c : components_)
    c->finish(now);
}

run_results network::gather(sim_time now) const {
  run_results r;
  r.virtual_time = now;
  r.replays = replays_;
  r.flows.resize(flows_.size());
  for (std::size_t i = 0; i < flows_.size(); ++i)
    r.flows[i].name = flows_[i];

  r.components.reserve(components_.size() + cables_.size());
  const auto add = [&](const std::string& name, std::string_view kind, const std::string& node,
                       component_counters counters) {
    r.made += counters.made;
    r.delivered += counters.consumed;
    r.dropped += counters.dropped_total();
    r.held += counters.held;
    for (std::size_t f = 0; f < counters.dropped_of_flow.size(); ++f)
      r.flows[f].dropped += counters.dropped_of_flow[f];
    for (std::size_t f = 0; f < counters.copied_of_flow.size(); ++f)
      r.flows[f].made += counters.copied_of_flow[f];
    r.components.push_back({name, std::string{kind}, node, std::move(counters)});
  };
  for (const auto& c : components_) {
    c->report(now,
              [&](const std::string& name, std::string_view kind, component_counters counters) {
                add(name, kind, c->node(), std::move(counters));
              });
  }
  r.packet_hops = packet_hops();
  for (const auto& c : cables_)
    add(c->name(), "link", "", c->counters());
  for (auto p : producers_)
    for (const auto& f : p->made(now))
      r.flows[f.flow].made += f.made;
  fingerprint whole;
  for (auto c : consumers_) {
    whole.combine(c->fingerprint());
    r.last_delivery = std::max(r.last_delivery, c->last_delivery());
    const auto& flows = c->flows();
    for (std::size_t f = 0; f < flows.size(); ++f) {
      r.flows[f].delivered += flows[f].delivered;
      r.flows[f].latency.merge(flows[f].latency);
      r.flows[f].reordered += flows[f].reordered;
      r.flows[f].marked += flows[f].marked;
      r.flows[f].completed = std::max(r.flows[f].completed, flows[f].last);
    }
  }
  r.fingerprint = whole.value();

  for (const auto& s : stoppables_) {
    if (!s.shown)
      continue;
    pause_result p;
    p.on = s.name;
    p.held = s.held.empty() ? s.sender->name() : s.held;
    p.priority = s.priority;
    const auto own = s.owner->stops_at(s.input, static_cast<unsigned>(s.priority));
    p.closest = own.closest;
    if (s.priority >= 0) {
      const auto had = s.sender->pauses_had(now).priorities[static_cast<unsigned>(s.priority)];
      p.sent = s.credits || s.looks ? had.transitions : own.stops;
      p.received = had.transitions;
      p.paused = had.time;
    } else {
      const auto held = s.sender->held_by(s.output, now);
      p.sent = s.looks ? held.stops : own.stops;
      p.received = held.stops;
      p.paused = held.time;
    }
    r.pauses.push_back(std::move(p));
  }
  for (const auto& w : pause_ways_)
    if (w.priorities != 0)
      r.pause_frames.push_back({w.from_port, w.to_port, w.priorities, w.from->pauses_sent(),
                                w.to->pauses_had(now), w.credits});
  if (controller_ != nullptr) {
    r.commands = controller_->commands_sent();
    for (auto& p : controller_->state(now))
      r.ports.push_back(
          {std::move(p.name), p.stops, p.starts, p.stopped_for, p.stopped != 0, p.ordered});
  }
  for (const auto* p : regulated_) {
    const auto rate = p->rate(now);
    r.rates.push_back({p->name(), rate.notifications(), rate.lowest_bps(), rate.bps()});
  }
  for (const auto& x : routers_) {
    auto& own = r.routers.emplace_back();
    own.host = x.host;
    x.allocates->tell(own);
    x.keeps->tell(own);
    x.assists->tell(own);
    x.empties->tell(own, now);
  }
  for (const auto& x : credit_lists_) {
    credit_counts counts;
    x.receiver->tell(x.here, counts);
    x.sender->tell(x.there, counts, now);
    r.credit_lists.push_back({x.flow, x.from, x.to, counts});
  }
  for (const auto& x : listed_) {
    credit_counts counts;
    x.queue->tell(counts);
    counts.stalled = x.sender->held_by(x.output, now).time;
    r.credit_lists.push_back({{}, x.sender->name(), x.queue->name(), counts});
  }
  for (const auto* x : mbufs_)
    r.mbufs.push_back(x->tell(now));
  for (const auto* q : read_by_dma_) {
    const auto& d = *q->dma();
    r.dma.push_back({q->name(), d.packets, d.operations, d.fetches, d.bytes_down, d.bytes_up});
  }
  for (const auto& a : aggregations_)
    r.aggregations.push_back(result_of(a, now));
  find_blame(r, now);
  return r;
}

aggregation_result network::result_of(const aggregation& a, sim_time now) {
  aggregation_result r;
  r.node = a.node;
  for (const auto& [number, queue] : a.ports) {
    auto& port = r.ports.emplace_back();
    port.name = queue->name();
    for (const auto& x : a.sets->away[number]) {
      port.leaves += x.from <= now;
      port.returns += x.to <= now;
    }
    const auto c = queue->snapshot(now);
    for (unsigned p = 0; p < max_priorities; ++p)
      port.purged += c.dropped.of(drop_reason::link_down, p);
  }
  for (std::size_t s = 0; s < a.sets->sets.size(); ++s) {
    const auto& set = a.sets->sets[s];
    auto& x = r.partitions.emplace_back();
    x.name = set.name;
    x.sent.resize(a.ports.size());
    x.in_set.resize(a.ports.size());
    for (std::size_t i = 0; i < set.ports.size(); ++i) {
      const auto at = static_cast<std::size_t>(
          std::find_if(a.ports.begin(), a.ports.end(),
                       [&](const auto& p) { return p.first == set.ports[i]; })
          - a.ports.begin());
      x.in_set[at] = true;
      for (const auto* in : a.inputs) {
        const auto& sent = in->selects()->counted(s).sent[i];
        x.sent[at] += tally{sent.packets, sent.bytes};
      }
    }
    for (const auto* in : a.inputs) {
      const auto& own = in->selects()->counted(s);
      x.flows += own.flows;
      x.moves += own.moved;
      x.lost += tally{own.lost.packets, own.lost.bytes};
    }
  }
  return r;
}

std::uint64_t network::packet_hops() const {
  std::uint64_t sum = 0;
  for (const auto& c : components_)
    sum += c->packet_hops();
  return sum;
}

sim_time network::next_work() const {
  auto t = never;
  for (const auto& c : components_)
    t = std::min(t, c->next_work());
  return t;
}

std::optional<deadlock_result> network::find_deadlock() const {
  // Since when the sender of a hop waits, and when it can go on: when no more than so much is left
  // at the receiver.
  const auto since = [](const switch_hop& h) {
    return h.queue != nullptr ? h.queue->waits(h.priority).since
                              : h.to->stopping_since(h.ingress, h.priority);
  };
  const auto enough = [](const switch_hop& h) {
    if (h.queue == nullptr)
      return h.to->start_bytes(h.ingress, h.priority);
    const auto wanted = std::int64_t{ib_blocks(h.queue->waits(h.priority).bytes)} * ib_block_bytes;
    return h.to->capacity(h.ingress, h.priority) - wanted;
  };
  std::vector<const switch_hop*> stuck;
  for (const auto& h : switch_hops_)
    if (since(h) < never)
      stuck.push_back(&h);
  // Whoever is left waits only for others who are left.
  const auto waits_for = [&](const switch_hop& a, const switch_hop& b) {
    return a.to == b.from && a.priority == b.priority
           && a.to->accounted(a.ingress, b.egress, a.priority) > 0;
  };
  for (std::size_t before = stuck.size() + 1; stuck.size() < before;) {
    before = stuck.size();
    std::erase_if(stuck, [&](const auto* h) {
      std::int64_t held = 0;
      for (const auto* next : stuck)
        if (waits_for(*h, *next))
          held += h->to->accounted(h->ingress, next->egress, h->priority);
      return held <= enough(*h);
    });
  }
  if (stuck.empty())
    return {};
  // Of them a circle: from anyone on, to whom it waits for, until one comes again.
  std::vector<const switch_hop*> way{stuck.front()};
  for (;;) {
    const auto next = std::find_if(stuck.begin(), stuck.end(),
                                   [&](const auto* h) { return waits_for(*way.back(), *h); });
    const auto again = std::find(way.begin(), way.end(), *next);
    if (again != way.end()) {
      way.erase(way.begin(), again);
      break;
    }
    way.push_back(*next);
  }
  deadlock_result d;
  for (const auto* h : way) {
    d.since = std::max(d.since, since(*h));
    d.links.push_back(h->name);
  }
  return d;
}

void network::find_blame(run_results& r, sim_time now) const {
  std::vector<held_edge> edges;
  auto pause = r.pauses.begin();
  for (const auto& s : stoppables_)
    if (s.shown) {
      if (pause->paused > 0)
        edges.push_back({s.sender->name(), s.blame.empty() ? s.name : s.blame, pause->paused});
      ++pause;
    }
  for (const auto& s : switching_)
    for (std::size_t i = 0; i < s.inputs.size(); ++i)
      for (std::size_t k = 0; k < s.outputs.size(); ++k)
        if (const auto held = s.vswitch != nullptr ? s.vswitch->blocked(i, k, now)
                                                   : s.engine->stopped_for(i, k, now);
            held > 0)
          edges.push_back({s.inputs[i], s.outputs[k], held});
  const blame who{edges};
  // What comes after the last packet of a run that is done is not of interest.
  const auto ran = r.held.packets == 0 ? std::min(now, r.last_delivery) : now;
  std::vector<std::map<std::string, double>> roots(r.flows.size());
  std::vector<std::size_t> senders(r.flows.size());
  for (const auto& e : entries_) {
    const auto& most =
        *std::max_element(e.way.begin(), e.way.end(),
                          [&](const auto& a, const auto& b) { return who.held(a) < who.held(b); });
    const auto found = who.roots(most);
    for (const auto& f : e.source->made(now)) {
      ++senders[f.flow];
      for (const auto& [component, time] : found)
        roots[f.flow][component] += time;
    }
  }
  for (std::size_t f = 0; f < r.flows.size(); ++f)
    r.flows[f].blocked_by = shares_of(roots[f], ran, senders[f]);
}

}  // namespace sluice
