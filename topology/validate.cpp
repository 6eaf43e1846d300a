#include "topology/validate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "actors/logic/pfc_headroom.hpp"
#include "topology/routing.hpp"
#include "topology/thresholds.hpp"

namespace sluice {

namespace {

/// Ethernet header and one tag on top of the IP packet.
constexpr std::uint32_t frame_overhead = 18;
/// What the builder adds to each latency for the way from a port into its queue.
constexpr sim_time hand_over = nanosecond;
/// Beyond it a list of links helps nobody.
constexpr std::size_t shown_links = 8;

std::string show_bytes(std::int64_t bytes) {
  if (bytes >= 10 * 1024 * 1024)
    return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / (1024 * 1024));
  if (bytes >= 10 * 1024)
    return fmt::format("{:.1f} KiB", static_cast<double>(bytes) / 1024);
  return fmt::format("{} B", bytes);
}

class validator {
public:
  explicit validator(const scenario& s) : s_{s}, routes_{s} {
    for (std::size_t n = 0; n < s.nodes.size(); ++n)
      index_.emplace(s.nodes[n].name, n);
  }

  diagnostics_list run() {
    for (std::size_t n = 0; n < s_.nodes.size(); ++n) {
      const auto& node = s_.nodes[n];
      if (const auto* h = std::get_if<host_settings>(&node.as))
        host(n, *h);
      else if (const auto* sw = std::get_if<switch_settings>(&node.as))
        physical_switch(n, *sw);
      else if (const auto* sink = std::get_if<sink_settings>(&node.as))
        line_side(n, node.name, "buffer", sink->buffer_bytes);
    }
    report_queues();
    cycles();
    return std::move(found_);
  }

private:
  void warn(const source_mark& where, std::string message, std::string hint) {
    found_.push_back(
        {where, 1, std::move(message), std::move(hint), diagnostic::severity::warning});
  }

  /// About a queue. A thousand equal hosts make one warning, which names the first.
  void warn_queue(const source_mark& where, std::string_view what, const std::string& owner,
                  std::string problem, std::string hint) {
    auto key = fmt::format("{} {}", what, problem);
    const auto [group, fresh] = groups_.emplace(std::move(key), groups_.size());
    if (fresh)
      queues_.push_back({where, std::string{what}, owner, std::move(problem), std::move(hint), 0});
    else
      ++queues_[group->second].others;
  }

  void report_queues() {
    for (auto& q : queues_)
      warn(q.where,
           fmt::format("{} of `{}`{} {}", q.what, q.owner,
                       q.others == 0   ? ""
                       : q.others == 1 ? " (and of one other)"
                                       : fmt::format(" (and of {} others)", q.others),
                       q.problem),
           std::move(q.hint));
  }

  /// One queue: `what` of `owner`, fed at `rate` over `latency` with frames of up to `frame` bytes.
  void queue(const node& n, const std::string& owner, std::string_view what, std::int64_t capacity,
             hop_policy policy, std::uint64_t rate, sim_time latency, std::uint32_t frame) {
    if (capacity < frame) {
      warn_queue(n.where, what, owner,
                 fmt::format("holds {} bytes, less than one frame of {}", capacity, frame),
                 "no such frame will ever pass");
      return;
    }
    if (policy == hop_policy::pfc)
      return;  // see pfc_port
    if (policy != hop_policy::on_off)
      return;
    const auto& on_off = n.flow_control.on_off;
    const auto need = headroom_bytes(rate, latency + hand_over, frame);
    const auto& where = on_off.where.line > 0 ? on_off.where : n.where;
    if (!on_off.stop) {
      if (capacity - need < frame)
        warn_queue(n.where, what, owner,
                   fmt::format("holds {}, and {} may still arrive after it says stop",
                               show_bytes(capacity), show_bytes(need)),
                   "make the buffer larger, or the line slower or shorter");
      return;
    }
    if (on_off.stop->in != queue_limit::unit::bytes)
      return;
    const auto stop = on_off.stop->amount;
    if (stop >= capacity)
      warn_queue(where, what, owner,
                 fmt::format("holds {}: it is full before it says stop at {}", show_bytes(capacity),
                             show_bytes(stop)),
                 "lower `stop`, or make the buffer larger");
    else if (capacity - stop < need)
      warn_queue(where, what, owner,
                 fmt::format("has {} of head-room above `stop`, and {} may still arrive",
                             show_bytes(capacity - stop), show_bytes(need)),
                 capacity > need
                     ? fmt::format("`stop` of at most {}B loses nothing", capacity - need)
                     : "make the buffer larger, or the line slower or shorter");
  }

  const link* line_of(std::size_t n) const {
    return routes_.ports(n).empty() ? nullptr : &s_.links[routes_.ports(n)[0].link];
  }

  void line_side(std::size_t n, const std::string& owner, std::string_view what,
                 std::int64_t capacity) {
    if (const auto* l = line_of(n))
      port(n, owner, what, capacity, *l);
  }

  /// What node `n` has behind a link.
  void port(std::size_t n, const std::string& owner, std::string_view what, std::int64_t capacity,
            const link& l) {
    queue(s_.nodes[n], owner, what, capacity, line_policy(l), l.rate_bps, l.delay,
          l.mtu + frame_overhead);
    if (line_policy(l) == hop_policy::pfc)
      pfc_port(n, owner, what, capacity, l);
    else if (line_policy(l) == hop_policy::ib_credit)
      credit_port(n, owner, what, capacity, l);
    else if (!l.flow_control
             && s_.nodes[index_.at(l.a.node)].flow_control.fabric
                    != s_.nodes[index_.at(l.b.node)].flow_control.fabric
             && mixed_.insert(&l).second)
      mixed(l);
  }

  /// One end wants this and the other that: nobody speaks.
  void mixed(const link& l) {
    const auto of = [&](const std::string& name) {
      return s_.nodes[index_.at(name)].flow_control.fabric;
    };
    if (of(l.a.node) == hop_policy::none || of(l.b.node) == hop_policy::none)
      return;
    warn_queue(l.where, "link", l.a.node + " -- " + l.b.node,
               "has another flow control at each end, so it has none",
               "give both nodes the same `nic-fabric`");
  }

  /// The parts of a port's buffer with PFC.
  void pfc_port(std::size_t n, const std::string& owner, std::string_view what,
                std::int64_t capacity, const link& l) {
    const auto& node = s_.nodes[n];
    if (const auto* sink = std::get_if<sink_settings>(&node.as);
        sink != nullptr && sink->drain_bps == 0)
      return;  // takes everything as it comes, and has no queue
    const auto& own = node.flow_control.pfc;
    const auto& peer = node_named(node.name == l.b.node ? l.a : l.b).flow_control.pfc;
    const auto& where = own.where.line > 0 ? own.where : node.where;
    const auto frame = l.mtu + frame_overhead;
    const hop_facts hop{line_rate{l.rate_bps}, l.delay + hand_over, l.delay + hand_over, frame,
                        ethernet_overhead_bytes};
    const auto response = pfc_response(peer, l.rate_bps);
    const auto need = pfc_headroom_for(hop, response);
    const auto parts = pfc_gates_for(capacity, own, true, hop, response);
    const auto has =
        parts.parts.empty() ? need : parts.parts[0].capacity.bytes - parts.parts[0].stop.bytes;
    if (has < need)
      warn_queue(where, what, owner,
                 fmt::format("has {} of head-room above `xoff` for a priority, and {} may still "
                             "arrive",
                             show_bytes(std::max<std::int64_t>(0, has)), show_bytes(need)),
                 own.headroom && *own.headroom < need
                     ? fmt::format("`headroom: {}B` loses nothing, as does `auto`", need)
                     : "make the buffer larger, `xoff` smaller, or the line slower or shorter");
    const auto lasts = quanta_time(own.quanta, l.rate_bps);
    // What a refresh may have to wait for: a frame on the line, and the frame itself.
    const auto late = line_rate{l.rate_bps}.time_of(frame + ethernet_overhead_bytes
                                                    + static_cast<std::uint64_t>(pfc_line_bytes));
    if (pfc_refresh(own, l.rate_bps) + late > lasts)
      warn_queue(where, what, owner,
                 "repeats a pause later than it lasts, so its sender goes on in between",
                 "make `refresh` shorter, or `quanta` more");
    if (own.priorities != peer.priorities)
      warn_queue(where, what, owner, "has other lossless priorities than its peer",
                 "a pause of a priority that the peer does not have is ignored there");
  }

  /// A port that gives credits: whether one lane alone can fill the line.
  void credit_port(std::size_t n, const std::string& owner, std::string_view what,
                   std::int64_t capacity, const link& l) {
    const auto& node = s_.nodes[n];
    if (const auto* sink = std::get_if<sink_settings>(&node.as);
        sink != nullptr && sink->drain_bps == 0)
      return;  // takes everything as it comes
    const auto& own = node.flow_control.ib;
    const auto frame = l.mtu + frame_overhead;
    const line_rate rate{l.rate_bps};
    unsigned lanes = 0;  // that the run uses
    const auto with_credits =
        ib_lanes(own, node_named(node.name == l.b.node ? l.a : l.b).flow_control.ib);
    for (const auto& t : s_.traffic)
      for (const auto p : priorities_of(t))
        lanes |= with_credits & 1u << p;
    if (lanes == 0)
      return;
    const auto room = ib_gates_for(capacity, own, lanes, false, frame).parts[0].capacity.bytes;
    // A frame arrives, leaves, is noticed, and the flow packet may wait for a frame the other way.
    const auto round = 2 * (l.delay + hand_over) + ib_update(own, room, l.rate_bps)
                       + 2 * rate.time_of(frame + ethernet_overhead_bytes);
    const auto need = static_cast<std::int64_t>(static_cast<uint128>(round) * l.rate_bps
                                                / (8 * static_cast<uint128>(second)))
                      + frame;
    if (room < need)
      warn_queue(own.where.line > 0 ? own.where : node.where, what, owner,
                 fmt::format("gives a lane credits for {}, and {} are under way when it fills the "
                             "line",
                             show_bytes(room), show_bytes(need)),
                 "make `credits` or the buffer larger, or `update` or the cable shorter");
  }

  void host(std::size_t n, const host_settings& h) {
    const auto& node = s_.nodes[n];
    const auto* l = line_of(n);
    const auto frame = (l != nullptr ? l->mtu : 1500) + frame_overhead;
    const auto& flow = node.flow_control;
    line_side(n, node.name, "NIC rx-buffer", h.nic.rx_buffer_bytes);
    // In a host senders look before they send: no head-room is needed.
    const auto inside = [&](const std::string& owner, std::string_view what, std::int64_t capacity,
                            hop_policy policy) {
      if (policy == hop_policy::none)
        queue(node, owner, what, capacity, policy, 0, 0, frame);
    };
    const auto bytes = [](const queue_limit& q) {
      return q.in == queue_limit::unit::bytes ? q.amount : INT64_MAX;
    };
    if (l != nullptr) {
      inside(node.name, "NIC tx-buffer", h.nic.tx_buffer_bytes, flow.nic);
      inside(node.name, "bridge queue", bytes(h.bridge.queue), flow.bridge);
    }
    if (!h.vms.empty())
      inside(node.name, "hypervisor queue", bytes(h.hypervisor.queue), flow.hypervisor);
    inside(node.name, "vswitch port-queue", h.vswitch.port_queue_bytes, flow.vswitch);
    // One warning for all VMs of the same kind: a host may have hundreds.
    std::set<std::array<std::int64_t, 4>> seen;
    for (const auto& vm : h.vms) {
      const auto qdisc = vm.qdisc ? bytes(*vm.qdisc) : INT64_MAX;
      // All clusters that there are; what is left of the pool besides is no mbuf.
      const auto& m = vm.mbufs;
      const auto mbufs = m ? m->pool_bytes - m->pool_bytes % m->cluster_bytes : INT64_MAX;
      if (!seen.insert({vm.socket_buffer_bytes, qdisc, bytes(vm.vnic_ring), mbufs}).second)
        continue;
      const auto owner = node.name + "/" + vm.name;
      // Whatever the flow control is.
      inside(owner, "pool of mbufs", mbufs, hop_policy::none);
      inside(owner, "socket-buffer", vm.socket_buffer_bytes, flow.guest_rx);
      for (const auto& s : vm.sockets)
        inside(owner, "socket " + s.name, s.buffer_bytes, flow.guest_rx);
      inside(owner, "qdisc", qdisc, flow.qdisc);
      inside(owner, "vnic-ring", bytes(vm.vnic_ring), std::min(flow.guest_tx, flow.vnic_rx));
    }
  }

  void physical_switch(std::size_t n, const switch_settings& sw) {
    const auto ports = routes_.ports(n);
    if (ports.empty())
      return;
    const auto capacity =
        sw.port_queue_bytes.value_or(sw.buffer_bytes / static_cast<std::int64_t>(ports.size()));
    for (const auto& p : ports) {
      const auto& l = s_.links[p.link];
      port(n, s_.nodes[n].name + ":" + (p.at_a ? l.a : l.b).port, "port-queue", capacity, l);
    }
  }

  // -- cycles ---------------------------------------------------------------------------------

  const node& node_named(const link::end& end) const { return s_.nodes[index_.at(end.node)]; }

  bool is_switch(std::size_t n) const {
    return std::holds_alternative<switch_settings>(s_.nodes[n].as);
  }

  // As the builder has it: a hop is regulated if both of its ends want it.
  hop_policy line_policy(const link& l) const {
    return policy_of(l, node_named(l.a), node_named(l.b));
  }

  /// Whether packets of the priority can be stopped there.
  bool lossless(std::size_t node, std::size_t port, unsigned priority) const {
    const auto& l = s_.links[routes_.ports(node)[port].link];
    return (stoppable_priorities(l, node_named(l.a), node_named(l.b)) >> priority & 1) != 0;
  }

  /// A directed use of a link between switches: by the link, whether it goes b to a, and with PFC
  /// or credits the priority, since each waits for itself.
  std::uint32_t channel(std::size_t node, std::size_t port, unsigned priority) const {
    const auto& p = routes_.ports(node)[port];
    const auto own = line_policy(s_.links[p.link]) != hop_policy::on_off ? priority : 0;
    return (2 * p.link + (p.at_a ? 0 : 1)) * max_priorities + own;
  }

  /// The switch that a node's traffic enters the fabric at; SIZE_MAX: none.
  std::size_t entry(std::size_t n) const {
    if (is_switch(n))
      return n;
    const auto ports = routes_.ports(n);
    return ports.empty() || !is_switch(ports[0].peer) ? SIZE_MAX : ports[0].peer;
  }

  // That its packets can have.
  std::set<unsigned> priorities_of(const traffic_entry& t) const {
    std::set<unsigned> all;
    if (t.classified)
      for (const auto& n : s_.nodes)
        if (n.classify) {
          all.insert(n.classify->otherwise);
          all.insert(n.classify->pcp.begin(), n.classify->pcp.end());
          for (const auto p : n.classify->dscp)
            if (p >= 0)
              all.insert(static_cast<unsigned>(p));
        }
    if (all.empty())
      all.insert(t.priority);
    return all;
  }

  void cycles() {
    // Who sends to whom, by the switches they hang on: that is what decides the paths.
    const auto at = [&](const std::string& endpoint) {
      const auto node = index_.find(std::string_view{endpoint}.substr(0, endpoint.find('/')));
      return node == index_.end() ? SIZE_MAX : entry(node->second);
    };
    // By destination switch and priority.
    std::map<std::pair<std::size_t, unsigned>, std::set<std::size_t>> sources;
    for (const auto& t : s_.traffic) {
      std::set<std::size_t> from, to;
      for (const auto& e : t.from)
        from.insert(at(e));
      for (const auto& e : t.to)
        to.insert(at(e));
      if (const auto* r = std::get_if<replay_settings>(&t.what))
        for (const auto& m : r->map) {
          from.insert(at(m.endpoint));
          to.insert(at(m.endpoint));
        }
      from.erase(SIZE_MAX);
      to.erase(SIZE_MAX);
      for (const auto destination : to)
        for (const auto priority : priorities_of(t))
          sources[{destination, priority}].insert(from.begin(), from.end());
    }

    for (const auto& [whose, from] : sources) {
      const auto [destination, priority] = whose;
      std::vector<bool> seen(s_.nodes.size());
      std::vector<std::size_t> queue;
      for (const auto n : from)
        if (n != destination && !seen[n]) {
          seen[n] = true;
          queue.push_back(n);
        }
      for (std::size_t head = 0; head < queue.size(); ++head) {
        const auto u = queue[head];
        for (const auto p : routes_.next_ports(u, destination)) {
          const auto v = routes_.ports(u)[p].peer;
          if (!seen[v] && v != destination) {
            seen[v] = true;
            queue.push_back(v);
          }
          // Only a buffer that can stop its sender makes anybody wait.
          if (v == destination || !lossless(u, p, priority))
            continue;
          for (const auto q : routes_.next_ports(v, destination))
            if (lossless(v, q, priority))
              edges_[channel(u, p, priority)].insert(channel(v, q, priority));
        }
      }
    }
    find_cycle();
  }

  // Depth first without recursion: a path through the fabric may be long.
  void find_cycle() {
    enum class colour : std::uint8_t { white, grey, black };
    std::unordered_map<std::uint32_t, colour> colours;
    struct frame {
      std::uint32_t channel;
      std::set<std::uint32_t>::const_iterator next, end;
    };
    static const std::set<std::uint32_t> none;
    const auto edges = [&](std::uint32_t c) -> const std::set<std::uint32_t>& {
      const auto e = edges_.find(c);
      return e == edges_.end() ? none : e->second;
    };
    for (const auto& [start, ignored] : edges_) {
      if (colours[start] != colour::white)
        continue;
      std::vector<frame> path{{start, edges(start).begin(), edges(start).end()}};
      colours[start] = colour::grey;
      while (!path.empty()) {
        auto& top = path.back();
        if (top.next == top.end) {
          colours[top.channel] = colour::black;
          path.pop_back();
          continue;
        }
        const auto c = *top.next++;
        if (colours[c] == colour::grey) {
          std::vector<std::uint32_t> cycle;
          auto first = path.begin();
          while (first->channel != c)
            ++first;
          for (; first != path.end(); ++first)
            cycle.push_back(first->channel);
          report(cycle);
          return;  // one cycle explains; the others share its links more often than not
        }
        if (colours[c] == colour::white) {
          colours[c] = colour::grey;
          path.push_back({c, edges(c).begin(), edges(c).end()});
        }
      }
    }
  }

  void report(const std::vector<std::uint32_t>& cycle) {
    std::string names;
    for (std::size_t i = 0; i < cycle.size() && i < shown_links; ++i) {
      const auto way = cycle[i] / max_priorities;
      const auto& l = s_.links[way / 2];
      const auto& from = way % 2 == 0 ? l.a : l.b;
      const auto& to = way % 2 == 0 ? l.b : l.a;
      names += fmt::format("{}{}:{} -> {}:{}", i == 0 ? "" : ", ", from.node, from.port, to.node,
                           to.port);
    }
    if (cycle.size() > shown_links)
      names += fmt::format(", and {} more", cycle.size() - shown_links);
    warn(s_.links[cycle[0] / max_priorities / 2].where,
         fmt::format("lossless links can wait for each other in a circle: {}", names),
         "a deadlock is possible; `expect: [no-deadlock: 5ms]` tells whether it happens");
  }

  const scenario& s_;
  routes routes_;
  std::unordered_map<std::string_view, std::size_t> index_;
  diagnostics_list found_;
  struct queue_warning {
    source_mark where;
    std::string what, owner, problem, hint;
    std::size_t others;
  };
  std::vector<queue_warning> queues_;
  std::set<const link*> mixed_;
  std::map<std::string, std::size_t> groups_;
  std::map<std::uint32_t, std::set<std::uint32_t>> edges_;
};

}  // namespace

std::int64_t headroom_bytes(std::uint64_t rate_bps, sim_time latency, std::uint32_t frame_bytes) {
  return headroom_for({line_rate{rate_bps}, latency, latency, frame_bytes, 0}).bytes;
}

diagnostics_list validate(const scenario& s) {
  return validator{s}.run();
}

}  // namespace sluice
