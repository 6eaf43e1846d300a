/// \file
/// Networks drawn at random, with traffic and events, for what has to be true of every network.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <string>
#include <vector>

#include "tests/support/small_network.hpp"
#include "topology/routing.hpp"
#include "traffic/random.hpp"

namespace sluice::testing {

struct drawn {
  scenario s;
  bool lossless = false, pfc = false;
};

// Some VMs keep what they receive in mbufs: by a stream of its own, so that the rest of a network
// does not depend on it. Where nothing may be lost there are enough of them.
inline void draw_mbufs(drawn& d) {
  random_stream r{d.s.seed, "mbufs"};
  if (r.below(3) != 0)
    return;
  std::vector<std::string> with_lists;
  for (const auto& t : d.s.traffic)
    if (t.credits)
      with_lists.insert(with_lists.end(), t.to.begin(), t.to.end());
  for (auto& n : d.s.nodes) {
    auto* h = std::get_if<host_settings>(&n.as);
    for (std::size_t v = 0; h != nullptr && v < h->vms.size(); ++v) {
      auto& vm = h->vms[v];
      if (std::find(with_lists.begin(), with_lists.end(), n.name + "/" + vm.name)
              != with_lists.end()
          || r.below(3) == 0)
        continue;
      auto& m = vm.mbufs.emplace();
      m.how = static_cast<mbuf_pool::limits>(r.below(3));
      m.cluster_bytes = static_cast<std::int64_t>(256 + r.below(4096));
      m.pool_bytes =
          d.lossless ? std::int64_t{1} << 30 : static_cast<std::int64_t>(5'000 + r.below(50'000));
      m.limit_bytes = d.lossless ? m.pool_bytes : m.pool_bytes / static_cast<int>(1 + r.below(8));
      m.least_bytes =
          d.lossless
              ? m.limit_bytes
              : 1 + static_cast<std::int64_t>(r.below(static_cast<std::uint64_t>(m.limit_bytes)));
      m.unhealthy = static_cast<sim_time>(1 + r.below(100)) * microsecond;
      m.healthy = m.unhealthy / static_cast<int>(1 + r.below(4));
      m.measure = static_cast<sim_time>(100 + r.below(30'000)) * nanosecond;
      m.restore_after = static_cast<unsigned>(1 + r.below(5));
    }
  }
}

// In half of the networks with several switches two of them have parallel links, which one or
// both aggregate, with a set of ports for some of the endpoints; and links that go down if they
// may.
inline void draw_aggregation(drawn& d, std::uint64_t switches) {
  auto& s = d.s;
  random_stream r{s.seed, "aggregation"};
  if (switches < 2 || r.below(2) != 0)
    return;
  const auto which = r.below(switches - 1);  // the links of switches come first
  const auto parallel = 1 + r.below(3);
  std::vector<std::size_t> links{which};
  for (std::uint64_t i = 0; i < parallel; ++i) {
    auto l = s.links[which];
    l.a.port += fmt::format("x{}", i);
    l.b.port += fmt::format("x{}", i);
    if (r.below(3) == 0)
      l.delay = static_cast<sim_time>(1 + r.below(1000)) * nanosecond;
    links.push_back(s.links.size());
    s.links.push_back(l);
  }
  const auto ends = r.below(3);
  for (unsigned end = 0; end < 2; ++end) {
    if (ends != 2 && ends != end)
      continue;
    const auto& name = end == 0 ? s.links[which].a.node : s.links[which].b.node;
    const auto n = static_cast<std::size_t>(
        std::find_if(s.nodes.begin(), s.nodes.end(), [&](const auto& x) { return x.name == name; })
        - s.nodes.begin());
    aggregation_settings a;
    a.select = static_cast<link_choice>(r.below(3));
    a.down_delay = static_cast<sim_time>(r.below(2) * r.below(20'000)) * nanosecond;
    a.up_delay = static_cast<sim_time>(r.below(2) * r.below(40'000)) * nanosecond;
    a.load_window = static_cast<sim_time>(1 + r.below(100)) * microsecond;
    const routes found{s};
    for (std::size_t to = 0; to < s.nodes.size(); ++to) {
      const auto leads = found.next_ports(n, to);
      if (leads.size() < 2)
        continue;
      const auto add = [&](const std::string& endpoint) {
        if (r.below(2) == 0)
          return;
        aggregation_settings::partition p;
        p.endpoint = endpoint;
        for (const auto port : leads) {
          const auto& x = found.ports(n)[port];
          if (r.below(2) == 0)
            p.ports.push_back(x.at_a ? s.links[x.link].a.port : s.links[x.link].b.port);
        }
        if (!p.ports.empty())
          a.partitions.push_back(std::move(p));
      };
      if (const auto* h = std::get_if<host_settings>(&s.nodes[to].as)) {
        for (const auto& vm : h->vms)
          add(s.nodes[to].name + "/" + vm.name);
      } else if (std::holds_alternative<sink_settings>(s.nodes[to].as)) {
        add(s.nodes[to].name);
      }
    }
    std::get<switch_settings>(s.nodes[n].as).aggregation = std::move(a);
  }
  for (auto events = d.lossless ? 0 : r.below(4); events > 0; --events) {
    timed_event e;
    e.what = timed_event::kind::link_down;
    e.link = links[r.below(links.size())];
    e.at = static_cast<sim_time>(r.below(120'000)) * nanosecond;
    e.duration = r.below(4) == 0 ? never : static_cast<sim_time>(1 + r.below(80'000)) * nanosecond;
    s.events.push_back(e);
  }
}

// Two to four switches in a tree with hosts, generators and sinks, everything drawn.
inline drawn draw(std::uint64_t seed) {
  random_stream r{seed, "network"};
  random_stream lists{seed, "credit lists"}, dma{seed, "dma"};
  const auto pick = [&](std::uint64_t from, std::uint64_t to) {
    return from + r.below(to - from + 1);
  };
  drawn d;
  auto& s = d.s;
  s.name = fmt::format("drawn-{}", seed);
  s.seed = seed;
  d.lossless = r.below(2) == 0;
  // In a third of them queues in hosts may be divided by priority.
  const bool by_priority = r.below(3) == 0;
  const auto policy = [&] {
    if (by_priority && r.below(2) == 0)
      return hop_policy::s_pfc;
    return d.lossless || r.below(2) == 0 ? hop_policy::on_off : hop_policy::none;
  };
  const std::uint64_t rates[] = {1'000'000'000, 10'000'000'000, 25'000'000'000, 3'000'000'000};
  const auto rate = [&] { return rates[r.below(4)]; };
  // A third of the networks speak PFC on their links, a third have credits there. What is not
  // lossless may be lost then.
  const auto wire = r.below(3);
  const bool pfc = wire == 0, credits = wire == 1;
  d.pfc = pfc;
  const auto classes =
      static_cast<std::uint8_t>(d.lossless || r.below(2) == 0 ? 0xff : pick(1, 255));
  const auto pfc_of_node = [&] {
    pfc_settings p;
    p.priorities = classes;
    if (r.below(3) == 0)
      p.quanta = static_cast<std::uint16_t>(pick(d.lossless ? 20'000 : 200, 65'535));
    if (r.below(3) == 0)
      p.refresh = static_cast<sim_time>(pick(1, 20)) * microsecond;
    if (r.below(3) == 0)
      p.response = static_cast<sim_time>(pick(0, 2000)) * nanosecond;
    if (!d.lossless && r.below(3) == 0)
      p.watchdog = {static_cast<sim_time>(pick(2, 100)) * microsecond,
                    static_cast<sim_time>(pick(0, 60)) * microsecond, r.below(2) == 0};
    return p;
  };
  const auto ib_of_node = [&] {
    ib_settings c;
    if (r.below(2) == 0)
      c.credits = static_cast<std::int64_t>(pick(64, 131'072));
    if (r.below(2) == 0)
      c.update = static_cast<sim_time>(pick(10, 20'000)) * nanosecond;
    if (!d.lossless && r.below(3) == 0)
      c.management = static_cast<int>(r.below(8));
    return c;
  };
  const auto flow_control = [&] {
    flow_control_settings fc{policy(), policy(), policy(), policy(), policy(),
                             policy(), policy(), policy(), policy()};
    if (r.below(4) == 0)
      fc.on_off.stop =
          queue_limit{static_cast<std::int64_t>(pick(1, 40'000)), queue_limit::unit::bytes};
    if (r.below(4) == 0)
      fc.on_off.start =
          queue_limit{static_cast<std::int64_t>(pick(0, 20'000)), queue_limit::unit::bytes};
    fc.pfc = pfc_of_node();
    if (pfc)
      fc.fabric = hop_policy::pfc;
    fc.ib = ib_of_node();
    if (r.below(4) == 0) {
      fc.regulates = true;
      fc.rate.interval = static_cast<sim_time>(pick(1, 60)) * microsecond;
      fc.rate.latency = static_cast<sim_time>(pick(1, 20'000)) * nanosecond;
      fc.rate.limiter.increase_time = static_cast<sim_time>(pick(1, 60)) * microsecond;
      fc.rate.limiter.alpha_time = static_cast<sim_time>(pick(1, 60)) * microsecond;
      fc.rate.limiter.increase_bytes = pick(1'000, 1'000'000);
    }
    if (fc.fabric == hop_policy::s_pfc)
      fc.fabric = hop_policy::on_off;
    if (credits)
      fc.fabric = hop_policy::ib_credit;
    if (r.below(3) == 0)
      fc.nic = fc.bridge = hop_policy::pcie_credit;
    if (lists.below(3) == 0) {
      for (auto* p : {&fc.qdisc, &fc.guest_tx, &fc.guest_rx, &fc.hypervisor, &fc.vnic_rx,
                      &fc.bridge, &fc.nic})
        if (*p == hop_policy::on_off && lists.below(2) == 0)
          *p = hop_policy::credit_list;
      fc.lists.when = static_cast<credit_builder::trigger>(lists.below(7));
      fc.lists.lists = static_cast<unsigned>(1 + lists.below(3));
      if (lists.below(2) == 0)
        fc.lists.per_list = static_cast<unsigned>(1 + lists.below(40));
    }
    return fc;
  };
  const bool lossless = d.lossless;
  const auto scheduler = [&] {
    scheduler_settings c;
    c.kind = static_cast<scheduler_kind>(r.below(3));
    for (auto& w : c.weights)
      w = static_cast<std::uint32_t>(c.kind == scheduler_kind::dwrr ? pick(500, 3000) : pick(1, 4));
    return c;
  };
  // On a wire lossless needs head-room for the longest cable drawn below; lossy may have next to
  // nothing. In a host senders look before they send, and one frame is enough.
  const auto buffer = [&] {
    return static_cast<std::int64_t>(lossless ? pick(60'000, 200'000) * 8 : pick(2'000, 60'000));
  };
  const auto inner = [&] {
    return static_cast<std::int64_t>(r.below(2) == 0 ? pick(1'514, 6'000) : pick(6'000, 200'000));
  };
  const auto inner_limit = [&] {
    return r.below(2) == 0
               ? queue_limit{static_cast<std::int64_t>(pick(1, r.below(2) == 0 ? 4 : 200)),
                             queue_limit::unit::packets}
               : queue_limit{inner(), queue_limit::unit::bytes};
  };

  const auto marking = [&]() -> std::optional<ecn_settings> {
    if (r.below(3) != 0)
      return {};
    ecn_settings e;
    e.min_bytes = static_cast<std::int64_t>(pick(0, 20'000));
    e.max_bytes = e.min_bytes + static_cast<std::int64_t>(pick(0, 20'000));
    e.mark_ppm = static_cast<std::uint32_t>(pick(0, 1'000'000));
    e.drops = !lossless;
    return e;
  };

  const bool routers = r.below(3) == 0;
  const bool functions = r.below(4) == 0;
  const auto switches = pick(1, 4);
  for (std::uint64_t i = 0; i < switches; ++i) {
    switch_settings w;
    w.port_queue_bytes = buffer();
    w.forwarding_delay = static_cast<sim_time>(pick(1, 600)) * nanosecond;
    w.scheduler = scheduler();
    w.ecn = marking();
    if (pfc && r.below(3) == 0) {
      w.shared.emplace();
      w.shared->reserve_bytes = static_cast<std::int64_t>(pick(0, 5'000));
      w.shared->shift = static_cast<unsigned>(pick(0, 5));
      w.shared->xon_offset_bytes = static_cast<std::int64_t>(pick(0, 8'000));
      w.buffer_bytes =
          static_cast<std::int64_t>(lossless ? pick(3, 9) << 20 : pick(100'000, 900'000));
    }
    s.nodes.push_back(make_node(fmt::format("s{}", i), w, flow_control()));
    if (i > 0)
      s.links.push_back(make_link(fmt::format("s{}", r.below(i)), fmt::format("d{}", i),
                                  fmt::format("s{}", i), "u", rate(),
                                  static_cast<sim_time>(pick(1, 1000)) * nanosecond));
  }
  std::vector<std::string> from, to;
  const auto attach = [&](const std::string& name, const std::string& port) {
    const auto sw = r.below(switches);
    s.links.push_back(make_link(name, port, fmt::format("s{}", sw), "p_" + name, rate(),
                                static_cast<sim_time>(pick(1, 1000)) * nanosecond));
  };
  for (std::uint64_t i = 0, n = pick(0, 3); i < n; ++i) {
    host_settings h;
    h.ecn = marking();
    for (std::uint64_t v = 0, vms = pick(1, 3); v < vms; ++v) {
      vm_settings vm;
      vm.name = fmt::format("v{}", v);
      vm.socket_buffer_bytes = inner();
      if (r.below(3) == 0)
        vm.drain_bps = pick(100'000'000, 2'000'000'000);
      if (r.below(2) == 0)
        vm.qdisc = inner_limit();
      vm.vnic_ring = inner_limit();
      for (std::uint32_t port = 1, last = static_cast<std::uint32_t>(r.below(3)); port <= last;
           ++port) {
        vm.sockets.push_back({fmt::format("k{}", port), port, inner(), 100'000'000'000});
        if (r.below(2) == 0)
          vm.sockets.back().drain_bps = pick(100'000'000, 2'000'000'000);
      }
      h.vms.push_back(vm);
      from.push_back(fmt::format("h{}/v{}", i, v));
      to.push_back(from.back());
    }
    h.hypervisor.queue = inner_limit();
    h.hypervisor.per_packet = static_cast<sim_time>(pick(0, 500)) * nanosecond;
    h.hypervisor.copy_bps = pick(5, 100) * 1'000'000'000;
    h.hypervisor.notification = static_cast<sim_time>(pick(0, 3000)) * nanosecond;
    h.napi.interrupt = static_cast<sim_time>(pick(0, 3000)) * nanosecond;
    h.napi.weight = static_cast<std::uint32_t>(pick(1, 64));
    h.napi.budget = static_cast<std::uint32_t>(pick(1, 300));
    h.bridge.queue = inner_limit();
    h.bridge.vxlan = r.below(2) == 0;
    h.pcie.posted = {static_cast<std::uint32_t>(pick(0, 20)),
                     static_cast<std::uint32_t>(pick(0, 200))};
    h.pcie.completion = {static_cast<std::uint32_t>(pick(0, 20)),
                         static_cast<std::uint32_t>(pick(0, 200))};
    h.pcie.update = static_cast<sim_time>(pick(1, 3000)) * nanosecond;
    h.bridge.per_packet = static_cast<sim_time>(pick(0, 500)) * nanosecond;
    h.vswitch.port_queue_bytes = inner();
    h.vswitch.scheduler = scheduler();
    h.nic.rx_buffer_bytes = buffer();
    h.nic.tx_buffer_bytes = inner();
    if (dma.below(3) == 0) {
      auto& own = h.nic.dma.emplace();
      own.single = dma.below(2) == 0;
      own.header_bytes = static_cast<std::uint32_t>(14 + dma.below(100));
      own.fetch = static_cast<std::uint32_t>(1 + dma.below(8));
      own.set_up = static_cast<sim_time>(1 + dma.below(200)) * nanosecond;
    }
    if (routers && r.below(2) == 0) {
      auto& e = h.vswitch.elastic.emplace();
      h.bridge.vxlan = false;
      e.receive_buffer_bytes = lossless ? 200'000 : static_cast<std::int64_t>(pick(0, 20'000));
      e.waits = lossless || (e.receive_buffer_bytes > 0 && r.below(2) == 0);
      e.copy_bps = pick(5, 200) * 1'000'000'000;
      e.per_packet = static_cast<sim_time>(pick(1, 200)) * nanosecond;
      e.parse = static_cast<sim_time>(pick(1, 200)) * nanosecond;
      e.stage = static_cast<sim_time>(pick(1, 100)) * nanosecond;
      e.look = static_cast<sim_time>(pick(10, 5000)) * nanosecond;
      e.assist = static_cast<sim_time>(pick(10, 3000)) * nanosecond;
      e.step = static_cast<std::uint32_t>(pick(1, 8));
      for (auto& b : e.buffers)
        b.least = static_cast<std::uint32_t>(pick(0, 4)),
        b.most = b.least + static_cast<std::uint32_t>(pick(1, 60));
      e.indirect.least = static_cast<std::uint32_t>(pick(0, 4));
      e.indirect.most = e.indirect.least + static_cast<std::uint32_t>(pick(8, 60));
      e.memory_bytes = inner();
      e.slice = r.below(2) == 0 ? 0 : static_cast<sim_time>(pick(1, 20'000)) * nanosecond;
      for (auto& vm : h.vms)
        vm.importance = static_cast<std::uint32_t>(r.below(3));
    }
    if (functions && !h.vswitch.elastic && r.below(2) == 0) {
      h.vswitch.sr_iov = true;
      h.bridge.vxlan = false;
    }
    if (r.below(4) == 0)
      h.vswitch.short_ppm = static_cast<std::uint32_t>(pick(1, 900'000));
    h.vswitch.short_for = static_cast<sim_time>(pick(1, 100)) * microsecond;
    s.nodes.push_back(make_node(fmt::format("h{}", i), h, flow_control()));
    attach(fmt::format("h{}", i), "nic0");
  }
  for (std::uint64_t i = 0, n = pick(1, 3); i < n; ++i) {
    s.nodes.push_back(make_node(fmt::format("g{}", i), generator_settings{}, flow_control()));
    attach(fmt::format("g{}", i), "p");
    from.push_back(fmt::format("g{}", i));
    sink_settings k;
    k.buffer_bytes = buffer();
    if (r.below(2) == 0)
      k.drain_bps = pick(200'000'000, 5'000'000'000);
    s.nodes.push_back(make_node(fmt::format("k{}", i), k, flow_control()));
    attach(fmt::format("k{}", i), "p");
    to.push_back(fmt::format("k{}", i));
  }
  for (std::uint64_t i = 0, n = pick(1, 4); i < n; ++i) {
    traffic_entry t;
    t.name = fmt::format("t{}", i);
    generate_settings g;
    g.size_bytes = r.below(3) == 0 ? 0 : static_cast<std::uint32_t>(pick(60, 1514));
    g.share_ppm = static_cast<std::uint32_t>(pick(50'000, 1'000'000));
    g.arrivals = static_cast<arrival_process>(r.below(3));
    g.burst_packets = static_cast<std::uint32_t>(pick(2, 60));
    g.packets = pick(50, 500);
    g.port = static_cast<std::uint32_t>(pick(0, 2));
    g.ecn = r.below(4) != 0;
    t.what = g;
    t.priority = static_cast<std::uint8_t>(r.below(2) == 0 ? 0 : r.below(8));
    t.start = static_cast<sim_time>(pick(0, 20)) * microsecond;
    t.on_stop = r.below(2) == 0 ? stop_rule::queue : stop_rule::shift;
    for (const auto& f : from)
      if (r.below(2) == 0)
        t.from.push_back(f);
    if (t.from.empty())
      t.from.push_back(from[r.below(from.size())]);
    for (const auto& f : to)
      if (r.below(2) == 0)
        t.to.push_back(f);
    if (t.to.empty())
      t.to.push_back(to.back());
    if (routers && r.below(2) == 0)
      t.cast = r.below(2) == 0 ? cast_kind::unknown : cast_kind::arp;
    // To several of the VMs behind a router, or to all.
    for (const auto& x : s.nodes)
      if (const auto* h = std::get_if<host_settings>(&x.as);
          h != nullptr && h->vswitch.elastic && r.below(2) == 0) {
        t.cast = r.below(2) == 0 ? cast_kind::multicast : cast_kind::broadcast;
        t.to.clear();
        for (std::size_t v = 0; v < 1 + r.below(h->vms.size()); ++v)
          t.to.push_back(x.name + "/" + h->vms[v].name);
        break;
      }
    // Credit lists, where both ends are VMs with one socket.
    const auto takes_lists = [&](const std::string& name) {
      const auto slash = name.find('/');
      if (slash == std::string::npos)
        return false;
      const auto node = std::find_if(s.nodes.begin(), s.nodes.end(), [&](const auto& x) {
        return x.name == name.substr(0, slash);
      });
      const auto& vms = std::get<host_settings>(node->as).vms;
      return std::any_of(vms.begin(), vms.end(), [&](const auto& v) {
        return v.name == name.substr(slash + 1) && v.sockets.empty() && v.filter.empty();
      });
    };
    const auto only = [&](std::vector<std::string> names) {
      std::erase_if(names, [&](const auto& name) { return !takes_lists(name); });
      return names;
    };
    if (lists.below(3) == 0 && t.cast != cast_kind::multicast && t.cast != cast_kind::broadcast
        && !only(t.from).empty() && !only(t.to).empty()) {
      t.from = only(t.from);
      t.to = only(t.to);
      auto& c = t.credits.emplace();
      c.when = static_cast<credit_builder::trigger>(lists.below(7));
      c.by = static_cast<credit_settings::way>(lists.below(4));
      c.regulated = lists.below(20) != 0;
      if (lists.below(6) == 0)
        c.window_bytes = static_cast<std::int64_t>(1700 + lists.below(50'000));
      c.in_device = lists.below(2) == 0;
      d.lossless = d.lossless && c.regulated;  // or the connection breaks
      c.buffers = static_cast<unsigned>(1 + lists.below(40));
      c.most = static_cast<std::uint32_t>(64 + lists.below(3000));
      c.least = static_cast<std::uint32_t>(1 + lists.below(c.most));
      c.lists = static_cast<unsigned>(1 + lists.below(3));
      if (lists.below(2) == 0)
        c.per_list = static_cast<unsigned>(1 + lists.below(20));
      c.work = static_cast<sim_time>(lists.below(3) * 500) * nanosecond;
      if (lists.below(4) == 0)
        c.limit_bps = 500'000'000 + lists.below(5'000'000'000);
      c.latency = static_cast<sim_time>(1 + lists.below(20)) * microsecond;
      c.send_queue = static_cast<unsigned>(1 + lists.below(10));
      if (lists.below(2) == 0)
        std::get<generate_settings>(t.what).size_bytes =
            static_cast<std::uint32_t>(60 + lists.below(20'000));
    }
    s.traffic.push_back(t);
  }
  for (auto& l : s.links) {
    l.mtu = 1600;         // the largest frame fits into a tunnel
    if (r.below(4) == 0)  // one kind ends there and another begins
      l.flow_control = pfc || r.below(2) == 0
                           ? (r.below(2) == 0 ? hop_policy::on_off : hop_policy::ib_credit)
                           : hop_policy::pfc;
    for (const auto& n : s.nodes)
      if (const auto* w = std::get_if<switch_settings>(&n.as);
          w != nullptr && w->shared && (l.a.node == n.name || l.b.node == n.name))
        l.flow_control.reset();
  }
  if (r.below(3) == 0) {
    timed_event e;
    e.what = timed_event::kind::set_drain;
    e.target = to[r.below(to.size())];
    e.at = static_cast<sim_time>(pick(0, 200)) * microsecond;
    e.duration = static_cast<sim_time>(pick(1, 300)) * microsecond;
    e.bps = r.below(2) == 0 ? 0 : 500'000'000;
    s.events.push_back(e);
  }
  if (!lossless && r.below(3) == 0) {
    timed_event e;
    e.what = timed_event::kind::link_down;
    e.link = r.below(s.links.size());
    e.at = static_cast<sim_time>(pick(0, 200)) * microsecond;
    e.duration = static_cast<sim_time>(pick(1, 100)) * microsecond;
    s.events.push_back(e);
  }
  // An injected frame replaces what a port has said: nothing is lossless then.
  for (auto events = pfc && !lossless ? r.below(3) : 0; events > 0; --events) {
    timed_event e;
    e.what = timed_event::kind::inject_pause;
    e.link = r.below(s.links.size());
    e.at = static_cast<sim_time>(pick(0, 200)) * microsecond;
    e.duration = static_cast<sim_time>(pick(1, 100)) * microsecond;
    e.inject.from_b = r.below(2) == 0;
    e.inject.whole_link = r.below(8) == 0;
    e.inject.priorities = static_cast<std::uint8_t>(pick(1, 255));
    e.inject.holds = r.below(2) == 0;
    e.inject.quanta = static_cast<std::uint16_t>(pick(1, 2000));
    e.inject.every = static_cast<sim_time>(pick(100, 20'000)) * nanosecond;
    s.events.push_back(e);
  }
  std::vector<std::string> ports;
  for (const auto& n : s.nodes)
    if (const auto* h = std::get_if<host_settings>(&n.as);
        h != nullptr && !h->vswitch.elastic && !h->vswitch.sr_iov) {
      for (const auto& vm : h->vms)
        ports.push_back(n.name + ".vswitch:" + vm.name);
      ports.push_back(n.name + ".vswitch:uplink");
    }
  for (auto events = r.below(4); events > 0 && !ports.empty(); --events) {
    timed_event e;
    e.what = timed_event::kind::set_port;
    e.target = ports[r.below(ports.size())];
    e.at = static_cast<sim_time>(pick(0, 200)) * microsecond;
    e.duration = static_cast<sim_time>(pick(1, 100)) * microsecond;
    e.bps = r.below(4) != 0;  // or a start that comes for nothing
    s.events.push_back(e);
  }
  draw_mbufs(d);
  // Half of the runs end in the middle of things.
  if (r.below(2) == 0)
    s.duration = static_cast<sim_time>(pick(20, 400)) * microsecond;
  else
    s.until_traffic_done = true;
  draw_aggregation(d, switches);
  return d;
}

}  // namespace sluice::testing
