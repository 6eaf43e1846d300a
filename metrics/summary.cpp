#include "metrics/summary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "metrics/text.hpp"

namespace sluice {

namespace {

using nlohmann::json;

double hops_per_second(const run_results& run) {
  return run.wall_seconds > 0 ? static_cast<double>(run.packet_hops) / run.wall_seconds : 0.0;
}

double goodput_bps(const flow_result& flow, const run_results& run) {
  return run.virtual_time > 0
             ? 8 * static_cast<double>(flow.delivered.bytes) / seconds_of(run.virtual_time)
             : 0.0;
}

/// Nearest whole nanosecond.
std::int64_t nanoseconds(double ps) {
  return std::llround(ps / static_cast<double>(nanosecond));
}

/// A measured count stays a whole number in JSON.
json number(double value) {
  constexpr double exact = 9007199254740992;  // 2^53
  if (value == std::floor(value) && std::fabs(value) < exact)
    return static_cast<std::int64_t>(value);
  return value;
}

struct drop_row {
  std::string_view component;
  drop_reason reason;
  unsigned priority;
  tally lost;
};

std::vector<drop_row> drop_rows(const run_results& run) {
  std::vector<drop_row> rows;
  for (const auto& c : run.components)
    for (std::size_t reason = 0; reason < drop_reasons; ++reason)
      for (unsigned priority = 0; priority < max_priorities; ++priority)
        if (const auto& lost = c.counters.dropped.of(static_cast<drop_reason>(reason), priority);
            lost.packets != 0)
          rows.push_back({c.name, static_cast<drop_reason>(reason), priority, lost});
  return rows;
}

json component_json(const component_counters& n) {
  return {{"in", n.in.packets + n.made.packets},
          {"out", n.out.packets + n.consumed.packets},
          {"out_bytes", n.out.bytes + n.consumed.bytes},
          {"dropped", n.dropped_total().packets},
          {"held", n.held.packets},
          {"max_bytes", n.max_bytes},
          {"marked", n.marked},
          {"sleeps", n.stops_received},
          {"wake_ups", n.wake_ups},
          {"pushes", n.pushes},
          {"pulls", n.pulls}};
}

json replay_json(const replay_result& r) {
  return {{"flow", r.flow},
          {"file", r.file},
          {"packets", r.packets},
          {"bytes", r.bytes},
          {"filtered", r.filtered},
          {"unmapped", r.unmapped},
          {"sliced", r.sliced},
          {"oversize", r.oversize},
          {"split_into", r.split_into},
          {"backward", r.backward},
          {"not_ethernet", r.not_ethernet}};
}

json tally_json(const tally& t) {
  return {{"packets", t.packets}, {"bytes", t.bytes}};
}

json aggregation_json(const aggregation_result& a) {
  json ports = json::array(), partitions = json::array();
  for (const auto& p : a.ports)
    ports.push_back({{"port", p.name},
                     {"leaves", p.leaves},
                     {"returns", p.returns},
                     {"purged", tally_json(p.purged)}});
  for (const auto& x : a.partitions) {
    json sent = json::object();
    for (std::size_t i = 0; i < a.ports.size(); ++i)
      if (x.in_set[i])
        sent[a.ports[i].name] = tally_json(x.sent[i]);
    partitions.push_back({{"partition", x.name},
                          {"sent", std::move(sent)},
                          {"flows", x.flows},
                          {"moves", x.moves},
                          {"lost", tally_json(x.lost)}});
  }
  return {{"node", a.node}, {"ports", std::move(ports)}, {"partitions", std::move(partitions)}};
}

constexpr std::size_t table_rows = 20;  // longer tables hide what matters

std::string more_rows(std::size_t all, std::string_view what) {
  return all <= table_rows ? std::string{}
                           : fmt::format("  ... and {} more {} (all are in the JSON summary)\n",
                                         all - table_rows, what);
}

std::string section(std::string_view title, const text_table& table) {
  return fmt::format("\n{}\n{}", title, table.to_string());
}

std::string verdict(const run_results& run, std::span<const expectation_result> expectations) {
  const auto failed = std::ranges::count_if(expectations, [](const auto& e) { return !e.ok; });
  const auto kept = expectations.empty() ? std::string{"no expectations"}
                    : failed == 0 ? fmt::format("all {} expectations held", expectations.size())
                                  : fmt::format("{} of {} expectations did not hold", failed,
                                                expectations.size());
  switch (exit_code_of(run, expectations)) {
    case 4:
      return fmt::format("FAILED  {}: {} violations, listed at the end", run.scenario,
                         run.violations.size());
    case 130:
      return fmt::format("INTERRUPTED  {}: at {} of virtual time; {}", run.scenario,
                         human_time_ps(run.virtual_time), kept);
    case 1:
      return fmt::format("FAILED  {}: {}", run.scenario, kept);
    default:
      return fmt::format("OK  {}: {}", run.scenario, kept);
  }
}

std::string packets_section(const run_results& run) {
  text_table table{{"", "made", "delivered", "dropped", "held"}};
  const auto made = static_cast<double>(run.made.packets);
  table.row({"packets", human_count(run.made.packets), human_count(run.delivered.packets),
             human_count(run.dropped.packets), human_count(run.held.packets)});
  table.row({"share", "", human_share(static_cast<double>(run.delivered.packets), made),
             human_share(static_cast<double>(run.dropped.packets), made),
             human_share(static_cast<double>(run.held.packets), made)});
  const auto size = [](const tally& t) { return human_bytes(static_cast<double>(t.bytes)); };
  table.row({"bytes", size(run.made), size(run.delivered), size(run.dropped), size(run.held)});
  return '\n' + table.to_string();
}

std::string flows_section(const run_results& run) {
  if (run.flows.empty())
    return "\nno flows\n";
  text_table table{
      {"flow", "made", "delivered", "dropped", "p50", "p99", "p99.9", "max", "goodput"}};
  for (std::size_t i = 0; i < std::min(table_rows, run.flows.size()); ++i) {
    const auto& flow = run.flows[i];
    const auto time = [&](sim_time t) {
      return flow.latency.count() == 0 ? std::string{"-"} : human_time_ps(t);
    };
    table.row({flow.name, human_count(flow.made.packets),
               human_share(static_cast<double>(flow.delivered.packets),
                           static_cast<double>(flow.made.packets)),
               human_count(flow.dropped.packets), time(flow.latency.quantile(0.5)),
               time(flow.latency.quantile(0.99)), time(flow.latency.quantile(0.999)),
               time(flow.latency.max()), human_rate(goodput_bps(flow, run))});
  }
  return section("flows (latency from due to consumed)", table)
         + more_rows(run.flows.size(), "flows");
}

std::string drops_section(const run_results& run) {
  auto rows = drop_rows(run);
  if (rows.empty())
    return "\nno packet was dropped\n";
  std::ranges::stable_sort(rows, std::greater{}, [](const auto& r) { return r.lost.packets; });
  using enum text_table::align;
  text_table table{{"dropped at", "reason", "priority", "packets", "bytes"},
                   {left, left, right, right, right}};
  for (std::size_t i = 0; i < std::min(table_rows, rows.size()); ++i)
    table.row({std::string{rows[i].component}, std::string{name_of(rows[i].reason)},
               std::to_string(rows[i].priority), human_count(rows[i].lost.packets),
               human_bytes(static_cast<double>(rows[i].lost.bytes))});
  return '\n' + table.to_string() + more_rows(rows.size(), "places");
}

bool ever_stopped(const pause_result& p) {
  return p.sent != 0 || p.received != 0 || p.paused != 0;
}

/// Why did they not stop? How close those came that never did, the closest first.
std::string never_stopped(const run_results& run) {
  std::vector<const pause_result*> rows;
  for (const auto& p : run.pauses)
    if (!ever_stopped(p) && p.closest > 0)
      rows.push_back(&p);
  std::ranges::stable_sort(rows, std::greater{}, [](const auto* p) { return p->closest; });
  constexpr std::size_t most = 3;
  std::string out;
  for (std::size_t i = 0; i < std::min(most, rows.size()); ++i)
    out += fmt::format("{}{} at {}", i == 0 ? "" : ", ", rows[i]->on,
                       human_share(rows[i]->closest, 1));
  return out.empty() ? out
                     : fmt::format("  never stopped a sender, of their threshold: {}{}\n", out,
                                   rows.size() > most ? ", others less" : "");
}

std::string stops_section(const run_results& run) {
  if (run.pauses.empty())
    return "\nno hop has flow control\n";
  std::vector<const pause_result*> rows;
  for (const auto& p : run.pauses)
    if (ever_stopped(p))
      rows.push_back(&p);
  if (rows.empty())
    return fmt::format("\nno sender was stopped ({} hops have flow control)\n{}", run.pauses.size(),
                       never_stopped(run));
  std::ranges::stable_sort(rows, std::greater{}, [](const auto* p) { return p->paused; });
  using enum text_table::align;
  text_table table{
      {"senders stopped by", "priority", "stops sent", "received", "stopped for", "share"},
      {left, right, right, right, right, right}};
  for (std::size_t i = 0; i < std::min(table_rows, rows.size()); ++i) {
    const auto& p = *rows[i];
    table.row({p.on, p.priority < 0 ? "all" : std::to_string(p.priority), human_count(p.sent),
               human_count(p.received), human_time_ps(p.paused),
               human_share(static_cast<double>(p.paused), static_cast<double>(run.virtual_time))});
  }
  return '\n' + table.to_string() + more_rows(rows.size(), "hops") + never_stopped(run);
}

std::string deadlock_section(const run_results& run) {
  return run.deadlock ? fmt::format("\nDEADLOCK {}\n", deadlock_text(*run.deadlock))
                      : std::string{};
}

/// Where packets were marked as congested, and how many of those that went through.
std::string marks_section(const run_results& run) {
  std::vector<const component_result*> rows;
  for (const auto& c : run.components)
    if (c.counters.marked != 0)
      rows.push_back(&c);
  if (rows.empty())
    return {};
  std::ranges::stable_sort(rows, std::greater{}, [](const auto* c) { return c->counters.marked; });
  using enum text_table::align;
  text_table table{{"marked at", "packets", "share"}, {left, right, right}};
  for (std::size_t i = 0; i < std::min(table_rows, rows.size()); ++i) {
    const auto& n = rows[i]->counters;
    table.row({rows[i]->name, human_count(n.marked),
               human_share(static_cast<double>(n.marked), static_cast<double>(n.in.packets))});
  }
  return '\n' + table.to_string() + more_rows(rows.size(), "queues");
}

/// Sources with a regulated rate that were slowed down.
std::string rates_section(const run_results& run) {
  std::vector<const rate_result*> rows;
  for (const auto& r : run.rates)
    if (r.notifications != 0)
      rows.push_back(&r);
  if (rows.empty())
    return {};
  std::ranges::stable_sort(rows, std::less{}, [](const auto* r) { return r->lowest_bps; });
  using enum text_table::align;
  text_table table{{"rate of", "notifications", "lowest", "at the end"},
                   {left, right, right, right}};
  for (std::size_t i = 0; i < std::min(table_rows, rows.size()); ++i)
    table.row({rows[i]->source, human_count(rows[i]->notifications),
               human_rate(static_cast<double>(rows[i]->lowest_bps)),
               human_rate(static_cast<double>(rows[i]->bps))});
  return '\n' + table.to_string() + more_rows(rows.size(), "sources");
}

/// What the engines of elastic-FIFO routers did.
std::string routers_section(const run_results& run) {
  if (run.routers.empty())
    return {};
  using enum text_table::align;
  text_table table{
      {"router of", "direct", "refused", "special", "most waiting", "of one VM", "FIFO at most"},
      {left, right, right, right, right, right, right}};
  text_table buffers{{"buffers of", "of", "at most", "at the end", "grew", "shrank"},
                     {left, left, right, right, right, right}};
  for (std::size_t i = 0; i < std::min(table_rows, run.routers.size()); ++i) {
    const auto& r = run.routers[i];
    table.row({r.host, human_count(r.direct), human_count(r.refused), human_count(r.special),
               human_count(r.most_waiting), human_count(r.longest_queue),
               human_bytes(static_cast<double>(r.most_footprint))});
    for (const auto& p : r.pools)
      buffers.row({r.host, p.name, human_count(p.most), human_count(p.total), human_count(p.grown),
                   human_count(p.shrunk)});
  }
  return '\n' + table.to_string() + more_rows(run.routers.size(), "routers") + '\n'
         + buffers.to_string();
}

/// Pools of mbufs, and the chains in them, those first that lost or held the most.
std::string mbufs_section(const run_results& run) {
  if (run.mbufs.empty())
    return {};
  using enum text_table::align;
  text_table pools{{"mbufs of", "pool", "at most", "at the end", "over limit", "no mbufs"},
                   {left, right, right, right, right, right}};
  struct row {
    const mbuf_result* pool;
    const mbuf_result::chain* chain;
  };
  std::vector<row> rows;
  for (const auto& m : run.mbufs) {
    std::uint64_t over_limit = 0, exhausted = 0;
    for (const auto& c : m.chains) {
      over_limit += c.over_limit;
      exhausted += c.exhausted;
      if (c.packets != 0)
        rows.push_back({&m, &c});
    }
    if (&m - run.mbufs.data() < static_cast<std::ptrdiff_t>(table_rows))
      pools.row({m.of, human_bytes(static_cast<double>(m.pool)),
                 human_bytes(static_cast<double>(m.most_held)),
                 human_bytes(static_cast<double>(m.held)), human_count(over_limit),
                 human_count(exhausted)});
  }
  std::ranges::stable_sort(rows, std::greater{}, [](const row& r) {
    return std::pair{r.chain->over_limit + r.chain->exhausted, r.chain->most_held};
  });
  text_table chains{{"chain of", "at", "held at most", "limit", "lowest", "lowered", "raised",
                     "over limit", "no mbufs"},
                    {left, left, right, right, right, right, right, right, right}};
  for (std::size_t i = 0; i < std::min(table_rows, rows.size()); ++i) {
    const auto& [m, c] = rows[i];
    const auto limit = [&](std::int64_t bytes) {
      return m->limited ? human_bytes(static_cast<double>(bytes)) : std::string{"-"};
    };
    chains.row({c->remote, m->of, human_bytes(static_cast<double>(c->most_held)), limit(c->limit),
                limit(c->lowest_limit), human_count(c->lowered), human_count(c->raised),
                human_count(c->over_limit), human_count(c->exhausted)});
  }
  return '\n' + pools.to_string() + more_rows(run.mbufs.size(), "pools") + '\n' + chains.to_string()
         + more_rows(rows.size(), "chains");
}

std::string taps_section(const run_results& run) {
  using enum text_table::align;
  if (run.taps.empty())
    return {};
  text_table table{{"tap on", "saw", "wrote", "into"}, {left, right, right, left}};
  for (const auto& t : run.taps)
    table.row({t.on, human_count(t.seen), human_count(t.written),
               t.file == "-" ? "the standard output" : t.file});
  return '\n' + table.to_string() + '\n';
}

/// Connections with credit lists, those first that stalled the longest.
std::string credit_lists_section(const run_results& run) {
  if (run.credit_lists.empty())
    return {};
  std::vector<const credit_lists_result*> rows;
  for (const auto& c : run.credit_lists)
    rows.push_back(&c);
  std::ranges::stable_sort(rows, std::greater{}, [](const auto* c) { return c->counts.stalled; });
  using enum text_table::align;
  text_table table{
      {"credit lists to", "for", "lists", "credits", "outstanding", "wasted", "stalled for", ""},
      {left, left, right, right, right, right, right, left}};
  for (std::size_t i = 0; i < std::min(table_rows, rows.size()); ++i) {
    const auto& c = *rows[i];
    table.row({c.from, c.flow.empty() ? c.to : c.flow, human_count(c.counts.lists),
               human_count(c.counts.credits), human_count(c.counts.most_outstanding),
               human_bytes(static_cast<double>(c.counts.wasted_bytes)),
               human_time_ps(c.counts.stalled), c.counts.broken ? "BROKEN" : ""});
  }
  return '\n' + table.to_string() + more_rows(rows.size(), "senders with credits");
}

/// Which ports partitions took, in each switch that aggregates links.
std::string aggregation_section(const run_results& run) {
  std::string out;
  using enum text_table::align;
  for (const auto& a : run.aggregations) {
    text_table table{
        {"aggregated at " + a.node, "port", "packets", "bytes", "flows", "moves", "lost"},
        {left, left, right, right, right, right, right}};
    std::size_t rows = 0;
    for (std::size_t p = 0; p < std::min(table_rows, a.partitions.size()); ++p) {
      const auto& x = a.partitions[p];
      bool first = true;
      for (std::size_t i = 0; i < a.ports.size(); ++i)
        if (x.in_set[i]) {
          table.row({first ? x.name : "", a.ports[i].name, human_count(x.sent[i].packets),
                     human_bytes(static_cast<double>(x.sent[i].bytes)),
                     first ? human_count(x.flows) : "", first ? human_count(x.moves) : "",
                     first ? human_count(x.lost.packets) : ""});
          first = false;
        }
    }
    out += '\n' + table.to_string() + more_rows(a.partitions.size(), "partitions");
    text_table left_sets{{"port left its sets", "times", "came back", "packets purged"},
                         {left, right, right, right}};
    for (const auto& p : a.ports)
      if (p.leaves != 0 && rows++ < table_rows)
        left_sets.row(
            {p.name, human_count(p.leaves), human_count(p.returns), human_count(p.purged.packets)});
    if (rows != 0)
      out += '\n' + left_sets.to_string() + more_rows(rows, "ports");
  }
  return out;
}

/// What NICs have read from their hosts' memories.
std::string dma_section(const run_results& run) {
  if (run.dma.empty())
    return {};
  using enum text_table::align;
  text_table table{{"read by DMA from", "packets", "operations", "descriptor reads", "bus down",
                    "bus up", "bytes a packet"},
                   {left, right, right, right, right, right, right}};
  for (std::size_t i = 0; i < std::min(table_rows, run.dma.size()); ++i) {
    const auto& d = run.dma[i];
    table.row({d.from, human_count(d.packets), human_count(d.operations), human_count(d.fetches),
               human_bytes(static_cast<double>(d.down_bytes)),
               human_bytes(static_cast<double>(d.up_bytes)),
               d.packets == 0 ? "-"
                              : fmt::format("{:.1f}", static_cast<double>(d.down_bytes)
                                                          / static_cast<double>(d.packets))});
  }
  return '\n' + table.to_string() + more_rows(run.dma.size(), "queues");
}

/// A priority of a port that has sent frames to hold its peer, or flow packets for it.
struct frame_line {
  const pause_frames_result* link;
  unsigned priority;
};

/// Of the one or the other, those first that held their peer the longest.
std::vector<frame_line> frame_lines(const run_results& run, bool credits) {
  std::vector<frame_line> rows;
  for (const auto& p : run.pause_frames)
    for (unsigned c = 0; c < max_priorities && p.credits == credits; ++c)
      if (p.sent.priorities[c].frames != 0)
        rows.push_back({&p, c});
  std::ranges::stable_sort(rows, std::greater{},
                           [](const auto& x) { return x.link->had.priorities[x.priority].time; });
  return rows;
}

/// Flow packets by port and lane: who sent how many, and how long the other side waited for
/// credits.
std::string credits_section(const run_results& run) {
  const auto rows = frame_lines(run, true);
  if (rows.empty())
    return {};
  using enum text_table::align;
  text_table table{
      {"flow packets", "to", "lane", "sent", "received", "waits", "waited for", "share"},
      {left, left, right, right, right, right, right, right}};
  for (std::size_t i = 0; i < std::min(table_rows, rows.size()); ++i) {
    const auto& [link, c] = rows[i];
    const auto& had = link->had.priorities[c];
    table.row({link->from, link->to, std::to_string(c),
               human_count(link->sent.priorities[c].frames), human_count(had.frames),
               human_count(had.transitions), human_time_ps(had.time),
               human_share(static_cast<double>(had.time), static_cast<double>(run.virtual_time))});
  }
  return '\n' + table.to_string() + more_rows(rows.size(), "lanes of ports");
}

/// PFC frames by port and priority: who sent how many, and what they did to the other side.
std::string frames_section(const run_results& run) {
  const auto rows = frame_lines(run, false);
  std::uint64_t ignored = 0, storms = 0;
  for (const auto& p : run.pause_frames) {
    ignored += p.had.ignored;
    for (const auto& x : p.had.priorities)
      storms += x.storms;
  }
  if (rows.empty())
    return {};
  using enum text_table::align;
  text_table table{{"pause frames", "to", "priority", "sent", "received", "quanta", "pauses",
                    "paused for", "share"},
                   {left, left, right, right, right, right, right, right, right}};
  for (std::size_t i = 0; i < std::min(table_rows, rows.size()); ++i) {
    const auto& [link, c] = rows[i];
    const auto& had = link->had.priorities[c];
    table.row({link->from, link->to, std::to_string(c),
               human_count(link->sent.priorities[c].frames), human_count(had.frames),
               human_count(had.quanta), human_count(had.transitions), human_time_ps(had.time),
               human_share(static_cast<double>(had.time), static_cast<double>(run.virtual_time))});
  }
  return '\n' + table.to_string() + more_rows(rows.size(), "priorities of ports")
         + (ignored == 0 ? std::string{}
                         : fmt::format("  {} frames were ignored, for a priority that is not "
                                       "lossless or as PAUSE on a port with PFC\n",
                                       human_count(ignored)))
         + (storms == 0
                ? std::string{}
                : fmt::format("  watchdogs have let go of a priority {}\n",
                              storms == 1 ? "once" : fmt::format("{} times", human_count(storms))));
}

std::string_view state_of(const port_result& p) {
  return p.by_command ? "stopped by command" : p.is_stopped ? "stopped" : "open";
}

/// The state of the network, as the controller has heard.
std::string controller_section(const run_results& run) {
  std::vector<port_result> rows;
  std::ranges::copy_if(run.ports, std::back_inserter(rows),
                       [](const auto& p) { return p.stops != 0 || p.by_command; });
  if (rows.empty())
    return {};
  std::ranges::stable_sort(rows, std::greater{}, &port_result::stopped);
  using enum text_table::align;
  text_table table{{"the controller heard of", "stops", "starts", "stopped for", "at the end"},
                   {left, right, right, right, left}};
  for (std::size_t i = 0; i < std::min(table_rows, rows.size()); ++i) {
    const auto& p = rows[i];
    table.row({p.port, human_count(p.stops), human_count(p.starts), human_time_ps(p.stopped),
               std::string{state_of(p)}});
  }
  return '\n' + table.to_string() + more_rows(rows.size(), "ports");
}

/// Only what needs to be known: a capture that was replayed whole needs no words.
std::string replays_section(const run_results& run) {
  std::string out;
  for (const auto& r : run.replays) {
    std::vector<std::string> notes;
    const auto note = [&](std::uint64_t n, std::string_view what) {
      if (n != 0)
        notes.push_back(fmt::format("{} {}", human_count(n), what));
    };
    note(r.filtered, "left out by the filter");
    note(r.unmapped, "matched no address of the map");
    note(r.not_ethernet, "of another link type than Ethernet");
    note(r.backward, "with a time stamp before their predecessor's");
    note(r.sliced, "captured shorter than they were");
    if (r.oversize != 0)
      notes.push_back(r.split_into != 0
                          ? fmt::format("{} larger than the MTU, split into {}",
                                        human_count(r.oversize), human_count(r.split_into))
                          : fmt::format("{} larger than the MTU", human_count(r.oversize)));
    out += fmt::format("  {}: {} packets, {} in {}\n", r.flow, human_count(r.packets),
                       human_bytes(static_cast<double>(r.bytes)), r.file);
    for (const auto& n : notes)
      out += fmt::format("    {}\n", n);
  }
  return out.empty() ? out : "\ncaptures replayed\n" + out;
}

std::string expectations_section(std::span<const expectation_result> expectations) {
  if (expectations.empty())
    return {};
  using enum text_table::align;
  text_table table{{"expected", "measured", ""}, {left, right, left}};
  std::string notes;
  for (const auto& e : expectations) {
    table.row({e.text, measured_text(e), e.ok ? "ok" : "NOT MET"});
    if (!e.note.empty())
      notes += fmt::format("  {}: {}\n", e.text, e.note);
  }
  return '\n' + table.to_string() + notes;
}

std::string speed_line(const run_results& run) {
  return fmt::format("{} of virtual time in {} on {} thread{} (set up in {}): {}",
                     human_time_ps(run.virtual_time), human_time(run.wall_seconds), run.threads,
                     run.threads == 1 ? "" : "s", human_time(run.setup_seconds),
                     human_speed(hops_per_second(run)));
}

std::string accounting_section(const run_results& run) {
  std::string out;
  if (run.violations.empty())
    return fmt::format(
        "\nconserved: made {} = delivered {} + dropped {} + held {}, at each of {} "
        "components\n",
        human_count(run.made.packets), human_count(run.delivered.packets),
        human_count(run.dropped.packets), human_count(run.held.packets),
        human_count(run.components.size()));
  out = "\nVIOLATED (a bug in Sluice; please report it with the scenario):\n";
  for (std::size_t i = 0; i < std::min(table_rows, run.violations.size()); ++i)
    out += fmt::format("  {}\n", run.violations[i]);
  return out + more_rows(run.violations.size(), "violations");
}

}  // namespace

int exit_code_of(const run_results& run, std::span<const expectation_result> expectations) {
  if (!run.violations.empty())
    return 4;
  if (run.interrupted)
    return 130;
  return std::ranges::all_of(expectations, &expectation_result::ok) ? 0 : 1;
}

json flow_json(const flow_result& flow, const run_results& run) {
  const auto& l = flow.latency;
  auto blocked = json::array();
  for (const auto& b : flow.blocked_by)
    blocked.push_back({{"component", b.component}, {"share", b.share}});
  const auto percentile = [&](double q) { return nanoseconds(static_cast<double>(l.quantile(q))); };
  return {{"made", flow.made.packets},
          {"delivered", flow.delivered.packets},
          {"dropped", flow.dropped.packets},
          {"held", flow.made.packets - flow.delivered.packets - flow.dropped.packets},
          {"latency_ns",
           {{"min", nanoseconds(static_cast<double>(l.min()))},
            {"mean", nanoseconds(l.mean())},
            {"p50", percentile(0.5)},
            {"p99", percentile(0.99)},
            {"p999", percentile(0.999)},
            {"max", nanoseconds(static_cast<double>(l.max()))}}},
          {"goodput_bps", goodput_bps(flow, run)},
          {"completed_seconds",
           flow.delivered.packets == 0 ? json{} : json(seconds_of(flow.completed))},
          {"marked", flow.marked},
          {"reordered", flow.reordered},
          {"blocked_by", std::move(blocked)}};
}

json expect_json(std::span<const expectation_result> expectations) {
  auto out = json::array();
  for (const auto& e : expectations) {
    json line{
        {"text", e.text}, {"measured", e.measured ? number(*e.measured) : json{}}, {"ok", e.ok}};
    if (!e.note.empty())
      line["note"] = e.note;
    out.push_back(std::move(line));
  }
  return out;
}

json summary_json(const run_results& run, std::span<const expectation_result> expectations,
                  std::string_view version) {
  const auto books = [&](std::uint64_t tally::*part) {
    return json{{"made", run.made.*part},
                {"delivered", run.delivered.*part},
                {"dropped", run.dropped.*part},
                {"held", run.held.*part}};
  };
  json out{{"sluice", version},
           {"scenario", run.scenario},
           {"set", run.set},
           {"seed", run.seed},
           {"clock", run.real_clock ? "real" : "virtual"},
           {"threads", run.threads},
           {"virtual_seconds", seconds_of(run.virtual_time)},
           {"wall_seconds", run.wall_seconds},
           {"setup_seconds", run.setup_seconds},
           {"fingerprint", hex16(run.fingerprint)},
           {"packet_hops", run.packet_hops},
           {"packet_hops_per_second", hops_per_second(run)},
           {"packets", books(&tally::packets)},
           {"bytes", books(&tally::bytes)},
           {"interrupted", run.interrupted},
           {"violations", run.violations}};
  if (run.real_clock)
    out["lag_seconds"] = run.lag_seconds;

  auto& flows = out["flows"] = json::object();
  for (const auto& flow : run.flows)
    flows[flow.name] = flow_json(flow, run);
  auto& drops = out["drops"] = json::array();
  for (const auto& row : drop_rows(run))
    drops.push_back({{"component", row.component},
                     {"reason", name_of(row.reason)},
                     {"priority", row.priority},
                     {"packets", row.lost.packets},
                     {"bytes", row.lost.bytes}});
  auto& pauses = out["pauses"] = json::array();
  for (const auto& p : run.pauses)
    pauses.push_back({{"on", p.on},
                      {"holds", p.held},
                      {"priority", p.priority},
                      {"sent", p.sent},
                      {"received", p.received},
                      {"paused_seconds", seconds_of(p.paused)},
                      {"closest", p.closest}});
  if (run.deadlock)
    out["deadlock"] = {{"since_seconds", seconds_of(run.deadlock->since)},
                       {"links", run.deadlock->links}};
  auto& frames = out["pause_frames"] = json::array();
  auto& packets = out["flow_packets"] = json::array();
  for (const auto& p : run.pause_frames)
    for (unsigned c = 0; c < max_priorities; ++c)
      if ((p.expected >> c & 1) != 0) {
        if (p.credits) {
          packets.push_back({{"from", p.from},
                             {"to", p.to},
                             {"lane", c},
                             {"sent", p.sent.priorities[c].frames},
                             {"received", p.had.priorities[c].frames},
                             {"waits", p.had.priorities[c].transitions},
                             {"waited_seconds", seconds_of(p.had.priorities[c].time)}});
          continue;
        }
        const auto &sent = p.sent.priorities[c], &had = p.had.priorities[c];
        frames.push_back(
            {{"from", p.from},
             {"to", p.to},
             {"priority", c},
             {"sent", sent.frames},
             {"received", had.frames},
             {"quanta", had.quanta},
             {"transitions", had.transitions},
             {"storms", had.storms},
             {"paused_seconds", seconds_of(had.time)},
             {"share", run.virtual_time == 0 ? 0.0
                                             : static_cast<double>(had.time)
                                                   / static_cast<double>(run.virtual_time)}});
      }
  auto& rates = out["rates"] = json::array();
  for (const auto& r : run.rates)
    rates.push_back({{"source", r.source},
                     {"notifications", r.notifications},
                     {"lowest_bps", r.lowest_bps},
                     {"bps", r.bps}});
  auto& routers = out["routers"] = json::array();
  for (const auto& r : run.routers) {
    auto pools = json::object();
    for (const auto& p : r.pools)
      pools[p.name] = {{"total", p.total},
                       {"used", p.used},
                       {"max", p.most},
                       {"grown", p.grown},
                       {"shrunk", p.shrunk}};
    routers.push_back(
        {{"host", r.host},
         {"packets",
          {{"direct", r.direct},
           {"refused", r.refused},
           {"special", r.special},
           {"taken", r.taken}}},
         {"assist", {{"packets", r.assisted}, {"connections", r.assigned}}},
         {"local", {{"grants", r.granted}, {"exclusive_seconds", seconds_of(r.exclusive)}}},
         {"waiting",
          {{"now", r.waiting}, {"max", r.most_waiting}, {"max_of_one", r.longest_queue}}},
         {"buffer_waits", r.waits},
         {"footprint_bytes", {{"now", r.footprint}, {"max", r.most_footprint}}},
         {"pools", std::move(pools)}});
  }
  auto& taps = out["taps"] = json::array();
  for (const auto& t : run.taps)
    taps.push_back({{"name", t.name},
                    {"on", t.on},
                    {"file", t.file},
                    {"seen", t.seen},
                    {"written", t.written},
                    {"bytes", t.file_bytes},
                    {"dropped", t.dropped}});
  auto& lists = out["credit_lists"] = json::array();
  for (const auto& c : run.credit_lists)
    lists.push_back({{"flow", c.flow},
                     {"from", c.from},
                     {"to", c.to},
                     {"lists", c.counts.lists},
                     {"credits", c.counts.credits},
                     {"used", c.counts.used},
                     {"max_outstanding", c.counts.most_outstanding},
                     {"wasted_bytes", c.counts.wasted_bytes},
                     {"mode_switches", c.counts.switches},
                     {"stalled_seconds", seconds_of(c.counts.stalled)},
                     {"broken", c.counts.broken}});
  auto& mbufs = out["mbufs"] = json::array();
  for (const auto& m : run.mbufs) {
    auto chains = json::array();
    for (const auto& c : m.chains)
      chains.push_back({{"remote", c.remote},
                        {"packets", c.packets},
                        {"held_bytes", {{"now", c.held}, {"max", c.most_held}}},
                        {"limit_bytes", {{"now", c.limit}, {"min", c.lowest_limit}}},
                        {"lowered", c.lowered},
                        {"raised", c.raised},
                        {"over_limit", c.over_limit},
                        {"no_mbufs", c.exhausted},
                        {"max_age_seconds", seconds_of(c.oldest)}});
    mbufs.push_back({{"of", m.of},
                     {"pool_bytes", m.pool},
                     {"held_bytes", {{"now", m.held}, {"max", m.most_held}}},
                     {"limited", m.limited},
                     {"chains", std::move(chains)}});
  }
  auto& dma = out["dma"] = json::array();
  for (const auto& d : run.dma)
    dma.push_back({{"from", d.from},
                   {"packets", d.packets},
                   {"operations", d.operations},
                   {"descriptor_reads", d.fetches},
                   {"bytes", {{"down", d.down_bytes}, {"up", d.up_bytes}}}});
  auto& aggregations = out["aggregations"] = json::array();
  for (const auto& a : run.aggregations)
    aggregations.push_back(aggregation_json(a));
  auto& ports = out["controller"] = {{"commands", run.commands}, {"ports", json::array()}};
  for (const auto& p : run.ports)
    ports["ports"].push_back({{"port", p.port},
                              {"stops", p.stops},
                              {"starts", p.starts},
                              {"stopped_seconds", seconds_of(p.stopped)},
                              {"state", state_of(p)}});
  auto& components = out["components"] = json::object();
  for (const auto& c : run.components)
    components[c.name] = component_json(c.counters);
  out["expect"] = expect_json(expectations);
  auto& replays = out["replays"] = json::array();
  for (const auto& r : run.replays)
    replays.push_back(replay_json(r));
  out["engine"] = {{"actors", run.engine.actors},           {"channels", run.engine.channels},
                   {"parcels", run.engine.parcels},         {"wants", run.engine.wants},
                   {"activations", run.engine.activations}, {"recoveries", run.engine.recoveries}};
  return out;
}

std::string blocked_section(const run_results& run) {
  text_table table{{"flow", "blocked by", "share of time"}};
  bool any = false;
  for (const auto& flow : run.flows)
    for (std::size_t i = 0; i < std::min<std::size_t>(flow.blocked_by.size(), 3); ++i) {
      const auto& b = flow.blocked_by[i];
      table.row({i == 0 ? flow.name : "", b.component, fmt::format("{:.1f}%", 100 * b.share)});
      any = true;
    }
  return any ? section("Flows blocked on their way out", table) : std::string{};
}

std::string summary_text(const run_results& run, std::span<const expectation_result> expectations) {
  std::string out = verdict(run, expectations) + '\n';
  out += packets_section(run);
  out += flows_section(run);
  out += drops_section(run);
  out += deadlock_section(run);
  out += stops_section(run);
  out += frames_section(run);
  out += credits_section(run);
  out += marks_section(run);
  out += rates_section(run);
  out += routers_section(run);
  out += credit_lists_section(run);
  out += mbufs_section(run);
  out += dma_section(run);
  out += aggregation_section(run);
  out += controller_section(run);
  out += blocked_section(run);
  out += replays_section(run);
  out += taps_section(run);
  out += expectations_section(expectations);
  out += accounting_section(run);
  out += fmt::format("fingerprint {} (seed {})\n", hex16(run.fingerprint), run.seed);
  out += speed_line(run) + '\n';
  if (run.real_clock)
    out += fmt::format("behind the wall clock by at most {}\n", human_time(run.lag_seconds));
  return out;
}

std::string comparison_text(std::span<const named_run> runs) {
  // The widest heading decides whether columns fit; figures are short.
  const auto each = [&](std::string label, auto value) {
    std::vector<std::string> row{std::move(label)};
    for (const auto& run : runs)
      row.push_back(value(*run.results));
    return row;
  };
  std::vector<std::string> heading{""};
  for (const auto& run : runs)
    heading.emplace_back(run.name);
  text_table table{heading};

  const auto counted = [](const tally& t, const tally& of) {
    return fmt::format(
        "{}  {:>7}", human_count(t.packets),
        human_share(static_cast<double>(t.packets), static_cast<double>(of.packets)));
  };
  table.row(each("packets made", [](const auto& r) {
    return fmt::format("{}  {:>7}", human_count(r.made.packets), "");
  }));
  table.row(each("  delivered", [&](const auto& r) { return counted(r.delivered, r.made); }));
  table.row(each("  lost", [&](const auto& r) { return counted(r.dropped, r.made); }));
  table.row(each("  still on their way", [&](const auto& r) { return counted(r.held, r.made); }));

  // The union of what happened in any run, in the order of the largest figure.
  std::map<std::string, std::uint64_t> lost_at;
  std::map<std::string, sim_time> stopped_by;
  std::vector<std::string> flows;
  for (const auto& run : runs) {
    for (const auto& row : drop_rows(*run.results)) {
      auto& most = lost_at[std::string{row.component}];
      most = std::max(most, row.lost.packets);
    }
    for (const auto& p : run.results->pauses)
      if (ever_stopped(p)) {
        auto& most = stopped_by[p.on];
        most = std::max(most, p.paused);
      }
    for (const auto& flow : run.results->flows)
      if (std::ranges::find(flows, flow.name) == flows.end())
        flows.push_back(flow.name);
  }
  const auto by_size = [](const auto& amounts) {
    std::vector<std::string> names;
    for (const auto& [name, amount] : amounts)
      names.push_back(name);
    std::ranges::stable_sort(names, std::greater{}, [&](const auto& n) { return amounts.at(n); });
    return names;
  };
  const auto shown = [](const std::vector<std::string>& names) {
    return std::span{names}.first(std::min(table_rows, names.size()));
  };
  const auto more = [&](const std::vector<std::string>& names, std::string_view what) {
    if (names.size() > table_rows)
      table.row({fmt::format("  ... and {} more {}", names.size() - table_rows, what)});
  };

  const auto places = by_size(lost_at);
  table.row({""});
  table.row({places.empty() ? "lost nowhere" : "lost at"});
  for (const auto& place : shown(places))
    table.row(each("  " + place, [&](const auto& r) {
      std::uint64_t lost = 0;
      for (const auto& row : drop_rows(r))
        if (row.component == place)
          lost += row.lost.packets;
      return lost == 0 ? std::string{"-"} : human_count(lost);
    }));
  more(places, "places");

  table.row({""});
  table.row({"latency from due time"});
  for (const auto& name : shown(flows))
    for (const auto& [label, q] :
         {std::pair{"p50", 0.5}, {"p99", 0.99}, {"p99.9", 0.999}, {"max", 1.0}})
      table.row(each(fmt::format("  {} {}", name, label), [&, share = q](const auto& r) {
        const auto flow = std::ranges::find(r.flows, name, &flow_result::name);
        return flow == r.flows.end() || flow->latency.count() == 0
                   ? std::string{"-"}
                   : human_time_ps(flow->latency.quantile(share));
      }));
  more(flows, "flows");

  table.row({""});
  table.row({"last delivery"});
  for (const auto& name : shown(flows))
    table.row(each("  " + name, [&](const auto& r) {
      const auto flow = std::ranges::find(r.flows, name, &flow_result::name);
      if (flow == r.flows.end() || flow->delivered.packets == 0)
        return std::string{"-"};
      return fmt::format("{}{}", human_time_ps(flow->completed),
                         flow->delivered.packets == flow->made.packets ? "" : ", not all");
    }));
  more(flows, "flows");

  const auto hops = by_size(stopped_by);
  table.row({""});
  table.row({hops.empty() ? "no sender was stopped" : "senders stopped by"});
  for (const auto& hop : shown(hops))
    table.row(each("  " + hop, [&](const auto& r) {
      sim_time paused = 0;
      bool any = false;
      for (const auto& p : r.pauses)
        if (p.on == hop) {
          paused += p.paused;
          any = any || ever_stopped(p);
        }
      return any ? fmt::format(
                 "{}  {:>7}", human_time_ps(paused),
                 human_share(static_cast<double>(paused), static_cast<double>(r.virtual_time)))
                 : std::string{"-"};
    }));
  more(hops, "hops");

  table.row({""});
  table.row(each("fingerprint", [](const auto& r) { return hex16(r.fingerprint); }));
  table.row(each("virtual time", [](const auto& r) { return human_time_ps(r.virtual_time); }));
  table.row(each("wall-clock time", [](const auto& r) { return human_time(r.wall_seconds); }));
  table.row(each("packet-hops", [](const auto& r) { return human_count(r.packet_hops); }));
  table.row(each("packet-hops a second", [](const auto& r) {
    return human_count(static_cast<std::uint64_t>(hops_per_second(r)));
  }));
  table.row(each("accounting", [](const auto& r) {
    return r.violations.empty() ? std::string{"conserved"}
                                : fmt::format("{} VIOLATIONS", r.violations.size());
  }));
  return table.to_string("", 100);
}

}  // namespace sluice
