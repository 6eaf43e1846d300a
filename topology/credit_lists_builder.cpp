// The part of the network builder that puts senders and receivers of credit lists between the
// applications and the rest of their hosts.
#include <algorithm>
#include <map>
#include <tuple>

#include "actors/credits/credit_receiver.hpp"
#include "actors/credits/credit_sender.hpp"
#include "topology/builder_parts.hpp"
#include "topology/network_builder.hpp"

namespace sluice {

namespace {

/// How a list travels.
struct way_costs {
  sim_time per_message;  ///< of the receiver
  sim_time poll;         ///< the sender looks so often; 0: it is notified
  unsigned most;         ///< credits of a list
};

// A message: a descriptor and its doorbell on one side, an event on the other; 4 bytes a credit and
// 8 before them in a frame. TCP's options: 40 bytes, 2 of them kind and length, on a segment that
// goes anyway.
way_costs costs_of(credit_settings::way by) {
  switch (by) {
    case credit_settings::way::shared_memory:
      return {50 * nanosecond, 200 * nanosecond, 1024};
    case credit_settings::way::rdma:
      return {300 * nanosecond, microsecond, 366};
    case credit_settings::way::tcp_options:
      return {100 * nanosecond, 0, 9};
    default:
      return {microsecond, 0, 366};
  }
}

}  // namespace

void network_builder::plan_credits() {
  for (std::size_t f = 0; f < scenario_.traffic.size(); ++f) {
    const auto& t = scenario_.traffic[f];
    if (!t.credits)
      continue;
    const auto& c = *t.credits;
    const auto costs = costs_of(c.by);
    for (const auto& from : t.from)
      for (const auto& to : t.to) {
        if (from == to)
          continue;
        credit_connection x;
        x.flow = static_cast<std::uint32_t>(f);
        x.from = endpoint_of_.at(from);
        x.to = endpoint_of_.at(to);
        x.regulated = c.regulated;
        x.in_device = c.in_device;
        x.window_bytes = c.window_bytes;
        x.largest = tenant_frame(endpoints_[x.from].node);
        x.lists = lists_of(c, c.per_list.value_or(std::min(costs.most, std::max(1u, c.buffers))),
                           c.first_list);
        x.lists.round_trip = 2 * c.latency;
        x.lists.limit_bps = c.limit_bps;
        x.lists.burst_bytes = c.burst_bytes;
        x.lists.steady_percent = c.steady_percent;
        x.buffers = c.buffers;
        x.least = c.least;
        x.most = c.most;
        x.work = c.work;
        x.per_list = c.per_message.value_or(costs.per_message);
        x.poll = c.poll.value_or(costs.poll);
        x.post = c.post;
        x.seed = derive_seed(scenario_.seed, t.name + " credits " + from + " " + to);
        endpoints_[x.from].opens.push_back(credits_.size());
        endpoints_[x.to].accepts.push_back(credits_.size());
        credits_.push_back({x, c.latency});
      }
  }
  if (credits_.empty())
    return;
  // Who has other traffic besides.
  for (std::size_t f = 0; f < scenario_.traffic.size(); ++f) {
    const auto& t = scenario_.traffic[f];
    if (t.credits)
      continue;
    const auto* r = std::get_if<replay_settings>(&t.what);
    const auto note = [&](const std::string& name, bool sends, bool receives) {
      auto& e = endpoints_[endpoint_of_.at(name)];
      e.sends_plain = e.sends_plain || sends;
      e.receives_plain = e.receives_plain || receives;
    };
    for (const auto& from : t.from)
      note(from, true, false);
    for (const auto& to : t.to)
      note(to, false, true);
    // A broadcast is for all VMs of its host, whoever is named.
    if (t.cast == cast_kind::broadcast || t.cast == cast_kind::captured)
      for (auto& e : endpoints_)
        e.receives_plain =
            e.receives_plain || e.node == endpoints_[endpoint_of_.at(t.to.front())].node;
    if (r != nullptr)
      for (const auto& m : r->map)
        note(m.endpoint, true, true);
  }
}

// As the application sees it, which waits while it is full.
room::config network_builder::send_queue_of(std::uint32_t e) const {
  unsigned places = 0;
  for (const auto c : endpoints_[e].opens)
    places += scenario_.traffic[credits_[c].connection.flow].credits->send_queue;
  room::config seen;
  seen.checked = true;
  seen.stop = {buffer_limit::unlimited, places};
  seen.start = {buffer_limit::unlimited, places - 1};
  return seen;
}

credit_sender& network_builder::add_credit_sender(std::uint32_t e) {
  auto& own = endpoints_[e];
  credit_sender_config c;
  c.name = own.name + ".lists-in";
  c.node = scenario_.nodes[own.node].name;
  c.endpoint = e;
  c.largest = tenant_frame(own.node);
  c.plain = own.sends_plain;
  // So that who has no credits is seen to wait for them, and not what waits for the line.
  const auto& host = std::get<host_settings>(scenario_.nodes[own.node].as);
  c.line = line_rate{has_link(own.node) ? link_at(own.node, 0).rate_bps : host.guest_bps};
  c.overhead = has_link(own.node) ? ethernet_overhead_bytes : no_overhead;
  for (const auto x : own.opens) {
    c.connections.push_back(credits_[x].connection);
    c.per_packet = std::max(c.per_packet, credits_[x].connection.post);
    c.places += scenario_.traffic[credits_[x].connection.flow].credits->send_queue;
  }
  return *(own.lists_in = &add<credit_sender>(std::move(c)));
}

credit_receiver& network_builder::add_credit_receiver(std::uint32_t e) {
  auto& own = endpoints_[e];
  credit_receiver_config c;
  c.name = own.name + ".lists-out";
  c.node = scenario_.nodes[own.node].name;
  c.plain = own.receives_plain;
  for (const auto x : own.accepts)
    c.connections.push_back(credits_[x].connection);
  return *(own.lists_out = &add<credit_receiver>(std::move(c)));
}

// One control connection between each two, for all of their data connections as long as they have
// one latency.
void network_builder::join_credit_lists() {
  std::map<std::tuple<std::uint32_t, std::uint32_t, sim_time>, std::pair<port_index, port_index>>
      joined;
  for (std::size_t x = 0; x < credits_.size(); ++x) {
    const auto& [connection, latency] = credits_[x];
    auto& from = endpoints_[connection.from];
    auto& to = endpoints_[connection.to];
    const auto there = std::find(from.opens.begin(), from.opens.end(), x) - from.opens.begin();
    const auto here = std::find(to.accepts.begin(), to.accepts.end(), x) - to.accepts.begin();
    const auto [control, fresh] =
        joined.try_emplace({connection.from, connection.to, latency}, 0u, 0u);
    if (fresh) {
      join(*from.lists_in, *to.lists_out, nanosecond, std::max<sim_time>(1, latency));
      control->second = {from.lists_in->last_output(), to.lists_out->last_input()};
    }
    from.lists_in->listen(static_cast<std::size_t>(there), control->second.first);
    to.lists_out->speak(static_cast<std::size_t>(here), control->second.second,
                        static_cast<std::size_t>(there));
    net_.credit_lists_.push_back({scenario_.traffic[connection.flow].name, from.name, to.name,
                                  from.lists_in, to.lists_out, static_cast<std::size_t>(there),
                                  static_cast<std::size_t>(here)});
  }
}

}  // namespace sluice
