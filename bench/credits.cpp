/// \file
/// Credit lists between two VMs: every way of deciding when a list goes, over round trips from 1 us
/// to 1 ms, with smooth, bursty and captured traffic; beside a window as TCP has. How much gets
/// through, how long the sender waits for credits, how many lists it takes, what is outstanding and
/// wasted.
///
///     bench_credits [--rtt US ...] [--traffic smooth|bursty|captured|all] [--work NS] [--buffers
///     N]
///                   [--capture FILE] [--clients N] [--lists N] [--threads N]
///
/// Figures and how they were made are in docs/credit-lists.md and docs/performance.md.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <string>
#include <vector>

#include "topology/run.hpp"

namespace {

using namespace sluice;

struct settings {
  std::vector<unsigned> rtt_us{1, 10, 100, 1000};
  std::string traffic = "all", capture;
  unsigned work_ns = 1000, buffers = 256, clients = 1, threads = 2, lists = 1;
};

struct mode {
  const char* name;
  credit_builder::trigger when;
  bool window = false;
};
using trigger = credit_builder::trigger;
constexpr mode modes[] = {{"first", trigger::first},         {"middle", trigger::middle},
                          {"last", trigger::last},           {"adaptive", trigger::adaptive},
                          {"timed", trigger::timed},         {"predictive", trigger::predictive},
                          {"switching", trigger::switching}, {"window", trigger::first, true}};

scenario make(const settings& o, const mode& m, unsigned rtt_us, const std::string& traffic) {
  scenario s;
  s.until_traffic_done = true;
  s.duration = 10 * second;
  const auto host = [&](const std::string& name, unsigned vms) {
    host_settings h;
    for (unsigned v = 0; v < vms; ++v) {
      h.vms.emplace_back();
      h.vms.back().name = fmt::format("v{}", v);
    }
    node n;
    n.name = name;
    n.as = h;
    return n;
  };
  s.nodes = {host("a", o.clients), host("b", 1)};
  sluice::link l;
  l.a = {"a", "p"};
  l.b = {"b", "p"};
  l.rate_bps = 10'000'000'000;
  l.delay = rtt_us * microsecond / 2;
  s.links = {l};
  traffic_entry t;
  t.name = "t";
  for (unsigned v = 0; v < o.clients; ++v)
    t.from.push_back(fmt::format("a/v{}", v));
  t.to = {"b/v0"};
  auto& c = t.credits.emplace();
  c.when = m.when;
  c.window_bytes = m.window ? std::int64_t{o.buffers} * 1514 : 0;
  c.buffers = o.buffers;
  c.lists = o.lists;
  c.work = o.work_ns * nanosecond;
  c.latency = rtt_us * microsecond / 2;
  if (traffic == "captured") {
    replay_settings r;
    r.file = o.capture;
    r.timing.how = replay_timing::mode::speed;
    r.timing.speed_num = 10;
    r.timing.repeat = 8;
    t.what = r;
  } else {
    generate_settings g;
    g.size_bytes = 16'000;
    g.rate_bps = 9'000'000'000 / o.clients;
    g.packets = 4'000 / o.clients;
    if (traffic == "bursty") {
      g.arrivals = arrival_process::burst;
      g.burst_packets = 64;
      g.rate_bps = 5'000'000'000 / o.clients;
    }
    t.what = g;
  }
  s.traffic = {t};
  return s;
}

void report(const settings& o, const mode& m, unsigned rtt_us, const std::string& traffic) {
  run_options options;
  options.threads = o.threads;
  const auto s = make(o, m, rtt_us, traffic);
  const auto r = run(s, options);
  credit_counts sum;
  for (const auto& c : r.credit_lists) {
    sum.lists += c.counts.lists;
    sum.credits += c.counts.credits;
    sum.wasted_bytes += c.counts.wasted_bytes;
    sum.stalled += c.counts.stalled;
    sum.most_outstanding = std::max(sum.most_outstanding, c.counts.most_outstanding);
    sum.broken = sum.broken || c.counts.broken;
  }
  const auto seconds = static_cast<double>(r.virtual_time) / 1e12;
  fmt::print(
      "{:<9} {:>5} us  {:<10} {:>6.2f} Gbit/s  stalled {:>5.1f}%  p99 {:>8.1f} us  lists {:>6}  "
      "outstanding {:>4}  wasted {:>4.1f}%  copies {}  {:.2f} million packets/s  {}{}\n",
      traffic, rtt_us, m.name, static_cast<double>(r.delivered.bytes) * 8 / seconds / 1e9,
      100 * static_cast<double>(sum.stalled) / static_cast<double>(r.virtual_time) / o.clients,
      static_cast<double>(r.flows[0].latency.quantile(0.99)) / 1e6, sum.lists, sum.most_outstanding,
      100 * static_cast<double>(sum.wasted_bytes)
          / static_cast<double>(sum.wasted_bytes + r.delivered.bytes),
      m.window ? 3 : 1, static_cast<double>(r.delivered.packets) / r.wall_seconds / 1e6,
      r.violations.empty() ? "conserved" : "VIOLATED", sum.broken ? "  BROKEN" : "");
}

}  // namespace

int main(int argc, char** argv) {
  settings o;
  CLI::App app{"Credit lists: modes, round trips, traffic"};
  app.add_option("--rtt", o.rtt_us, "microseconds");
  app.add_option("--traffic", o.traffic, "smooth, bursty, captured, all");
  app.add_option("--capture", o.capture, "to replay; without one captured traffic is left out");
  app.add_option("--work", o.work_ns, "of the application, nanoseconds a buffer");
  app.add_option("--buffers", o.buffers);
  app.add_option("--clients", o.clients);
  app.add_option("--lists", o.lists, "buffers of the sender for lists");
  app.add_option("--threads", o.threads);
  CLI11_PARSE(app, argc, argv);
  for (const std::string traffic : {"smooth", "bursty", "captured"})
    if ((o.traffic == "all" || o.traffic == traffic)
        && (traffic != "captured" || !o.capture.empty()))
      for (const auto rtt : o.rtt_us)
        for (const auto& m : modes)
          report(o, m, rtt, traffic);
}
