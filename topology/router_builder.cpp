// The part of the network builder that makes hosts with the router of US 7,751,400 in place of the
// virtual switch. What their VMs send is merged as a physical switch does it; what they receive
// comes through the router.
#include <algorithm>

#include "actors/router/allocator.hpp"
#include "actors/router/assist_engine.hpp"
#include "actors/router/local_engine.hpp"
#include "actors/router/local_store.hpp"
#include "actors/router/parser.hpp"
#include "topology/builder_parts.hpp"
#include "topology/network_builder.hpp"

namespace sluice {

namespace {

constexpr std::uint32_t indirect_bytes = 16, buffer_header_bytes = 32, queue_header_bytes = 24;

const elastic_fifo_settings& router_of(const node& n) {
  return *std::get<host_settings>(n.as).vswitch.elastic;
}

}  // namespace

// What a VM posts: a descriptor for each packet of its ring, and memory.
buffer_limit network_builder::posted(std::size_t n, std::size_t v) const {
  const auto& vm = std::get<host_settings>(scenario_.nodes[n].as).vms[v];
  auto limit = as_limit(vm.vnic_ring);
  limit.bytes =
      std::min(limit.bytes, vm.memory_bytes.value_or(router_of(scenario_.nodes[n]).memory_bytes));
  return limit;
}

sim_time network_builder::posting_slice(std::size_t n, std::size_t v) const {
  const auto& vm = std::get<host_settings>(scenario_.nodes[n].as).vms[v];
  return vm.slice.value_or(router_of(scenario_.nodes[n]).slice);
}

// Whether any VM sends to another one of the same host.
bool network_builder::talks_to_itself(std::size_t n) const {
  const auto& own = endpoints_at_[n];
  return std::any_of(own.begin(), own.end(), [&](auto to) {
    return std::any_of(senders_to_[to].begin(), senders_to_[to].end(),
                       [&](auto from) { return endpoints_[from].node == n; });
  });
}

// VMs in; the uplink and, if need be, the router out.
network_builder::switch_plan network_builder::plan_router_senders(std::size_t n) const {
  const auto& node = scenario_.nodes[n];
  const auto& h = std::get<host_settings>(node.as);
  const auto vms = h.vms.size();
  switch_plan plan;
  plan.name = node.name + ".vswitch";
  plan.node = node.name;
  plan.egress_kind = "vswitch port";
  plan.forwarding_delay = h.vswitch.forwarding_delay;
  plan.scheduler = h.vswitch.scheduler;
  const hop_facts hop{line_rate{h.hypervisor.copy_bps}, h.guest_latency + inside_switch,
                      h.guest_latency + inside_switch, frame_bound(n), no_overhead};
  for (const auto& vm : h.vms)
    plan.ports.push_back(stopped_entry(n, plan.name + ":" + vm.name, hop, h.hypervisor.per_packet));
  const auto output = [&](const char* name) {
    port_plan p;
    p.name = plan.name + ":" + name;
    p.has_ingress = false;
    p.egress.shared.capacity = {h.vswitch.port_queue_bytes};
    p.line = steady(h.bridge.copy_bps, no_overhead);
    p.line.wake_up = h.hypervisor.notification;
    p.priorities = all_priorities_;
    plan.ports.push_back(std::move(p));
  };
  const auto none = static_cast<std::uint16_t>(0xffff);
  auto uplink = none, inside = none;
  if (has_link(n)) {
    uplink = static_cast<std::uint16_t>(plan.ports.size());
    output("uplink");
  }
  if (talks_to_itself(n)) {
    inside = static_cast<std::uint16_t>(plan.ports.size());
    output("router");
  }
  for (const auto& e : endpoints_) {
    const auto port = e.node == n ? inside : uplink;
    plan.leads.push_back(port == none ? std::vector<std::uint16_t>{} : std::vector{port});
  }
  plan.feeds.assign(plan.ports.size(), std::vector<bool>(plan.ports.size(), false));
  for (std::size_t v = 0; v < vms; ++v) {
    const auto e = endpoints_at_[n][v];
    if (uplink != none)
      plan.feeds[uplink][v] = endpoints_[e].sends_away;
    if (inside != none)
      plan.feeds[inside][v] = endpoints_[e].sends != 0;
  }
  return plan;
}

void network_builder::build_router_host(std::size_t n) {
  const auto& node = scenario_.nodes[n];
  const auto& h = std::get<host_settings>(node.as);
  const auto& r = router_of(node);
  const auto vms = h.vms.size();
  const auto name = node.name + ".router";
  const auto connections = static_cast<std::uint32_t>(vms);
  const engine_time copies{r.per_packet, line_rate{r.copy_bps}};

  // What they send.
  auto plan = plan_router_senders(n);
  const bool sends = plan.ports.size() > vms;
  if (sends)
    build_switching(plan);
  for (std::size_t v = 0; v < vms; ++v) {
    auto& out = build_sending(n, v, plan.ports[v].name + ".in");
    if (sends)
      enter(plan, plan.ports[v], out, h.guest_latency);
  }

  // The engines.
  std::vector<std::vector<std::uint32_t>> groups(scenario_.traffic.size());
  std::vector<std::uint32_t> sizes(scenario_.traffic.size());
  for (std::size_t f = 0; f < scenario_.traffic.size(); ++f) {
    if (const auto cast = scenario_.traffic[f].cast;
        cast != cast_kind::multicast && cast != cast_kind::captured)
      continue;
    for (const auto& to : scenario_.traffic[f].to)
      if (const auto e = endpoint_of_.at(to); endpoints_[e].node == n)
        groups[f].push_back(e - endpoints_at_[n][0]);
    sizes[f] = static_cast<std::uint32_t>(groups[f].size());
  }
  std::vector<buffer_limit> limits;
  std::vector<std::uint8_t> importance;
  for (std::size_t v = 0; v < vms; ++v) {
    limits.push_back(posted(n, v));
    importance.push_back(static_cast<std::uint8_t>(h.vms[v].importance));
  }
  local_store_config memory;
  memory.name = name + ".elastic-fifo";
  memory.node = node.name;
  for (const auto& b : r.buffers)
    memory.memory.normal.push_back({b.bytes, b.least, b.most, r.step});
  memory.memory.indirect = {indirect_bytes, r.indirect.least, r.indirect.most, r.step};
  memory.memory.special_types = packet::special_types;
  memory.memory.connections = connections;
  memory.memory.header_bytes = buffer_header_bytes;
  memory.memory.queue_bytes = queue_header_bytes;
  memory.waits = r.waits;
  memory.reads = memory.submits = copies;
  memory.groups = std::move(groups);
  memory.first_endpoint = endpoints_at_[n][0];
  for (const auto& t : scenario_.traffic) {
    const auto* g = std::get_if<generate_settings>(&t.what);
    memory.sockets.push_back(g != nullptr ? listeners(g->port) : nullptr);
  }

  std::vector<std::uint32_t> networks;
  for (const auto& e : endpoints_)
    networks.push_back(e.network);
  const look_times looks{std::max(r.look, least_look(r))};
  memory.looks = looks;
  const bool specials = std::any_of(scenario_.traffic.begin(), scenario_.traffic.end(),
                                    [](const auto& t) { return t.cast != cast_kind::unicast; });
  auto& parses = add<parser>(parser_config{name + ".parser", node.name, endpoints_at_[n][0],
                                           connections, std::move(networks), specials});
  auto& allocates = add<allocator>(
      allocator_config{name + ".allocator", node.name, std::move(limits), looks, specials});
  auto& writes =
      add<copy_engine>(copy_engine_config{name + ".send", node.name, "send engine", copies});
  auto& stores =
      add<copy_engine>(copy_engine_config{name + ".store", node.name, "store engine", copies});
  auto& keeps = add<local_store>(std::move(memory));
  auto& assists = add<assist_engine>(assist_engine_config{
      name + ".assist", node.name, r.assist, r.assist_each, connections, std::move(sizes)});
  auto& empties = add<local_engine>(
      local_engine_config{name + ".local", node.name, looks, std::move(importance)});

  net_.routers_.push_back({node.name, &allocates, &keeps, &assists, &empties});

  // In the order of their inputs and outputs.
  const auto between = std::max<sim_time>(1, r.stage);
  const auto link = [&](component& from, component& to) { connect(from, to, between, between); };
  link(parses, allocates);
  link(parses, stores);
  link(stores, keeps);
  link(keeps, assists);
  link(keeps, empties);
  link(keeps, allocates);
  link(assists, keeps);
  link(empties, keeps);
  link(empties, allocates);
  link(allocates, writes);
  link(allocates, stores);
  link(allocates, empties);

  // The hosts' memory.
  for (std::size_t v = 0; v < vms; ++v) {
    const auto ring = build_receiving(n, v, nullptr);
    link(writes, *ring.queue);
    writes.hold_back_packets(writes.last_output());
    join(allocates, *ring.queue, between, between);
    ring.queue->report_elsewhere();
  }

  // What comes: by the wire, and from the host's own VMs.
  const auto receive = [&](const std::string& buffer, port_queue& from) {
    port_queue_config c;
    c.name = buffer;
    c.kind = "receive buffer";
    c.line = steady(r.copy_bps, no_overhead, r.parse);
    const buffer_limit capacity = r.receive_buffer_bytes > 0
                                      ? buffer_limit{r.receive_buffer_bytes}
                                      : buffer_limit{buffer_limit::unlimited, 1};
    const auto rx = add_stage(std::move(c), n, capacity, undivided(node.flow_control.vswitch),
                              frame_bound(n), {});
    fill(from, rx, h.guest_latency);
    link(*rx.queue, parses);
    if (r.waits) {
      join(*rx.queue, keeps, between, between);
      rx.queue->obey_stops_of_last();
      net_.stoppables_.push_back(
          {.sender = rx.queue, .owner = &keeps, .name = keeps.name(), .looks = true});
    }
  };
  if (has_link(n)) {
    build_uplink(n, *plan.ports[vms].out);
    receive(name + ":rx", build_downlink(n));
  }
  if (talks_to_itself(n))
    receive(name + ":local", *plan.ports.back().out);
}

}  // namespace sluice
