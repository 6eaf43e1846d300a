/// \file
/// The router of US 7,751,400 with thousands of VMs, some of them short of resources at any time,
/// beside the lossless virtual switch and one without flow control: loss, latency of those that
/// lack nothing, stalls; and how fast all that is emulated.
///
///     bench_router [--kind elastic|lossless|lossy|all] [--vms N] [--short PERCENT] [--for US]
///                  [--packets N] [--load PERCENT] [--look NS] [--ring PACKETS] [--queue BYTES]
///                  [--threads N] [--broadcast] [--direct]
///
/// Bursts of mixed sizes come from four generators by a link of 100 Gbit/s. With --direct
/// from one generator, without a switch; with --broadcast one packet to all of the VMs instead.
/// Figures and how they were made are in docs/performance.md.
#include <fmt/format.h>
#include <sys/resource.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include "topology/run.hpp"

namespace {

using namespace sluice;

struct settings {
  std::string kind = "all";
  std::size_t vms = 2000;
  unsigned short_percent = 5, short_us = 2000, load = 30, threads = 2, ring = 4;
  std::uint64_t packets = 1'000'000;
  std::int64_t queue = 4096;
  unsigned look_ns = 1000;
  bool broadcast = false, direct = false;
};

scenario make(const settings& o, const std::string& kind) {
  scenario s;
  s.name = kind;
  s.until_traffic_done = true;
  s.duration = 200 * millisecond;
  const auto policy = kind == "lossless" ? hop_policy::on_off : hop_policy::none;
  flow_control_settings fc{policy, policy, policy, policy,          policy,
                           policy, policy, policy, hop_policy::none};
  node tor;
  tor.name = "tor";
  switch_settings sw;
  sw.buffer_bytes = std::int64_t{64} << 20;
  tor.as = sw;
  tor.flow_control = fc;
  host_settings h;
  for (std::size_t v = 0; v < o.vms; ++v) {
    vm_settings vm;
    vm.name = fmt::format("v{}", v);
    vm.vnic_ring = {o.ring, queue_limit::unit::packets};
    // Each of these is short half of the time.
    vm.short_ppm = v < o.vms * 2 * o.short_percent / 100 ? 500'000 : 0;
    h.vms.push_back(vm);
  }
  h.nic.rx_buffer_bytes = std::int64_t{4} << 20;
  // What the router has in common the virtual switches have for each VM.
  h.vswitch.port_queue_bytes = o.queue;
  h.hypervisor.queue = {o.ring, queue_limit::unit::packets};
  h.vswitch.short_for = o.short_us * microsecond;
  if (kind == "elastic")
    h.vswitch.elastic.emplace().look = o.look_ns * nanosecond;
  node host;
  host.name = "h";
  host.as = h;
  host.flow_control = fc;
  s.nodes = {tor, host};
  const auto join = [&](const std::string& a) {
    sluice::link l;
    l.a = {a, "p"};
    l.b = {"tor", "p_" + a};
    l.rate_bps = 100'000'000'000;
    s.links.push_back(l);
  };
  if (!o.direct)
    join("h");
  traffic_entry t;
  t.name = "web";
  generate_settings g;
  g.arrivals = arrival_process::burst;
  g.size_bytes = 0;  // IMIX
  g.burst_packets = 32;
  g.share_ppm = o.load * 10'000 / 4;
  g.packets = o.packets / 4;
  if (o.broadcast) {
    t.cast = cast_kind::broadcast;
    g = generate_settings{};
    g.size_bytes = 1500;
    g.rate_bps = 1'000'000'000;
    g.packets = 1;
  }
  t.what = g;
  if (o.direct) {
    node n;
    n.name = "g";
    n.as = generator_settings{};
    n.flow_control = fc;
    s.nodes = {host, n};
    sluice::link l;
    l.a = {"h", "p"};
    l.b = {"g", "p"};
    l.rate_bps = 100'000'000'000;
    s.links.push_back(l);
    t.from = {"g"};
    g.share_ppm *= 4;
    g.packets *= 4;
    t.what = g;
  }
  for (int i = 0; i < 4 && !o.direct; ++i) {
    node n;
    n.name = fmt::format("g{}", i);
    n.as = generator_settings{};
    n.flow_control = fc;
    s.nodes.push_back(n);
    join(n.name);
    if (i == 0 || !o.broadcast)
      t.from.push_back(n.name);
  }
  auto starved = t;
  starved.name = "short";
  for (const auto& vm : h.vms)
    (vm.short_ppm == 0u || o.broadcast ? t : starved).to.push_back("h/" + vm.name);
  s.traffic = {t};
  if (starved.to.empty())
    return s;
  const auto share = static_cast<double>(starved.to.size()) / static_cast<double>(o.vms);
  const auto part = [&](traffic_entry& e, double of_all) {
    auto& made = std::get<generate_settings>(e.what);
    made.share_ppm = static_cast<std::uint32_t>(of_all * static_cast<double>(g.share_ppm));
    made.packets = static_cast<std::uint64_t>(of_all * static_cast<double>(g.packets));
  };
  part(s.traffic[0], 1 - share);
  part(starved, share);
  s.traffic.push_back(starved);
  return s;
}

void report(const settings& o, const std::string& kind) {
  const auto s = make(o, kind);
  run_options options;
  options.threads = o.threads;
  const auto r = run(s, options);
  rusage u{};
  getrusage(RUSAGE_SELF, &u);
  sim_time held = 0;
  for (const auto& p : r.pauses)
    held = std::max(held, p.on == "h.vswitch:uplink.in" ? p.paused : 0);
  std::int64_t footprint = 0;
  for (const auto& c : r.components)
    if (c.kind == "elastic fifo")
      footprint = c.counters.max_bytes;
  const auto& f = r.flows[0];
  const auto lost = [](const flow_result& x) {
    return 100.0 * static_cast<double>(x.dropped.packets) / static_cast<double>(x.made.packets);
  };
  std::string starved;
  if (r.flows.size() > 1)
    starved =
        fmt::format("; short ones: lost {:.3f}%  p50 {:.0f} us  p99 {:.0f} us", lost(r.flows[1]),
                    static_cast<double>(r.flows[1].latency.quantile(0.5)) / 1e6,
                    static_cast<double>(r.flows[1].latency.quantile(0.99)) / 1e6);
  const auto us = [](sim_time t) { return static_cast<double>(t) / 1e6; };
  fmt::print(
      "{:<9} {} VMs, {}% short: made {}; others: lost {:.3f}%  p50 {:.2f} us  p99 {:.1f} us  max "
      "{:.0f} us{}; uplink stalled {:.1f}%  FIFO at most {} KiB  {:.2f} million packets/s  {:.2f} "
      "million "
      "hops/s  {:.1f} activations a packet, {} recoveries  set up {:.2f} s  {:.0f} MB  {}\n",
      kind, o.vms, o.short_percent, r.made.packets, lost(f), us(f.latency.quantile(0.5)),
      us(f.latency.quantile(0.99)), us(f.latency.max()), starved,
      100.0 * static_cast<double>(held) / static_cast<double>(r.virtual_time), footprint / 1024,
      static_cast<double>(r.made.packets) / r.wall_seconds / 1e6,
      static_cast<double>(r.packet_hops) / r.wall_seconds / 1e6,
      static_cast<double>(r.engine.activations) / static_cast<double>(r.made.packets),
      r.engine.recoveries, r.setup_seconds, static_cast<double>(u.ru_maxrss) / 1024,
      r.violations.empty() ? "conserved" : "VIOLATED");
}

}  // namespace

int main(int argc, char** argv) {
  settings o;
  CLI::App app{"The elastic-FIFO router beside virtual switches"};
  app.add_option("--kind", o.kind);
  app.add_option("--vms", o.vms);
  app.add_option("--short", o.short_percent);
  app.add_option("--for", o.short_us);
  app.add_option("--packets", o.packets);
  app.add_option("--load", o.load);
  app.add_option("--look", o.look_ns);
  app.add_option("--ring", o.ring);
  app.add_option("--queue", o.queue);
  app.add_option("--threads", o.threads);
  app.add_flag("--broadcast", o.broadcast);
  app.add_flag("--direct", o.direct);
  CLI11_PARSE(app, argc, argv);
  for (const std::string kind : {"elastic", "lossless", "lossy"})
    if (o.kind == kind || o.kind == "all")
      report(o, kind);
}
