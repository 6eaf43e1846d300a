// The part of the network builder that makes hosts without a virtual switch: each VM has a virtual
// function of the NIC (SR-IOV), and the NIC forwards between them and the wire. The bus lies
// between a VM's rings and its function, with credits for each function by itself.
#include "topology/builder_parts.hpp"
#include "topology/network_builder.hpp"

namespace sluice {

// The queue of a virtual function, in the NIC, which reads into it what the VM sends.
network_builder::stage network_builder::add_function(std::size_t n, std::size_t v) {
  const auto& node = scenario_.nodes[n];
  const auto& h = std::get<host_settings>(node.as);
  port_queue_config c;
  c.name = nic_name(n) + ".vf-" + h.vms[v].name + "-tx";
  c.kind = "virtual function";
  c.line = steady(h.pcie.bps, no_overhead);
  const pcie_window::config reads{pcie_pool::completion, h.pcie.completion, h.pcie.max_payload,
                                  header_apart(n)};
  return add_stage(std::move(c), n, {h.vswitch.port_queue_bytes}, undivided(node.flow_control.nic),
                   frame_bound(n), {endpoints_[endpoints_at_[n][v]].sends}, reads);
}

void network_builder::build_sr_iov_host(std::size_t n) {
  const auto& node = scenario_.nodes[n];
  const auto& h = std::get<host_settings>(node.as);
  const auto vms = h.vms.size();
  const auto nic = nic_name(n);

  // Ports: the functions, in and out; from the wire; to the wire.
  switch_plan plan;
  plan.name = nic + ".switch";
  plan.node = node.name;
  plan.egress_kind = "nic";
  plan.forwarding_delay = h.vswitch.forwarding_delay;
  plan.scheduler = h.nic.scheduler;
  const hop_facts inside{line_rate{h.pcie.bps}, 2 * inside_switch, 2 * inside_switch,
                         frame_bound(n), no_overhead};
  for (const auto& vm : h.vms) {
    auto p = stopped_entry(n, nic + ".vf-" + vm.name, inside, 0);
    p.has_egress = true;
    p.egress.shared.capacity = {h.vswitch.port_queue_bytes};
    p.line = steady(h.pcie.bps, no_overhead);
    p.priorities = 1;
    plan.ports.push_back(std::move(p));
  }
  plan.ports.push_back(stopped_entry(n, nic + ".switch:wire", inside, 0));
  port_plan out;
  out.has_ingress = false;
  out.name = nic + "-tx";
  out.egress.shared.capacity = {h.nic.tx_buffer_bytes};
  out.line = wire(routes_.ports(n)[0].link);
  out.priorities = all_priorities_;
  plan.ports.push_back(std::move(out));
  const auto from_wire = vms, to_wire = vms + 1;
  for (std::uint32_t e = 0; e < endpoints_.size(); ++e)
    plan.leads.push_back(
        {static_cast<std::uint16_t>(endpoints_[e].node == n ? e - endpoints_at_[n][0] : to_wire)});
  plan.feeds.assign(plan.ports.size(), std::vector<bool>(plan.ports.size(), false));
  for (std::size_t v = 0; v < vms; ++v) {
    const auto e = endpoints_at_[n][v];
    plan.feeds[to_wire][v] = endpoints_[e].sends_away;
    for (const auto from : senders_to_[e])
      plan.feeds[v][endpoints_[from].node == n ? from - endpoints_at_[n][0] : from_wire] = true;
  }
  build_switching(plan);

  for (std::size_t v = 0; v < vms; ++v) {
    auto& sends = build_sending(n, v, plan.ports[v].name + ".in");
    enter(plan, plan.ports[v], sends, inside_switch);
    const auto ring = build_receiving(n, v, nullptr);
    fill(*plan.ports[v].out, ring, h.pcie.latency);
  }
  enter(plan, plan.ports[from_wire], add_nic_buffer(n), inside_switch);
  auto& a = attached(n, 0);
  a.sender = a.queue = plan.ports[to_wire].out;
}

}  // namespace sluice
