/// \file
/// A scenario as plain values: what the loader makes of a YAML file, and all that the rest of the
/// program knows of it. Every default is already applied; every unit is in the name or the type.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "actors/logic/credit_builder.hpp"
#include "actors/logic/link_sets.hpp"
#include "actors/logic/mbuf_pool.hpp"
#include "actors/logic/pcie_credits.hpp"
#include "actors/logic/rate_limiter.hpp"
#include "metrics/expectation.hpp"
#include "traffic/settings.hpp"
#include "traffic/units.hpp"

namespace sluice {

/// Flow control of a hop. More policies come with later issues; the loader refuses their names.
enum class hop_policy : std::uint8_t {
  none,
  on_off,
  pfc,
  s_pfc,
  pcie_credit,
  ib_credit,
  credit_list
};

/// A limit in bytes or in packets, as the scenario says it.
struct queue_limit {
  enum class unit : std::uint8_t { bytes, packets };
  std::int64_t amount = 0;
  unit in = unit::bytes;
};

/// Thresholds of `on_off`. Unset: derived from the queue's capacity (stop = capacity - headroom,
/// start = half of stop).
struct on_off_settings {
  std::optional<queue_limit> stop;
  std::optional<queue_limit> start;
  source_mark where;  ///< of what was written last; line 0: neither was
};

/// Of a priority of a port that is held without a break.
struct watchdog_settings {
  sim_time detect = 200 * millisecond;
  sim_time restore = 200 * millisecond;
  bool drops = true;
};

/// Priority flow control, of every port of a node with the policy `pfc`.
struct pfc_settings {
  std::uint8_t priorities = 0;  ///< bit p: priority p is lossless
  /// By priority and port, in bytes. Unset: derived from the port's buffer; see thresholds.hpp.
  std::optional<std::int64_t> xoff, xon, headroom;
  std::uint16_t quanta = 65'535;    ///< that a pause lasts if it is not refreshed
  std::optional<sim_time> refresh;  ///< unset: half of that
  std::optional<watchdog_settings> watchdog;
  std::optional<sim_time> response;  ///< of this node's MACs; unset: the standard's, by speed
  source_mark where;                 ///< of what was written last; line 0: nothing was
};

/// InfiniBand's credits, of every port of a node with the policy `ib_credit`. Priority p is virtual
/// lane p.
struct ib_settings {
  std::optional<std::int64_t>
      credits;                     ///< bytes that each lane has room for; unset: see thresholds
  std::optional<sim_time> update;  ///< how often a port looks what has left; likewise
  int management = -1;  ///< the priority that goes by lane 15, which has no credits; -1: none does
  source_mark where;    ///< of what was written last; line 0: nothing was
};

/// Which arrivals of a queue are marked as congested, or dropped early.
struct ecn_settings {
  std::int64_t min_bytes = 100 * 1024, max_bytes = 400 * 1024;
  std::uint32_t mark_ppm = 100'000;  ///< probability at max, in millionths; beyond it, all
  bool drops = true;                 ///< what may not be marked, and is not lossless
};

/// How a source slows down that is told of congestion: see rate_limiter.hpp. `line_bps` is set by
/// the wiring.
struct rate_settings {
  rate_limiter::config limiter;
  sim_time interval = 50 * microsecond;  ///< a receiver tells no more often than this
  sim_time latency = 10 * microsecond;   ///< from the receiver to the source
};

/// Credit lists of every queue of a node with the policy `credit_list`, see buffer_credits.hpp; and
/// what those between applications share with them.
struct credit_list_settings {
  credit_builder::trigger when = credit_builder::trigger::adaptive;
  /// Credits of a list; unset: all buffers of the queue, between applications what its way holds.
  std::optional<unsigned> per_list;
  unsigned lists = 1;  ///< that the sender has buffers for
};

/// Flow control of each kind of hop, named after who owns the queue that is filled. The names of
/// the scenario's four groups set several of them.
struct flow_control_settings {
  hop_policy qdisc = hop_policy::none;       ///< if it has a length of its own (group guest)
  hop_policy guest_tx = hop_policy::none;    ///< vNIC TX ring (group guest)
  hop_policy guest_rx = hop_policy::none;    ///< socket RX buffer (group guest)
  hop_policy hypervisor = hop_policy::none;  ///< its queues (group vm-vswitch)
  hop_policy vnic_rx = hop_policy::none;     ///< vNIC RX ring (group vm-vswitch)
  hop_policy vswitch = hop_policy::none;     ///< input and output queues (group vm-vswitch)
  hop_policy bridge = hop_policy::none;      ///< its queues (group vswitch-nic)
  hop_policy nic = hop_policy::none;         ///< TX ring (group vswitch-nic)
  hop_policy fabric = hop_policy::none;      ///< links: NIC, switch, generator, sink (nic-fabric)
  on_off_settings on_off;
  pfc_settings pfc;
  ib_settings ib;
  credit_list_settings lists;
  bool regulates = false;  ///< the applications' rates are regulated
  rate_settings rate;
};

enum class scheduler_kind : std::uint8_t { strict, wrr, dwrr };

struct scheduler_settings {
  scheduler_kind kind = scheduler_kind::strict;
  /// wrr: packets a round; dwrr: quanta of bytes a round; one for each priority 0 to 7.
  std::uint32_t weights[8] = {1, 1, 1, 1, 1, 1, 1, 1};
};

/// Of a VM; a packet names its socket in a byte.
inline constexpr std::size_t max_sockets = 64;
/// With credit lists: that one VM opens, and the buffers of all.
inline constexpr std::size_t max_connections = 4096;
inline constexpr std::size_t max_receive_buffers = std::size_t{1} << 22;
/// Of one queue, or of one connection.
inline constexpr std::int64_t max_buffers_each = 65'536;

/// A socket of a VM besides the one that takes what no other does.
struct socket_settings {
  std::string name;
  std::uint32_t port = 0;  ///< TCP or UDP destination port
  std::int64_t buffer_bytes = 208 * 1024;
  std::uint64_t drain_bps = 100'000'000'000;
};

struct vm_settings {
  std::string name;
  source_mark where;
  std::string ip;                                 ///< empty: assigned 10.0.x.y by position
  std::uint32_t network = 1;                      ///< virtual network (VNI)
  std::string mac;                                ///< empty: assigned 02:... by position
  std::int64_t socket_buffer_bytes = 208 * 1024;  ///< each of TX and RX
  std::uint64_t drain_bps = 100'000'000'000;      ///< how fast the application reads; 0: not at all
  std::vector<socket_settings> sockets;
  std::string filter;  ///< BPF: what its IP layer lets in; empty: everything
  /// Unset: as long as the sum of the sockets' TX buffers, so that it cannot lose anything.
  std::optional<queue_limit> qdisc;
  queue_limit vnic_ring{256, queue_limit::unit::packets};  ///< each of TX and RX
  std::optional<mbuf_pool::config> mbufs;                  ///< unset: its kernel never lacks memory
  std::optional<std::uint32_t> short_ppm;  ///< of its time it gets none; unset: the vswitch's
  // Behind an elastic FIFO:
  std::optional<std::int64_t> memory_bytes;  ///< unset: the vswitch's
  std::optional<sim_time> slice;             ///< likewise
  std::uint32_t importance = 0;              ///< the most important ones are served first
};

/// The router of US 7,751,400 in place of the virtual switch.
struct elastic_fifo_settings {
  std::int64_t receive_buffer_bytes = 256 * 1024;  ///< 0: there is none, and nothing can wait
  bool waits = false;                        ///< for a free buffer; else what finds none is dropped
  std::uint64_t copy_bps = 200'000'000'000;  ///< of each engine that moves packets...
  sim_time per_packet = 20 * nanosecond;     ///< ...and what it takes besides
  sim_time parse = 20 * nanosecond;          ///< the parser's time a packet
  sim_time stage = 10 * nanosecond;          ///< from one engine to the next
  sim_time look = microsecond;               ///< of the local engine, from one to the next
  sim_time assist = microsecond;             ///< the assist engine's time a packet...
  sim_time assist_each = 10 * nanosecond;    ///< ...and a connection
  struct pool {
    std::uint32_t bytes = 0;
    std::uint32_t least = 0, most = 0;
  };
  std::vector<pool> buffers{{256, 64, 16'384}, {2048, 64, 16'384}};
  pool indirect{0, 64, 65'536};
  std::uint32_t step = 64;                 ///< buffers by which a pool grows or shrinks
  std::int64_t memory_bytes = 256 * 1024;  ///< that a VM posts for reception
  sim_time slice = 0;                      ///< a VM posts no more often than this
};

struct vswitch_settings {
  std::optional<elastic_fifo_settings> elastic;
  bool sr_iov = false;          ///< none: each VM has a virtual function of the NIC, which forwards
  std::uint32_t short_ppm = 0;  ///< of the VMs get no time at any time...
  sim_time short_for = 500 * microsecond;      ///< ...each for so long
  std::int64_t port_queue_bytes = 256 * 1024;  ///< for each port and direction
  sim_time forwarding_delay = 300 * nanosecond;
  scheduler_settings scheduler;
};

struct hypervisor_settings {
  sim_time per_packet = 100 * nanosecond;    ///< service time of a packet...
  std::uint64_t copy_bps = 100'000'000'000;  ///< ...and of its bytes
  queue_limit queue{256, queue_limit::unit::packets};
  sim_time notification = microsecond;  ///< until it has noticed a packet while asleep
};

/// The interrupt and the softirq that takes packets from a vNIC's RX ring (Linux NAPI).
struct napi_settings {
  sim_time interrupt = microsecond;        ///< from a packet in an idle ring to the first poll
  sim_time per_packet = 100 * nanosecond;  ///< of IP processing
  std::uint32_t weight = 64;               ///< packets of a poll
  std::uint32_t budget = 300;              ///< packets of a softirq
  sim_time per_poll = 200 * nanosecond;    ///< cost of another poll
  sim_time per_softirq = 2 * microsecond;  ///< until a softirq that used up its budget runs again
};

/// The bridge between virtual switch and NIC.
struct bridge_settings {
  queue_limit queue{256 * 1024, queue_limit::unit::bytes};  ///< for each direction
  sim_time per_packet = 50 * nanosecond;                    ///< to encapsulate or decapsulate
  std::uint64_t copy_bps = 200'000'000'000;
  bool vxlan = false;  ///< tunnels what goes to VMs of other hosts that do, too
};

/// The bus between bridge and NIC.
struct pcie_settings {
  std::uint64_t bps = 128'000'000'000;
  sim_time latency = 500 * nanosecond;
  // With the policy pcie_credit:
  pcie_credits posted{64, 1024};          ///< of the host, for what the NIC writes; 0: infinite
  pcie_credits completion{64, 1024};      ///< of the NIC, for what it has read
  std::uint32_t non_posted_headers = 64;  ///< of the host, for the NIC's read requests
  std::uint32_t read_request = 512;       ///< bytes that such a request asks for at most
  std::uint32_t max_payload = 256;
  sim_time update = 100 * nanosecond;  ///< UpdateFCs are no closer together
};

/// How a NIC reads what it is to send; see dma_engine.hpp.
struct dma_settings {
  bool single = true;                   ///< one buffer a packet; else header and payload apart
  std::uint32_t header_bytes = 54;      ///< of the buffer with the header
  std::uint32_t descriptor_bytes = 16;  ///< of each buffer
  std::uint32_t fetch = 1;              ///< descriptors that one read brings
  sim_time set_up = 60 * nanosecond;    ///< of an operation
};

struct nic_settings {
  std::optional<dma_settings> dma;  ///< unset: the bus costs its rate and its latency
  std::int64_t rx_buffer_bytes = 512 * 1024;
  std::int64_t tx_buffer_bytes = 512 * 1024;
  scheduler_settings scheduler;
};

struct host_settings {
  std::vector<vm_settings> vms;
  std::optional<ecn_settings> ecn;  ///< of the NIC's receive buffer and each VM's socket buffers
  std::uint64_t guest_bps = 100'000'000'000;  ///< speed of a copy between queues inside a VM
  sim_time guest_latency = 100 * nanosecond;  ///< and its latency
  hypervisor_settings hypervisor;
  napi_settings napi;
  vswitch_settings vswitch;
  bridge_settings bridge;
  nic_settings nic;
  pcie_settings pcie;
};

/// The memory of a switch as one pool, instead of a share for each port.
struct shared_memory_settings {
  std::int64_t reserve_bytes = 4 * 1024;  ///< of each ingress port and priority
  unsigned shift = 3;  ///< threshold: the free part of the pool, divided by 2^shift...
  /// ...unless the node's PFC says `xoff`: then that, for lossless priorities.
  std::int64_t xon_offset_bytes = 3 * 1024;  ///< below the threshold
};

/// Selective link aggregation; see actors/logic/link_sets.hpp.
struct aggregation_settings {
  struct partition {
    std::string endpoint;
    std::vector<std::string> ports;  ///< of the switch, all to one neighbour and on its way
    source_mark where;
  };
  link_choice select = link_choice::hash;
  sim_time down_delay = 0, up_delay = 0;  ///< of a port's leave and return
  sim_time load_window = millisecond;
  std::vector<partition> partitions;  ///< what is for others takes any port that leads there
};

struct switch_settings {
  /// Divided evenly over ports unless port-queue says otherwise.
  std::int64_t buffer_bytes = 4 * 1024 * 1024;
  /// For each egress port (none), ingress port (on_off).
  std::optional<std::int64_t> port_queue_bytes;
  std::optional<shared_memory_settings> shared;
  std::optional<ecn_settings> ecn;  ///< of each egress queue
  sim_time forwarding_delay = 300 * nanosecond;
  scheduler_settings scheduler;
  /// Where what is for the nodes at switch `to` goes next, instead of on a shortest path.
  struct route {
    std::string to, via;
    source_mark where;
  };
  std::vector<route> routes;
  std::optional<aggregation_settings> aggregation;
};

struct generator_settings {};

struct sink_settings {
  std::uint64_t drain_bps = 0;  ///< 0: takes everything as it comes
  std::int64_t buffer_bytes = 512 * 1024;
};

struct node {
  std::string name;
  source_mark where;
  flow_control_settings flow_control;         ///< the node's own, or the defaults
  std::optional<classify_settings> classify;  ///< of captured frames that are sent here
  std::variant<host_settings, switch_settings, generator_settings, sink_settings> as;
};

struct link {
  struct end {
    std::string node;
    std::string port;  ///< "nic0" of a host, "p1"... of a switch; always filled in by the loader
  };
  end a, b;
  source_mark where;
  std::uint64_t rate_bps = 25'000'000'000;
  sim_time delay = 500 * nanosecond;
  /// Of the IP packet: frames may have 18 bytes more (Ethernet, one tag).
  std::uint32_t mtu = 1500;
  std::optional<hop_policy> flow_control;  ///< unset: what both nodes want
};

struct replay_settings {
  struct mapping {
    std::string address;   ///< IPv4, IPv6 or MAC address, as in the capture
    std::string endpoint;  ///< "h1/vm1", "gen1", "sink1"
    source_mark where;
  };
  std::string file;  ///< absolute, or relative to the working directory
  source_mark file_where;
  std::vector<mapping> map;  ///< empty: all packets go from `from` to `to`
  std::string filter;        ///< BPF; empty: everything
  replay_timing timing;
  oversize_rule oversize = oversize_rule::split;
};

enum class stop_rule : std::uint8_t { queue, shift };

/// Whom a traffic entry's packets are for: see packet. Captured: what each frame's addresses say.
enum class cast_kind : std::uint8_t { unicast, unknown, arp, multicast, broadcast, captured };

/// Credit lists between the two ends of a traffic entry (WO 00/41365): see actors/credits/.
struct credit_settings : credit_list_settings {
  enum class way : std::uint8_t { message, shared_memory, rdma, tcp_options };
  bool regulated = true;          ///< without, the sender sends whatever it has (VIA alone)
  bool in_device = false;         ///< the I/O device cuts, not the software
  std::int64_t window_bytes = 0;  ///< not 0: in place of lists a window, as TCP has
  way by = way::message;
  unsigned buffers = 64;                      ///< of the receiving application, a connection
  std::uint32_t least = 1514, most = 1514;    ///< their sizes
  std::optional<unsigned> first_list;         ///< credits of it; unset: as many as of others
  sim_time work = 0;                          ///< of the application, for a buffer
  std::uint64_t limit_bps = 0;                ///< of each sender; 0: none
  std::int64_t burst_bytes = 64 * 1024;       ///< ahead of that
  unsigned steady_percent = 100;              ///< see credit_builder
  sim_time latency = 5 * microsecond;         ///< of a list
  std::optional<sim_time> per_message, poll;  ///< unset: by its way
  sim_time post = 100 * nanosecond;           ///< a descriptor, and its doorbell
  unsigned send_queue = 64;                   ///< requests of the sending application
};

struct traffic_entry {
  std::string name;
  source_mark where;
  std::variant<replay_settings, generate_settings> what;
  std::vector<std::string> from;  ///< endpoints; empty for a replay with a map
  std::vector<std::string> to;
  destination_rule pick = destination_rule::random;
  cast_kind cast = cast_kind::unicast;
  std::optional<credit_settings> credits;
  std::uint8_t priority = 0;
  bool classified =
      false;  ///< a replay without a priority: frames have their own, where classified
  sim_time start = 0;
  sim_time stop = never;
  stop_rule on_stop = stop_rule::queue;
};

/// A timed change. `duration` never: it stays.
struct timed_event {
  enum class kind : std::uint8_t { set_drain, set_rate, set_port, link_down, inject_pause };
  kind what = kind::set_drain;
  sim_time at = 0;
  sim_time duration = never;
  source_mark where;
  std::string target;  ///< set_drain: "h3/vm4" or "sink1"; set_rate: "storage" (a generator entry)
  /// set_port: "h1.vswitch:vm1"
  std::uint64_t bps = 0;  ///< set_drain, set_rate: the new value; set_port: 1 stopped, 0 started
  std::size_t link = 0;   ///< link_down, inject_pause: index into scenario::links
  /// inject_pause: frames that the port at one end of the link sends to the other end.
  struct pause {
    bool from_b = false;          ///< the end that sends
    bool whole_link = false;      ///< PAUSE frames of 802.3x
    std::uint8_t priorities = 0;  ///< of PFC frames
    std::uint16_t quanta = 0;     ///< of each frame, which is sent...
    sim_time every = never;       ///< ...every so often for `duration`
    bool holds = true;            ///< as long as needed to hold them for `duration`, then a resume
  } inject;
};

struct controller_settings {
  sim_time latency = 50 * microsecond;  ///< of what a switch has to say to it
};

enum class clock_kind : std::uint8_t { virtual_time, real_time };

/// Frames that pass a port, for Wireshark.
struct tap_settings {
  enum class way : std::uint8_t { both, in, out };
  std::string name;
  std::string on;  ///< "leaf2:p49", the end of a link; "h1/vm1", a VM's NIC
  way direction = way::both;
  std::string filter;            ///< BPF; empty: all
  std::string file;              ///< empty: whoever runs it says; "-": the standard output
  std::uint32_t snap_bytes = 0;  ///< that are kept of a frame; 0: all
  std::int64_t epoch = 0;        ///< seconds since 1970 of virtual time 0
  source_mark where;
};

struct scenario {
  std::string name;
  std::string description;
  std::string file;    ///< as given on the command line
  std::string folder;  ///< relative paths in the scenario are relative to it
  std::uint64_t seed = 1;
  clock_kind clock = clock_kind::virtual_time;
  double speed = 1.0;         ///< of the real clock
  sim_time duration = never;  ///< the end; never only with until_traffic_done
  bool until_traffic_done = false;
  controller_settings controller;
  std::vector<node> nodes;
  std::vector<link> links;
  std::vector<traffic_entry> traffic;
  std::vector<timed_event> events;
  std::vector<tap_settings> taps;
  std::vector<expectation> expectations;
};

}  // namespace sluice
