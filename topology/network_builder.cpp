#include "topology/network_builder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <set>

#include "actors/fabric/cable.hpp"
#include "actors/fabric/pause_port.hpp"
#include "actors/guest/consumer.hpp"
#include "actors/guest/producer.hpp"
#include "topology/builder_parts.hpp"
#include "traffic/generator.hpp"
#include "traffic/random.hpp"
#include "traffic/vxlan.hpp"

namespace sluice {

namespace {

// Of each lane, which have the same.
std::int64_t lane_room(const class_gates::config& room) {
  return room.parts.empty() ? 0 : room.parts.front().capacity.bytes;
}

// By lane.
std::array<std::uint16_t, pause_classes> granted_blocks(const class_gates::config& room) {
  std::array<std::uint16_t, pause_classes> blocks{};
  for (unsigned lane = 0; lane < pause_classes; ++lane)
    if ((room.own >> lane & 1) != 0)
      blocks[lane] = static_cast<std::uint16_t>(room.of(lane).capacity.bytes / ib_block_bytes);
  return blocks;
}

}  // namespace

network_builder::network_builder(const scenario& s, network& n, bool changeable)
    : scenario_{s}, net_{n}, changeable_{changeable}, routes_{s}, attachments_(s.links.size()) {
  for (const auto& t : s.traffic)
    if (const auto* g = std::get_if<generate_settings>(&t.what); g != nullptr && !t.credits)
      largest_ = std::max({largest_, g->size_bytes, imix_largest});
  for (const auto& l : s.links)
    largest_ = std::max(largest_, l.mtu + 18);
}

void network_builder::build() {
  number_endpoints();
  plan_traffic();
  find_feeds();
  plan_credits();
  for (std::size_t n = 0; n < scenario_.nodes.size(); ++n) {
    const auto& as = scenario_.nodes[n].as;
    if (std::holds_alternative<host_settings>(as))
      build_host(n);
    else if (std::holds_alternative<switch_settings>(as))
      build_switch(n);
    else if (std::holds_alternative<generator_settings>(as))
      build_generator(n);
    else
      build_sink(n);
  }
  build_links();
  build_controller();
  fill_producers();
  regulate_producers();
  join_credit_lists();
  open_taps();
  for (const auto& c : net_.components_)
    net_.cells_.push_back(c.get());
}

// -- small helpers -------------------------------------------------------------------------------

void network_builder::connect(component& upper, component& lower, sim_time down, sim_time up) {
  join(upper, lower, std::max<sim_time>(down, 1), std::max<sim_time>(up, 1), tapped(upper, lower));
  net_.hops_.push_back({upper.name(), lower.name()});
}

// A queue behind a wire stops its sender, with head-room for what is under way.
port_queue& network_builder::add_wire_queue(std::string name, std::size_t node, std::string kind,
                                            const class_gates::config& gate, std::size_t link_index,
                                            line_config line, unsigned priorities,
                                            const scheduler_settings& scheduler) {
  port_queue_config c;
  c.priorities = priorities;
  c.scheduler = scheduler_of(scheduler);
  c.name = std::move(name);
  c.node = scenario_.nodes[node].name;
  c.kind = std::move(kind);
  c.buffer = gate;
  c.sender = wire_bound(node, link_index);
  c.line = std::move(line);
  c.arriving = all_priorities_;
  c.full = gate.stops() ? drop_reason::headroom_exceeded : drop_reason::buffer_full;
  if (const auto* h = std::get_if<host_settings>(&scenario_.nodes[node].as))
    c.early = early(h->ecn, c.name, false);
  if (wire_policy(link_index) == hop_policy::ib_credit) {
    // Who has credits has room; the queue itself stops nobody.
    c.credits = gate.stopping_classes();
    for (auto& part : c.buffer.parts)
      part.stops = false;
  }
  return add<port_queue>(std::move(c));
}

// For one priority S-PFC is what on/off is, or nothing.
network_builder::division network_builder::divide(hop_policy& policy, unsigned priorities,
                                                  std::uint8_t lossless) {
  if (policy != hop_policy::s_pfc)
    return {};
  if (std::popcount(priorities) > 1)
    return {priorities, static_cast<std::uint8_t>(priorities & lossless)};
  policy = (priorities & ~unsigned{lossless}) == 0 ? hop_policy::on_off : hop_policy::none;
  return {};
}

void network_builder::set_parts(port_queue_config& c, const division& parts, buffer_limit each) {
  c.priorities = parts.priorities;
  c.lossless = parts.lossless;
  for (unsigned p = 0; p < max_priorities; ++p)
    if ((parts.priorities >> p & 1) != 0)
      c.buffer.add(p, {.capacity = each});
}

// Of all the traffic of a host.
unsigned network_builder::priorities_of(std::size_t node) const {
  unsigned all = 0;
  for (const auto e : endpoints_at_[node])
    all |= endpoints_[e].sends | endpoints_[e].receives;
  return all;
}

// A queue in a host reports what leaves it, and its sender looks whether there is room.
network_builder::stage network_builder::add_stage(port_queue_config c, std::size_t node,
                                                  buffer_limit capacity, hop_policy policy,
                                                  std::uint32_t largest_frame, const coming& what,
                                                  std::optional<pcie_window::config> credits) {
  const auto& n = scenario_.nodes[node];
  const auto parts =
      divide(policy, what.priorities, what.lossless.value_or(n.flow_control.pfc.priorities));
  if (parts.priorities != 0) {
    capacity = share_of(capacity, std::popcount(parts.priorities));
    set_parts(c, parts, capacity);
  }
  auto room = room_for(capacity, policy, n.flow_control.on_off, largest_frame);
  if (policy == hop_policy::pcie_credit && credits) {
    room.counts_credits = true;
    room.credits = *credits;
    c.report_interval = std::get<host_settings>(n.as).pcie.update;
  }
  if (policy == hop_policy::credit_list) {
    // As many as there is room for frames of the largest size.
    const auto& lists = n.flow_control.lists;
    const auto buffers = static_cast<unsigned>(std::clamp<std::int64_t>(
        std::min(capacity.packets, capacity.bytes / largest_frame), 1, max_buffers_each));
    auto& own = c.lists.emplace();
    own.lists = lists_of(lists, std::min(lists.per_list.value_or(buffers), buffers));
    own.buffers = buffers;
    own.buffer_bytes = largest_frame;
    // The sender has the first list, and what it is told of more than it used counts below zero.
    room.stop = {buffer_limit::unlimited, own.lists.most};
    room.start = {buffer_limit::unlimited, own.lists.most - 1};
    c.looked = {buffer_limit::unlimited, buffers};
  }
  c.node = n.name;
  c.buffer.shared.capacity = capacity;
  if (room.checked)
    c.leaving = port_queue_config::reports::everything;
  if (const buffer_limit none; c.looked.bytes == none.bytes && c.looked.packets == none.packets)
    c.looked = room.stop;
  return {&add<port_queue>(std::move(c)), room, parts};
}

// For the results: who was joined to whom last, and finds no room there.
void network_builder::note_looking(component& sender, const component& owner, std::size_t input,
                                   const std::string& name, const division& parts) {
  network::stoppable s{.sender = &sender,
                       .output = sender.last_output(),
                       .owner = &owner,
                       .input = input,
                       .name = name,
                       .looks = true};
  if (parts.priorities == 0)
    net_.stoppables_.push_back(s);
  for (s.priority = 0; s.priority < static_cast<int>(max_priorities); ++s.priority)
    if ((parts.lossless >> s.priority & 1) != 0)
      net_.stoppables_.push_back(s);
}

const link& network_builder::link_at(std::size_t node, std::size_t port) const {
  return scenario_.links[routes_.ports(node)[port].link];
}

network_builder::attachment& network_builder::attached(std::size_t node, std::size_t port) {
  const auto& p = routes_.ports(node)[port];
  return attachments_[p.link][p.at_a ? 0 : 1];
}

std::uint32_t network_builder::max_frame(std::size_t node) const {
  if (!has_link(node))
    return largest_local_frame;
  std::uint32_t mtu = 0;
  for (const auto& p : routes_.ports(node))
    mtu = std::max(mtu, scenario_.links[p.link].mtu);
  return mtu + 18;
}

// What a VM may send: a tunnel needs room for its headers.
std::uint32_t network_builder::tenant_frame(std::size_t node) const {
  const auto* h = std::get_if<host_settings>(&scenario_.nodes[node].as);
  const bool tunnels = h != nullptr && h->bridge.vxlan && has_link(node);
  return max_frame(node) - (tunnels ? static_cast<std::uint32_t>(vxlan_header_bytes(true)) : 0);
}

// No frame in this host is larger.
std::uint32_t network_builder::frame_bound(std::size_t node) const {
  if (has_link(node))
    return std::max(max_frame(node), largest_);
  const bool replays =
      std::any_of(replays_.begin(), replays_.end(), [](const auto& r) { return r != nullptr; });
  return replays ? largest_local_frame : largest_;
}

line_config network_builder::wire(std::size_t link_index) const {
  auto l = steady(scenario_.links[link_index].rate_bps, ethernet_overhead_bytes);
  l.outages = outages_of(scenario_, link_index);
  constexpr std::uint32_t ib_delimiters = 2;
  l.control_bytes = wire_policy(link_index) == hop_policy::ib_credit
                        ? static_cast<std::uint32_t>(ib_flow_bytes) + ib_delimiters
                        : mac_control_bytes + ethernet_overhead_bytes;
  return l;
}

hop_facts network_builder::wire_hop(std::size_t link_index) const {
  const auto& l = scenario_.links[link_index];
  return {line_rate{l.rate_bps}, l.delay + inside_switch, l.delay + inside_switch, largest_,
          ethernet_overhead_bytes};
}

hop_policy network_builder::wire_policy(std::size_t link_index) const {
  const auto& l = scenario_.links[link_index];
  return policy_of(l, node_named(l.a), node_named(l.b));
}

// Of `node`'s buffer behind the link.
class_gates::config network_builder::wire_gates(std::size_t node, std::int64_t capacity,
                                                std::size_t link_index) const {
  const auto& fc = scenario_.nodes[node].flow_control;
  const auto policy = wire_policy(link_index);
  if (policy == hop_policy::ib_credit) {
    const auto lanes = ib_lanes(fc.ib, peer_of(node, link_index).flow_control.ib);
    return ib_gates_for(capacity, fc.ib, all_priorities_ & lanes,
                        (all_priorities_ & ~unsigned{lanes}) != 0, largest_);
  }
  if (policy != hop_policy::pfc)
    return {.shared = gate_for({capacity}, policy, fc.on_off, wire_hop(link_index)), .parts = {}};
  const bool lossy = (all_priorities_ & ~unsigned{fc.pfc.priorities}) != 0;
  return pfc_gates_for(capacity, fc.pfc, lossy, wire_hop(link_index),
                       pfc_response(peer_of(node, link_index).flow_control.pfc,
                                    scenario_.links[link_index].rate_bps));
}

const node& network_builder::peer_of(std::size_t node, std::size_t link_index) const {
  const auto& l = scenario_.links[link_index];
  return node_named(scenario_.nodes[node].name == l.b.node ? l.a : l.b);
}

// What `node` knows of who sends to it by the link.
sender_bound network_builder::wire_bound(std::size_t node, std::size_t link_index) const {
  const auto hop = wire_hop(link_index);
  auto bound = bound_of(hop);
  if (wire_policy(link_index) != hop_policy::pfc)
    return bound;
  const auto& l = scenario_.links[link_index];
  const auto& own = scenario_.nodes[node].flow_control.pfc;
  const bool at_b = scenario_.nodes[node].name == l.b.node;
  const auto& peer = peer_of(node, link_index).flow_control.pfc;
  // A frame of ours waits for one that is being sent, and for another of its kind.
  const line_rate rate{l.rate_bps};
  const auto waits = rate.time_of(largest_ + ethernet_overhead_bytes)
                     + 2 * rate.time_of(mac_control_bytes + ethernet_overhead_bytes);
  bound.slowest_stop =
      inside_switch + waits + hop.latency_up + pfc_response(peer, l.rate_bps) + hop.latency_down;
  const auto lossless = unsigned{own.priorities} & peer.priorities;
  bound.held_whole =
      std::popcount(all_priorities_) == 1 && (all_priorities_ & lossless) != 0 && !changeable_
      && outages_of(scenario_, link_index).empty() && !injects(link_index, at_b) && !peer.watchdog
      && quanta_time(own.quanta, l.rate_bps) > pfc_refresh(own, l.rate_bps) + waits + microsecond;
  return bound;
}

// The reading speed of an application over time.
line_config network_builder::drain(const std::string& target, std::uint64_t normal_bps) const {
  auto l = steady(normal_bps, no_overhead);
  for (const auto& [at, bps] :
       value_profile(scenario_, timed_event::kind::set_drain, target, normal_bps))
    l.changes.push_back({at, line_rate{bps}});
  return l;
}

// -- endpoints and traffic -----------------------------------------------------------------------

void network_builder::number_endpoints() {
  endpoints_at_.resize(scenario_.nodes.size());
  const auto note = [&](std::string name, std::size_t node) {
    const auto index = static_cast<std::uint32_t>(endpoints_.size());
    endpoint_of_[name] = index;
    endpoints_at_[node].push_back(index);
    endpoints_.push_back({std::move(name), node});
  };
  for (std::size_t n = 0; n < scenario_.nodes.size(); ++n) {
    const auto& node = scenario_.nodes[n];
    node_of_[node.name] = n;
    if (const auto* host = std::get_if<host_settings>(&node.as)) {
      for (const auto& vm : host->vms)
        note(node.name + "/" + vm.name, n);
    } else if (!std::holds_alternative<switch_settings>(node.as)) {
      note(node.name, n);
    }
  }
  senders_to_.resize(endpoints_.size());

  std::set<std::uint32_t> networks;
  for (std::size_t n = 0; n < scenario_.nodes.size(); ++n)
    if (const auto* host = std::get_if<host_settings>(&scenario_.nodes[n].as))
      for (std::size_t v = 0; v < host->vms.size(); ++v) {
        auto& e = endpoints_[endpoints_at_[n][v]];
        e.network = host->vms[v].network;
        networks.insert(e.network);
        e.tunnelled = host->bridge.vxlan;
        const auto& vm = host->vms[v];
        if (vm.sockets.empty() && vm.filter.empty())
          continue;
        replay_config::receiver r{endpoints_at_[n][v], {}, vm.filter};
        for (const auto& s : vm.sockets)
          r.ports.push_back(static_cast<std::uint16_t>(s.port));
        receivers_.push_back(std::move(r));
      }
  several_networks_ = networks.size() > 1;
}

void network_builder::note_pair(std::uint32_t from, std::uint32_t to, std::uint8_t priority) {
  senders_to_[to].push_back(from);
  endpoints_[from].sends |= 1u << priority;
  endpoints_[to].receives |= 1u << priority;
  all_priorities_ |= 1u << priority;
}

void network_builder::plan_traffic() {
  std::map<std::string, std::uint16_t> captures;  // numbers
  for (const auto& t : scenario_.traffic) {
    net_.flows_.push_back(t.name);
    replays_.emplace_back();
    if (const auto* g = std::get_if<generate_settings>(&t.what)) {
      (void)g;
      for (const auto& from : t.from)
        for (const auto& to : t.to)
          if (from != to)
            note_pair(endpoint_of_.at(from), endpoint_of_.at(to), t.priority);
      continue;
    }
    const auto& r = std::get<replay_settings>(t.what);
    replay_config c;
    c.file = r.file;
    c.capture_index =
        captures.emplace(r.file, static_cast<std::uint16_t>(captures.size())).first->second;
    if (c.capture_index == capture_files_.size())
      capture_files_.push_back(r.file);
    c.filter = r.filter;
    c.timing = r.timing;
    c.oversize = r.oversize;
    c.start = t.start;
    c.stop = t.stop;
    c.max_frame = [this](std::uint32_t e) { return tenant_frame(endpoints_[e].node); };
    c.receivers = receivers_;
    if (t.classified)
      c.classify = [this](std::uint32_t e) -> const classify_settings* {
        const auto& rules = scenario_.nodes[endpoints_[e].node].classify;
        return rules ? &*rules : nullptr;
      };
    for (const auto& m : r.map)
      c.map.push_back({net_address::parse(m.address).value(), endpoint_of_.at(m.endpoint)});
    if (r.map.empty()) {
      c.from = endpoint_of_.at(t.from.at(0));
      for (const auto& to : t.to)
        c.to.push_back(endpoint_of_.at(to));
    }
    c.casts = t.cast == cast_kind::captured;
    replays_.back() = std::make_unique<replay>(replay::open(c));
    const auto& opened = *replays_.back();
    const auto& f = opened.report();
    for (const auto& from : f.producers) {
      const auto note = [&](std::uint32_t to) {
        if (from.priorities == 0)
          note_pair(from.endpoint, to, t.priority);
        for (std::uint8_t p = 0; p < max_priorities; ++p)
          if ((from.priorities >> p & 1) != 0)
            note_pair(from.endpoint, to, p);
      };
      for (const auto to : c.to)
        if (to != from.endpoint)
          note(to);
      for (const auto& m : c.map)
        if (m.endpoint != from.endpoint)
          note(m.endpoint);
    }
    replay_result x;
    x.flow = t.name;
    x.file = r.file;
    x.packets = f.file_packets;
    x.bytes = f.file_bytes;
    x.filtered = f.filtered;
    x.unmapped = f.unmapped;
    x.sliced = f.sliced;
    x.oversize = f.oversize;
    x.split_into = f.split_into;
    x.backward = f.backward;
    x.not_ethernet = f.not_ethernet + f.foreign_link;
    net_.replays_.push_back(std::move(x));
  }
  destinations_of_.resize(scenario_.nodes.size());
  for (std::uint32_t to = 0; to < endpoints_.size(); ++to) {
    auto& s = senders_to_[to];
    std::sort(s.begin(), s.end());
    s.erase(std::unique(s.begin(), s.end()), s.end());
    for (auto from : s)
      if (const auto node = endpoints_[from].node; node != endpoints_[to].node) {
        endpoints_[from].sends_away = true;
        auto& away = destinations_of_[node];
        if (away.empty() || away.back() != to)
          away.push_back(to);
      }
  }
}

// For every switch, from which ingress ports traffic can come to which egress port: follows all
// paths of all traffic. Where nothing can come nobody has to be waited for.
void network_builder::find_feeds() {
  const auto nodes = scenario_.nodes.size();
  feeds_.resize(nodes);
  used_.resize(scenario_.links.size(), {false, false});
  const auto use = [&](const routes::port& p) { used_[p.link][p.at_a ? 0 : 1] = true; };
  std::vector<std::vector<std::uint32_t>> seen(nodes);  // by ingress port: last destination + 1
  for (std::size_t n = 0; n < nodes; ++n)
    if (std::holds_alternative<switch_settings>(scenario_.nodes[n].as)) {
      const auto ports = routes_.ports(n).size();
      feeds_[n].assign(ports, std::vector<bool>(ports, false));
      seen[n].assign(ports, 0);
    }
  std::vector<std::pair<std::uint32_t, std::uint16_t>> todo;
  for (std::size_t d = 0; d < nodes; ++d) {
    const auto stamp = static_cast<std::uint32_t>(d + 1);
    const auto visit = [&](const routes::port& p) {
      if (feeds_[p.peer].empty() || seen[p.peer][p.peer_port] == stamp)
        return;
      seen[p.peer][p.peer_port] = stamp;
      todo.emplace_back(p.peer, p.peer_port);
    };
    for (auto to : endpoints_at_[d])
      for (auto from : senders_to_[to])
        if (endpoints_[from].node != d && has_link(endpoints_[from].node)) {
          use(routes_.ports(endpoints_[from].node)[0]);
          visit(routes_.ports(endpoints_[from].node)[0]);
        }
    while (!todo.empty()) {
      const auto [at, in] = todo.back();
      todo.pop_back();
      for (auto out : routes_.next_ports(at, d)) {
        feeds_[at][out][in] = true;
        use(routes_.ports(at)[out]);
        visit(routes_.ports(at)[out]);
      }
    }
  }
}

// By endpoint, which socket listens to the port; null if none does anywhere.
std::shared_ptr<const std::vector<std::uint8_t>> network_builder::listeners(
    std::uint32_t port) const {
  std::shared_ptr<std::vector<std::uint8_t>> sockets;
  for (const auto& r : receivers_)
    for (std::size_t i = 0; i < r.ports.size(); ++i)
      if (r.ports[i] == port) {
        if (!sockets)
          sockets = std::make_shared<std::vector<std::uint8_t>>(endpoints_.size(), 0);
        (*sockets)[r.endpoint] = static_cast<std::uint8_t>(i + 1);
      }
  return sockets;
}

// Sources with a regulated rate are told of congestion by whoever reads what they send.
void network_builder::regulate_producers() {
  for (auto& e : endpoints_) {
    const auto& fc = scenario_.nodes[e.node].flow_control;
    if (e.source == nullptr || !fc.regulates)
      continue;
    auto c = fc.rate.limiter;
    c.line_bps = has_link(e.node) ? link_at(e.node, 0).rate_bps
                                  : std::get<host_settings>(scenario_.nodes[e.node].as).guest_bps;
    e.source->regulate(c);
    net_.regulated_.push_back(e.source);
  }
  for (std::uint32_t to = 0; to < endpoints_.size(); ++to)
    for (const auto from : senders_to_[to])
      if (auto* source = endpoints_[from].source; source != nullptr && source->regulated())
        for (auto* reader : endpoints_[to].readers) {
          const auto& rate = scenario_.nodes[endpoints_[from].node].flow_control.rate;
          join(*source, *reader, nanosecond, std::max<sim_time>(1, rate.latency));
          source->listen();
          reader->notify(from, rate.interval);
        }
}

// What a queue does early.
red::config network_builder::early(const std::optional<ecn_settings>& settings,
                                   const std::string& queue, bool drops) const {
  if (!settings)
    return {};
  return {true,
          settings->min_bytes,
          settings->max_bytes,
          settings->mark_ppm,
          drops && settings->drops,
          derive_seed(scenario_.seed, queue)};
}

void network_builder::fill_producers() {
  for (std::size_t f = 0; f < scenario_.traffic.size(); ++f) {
    const auto& t = scenario_.traffic[f];
    const auto* made = std::get_if<generate_settings>(&t.what);
    const auto ecn = made != nullptr && made->ecn ? packet::ecn_capable : packet::ecn_not_capable;
    const auto special =
        t.cast == cast_kind::captured ? packet::ordinary : static_cast<std::uint8_t>(t.cast);
    const auto give = [&](std::uint32_t e, std::unique_ptr<traffic_source> source,
                          std::shared_ptr<const std::vector<std::uint8_t>> sockets = nullptr) {
      endpoints_[e].source->add({std::move(source), static_cast<std::uint32_t>(f), t.priority,
                                 t.on_stop == stop_rule::shift, std::move(sockets), ecn, special});
    };
    if (replays_[f]) {
      for (auto e : replays_[f]->producers())
        give(e, replays_[f]->source_for(e));
      continue;
    }
    generator_config c;
    c.settings = std::get<generate_settings>(t.what);
    c.pick = t.pick;
    c.start = t.start;
    c.stop = t.stop;
    for (const auto& [at, bps] :
         value_profile(scenario_, timed_event::kind::set_rate, t.name, c.settings.rate_bps))
      c.rate_profile.push_back({at, bps});
    const auto sockets = listeners(c.settings.port);
    for (const auto& from : t.from) {
      const auto e = endpoint_of_.at(from);
      c.destinations.clear();
      for (const auto& to : t.to)
        if (to != from)
          c.destinations.push_back(endpoint_of_.at(to));
      if (c.destinations.empty())
        continue;
      c.seed = derive_seed(scenario_.seed, t.name + "@" + from);
      const auto node = endpoints_[e].node;
      c.line_bps = has_link(node) ? link_at(node, 0).rate_bps
                                  : std::get<host_settings>(scenario_.nodes[node].as).guest_bps;
      give(e, make_generator(c), sockets);
      net_.levers_.add_schedule(t.name, *endpoints_[e].source, static_cast<std::uint32_t>(f), c);
    }
  }
}

// -- physical switches ---------------------------------------------------------------------------

void network_builder::build_switching(switch_plan& plan) {
  auto table = std::make_shared<forwarding_table>();
  forwarding_engine_config engine;
  engine.name = plan.name;
  engine.node = plan.node;
  std::vector<std::uint8_t> accounted;  // by ingress port, the priorities
  for (auto& p : plan.ports) {
    if (p.has_ingress) {
      p.ingress_index = static_cast<std::uint16_t>(engine.ingress.size());
      engine.ingress.push_back(p.ingress);
      engine.senders.push_back(p.sender);
      accounted.push_back(p.ingress.stopping_classes());
    }
    if (p.has_egress) {
      p.egress_index = static_cast<std::uint16_t>(engine.egress_ports++);
      if (!plan.watched)
        engine.egress_rates.push_back(p.line.rate);
    }
  }
  for (std::size_t k = 0; k < plan.ports.size(); ++k) {
    if (!plan.ports[k].has_egress)
      continue;
    auto& inputs = engine.feeds.emplace_back();
    for (std::size_t i = 0; i < plan.ports.size(); ++i)
      if (plan.ports[i].has_ingress && plan.feeds[k][i])
        inputs.push_back(plan.ports[i].ingress_index);
  }
  for (const auto& leads : plan.leads) {
    forwarding_table::entry e;
    e.first = static_cast<std::uint32_t>(table->ports.size());
    for (auto port : leads)
      if (plan.ports[port].has_egress) {
        e.port = plan.ports[port].egress_index;
        ++e.count;
        table->ports.push_back(e.port);
      }
    table->by_endpoint.push_back(e);
  }
  if (plan.sets) {
    std::vector<std::vector<outage>> away(engine.egress_ports);
    for (std::size_t i = 0; i < plan.ports.size(); ++i)
      if (plan.ports[i].has_egress)
        away[plan.ports[i].egress_index] = std::move(plan.sets->away[i]);
    plan.sets->away = std::move(away);
    for (auto& set : plan.sets->sets)
      for (auto& port : set.ports)
        port = plan.ports[port].egress_index;
  }

  if (plan.memory)
    accounted.assign(accounted.size(), 0xff);
  auto& hub = plan.memory ? static_cast<forwarding_engine&>(
                  add<shared_memory_engine>(std::move(engine), std::move(*plan.memory)))
                          : add<forwarding_engine>(std::move(engine));
  plan.engine = &hub;
  network::switching_point point{nullptr, &hub, {}, {}};
  for (const auto& p : plan.ports) {
    if (p.has_ingress)
      point.inputs.push_back(p.name + ".in");
    if (p.has_egress)
      point.outputs.push_back(p.name);
  }
  net_.switching_.push_back(std::move(point));
  for (auto& p : plan.ports) {
    if (p.has_ingress) {
      p.in = &add<ingress_port>(ingress_port_config{p.name + ".in", plan.node, p.ingress_index,
                                                    p.max_frame_bytes, table, plan.sets});
      connect(*p.in, hub, inside_switch, inside_switch);
    }
    if (p.has_egress) {
      port_queue_config c;
      c.name = p.name;
      c.node = plan.node;
      c.kind = plan.egress_kind;
      c.buffer = p.egress;
      if (std::any_of(accounted.begin(), accounted.end(), [](auto a) { return a != 0; }))
        c.leaving = port_queue_config::reports::accounted;
      c.accounted = accounted;
      c.scheduler = scheduler_of(plan.scheduler);
      c.priorities = p.priorities;
      c.line = p.line;
      c.early = early(plan.ecn, p.name);
      p.out = &add<port_queue>(std::move(c));
      connect(hub, *p.out, plan.forwarding_delay, inside_switch);
    }
  }
}

// The egress of a switch with PFC. What is lossless has its room at the ingress, where it is
// accounted for; the other priorities share the port's buffer evenly.
class_gates::config network_builder::egress_parts(std::int64_t share, unsigned lossless) const {
  class_gates::config c;
  const auto lossy = all_priorities_ & ~lossless;
  for (unsigned p = 0; p < max_priorities; ++p)
    if (((lossless | lossy) >> p & 1) != 0)
      c.add(p, {.capacity = {(lossy >> p & 1) != 0 ? share / std::popcount(lossy) : share}});
  c.shared.capacity = {share};
  return c;
}

// The accounts of a switch whose ports share its memory, in the order of its ingress ports.
shared_memory_config network_builder::shared_memory(std::size_t n, const switch_plan& plan) const {
  const auto& node = scenario_.nodes[n];
  const auto& s = std::get<switch_settings>(node.as);
  const auto ports = routes_.ports(n);
  shared_memory_config c;
  c.bytes = s.buffer_bytes;
  for (std::size_t i = 0; i < ports.size(); ++i) {
    if (!plan.ports[i].has_ingress)
      continue;
    const auto link_index = ports[i].link;
    const auto lossless = wire_policy(link_index) == hop_policy::pfc ? stoppable_priorities(
                              scenario_.links[link_index], node, peer_of(n, link_index))
                                                                     : std::uint8_t{0};
    const auto response =
        pfc_response(peer_of(n, link_index).flow_control.pfc, scenario_.links[link_index].rate_bps);
    const auto accounts = shared_accounts_for(*s.shared, node.flow_control.pfc, lossless,
                                              all_priorities_, wire_hop(link_index), response);
    c.accounts.insert(c.accounts.end(), accounts.begin(), accounts.end());
  }
  return c;
}

// What leaves the sets: from the decision at an ingress port to the egress queue.
static sim_time to_egress(const switch_settings& s) {
  return inside_switch + std::max<sim_time>(s.forwarding_delay, 1);
}

// The sets of ports of a switch that aggregates links: those of its partitions, and of all that is
// for others and may take several links to one neighbour.
void network_builder::plan_aggregation(std::size_t n, switch_plan& plan) const {
  const auto& s = std::get<switch_settings>(scenario_.nodes[n].as);
  const auto& a = *s.aggregation;
  const auto ports = routes_.ports(n);
  auto sets = std::make_shared<link_sets>();
  sets->choice = a.select;
  sets->load_window = a.load_window;
  sets->set_of.assign(endpoints_.size(), link_sets::none);
  sets->group_set_of = sets->set_of;
  sets->away.resize(ports.size());
  const auto add = [&](std::string name, std::vector<std::uint16_t> of) {
    sets->sets.push_back({std::move(name), std::move(of)});
    return static_cast<std::uint16_t>(sets->sets.size() - 1);
  };
  for (const auto& p : a.partitions) {
    std::vector<std::uint16_t> of;
    for (const auto& name : p.ports)
      for (std::size_t i = 0; i < ports.size(); ++i)
        if (const auto& l = scenario_.links[ports[i].link];
            (ports[i].at_a ? l.a : l.b).port == name)
          of.push_back(static_cast<std::uint16_t>(i));
    sets->set_of[endpoint_of_.at(p.endpoint)] = add(p.endpoint, std::move(of));
  }
  std::map<std::vector<std::uint16_t>, std::uint16_t> others;
  for (std::size_t e = 0; e < endpoints_.size(); ++e) {
    const auto next = routes_.next_ports(n, endpoints_[e].node);
    const auto* host = std::get_if<host_settings>(&scenario_.nodes[endpoints_[e].node].as);
    const bool in_group = host != nullptr && host->vswitch.elastic;
    if ((sets->set_of[e] != link_sets::none && !in_group) || next.size() < 2)
      continue;
    const auto peer = ports[next.front()].peer;
    if (std::any_of(next.begin(), next.end(), [&](auto p) { return ports[p].peer != peer; }))
      continue;
    std::vector<std::uint16_t> all{next.begin(), next.end()};
    const auto found = others.find(all);
    const auto set = found != others.end()
                         ? found->second
                         : (others[all] = add("others via " + scenario_.nodes[peer].name, all));
    if (sets->set_of[e] == link_sets::none)
      sets->set_of[e] = set;
    if (in_group)
      sets->group_set_of[e] = set;
  }
  for (const auto& set : sets->sets)
    for (const auto port : set.ports) {
      auto& away = sets->away[port];
      away = absences(outages_of(scenario_, ports[port].link), a.down_delay, a.up_delay);
      plan.ports[port].line.purges = purges_of(away, to_egress(s));
      plan.watched = plan.watched || changeable_ || !away.empty();
    }
  plan.sets = std::move(sets);
}

// For changes of its links while it runs, and for the results.
void network_builder::note_aggregation(std::size_t n, const switch_plan& plan) {
  const auto& node = scenario_.nodes[n];
  const auto& s = std::get<switch_settings>(node.as);
  const auto ports = routes_.ports(n);
  network::aggregation all;
  all.node = node.name;
  all.sets = plan.sets;
  for (const auto& p : plan.ports)
    if (p.in != nullptr)
      all.inputs.push_back(p.in);
  std::set<std::uint16_t> members;
  for (const auto& set : plan.sets->sets)
    members.insert(set.ports.begin(), set.ports.end());
  for (std::size_t i = 0; i < ports.size(); ++i)
    if (const auto& p = plan.ports[i]; p.out != nullptr && members.contains(p.egress_index)) {
      all.ports.push_back({p.egress_index, p.out});
      net_.levers_.add_member(ports[i].link,
                              {plan.sets, p.egress_index, p.out, s.aggregation->down_delay,
                               s.aggregation->up_delay, to_egress(s), all.inputs});
    }
  net_.aggregations_.push_back(std::move(all));
}

void network_builder::build_switch(std::size_t n) {
  const auto& node = scenario_.nodes[n];
  const auto& s = std::get<switch_settings>(node.as);
  const auto ports = routes_.ports(n);
  switch_plan plan;
  plan.name = plan.node = node.name;
  plan.egress_kind = "switch port";
  plan.forwarding_delay = s.forwarding_delay;
  plan.scheduler = s.scheduler;
  const auto share = s.port_queue_bytes.value_or(
      s.buffer_bytes / static_cast<std::int64_t>(std::max<std::size_t>(ports.size(), 1)));
  for (std::size_t i = 0; i < ports.size(); ++i) {
    const auto& l = scenario_.links[ports[i].link];
    const auto& peer = scenario_.nodes[ports[i].peer].as;
    port_plan p;
    p.name = node.name + ":" + (ports[i].at_a ? l.a.port : l.b.port);
    p.has_ingress = !std::holds_alternative<sink_settings>(peer);
    p.has_egress = !std::holds_alternative<generator_settings>(peer);
    p.ingress = wire_gates(n, share, ports[i].link);
    p.sender = wire_bound(n, ports[i].link);
    p.max_frame_bytes = l.mtu + 18;
    p.egress.shared.capacity = {share};
    // What is lossless by any way in.
    unsigned lossless = 0;
    for (const auto& any : ports)
      if (const auto how = wire_policy(any.link);
          how == hop_policy::pfc || how == hop_policy::ib_credit)
        lossless |= wire_gates(n, share, any.link).own;
    if (lossless != 0)
      p.egress = egress_parts(share, lossless);
    p.line = wire(ports[i].link);
    p.priorities = all_priorities_;
    plan.ports.push_back(std::move(p));
  }
  for (const auto& e : endpoints_) {
    const auto next = routes_.next_ports(n, e.node);
    plan.leads.emplace_back(next.begin(), next.end());
  }
  plan.feeds = feeds_[n];
  plan.ecn = s.ecn;
  plan.watched = node.flow_control.pfc.watchdog.has_value();
  if (s.shared)
    plan.memory = shared_memory(n, plan);
  if (s.aggregation)
    plan_aggregation(n, plan);
  build_switching(plan);
  if (s.aggregation)
    note_aggregation(n, plan);
  for (std::size_t i = 0; i < ports.size(); ++i) {
    const auto& p = plan.ports[i];
    auto& a = attached(n, i);
    a.sender = p.out;
    a.receiver = p.in;
    a.engine = plan.engine;
    a.ingress = p.ingress_index;
    a.egress = p.egress_index;
    a.name = p.name;
    a.stops = p.ingress.stops();
    a.room = p.ingress;
    a.queue = p.out;
  }
}

// -- bare ports ----------------------------------------------------------------------------------

void network_builder::build_generator(std::size_t n) {
  const auto& node = scenario_.nodes[n];
  const auto e = endpoints_at_[n][0];
  line_config line = has_link(n) ? wire(routes_.ports(n)[0].link)
                                 : steady(25'000'000'000, ethernet_overhead_bytes);
  auto& source = add<producer>(producer_config{node.name, node.name, e, std::move(line)});
  net_.producers_.push_back(&source);
  net_.entries_.push_back({&source, {source.name()}});
  endpoints_[e].source = &source;
  if (has_link(n)) {
    auto& a = attached(n, 0);
    a.sender = a.source = &source;
    a.name = node.name;
  }
}

void network_builder::build_sink(std::size_t n) {
  const auto& node = scenario_.nodes[n];
  const auto& s = std::get<sink_settings>(node.as);
  const bool drains =
      s.drain_bps != 0
      || std::any_of(scenario_.events.begin(), scenario_.events.end(), [&](const auto& e) {
           return e.what == timed_event::kind::set_drain && e.target == node.name;
         });
  component* receiver = nullptr;
  port_queue* buffer = nullptr;
  bool regulated = false;
  if (drains && has_link(n)) {
    const auto link_index = routes_.ports(n)[0].link;
    // Without a limit the reader keeps up with the line.
    const auto normal = s.drain_bps != 0 ? s.drain_bps : 10 * scenario_.links[link_index].rate_bps;
    const auto gate = wire_gates(n, s.buffer_bytes, link_index);
    auto& q = add_wire_queue(node.name, n, "socket", gate, link_index, drain(node.name, normal));
    regulated = gate.stops();
    attached(n, 0).room = gate;
    receiver = buffer = &q;
    net_.levers_.add_reader(node.name, q.line(), normal);
  }
  if (receiver == nullptr)
    net_.levers_.refuse(
        node.name, fmt::format("{} takes everything at once and has no reader whose speed could "
                               "change: give it a `drain` in the scenario",
                               node.name));
  auto& reader = add<consumer>(drains ? node.name + ".consumer" : node.name, node.name);
  net_.consumers_.push_back(&reader);
  endpoints_[endpoints_at_[n][0]].readers.push_back(&reader);
  if (receiver != nullptr)
    connect(*receiver, reader, nanosecond, nanosecond);
  else
    receiver = &reader;
  if (has_link(n)) {
    auto& a = attached(n, 0);
    a.receiver = receiver;
    a.buffer = buffer;
    a.name = node.name;
    a.stops = regulated;
  }
}

// -- links ---------------------------------------------------------------------------------------

void network_builder::build_links() {
  net_.levers_.links(scenario_.links.size());
  for (std::size_t i = 0; i < scenario_.links.size(); ++i) {
    const auto& l = scenario_.links[i];
    for (int way = 0; way < 2; ++way) {
      auto& from = attachments_[i][way];
      auto& to = attachments_[i][1 - way];
      const auto& a = way == 0 ? l.a : l.b;
      const auto& b = way == 0 ? l.b : l.a;
      // A sink sends nothing; but a host's NIC wants to be connected.
      if (from.sender == nullptr && to.receiver != nullptr && to.engine == nullptr)
        from.sender = from.source = &add<producer>(
            producer_config{fmt::format("{}:{}.tx", a.node, a.port), a.node, 0, wire(i)});
      if (from.sender == nullptr)
        continue;
      if (to.receiver == nullptr) {
        // A generator takes nothing, and nothing is sent to it; but a NIC wants to be connected.
        to.receiver = &add<consumer>(fmt::format("{}:{}.rx", b.node, b.port), b.node);
      }
      cable_config c;
      c.name = fmt::format("{}:{}->{}:{}", a.node, a.port, b.node, b.port);
      c.rate = line_rate{l.rate_bps};
      c.delay = std::max<sim_time>(1, l.delay);
      c.outages = outages_of(scenario_, i);
      c.sent = streams(fmt::format("{}:{}", a.node, a.port), true);
      c.came = streams(fmt::format("{}:{}", b.node, b.port), false);
      const auto delay = c.delay;
      auto& lever = net_.levers_.link(i)[static_cast<std::size_t>(way)];
      lever.queue = from.queue;
      lever.source = from.source;
      auto& through = *net_.cables_.emplace_back(std::make_unique<cable>(std::move(c)));
      lever.carries = &through;
      join(*from.sender, *to.receiver, delay, delay, &through);
      net_.hops_.push_back({from.sender->name(), through.name()});
      net_.hops_.push_back({through.name(), to.receiver->name()});
      if (to.stops && wire_policy(i) == hop_policy::on_off)
        net_.stoppables_.push_back({.sender = from.sender,
                                    .owner = owner_of(to),
                                    .input = to.ingress,
                                    .name = to.name,
                                    .blame = to.engine != nullptr ? to.name + ".in" : to.name});
      if (to.stops && from.engine != nullptr && to.engine != nullptr) {
        // On/off stops them all together: one stands for them.
        const auto policy = wire_policy(i);
        const auto lossless =
            policy == hop_policy::on_off
                ? 1u
                : stoppable_priorities(l, node_named(l.a), node_named(l.b)) & all_priorities_;
        for (unsigned p = 0; p < max_priorities; ++p)
          if ((lossless >> p & 1) != 0)
            net_.switch_hops_.push_back(
                {from.engine, to.engine, policy == hop_policy::ib_credit ? from.queue : nullptr,
                 from.egress, to.ingress, p, fmt::format("{} -> {}", from.name, to.name)});
      }
    }
  }
  // Their links are joined after those of the packets.
  for (std::size_t i = 0; i < scenario_.links.size(); ++i)
    for (int way = 0; way < 2; ++way)
      join_pauses(i, way);
}

const component* network_builder::owner_of(const attachment& a) {
  return a.engine != nullptr ? static_cast<const component*>(a.engine) : a.buffer;
}

bool network_builder::injects(std::size_t link_index, bool from_b) const {
  if (wire_policy(link_index) == hop_policy::ib_credit)
    return false;  // there are no such frames; the loader says so
  return changeable_
         || std::any_of(scenario_.events.begin(), scenario_.events.end(), [&](const auto& e) {
              return e.what == timed_event::kind::inject_pause && e.link == link_index
                     && e.inject.from_b == from_b;
            });
}

std::vector<pause_sender::injection> network_builder::injections(std::size_t link_index,
                                                                 bool from_b) const {
  std::vector<pause_sender::injection> all;
  for (const auto& e : scenario_.events)
    if (e.what == timed_event::kind::inject_pause && e.link == link_index
        && e.inject.from_b == from_b) {
      const auto own = injections_of(scenario_, e);
      all.insert(all.end(), own.begin(), own.end());
    }
  return all;
}

// Who sends one way of a link obeys the frames that its receiver wants, and that the port of this
// receiver sends the other way.
void network_builder::join_pauses(std::size_t link_index, int way) {
  const auto& l = scenario_.links[link_index];
  auto& from = attachments_[link_index][way];
  auto& to = attachments_[link_index][1 - way];
  const bool pfc = wire_policy(link_index) == hop_policy::pfc;
  const bool credits = wire_policy(link_index) == hop_policy::ib_credit;
  const bool injected = injects(link_index, way == 0);
  const bool asked = (pfc || credits) && to.stops && used_[link_index][way];
  if (from.sender == nullptr || to.receiver == nullptr || (!asked && !injected))
    return;
  const auto& receiver = node_named(way == 0 ? l.b : l.a);
  const auto& sender = node_named(way == 0 ? l.a : l.b);

  pause_port* port = nullptr;
  component* transmits = to.queue;
  if (transmits == nullptr) {
    port = &add<pause_port>(to.name + ".mac", receiver.name, wire(link_index));
    transmits = port;
  }
  if (credits) {
    join_credits(link_index, way, *transmits);
  } else if (asked) {
    pause_requests::config c;
    c.quanta = receiver.flow_control.pfc.quanta;
    c.refresh = pfc_refresh(receiver.flow_control.pfc, l.rate_bps);
    if (to.engine != nullptr) {
      join(*to.engine, *transmits, inside_switch, inside_switch);
      to.engine->request_pauses(to.ingress, c);
    } else {
      join(*to.buffer, *transmits, inside_switch, inside_switch);
      to.buffer->request_pauses(c);
    }
  }
  pause_sender::config c;
  if (injected)
    c.injected = injections(link_index, way == 0);
  c.outages = outages_of(scenario_, link_index);
  c.cable = std::max<sim_time>(1, l.delay);
  c.response = credits ? 0 : pfc_response(sender.flow_control.pfc, l.rate_bps);
  c.repeat = ib_refresh(l.rate_bps);
  if (!scenario_.taps.empty()) {
    const auto &a = way == 0 ? l.a : l.b, &b = way == 0 ? l.b : l.a;
    const auto tapped = fmt::format("{}:{}", b.node, b.port);
    c.tapped = streams(tapped, true, tapped);
    c.peer_tapped = streams(fmt::format("{}:{}", a.node, a.port), false, tapped);
  }
  join(*from.sender, *transmits, c.cable, c.cable);
  auto& lever = net_.levers_.link(link_index)[static_cast<std::size_t>(1 - way)];
  lever.mac = port;
  lever.pauses = !credits;
  lever.all_priorities = all_priorities_;
  if (port != nullptr) {
    port->send_pauses(std::move(c), asked);
    lever.frames = port->frames();
  } else {
    to.queue->send_pauses(std::move(c), asked);
    lever.frames = to.queue->frames();
  }
  const auto obey = [&](auto& who) {
    if (credits) {
      ib_window::config w;
      w.lanes = to.room.own;
      w.granted = granted_blocks(to.room);
      w.cable = c.cable;
      w.refresh = ib_refresh(l.rate_bps);
      w.answer = ib_update(receiver.flow_control.ib, lane_room(to.room), l.rate_bps);
      who.obey_credits(w);
    } else {
      pause_timers::config t;
      t.bps = l.rate_bps;
      t.lossless = pfc ? sender.flow_control.pfc.priorities : std::uint8_t{0};
      if (const auto& w = sender.flow_control.pfc.watchdog; pfc && w && from.queue != nullptr) {
        t.detect = w->detect;
        t.restore = w->restore;
        t.drops = w->drops;
      }
      who.obey_pauses(t, pfc, injected);
    }
  };
  if (from.queue != nullptr)
    obey(*from.queue);
  else
    obey(*from.source);

  // What is seen of it in the results: what the receiver may hold, if there is something to hold,
  // and what events do.
  const unsigned own = pfc       ? receiver.flow_control.pfc.priorities & all_priorities_
                       : credits ? to.room.own
                                 : 0u;
  unsigned shown = asked ? own : 0u;
  for (const auto& e : scenario_.events)
    if (injected && e.what == timed_event::kind::inject_pause && e.link == link_index
        && e.inject.from_b == (way == 0))
      shown |= own | (e.inject.whole_link ? all_priorities_ : e.inject.priorities);
  lever.own_priorities = own;
  lever.first_stoppable = net_.stoppables_.size();
  lever.pause_way = net_.pause_ways_.size();
  for (unsigned p = 0; p < max_priorities; ++p)
    if (changeable_ || (shown >> p & 1) != 0)
      net_.stoppables_.push_back({.sender = from.sender,
                                  .owner = to.stops ? owner_of(to) : to.receiver,
                                  .input = to.ingress,
                                  .name = to.name,
                                  .blame = to.engine != nullptr ? to.name + ".in" : to.name,
                                  .priority = static_cast<int>(p),
                                  .credits = credits,
                                  .shown = (shown >> p & 1) != 0,
                                  .held = from.name});
  net_.pause_ways_.push_back(
      {transmits, from.sender, to.name, from.name, static_cast<std::uint8_t>(shown), credits});
}

// Whoever owns the receiver's buffer asks its transmitter for flow packets.
void network_builder::join_credits(std::size_t link_index, int way, component& transmits) {
  const auto& l = scenario_.links[link_index];
  const auto& to = attachments_[link_index][1 - way];
  ib_grants::config c;
  c.lanes = to.room.own;
  c.granted = granted_blocks(to.room);
  c.update =
      ib_update(node_named(way == 0 ? l.b : l.a).flow_control.ib, lane_room(to.room), l.rate_bps);
  if (to.engine != nullptr) {
    join(*to.engine, transmits, inside_switch, inside_switch);
    to.engine->grant_credits(to.ingress, c);
  } else {
    join(*to.buffer, transmits, inside_switch, inside_switch);
    to.buffer->grant_credits(c);
  }
}

// -- taps
// ------------------------------------------------------------------------------------------

// Of all taps of the port that look at what it sends, or at what it receives. `holder`: of frames,
// the port that sends them.
std::vector<tap_stream*> network_builder::streams(const std::string& port, bool sends,
                                                  const std::string& holder) {
  using way = tap_settings::way;
  std::vector<tap_stream*> all;
  for (std::size_t t = 0; t < scenario_.taps.size(); ++t)
    if (const auto& x = scenario_.taps[t];
        x.on == port && x.direction != (sends ? way::in : way::out))
      all.push_back(&net_.taps_.add({t, sends, holder}));
  return all;
}

// A VM's NIC, as its own kernel sees it: what it hands to the ring, and what it takes out.
passage* network_builder::tapped(const component& upper, const component& lower) {
  if (scenario_.taps.empty())
    return nullptr;
  constexpr std::string_view out = ".vnic-tx", in = ".vnic";
  std::vector<tap_stream*> seen;
  if (lower.name().ends_with(out))
    seen = streams(lower.name().substr(0, lower.name().size() - out.size()), true);
  else if (upper.name().ends_with(in))
    seen = streams(upper.name().substr(0, upper.name().size() - in.size()), false);
  if (seen.empty())
    return nullptr;
  return net_.passages_.emplace_back(std::make_unique<tap_passage>(std::move(seen))).get();
}

void network_builder::open_taps() {
  if (scenario_.taps.empty())
    return;
  frame_bytes::config c;
  c.captures = capture_files_;
  for (const auto& e : endpoints_)
    c.endpoints.push_back({{}, {}, static_cast<std::uint32_t>(e.node), e.network});
  for (std::size_t n = 0; n < scenario_.nodes.size(); ++n)
    if (const auto* h = std::get_if<host_settings>(&scenario_.nodes[n].as))
      for (std::size_t v = 0; v < h->vms.size(); ++v) {
        auto& x = c.endpoints[endpoints_at_[n][v]];
        x.mac = net_address::parse(h->vms[v].mac).value_or(net_address{});
        x.ip = net_address::parse(h->vms[v].ip).value_or(net_address{});
      }
  for (const auto& t : scenario_.traffic) {
    frame_bytes::flow f;
    if (const auto* g = std::get_if<generate_settings>(&t.what); g != nullptr && g->port != 0)
      f.port = static_cast<std::uint16_t>(g->port);
    c.flows.push_back(f);
  }
  std::vector<std::uint64_t> bps;
  for (const auto& t : scenario_.taps) {
    std::uint64_t rate = 0;
    for (const auto& l : scenario_.links)
      if (t.on == l.a.node + ":" + l.a.port || t.on == l.b.node + ":" + l.b.port)
        rate = l.rate_bps;
    bps.push_back(rate);
  }
  net_.taps_.open(scenario_, std::move(c), bps);
}

}  // namespace sluice
