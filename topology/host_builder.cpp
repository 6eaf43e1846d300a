// The part of the network builder that makes hosts: their VMs, virtual switch, bridge and NIC.
#include <algorithm>
#include <bit>

#include "actors/credits/credit_receiver.hpp"
#include "actors/credits/credit_sender.hpp"
#include "actors/guest/consumer.hpp"
#include "actors/guest/mbuf_sockets.hpp"
#include "actors/guest/producer.hpp"
#include "topology/builder_parts.hpp"
#include "topology/network_builder.hpp"
#include "traffic/random.hpp"

namespace sluice {

network_builder::vswitch_plan network_builder::build_vswitch(std::size_t n) {
  const auto& node = scenario_.nodes[n];
  const auto& h = std::get<host_settings>(node.as);
  const auto vms = h.vms.size();
  const bool linked = has_link(n);
  const auto most = frame_bound(n);
  auto policy = node.flow_control.vswitch;
  const auto parts = divide(policy, priorities_of(n), node.flow_control.pfc.priorities);
  const auto capacity =
      share_of({h.vswitch.port_queue_bytes}, std::max(1, std::popcount(parts.priorities)));

  virtual_switch_config c;
  c.name = node.name + ".vswitch";
  c.node = node.name;
  auto table = std::make_shared<forwarding_table>();
  if (vms > 0)
    table->first_endpoint = endpoints_at_[n][0];
  const auto uplink = static_cast<std::uint16_t>(vms);
  if (linked)
    table->otherwise = {uplink, 1, 0};
  std::vector<unsigned> priorities;
  for (std::uint16_t v = 0; v < vms; ++v) {
    const auto e = endpoints_at_[n][v];
    table->by_endpoint.push_back({v, 1, 0});
    virtual_switch_config::port p{c.name + ":" + h.vms[v].name, max_frame(n), h.vms[v].network, {}};
    for (auto from : senders_to_[e]) {
      if (endpoints_[from].node == n)
        p.feeds.push_back(static_cast<std::uint16_t>(from - table->first_endpoint));
      else if (linked && std::find(p.feeds.begin(), p.feeds.end(), uplink) == p.feeds.end())
        p.feeds.push_back(uplink);
    }
    c.ports.push_back(std::move(p));
    priorities.push_back(endpoints_[e].receives);
  }
  if (linked) {
    virtual_switch_config::port p{c.name + ":uplink", max_frame(n), 0, {}};
    for (std::uint16_t v = 0; v < vms; ++v)
      if (endpoints_[endpoints_at_[n][v]].sends_away)
        p.feeds.push_back(v);
    c.ports.push_back(std::move(p));
    priorities.push_back(all_priorities_);
  }
  c.table = std::move(table);
  c.divided = static_cast<std::uint8_t>(parts.priorities);

  vswitch_plan plan;
  plan.parts = parts;
  plan.input = room_for(capacity, policy, node.flow_control.on_off, most);
  const auto ports = c.ports;
  plan.hub = &add<virtual_switch>(c);
  control(*plan.hub, n, c, plan, capacity);
  for (std::size_t k = 0; k < ports.size(); ++k) {
    port_queue_config q;
    q.name = ports[k].name;
    q.node = node.name;
    q.kind = "vswitch port";
    q.buffer.shared.capacity = capacity;
    q.scheduler = scheduler_of(h.vswitch.scheduler);
    q.priorities = priorities[k];
    // Whoever comes for the packets: the hypervisor of a VM, or the bridge.
    q.line = steady(k < vms ? h.guest_bps : h.bridge.copy_bps, no_overhead);
    q.line.wake_up = h.hypervisor.notification;
    if (policy != hop_policy::none) {
      q.leaving = port_queue_config::reports::everything;
      q.pulls = true;
    }
    if (parts.priorities != 0)
      set_parts(q, parts, capacity);
    plan.outputs.push_back(&add<port_queue>(std::move(q)));
  }
  network::switching_point point{plan.hub, nullptr, {}, {}};
  for (const auto& p : ports) {
    point.inputs.push_back(p.name + ".in");
    point.outputs.push_back(p.name);
  }
  net_.switching_.push_back(std::move(point));
  return plan;
}

// What the controller has to tell this switch, and when.
void network_builder::control(virtual_switch& hub, std::size_t n, const virtual_switch_config& c,
                              const vswitch_plan& plan, buffer_limit output) {
  const auto& input = plan.input;
  using kind = command::kind;
  controller_config::device d{c.name, {}, {}};
  // Before the first packet, which comes later than the begin.
  const auto now = [&](command x) {
    x.at = inside_switch;
    d.commands.push_back(x);
  };
  for (std::uint16_t p = 0; p < c.ports.size(); ++p) {
    d.ports.push_back(c.ports[p].name);
    now({.what = kind::stop_limit, .port = p, .limit = input.stop});
    now({.what = kind::start_limit, .port = p, .limit = input.start});
    now({.what = kind::output_limit, .port = p, .limit = output});
  }
  const auto held = plan.parts.priorities != 0 ? unsigned{plan.parts.lossless} : 0xffu;
  now({.what = kind::lossless, .value = input.checked ? held : 0});
  const bool tunnels = std::get<host_settings>(scenario_.nodes[n].as).bridge.vxlan;
  if (tunnels || several_networks_)
    for (const auto to : destinations_of_[n])
      if (const auto& e = endpoints_[to]; e.network != 0)
        now({.what = kind::mapping,
             .tunnelled = tunnels && e.tunnelled,
             .endpoint = to,
             .value = e.network});
  now({.what = kind::ready});
  for (std::uint16_t p = 0; p < c.ports.size(); ++p)
    for (const auto& [at, stopped] :
         value_profile(scenario_, timed_event::kind::set_port, c.ports[p].name, 0))
      d.commands.push_back({.at = std::max(at, 2 * inside_switch),
                            .what = stopped != 0 ? kind::stop : kind::start,
                            .port = p});
  std::stable_sort(d.commands.begin(), d.commands.end(),
                   [](const auto& a, const auto& b) { return a.at < b.at; });
  controlled_.devices.push_back(std::move(d));
  hubs_.push_back(&hub);
}

bool network_builder::commanded(const std::string& port) const {
  return std::any_of(scenario_.events.begin(), scenario_.events.end(), [&](const auto& e) {
    return e.what == timed_event::kind::set_port && e.target == port;
  });
}

// Last, so that the inputs and outputs of the switches' own ports have their numbers.
void network_builder::build_controller() {
  if (hubs_.empty())
    return;
  auto& it = add<controller>(std::move(controlled_));
  net_.controller_ = &it;
  for (auto* hub : hubs_)
    join(it, *hub, inside_switch, scenario_.controller.latency);
}

// Joins a sender to the input queue of a port of the virtual switch. Ports are entered in order.
void network_builder::enter(const vswitch_plan& vswitch, std::size_t port, port_queue& sender,
                            sim_time latency) {
  connect(sender, *vswitch.hub, latency, latency);
  const auto name = vswitch.hub->port_name(port);
  const bool stopped = commanded(name);
  look_into(sender, vswitch.input, vswitch.parts, stopped);
  if (vswitch.input.checked || stopped)
    note_looking(sender, *vswitch.hub, port, name + ".in", vswitch.parts);
}

// Where a VM enters a switch that stops it: above its queue there is room for what is under way.
network_builder::port_plan network_builder::stopped_entry(std::size_t n, const std::string& name,
                                                          hop_facts hop,
                                                          sim_time per_packet) const {
  const auto& node = scenario_.nodes[n];
  const auto queue = std::get<host_settings>(node.as).vswitch.port_queue_bytes;
  auto thresholds = node.flow_control.on_off;
  if (auto& stop = thresholds.stop; stop && stop->in == queue_limit::unit::bytes)
    stop->amount = std::min(stop->amount, queue);
  port_plan p;
  p.name = name;
  p.has_egress = false;
  p.ingress.shared = gate_for({queue + headroom_for(hop).bytes},
                              undivided(node.flow_control.vswitch), thresholds, hop);
  p.sender = bound_of(hop);
  p.sender.longest_service += per_packet;
  p.max_frame_bytes = max_frame(n);
  return p;
}

// Joins who fills it.
void network_builder::enter(const switch_plan& plan, const port_plan& port, port_queue& sender,
                            sim_time latency) {
  connect(sender, *port.in, latency, latency);
  if (port.ingress.stops())
    net_.stoppables_.push_back({.sender = &sender,
                                .owner = plan.engine,
                                .input = port.ingress_index,
                                .name = port.name,
                                .blame = port.name + ".in"});
}

void network_builder::build_host(std::size_t n) {
  const auto& h = std::get<host_settings>(scenario_.nodes[n].as);
  if (h.vswitch.elastic)
    return build_router_host(n);
  if (h.vswitch.sr_iov)
    return build_sr_iov_host(n);
  const auto vswitch = build_vswitch(n);
  for (std::size_t v = 0; v < h.vms.size(); ++v)
    build_vm(n, v, vswitch);
  for (auto* q : vswitch.outputs)
    connect(*vswitch.hub, *q, h.vswitch.forwarding_delay, inside_switch);
  if (!has_link(n))
    return;
  build_uplink(n, *vswitch.outputs.back());
  enter(vswitch, h.vms.size(), build_downlink(n), h.guest_latency);
}

// How the NIC reads what this line brings it; nothing of it without `dma`.
void network_builder::read_by_dma(std::size_t n, line_config& line) const {
  const auto& h = std::get<host_settings>(scenario_.nodes[n].as);
  if (!h.nic.dma)
    return;
  const auto& d = *h.nic.dma;
  line.dma =
      dma_engine::config{d.single, d.header_bytes,        d.descriptor_bytes,  d.fetch,
                         d.set_up, line_rate{h.pcie.bps}, h.pcie.read_request, h.pcie.max_payload};
  // An idle engine is told by the doorbell and reads a descriptor first.
  line.wake_up = later(line.wake_up, 2 * h.pcie.latency);
}

// Of each frame, what lies in a buffer of its own.
std::uint32_t network_builder::header_apart(std::size_t n) const {
  const auto& dma = std::get<host_settings>(scenario_.nodes[n].as).nic.dma;
  return dma && !dma->single ? dma->header_bytes : 0;
}

network_builder::stage network_builder::add_bridge(std::size_t n, const char* name,
                                                   std::uint64_t bps, bool sends) {
  const auto& node = scenario_.nodes[n];
  const auto& h = std::get<host_settings>(node.as);
  port_queue_config c;
  c.name = node.name + name;
  c.kind = "bridge";
  c.line = steady(bps, no_overhead, h.bridge.per_packet);
  if (sends)
    read_by_dma(n, c.line);
  c.encapsulates = sends && h.bridge.vxlan;
  c.decapsulates = !sends;
  // The NIC writes what it has received into the host.
  std::optional<pcie_window::config> credits;
  if (!sends)
    credits = {pcie_pool::posted, h.pcie.posted, h.pcie.max_payload};
  c.scheduler = scheduler_of(h.nic.scheduler);
  return add_stage(std::move(c), n, as_limit(h.bridge.queue), node.flow_control.bridge,
                   frame_bound(n), {priorities_of(n)}, credits);
}

// From the uplink to the wire: bridge, NIC ring.
void network_builder::build_uplink(std::size_t n, port_queue& uplink) {
  const auto& node = scenario_.nodes[n];
  const auto& h = std::get<host_settings>(node.as);
  const auto& fc = node.flow_control;
  const auto link_index = routes_.ports(n)[0].link;
  const auto bridge_tx = add_bridge(n, ".bridge-tx", h.pcie.bps, true);
  fill(uplink, bridge_tx, h.guest_latency);
  port_queue_config tx;
  tx.name = nic_name(n) + "-tx";
  tx.kind = "nic";
  tx.scheduler = scheduler_of(h.nic.scheduler);
  tx.priorities = all_priorities_;
  tx.line = wire(link_index);
  // It reads what it is to send, and the host completes.
  const pcie_window::config reads{pcie_pool::completion, h.pcie.completion, h.pcie.max_payload,
                                  header_apart(n)};
  const auto nic_tx = add_stage(std::move(tx), n, {h.nic.tx_buffer_bytes}, fc.nic, frame_bound(n),
                                {priorities_of(n)}, reads);
  fill(*bridge_tx.queue, nic_tx, h.pcie.latency);
  if (h.nic.dma)
    net_.read_by_dma_.push_back(bridge_tx.queue);
  if (fc.nic == hop_policy::pcie_credit)
    bridge_tx.queue->limit_reads(
        {h.pcie.non_posted_headers, h.pcie.read_request, header_apart(n), 2 * h.pcie.latency});
  auto& a = attached(n, 0);
  a.sender = a.queue = nic_tx.queue;
}

// From the wire to what the bridge fills.
port_queue& network_builder::build_downlink(std::size_t n) {
  const auto& h = std::get<host_settings>(scenario_.nodes[n].as);
  auto& nic_rx = add_nic_buffer(n);
  const auto bridge_rx = add_bridge(n, ".bridge-rx", h.bridge.copy_bps, false);
  fill(nic_rx, bridge_rx, h.pcie.latency);
  return *bridge_rx.queue;
}

// What the wire fills.
port_queue& network_builder::add_nic_buffer(std::size_t n) {
  const auto& node = scenario_.nodes[n];
  const auto& h = std::get<host_settings>(node.as);
  const auto link_index = routes_.ports(n)[0].link;
  const auto gate = wire_gates(n, h.nic.rx_buffer_bytes, link_index);
  auto from_wire = steady(h.pcie.bps, no_overhead);
  const bool by_priority = node.flow_control.bridge == hop_policy::s_pfc;
  auto& nic_rx = add_wire_queue(nic_name(n), n, "nic", gate, link_index, std::move(from_wire),
                                by_priority ? all_priorities_ : 1, h.nic.scheduler);
  auto& a = attached(n, 0);
  a.receiver = a.buffer = &nic_rx;
  a.name = nic_name(n);
  a.stops = gate.stops();
  a.room = gate;
  return nic_rx;
}

std::string network_builder::nic_name(std::size_t n) const {
  const auto& l = link_at(n, 0);
  return scenario_.nodes[n].name + ":" + (routes_.ports(n)[0].at_a ? l.a.port : l.b.port);
}

void network_builder::build_vm(std::size_t n, std::size_t v, const vswitch_plan& vswitch) {
  const auto t = std::get<host_settings>(scenario_.nodes[n].as).guest_latency;
  auto& sends = build_sending(n, v, vswitch.outputs[v]->name() + ".in");
  enter(vswitch, v, sends, t);
  build_receiving(n, v, vswitch.outputs[v]);
}

// Down: the application sends. Returns who fills what the VM sends into: `into`.
port_queue& network_builder::build_sending(std::size_t n, std::size_t v, const std::string& into) {
  const auto& node = scenario_.nodes[n];
  const auto& h = std::get<host_settings>(node.as);
  const auto& vm = h.vms[v];
  const auto& fc = node.flow_control;
  const auto name = node.name + "/" + vm.name;
  const auto e = endpoints_at_[n][v];
  const auto t = h.guest_latency;
  const auto most = frame_bound(n);
  const auto copy = steady(h.guest_bps, no_overhead);
  const auto hypervisor = steady(h.hypervisor.copy_bps, no_overhead, h.hypervisor.per_packet);
  const auto stage_of = [&](const char* part, const char* kind, buffer_limit capacity,
                            hop_policy policy, line_config line, const coming& what,
                            bool by_priority = false) {
    port_queue_config c;
    c.name = name + part;
    c.kind = kind;
    c.line = std::move(line);
    if (by_priority)
      c.priorities = what.priorities;
    else
      c.scheduler = scheduler_of(h.vswitch.scheduler);
    return add_stage(std::move(c), n, capacity, policy, most, what);
  };

  // `send` tells the application when the socket buffer is full, whatever the policy; and a qdisc
  // without a length of its own is as long as that buffer, and full no sooner.
  // Who posts descriptors copies nothing.
  const bool posts = !endpoints_[e].opens.empty();
  const auto write = posts ? steady(memory_bps, no_overhead) : copy;
  auto& source = add<producer>(producer_config{name + ".producer", node.name, e, write});
  net_.producers_.push_back(&source);
  endpoints_[e].source = &source;
  // Where the qdisc holds single priorities, an application has a socket for each of them.
  const coming sent{endpoints_[e].sends};
  const auto sockets = std::max(1, std::popcount(sent.priorities));
  const buffer_limit all_sockets{vm.socket_buffer_bytes
                                 * (fc.qdisc == hop_policy::s_pfc ? sockets : 1)};
  const auto send = fc.qdisc == hop_policy::s_pfc ? hop_policy::s_pfc : hop_policy::on_off;
  const coming any{sent.priorities, 0xff};
  // Packets that credits have let go are bounded by them; there is no socket to copy them into.
  const auto socket = posts ? stage_of(".send-queue", "send queue", {}, hop_policy::none, copy, any)
                            : stage_of(".socket-tx", "socket", all_sockets, send, copy, any);
  if (posts) {
    auto& sender = add_credit_sender(e);
    connect(source, sender, t, t);
    source.check_room(send_queue_of(e));
    connect(sender, *socket.queue, t, t);
  } else {
    fill(source, socket, t);
  }
  // pfifo_fast: the only queue of a guest that looks at priorities, but for S-PFC.
  const auto qdisc = stage_of(".qdisc", "qdisc", vm.qdisc ? as_limit(*vm.qdisc) : all_sockets,
                              vm.qdisc ? fc.qdisc : send, copy, vm.qdisc ? sent : any, true);
  fill(*socket.queue, qdisc, t);
  auto kicked = h.vswitch.sr_iov ? steady(h.pcie.bps, no_overhead) : copy;
  kicked.wake_up = h.vswitch.sr_iov ? 0 : h.hypervisor.notification;
  if (h.vswitch.sr_iov)
    read_by_dma(n, kicked);
  const auto ring = stage_of(".vnic-tx", "vnic", as_limit(vm.vnic_ring), fc.guest_tx, kicked, sent);
  fill(*qdisc.queue, ring, t);
  // The hypervisor takes it; or the NIC reads it into a queue of the VM's virtual function.
  const auto taken = h.vswitch.sr_iov
                         ? add_function(n, v)
                         : stage_of(".hypervisor-tx", "hypervisor", as_limit(h.hypervisor.queue),
                                    fc.hypervisor, hypervisor, sent);
  fill(*ring.queue, taken, h.vswitch.sr_iov ? h.pcie.latency : t);
  if (h.vswitch.sr_iov && h.nic.dma)
    net_.read_by_dma_.push_back(ring.queue);
  if (h.vswitch.sr_iov && fc.nic == hop_policy::pcie_credit)
    ring.queue->limit_reads(
        {h.pcie.non_posted_headers, h.pcie.read_request, header_apart(n), 2 * h.pcie.latency});
  net_.entries_.push_back({&source,
                           {source.name(), socket.queue->name(), qdisc.queue->name(),
                            ring.queue->name(), taken.queue->name(), into}});
  return *taken.queue;
}

// When the VM gets no time from its hypervisor, takes nothing out of its ring and posts nothing: in
// each such time it is short or is not, by lot.
std::vector<outage> network_builder::shortages(std::size_t n, std::size_t v) const {
  const auto& r = std::get<host_settings>(scenario_.nodes[n].as).vswitch;
  std::vector<outage> all;
  const auto short_ppm =
      std::get<host_settings>(scenario_.nodes[n].as).vms[v].short_ppm.value_or(r.short_ppm);
  if (short_ppm == 0)
    return all;
  random_stream lot{scenario_.seed, scenario_.nodes[n].name + "/" + std::to_string(v) + " short"};
  constexpr std::uint64_t whole = 1'000'000;
  const auto end = shortages_end(scenario_);
  // Not all VMs at once.
  const auto phase = static_cast<sim_time>(lot.below(static_cast<std::uint64_t>(r.short_for)));
  for (auto t = -phase; t < end; t += r.short_for)
    if (lot.below(whole) < short_ppm) {
      if (!all.empty() && all.back().to == t)
        all.back().to = t + r.short_for;
      else
        all.push_back({t, t + r.short_for});
    }
  return all;
}

// Up: the application receives what the virtual switch has for it; or what a router writes into its
// ring, or a NIC. Returns the ring.
network_builder::stage network_builder::build_receiving(std::size_t n, std::size_t v,
                                                        port_queue* from) {
  const auto& node = scenario_.nodes[n];
  const auto& h = std::get<host_settings>(node.as);
  const auto& vm = h.vms[v];
  const auto& fc = node.flow_control;
  const auto name = node.name + "/" + vm.name;
  const auto e = endpoints_at_[n][v];
  const auto t = h.guest_latency;
  const auto most = frame_bound(n);
  const coming had{endpoints_[e].receives};
  port_queue* given = nullptr;
  if (from != nullptr) {
    port_queue_config c;
    c.name = name + ".hypervisor";
    c.kind = "hypervisor";
    c.line = steady(h.hypervisor.copy_bps, no_overhead, h.hypervisor.per_packet);
    c.scheduler = scheduler_of(h.vswitch.scheduler);
    const auto taken =
        add_stage(std::move(c), n, as_limit(h.hypervisor.queue), fc.hypervisor, most, had);
    fill(*from, taken, t);
    given = taken.queue;
  }
  auto softirq = steady(h.guest_bps, no_overhead, h.napi.per_packet);
  softirq.wake_up = h.napi.interrupt;
  softirq.weight = h.napi.weight;
  softirq.budget = h.napi.budget;
  softirq.per_poll = h.napi.per_poll;
  softirq.per_budget = h.napi.per_softirq;
  port_queue_config ring_rx;
  ring_rx.name = name + ".vnic";
  ring_rx.kind = "vnic";
  ring_rx.line = softirq;
  ring_rx.line.outages = shortages(n, v);
  ring_rx.sockets = 1 + vm.sockets.size();
  ring_rx.filters = !vm.filter.empty();
  // A ring that is sorted by socket is not divided by priority besides.
  const bool sorted = ring_rx.sockets > 1 || ring_rx.filters;
  auto into_ring = sorted ? undivided(fc.vnic_rx) : fc.vnic_rx;
  auto capacity = as_limit(vm.vnic_ring);
  std::optional<pcie_window::config> credits;
  if (h.vswitch.elastic) {
    into_ring = hop_policy::on_off;
    capacity = ring_rx.looked = posted(n, v);  // who has resources has room
    ring_rx.report_interval = posting_slice(n, v);
  } else if (h.vswitch.sr_iov) {
    into_ring = undivided(fc.bridge);
    credits = {pcie_pool::posted, h.pcie.posted, h.pcie.max_payload};
  }
  const auto shared = add_stage(std::move(ring_rx), n, capacity, into_ring, most, had, credits);
  if (given != nullptr)
    fill(*given, shared, t);
  const auto target = [&](const std::string& suffix) {
    return suffix.empty() ? name : name + "." + suffix.substr(1);
  };
  const auto consume = [&](component& socket, const std::string& suffix) {
    auto& reader = add<consumer>(name + ".consumer" + suffix, node.name);
    net_.consumers_.push_back(&reader);
    endpoints_[e].readers.push_back(&reader);
    if (!endpoints_[e].accepts.empty()) {
      auto& receiver = add_credit_receiver(e);
      connect(socket, receiver, t, t);
      connect(receiver, reader, t, t);
      return;
    }
    connect(socket, reader, t, t);
    if (h.vswitch.elastic) {
      shared.queue->hold_back_packets(shared.queue->last_output());
      socket.hold_back_packets(socket.last_output());
    }
  };
  if (vm.mbufs) {
    auto& sockets = add_mbuf_sockets(n, v);
    const auto read = [&](std::size_t s, const std::string& suffix, std::int64_t buffer_bytes,
                          std::uint64_t drain_bps) {
      connect(*shared.queue, sockets, t, t);
      const auto room = room_for({buffer_bytes}, mbuf_hop(n), fc.on_off, most);
      look_into(*shared.queue, room, {});
      if (room.checked)
        note_looking(*shared.queue, sockets, s, name + ".socket" + suffix, {});
      net_.levers_.add_reader(target(suffix), sockets.line(s), drain_bps);
      consume(sockets, suffix);
    };
    read(0, "", vm.socket_buffer_bytes, vm.drain_bps);
    for (std::size_t s = 0; s < vm.sockets.size(); ++s)
      read(s + 1, ":" + vm.sockets[s].name, vm.sockets[s].buffer_bytes, vm.sockets[s].drain_bps);
    return shared;
  }
  const auto read = [&](const std::string& suffix, std::int64_t buffer_bytes, line_config reading) {
    port_queue_config socket_rx;
    socket_rx.name = name + ".socket" + suffix;
    socket_rx.kind = "socket";
    const auto normal_bps = reading.rate.bps();
    socket_rx.line = std::move(reading);
    socket_rx.early = early(h.ecn, socket_rx.name, false);
    const auto buffer =
        add_stage(std::move(socket_rx), n, {buffer_bytes}, undivided(fc.guest_rx), most, had);
    fill(*shared.queue, buffer, t);
    net_.levers_.add_reader(target(suffix), buffer.queue->line(), normal_bps);
    consume(*buffer.queue, suffix);
  };
  read("", vm.socket_buffer_bytes, drain(name, vm.drain_bps));
  for (const auto& s : vm.sockets)
    read(":" + s.name, s.buffer_bytes, drain(name + "." + s.name, s.drain_bps));
  return shared;
}

// The sockets of a VM hold whole packets, which no priority divides; and with mbufs no buffers are
// set aside that a sender could have credits for.
hop_policy network_builder::mbuf_hop(std::size_t n) const {
  const auto policy = undivided(scenario_.nodes[n].flow_control.guest_rx);
  return policy == hop_policy::credit_list ? hop_policy::on_off : policy;
}

mbuf_sockets& network_builder::add_mbuf_sockets(std::size_t n, std::size_t v) {
  const auto& node = scenario_.nodes[n];
  const auto& h = std::get<host_settings>(node.as);
  const auto& vm = h.vms[v];
  const auto name = node.name + "/" + vm.name;
  const auto most = frame_bound(n);
  mbuf_sockets_config c;
  c.name = name + ".mbufs";
  c.node = node.name;
  c.pool = *vm.mbufs;
  c.looks = mbuf_hop(n) != hop_policy::none;
  const auto add_socket = [&](const std::string& suffix, std::int64_t bytes, line_config line) {
    const auto socket = name + ".socket" + suffix;
    const auto room = room_for({bytes}, mbuf_hop(n), node.flow_control.on_off, most);
    c.sockets.push_back({socket, bytes, room.stop, std::move(line), early(h.ecn, socket, false)});
  };
  add_socket("", vm.socket_buffer_bytes, drain(name, vm.drain_bps));
  for (const auto& s : vm.sockets)
    add_socket(":" + s.name, s.buffer_bytes, drain(name + "." + s.name, s.drain_bps));
  // A remote address is an endpoint that sends here.
  c.chain_of.resize(endpoints_.size());
  for (const auto from : senders_to_[endpoints_at_[n][v]]) {
    c.chain_of[from] = static_cast<std::uint32_t>(c.remotes.size());
    c.remotes.push_back(endpoints_[from].name);
  }
  if (c.remotes.empty())
    c.remotes.push_back("nobody");
  auto& sockets = add<mbuf_sockets>(std::move(c));
  net_.mbufs_.push_back(&sockets);
  return sockets;
}

}  // namespace sluice
