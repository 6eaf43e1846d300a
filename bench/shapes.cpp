/// \file
/// How fast the engine is on the shapes that matter: chain, permutation, random, incast,
/// leaf-spine.
///
///     bench_shapes [--shape S] [--hosts N] [--kind bare|full] [--policy on_off|pfc|ib_credit|none]
///     [--shared]
///                  [--packets N] [--threads N,...] [--load PERCENT] [--repeat N]
///
/// Real components, no files. One line a run: packet-hops/s by wall clock and by processor time,
/// peak memory, engine counts, fingerprint. `bare` hosts are a generator and a sink on ports of
/// their own; `full` hosts have a VM with its whole path (16 hops from VM to VM through one
/// switch). Figures and how they were made are in docs/performance.md.
#include <fmt/format.h>
#include <sys/resource.h>
#include <CLI/CLI.hpp>

#include <chrono>
#include <string>
#include <vector>

#include "actors/engine/executor.hpp"
#include "actors/guest/consumer.hpp"
#include "actors/guest/producer.hpp"
#include "actors/queue/port_queue.hpp"
#include "topology/run.hpp"
#include "traffic/generator.hpp"

namespace {

using namespace sluice;

struct settings {
  bool shared = false;
  std::string shape = "all", kind = "bare", policy = "on_off";
  std::size_t hosts = 8;
  std::uint64_t packets = 2'000'000;
  std::vector<unsigned> threads{1, 2};
  unsigned load = 80, repeat = 1, size = 1500;
};

double processor_seconds() {
  rusage u{};
  getrusage(RUSAGE_SELF, &u);
  const auto s = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return s(u.ru_utime) + s(u.ru_stime);
}

double peak_megabytes() {
  rusage u{};
  getrusage(RUSAGE_SELF, &u);
  return static_cast<double>(u.ru_maxrss) / 1024;
}

void print(const std::string& what, unsigned threads, std::uint64_t hops, double wall, double cpu,
           double setup, std::uint64_t parcels, std::uint64_t wants, std::uint64_t activations,
           std::uint64_t recoveries, std::uint64_t dropped, std::uint64_t stops,
           std::uint64_t fingerprint) {
  fmt::print(
      "{:<34} {} thr  {:6.2f} M hops/s  {:6.2f} M/cpu-s  setup {:.2f} s  peak {:.0f} MB  "
      "{:.1f} hops/parcel  {} wants  {} activations  {} recoveries  {} dropped  {} stops  "
      "{:016x}\n",
      what, threads, static_cast<double>(hops) / wall / 1e6, static_cast<double>(hops) / cpu / 1e6,
      setup, peak_megabytes(), static_cast<double>(hops) / static_cast<double>(parcels), wants,
      activations, recoveries, dropped, stops, fingerprint);
  std::fflush(stdout);
}

// `chains` producers, each through ten port queues of 10 Gb/s to a consumer.
void chain(const settings& o, unsigned threads, std::uint64_t drain_bps) {
  const std::size_t chains = 16;
  const auto begin = std::chrono::steady_clock::now();
  std::vector<std::unique_ptr<component>> all;
  std::vector<consumer*> consumers;
  const auto add = [&](auto owned) {
    owned->index(static_cast<cell_index>(all.size()));
    auto& x = *owned;
    all.push_back(std::move(owned));
    return &x;
  };
  line_config line;
  line.rate = line_rate{10'000'000'000};
  for (std::size_t k = 0; k < chains; ++k) {
    generator_config g;
    g.settings.size_bytes = o.size;
    g.settings.rate_bps = 10'000'000'000 / 100 * o.load;
    g.settings.packets = o.packets / chains;
    g.destinations = {0};
    g.start = static_cast<sim_time>(k) * 37 * nanosecond;
    auto source = add(std::make_unique<producer>(
        producer_config{fmt::format("p{}", k), "", static_cast<std::uint32_t>(k), line}));
    source->add({make_generator(g), 0, 0, false});
    component* upper = source;
    for (int i = 0; i < 10; ++i) {
      port_queue_config c;
      c.name = fmt::format("q{}.{}", k, i);
      c.line = line;
      if (i == 9)
        c.line.rate = line_rate{drain_bps};
      c.buffer.shared.capacity.bytes = 96'000;
      c.buffer.shared.stops = o.policy != "none";
      c.buffer.shared.stop.bytes = 48'000;
      c.buffer.shared.start.bytes = 24'000;
      c.sender = {line.rate, 0, o.size, 2 * microsecond, line.rate.time_of(o.size)};
      auto q = add(std::make_unique<port_queue>(c));
      join(*upper, *q, microsecond, microsecond);
      upper = q;
    }
    auto reader = add(std::make_unique<consumer>(fmt::format("c{}", k), ""));
    join(*upper, *reader, microsecond, microsecond);
    consumers.push_back(reader);
  }
  std::vector<cell*> cells;
  for (auto& c : all) {
    c->window(512);
    cells.push_back(c.get());
  }
  auto runner = make_caf_executor(cells, threads);
  const auto started = std::chrono::steady_clock::now();
  const auto cpu = processor_seconds();
  runner->run_until(never - second);
  const double wall =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  std::uint64_t hops = 0, dropped = 0, stops = 0;
  for (auto& c : all) {
    const auto s = c->snapshot(never);
    hops += c->packet_hops();
    dropped += s.dropped_total().packets;
    stops += s.stops_sent;
  }
  fingerprint f;
  for (auto c : consumers)
    f.combine(c->fingerprint());
  const auto t = runner->totals();
  print(fmt::format("chain {} drain {}G", o.policy, drain_bps / 1'000'000'000), threads, hops, wall,
        processor_seconds() - cpu, std::chrono::duration<double>(started - begin).count(),
        t.parcels, t.wants, t.activations, t.recoveries, dropped, stops, f.value());
}

node plain(std::string name, decltype(node::as) as, hop_policy policy) {
  node n;
  n.name = std::move(name);
  n.as = std::move(as);
  // PFC is for wires; inside a host it is on/off then.
  const bool wire_only = policy == hop_policy::pfc || policy == hop_policy::ib_credit;
  const auto inside = wire_only ? hop_policy::on_off : policy;
  n.flow_control = {inside, inside, inside, inside, inside, inside, inside, inside, policy, {}, {}};
  n.flow_control.pfc.priorities = 1;
  return n;
}

scenario fabric(const settings& o, const std::string& shape) {
  const auto policy = o.policy == "on_off"      ? hop_policy::on_off
                      : o.policy == "pfc"       ? hop_policy::pfc
                      : o.policy == "ib_credit" ? hop_policy::ib_credit
                                                : hop_policy::none;
  const bool full = o.kind == "full";
  scenario s;
  s.name = shape;
  s.until_traffic_done = true;
  const auto n = o.hosts;
  constexpr std::uint64_t rate = 25'000'000'000;
  const auto connect = [&](const std::string& a, const std::string& ap, const std::string& b,
                           const std::string& bp, std::uint64_t bps) {
    sluice::link l;
    l.a = {a, ap};
    l.b = {b, bp};
    l.rate_bps = bps;
    s.links.push_back(l);
  };
  std::vector<std::string> senders, receivers;
  const auto attach = [&](std::size_t i, const std::string& to) {
    if (full) {
      host_settings h;
      h.vms.push_back({});
      h.vms[0].name = "v";
      s.nodes.push_back(plain(fmt::format("h{}", i), h, policy));
      connect(fmt::format("h{}", i), "nic0", to, fmt::format("p{}", i), rate);
      senders.push_back(fmt::format("h{}/v", i));
      receivers.push_back(senders.back());
    } else {
      s.nodes.push_back(plain(fmt::format("g{}", i), generator_settings{}, policy));
      s.nodes.push_back(plain(fmt::format("s{}", i), sink_settings{}, policy));
      connect(fmt::format("g{}", i), "p", to, fmt::format("g{}", i), rate);
      connect(fmt::format("s{}", i), "p", to, fmt::format("s{}", i), rate);
      senders.push_back(fmt::format("g{}", i));
      receivers.push_back(fmt::format("s{}", i));
    }
  };
  if (shape == "leaf-spine") {
    const std::size_t leaves = std::max<std::size_t>(2, n / 32), spines = 16;
    for (std::size_t l = 0; l < leaves; ++l)
      s.nodes.push_back(
          plain(fmt::format("leaf{}", l), switch_settings{.buffer_bytes = 8 << 20}, policy));
    for (std::size_t l = 0; l < spines; ++l)
      s.nodes.push_back(
          plain(fmt::format("spine{}", l), switch_settings{.buffer_bytes = 8 << 20}, policy));
    for (std::size_t i = 0; i < n; ++i)
      attach(i, fmt::format("leaf{}", i * leaves / n));
    for (std::size_t l = 0; l < leaves; ++l)
      for (std::size_t p = 0; p < spines; ++p)
        connect(fmt::format("leaf{}", l), fmt::format("u{}", p), fmt::format("spine{}", p),
                fmt::format("d{}", l), 100'000'000'000);
  } else {
    // As much buffer a port as the sketches had: stop at 48 kB, start at 24 kB.
    switch_settings sw;
    sw.port_queue_bytes = 96'000;
    auto node = plain("sw", sw, policy);
    node.flow_control.on_off.stop = queue_limit{48'000, queue_limit::unit::bytes};
    node.flow_control.on_off.start = queue_limit{24'000, queue_limit::unit::bytes};
    if (!o.shared) {
      node.flow_control.pfc.xoff = 48'000;
      node.flow_control.pfc.xon = 24'000;
    }
    if (o.shared) {
      std::get<switch_settings>(node.as).shared.emplace();
      std::get<switch_settings>(node.as).buffer_bytes = static_cast<std::int64_t>(n) * 96'000;
    }
    if (policy == hop_policy::none)
      std::get<switch_settings>(node.as).port_queue_bytes = 2'000'000;
    s.nodes.push_back(node);
    for (std::size_t i = 0; i < n; ++i)
      attach(i, "sw");
  }
  traffic_entry t;
  generate_settings g;
  g.size_bytes = o.size;
  g.share_ppm = o.load * 10'000;
  g.packets = o.packets / n;
  t.what = g;
  if (shape == "permutation") {
    for (std::size_t i = 0; i < n; ++i) {
      t.name = fmt::format("t{}", i);
      t.from = {senders[i]};
      t.to = {receivers[(i + 1) % n]};
      t.start = static_cast<sim_time>(i) * 37 * nanosecond;
      s.traffic.push_back(t);
    }
  } else {
    t.name = "t";
    t.from = senders;
    t.to = shape == "incast" ? std::vector<std::string>{receivers[0]} : receivers;
    if (full && shape == "incast")
      t.from.erase(t.from.begin());
    s.traffic.push_back(t);
  }
  return s;
}

void run_fabric(const settings& o, const std::string& shape, unsigned threads) {
  const auto s = fabric(o, shape);
  run_options r;
  r.threads = threads;
  const auto cpu = processor_seconds();
  const auto x = run(s, r);
  std::uint64_t stops = 0;
  for (const auto& p : x.pauses)
    stops += p.sent;
  print(fmt::format("{} {} {} {}{}", shape, o.hosts, o.kind, o.policy, o.shared ? " shared" : ""),
        threads, x.packet_hops, x.wall_seconds, processor_seconds() - cpu - x.setup_seconds,
        x.setup_seconds, x.engine.parcels, x.engine.wants, x.engine.activations,
        x.engine.recoveries, x.dropped.packets, stops, x.fingerprint);
  for (const auto& v : x.violations)
    fmt::print("  VIOLATION: {}\n", v);
  if (x.held.packets != 0)
    fmt::print("  {} packets held at the end\n", x.held.packets);
}

}  // namespace

int main(int argc, char** argv) {
  settings o;
  CLI::App app{"Engine benchmarks"};
  app.add_option("--shape", o.shape,
                 "chain, slow-chain, permutation, random, incast, leaf-spine, all");
  app.add_option("--hosts", o.hosts);
  app.add_option("--kind", o.kind)->check(CLI::IsMember({"bare", "full"}));
  app.add_option("--policy", o.policy)
      ->check(CLI::IsMember({"on_off", "pfc", "ib_credit", "none"}));
  app.add_flag("--shared", o.shared, "one memory for all ports of the switch, with pfc or none");
  app.add_option("--packets", o.packets);
  app.add_option("--threads", o.threads)->delimiter(',');
  app.add_option("--load", o.load, "percent of each sender's line");
  app.add_option("--size", o.size, "frame bytes");
  app.add_option("--repeat", o.repeat);
  CLI11_PARSE(app, argc, argv);
  for (unsigned k = 0; k < o.repeat; ++k)
    for (const auto threads : o.threads) {
      const auto want = [&](const char* s) { return o.shape == "all" || o.shape == s; };
      if (want("chain"))
        chain(o, threads, 10'000'000'000);
      if (want("slow-chain"))
        chain(o, threads, 5'000'000'000);
      for (const char* s : {"permutation", "random", "incast", "leaf-spine"})
        if (want(s))
          run_fabric(o, s, threads);
    }
}
