#include "scenarios/convert.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>
#include <numeric>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "scenarios/assemble.hpp"
#include "scenarios/check.hpp"
#include "scenarios/expectation.hpp"
#include "scenarios/name_range.hpp"
#include "scenarios/quantity.hpp"
#include "topology/routing.hpp"
#include "topology/thresholds.hpp"
#include "traffic/replay.hpp"

namespace sluice {

namespace {

/// A run whose traffic never ends by itself, and that does not say how long it takes.
constexpr sim_time usual_duration = 100 * millisecond;
/// Ports are numbered in 16 bits.
constexpr std::size_t max_ports = 65'535;
constexpr std::size_t max_partitions = 4096;  // of a switch
/// Beyond it, looking for what was meant costs more than it helps.
constexpr std::size_t max_suggestion_words = 4'096;

// -- single values, already checked -------------------------------------------------------------

std::optional<quantity> number(const yaml_node* n) {
  return n != nullptr && n->is_scalar() ? parse_quantity(n->text).value : std::nullopt;
}

template <typename integer>
void read(const yaml_node& map, std::string_view key, quantity::kind kind, integer& out) {
  if (const auto q = number(map.find(key)); q && q->what == kind)
    out = static_cast<integer>(q->amount);
}

void read_time(const yaml_node& map, std::string_view key, sim_time& out) {
  read(map, key, quantity::kind::duration, out);
}

void read_rate(const yaml_node& map, std::string_view key, std::uint64_t& out) {
  read(map, key, quantity::kind::rate, out);
}

void read_count(const yaml_node& map, std::string_view key, std::uint32_t& out) {
  read(map, key, quantity::kind::count, out);
}

void read_size(const yaml_node& map, std::string_view key, std::int64_t& out) {
  read(map, key, quantity::kind::size, out);
}

std::optional<queue_limit> limit(const yaml_node* n) {
  const auto q = number(n);
  if (!q || (q->what != quantity::kind::size && q->what != quantity::kind::packets))
    return std::nullopt;
  return queue_limit{static_cast<std::int64_t>(q->amount), q->what == quantity::kind::size
                                                               ? queue_limit::unit::bytes
                                                               : queue_limit::unit::packets};
}

void read_limit(const yaml_node& map, std::string_view key, queue_limit& out) {
  if (const auto l = limit(map.find(key)))
    out = *l;
}

std::string_view word(const yaml_node& map, std::string_view key) {
  const auto* n = map.find(key);
  return n != nullptr && n->is_scalar() ? std::string_view{n->text} : std::string_view{};
}

/// A part of a scalar, to point at: only where the source shows the text as it is.
yaml_node part_of(const yaml_node& scalar, std::size_t at, std::size_t length) {
  auto part = scalar;
  const auto shown = scalar.quoted ? scalar.length - 2 : scalar.length;
  if (shown < 0 || static_cast<std::size_t>(shown) != scalar.text.size())
    return part;
  part.column += static_cast<int>(at) + (scalar.quoted ? 1 : 0);
  part.length = static_cast<int>(std::max<std::size_t>(1, length));
  part.quoted = false;
  part.text = scalar.text.substr(std::min(at, scalar.text.size()), length);
  return part;
}

/// Lower-case `aa:bb:cc:dd:ee:ff`, or empty.
std::string normal_mac(const std::string& text) {
  unsigned b[6];
  int end = 0;
  if (text.size() != 17 || text.find_first_not_of("0123456789abcdefABCDEF:-") != std::string::npos
      || std::sscanf(text.c_str(), "%2x%*1[:-]%2x%*1[:-]%2x%*1[:-]%2x%*1[:-]%2x%*1[:-]%2x%n", &b[0],
                     &b[1], &b[2], &b[3], &b[4], &b[5], &end)
             != 6
      || end != 17)
    return {};
  return fmt::format("{:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", b[0], b[1], b[2], b[3], b[4],
                     b[5]);
}

/// The address in its usual spelling, or empty.
std::string normal_ip(const std::string& text) {
  unsigned char bytes[16];
  char out[INET6_ADDRSTRLEN];
  if (text.find('\0') != std::string::npos)
    return {};
  for (const auto family : {AF_INET, AF_INET6})
    if (inet_pton(family, text.c_str(), bytes) == 1
        && inet_ntop(family, bytes, out, sizeof out) != nullptr)
      return out;
  return {};
}

// -- the settings of things ---------------------------------------------------------------------

hop_policy policy(std::string_view w, hop_policy otherwise) {
  return w == "on_off"        ? hop_policy::on_off
         : w == "pfc"         ? hop_policy::pfc
         : w == "s_pfc"       ? hop_policy::s_pfc
         : w == "pcie_credit" ? hop_policy::pcie_credit
         : w == "ib_credit"   ? hop_policy::ib_credit
         : w == "credit_list" ? hop_policy::credit_list
         : w == "rate"        ? hop_policy::on_off  // and the application's rate besides
         : w == "none"        ? hop_policy::none
                              : otherwise;
}

credit_builder::trigger trigger_of(std::string_view w) {
  using trigger = credit_builder::trigger;
  return w == "first"        ? trigger::first
         : w == "middle"     ? trigger::middle
         : w == "last"       ? trigger::last
         : w == "timed"      ? trigger::timed
         : w == "predictive" ? trigger::predictive
         : w == "switching"  ? trigger::switching
                             : trigger::adaptive;
}

void read_credit_lists(const yaml_node& map, credit_list_settings& out) {
  if (const auto w = word(map, "when"); !w.empty())
    out.when = trigger_of(w);
  if (map.find("per-list") != nullptr)
    read_count(map, "per-list", out.per_list.emplace());
  read_count(map, "lists", out.lists);
}

void read_flow_control(const yaml_node* n, flow_control_settings& out) {
  if (n == nullptr)
    return;
  const auto set = [](std::string_view w, std::initializer_list<hop_policy*> all) {
    for (auto* p : all)
      *p = policy(w, *p);
  };
  if (n->is_scalar()) {
    set(n->text, {&out.qdisc, &out.guest_tx, &out.guest_rx, &out.hypervisor, &out.vnic_rx,
                  &out.vswitch, &out.bridge, &out.nic, &out.fabric});
    if (out.fabric == hop_policy::s_pfc)
      out.fabric = hop_policy::pfc;  // of which it is the likeness in software
    if (out.fabric == hop_policy::credit_list)
      out.fabric = out.vswitch = hop_policy::on_off;
    return;
  }
  if (const auto guest = word(*n, "guest"); !guest.empty())
    out.regulates = guest == "rate";
  // Groups first: what is named by itself counts more, wherever it stands.
  set(word(*n, "guest"), {&out.qdisc, &out.guest_tx, &out.guest_rx});
  set(word(*n, "vm-vswitch"), {&out.hypervisor, &out.vnic_rx, &out.vswitch});
  set(word(*n, "vswitch-nic"), {&out.bridge, &out.nic});
  if (out.vswitch == hop_policy::credit_list)
    out.vswitch = hop_policy::on_off;
  set(word(*n, "nic-fabric"), {&out.fabric});
  set(word(*n, "qdisc"), {&out.qdisc});
  set(word(*n, "vnic-rx"), {&out.vnic_rx});
  set(word(*n, "guest-tx"), {&out.guest_tx});
  set(word(*n, "guest-rx"), {&out.guest_rx});
  set(word(*n, "hypervisor"), {&out.hypervisor});
  set(word(*n, "vswitch"), {&out.vswitch});
  set(word(*n, "bridge"), {&out.bridge});
  set(word(*n, "nic"), {&out.nic});
  set(word(*n, "fabric"), {&out.fabric});
}

void read_ecn(const yaml_node& map, std::optional<ecn_settings>& out) {
  const auto* m = map.find("ecn");
  if (m == nullptr)
    return;
  if (!out)
    out.emplace();
  read_size(*m, "min", out->min_bytes);
  read_size(*m, "max", out->max_bytes);
  if (const auto q = number(m->find("mark")); q && q->what == quantity::kind::percent)
    out->mark_ppm = static_cast<std::uint32_t>(q->amount);
  if (const auto w = word(*m, "others"); !w.empty())
    out->drops = w == "drop";
}

void read_rate_control(const yaml_node* n, rate_settings& out) {
  if (n == nullptr || !n->is_map())
    return;
  read_time(*n, "interval", out.interval);
  read_time(*n, "latency", out.latency);
  read_rate(*n, "min", out.limiter.min_bps);
  read_rate(*n, "additive", out.limiter.additive_bps);
  read_rate(*n, "hyper", out.limiter.hyper_bps);
  read_time(*n, "increase", out.limiter.increase_time);
  read(*n, "increase-bytes", quantity::kind::size, out.limiter.increase_bytes);
  read_time(*n, "alpha", out.limiter.alpha_time);
}

void read_scheduler(const yaml_node& map, scheduler_settings& out) {
  const auto kind = word(map, "scheduler");
  if (!kind.empty())
    out.kind = kind == "wrr"    ? scheduler_kind::wrr
               : kind == "dwrr" ? scheduler_kind::dwrr
                                : scheduler_kind::strict;
  const auto* weights = map.find("weights");
  if (weights == nullptr)
    return;
  for (std::size_t i = 0; i < weights->items.size() && i < std::size(out.weights); ++i)
    if (const auto q = number(weights->items[i]))
      out.weights[i] = static_cast<std::uint32_t>(q->amount);
  for (const auto& e : weights->entries)
    if (const auto q = number(e.value);
        q && e.key->text.size() == 1 && e.key->text[0] >= '0' && e.key->text[0] <= '7')
      out.weights[e.key->text[0] - '0'] = static_cast<std::uint32_t>(q->amount);
}

void read_mbufs(const yaml_node& map, std::optional<mbuf_pool::config>& out) {
  const auto* m = map.find("mbufs");
  if (m == nullptr)
    return;
  auto& c = out ? *out : out.emplace();
  read_size(*m, "pool", c.pool_bytes);
  read_size(*m, "cluster", c.cluster_bytes);
  // What is not said follows from what is.
  if (m->find("pool") != nullptr)
    c.limit_bytes = std::max(std::int64_t{1}, c.pool_bytes / 4);
  read_size(*m, "limit", c.limit_bytes);
  if (m->find("pool") != nullptr || m->find("limit") != nullptr)
    c.least_bytes = std::max(std::int64_t{1}, c.limit_bytes / 16);
  read_size(*m, "least", c.least_bytes);
  read_time(*m, "unhealthy", c.unhealthy);
  if (m->find("unhealthy") != nullptr)
    c.healthy = c.unhealthy / 2;
  read_time(*m, "healthy", c.healthy);
  read_time(*m, "measure", c.measure);
  read_count(*m, "restore-after", c.restore_after);
  if (const auto w = word(*m, "limits"); !w.empty())
    c.how = w == "none"    ? mbuf_pool::limits::none
            : w == "fixed" ? mbuf_pool::limits::fixed
                           : mbuf_pool::limits::dynamic;
}

void read_vm(const yaml_node& map, vm_settings& out) {
  read_size(map, "socket-buffer", out.socket_buffer_bytes);
  read_rate(map, "drain", out.drain_bps);
  if (const auto l = limit(map.find("qdisc")))
    out.qdisc = l;
  read_limit(map, "vnic-ring", out.vnic_ring);
  read_count(map, "network", out.network);
  if (map.find("memory") != nullptr)
    read_size(map, "memory", out.memory_bytes.emplace());
  if (map.find("slice") != nullptr)
    read_time(map, "slice", out.slice.emplace());
  read_count(map, "importance", out.importance);
  if (const auto q = number(map.find("short")); q && q->what == quantity::kind::percent)
    out.short_ppm = static_cast<std::uint32_t>(q->amount);
  read_mbufs(map, out.mbufs);
  if (const auto* sockets = map.find("sockets")) {
    out.sockets.clear();
    for (const auto& e : sockets->entries) {
      socket_settings s;
      s.name = e.key->text;
      s.buffer_bytes = out.socket_buffer_bytes;
      s.drain_bps = out.drain_bps;
      read_count(*e.value, "port", s.port);
      read_size(*e.value, "buffer", s.buffer_bytes);
      read_rate(*e.value, "drain", s.drain_bps);
      out.sockets.push_back(std::move(s));
    }
  }
  if (const auto filter = word(map, "filter"); !filter.empty())
    out.filter = filter;
}

void read_pool(const yaml_node& map, elastic_fifo_settings::pool& out) {
  read_count(map, "most", out.most);
  out.least = std::min(out.least, out.most);  // unless it is said
  read_count(map, "least", out.least);
}

void read_elastic_fifo(const yaml_node& map, vswitch_settings& out) {
  if (const auto kind = word(map, "kind"); !kind.empty()) {
    out.sr_iov = kind == "sr-iov";
    if (kind != "elastic-fifo")
      out.elastic.reset();
    else if (!out.elastic)
      out.elastic.emplace();
  }
  if (!out.elastic)
    return;
  auto& e = *out.elastic;
  read_size(map, "receive-buffer", e.receive_buffer_bytes);
  if (const auto w = word(map, "on-exhausted"); !w.empty())
    e.waits = w == "wait";
  if (const auto* m = map.find("engines")) {
    read_rate(*m, "copy-rate", e.copy_bps);
    read_time(*m, "per-packet", e.per_packet);
    read_time(*m, "parse", e.parse);
    read_time(*m, "stage", e.stage);
  }
  read_time(map, "look", e.look);
  if (const auto* m = map.find("assist")) {
    read_time(*m, "per-packet", e.assist);
    read_time(*m, "per-connection", e.assist_each);
  }
  if (const auto* list = map.find("buffers"); list != nullptr && list->is_list()) {
    e.buffers.clear();
    for (const auto* i : list->items) {
      elastic_fifo_settings::pool p{0, 64, 16'384};
      std::int64_t bytes = 0;
      read_size(*i, "size", bytes);
      p.bytes = static_cast<std::uint32_t>(bytes);
      read_pool(*i, p);
      e.buffers.push_back(p);
    }
  }
  if (const auto* m = map.find("indirect"))
    read_pool(*m, e.indirect);
  read_count(map, "step", e.step);
  read_size(map, "memory", e.memory_bytes);
  read_time(map, "slice", e.slice);
}

void read_host(const yaml_node& map, host_settings& out) {
  read_ecn(map, out.ecn);
  if (const auto* m = map.find("guest")) {
    read_rate(*m, "rate", out.guest_bps);
    read_time(*m, "latency", out.guest_latency);
  }
  if (const auto* m = map.find("hypervisor")) {
    read_time(*m, "per-packet", out.hypervisor.per_packet);
    read_rate(*m, "copy-rate", out.hypervisor.copy_bps);
    read_limit(*m, "queue", out.hypervisor.queue);
    read_time(*m, "notification", out.hypervisor.notification);
  }
  if (const auto* m = map.find("napi")) {
    read_time(*m, "interrupt", out.napi.interrupt);
    read_time(*m, "per-packet", out.napi.per_packet);
    read_time(*m, "per-poll", out.napi.per_poll);
    read_time(*m, "per-softirq", out.napi.per_softirq);
    read_count(*m, "weight", out.napi.weight);
    read_count(*m, "budget", out.napi.budget);
  }
  if (const auto* m = map.find("bridge")) {
    read_limit(*m, "queue", out.bridge.queue);
    read_time(*m, "per-packet", out.bridge.per_packet);
    read_rate(*m, "copy-rate", out.bridge.copy_bps);
    if (const auto w = word(*m, "overlay"); !w.empty())
      out.bridge.vxlan = w == "vxlan";
  }
  if (const auto* m = map.find("vswitch")) {
    read_elastic_fifo(*m, out.vswitch);
    if (const auto* s = m->find("shortage")) {
      if (const auto q = number(s->find("share")); q && q->what == quantity::kind::percent)
        out.vswitch.short_ppm = static_cast<std::uint32_t>(q->amount);
      read_time(*s, "for", out.vswitch.short_for);
    }
    read_size(*m, "port-queue", out.vswitch.port_queue_bytes);
    read_time(*m, "forwarding-delay", out.vswitch.forwarding_delay);
    read_scheduler(*m, out.vswitch.scheduler);
  }
  if (const auto* m = map.find("nic")) {
    read_size(*m, "rx-buffer", out.nic.rx_buffer_bytes);
    read_size(*m, "tx-buffer", out.nic.tx_buffer_bytes);
    if (const auto* d = m->find("dma"); d != nullptr && d->is_map()) {
      auto& dma = out.nic.dma.emplace();
      if (const auto w = word(*d, "transfers"); !w.empty())
        dma.single = w == "single";
      read(*d, "header", quantity::kind::size, dma.header_bytes);
      read(*d, "descriptor", quantity::kind::size, dma.descriptor_bytes);
      read(*d, "fetch", quantity::kind::count, dma.fetch);
      read_time(*d, "set-up", dma.set_up);
    }
    read_scheduler(*m, out.nic.scheduler);
  }
  if (const auto* m = map.find("pcie")) {
    read_rate(*m, "rate", out.pcie.bps);
    read_time(*m, "latency", out.pcie.latency);
    for (auto [name, credits] :
         {std::pair{"posted", &out.pcie.posted}, std::pair{"completion", &out.pcie.completion}})
      if (const auto* c = m->find(name)) {
        read_count(*c, "headers", credits->headers);
        read_count(*c, "data", credits->data);
      }
    if (const auto q = number(m->find("max-payload")); q && q->what == quantity::kind::size)
      out.pcie.max_payload = static_cast<std::uint32_t>(q->amount);
    if (const auto* credits = m->find("non-posted"))
      read(*credits, "headers", quantity::kind::count, out.pcie.non_posted_headers);
    read(*m, "read-request", quantity::kind::size, out.pcie.read_request);
    read_time(*m, "update", out.pcie.update);
  }
}

void read_switch(const yaml_node& map, switch_settings& out) {
  read_size(map, "buffer", out.buffer_bytes);
  if (const auto q = number(map.find("port-queue")); q && q->what == quantity::kind::size)
    out.port_queue_bytes = static_cast<std::int64_t>(q->amount);
  read_ecn(map, out.ecn);
  if (const auto* m = map.find("shared-buffer")) {
    if (!out.shared)
      out.shared.emplace();
    read_size(*m, "reserve", out.shared->reserve_bytes);
    read(*m, "shift", quantity::kind::count, out.shared->shift);
    read_size(*m, "xon-offset", out.shared->xon_offset_bytes);
  }
  read_time(map, "forwarding-delay", out.forwarding_delay);
  read_scheduler(map, out.scheduler);
}

void read_sink(const yaml_node& map, sink_settings& out) {
  read_rate(map, "drain", out.drain_bps);
  read_size(map, "buffer", out.buffer_bytes);
}

void read_link(const yaml_node& map, link& out) {
  read_rate(map, "rate", out.rate_bps);
  read_time(map, "delay", out.delay);
  if (const auto q = number(map.find("mtu")))
    out.mtu = static_cast<std::uint32_t>(q->amount);
  if (const auto w = word(map, "flow-control"); !w.empty())
    out.flow_control = policy(w, hop_policy::none);
}

// -- the whole ------------------------------------------------------------------------------------

class converter {
public:
  converter(yaml_forest& forest, const yaml_node& root, const load_options& options)
      : forest_{forest}, root_{root}, options_{options} {}

  scenario convert(const std::string& file, const std::string& folder) {
    s_.file = file;
    s_.folder = folder;
    run();
    defaults();
    nodes();
    links();
    priorities();
    routers();
    switch_routes();
    aggregations();
    components();
    traffic();
    shared_buffers();
    marks();
    end();
    events();
    taps();
    check_times();
    expectations();
    return std::move(s_);
  }

private:
  enum class role : std::uint8_t { vm, generator, sink };

  struct endpoint {
    role what;
    std::size_t node;
  };

  void run() {
    s_.name = word(root_, "name");
    if (s_.name.empty())
      s_.name = std::filesystem::path{s_.file}.stem().string();
    s_.description = word(root_, "description");
    read(root_, "seed", quantity::kind::count, s_.seed);
    if (word(root_, "clock") == "real")
      s_.clock = clock_kind::real_time;
    if (const auto q = number(root_.find("speed")); q && q->what == quantity::kind::factor)
      s_.speed = static_cast<double>(q->amount) / static_cast<double>(q->divisor);
    read_time(root_, "duration", s_.duration);
    s_.until_traffic_done = word(root_, "until") == "traffic-done";
    if (const auto* c = root_.find("controller"))
      read_time(*c, "latency", s_.controller.latency);
  }

  void defaults() {
    const auto* d = root_.find("defaults");
    if (d == nullptr)
      return;
    if (const auto* m = d->find("link"))
      read_link(*m, default_link_);
    read_flow_control(d->find("flow-control"), default_flow_control_);
    read_on_off(d->find("on-off"), default_flow_control_.on_off);
    read_pfc(d->find("pfc"), default_flow_control_.pfc);
    read_ib(d->find("ib"), default_flow_control_.ib);
    if (const auto* lists = d->find("credit-list"))
      read_credit_lists(*lists, default_flow_control_.lists);
    read_rate_control(d->find("rate"), default_flow_control_.rate);
    read_classify(d->find("classify"), default_classify_);
    if (const auto* m = d->find("host"))
      read_host(*m, default_host_);
    if (const auto* m = d->find("vm")) {
      read_vm(*m, default_vm_);
      sensible_mbufs(*m, default_vm_);
    }
    if (const auto* m = d->find("switch"))
      read_switch(*m, default_switch_);
    if (const auto* m = d->find("sink"))
      read_sink(*m, default_sink_);
    for (const auto* where : {"host", "switch"})
      if (const auto* m = d->find(where)) {
        too_many_weights(*m);
        for (const auto* part : {"vswitch", "nic"})
          if (const auto* p = m->find(part))
            too_many_weights(*p);
      }
  }

  void read_on_off(const yaml_node* n, on_off_settings& out) {
    if (n == nullptr)
      return;
    if (const auto l = limit(n->find("stop"))) {
      out.stop = l;
      out.where = forest_.mark(*n->find("stop"));
    }
    if (const auto l = limit(n->find("start"))) {
      out.start = l;
      if (!out.stop)
        out.where = forest_.mark(*n->find("start"));
    }
    if (!out.stop || !out.start)
      return;
    const auto* place = n->find("start") != nullptr ? n->find("start") : n->find("stop");
    if (place == nullptr)
      return;
    if (out.stop->in != out.start->in)
      forest_.error(*place, "`stop` and `start` are in different units",
                    "both in bytes or both in packets");
    else if (out.start->amount > out.stop->amount)
      forest_.error(*place, "`start` is above `stop`",
                    "a queue stops its sender at `stop` and lets it go on at `start` or below");
  }

  void read_pfc(const yaml_node* n, pfc_settings& out) {
    if (n == nullptr || !n->is_map())
      return;
    out.where = forest_.mark(*n);
    if (const auto* list = n->find("priorities"); list != nullptr && list->is_list())
      out.priorities = priorities_of(list);
    const auto size = [&](std::string_view key, std::optional<std::int64_t>& to) {
      if (const auto q = number(n->find(key)); q && q->what == quantity::kind::size)
        to = static_cast<std::int64_t>(q->amount);
    };
    const auto time = [&](std::string_view key, std::optional<sim_time>& to) {
      if (const auto q = number(n->find(key)); q && q->what == quantity::kind::duration)
        to = static_cast<sim_time>(q->amount);
    };
    size("xoff", out.xoff);
    size("xon", out.xon);
    size("headroom", out.headroom);
    if (word(*n, "headroom") == "auto")
      out.headroom.reset();
    if (const auto* w = n->find("watchdog"); w != nullptr && w->is_map()) {
      if (!out.watchdog)
        out.watchdog.emplace();
      read_time(*w, "detect", out.watchdog->detect);
      read_time(*w, "restore", out.watchdog->restore);
      if (const auto action = word(*w, "action"); !action.empty())
        out.watchdog->drops = action == "drop";
    }
    read(*n, "quanta", quantity::kind::count, out.quanta);
    time("refresh", out.refresh);
    time("response", out.response);
    if (out.xoff && out.xon && *out.xon >= *out.xoff)
      if (const auto* place = n->find("xon") != nullptr ? n->find("xon") : n->find("xoff"))
        forest_.error(*place, "`xon` is not below `xoff`",
                      "a priority is paused at `xoff` and goes on at `xon`");
  }

  void read_ib(const yaml_node* n, ib_settings& out) {
    if (n == nullptr || !n->is_map())
      return;
    out.where = forest_.mark(*n);
    if (const auto q = number(n->find("credits")); q && q->what == quantity::kind::size)
      out.credits = static_cast<std::int64_t>(q->amount);
    if (const auto q = number(n->find("update")); q && q->what == quantity::kind::duration)
      out.update = static_cast<sim_time>(q->amount);
    read(*n, "management", quantity::kind::count, out.management);
    if (word(*n, "management") == "none")
      out.management = -1;
  }

  void read_classify(const yaml_node* n, std::optional<classify_settings>& out) {
    if (n == nullptr || !n->is_map())
      return;
    if (!out)
      out.emplace();
    using field = classify_settings::field;
    if (const auto* trust = n->find("trust"); trust != nullptr && trust->is_list()) {
      out->trust.fill(field::none);
      if (trust->items.size() > out->trust.size())
        forest_.error(*trust, "there are two fields to trust, `pcp` and `dscp`");
      for (std::size_t i = 0; i < std::min(trust->items.size(), out->trust.size()); ++i)
        out->trust[i] = trust->items[i]->text == "dscp" ? field::dscp : field::pcp;
    }
    const auto table = [&](std::string_view key, auto& to) {
      const auto* map = n->find(key);
      if (map == nullptr)
        return;
      for (const auto& e : map->entries) {
        const auto at = number(e.key), value = number(e.value);
        if (!at || at->what != quantity::kind::count || at->amount >= to.size())
          forest_.error(*e.key, fmt::format("`{}` is no {}", e.key->text, key),
                        fmt::format("0 to {}", to.size() - 1));
        else if (value && value->amount < max_priorities)
          to[static_cast<std::size_t>(at->amount)] =
              static_cast<typename std::remove_reference_t<decltype(to)>::value_type>(
                  value->amount);
      }
    };
    table("dscp", out->dscp);
    table("pcp", out->pcp);
    read(*n, "otherwise", quantity::kind::count, out->otherwise);
  }

  // A number or a list of them, as bits.
  static std::uint8_t priorities_of(const yaml_node* n) {
    unsigned bits = 0;
    const auto add = [&](const yaml_node* x) {
      if (const auto q = number(x); q && q->amount < max_priorities)
        bits |= 1u << static_cast<unsigned>(q->amount);
    };
    if (n->is_list())
      std::for_each(n->items.begin(), n->items.end(), add);
    else
      add(n);
    return static_cast<std::uint8_t>(bits);
  }

  void too_many_weights(const yaml_node& map) {
    if (const auto* w = map.find("weights"); w != nullptr && w->items.size() > 8)
      forest_.error(*w->items[8], "more than 8 weights: there is one for each priority, 0 to 7");
  }

  // -- nodes --

  void nodes() {
    const auto* map = root_.find("nodes");
    if (map == nullptr || !map->is_map())
      return;
    if (map->entries.empty())
      forest_.error(*map, "a scenario needs at least one node");
    for (const auto& e : map->entries) {
      const auto& settings = *e.value;
      node n;
      n.name = e.key->text;
      n.where = forest_.mark(*e.key);
      n.flow_control = default_flow_control_;
      read_flow_control(settings.find("flow-control"), n.flow_control);
      read_on_off(settings.find("on-off"), n.flow_control.on_off);
      read_pfc(settings.find("pfc"), n.flow_control.pfc);
      read_ib(settings.find("ib"), n.flow_control.ib);
      if (const auto* lists = settings.find("credit-list"))
        read_credit_lists(*lists, n.flow_control.lists);
      read_rate_control(settings.find("rate"), n.flow_control.rate);
      n.classify = default_classify_;
      read_classify(settings.find("classify"), n.classify);
      const auto kind = word(settings, "kind");
      const auto index = s_.nodes.size();
      bool known = true;
      if (kind == "host") {
        n.as = host(n.name, settings, index);
      } else if (kind == "switch") {
        auto sw = default_switch_;
        read_switch(settings, sw);
        too_many_weights(settings);
        if (const auto* r = settings.find("routes"))
          for (const auto& to : r->entries)
            if (to.value->is_scalar()) {
              sw.routes.push_back({to.key->text, to.value->text, forest_.mark(*to.key)});
              route_nodes_.push_back({index, to.key, to.value});
            }
        if (const auto* a = settings.find("aggregation"); a != nullptr && a->is_map()) {
          auto& out = sw.aggregation.emplace();
          const auto select = word(*a, "select");
          out.select = select == "least-loaded"  ? link_choice::least_loaded
                       : select == "round-robin" ? link_choice::round_robin
                                                 : link_choice::hash;
          read_time(*a, "down-delay", out.down_delay);
          read_time(*a, "up-delay", out.up_delay);
          read_time(*a, "load-window", out.load_window);
          aggregation_nodes_.emplace_back(index, a);
        }
        n.as = sw;
      } else if (kind == "generator") {
        n.as = generator_settings{};
        add_endpoint(n.name, {role::generator, index});
      } else if (kind == "sink") {
        auto sink = default_sink_;
        read_sink(settings, sink);
        n.as = sink;
        add_endpoint(n.name, {role::sink, index});
      } else {
        known = false;
      }
      node_known_.push_back(known);
      node_index_.emplace(n.name, index);
      node_names_.push_back(n.name);
      s_.nodes.push_back(std::move(n));
    }
  }

  host_settings host(const std::string& name, const yaml_node& map, std::size_t index) {
    auto h = default_host_;
    read_host(map, h);
    for (const auto* part : {"vswitch", "nic"})
      if (const auto* m = map.find(part))
        too_many_weights(*m);
    const auto* vms = map.find("vms");
    if (vms == nullptr)
      return h;
    std::unordered_set<std::string> names;
    const auto add = [&](const yaml_node& key, vm_settings vm) {
      vm.where = forest_.mark(key);
      auto range = expand(key);
      for (auto& own : range.names) {
        if (!names.insert(own).second) {
          forest_.error(key, fmt::format("VM `{}` is given twice", own));
          return;
        }
        if (h.vms.size() == max_range) {
          forest_.error(key, fmt::format("`{}` has more than {} VMs", name, max_range));
          return;
        }
        vm.name = std::move(own);
        add_vm(h, vm, name, index);
      }
    };
    for (const auto* i : vms->items)
      if (i->is_scalar())
        add(*i, default_vm_);
    for (const auto& e : vms->entries) {
      auto vm = default_vm_;
      read_vm(*e.value, vm);
      for (const auto* own : {"ip", "mac"})
        if (const auto* address = e.value->find(own);
            address != nullptr && expand_name(e.key->text).names.size() > 1)
          forest_.error(*address,
                        fmt::format("`{}` are several VMs, with one address", e.key->text),
                        "leave it out: they get one each");
      if (const auto* ip = e.value->find("ip"); ip != nullptr && ip->is_scalar()) {
        vm.ip = normal_ip(ip->text);
        if (vm.ip.empty())
          forest_.error(*ip, fmt::format("`{}` is no IPv4 or IPv6 address", ip->text));
        else
          unique(*ip, vm.ip, "address");
      }
      if (const auto* mac = e.value->find("mac"); mac != nullptr && mac->is_scalar()) {
        vm.mac = normal_mac(mac->text);
        if (vm.mac.empty())
          forest_.error(*mac, fmt::format("`{}` is no Ethernet address", mac->text),
                        "for example \"02:00:00:00:00:04\"");
        else if (std::string_view{"13579bdf"}.find(vm.mac[1]) != std::string_view::npos)
          forest_.error(*mac,
                        fmt::format("`{}` is a group address; a VM has one of its own", mac->text));
        else
          unique(*mac, vm.mac, "address");
      }
      sensible_sockets(*e.value, vm);
      sensible_mbufs(*e.value, vm);
      add(*e.key, std::move(vm));
    }
    return h;
  }

  // None if the ranges of the file have become too many.
  name_range expand(const yaml_node& n) {
    auto range = expand_name(n.text);
    if (range.names.size() < 2)
      return range;
    const bool fits = expanded_ <= max_ranges;
    expanded_ += range.names.size();
    if (expanded_ <= max_ranges)
      return range;
    if (fits)
      forest_.error(
          n, fmt::format("the ranges of this file stand for more than {} names", max_ranges));
    return {};
  }

  void add_vm(host_settings& h, vm_settings vm, const std::string& host, std::size_t index) {
    const auto name = host + "/" + vm.name;
    add_endpoint(name, {role::vm, index});
    if (!vm.sockets.empty() || !vm.filter.empty())
      takes_apart_.insert(name);
    if (vm.mbufs)
      has_mbufs_.insert(name);
    for (const auto& s : vm.sockets)
      socket_names_.insert(name + "." + s.name);
    h.vms.push_back(std::move(vm));
  }

  // At the key itself, or at where they stand.
  void sensible_mbufs(const yaml_node& map, const vm_settings& vm) {
    const auto* m = map.find("mbufs");
    if (m == nullptr)
      return;
    const auto& c = *vm.mbufs;
    const auto at = [&](std::string_view key) -> const yaml_node& {
      const auto* n = m->find(key);
      return n != nullptr ? *n : *m;
    };
    if (c.cluster_bytes > c.pool_bytes)
      forest_.error(at("pool"),
                    fmt::format("the pool has no mbuf: a cluster is {} bytes, all are {}",
                                c.cluster_bytes, c.pool_bytes));
    else if (c.limit_bytes > c.pool_bytes && c.how != mbuf_pool::limits::none)
      forest_.error(at("limit"),
                    fmt::format("a chain may hold {} bytes, and the pool has {}", c.limit_bytes,
                                c.pool_bytes),
                    "`limits: none` is for chains that may have all of it");
    else if (c.least_bytes > c.limit_bytes && c.how == mbuf_pool::limits::dynamic)
      forest_.error(at("least"), fmt::format("a limit of {} bytes cannot be lowered to {}",
                                             c.limit_bytes, c.least_bytes));
    if (c.healthy > c.unhealthy && c.how == mbuf_pool::limits::dynamic)
      forest_.error(at("healthy"), "a chain would be healthy and unhealthy at once",
                    "`healthy` is no more than `unhealthy`");
  }

  void sensible_sockets(const yaml_node& map, const vm_settings& vm) {
    if (const auto* sockets = map.find("sockets")) {
      std::map<std::uint32_t, std::string> ports;
      for (const auto& e : sockets->entries) {
        const auto* port = e.value->find("port");
        if (port == nullptr)
          continue;
        std::uint32_t number = 0;
        read_count(*e.value, "port", number);
        const auto [first, fresh] = ports.emplace(number, e.key->text);
        if (!fresh)
          forest_.error(*port, fmt::format("port {} has a socket, `{}`", number, first->second));
      }
      if (vm.sockets.size() > max_sockets)
        forest_.error(*sockets, fmt::format("a VM has at most {} sockets", max_sockets));
    }
    if (const auto* filter = map.find("filter"); filter != nullptr && filter->is_scalar())
      try {
        check_filter(filter->text);
      } catch (const traffic_error& x) {
        forest_.error(*filter, x.what());
      }
  }

  void unique(const yaml_node& at, const std::string& value, std::string_view what) {
    const auto [first, fresh] = addresses_.emplace(value, &at);
    if (!fresh)
      forest_.error(at, fmt::format("{} `{}` is used twice", what, at.text),
                    fmt::format("the first is in line {}", first->second->line));
  }

  void add_endpoint(const std::string& name, endpoint e) {
    endpoints_.emplace(name, e);
    endpoint_names_.push_back(name);
  }

  // After the last error that is shown nobody reads what was meant.
  bool worth_suggesting() const { return forest_.errors() <= max_reported_errors; }

  std::string suggestion(std::string_view text, const std::vector<std::string>& names) const {
    if (names.size() > max_suggestion_words || !worth_suggesting())
      return {};
    std::vector<std::string_view> words{names.begin(), names.end()};
    return did_you_mean(text, words);
  }

  // -- links --

  struct written_end {
    std::string node, port;
    yaml_node at;
    std::size_t index = SIZE_MAX;  // of the node; SIZE_MAX: there is none
  };

  struct written_link {
    written_end a, b;
    bool usable = false;
  };

  /// "node" or "node:port" somewhere in a scalar.
  written_end read_end(const yaml_node& scalar, std::size_t at, std::size_t length) {
    written_end end;
    auto text = std::string_view{scalar.text}.substr(at, length);
    while (!text.empty() && text.front() == ' ') {
      text.remove_prefix(1);
      ++at;
    }
    while (!text.empty() && text.back() == ' ')
      text.remove_suffix(1);
    end.at = part_of(scalar, at, text.size());
    const auto colon = text.find(':');
    end.node = text.substr(0, colon);
    if (colon != std::string_view::npos)
      end.port = text.substr(colon + 1);
    return end;
  }

  /// The two ends of "a -- b"; false: it is not of that form.
  bool read_ends(const yaml_node& scalar, written_end& a, written_end& b) {
    const auto dashes = scalar.text.find("--");
    if (dashes == std::string::npos)
      return false;
    a = read_end(scalar, 0, dashes);
    b = read_end(scalar, dashes + 2, std::string::npos);
    return !a.node.empty() && !b.node.empty();
  }

  bool is_switch(std::size_t n) const {
    return std::holds_alternative<switch_settings>(s_.nodes[n].as);
  }

  void resolve(written_end& end) {
    const auto found = node_index_.find(end.node);
    if (found == node_index_.end()) {
      forest_.error(end.at, fmt::format("there is no node `{}`", end.node),
                    suggestion(end.node, node_names_));
      return;
    }
    end.index = found->second;
    if (end.port.empty() || !node_known_[end.index])
      return;
    if (std::holds_alternative<host_settings>(s_.nodes[end.index].as)) {
      if (end.port != "nic0")
        forest_.error(end.at, fmt::format("host `{}` has no port `{}`", end.node, end.port),
                      "a host has one NIC, `nic0`");
      return;
    }
    const auto digits = std::string_view{end.port}.substr(1);
    if (end.port[0] != 'p' || digits.empty() || digits.size() > 5 || digits[0] == '0'
        || digits.find_first_not_of("0123456789") != std::string_view::npos
        || std::stoul(std::string{digits}) > max_ports)
      forest_.error(end.at,
                    fmt::format("`{}` is no port: ports are p1 to p{}", end.port, max_ports));
  }

  void links() {
    const auto* list = root_.find("links");
    if (list == nullptr || !list->is_list())
      return;
    std::vector<written_link> written;
    for (const auto* item : list->items) {
      written_link w;
      link l = default_link_;
      l.where = forest_.mark(*item);
      const yaml_node* ends = item;
      if (item->is_map()) {
        read_link(*item, l);
        ends = item->find("endpoints");
      }
      if (ends != nullptr && ends->is_scalar()) {
        w.usable = read_ends(*ends, w.a, w.b);
        if (!w.usable)
          forest_.error(*ends, fmt::format("`{}` is no link", ends->text), "a link is `a -- b`");
      } else if (ends != nullptr && ends->is_list()) {
        if (ends->items.size() != 2) {
          forest_.error(*ends, fmt::format("a link has two ends, not {}", ends->items.size()));
        } else if (ends->items[0]->is_scalar() && ends->items[1]->is_scalar()) {
          w.a = read_end(*ends->items[0], 0, std::string::npos);
          w.b = read_end(*ends->items[1], 0, std::string::npos);
          w.usable = true;
        }
      }
      if (w.usable) {
        resolve(w.a);
        resolve(w.b);
        if (w.a.index != SIZE_MAX && w.a.index == w.b.index)
          forest_.error(w.b.at, fmt::format("`{}` is linked to itself", w.a.node));
        w.usable = w.a.index != SIZE_MAX && w.b.index != SIZE_MAX && w.a.index != w.b.index;
      }
      written.push_back(std::move(w));
      s_.links.push_back(std::move(l));
    }

    // Ports that are named come first, so that a chosen one never takes a later link's port.
    used_ports_.resize(s_.nodes.size());
    std::vector<std::uint32_t> links_of(s_.nodes.size());
    for (auto& w : written) {
      if (!w.usable)
        continue;
      for (auto* end : {&w.a, &w.b}) {
        if (!is_switch(end->index) && node_known_[end->index] && ++links_of[end->index] == 2)
          forest_.error(end->at, fmt::format("`{}` has more than one link", end->node),
                        "hosts, generators and sinks have one; only switches have more");
        else if (!end->port.empty() && !used_ports_[end->index].insert(end->port).second)
          forest_.error(end->at, fmt::format("port `{}:{}` is used twice", end->node, end->port));
      }
    }
    std::vector<std::uint32_t> last(s_.nodes.size());
    for (std::size_t i = 0; i < written.size(); ++i) {
      auto& w = written[i];
      if (!w.usable)
        continue;
      for (auto* end : {&w.a, &w.b}) {
        if (!end->port.empty())
          continue;
        if (std::holds_alternative<host_settings>(s_.nodes[end->index].as)) {
          end->port = "nic0";
          continue;
        }
        do {
          end->port = fmt::format("p{}", ++last[end->index]);
        } while (!used_ports_[end->index].insert(end->port).second);
        if (last[end->index] == max_ports + 1)
          forest_.error(end->at, fmt::format("`{}` has more than {} ports", end->node, max_ports));
      }
      s_.links[i].a = {w.a.node, w.a.port};
      s_.links[i].b = {w.b.node, w.b.port};
      edges_.push_back({w.a.index, w.b.index, i});
    }
  }

  // Which nodes can reach each other. Only switches have several links, so nothing else is ever in
  // the middle of a path.
  void components() {
    component_.resize(s_.nodes.size());
    std::iota(component_.begin(), component_.end(), std::size_t{0});
    link_of_.assign(s_.nodes.size(), SIZE_MAX);
    for (const auto& e : edges_) {
      component_[root_of(e.a)] = root_of(e.b);
      if (!is_switch(e.a))
        link_of_[e.a] = e.link;
      if (!is_switch(e.b))
        link_of_[e.b] = e.link;
    }
  }

  std::size_t root_of(std::size_t n) {
    while (component_[n] != n)
      n = component_[n] = component_[component_[n]];
    return n;
  }

  // -- traffic --

  struct resolved {
    std::string name;
    const yaml_node* at;
    endpoint what;
  };

  std::optional<resolved> resolve_endpoint(const yaml_node& n) {
    return n.is_scalar() ? resolve_endpoint(n, n.text) : std::nullopt;
  }

  std::optional<resolved> resolve_endpoint(const yaml_node& n, const std::string& text) {
    const auto found = endpoints_.find(text);
    if (found != endpoints_.end())
      return resolved{text, &n, found->second};
    const auto slash = text.find('/');
    const auto node = node_index_.find(text.substr(0, slash));
    if (node != node_index_.end() && !node_known_[node->second])
      return std::nullopt;  // its kind is wrong, which was said
    auto hint = suggestion(text, endpoint_names_);
    if (node == node_index_.end()) {
      forest_.error(n, fmt::format("there is no endpoint `{}`", text),
                    hint.empty() ? "endpoints are VMs (`host/vm`), generators and sinks" : hint);
    } else if (const auto* h = std::get_if<host_settings>(&s_.nodes[node->second].as)) {
      if (slash == std::string::npos) {
        forest_.error(n, fmt::format("`{}` is a host; its VMs are the endpoints", text),
                      h->vms.empty() ? std::string{}
                                     : fmt::format("did you mean `{}/{}`?", text, h->vms[0].name));
      } else {
        std::vector<std::string> names;
        for (const auto& vm : h->vms)
          names.push_back(vm.name);
        auto vm = suggestion(text.substr(slash + 1), names);
        forest_.error(n,
                      fmt::format("host `{}` has no VM `{}`", s_.nodes[node->second].name,
                                  text.substr(slash + 1)),
                      !hint.empty() ? hint
                      : names.empty() || names.size() > 16
                          ? vm
                          : fmt::format("its VMs are {}", fmt::join(names, ", ")));
      }
    } else {
      forest_.error(n, fmt::format("`{}` is a switch, not an endpoint", text.substr(0, slash)),
                    "endpoints are VMs (`host/vm`), generators and sinks");
    }
    return std::nullopt;
  }

  std::vector<resolved> endpoints(const yaml_node* n, bool sending) {
    std::vector<resolved> out;
    if (n == nullptr)
      return out;
    std::vector<const yaml_node*> items;
    if (n->is_list()) {
      items.assign(n->items.begin(), n->items.end());
      if (items.empty())
        forest_.error(*n, "an empty list: nobody is there");
    } else {
      items.push_back(n);
    }
    std::unordered_set<std::string> seen;
    // One error for each item, however many names it stands for.
    const auto add = [&](const yaml_node& i, const std::string& text) {
      auto r = resolve_endpoint(i, text);
      if (!r)
        return false;
      if (!seen.insert(text).second)
        forest_.error(i, fmt::format("`{}` is in the list twice", text));
      else if (sending && r->what.what == role::sink)
        forest_.error(i, fmt::format("`{}` is a sink: it cannot send", text));
      else if (!sending && r->what.what == role::generator)
        forest_.error(i, fmt::format("`{}` is a generator: it cannot receive", text));
      else
        return out.push_back(std::move(*r)), true;
      return false;
    };
    for (const auto* i : items) {
      if (!i->is_scalar())
        continue;
      const auto range = expand(*i);
      if (range.names.empty() && !range.wrong.empty())
        forest_.error(*i, fmt::format("`{}` is no range of names", i->text), range.wrong);
      for (const auto& name : range.names)
        if (!add(*i, name))
          break;
    }
    return out;
  }

  bool connected(const resolved& a, const resolved& b) {
    return a.what.node == b.what.node || root_of(a.what.node) == root_of(b.what.node);
  }

  void no_path(const resolved& from, const resolved& to) {
    std::string hint;
    for (const auto* r : {&from, &to})
      if (link_of_[r->what.node] == SIZE_MAX)
        hint = fmt::format("`{}` has no link", s_.nodes[r->what.node].name);
    forest_.error(*to.at, fmt::format("no path leads from `{}` to `{}`", from.name, to.name), hint);
  }

  void check_paths(const std::vector<resolved>& from, const std::vector<resolved>& to) {
    // One report for each sender, and quadratic work only where there are many islands.
    const auto one_island = std::all_of(to.begin(), to.end(), [&](const resolved& r) {
      return root_of(r.what.node) == root_of(to.front().what.node);
    });
    for (const auto& f : from)
      for (const auto& t : to) {
        if (!connected(f, t)) {
          no_path(f, t);
          break;
        }
        if (one_island || !worth_suggesting())
          break;
      }
  }

  credit_settings credit_lists(const yaml_node& map) {
    credit_settings c;
    read_credit_lists(map, c);
    const auto when = word(map, "when");
    c.regulated = when != "never";
    c.in_device = word(map, "in") == "device";
    if (when == "window") {
      c.window_bytes = 64 * 1024;
      read_size(map, "window", c.window_bytes);
    } else if (const auto* window = map.find("window")) {
      forest_.error(*window, "credit lists have no window", "`when: window`");
    }
    const auto by = word(map, "by");
    c.by = by == "shared-memory" ? credit_settings::way::shared_memory
           : by == "rdma"        ? credit_settings::way::rdma
           : by == "tcp-options" ? credit_settings::way::tcp_options
                                 : credit_settings::way::message;
    read_count(map, "buffers", c.buffers);
    std::int64_t bytes = c.most;
    read_size(map, "buffer", bytes);
    c.most = static_cast<std::uint32_t>(bytes);
    read_size(map, "smallest", bytes);
    c.least = static_cast<std::uint32_t>(bytes);
    if (c.least > c.most)
      forest_.error(*map.find("smallest"), "`smallest` is above `buffer`");
    if (map.find("first-list") != nullptr)
      read_count(map, "first-list", c.first_list.emplace());
    read_time(map, "work", c.work);
    read_rate(map, "limit", c.limit_bps);
    read_size(map, "burst", c.burst_bytes);
    if (const auto q = number(map.find("steady")))
      c.steady_percent = static_cast<unsigned>(q->amount / 10'000);
    read_time(map, "latency", c.latency);
    if (map.find("per-message") != nullptr)
      read_time(map, "per-message", c.per_message.emplace());
    if (map.find("poll") != nullptr)
      read_time(map, "poll", c.poll.emplace());
    read_time(map, "post", c.post);
    read_count(map, "send-queue", c.send_queue);
    if (c.by == credit_settings::way::tcp_options && c.per_list.value_or(1) > 9)
      forest_.error(*map.find("per-list"), "the options of a TCP segment hold 9 credits",
                    "`per-list: 9`, or `by: message`");
    return c;
  }

  // Both ends of credit lists are applications; a connection is between two of them.
  void check_connections(const yaml_node& key, const yaml_node& map, const credit_settings& c,
                         const std::vector<resolved>& from, const std::vector<resolved>& to) {
    for (const auto* side : {&from, &to})
      for (const auto& r : *side) {
        if (r.what.what != role::vm)
          return forest_.error(*r.at, fmt::format("`{}` has no application with buffers", r.name),
                               "credit lists are between VMs");
        if (side == &to && takes_apart_.count(r.name) != 0)
          return forest_.error(*r.at, fmt::format("`{}` has sockets by port, or a filter", r.name),
                               "a receiver of credit lists has neither");
        if (side == &to && has_mbufs_.count(r.name) != 0)
          return forest_.error(*r.at, fmt::format("`{}` keeps what it receives in mbufs", r.name),
                               "with credit lists it goes into buffers of the application's");
        if (c.by == credit_settings::way::shared_memory && !from.empty()
            && r.what.node != from.front().what.node)
          return forest_.error(*map.find("by"),
                               "the two ends share no memory: they are on different hosts",
                               "`by: message` or `by: rdma`");
      }
    // Each has its buffers, lists and queues.
    for (const auto& f : from) {
      auto& opened = connections_[f.name];
      opened += to.size();
      receive_buffers_ += to.size() * c.buffers;
      if (opened > max_connections)
        return forest_.error(key,
                             fmt::format("with `{}` `{}` has {} connections with credit lists",
                                         key.text, f.name, opened),
                             fmt::format("at most {} from one VM", max_connections));
      if (receive_buffers_ > max_receive_buffers)
        return forest_.error(
            key,
            fmt::format("with `{}` credit lists have more than {} receive buffers in all", key.text,
                        max_receive_buffers),
            "fewer `buffers`, or fewer connections");
    }
  }

  // Packets to several go to VMs of one host that has a router for them.
  void check_cast(const yaml_node& map, const std::vector<resolved>& to, const traffic_entry& t) {
    if (t.cast != cast_kind::multicast && t.cast != cast_kind::broadcast
        && t.cast != cast_kind::captured)
      return;
    const auto* at = map.find("cast");
    if (t.cast == cast_kind::captured && map.find("replay") == nullptr) {
      forest_.error(*at, "only what is replayed was captured", "for example `cast: broadcast`");
      return;
    }
    const auto routes = [&](const resolved& r) {
      const auto* h = std::get_if<host_settings>(&s_.nodes[r.what.node].as);
      return h != nullptr && h->vswitch.elastic;
    };
    const bool one = std::all_of(to.begin(), to.end(), [&](const resolved& r) {
      return r.what.node == to.front().what.node;
    });
    if (to.empty() || !one || !routes(to.front()))
      forest_.error(
          *at, fmt::format("`{}` wants VMs of one host with an elastic FIFO in `to`", at->text),
          "`vswitch: {kind: elastic-fifo}` of that host");
  }

  void traffic() {
    const auto* map = root_.find("traffic");
    if (map == nullptr || !map->is_map())
      return;
    for (const auto& e : map->entries) {
      if (!e.value->is_map()) {
        if (e.value->is_null())
          forest_.error(
              *e.key,
              fmt::format("traffic `{}` is empty: it wants `replay` or `generate`", e.key->text));
        continue;
      }
      traffic_names_.push_back(e.key->text);
      traffic_index_.emplace(e.key->text, s_.traffic.size());
      s_.traffic.push_back(entry(*e.key, *e.value));
    }
  }

  traffic_entry entry(const yaml_node& key, const yaml_node& map) {
    traffic_entry t;
    t.name = key.text;
    t.where = forest_.mark(key);
    const auto* replay = map.find("replay");
    const auto* generate = map.find("generate");
    if (replay == nullptr && generate == nullptr)
      forest_.error(key, fmt::format("traffic `{}` has neither `replay` nor `generate`", key.text));
    if (replay != nullptr && generate != nullptr)
      forest_.error(*generate,
                    fmt::format("traffic `{}` has both `replay` and `generate`", key.text));

    const auto from = endpoints(map.find("from"), true);
    const auto to = endpoints(map.find("to"), false);
    for (const auto& r : from)
      t.from.push_back(r.name);
    for (const auto& r : to)
      t.to.push_back(r.name);
    check_paths(from, to);
    if (from.size() == 1 && to.size() == 1 && from[0].name == to[0].name)
      forest_.error(*to[0].at, fmt::format("`{}` sends to itself", to[0].name));

    const auto* addresses = map.find("map");
    for (const auto* want : {"from", "to"}) {
      const auto* given = map.find(want);
      if (given == nullptr && addresses == nullptr)
        forest_.error(key, fmt::format("traffic `{}` has no `{}`", key.text, want),
                      replay != nullptr ? "a replay has `map`, or `from` and `to`" : "");
      else if (given != nullptr && addresses != nullptr && generate == nullptr)
        forest_.error(*given, fmt::format("`map` says who sends and who receives; `{}` cannot be "
                                          "there too",
                                          want));
    }

    if (word(map, "pick") == "round-robin")
      t.pick = destination_rule::round_robin;
    if (const auto w = word(map, "cast"); !w.empty())
      t.cast = w == "unknown"     ? cast_kind::unknown
               : w == "arp"       ? cast_kind::arp
               : w == "multicast" ? cast_kind::multicast
               : w == "broadcast" ? cast_kind::broadcast
               : w == "captured"  ? cast_kind::captured
                                  : cast_kind::unicast;
    check_cast(map, to, t);
    if (const auto* c = map.find("credits")) {
      t.credits = credit_lists(*c);
      if (addresses != nullptr)
        forest_.error(*addresses, "credit lists are between the VMs that `from` and `to` name",
                      "an entry for each of the two directions");
      else if (t.cast != cast_kind::unicast)
        forest_.error(*map.find("cast"), "a connection with credit lists is between two VMs",
                      "leave out `cast`, or `credits`");
      else
        check_connections(key, *c, *t.credits, from, to);
    }
    if (const auto q = number(map.find("priority")))
      t.priority = static_cast<std::uint8_t>(q->amount);
    else
      t.classified = generate == nullptr;
    read_time(map, "start", t.start);
    read_time(map, "stop", t.stop);
    if (const auto* stop = map.find("stop"); stop != nullptr && t.stop <= t.start)
      forest_.error(*stop, fmt::format("`stop` is not after `start` ({})",
                                       show_quantity(quantity::kind::duration,
                                                     static_cast<std::uint64_t>(t.start))));
    if (word(map, "on-stop") == "shift")
      t.on_stop = stop_rule::shift;
    within_run(map.find("start"), t.start, "start");
    within_run(map.find("stop"), t.stop, "stop");

    if (generate != nullptr) {
      for (const auto* only :
           {"map", "filter", "speed", "rate", "pps", "max-gap", "repeat", "oversize"})
        if (const auto* n = map.find(only); n != nullptr && replay == nullptr)
          forest_.error(*n,
                        fmt::format("`{}` belongs to a replay, and `{}` generates", only, key.text),
                        find_key(fmt::format("traffic.<entry>.generate.{}", only)) != nullptr
                            ? fmt::format("put it inside `generate: {{{}: ...}}`", only)
                            : std::string{});
      t.what = generator(key, *generate, from, to, t.credits.has_value());
    } else if (replay != nullptr) {
      t.what = capture(*replay, map, addresses);
      if (from.size() > 1)
        forest_.error(*map.find("from"), "a replay has one sender",
                      "`map` tells several apart by their addresses");
    }
    return t;
  }

  generate_settings generator(const yaml_node& key, const yaml_node& map,
                              const std::vector<resolved>& from, const std::vector<resolved>& to,
                              bool credits) {
    generate_settings g;
    const auto* size = map.find("size");
    if (word(map, "size") == "imix")
      g.size_bytes = 0;
    else
      read(map, "size", quantity::kind::size, g.size_bytes);
    const auto* rate = map.find("rate");
    const auto* pps = map.find("pps");
    if (rate == nullptr && pps == nullptr && (map.is_map() || map.is_null()))
      forest_.error(map.is_map() && !map.entries.empty() ? *map.entries[0].key : key,
                    fmt::format("`generate` of `{}` says neither `rate` nor `pps`", key.text),
                    "for example `rate: 3Gbit`, `rate: 30%` or `pps: 100k`");
    if (rate != nullptr && pps != nullptr)
      forest_.error(*pps, "`rate` and `pps` cannot both be given");
    if (const auto q = number(rate)) {
      if (q->what == quantity::kind::percent)
        g.share_ppm = static_cast<std::uint32_t>(q->amount);
      else
        g.rate_bps = q->amount;
    }
    read(map, "pps", quantity::kind::count, g.pps);
    const auto arrivals = word(map, "arrivals");
    g.arrivals = arrivals == "poisson" ? arrival_process::poisson
                 : arrivals == "burst" ? arrival_process::burst
                                       : arrival_process::constant;
    if (const auto* burst = map.find("burst")) {
      if (const auto q = number(burst))
        g.burst_packets = static_cast<std::uint32_t>(q->amount);
      if (g.arrivals != arrival_process::burst)
        forest_.error(*burst, "`burst` wants `arrivals: burst`");
    }
    if (const auto q = number(map.find("packets")))
      g.packets = q->amount;
    read_count(map, "port", g.port);
    g.ecn = word(map, "ecn") != "none";

    // A generated frame is one frame: nothing splits it on its way.
    // Credits cut what is too large for the line.
    const auto bytes = credits ? 0 : g.size_bytes == 0 ? 1514 : g.size_bytes;
    // Neighbours on one host need no line.
    std::set<std::size_t> hosts;  // in the order of the file
    for (const auto* list : {&from, &to})
      for (const auto& r : *list)
        hosts.insert(r.what.node);
    for (const auto n : hosts.size() > 1 ? hosts : std::set<std::size_t>{}) {
      const auto l = link_of_[n];
      if (l == SIZE_MAX || bytes <= s_.links[l].mtu + 18)
        continue;
      forest_.error(
          size != nullptr ? *size : key,
          fmt::format("frames of {} bytes do not fit the link of `{}`, whose mtu {} allows {}",
                      bytes, s_.nodes[n].name, s_.links[l].mtu, s_.links[l].mtu + 18),
          "set `mtu` of the link, or `defaults.link.mtu`");
      break;
    }
    return g;
  }

  replay_settings capture(const yaml_node& file, const yaml_node& map, const yaml_node* addresses) {
    replay_settings r;
    r.file_where = forest_.mark(file);
    if (file.is_scalar() && !file.text.empty()) {
      // Relative to the file that says so, which may be an included one.
      const auto& source = forest_.result().sources[file.source];
      const auto folder =
          source.is_argument || source.name == s_.file ? s_.folder : folder_of(source.name);
      r.file = resolve_path(folder, file.text);
      if (options_.check_files) {
        std::error_code error;
        const auto status = std::filesystem::status(r.file, error);
        if (!std::filesystem::exists(status))
          forest_.error(file, fmt::format("there is no file `{}`", r.file));
        else if (std::filesystem::is_directory(status))
          forest_.error(file, fmt::format("`{}` is a folder, not a capture", r.file));
      }
    }
    r.filter = word(map, "filter");
    if (word(map, "oversize") == "drop")
      r.oversize = oversize_rule::drop;
    if (const auto q = number(map.find("repeat")))
      r.timing.repeat = static_cast<std::uint32_t>(q->amount);
    if (const auto q = number(map.find("max-gap")); q && q->what == quantity::kind::duration)
      r.timing.max_gap = static_cast<sim_time>(q->amount);

    const yaml_node* first = nullptr;
    std::string_view first_name;
    for (const auto* pace : {"speed", "rate", "pps"})
      if (const auto* n = map.find(pace)) {
        if (first != nullptr)
          forest_.error(*n, fmt::format("`{}` and `{}` cannot both be given", first_name, pace));
        else
          first = n, first_name = pace;
      }
    if (const auto q = number(first)) {
      if (q->what == quantity::kind::factor) {
        r.timing.how = replay_timing::mode::speed;
        r.timing.speed_num = q->amount;
        r.timing.speed_den = q->divisor;
      } else if (q->what == quantity::kind::rate) {
        r.timing.how = replay_timing::mode::rate;
        r.timing.rate_bps = q->amount;
      } else if (q->what == quantity::kind::count) {
        r.timing.how = replay_timing::mode::pps;
        r.timing.pps = q->amount;
      }
    } else if (first != nullptr && first->is_scalar() && first->text == "as-fast-as-possible") {
      r.timing.how = replay_timing::mode::as_fast_as_possible;
    }

    if (addresses != nullptr)
      mappings(*addresses, r);
    return r;
  }

  void mappings(const yaml_node& map, replay_settings& r) {
    if (map.is_map() && map.entries.empty())
      forest_.error(map, "an empty map: no packet would be replayed");
    std::unordered_map<std::string, const yaml_node*> seen;
    std::vector<resolved> ends;
    for (const auto& e : map.entries) {
      auto address = normal_ip(e.key->text);
      if (address.empty())
        address = normal_mac(e.key->text);
      if (address.empty())
        forest_.error(*e.key,
                      fmt::format("`{}` is no IPv4, IPv6 or Ethernet address", e.key->text));
      else if (const auto [other, fresh] = seen.emplace(address, e.key); !fresh)
        forest_.error(*e.key, fmt::format("`{}` is the same address as `{}`", e.key->text,
                                          other->second->text));
      auto end = resolve_endpoint(*e.value);
      if (!end)
        continue;
      r.map.push_back({address, end->name, forest_.mark(*e.key)});
      ends.push_back(std::move(*end));
    }
    if (ends.empty())
      return;
    const auto& first = ends.front();
    for (const auto& other : ends)
      if (!connected(first, other)) {
        no_path(first, other);
        return;
      }
  }

  // -- time --

  // Checked when the run's end is known, which may depend on the traffic.
  void within_run(const yaml_node* at, sim_time t, std::string_view what) {
    // A stop at the very end is only saying what happens anyway.
    if (at != nullptr && number(at))
      times_.push_back({at, what == "stop" ? t - 1 : t});
  }

  void check_times() {
    for (const auto& [at, t] : times_)
      if (t >= s_.duration)
        too_late(*at);
  }

  void too_late(const yaml_node& at) {
    forest_.error(at, fmt::format("`{}` is not before the end of the run ({})", at.text,
                                  show_quantity(quantity::kind::duration,
                                                static_cast<std::uint64_t>(s_.duration))));
  }

  void end() {
    const auto endless =
        std::find_if(s_.traffic.begin(), s_.traffic.end(), [](const traffic_entry& t) {
          const auto* g = std::get_if<generate_settings>(&t.what);
          return g != nullptr && g->packets == 0 && t.stop == never;
        });
    if (s_.until_traffic_done) {
      if (endless != s_.traffic.end() && s_.duration == never)
        forest_.error(*root_.find("until"),
                      fmt::format("traffic `{}` never ends by itself", endless->name),
                      "give it `stop` or `packets`, or the run a `duration`");
    } else if (root_.find("duration") == nullptr && root_.find("until") == nullptr) {
      if (!s_.traffic.empty() && endless == s_.traffic.end())
        s_.until_traffic_done = true;
      else
        s_.duration = usual_duration;
    }
  }

  /// Where the node is written.
  const yaml_node& key_of_node(const std::string& name) const {
    const auto& all = root_.find("nodes")->entries;
    return *std::find_if(all.begin(), all.end(), [&](const auto& e) {
              return e.key->text == name;
            })->key;
  }

  // Thresholds of marking, the right way round.
  void marks() {
    for (const auto& n : s_.nodes) {
      const auto* sw = std::get_if<switch_settings>(&n.as);
      const auto* h = std::get_if<host_settings>(&n.as);
      const auto* e = sw != nullptr && sw->ecn ? &*sw->ecn
                      : h != nullptr && h->ecn ? &*h->ecn
                                               : nullptr;
      if (e != nullptr && e->min_bytes > e->max_bytes)
        forest_.error(key_of_node(n.name),
                      fmt::format("`{}` marks from {} B on, and all from {} B", n.name,
                                  e->min_bytes, e->max_bytes),
                      "`ecn.min` is not above `ecn.max`");
    }
  }

  // What the ports of a switch have for themselves has to fit into the memory that they share.
  void shared_buffers() {
    unsigned used = 0;
    for (const auto& t : s_.traffic)
      used |= t.classified ? 0xffu : 1u << t.priority;
    for (const auto& n : s_.nodes) {
      const auto* sw = std::get_if<switch_settings>(&n.as);
      if (sw == nullptr || !sw->shared)
        continue;
      const auto fail = [&](std::string what, std::string hint) {
        forest_.error(key_of_node(n.name), std::move(what), std::move(hint));
      };
      std::int64_t set_aside = 0;
      bool sound = true;
      for (const auto& l : s_.links) {
        if ((l.a.node != n.name && l.b.node != n.name) || !node_index_.contains(l.a.node)
            || !node_index_.contains(l.b.node))
          continue;
        const auto &a = s_.nodes[node_index_.at(l.a.node)], &b = s_.nodes[node_index_.at(l.b.node)];
        const auto policy = policy_of(l, a, b);
        if (policy != hop_policy::pfc && policy != hop_policy::none) {
          fail(fmt::format("`{}` shares its buffer, and the link {} -- {} has another flow control "
                           "than pfc or none",
                           n.name, l.a.node, l.b.node),
               "give the link `flow-control: pfc`, or the switch no `shared-buffer`");
          sound = false;
          break;
        }
        const auto& peer = &a == &n ? b : a;
        const hop_facts hop{line_rate{l.rate_bps}, l.delay, l.delay, l.mtu + 18,
                            ethernet_overhead_bytes};
        const auto lossless = policy == hop_policy::pfc ? stoppable_priorities(l, a, b) : 0;
        for (const auto& account :
             shared_accounts_for(*sw->shared, n.flow_control.pfc, lossless, used, hop,
                                 pfc_response(peer.flow_control.pfc, l.rate_bps)))
          set_aside += account.reserve + account.headroom;
      }
      if (sound && set_aside >= sw->buffer_bytes)
        fail(fmt::format("`{}` has a buffer of {} B, and reserves and head-rooms of {} B", n.name,
                         sw->buffer_bytes, set_aside),
             "make `buffer` larger, `reserve` smaller, or fewer priorities lossless");
    }
  }

  // What a host without a virtual switch cannot do.
  void virtual_functions(const node& n, const host_settings& h) {
    const auto wrong = [&](std::string_view what, std::string hint) {
      forest_.error(key_of_node(n.name),
                    fmt::format("the virtual functions of `{}` {}", n.name, what), std::move(hint));
    };
    if (std::none_of(s_.links.begin(), s_.links.end(),
                     [&](const auto& l) { return l.a.node == n.name || l.b.node == n.name; }))
      wrong("are of a NIC without a link", "a line in `links`");
    if (h.bridge.vxlan)
      wrong("know no tunnels", "`bridge: {overlay: none}`");
    if (std::any_of(h.vms.begin(), h.vms.end(),
                    [&](const auto& vm) { return vm.network != h.vms.front().network; }))
      wrong("know no virtual networks", "the same `network` for all VMs");
  }

  // What an elastic FIFO cannot be.
  void routers() {
    for (const auto& n : s_.nodes) {
      const auto* h = std::get_if<host_settings>(&n.as);
      if (h != nullptr && shortages_of(s_, *h) > max_shortages)
        forest_.error(key_of_node(n.name),
                      fmt::format("the VMs of `{}` would be short of time {} times in this run",
                                  n.name, shortages_of(s_, *h)),
                      "a longer `vswitch: {shortage: {for: ...}}`, or a shorter `duration`");
      if (h != nullptr && h->vswitch.sr_iov)
        virtual_functions(n, *h);
      if (h == nullptr || !h->vswitch.elastic)
        continue;
      const auto& e = *h->vswitch.elastic;
      std::uint32_t largest = 0;
      for (const auto& l : s_.links)
        if (l.a.node == n.name || l.b.node == n.name)
          largest = std::max(largest, l.mtu + 18);
      const auto wrong = [&](std::string what, std::string hint) {
        forest_.error(key_of_node(n.name), fmt::format("the elastic FIFO of `{}` {}", n.name, what),
                      std::move(hint));
      };
      if (h->bridge.vxlan)
        wrong("knows no tunnels", "`bridge: {overlay: none}`");
      if (e.waits && e.receive_buffer_bytes == 0)
        wrong("has no receive buffer in which anything could wait", "`on-exhausted: drop`");
      if (e.look < least_look(e))
        wrong("looks again before it can have an answer",
              fmt::format("a `look` of more than two stages: {}",
                          show_quantity(quantity::kind::duration,
                                        static_cast<std::uint64_t>(2 * e.stage))));
      if (e.buffers.empty())
        wrong("has no buffers", "for example `buffers: [{size: 2KiB}]`");
      else if (e.buffers.back().bytes < largest)
        wrong(fmt::format("has no buffer for a frame of {} B", largest),
              fmt::format("a last pool of `size: {}B`", largest));
      if (!std::is_sorted(e.buffers.begin(), e.buffers.end(),
                          [](const auto& a, const auto& b) { return a.bytes <= b.bytes; }))
        wrong("has pools that are not in the order of their sizes", "the smallest first");
      auto pools = e.buffers;
      pools.push_back(e.indirect);
      if (std::any_of(pools.begin(), pools.end(), [](const auto& p) { return p.least > p.most; }))
        wrong("has a pool whose `least` is above its `most`", "");
      if (e.indirect.most < h->vms.size())
        wrong(fmt::format("has fewer indirect buffers ({}) than VMs ({})", e.indirect.most,
                          h->vms.size()),
              "a broadcast would never find enough of them");
    }
  }

  // Whoever speaks PFC, or has its likeness, needs a lossless priority.
  void priorities() {
    for (const auto& n : s_.nodes) {
      const auto& fc = n.flow_control;
      const auto software = {fc.qdisc,   fc.guest_tx, fc.guest_rx, fc.hypervisor,
                             fc.vnic_rx, fc.vswitch,  fc.bridge,   fc.nic};
      if (fc.pfc.priorities != 0 || !std::holds_alternative<host_settings>(n.as)
          || std::find(software.begin(), software.end(), hop_policy::s_pfc) == software.end())
        continue;
      forest_.error(key_of_node(n.name),
                    fmt::format("`{}` has s_pfc and no lossless priority", n.name),
                    "for example `defaults: {pfc: {priorities: [3]}}`");
      return;
    }
    for (const auto& l : s_.links)
      for (const auto* name : {&l.a.node, &l.b.node}) {
        const auto found = node_index_.find(*name);
        if (found == node_index_.end())
          continue;  // that is an error of its own
        const auto& n = s_.nodes[found->second];
        const bool speaks = l.flow_control.value_or(n.flow_control.fabric) == hop_policy::pfc;
        if (!speaks || n.flow_control.pfc.priorities != 0)
          continue;
        forest_.error(key_of_node(n.name),
                      fmt::format("`{}` speaks pfc and has no lossless priority", n.name),
                      "for example `defaults: {pfc: {priorities: [3]}}`");
        return;
      }
  }

  // Routes of switches: between switches, over a link, and never in a circle.
  void switch_routes() {
    const auto is_switch = [&](const std::string& name) {
      const auto n = node_index_.find(name);
      return n != node_index_.end()
             && std::holds_alternative<switch_settings>(s_.nodes[n->second].as);
    };
    bool sound = !route_nodes_.empty();
    for (const auto& r : route_nodes_) {
      const auto& here = s_.nodes[r.node].name;
      if (!is_switch(r.to->text) || r.to->text == here) {
        sound = false;
        forest_.error(*r.to, fmt::format("`{}` is no other switch", r.to->text),
                      "a route is for the nodes that hang on another switch");
      } else if (!is_switch(r.via->text)
                 || std::none_of(s_.links.begin(), s_.links.end(), [&](const auto& l) {
                      return (l.a.node == here && l.b.node == r.via->text)
                             || (l.b.node == here && l.a.node == r.via->text);
                    })) {
        sound = false;
        forest_.error(*r.via, fmt::format("`{}` has no link to a switch `{}`", here, r.via->text),
                      "a route goes to the next switch");
      }
    }
    if (!sound)
      return;
    if (std::any_of(s_.links.begin(), s_.links.end(), [&](const auto& l) {
          return !node_index_.contains(l.a.node) || !node_index_.contains(l.b.node);
        }))
      return;
    const routes found{s_};
    for (const auto& r : route_nodes_) {
      // Everybody on the way has one or several next hops; a circle comes back to where it began.
      const auto destination = node_index_.at(r.to->text);
      std::vector<std::size_t> todo{node_index_.at(r.via->text)};
      std::unordered_set<std::size_t> seen;
      while (!todo.empty()) {
        const auto at = todo.back();
        todo.pop_back();
        if (at == r.node) {
          forest_.error(
              *r.to, fmt::format("this route leads what is for `{}` in a circle", r.to->text),
              fmt::format("from `{}` it comes back to `{}`", r.via->text, s_.nodes[r.node].name));
          break;
        }
        if (at == destination || !seen.insert(at).second)
          continue;
        for (const auto p : found.next_ports(at, destination))
          todo.push_back(found.ports(at)[p].peer);
      }
    }
  }

  // The sets of ports of switches that aggregate links: each of ports that lead to its partition,
  // by the same neighbour.
  void aggregations() {
    if (aggregation_nodes_.empty()
        || std::any_of(s_.links.begin(), s_.links.end(), [&](const auto& l) {
             return !node_index_.contains(l.a.node) || !node_index_.contains(l.b.node);
           }))
      return;
    const routes found{s_};
    for (const auto& [n, map] : aggregation_nodes_) {
      auto& a = *std::get<switch_settings>(s_.nodes[n].as).aggregation;
      const auto* sets = map->find("partitions");
      if (sets == nullptr || !sets->is_map())
        continue;
      std::unordered_set<std::string> seen;
      for (const auto& e : sets->entries) {
        const auto range = expand(*e.key);
        if (range.names.empty() && !range.wrong.empty())
          forest_.error(*e.key, fmt::format("`{}` is no range of names", e.key->text), range.wrong);
        for (const auto& name : range.names) {
          const auto partition = resolve_endpoint(*e.key, name);
          if (!partition)
            break;
          if (!seen.insert(name).second) {
            forest_.error(*e.key, fmt::format("`{}` has a set already", name));
            break;
          }
          if (a.partitions.size() == max_partitions) {
            forest_.error(*e.key, fmt::format("`{}` has more than {} partitions", s_.nodes[n].name,
                                              max_partitions));
            return;
          }
          const auto ports = set_of_ports(found, n, *e.value, *partition);
          if (ports.empty())
            break;
          a.partitions.push_back({name, ports, forest_.mark(*e.key)});
        }
      }
    }
  }

  // Empty: something is wrong with it, which was said.
  std::vector<std::string> set_of_ports(const routes& found, std::size_t n, const yaml_node& list,
                                        const resolved& partition) {
    const auto& here = s_.nodes[n].name;
    std::vector<const yaml_node*> items{&list};
    if (list.is_list())
      items.assign(list.items.begin(), list.items.end());
    if (items.empty())
      forest_.error(list, fmt::format("`{}` has an empty set of ports", partition.name),
                    "without an entry it takes any port that leads to it");
    const auto ports = found.ports(n);
    const auto leads = found.next_ports(n, partition.what.node);
    const auto name_of = [&](std::size_t p) {
      const auto& l = s_.links[ports[p].link];
      return ports[p].at_a ? l.a.port : l.b.port;
    };
    const auto node_behind = [&](std::size_t p) { return s_.nodes[ports[p].peer].name; };
    std::vector<std::string> out;
    std::optional<std::size_t> first;
    for (const auto* i : items) {
      if (!i->is_scalar())
        return {};
      std::size_t p = 0;
      while (p < ports.size() && name_of(p) != i->text)
        ++p;
      if (p == ports.size()) {
        forest_.error(*i, fmt::format("`{}` has no port `{}`", here, i->text),
                      "a port has its name in `links`, for example `s1:p1 -- s2:p1`");
        return {};
      }
      if (std::find(leads.begin(), leads.end(), p) == leads.end()) {
        std::vector<std::string> names;
        for (const auto x : leads)
          names.push_back(name_of(x));
        forest_.error(
            *i, fmt::format("port `{}:{}` does not lead to `{}`", here, i->text, partition.name),
            names.empty() ? fmt::format("no port of `{}` does", here)
                          : fmt::format("those that do: {}", fmt::join(names, ", ")));
        return {};
      }
      if (std::find(out.begin(), out.end(), i->text) != out.end()) {
        forest_.error(*i, fmt::format("port `{}:{}` is in the set twice", here, i->text));
        return {};
      }
      if (first && node_behind(*first) != node_behind(p)) {
        forest_.error(*i,
                      fmt::format("port `{}:{}` leads to `{}`, and `{}:{}` to `{}`", here, i->text,
                                  node_behind(p), here, name_of(*first), node_behind(*first)),
                      "links that are aggregated join the same two switches");
        return {};
      }
      first = p;
      out.push_back(i->text);
    }
    return out;
  }

  // -- events --

  void events() {
    const auto* list = root_.find("events");
    if (list == nullptr || !list->is_list())
      return;
    for (const auto* item : list->items)
      if (item->is_map())
        event(*item);
  }

  void taps() {
    const auto* map = root_.find("taps");
    if (map == nullptr || !map->is_map())
      return;
    for (const auto& e : map->entries) {
      if (!e.value->is_map())
        continue;
      tap_settings t;
      t.name = e.key->text;
      t.where = forest_.mark(*e.key);
      if (t.name.find('/') != std::string::npos || t.name.starts_with("."))
        forest_.error(*e.key, fmt::format("`{}` is no name for a file", t.name),
                      "a tap's name has no `/`; `file` may");
      t.filter = word(*e.value, "filter");
      if (!t.filter.empty())
        try {
          check_filter(t.filter);
        } catch (const traffic_error& x) {
          forest_.error(*e.value->find("filter"), x.what());
        }
      t.file = word(*e.value, "file");
      const auto way = word(*e.value, "direction");
      t.direction = way == "in"    ? tap_settings::way::in
                    : way == "out" ? tap_settings::way::out
                                   : tap_settings::way::both;
      if (const auto q = number(e.value->find("snap")))
        t.snap_bytes = static_cast<std::uint32_t>(q->amount);
      if (const auto q = number(e.value->find("epoch")))
        t.epoch = static_cast<std::int64_t>(q->amount);
      const auto* on = e.value->find("on");
      if (on == nullptr || !on->is_scalar())
        continue;  // the table of keys has said so
      const auto vm = endpoints_.find(on->text);
      std::size_t link = 0;
      bool at_b = false;
      if (vm != endpoints_.end() && vm->second.what == role::vm) {
        t.on = on->text;
      } else if (find_end(*on, link, at_b)) {
        const auto& end = at_b ? s_.links[link].b : s_.links[link].a;
        t.on = end.node + ":" + end.port;
      } else {
        continue;
      }
      s_.taps.push_back(std::move(t));
    }
  }

  void event(const yaml_node& map) {
    timed_event e;
    e.where = forest_.mark(map);
    read_time(map, "at", e.at);
    read_time(map, "for", e.duration);
    within_run(map.find("at"), e.at, "at");
    const auto* set = map.find("set");
    const auto* line = map.find("link");
    const auto* port = map.find("port");
    const auto* inject = map.find("inject");
    std::vector<const yaml_node*> said;
    for (const auto* n : {set, line, port, inject})
      if (n != nullptr)
        said.push_back(n);
    if (said.size() > 1) {
      forest_.error(*said[1], "an event is one of `set`, `link`, `port` and `inject`");
      return;
    }
    if (said.empty()) {
      forest_.error(map,
                    "an event says what to do: `set` and `to`, `link` or `port` and `state`, or "
                    "`inject` and `on`");
      return;
    }
    const auto need = [&](std::string_view key, std::string_view of, std::string_view example) {
      if (map.find(key) == nullptr)
        forest_.error(*map.find(of), fmt::format("`{}` wants `{}` beside it", of, key),
                      std::string{example});
    };
    const auto one_of = [&](std::string_view of, std::string_view fits) {
      const auto* n = map.find("state");
      const auto choices = split_choices(fits);
      if (n == nullptr || std::find(choices.begin(), choices.end(), n->text) != choices.end())
        return true;
      forest_.error(*n, fmt::format("a {} is not {}", of, n->text), fmt::format("`{}`", fits));
      return false;
    };
    const auto refuse = [&](std::string_view key, std::string_view of) {
      if (const auto* n = map.find(key))
        forest_.error(*n, fmt::format("`{}` means nothing beside `{}`", key, of));
    };
    if (inject == nullptr)
      for (const auto* key : {"on", "priority", "quanta", "every"})
        refuse(key, set != nullptr ? "set" : line != nullptr ? "link" : "port");
    if (inject != nullptr) {
      refuse("to", "inject");
      refuse("state", "inject");
      need("on", "inject", "the port that sends, for example `on: \"leaf2:p1\"`");
      if (!injection(map, *inject, e))
        return;
    } else if (set != nullptr) {
      need("to", "set", "for example `to: 1Gbit`");
      refuse("state", "set");
      read_rate(map, "to", e.bps);
      if (set->is_scalar() && !target(*set, e))
        return;
    } else if (port != nullptr) {
      need("state", "port", "`state: stopped` or `state: started`");
      refuse("to", "port");
      e.what = timed_event::kind::set_port;
      e.bps = word(map, "state") == "stopped" ? 1 : 0;
      if (!port->is_scalar() || !one_of("port", "stopped|started") || !find_port(*port, e.target))
        return;
    } else {
      need("state", "link", "`state: down`");
      refuse("to", "link");
      if (!one_of("link", "down"))
        return;
      e.what = timed_event::kind::link_down;
      if (!line->is_scalar() || !find_link(*line, e.link))
        return;
    }
    s_.events.push_back(std::move(e));
  }

  bool injection(const yaml_node& map, const yaml_node& inject, timed_event& e) {
    e.what = timed_event::kind::inject_pause;
    auto& x = e.inject;
    x.whole_link = inject.text == "pause";
    const auto* priority = map.find("priority");
    if (x.whole_link && priority != nullptr) {
      forest_.error(*priority, "`pause` holds the whole link, whatever the priority",
                    "`inject: pfc-pause` is about priorities");
      return false;
    }
    if (!x.whole_link) {
      if (priority == nullptr) {
        forest_.error(inject, "`pfc-pause` wants `priority` beside it",
                      "for example `priority: 3`");
        return false;
      }
      x.priorities = priorities_of(priority);
    }
    x.holds = map.find("quanta") == nullptr;
    read(map, "quanta", quantity::kind::count, x.quanta);
    read_time(map, "every", x.every);
    if (x.holds && map.find("every") != nullptr)
      forest_.error(*map.find("every"), "`every` wants `quanta` beside it",
                    "without, the pause lasts for the time of `for`");
    const auto* on = map.find("on");
    if (on == nullptr || !on->is_scalar() || !find_end(*on, e.link, x.from_b))
      return false;
    const auto& l = s_.links[e.link];
    const auto at = [&](const link::end& end) -> const node& {
      return s_.nodes[node_index_.at(end.node)];
    };
    if (node_index_.contains(l.a.node) && node_index_.contains(l.b.node)
        && policy_of(l, at(l.a), at(l.b)) == hop_policy::ib_credit) {
      forest_.error(*on, "the link has InfiniBand's credits, and no such frames",
                    "only Ethernet has PFC and PAUSE");
      return false;
    }
    return true;
  }

  // A port at an end of a link, by its name or, where a node has but one, by the node's.
  bool find_end(const yaml_node& n, std::size_t& link, bool& at_b) {
    if (ends_.empty())
      for (std::size_t i = 0; i < s_.links.size(); ++i)
        for (const bool b : {false, true}) {
          const auto& end = b ? s_.links[i].b : s_.links[i].a;
          if (!node_index_.contains(end.node))
            continue;  // that is an error of its own
          ends_.emplace(end.node + ":" + end.port, std::pair{i, b});
          if (!std::holds_alternative<switch_settings>(s_.nodes[node_index_.at(end.node)].as))
            ends_.emplace(end.node, std::pair{i, b});
        }
    const auto found = ends_.find(n.text);
    if (found == ends_.end()) {
      std::vector<std::string> words;
      if (worth_suggesting())
        for (const auto& [name, ignored] : ends_)
          words.push_back(name);
      std::sort(words.begin(), words.end());
      auto hint = worth_suggesting() ? suggestion(n.text, words) : std::string{};
      forest_.error(
          n, fmt::format("`{}` is no port of a link", n.text),
          hint.empty() ? "for example `leaf2:p1`, `h1:nic0`, or the name of a sink" : hint);
      return false;
    }
    std::tie(link, at_b) = found->second;
    return true;
  }

  bool target(const yaml_node& set, timed_event& e) {
    const auto dot = set.text.rfind('.');
    const auto name = set.text.substr(0, dot);
    const auto attribute = dot == std::string::npos ? std::string{} : set.text.substr(dot + 1);
    const auto end = endpoints_.find(name);
    const auto found = traffic_index_.find(name);
    const auto* flow = found == traffic_index_.end() ? nullptr : &s_.traffic[found->second];
    e.target = name;
    if (attribute == "drain" && socket_names_.contains(name)) {
      e.what = timed_event::kind::set_drain;
      return true;
    }
    if (attribute == "drain" && end != endpoints_.end()) {
      if (end->second.what == role::generator) {
        forest_.error(set, fmt::format("`{}` is a generator: it has no drain", name));
        return false;
      }
      e.what = timed_event::kind::set_drain;
      return true;
    }
    if (attribute == "rate" && flow != nullptr) {
      if (!std::holds_alternative<generate_settings>(flow->what)) {
        forest_.error(set,
                      fmt::format("`{}` is a replay; only a generator's rate can change", name));
        return false;
      }
      e.what = timed_event::kind::set_rate;
      return true;
    }
    std::vector<std::string> words;
    if (worth_suggesting())
      for (const auto& n : endpoint_names_)
        if (endpoints_.at(n).what != role::generator)
          words.push_back(n + ".drain");
    if (worth_suggesting())
      for (const auto& n : socket_names_)
        words.push_back(n + ".drain");
    if (worth_suggesting())
      for (const auto& t : s_.traffic)
        if (std::holds_alternative<generate_settings>(t.what))
          words.push_back(t.name + ".rate");
    auto hint = suggestion(set.text, words);
    forest_.error(
        set, fmt::format("`{}` is nothing that an event can set", set.text),
        hint.empty() ? "`host/vm.drain`, `sink.drain` or `entry.rate` of a generator" : hint);
    return false;
  }

  // Ports of virtual switches: one for each VM, and the uplink of a host that has a link.
  bool find_port(const yaml_node& n, std::string& name) {
    if (vswitch_ports_.empty())
      for (std::size_t i = 0; i < s_.nodes.size(); ++i)
        if (const auto* h = std::get_if<host_settings>(&s_.nodes[i].as);
            h != nullptr && !h->vswitch.elastic && !h->vswitch.sr_iov) {
          for (const auto& vm : h->vms)
            vswitch_ports_.insert(fmt::format("{}.vswitch:{}", s_.nodes[i].name, vm.name));
          if (link_of_[i] != SIZE_MAX)
            vswitch_ports_.insert(s_.nodes[i].name + ".vswitch:uplink");
        }
    name = n.text;
    if (vswitch_ports_.contains(name))
      return true;
    auto hint = worth_suggesting()
                    ? suggestion(name, {vswitch_ports_.begin(), vswitch_ports_.end()})
                    : std::string{};
    forest_.error(n, fmt::format("`{}` is no port of a virtual switch", name),
                  hint.empty() ? "for example `h1.vswitch:vm1` or `h1.vswitch:uplink`" : hint);
    return false;
  }

  static std::string pair_key(const std::string& a, const std::string& b) {
    return a < b ? a + " " + b : b + " " + a;
  }

  bool find_link(const yaml_node& n, std::size_t& index) {
    written_end a, b;
    if (!read_ends(n, a, b)) {
      forest_.error(n, fmt::format("`{}` is no link", n.text), "a link is `a -- b`");
      return false;
    }
    const auto fits = [](const written_end& w, const link::end& e) {
      return w.node == e.node && (w.port.empty() || w.port == e.port);
    };
    if (links_between_.empty())
      for (std::size_t i = 0; i < s_.links.size(); ++i)
        links_between_[pair_key(s_.links[i].a.node, s_.links[i].b.node)].push_back(i);
    std::vector<std::size_t> found;
    for (const auto i : links_between_[pair_key(a.node, b.node)]) {
      const auto& l = s_.links[i];
      if ((fits(a, l.a) && fits(b, l.b)) || (fits(a, l.b) && fits(b, l.a)))
        found.push_back(i);
    }
    if (found.size() == 1) {
      index = found[0];
      return true;
    }
    if (!found.empty()) {
      const auto& l = s_.links[found[0]];
      forest_.error(n, fmt::format("{} links are `{}`", found.size(), n.text),
                    fmt::format("name the ports, for example `{}:{} -- {}:{}`", l.a.node, l.a.port,
                                l.b.node, l.b.port));
      return false;
    }
    for (const auto* end : {&a, &b})
      if (!node_index_.contains(end->node)) {
        forest_.error(end->at, fmt::format("there is no node `{}`", end->node),
                      suggestion(end->node, node_names_));
        return false;
      }
    std::vector<std::string> words;
    for (std::size_t i = 0; worth_suggesting() && i < s_.links.size(); ++i) {
      const auto& l = s_.links[i];
      words.push_back(fmt::format("{} -- {}", l.a.node, l.b.node));
      words.push_back(fmt::format("{}:{} -- {}:{}", l.a.node, l.a.port, l.b.node, l.b.port));
    }
    forest_.error(n, fmt::format("there is no link `{}`", n.text), suggestion(n.text, words));
    return false;
  }

  // -- expectations --

  void expectations() {
    const auto* list = root_.find("expect");
    if (list == nullptr || !list->is_list())
      return;
    for (const auto* item : list->items) {
      if (item->is_scalar()) {
        expect(*item);
      } else if (item->is_map()) {
        const auto* check = item->find("check");
        const auto* quiet = item->find("no-deadlock");
        if (check != nullptr && quiet != nullptr)
          forest_.error(*quiet, "`check` and `no-deadlock` are two items of the list");
        else if (check == nullptr && quiet == nullptr)
          forest_.error(*item, "an expectation is a line of text, `check` or `no-deadlock`");
        else if (check != nullptr && check->is_scalar())
          expect(*check);
        else if (const auto q = number(quiet)) {
          expectation e;
          e.text = fmt::format("no-deadlock: {}", quiet->text);
          e.where = forest_.mark(*item);
          e.metric = "no-deadlock";
          e.compare = expectation::op::lt;
          e.number = static_cast<double>(q->amount) / static_cast<double>(second);
          e.unit = expectation::number_unit::seconds;
          s_.expectations.push_back(std::move(e));
        }
      }
    }
  }

  void expect(const yaml_node& n) {
    auto parsed = parse_expectation(n.text);
    if (auto* wrong = std::get_if<expectation_error>(&parsed)) {
      forest_.error(part_of(n, wrong->at, wrong->length), std::move(wrong->message),
                    std::move(wrong->hint));
      return;
    }
    auto& e = std::get<expectation>(parsed);
    e.where = forest_.mark(n);
    if (options_.known_metrics) {
      if (!metrics_)
        metrics_ = options_.known_metrics();
      if (std::find(metrics_->begin(), metrics_->end(), e.metric) == metrics_->end()) {
        auto hint = suggestion(e.metric, *metrics_);
        forest_.error(part_of(n, n.text.find(e.metric), e.metric.size()),
                      fmt::format("there is no metric `{}`", e.metric), std::move(hint));
      }
    }
    for (const auto& l : e.labels)
      if (l.name == "flow" && !traffic_index_.contains(l.value))
        forest_.error(part_of(n, n.text.find(l.value, n.text.find('{')), l.value.size()),
                      fmt::format("there is no traffic entry `{}`", l.value),
                      suggestion(l.value, traffic_names_));
    s_.expectations.push_back(std::move(e));
  }

  struct edge {
    std::size_t a, b, link;
  };

  std::size_t expanded_ = 0;  // names that ranges stand for
  yaml_forest& forest_;
  const yaml_node& root_;
  const load_options& options_;
  scenario s_;

  flow_control_settings default_flow_control_;
  std::optional<classify_settings> default_classify_;
  link default_link_;
  host_settings default_host_;
  vm_settings default_vm_;
  switch_settings default_switch_;
  sink_settings default_sink_;

  std::vector<bool> node_known_;  // whether the node's kind is one
  std::unordered_map<std::string, std::size_t> node_index_;
  std::vector<std::string> node_names_;
  std::unordered_map<std::string, endpoint> endpoints_;
  std::vector<std::string> endpoint_names_;
  std::vector<std::string> traffic_names_;
  std::unordered_map<std::string, std::size_t> traffic_index_;
  std::unordered_map<std::string, std::vector<std::size_t>> links_between_;
  std::unordered_map<std::string, const yaml_node*> addresses_;
  std::set<std::string> socket_names_;
  std::set<std::string> takes_apart_;               // VMs with sockets by port, or a filter
  std::set<std::string> has_mbufs_;                 // likewise with a pool of mbufs
  std::map<std::string, std::size_t> connections_;  // with credit lists, by who opens them
  std::size_t receive_buffers_ = 0;                 // of them all

  std::vector<std::unordered_set<std::string>> used_ports_;
  std::vector<edge> edges_;
  std::vector<std::size_t> component_;
  struct route_node {
    std::size_t node;
    const yaml_node *to, *via;
  };
  std::vector<route_node> route_nodes_;
  std::vector<std::pair<std::size_t, const yaml_node*>> aggregation_nodes_;
  std::unordered_map<std::string, std::pair<std::size_t, bool>> ends_;  // link, whether its end b
  std::set<std::string> vswitch_ports_;
  std::vector<std::size_t> link_of_;  // of hosts, generators and sinks
  std::vector<std::pair<const yaml_node*, sim_time>> times_;
  std::optional<std::vector<std::string>> metrics_;
};

}  // namespace

scenario convert_tree(yaml_forest& forest, const yaml_node& root, const std::string& file,
                      const std::string& folder, const load_options& options) {
  return converter{forest, root, options}.convert(file, folder);
}

}  // namespace sluice
