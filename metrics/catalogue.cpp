#include "metrics/catalogue.hpp"

#include <algorithm>

#include "metrics/text.hpp"
#include "metrics/version.hpp"

namespace sluice {

namespace {

using series_list = std::vector<metric_series>;

double as_double(std::uint64_t n) {
  return static_cast<double>(n);
}

/// -1: all of them together.
std::string_view name_of_priority(int priority) {
  static constexpr std::string_view names[] = {"0", "1", "2", "3", "4", "5", "6", "7"};
  static_assert(std::size(names) == max_priorities);
  return priority < 0 ? "all" : names[static_cast<std::size_t>(priority)];
}

series_list single(double value) {
  return {{{}, value}};
}

// Members are named by the template arguments, so that each row of the table below stays a row.

template <tally flow_result::*Which, std::uint64_t tally::*Part>
series_list of_flows(const run_results& run) {
  series_list out;
  for (const auto& flow : run.flows)
    out.push_back({{{"flow", flow.name}}, as_double(flow.*Which.*Part)});
  return out;
}

template <std::uint64_t tally::*Part>
series_list held_by_flows(const run_results& run) {
  series_list out;
  for (const auto& flow : run.flows)
    out.push_back({{{"flow", flow.name}},
                   as_double(flow.made.*Part - flow.delivered.*Part - flow.dropped.*Part)});
  return out;
}

series_list latencies(const run_results& run) {
  series_list out;
  for (const auto& flow : run.flows)
    out.push_back({{{"flow", flow.name}}, 0, &flow.latency});
  return out;
}

series_list goodput(const run_results& run) {
  series_list out;
  const double seconds = seconds_of(run.virtual_time);
  for (const auto& flow : run.flows)
    out.push_back(
        {{{"flow", flow.name}}, seconds > 0 ? as_double(flow.delivered.bytes) / seconds : 0.0});
  return out;
}

template <typename Value>
series_list of_components(const run_results& run, Value value) {
  series_list out;
  out.reserve(run.components.size());
  for (const auto& c : run.components)
    out.push_back({{{"component", c.name}, {"kind", c.kind}, {"node", c.node}},
                   static_cast<double>(value(c.counters))});
  return out;
}

// What was made in a component came into it, and what was consumed there left it: with that, in,
// out, dropped and held balance for every component alike.
template <std::uint64_t tally::*Part>
series_list component_in(const run_results& run) {
  return of_components(run, [](const auto& c) { return c.in.*Part + c.made.*Part; });
}
template <std::uint64_t tally::*Part>
series_list component_out(const run_results& run) {
  return of_components(run, [](const auto& c) { return c.out.*Part + c.consumed.*Part; });
}
template <std::uint64_t tally::*Part>
series_list component_held(const run_results& run) {
  return of_components(run, [](const auto& c) { return c.held.*Part; });
}
template <std::int64_t component_counters::*Largest>
series_list component_largest(const run_results& run) {
  return of_components(run, [](const auto& c) { return c.*Largest; });
}

template <std::uint64_t component_counters::*Which>
series_list component_count(const run_results& run) {
  return of_components(run, [](const auto& c) { return c.*Which; });
}

series_list blocked_flows(const run_results& run) {
  series_list out;
  for (const auto& flow : run.flows) {
    for (const auto& b : flow.blocked_by)
      out.push_back({{{"flow", flow.name}, {"component", b.component}}, b.share});
    if (flow.blocked_by.empty())
      out.push_back({{{"flow", flow.name}, {"component", ""}}, 0});
  }
  return out;
}

template <std::uint64_t tally::*Part>
series_list drops(const run_results& run) {
  series_list out;
  for (const auto& c : run.components)
    for (std::size_t reason = 0; reason < drop_reasons; ++reason)
      for (unsigned priority = 0; priority < max_priorities; ++priority)
        if (const auto& t = c.counters.dropped.of(static_cast<drop_reason>(reason), priority);
            t.packets != 0)
          out.push_back({{{"component", c.name},
                          {"node", c.node},
                          {"reason", name_of(static_cast<drop_reason>(reason))},
                          {"priority", name_of_priority(static_cast<int>(priority))}},
                         as_double(t.*Part)});
  return out;
}

/// `Value` of every hop with flow control.
template <auto Value>
series_list of_pauses(const run_results& run) {
  series_list out;
  for (const auto& p : run.pauses)
    out.push_back({{{"on", p.on}, {"priority", name_of_priority(p.priority)}},
                   static_cast<double>(Value(p))});
  return out;
}

/// PFC frames by port, priority and direction.
template <std::uint64_t pause_counts::of_priority::*Which, bool Credits = false>
series_list of_pause_frames(const run_results& run) {
  series_list out;
  for (const auto& p : run.pause_frames)
    for (unsigned c = 0; c < max_priorities; ++c)
      if (p.credits == Credits && (p.expected >> c & 1) != 0) {
        const auto add = [&](const std::string& port, std::string_view direction,
                             const pause_counts& counts) {
          out.push_back({{{"port", port},
                          {"priority", name_of_priority(static_cast<int>(c))},
                          {"direction", direction}},
                         as_double(counts.priorities[c].*Which)});
        };
        add(p.from, "sent", p.sent);
        add(p.to, "received", p.had);
      }
  return out;
}

template <std::uint64_t pause_counts::*Which>
series_list of_ports_that_obey(const run_results& run) {
  series_list out;
  for (const auto& p : run.pause_frames)
    if (!p.credits)
      out.push_back({{{"port", p.to}}, as_double(p.had.*Which)});
  return out;
}

/// `Value` of every source with a regulated rate.
template <auto Value>
series_list of_rates(const run_results& run) {
  series_list out;
  for (const auto& r : run.rates)
    out.push_back({{{"source", r.source}}, static_cast<double>(Value(r))});
  return out;
}

/// `Value` of every port that the controller knows.
template <auto Value>
series_list of_ports(const run_results& run) {
  series_list out;
  for (const auto& p : run.ports)
    out.push_back({{{"port", p.port}}, static_cast<double>(Value(p))});
  return out;
}

/// `Value` of every elastic-FIFO router.
template <auto Value>
series_list of_routers(const run_results& run) {
  series_list out;
  for (const auto& r : run.routers)
    out.push_back({{{"host", r.host}}, static_cast<double>(Value(r))});
  return out;
}

/// `Value` of every connection with credit lists.
template <auto Value>
series_list of_connections(const run_results& run) {
  series_list out;
  for (const auto& c : run.credit_lists)
    out.push_back(
        {{{"flow", c.flow}, {"from", c.from}, {"to", c.to}}, static_cast<double>(Value(c.counts))});
  return out;
}

/// `Which` of every pool of mbufs.
template <std::int64_t mbuf_result::*Which>
series_list of_mbufs(const run_results& run) {
  series_list out;
  for (const auto& m : run.mbufs)
    out.push_back({{{"component", m.of}}, static_cast<double>(m.*Which)});
  return out;
}

/// `Value` of every chain of mbufs; `limited`: only where chains have limits.
template <auto Value>
series_list of_chains(const run_results& run, bool limited) {
  series_list out;
  for (const auto& m : run.mbufs)
    for (const auto& c : m.chains)
      if (m.limited || !limited)
        out.push_back({{{"component", m.of}, {"remote", c.remote}}, static_cast<double>(Value(c))});
  return out;
}
template <auto Value>
series_list of_all_chains(const run_results& run) {
  return of_chains<Value>(run, false);
}
template <auto Value>
series_list of_limited_chains(const run_results& run) {
  return of_chains<Value>(run, true);
}

/// `Which` of every queue that a NIC reads from by DMA.
template <std::uint64_t dma_result::*Which>
series_list of_dma(const run_results& run) {
  series_list out;
  for (const auto& d : run.dma)
    out.push_back({{{"component", d.from}}, as_double(d.*Which)});
  return out;
}

series_list dma_bytes(const run_results& run) {
  series_list out;
  for (const auto& d : run.dma)
    for (const auto& [direction, n] :
         {std::pair{"down", d.down_bytes}, std::pair{"up", d.up_bytes}})
      out.push_back({{{"component", d.from}, {"direction", direction}}, as_double(n)});
  return out;
}

/// By partition and port of its set.
template <std::uint64_t tally::*Part>
series_list aggregated(const run_results& run) {
  series_list out;
  for (const auto& a : run.aggregations)
    for (const auto& p : a.partitions)
      for (std::size_t i = 0; i < a.ports.size(); ++i)
        if (p.in_set[i])
          out.push_back({{{"node", a.node}, {"partition", p.name}, {"port", a.ports[i].name}},
                         as_double(p.sent[i].*Part)});
  return out;
}

/// `Value` of every partition of a switch that aggregates links.
template <auto Value>
series_list of_partitions(const run_results& run) {
  series_list out;
  for (const auto& a : run.aggregations)
    for (const auto& p : a.partitions)
      out.push_back({{{"node", a.node}, {"partition", p.name}}, as_double(Value(p))});
  return out;
}

/// `Value` of every port that is in some set.
template <auto Value>
series_list of_members(const run_results& run) {
  series_list out;
  for (const auto& a : run.aggregations)
    for (const auto& p : a.ports)
      out.push_back({{{"port", p.name}}, as_double(Value(p))});
  return out;
}

series_list router_paths(const run_results& run) {
  series_list out;
  for (const auto& r : run.routers)
    for (const auto& [path, n] : {std::pair{"direct", r.direct}, std::pair{"refused", r.refused},
                                  std::pair{"special", r.special}, std::pair{"taken", r.taken}})
      out.push_back({{{"host", r.host}, {"path", path}}, as_double(n)});
  return out;
}

template <std::uint64_t router_result::pool::*Which>
series_list of_pools(const run_results& run) {
  series_list out;
  for (const auto& r : run.routers)
    for (const auto& p : r.pools)
      out.push_back({{{"host", r.host}, {"pool", p.name}}, as_double(p.*Which)});
  return out;
}

template <std::uint64_t replay_result::*Which>
series_list of_replays(const run_results& run) {
  series_list out;
  for (const auto& r : run.replays)
    out.push_back({{{"flow", r.flow}, {"file", r.file}}, as_double(r.*Which)});
  return out;
}

template <std::uint64_t run_results::engine_counts::*Which>
series_list of_engine(const run_results& run) {
  return single(as_double(run.engine.*Which));
}

series_list run_info(const run_results& run) {
  auto texts = std::make_shared<const std::vector<std::string>>(std::vector<std::string>{
      run.over ? hex16(run.fingerprint) : std::string{}, std::to_string(run.seed)});
  return {{{{"scenario", run.scenario},
            {"version", sluice_version},
            {"fingerprint", texts->at(0)},
            {"seed", texts->at(1)},
            {"clock", run.real_clock ? "real" : "virtual"}},
           1,
           nullptr,
           texts}};
}

std::vector<metric_definition> make_catalogue() {
  constexpr auto counter = metric_type::counter;
  constexpr auto gauge = metric_type::gauge;
  constexpr auto packets = metric_unit::packets;
  constexpr auto bytes = metric_unit::bytes;
  constexpr auto seconds = metric_unit::seconds;
  constexpr auto count = metric_unit::count;
  constexpr auto sum = metric_definition::combine::sum;
  constexpr auto largest = metric_definition::combine::largest;
  constexpr auto of_packets = metric_definition::share::made_packets;
  constexpr auto of_bytes = metric_definition::share::made_bytes;
  constexpr auto of_time = metric_definition::share::virtual_time;
  using flow = flow_result;
  using replay = replay_result;
  using partition = aggregation_result::partition;
  using member = aggregation_result::port;
  using engine = run_results::engine_counts;
  const std::vector<std::string_view> by_flow{"flow"};
  const std::vector<std::string_view> by_component{"component", "kind", "node"};
  const std::vector<std::string_view> by_drop{"component", "node", "reason", "priority"};
  const std::vector<std::string_view> by_hop{"on", "priority"};
  const std::vector<std::string_view> by_direction{"port", "priority", "direction"};
  const std::vector<std::string_view> only_port{"port"};
  const std::vector<std::string_view> by_port{"port"};
  const std::vector<std::string_view> by_source{"source"};
  const std::vector<std::string_view> by_host{"host"}, by_path{"host", "path"};
  const std::vector<std::string_view> by_pool{"host", "pool"}, by_chain{"component", "remote"};
  const std::vector<std::string_view> by_connection{"flow", "from", "to"};
  const std::vector<std::string_view> by_partition{"node", "partition"};
  const std::vector<std::string_view> by_partition_and_port{"node", "partition", "port"};
  const std::vector<std::string_view> by_replay{"flow", "file"};

  return {
      // Flows. "drops" by flow is an alias, so that drops{flow=...} works in expectations.
      {"sluice_made_packets_total", counter, packets, by_flow,
       "Packets that were due at their producers.", of_flows<&flow::made, &tally::packets>},
      {"sluice_made_bytes_total", counter, bytes, by_flow,
       "Frame bytes that were due at their producers.", of_flows<&flow::made, &tally::bytes>},
      {"sluice_delivered_packets_total", counter, packets, by_flow,
       "Packets that their consumers took.", of_flows<&flow::delivered, &tally::packets>, sum,
       of_packets},
      {"sluice_delivered_bytes_total", counter, bytes, by_flow,
       "Frame bytes that their consumers took.", of_flows<&flow::delivered, &tally::bytes>, sum,
       of_bytes},
      {"sluice_dropped_packets_total",
       counter,
       packets,
       by_flow,
       "Packets that were dropped anywhere on their way, by flow.",
       of_flows<&flow::dropped, &tally::packets>,
       sum,
       of_packets,
       {"drops"}},
      {"sluice_dropped_bytes_total",
       counter,
       bytes,
       by_flow,
       "Frame bytes that were dropped anywhere on their way, by flow.",
       of_flows<&flow::dropped, &tally::bytes>,
       sum,
       of_bytes,
       {"drops"}},
      {"sluice_held_packets", gauge, packets, by_flow,
       "Packets waiting at a producer, in a queue or in flight.", held_by_flows<&tally::packets>,
       sum, of_packets},
      {"sluice_held_bytes", gauge, bytes, by_flow,
       "Frame bytes waiting at a producer, in a queue or in flight.", held_by_flows<&tally::bytes>,
       sum, of_bytes},
      {"sluice_latency_seconds", metric_type::histogram, seconds, by_flow,
       "Virtual time from the moment a packet was due at its producer to its consumption.",
       latencies},
      {"sluice_goodput_bytes_per_second", gauge, metric_unit::bytes_per_second, by_flow,
       "Delivered frame bytes over the virtual time of the run.", goodput},

      // Losses by place.
      {"sluice_drops_packets_total",
       counter,
       packets,
       by_drop,
       "Packets dropped, by component, reason and priority.",
       drops<&tally::packets>,
       sum,
       of_packets,
       {"dropped", "dropped_packets"}},
      {"sluice_drops_bytes_total",
       counter,
       bytes,
       by_drop,
       "Frame bytes dropped, by component, reason and priority.",
       drops<&tally::bytes>,
       sum,
       of_bytes,
       {"dropped", "dropped_bytes"}},

      // Components.
      {"sluice_component_in_packets_total", counter, packets, by_component,
       "Packets that entered a component or were made in it.", component_in<&tally::packets>},
      {"sluice_component_in_bytes_total", counter, bytes, by_component,
       "Frame bytes that entered a component or were made in it.", component_in<&tally::bytes>},
      {"sluice_component_out_packets_total", counter, packets, by_component,
       "Packets that left a component or were consumed in it.", component_out<&tally::packets>},
      {"sluice_component_out_bytes_total", counter, bytes, by_component,
       "Frame bytes that left a component or were consumed in it.", component_out<&tally::bytes>},
      {"sluice_component_held_packets", gauge, packets, by_component,
       "Packets that are in a component.", component_held<&tally::packets>},
      {"sluice_component_held_bytes", gauge, bytes, by_component,
       "Frame bytes that are in a component.", component_held<&tally::bytes>},
      {"sluice_queue_max_packets",
       gauge,
       packets,
       by_component,
       "The most packets that a component's buffer has held.",
       component_largest<&component_counters::max_packets>,
       largest,
       metric_definition::share::none,
       {"max_packets"}},
      {"sluice_queue_max_bytes",
       gauge,
       bytes,
       by_component,
       "The most frame bytes that a component's buffer has held.",
       component_largest<&component_counters::max_bytes>,
       largest,
       metric_definition::share::none,
       {"max_bytes"}},

      // Who sleeps, and what the virtual switches move.
      {"sluice_sleeps_total", counter, count, by_component,
       "How often a component stopped sending because the next one had no room or said stop.",
       component_count<&component_counters::stops_received>},
      {"sluice_wake_ups_total", counter, count, by_component,
       "How often a component had nothing to send and was woken by a packet.",
       component_count<&component_counters::wake_ups>},
      {"sluice_pushed_packets_total", counter, packets, by_component,
       "Packets that a virtual switch moved on when a sender had enqueued one, or after a pull.",
       component_count<&component_counters::pushes>},
      {"sluice_pulled_packets_total", counter, packets, by_component,
       "Packets that a virtual switch moved on because a receiver had found nothing.",
       component_count<&component_counters::pulls>},
      {"sluice_flow_blocked_ratio",
       gauge,
       count,
       {"flow", "component"},
       "Share of the run for which a flow was blocked on its way out, by the component to blame.",
       blocked_flows,
       sum,
       metric_definition::share::none,
       {"blocked"}},

      // Flow control by hop.
      {"sluice_stops_sent_total", counter, count, by_hop,
       "Stop signals sent to the sender of a hop by the component whose buffer filled.",
       of_pauses<[](const pause_result& p) { return p.sent; }>},
      {"sluice_stops_received_total", counter, count, by_hop,
       "Stop signals that reached the sender of a hop.",
       of_pauses<[](const pause_result& p) { return p.received; }>},
      {"sluice_stopped_seconds_total",
       counter,
       seconds,
       by_hop,
       "Virtual time for which the sender of a hop was held by the other side.",
       of_pauses<[](const pause_result& p) { return seconds_of(p.paused); }>,
       sum,
       of_time,
       {"paused", "paused_seconds"}},

      {"sluice_stop_threshold_closest_ratio", gauge, count, by_hop,
       "Largest occupancy that a hop's buffer had, over the threshold at which it stops its "
       "sender.",
       of_pauses<[](const pause_result& p) { return p.closest; }>, largest},

      // PFC and PAUSE frames.
      {"sluice_pause_frames_total", counter, count, by_direction,
       "PFC and PAUSE frames that held a priority or let it go, by the port that sent or received "
       "them.",
       of_pause_frames<&pause_counts::of_priority::frames>},
      {"sluice_pause_quanta_total", counter, count, by_direction,
       "Quanta (512 bit times) that these frames said.",
       of_pause_frames<&pause_counts::of_priority::quanta>},
      {"sluice_watchdog_storms_total", counter, count, by_hop,
       "How often a PFC watchdog has let go of a priority, by the port whose frames held it.",
       [](const run_results& run) {
         series_list out;
         for (const auto& p : run.pause_frames)
           for (unsigned c = 0; c < max_priorities; ++c)
             if (!p.credits && (p.expected >> c & 1) != 0)
               out.push_back({{{"on", p.from}, {"priority", name_of_priority(static_cast<int>(c))}},
                              as_double(p.had.priorities[c].storms)});
         return out;
       }},
      {"sluice_flow_packets_total", counter, count, by_direction,
       "InfiniBand flow packets with credits of a lane (`priority`), by the port that sent or "
       "received them.",
       of_pause_frames<&pause_counts::of_priority::frames, true>},
      {"sluice_pause_frames_ignored_total", counter, count, only_port,
       "Frames that a port ignored: they meant a priority that is not lossless, or were PAUSE "
       "frames "
       "on a port with PFC.",
       of_ports_that_obey<&pause_counts::ignored>},

      // Congestion: marks, and what sources make of them.
      {"sluice_marked_packets_total", counter, packets, by_component,
       "Packets that a component's queue has marked as congested (ECN).",
       component_count<&component_counters::marked>},
      {"sluice_flow_marked_packets_total", counter, packets, by_flow,
       "Packets of a flow that were delivered with a mark.",
       [](const run_results& run) {
         series_list out;
         for (const auto& f : run.flows)
           out.push_back({{{"flow", f.name}}, as_double(f.marked)});
         return out;
       }},
      {"sluice_rate_notifications_total", counter, count, by_source,
       "Notifications of congestion that a source with a regulated rate has had.",
       of_rates<[](const rate_result& r) { return r.notifications; }>},
      {"sluice_rate_bytes_per_second", gauge, metric_unit::bytes_per_second, by_source,
       "How fast a source with a regulated rate may send now.",
       of_rates<[](const rate_result& r) { return static_cast<double>(r.bps) / 8; }>},
      {"sluice_rate_lowest_bytes_per_second", gauge, metric_unit::bytes_per_second, by_source,
       "The least that a source with a regulated rate was allowed.",
       of_rates<[](const rate_result& r) { return static_cast<double>(r.lowest_bps) / 8; }>},

      // Elastic-FIFO routers.
      {"sluice_router_packets_total", counter, packets, by_path,
       "Packets that a router sent at once (direct), stored for want of resources (refused) or for "
       "the assist engine (special), and took out of the elastic FIFO again (taken).",
       router_paths},
      {"sluice_router_assist_packets_total", counter, packets, by_host,
       "Packets of which the assist engine found the connections.",
       of_routers<[](const router_result& r) { return r.assisted; }>},
      {"sluice_router_assist_connections_total", counter, count, by_host,
       "Connections that the assist engine assigned packets to.",
       of_routers<[](const router_result& r) { return r.assigned; }>},
      {"sluice_router_local_grants_total", counter, count, by_host,
       "Times that the local engine asked for a connection's resources, and there were some.",
       of_routers<[](const router_result& r) { return r.granted; }>},
      {"sluice_router_exclusive_seconds_total", counter, seconds, by_host,
       "Virtual time for which the local engine had connections for itself, over all of them.",
       of_routers<[](const router_result& r) { return seconds_of(r.exclusive); }>},
      {"sluice_router_waiting_packets", gauge, packets, by_host,
       "Packets that wait for their connections in the elastic FIFO.",
       of_routers<[](const router_result& r) { return r.waiting; }>},
      {"sluice_router_waiting_max_packets", gauge, packets, by_host,
       "The most packets that ever waited there.",
       of_routers<[](const router_result& r) { return r.most_waiting; }>},
      {"sluice_router_queue_max_packets", gauge, packets, by_host,
       "The most packets that ever waited there for one connection.",
       of_routers<[](const router_result& r) { return r.longest_queue; }>},
      {"sluice_router_buffer_waits_total", counter, packets, by_host,
       "Packets that waited for a free buffer, and everything behind them.",
       of_routers<[](const router_result& r) { return r.waits; }>},
      {"sluice_router_footprint_bytes", gauge, bytes, by_host,
       "Memory of all buffers and queues that the elastic FIFO has.",
       of_routers<[](const router_result& r) { return r.footprint; }>},
      {"sluice_router_footprint_max_bytes", gauge, bytes, by_host, "The most that it ever had.",
       of_routers<[](const router_result& r) { return r.most_footprint; }>},
      {"sluice_router_buffers", gauge, count, by_pool, "Buffers of a pool, free or used.",
       of_pools<&router_result::pool::total>},
      {"sluice_router_buffers_used", gauge, count, by_pool, "Buffers of a pool in use.",
       of_pools<&router_result::pool::used>},
      {"sluice_router_buffers_max", gauge, count, by_pool, "The most buffers that a pool ever had.",
       of_pools<&router_result::pool::most>},
      {"sluice_router_buffers_grown_total", counter, count, by_pool,
       "Times that buffers were added to a pool.", of_pools<&router_result::pool::grown>},
      {"sluice_router_buffers_shrunk_total", counter, count, by_pool,
       "Times that a pool gave buffers back.", of_pools<&router_result::pool::shrunk>},

      // Credit lists.
      {"sluice_credit_lists_total", counter, count, by_connection,
       "Credit lists that the receiver has sent: of a connection of a flow, or the queue of a hop.",
       of_connections<[](const credit_counts& c) { return c.lists; }>},
      {"sluice_credit_list_credits_total", counter, count, by_connection, "Credits in them.",
       of_connections<[](const credit_counts& c) { return c.credits; }>},
      {"sluice_credit_list_used_total", counter, count, by_connection,
       "Credits that the sender has used.",
       of_connections<[](const credit_counts& c) { return c.used; }>},
      {"sluice_credit_list_outstanding_max", gauge, count, by_connection,
       "The most credits that were told of and not used.",
       of_connections<[](const credit_counts& c) { return c.most_outstanding; }>},
      {"sluice_credit_list_wasted_bytes_total", counter, bytes, by_connection,
       "Bytes of receive buffers that packets left empty.",
       of_connections<[](const credit_counts& c) { return c.wasted_bytes; }>},
      {"sluice_credit_list_switches_total", counter, count, by_connection,
       "Times that the receiver switched its mode.",
       of_connections<[](const credit_counts& c) { return c.switches; }>},
      {"sluice_credit_list_stalled_seconds_total", counter, seconds, by_connection,
       "Virtual time for which the sender had data and no credits.",
       of_connections<[](const credit_counts& c) { return seconds_of(c.stalled); }>},
      {"sluice_credit_list_broken", gauge, count, by_connection,
       "Whether the connection is broken (1): a packet found no buffer, or one too small.",
       of_connections<[](const credit_counts& c) { return c.broken; }>},

      // Mbufs.
      {"sluice_mbuf_pool_bytes",
       gauge,
       bytes,
       {"component"},
       "Size of a VM's pool of mbufs.",
       of_mbufs<&mbuf_result::pool>},
      {"sluice_mbuf_held_bytes",
       gauge,
       bytes,
       {"component"},
       "Clusters of a pool of mbufs that packets on its sockets hold.",
       of_mbufs<&mbuf_result::held>},
      {"sluice_mbuf_held_max_bytes",
       gauge,
       bytes,
       {"component"},
       "The most that they ever held.",
       of_mbufs<&mbuf_result::most_held>},
      {"sluice_mbuf_chain_packets_total", counter, packets, by_chain,
       "Packets from a remote address that came to the sockets of a VM with a pool of mbufs.",
       of_all_chains<[](const mbuf_result::chain& c) { return c.packets; }>},
      {"sluice_mbuf_chain_bytes", gauge, bytes, by_chain,
       "Clusters that the chain of a remote address holds.",
       of_all_chains<[](const mbuf_result::chain& c) { return c.held; }>},
      {"sluice_mbuf_chain_max_bytes", gauge, bytes, by_chain, "The most that it ever held.",
       of_all_chains<[](const mbuf_result::chain& c) { return c.most_held; }>},
      {"sluice_mbuf_chain_refused_packets_total", counter, packets, by_chain,
       "Packets of a remote address that were dropped at the limit of its chain.",
       of_limited_chains<[](const mbuf_result::chain& c) { return c.over_limit; }>},
      {"sluice_mbuf_chain_exhausted_packets_total", counter, packets, by_chain,
       "Packets of a remote address that were dropped because the pool was empty.",
       of_all_chains<[](const mbuf_result::chain& c) { return c.exhausted; }>},
      {"sluice_mbuf_chain_limit_bytes", gauge, bytes, by_chain,
       "What the chain of a remote address may hold now.",
       of_limited_chains<[](const mbuf_result::chain& c) { return c.limit; }>},
      {"sluice_mbuf_chain_limit_min_bytes", gauge, bytes, by_chain,
       "The least that it was ever allowed.",
       of_limited_chains<[](const mbuf_result::chain& c) { return c.lowest_limit; }>},
      {"sluice_mbuf_chain_lowered_total", counter, count, by_chain,
       "Times that the limit of a chain was lowered, as its oldest mbuf was too old.",
       of_limited_chains<[](const mbuf_result::chain& c) { return c.lowered; }>},
      {"sluice_mbuf_chain_raised_total", counter, count, by_chain,
       "Times that it was raised again.",
       of_limited_chains<[](const mbuf_result::chain& c) { return c.raised; }>},
      {"sluice_mbuf_chain_age_max_seconds", gauge, seconds, by_chain,
       "The greatest age of a chain's oldest mbuf that was measured.",
       of_limited_chains<[](const mbuf_result::chain& c) { return seconds_of(c.oldest); }>},

      // DMA of NICs.
      {"sluice_dma_packets_total",
       counter,
       packets,
       {"component"},
       "Packets that a NIC has read from this queue by DMA.",
       of_dma<&dma_result::packets>},
      {"sluice_dma_operations_total",
       counter,
       count,
       {"component"},
       "DMA operations for them: one a packet, or two if header and payload are apart.",
       of_dma<&dma_result::operations>},
      {"sluice_dma_descriptor_reads_total",
       counter,
       count,
       {"component"},
       "Reads of descriptors for them.",
       of_dma<&dma_result::fetches>},
      {"sluice_dma_bytes_total",
       counter,
       bytes,
       {"component", "direction"},
       "Bytes that this took on the bus: completions towards the NIC (down), requests (up).",
       dma_bytes},

      // Switches that aggregate links.
      {"sluice_aggregation_packets_total", counter, packets, by_partition_and_port,
       "Packets for this partition that a switch gave to this port of its set.",
       aggregated<&tally::packets>},
      {"sluice_aggregation_bytes_total", counter, bytes, by_partition_and_port,
       "Frame bytes for this partition that a switch gave to this port of its set.",
       aggregated<&tally::bytes>},
      {"sluice_aggregation_flows_total", counter, count, by_partition,
       "Flows to this partition that got a port.",
       of_partitions<[](const partition& p) { return p.flows; }>},
      {"sluice_aggregation_moves_total", counter, count, by_partition,
       "Flows to this partition that got another port because theirs had left the sets.",
       of_partitions<[](const partition& p) { return p.moves; }>},
      {"sluice_aggregation_lost_packets_total", counter, packets, by_partition,
       "Packets for this partition that came while all ports of its set were away.",
       of_partitions<[](const partition& p) { return p.lost.packets; }>},
      {"sluice_aggregation_leaves_total", counter, count, by_port,
       "Times that this port left its sets.", of_members<[](const member& p) { return p.leaves; }>},
      {"sluice_aggregation_returns_total", counter, count, by_port,
       "Times that this port came back into its sets.",
       of_members<[](const member& p) { return p.returns; }>},
      {"sluice_aggregation_purged_packets_total", counter, packets, by_port,
       "Packets that this port threw away while it was in none of its sets.",
       of_members<[](const member& p) { return p.purged.packets; }>},

      {"sluice_deadlock",
       gauge,
       count,
       {},
       "Whether switches wait for each other in a circle (1), so that they will for ever, or not "
       "(0).",
       [](const run_results& run) { return single(run.deadlock ? 1.0 : 0.0); }},

      // The state of the network as the controller knows it.
      {"sluice_controller_commands_total",
       counter,
       count,
       {},
       "Commands that the controller has sent to virtual switches.",
       [](const run_results& run) { return single(as_double(run.commands)); }},
      {"sluice_controller_stops_total", counter, count, by_port,
       "Notices to the controller that a port of a virtual switch has stopped its sender.",
       of_ports<[](const port_result& p) { return p.stops; }>},
      {"sluice_controller_stopped_seconds_total", counter, seconds, by_port,
       "Virtual time for which a port was stopped, by the notices that the controller has had.",
       of_ports<[](const port_result& p) { return seconds_of(p.stopped); }>},
      {"sluice_controller_port_stopped", gauge, count, by_port,
       "Whether a port is stopped (1) or open (0), as far as the controller knows.",
       of_ports<[](const port_result& p) { return p.is_stopped || p.by_command; }>},

      // Replays: what was in the captures and what became of it.
      {"sluice_capture_packets_total", counter, packets, by_replay,
       "Packets in a replayed capture.", of_replays<&replay::packets>},
      {"sluice_capture_bytes_total", counter, bytes, by_replay,
       "Frame bytes in a replayed capture.", of_replays<&replay::bytes>},
      {"sluice_capture_filtered_packets_total", counter, packets, by_replay,
       "Packets of a capture that its filter left out.", of_replays<&replay::filtered>},
      {"sluice_capture_unmapped_packets_total", counter, packets, by_replay,
       "Packets of a capture that matched no address of the map.", of_replays<&replay::unmapped>},
      {"sluice_capture_sliced_packets_total", counter, packets, by_replay,
       "Packets that were captured shorter than they were.", of_replays<&replay::sliced>},
      {"sluice_capture_oversize_packets_total", counter, packets, by_replay,
       "Packets of a capture that are larger than the MTU.", of_replays<&replay::oversize>},
      {"sluice_capture_split_packets_total", counter, packets, by_replay,
       "Packets that the oversize ones of a capture were split into.",
       of_replays<&replay::split_into>},
      {"sluice_capture_backward_packets_total", counter, packets, by_replay,
       "Packets of a capture with a time stamp before their predecessor's.",
       of_replays<&replay::backward>},
      {"sluice_capture_not_ethernet_packets_total", counter, packets, by_replay,
       "Packets of a capture with another link type than Ethernet.",
       of_replays<&replay::not_ethernet>},

      // The run and its engine.
      {"sluice_run_info",
       gauge,
       count,
       {"scenario", "version", "fingerprint", "seed", "clock"},
       "What ran: always 1, the labels tell. The fingerprint is there when the run is over.",
       run_info},
      {"sluice_run_over",
       gauge,
       count,
       {},
       "Whether the run is over (1), and these are its last figures.",
       [](const run_results& run) { return single(run.over ? 1 : 0); }},
      {"sluice_virtual_time_seconds",
       gauge,
       seconds,
       {},
       "How far the run came in virtual time.",
       [](const run_results& run) { return single(seconds_of(run.virtual_time)); }},
      {"sluice_wall_time_seconds",
       gauge,
       seconds,
       {},
       "How long the run took on the wall clock, without setting it up.",
       [](const run_results& run) { return single(run.wall_seconds); }},
      {"sluice_setup_time_seconds",
       gauge,
       seconds,
       {},
       "How long building and starting the actors took before that.",
       [](const run_results& run) { return single(run.setup_seconds); }},
      {"sluice_lag_seconds",
       gauge,
       seconds,
       {},
       "The most that a run on the real clock was behind it.",
       [](const run_results& run) { return single(run.lag_seconds); }},
      {"sluice_packet_hops_total",
       counter,
       count,
       {},
       "Packets that left one store-and-forward queue and entered the next, or the consumer.",
       [](const run_results& run) { return single(as_double(run.packet_hops)); }},
      {"sluice_violations",
       gauge,
       count,
       {},
       "Violations of conservation or of the engine's rules; anything but 0 is a bug.",
       [](const run_results& run) { return single(as_double(run.violations.size())); }},
      {"sluice_engine_threads",
       gauge,
       count,
       {},
       "Threads that ran the actors.",
       [](const run_results& run) { return single(run.threads); }},
      {"sluice_engine_actors", gauge, count, {}, "Actors of the run.", of_engine<&engine::actors>},
      {"sluice_engine_channels",
       gauge,
       count,
       {},
       "Channels between actors.",
       of_engine<&engine::channels>},
      {"sluice_engine_parcels_total",
       counter,
       count,
       {},
       "Parcels sent between actors.",
       of_engine<&engine::parcels>},
      {"sluice_engine_wants_total",
       counter,
       count,
       {},
       "Requests for a promise that an actor lacked.",
       of_engine<&engine::wants>},
      {"sluice_engine_activations_total",
       counter,
       count,
       {},
       "Activations of actors.",
       of_engine<&engine::activations>},
      {"sluice_engine_recoveries_total",
       counter,
       count,
       {},
       "Times that the engine had to find the next event of an idle network.",
       of_engine<&engine::recoveries>},
  };
}

bool strip(std::string& name, std::string_view suffix) {
  if (!name.ends_with(suffix))
    return false;
  name.erase(name.size() - suffix.size());
  return true;
}

}  // namespace

const std::vector<metric_definition>& metric_catalogue() {
  static const auto catalogue = make_catalogue();
  return catalogue;
}

std::vector<std::string> expect_names(const metric_definition& metric) {
  constexpr std::string_view prefix = "sluice_";
  std::vector<std::string> names{std::string{metric.name.substr(prefix.size())}};
  auto name = names.front();
  if (strip(name, "_total"))
    names.push_back(name);
  for (const std::string_view unit : {"_packets", "_bytes_per_second", "_bytes", "_seconds"})
    if (strip(name, unit)) {
      names.push_back(name);
      break;
    }
  names.insert(names.end(), metric.aliases.begin(), metric.aliases.end());
  return names;
}

}  // namespace sluice
