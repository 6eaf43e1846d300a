/// \file
/// Credit lists between two VMs: every way of deciding when a list goes, over round trips from 1 us
/// to 1 ms, with smooth, bursty and captured traffic; beside a window as TCP has. How much gets
/// through, how long the sender waits for credits, how many lists it takes, what is outstanding and
/// wasted.
///
///     bench_credits [--rtt US ...] [--traffic smooth|bursty|captured|all] [--work NS]
///                   [--buffers N] [--capture FILE] [--clients N] [--lists N] [--threads N]
///     bench_credits --pair [--buffers N] [--threads N] [--packets N]
///
/// --pair: nothing but the two endpoints, applications and both sides of the credit lists, and a
/// wire of 1 us between them: how many packets a second of wall time.
///
/// Figures and how they were made are in docs/credit-lists.md and docs/performance.md.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <chrono>
#include <string>
#include <vector>

#include "actors/credits/credit_receiver.hpp"
#include "actors/credits/credit_sender.hpp"
#include "actors/engine/executor.hpp"
#include "actors/guest/consumer.hpp"
#include "actors/guest/producer.hpp"
#include "topology/builder_parts.hpp"
#include "topology/run.hpp"
#include "traffic/generator.hpp"

namespace {

using namespace sluice;

struct settings {
  std::vector<unsigned> rtt_us{1, 10, 100, 1000};
  std::string traffic = "all", capture;
  unsigned work_ns = 1000, buffers = 256, clients = 1, threads = 2, lists = 1;
  bool pair = false;
  std::uint64_t packets = 20'000'000;
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

// One endpoint sends to another all that its credits allow.
void measure_pair(const settings& o, const mode& m) {
  constexpr std::uint32_t frame = 1514;
  const line_rate line{100'000'000'000};
  const auto packets_of_request = 11;
  producer_config from{.name = "sender", .node = "a", .endpoint = 0};
  from.line = steady(memory_bps, no_overhead);
  producer application{std::move(from)};
  generator_config traffic;
  traffic.settings.size_bytes = packets_of_request * frame;
  traffic.settings.rate_bps = 95'000'000'000;
  traffic.settings.packets = o.packets / packets_of_request;
  traffic.destinations = {1};
  application.add({make_generator(traffic), 0});
  credit_connection c;
  c.flow = 0;
  c.from = 0;
  c.to = 1;
  c.lists.when = m.when;
  c.lists.most = c.lists.first_list = std::min(o.buffers, 366u);
  c.lists.lists = o.lists;
  c.lists.round_trip = 2 * microsecond;
  c.window_bytes = m.window ? std::int64_t{o.buffers} * frame : 0;
  c.largest = frame;
  c.buffers = o.buffers;
  c.least = c.most = frame;
  c.work = 50 * nanosecond;
  c.per_list = microsecond;
  c.post = 10 * nanosecond;
  credit_sender_config s{.name = "lists-in", .node = "a", .endpoint = 0, .line = line};
  s.overhead = ethernet_overhead_bytes;
  s.places = 64;
  s.largest = frame;
  s.connections = {c};
  credit_sender sender{std::move(s)};
  credit_receiver receiver{{"lists-out", "b", false, {c}}};
  consumer reader{"receiver", "b"};
  std::vector<cell*> all{&application, &sender, &receiver, &reader};
  for (cell_index i = 0; i < all.size(); ++i) {
    all[i]->index(i);
    all[i]->window(4096);
  }
  join(application, sender, nanosecond, nanosecond);
  room::config queue;
  queue.checked = true;
  queue.stop = {buffer_limit::unlimited, 64};
  queue.start = {buffer_limit::unlimited, 63};
  application.check_room(queue);
  join(sender, receiver, microsecond, microsecond);
  join(receiver, reader, nanosecond, nanosecond);
  join(sender, receiver, nanosecond, microsecond);
  sender.listen(0, sender.last_output());
  receiver.speak(0, receiver.last_input(), 0);
  const auto executor = make_caf_executor(all, o.threads);
  const auto begin = std::chrono::steady_clock::now();
  sim_time now = 0;
  while (executor->next_event() < never)
    executor->run_until(now += 20 * millisecond);
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begin;
  const auto& delivered = reader.flows().at(0).delivered;
  credit_counts counts;
  receiver.tell(0, counts);
  fmt::print(
      "{:<10} {} packets, {:.2f} Gbit/s, {} lists, {:.2f} million packets/s, fingerprint "
      "{:016x}\n",
      m.name, delivered.packets,
      static_cast<double>(delivered.bytes) * 8e3 / static_cast<double>(reader.last_delivery()),
      counts.lists, static_cast<double>(delivered.packets) / wall.count() / 1e6,
      reader.fingerprint());
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
  app.add_flag("--pair", o.pair, "only the two endpoints");
  app.add_option("--packets", o.packets, "with --pair");
  CLI11_PARSE(app, argc, argv);
  if (o.pair) {
    for (const auto& m : modes)
      measure_pair(o, m);
    return 0;
  }
  for (const std::string traffic : {"smooth", "bursty", "captured"})
    if ((o.traffic == "all" || o.traffic == traffic)
        && (traffic != "captured" || !o.capture.empty()))
      for (const auto rtt : o.rtt_us)
        for (const auto& m : modes)
          report(o, m, rtt, traffic);
}
