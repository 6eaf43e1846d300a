#include "scenarios/keys.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>

#include "scenarios/quantity.hpp"
#include "scenarios/suggest.hpp"

namespace sluice {

namespace {

constexpr auto planned = key_status::planned;
constexpr std::string_view policies = "none|on_off|s_pfc|credit_list";
constexpr std::string_view guest_policies = "none|on_off|s_pfc|credit_list|rate";
constexpr std::string_view bus_policies = "none|on_off|s_pfc|pcie_credit|credit_list";
constexpr std::string_view later_policies = "credit_list";
constexpr std::string_view link_policies = "none|on_off|pfc|ib_credit";
constexpr std::string_view line_rates = "1kbit..100Tbit";
constexpr std::string_view drains = "0bit..100Tbit";
constexpr std::string_view buffers = "64B..64GiB";
constexpr std::string_view queue_limits = "64B..64GiB 1p..16777216p";
// A channel of the engine needs a latency above zero.
constexpr std::string_view latencies = "1ps..1min";

constexpr key_info policy_key(std::string_view path, std::string_view help,
                              std::string_view fallback) {
  return {.path = path,
          .forms = form_choice,
          .help = help,
          .fallback = fallback,
          .choices = policies,
          .later = later_policies};
}

constexpr key_info table[]{
    key_info{.path = "name",
             .forms = form_text,
             .help = "What the run is called in summaries and reports.",
             .fallback = "the file's name without .yaml",
             .example = "name: incast-lossless"},
    key_info{
        .path = "description", .forms = form_text, .help = "What the scenario shows, for people."},
    key_info{.path = "include",
             .forms = form_text | form_list,
             .help =
                 "Other files whose maps stand under this file's own keys. Own keys win, and of "
                 "several files the later one; lists are replaced, not joined. Relative to this "
                 "file.",
             .example = "include: [hardware.yaml, ../common/traffic.yaml]"},
    key_info{.path = "include[]", .forms = form_text, .help = "A file, relative to this one."},
    key_info{.path = "seed",
             .forms = form_integer,
             .help =
                 "Where all chance comes from. The same scenario and seed give the same result to "
                 "the last bit.",
             .fallback = "1"},
    key_info{.path = "clock",
             .forms = form_choice,
             .help =
                 "virtual: as fast as the processor allows, and deterministic. real: held back to "
                 "the wall clock.",
             .fallback = "virtual",
             .choices = "virtual|real"},
    key_info{.path = "speed",
             .forms = form_factor,
             .help = "How fast the real clock runs: 0.1x is slow motion.",
             .fallback = "1x",
             .range = "0.000001x..1000000x"},
    key_info{.path = "duration",
             .forms = form_duration,
             .help =
                 "The end of traffic and run, in virtual time. With `until: traffic-done` it is "
                 "the latest end. Without either, a run whose traffic ends by itself is `until: "
                 "traffic-done`, and any other takes 100ms.",
             .range = "1ps..",
             .example = "duration: 200ms"},
    key_info{.path = "until",
             .forms = form_choice,
             .help = "traffic-done: the run ends when everything made was delivered or dropped.",
             .choices = "traffic-done"},

    key_info{.path = "controller",
             .forms = form_map,
             .help =
                 "The SDN controller, which tells the virtual switches their thresholds, lossless "
                 "priorities and overlay mappings, and hears when their ports stop."},
    key_info{.path = "controller.latency",
             .forms = form_duration,
             .help = "From a switch that has something to say to the controller.",
             .fallback = "50us",
             .range = latencies},

    // -- defaults -------------------------------------------------------------------------------
    key_info{.path = "defaults",
             .forms = form_map,
             .help = "What nodes and links have unless they say otherwise.",
             .example = "defaults:\n  link: {rate: 100Gbit, delay: 1us}\n  flow-control: on_off"},
    key_info{.path = "defaults.link", .forms = form_map, .help = "Of every link."},
    key_info{.path = "defaults.link.rate",
             .forms = form_rate,
             .help = "Bits per second on the line, everything counted.",
             .fallback = "25Gbit",
             .range = line_rates},
    key_info{.path = "defaults.link.delay",
             .forms = form_duration,
             .help = "Propagation delay, one way.",
             .fallback = "500ns",
             .range = latencies},
    key_info{.path = "defaults.link.mtu",
             .forms = form_integer | form_size,
             .help = "Largest IP packet; frames may have 18 bytes more (Ethernet and one tag).",
             .fallback = "1500",
             .range = "68..65535 68B..65535B"},
    key_info{
        .path = "defaults.flow-control",
        .forms = form_map | form_choice,
        .help =
            "The policy of each kind of hop, by who owns the queue that is filled; one word sets "
            "all. s_pfc: by priority, see `pfc`; of all, the links have pfc. credit_list: see "
            "`credit-list`; of all, links and virtual switches have on_off. Four groups set "
            "several kinds; a kind named by itself counts more. A link is "
            "regulated if both of its ends want it.",
        .fallback = "none",
        .choices = policies,
        .later = later_policies,
        .example = "flow-control: {guest: on_off, vm-vswitch: on_off, vswitch-nic: none, "
                   "nic-fabric: on_off}"},
    key_info{.path = "defaults.flow-control.guest",
             .forms = form_choice,
             .help = "Inside a VM: qdisc, guest-tx and guest-rx. s_pfc: qdisc and guest-tx hold "
                     "each priority by itself, and an application has a socket for each; its RX "
                     "buffer is held as on_off. rate: on_off, and the application "
                     "slows down when it is told of congestion, see `rate`; of a generator, too.",
             .fallback = "none",
             .choices = guest_policies,
             .later = later_policies},
    policy_key("defaults.flow-control.vm-vswitch",
               "Between VM and virtual switch: hypervisor, vnic-rx and vswitch. credit_list: the "
               "virtual switch itself has on_off.",
               "none"),
    key_info{.path = "defaults.flow-control.vswitch-nic",
             .forms = form_choice,
             .help = "Between virtual switch and NIC: bridge and nic.",
             .fallback = "none",
             .choices = bus_policies,
             .later = later_policies},
    key_info{.path = "defaults.flow-control.nic-fabric",
             .forms = form_choice,
             .help = "On every link: fabric.",
             .fallback = "none",
             .choices = link_policies,
             .later = later_policies},
    policy_key(
        "defaults.flow-control.qdisc",
        "Into a VM's qdisc, if it has a length of its own; else nothing is lost there anyway.",
        "guest"),
    policy_key("defaults.flow-control.guest-tx",
               "Into a VM's vNIC TX ring: a full one stops the qdisc.", "guest"),
    policy_key("defaults.flow-control.guest-rx",
               "Into a VM's socket buffer: a full one pauses the softirq.", "guest"),
    policy_key("defaults.flow-control.hypervisor", "Into the hypervisor's queues.", "vm-vswitch"),
    policy_key("defaults.flow-control.vnic-rx",
               "Into a VM's vNIC RX ring: the hypervisor sleeps while it is full.", "vm-vswitch"),
    key_info{.path = "defaults.flow-control.vswitch",
             .forms = form_choice,
             .help = "Into the virtual switch's input and output queues.",
             .fallback = "vm-vswitch",
             .choices = "none|on_off|s_pfc",
             .later = later_policies},
    key_info{.path = "defaults.flow-control.bridge",
             .forms = form_choice,
             .help = "Into the bridge's queues. pcie_credit: what comes from the NIC needs credits "
                     "of the bus, "
                     "see `pcie`; the rest is on_off.",
             .fallback = "vswitch-nic",
             .choices = bus_policies,
             .later = later_policies},
    key_info{.path = "defaults.flow-control.nic",
             .forms = form_choice,
             .help = "Into the NIC's TX ring. pcie_credit: by credits of the bus, see `pcie`.",
             .fallback = "vswitch-nic",
             .choices = bus_policies,
             .later = later_policies},
    key_info{.path = "defaults.flow-control.fabric",
             .forms = form_choice,
             .help = "Between NIC, generator or sink and a switch, and between switches. pfc: "
                     "priority flow control, see `pfc`; ib_credit: InfiniBand's credits, see `ib`.",
             .fallback = "nic-fabric",
             .choices = link_policies,
             .later = later_policies},
    key_info{.path = "defaults.on-off",
             .forms = form_map,
             .help = "Thresholds of the policy on_off, of every queue that uses it.",
             .example = "on-off: {stop: 192KiB, start: 96KiB}"},
    key_info{.path = "defaults.on-off.stop",
             .forms = form_size | form_packets,
             .help = "A queue that holds this much stops its sender; in a host, its sender sleeps.",
             .fallback = "on links the capacity less the head-room for what is in flight, in hosts "
                         "less one largest frame",
             .range = queue_limits},
    key_info{.path = "defaults.on-off.start",
             .forms = form_size | form_packets,
             .help =
                 "A stopped queue that holds no more than this lets its sender go on. Not above "
                 "`stop`.",
             .fallback = "on links half of `stop`, in hosts just below it",
             .range = "0B..64GiB 0p..16777216p"},
    key_info{.path = "defaults.host",
             .forms = form_map,
             .help = "Of every host.",
             .like = "nodes.<host>",
             .except = "kind|vms|flow-control|on-off|pfc|ib|rate|classify"},
    key_info{.path = "defaults.vm",
             .forms = form_map,
             .help = "Of every VM.",
             .like = "nodes.<host>.vms.<vm>",
             .except = "ip|mac"},
    key_info{.path = "defaults.switch",
             .forms = form_map,
             .help = "Of every switch.",
             .like = "nodes.<switch>",
             .except = "kind|flow-control|on-off|pfc|ib|rate|classify|routes|aggregation"},
    key_info{.path = "defaults.sink",
             .forms = form_map,
             .help = "Of every sink.",
             .like = "nodes.<sink>",
             .except = "kind|flow-control|on-off|pfc|ib"},
    key_info{.path = "defaults.pfc",
             .forms = form_map,
             .help = "Priority flow control (IEEE 802.1Qbb) of the links with the policy pfc: "
                     "priorities, thresholds, head-room, timing. Each lossless priority has its "
                     "part of the port's buffer: `xoff` and, above it, `headroom`.",
             .example = "pfc: {priorities: [3, 4], xoff: 80KiB, xon: 60KiB, headroom: auto}"},
    key_info{.path = "defaults.pfc.priorities",
             .forms = form_list,
             .help = "The lossless priorities. A frame that pauses another one is ignored, and "
                     "counted.",
             .example = "priorities: [3, 4]"},
    key_info{.path = "defaults.pfc.priorities[]",
             .forms = form_integer,
             .help = "A priority.",
             .range = "0..7"},
    key_info{.path = "defaults.pfc.xoff",
             .forms = form_size,
             .help = "A priority that holds this much of a port's buffer pauses who sends there.",
             .fallback = "what the head-room leaves of an equal share of the port's buffer",
             .range = buffers},
    key_info{.path = "defaults.pfc.xon",
             .forms = form_size,
             .help = "A paused priority that holds no more than this lets its sender go on. Below "
                     "`xoff`.",
             .fallback = "3/4 of xoff",
             .range = "0B..64GiB"},
    key_info{.path = "defaults.pfc.headroom",
             .forms = form_size | form_choice,
             .help = "Above `xoff`, for what still comes after the pause was decided. auto: what "
                     "cable, rate, MTU and the response of the peer need for losing nothing.",
             .fallback = "auto",
             .choices = "auto",
             .range = "0B..64GiB"},
    key_info{.path = "defaults.pfc.quanta",
             .forms = form_integer,
             .help = "How long a frame pauses if nothing follows it, in times of 512 bits.",
             .fallback = "65535",
             .range = "1..65535"},
    key_info{.path = "defaults.pfc.refresh",
             .forms = form_duration,
             .help = "From one frame to the next while a priority stays paused. Longer than "
                     "`quanta` last, the sender goes on in between.",
             .fallback = "half of the time that `quanta` last",
             .range = latencies},
    key_info{.path = "defaults.pfc.response",
             .forms = form_duration,
             .help = "From the end of a frame to when this node's MACs obey it.",
             .fallback = "what IEEE 802.3 allows at the link's rate: 3.4us at 10Gbit, 2us at "
                         "100Gbit",
             .range = "0ps..1s"},
    key_info{.path = "defaults.pfc.watchdog",
             .forms = form_map,
             .help = "Of a priority of a port of this node (a switch's, a NIC's) that PFC frames "
                     "hold without a break: a storm, or a deadlock.",
             .fallback = "none",
             .example = "watchdog: {detect: 5ms, action: drop, restore: 5ms}"},
    key_info{.path = "defaults.pfc.watchdog.detect",
             .forms = form_duration,
             .help = "After so long the watchdog lets go of it.",
             .fallback = "200ms",
             .range = latencies},
    key_info{.path = "defaults.pfc.watchdog.action",
             .forms = form_choice,
             .help =
                 "What becomes of its packets then: drop those that wait and those that come, or "
                 "forward them as if nothing held them.",
             .fallback = "drop",
             .choices = "drop|forward"},
    key_info{.path = "defaults.pfc.watchdog.restore",
             .forms = form_duration,
             .help = "Until no frame has held it for so long.",
             .fallback = "200ms",
             .range = latencies},
    key_info{.path = "defaults.ib",
             .forms = form_map,
             .help = "InfiniBand's credits, of the links with the policy ib_credit. Priority n is "
                     "virtual lane n. Each lane has its part of the port's buffer.",
             .example = "ib: {credits: 64KiB, update: 1us}"},
    key_info{.path = "defaults.ib.credits",
             .forms = form_size,
             .help = "Room of each lane of a port, in blocks of 64 bytes. At least the largest "
                     "frame.",
             .fallback = "an equal share of the port's buffer, at most 128KiB",
             .range = "64B..128KiB"},
    key_info{.path = "defaults.ib.update",
             .forms = form_duration,
             .help = "How often a port looks which lanes have room again, and sends a flow packet "
                     "for each of them.",
             .fallback = "a quarter of the time in which the line uses them up",
             .range = "10ns..1s"},
    key_info{.path = "defaults.ib.management",
             .forms = form_integer | form_choice,
             .help = "The priority that goes by lane 15, which has no credits: what finds no room "
                     "is lost.",
             .fallback = "none",
             .choices = "none",
             .range = "0..7"},
    key_info{.path = "defaults.credit-list",
             .forms = form_map,
             .help = "Credit lists (WO 00/41365) of the queues with the policy credit_list: each "
                     "has buffers for the largest frame, and tells its sender of those that are "
                     "free, many at a time. Between applications see `traffic.<entry>.credits`.",
             .example = "credit-list: {when: adaptive, per-list: 32}"},
    key_info{.path = "defaults.credit-list.when",
             .forms = form_choice,
             .help = "When another list goes, as in `traffic.<entry>.credits.when`.",
             .fallback = "adaptive",
             .choices = "first|middle|last|adaptive|timed|predictive|switching"},
    key_info{.path = "defaults.credit-list.per-list",
             .forms = form_integer,
             .help = "Credits that a list holds at most, and those that the sender has at first.",
             .fallback = "as many as the queue has buffers",
             .range = "1..65536"},
    key_info{.path = "defaults.credit-list.lists",
             .forms = form_integer,
             .help = "Buffers that the sender has for lists: so many may be on their way.",
             .fallback = "1",
             .range = "1..64"},
    key_info{.path = "defaults.rate",
             .forms = form_map,
             .help = "How applications slow down with `flow-control: {guest: rate}`: as DCQCN, the "
                     "QCN of RDMA, does. A receiver of marked packets tells their source.",
             .example = "rate: {interval: 50us, latency: 10us, min: 100Mbit, additive: 40Mbit}"},
    key_info{.path = "defaults.rate.interval",
             .forms = form_duration,
             .help = "A receiver tells a source no more often than this.",
             .fallback = "50us",
             .range = latencies},
    key_info{.path = "defaults.rate.latency",
             .forms = form_duration,
             .help = "From the receiver to the source.",
             .fallback = "10us",
             .range = latencies},
    key_info{.path = "defaults.rate.min",
             .forms = form_rate,
             .help = "A source is never slower.",
             .fallback = "100Mbit",
             .range = line_rates},
    key_info{.path = "defaults.rate.additive",
             .forms = form_rate,
             .help = "What a stage adds after fast recovery.",
             .fallback = "40Mbit",
             .range = line_rates},
    key_info{.path = "defaults.rate.hyper",
             .forms = form_rate,
             .help = "What it adds when both time and bytes say so.",
             .fallback = "200Mbit",
             .range = line_rates},
    key_info{.path = "defaults.rate.increase",
             .forms = form_duration,
             .help = "From stage to stage, by time.",
             .fallback = "55us",
             .range = latencies},
    key_info{.path = "defaults.rate.increase-bytes",
             .forms = form_size,
             .help = "Likewise by what was sent.",
             .fallback = "10MB",
             .range = buffers},
    key_info{.path = "defaults.rate.alpha",
             .forms = form_duration,
             .help = "So long after the last notification, and each time again, the next one will "
                     "slow it down less.",
             .fallback = "55us",
             .range = latencies},
    key_info{.path = "defaults.classify",
             .forms = form_map,
             .help =
                 "Which priority a captured frame gets, in the replays that have no `priority` of "
                 "their own: by what the frame says itself.",
             .example = "classify: {trust: [pcp, dscp], dscp: {26: 3, 48: 6}, otherwise: 0}"},
    key_info{.path = "defaults.classify.trust",
             .forms = form_list,
             .help =
                 "Which of its fields is believed: the first of them that the frame has, and that "
                 "says something.",
             .fallback = "[pcp, dscp]"},
    key_info{.path = "defaults.classify.trust[]",
             .forms = form_choice,
             .help = "pcp: of the VLAN tag. dscp: of the IP header.",
             .choices = "pcp|dscp"},
    key_info{.path = "defaults.classify.dscp",
             .forms = form_names,
             .help = "Priorities by DSCP, 0 to 63; one that is not named says nothing.",
             .example = "dscp: {26: 3, 48: 6}"},
    key_info{.path = "defaults.classify.dscp.<dscp>",
             .forms = form_integer,
             .help = "Its priority.",
             .range = "0..7"},
    key_info{.path = "defaults.classify.pcp",
             .forms = form_names,
             .help = "Priorities by PCP, 0 to 7.",
             .fallback = "the PCP itself"},
    key_info{.path = "defaults.classify.pcp.<pcp>",
             .forms = form_integer,
             .help = "Its priority.",
             .range = "0..7"},
    key_info{.path = "defaults.classify.otherwise",
             .forms = form_integer,
             .help = "The priority of a frame whose fields say nothing.",
             .fallback = "0",
             .range = "0..7"},

    // -- nodes ----------------------------------------------------------------------------------
    key_info{
        .path = "nodes",
        .forms = form_names,
        .help = "Everything that sends, forwards or receives, by name. Names are letters, digits, "
                "`_` and `-`.",
        .example = "nodes:\n  h1: {kind: host, vms: [vm1]}\n  leaf1: {kind: switch, buffer: 4MiB}",
        .required = true},

    key_info{.path = "nodes.<host>",
             .forms = form_map,
             .help = "A server: VMs, a virtual switch and one NIC.",
             .example = "h3:\n  kind: host\n  vms: {vm4: {ip: 10.99.0.2, drain: 8Gbit}}\n  nic: "
                        "{rx-buffer: 512KiB}"},
    key_info{.path = "nodes.<host>.kind",
             .forms = form_choice,
             .help = "host",
             .choices = "host",
             .required = true},
    key_info{.path = "nodes.<host>.vms",
             .forms = form_list | form_names,
             .help = "Its virtual machines: a list of names, or a map from names to settings. "
                     "`vm[1-2000]` stands for `vm1` to `vm2000`.",
             .example = "vms: [vm1, vm2]\nvms: {vm4: {drain: 8Gbit}, \"web[01-16]\": {}}"},
    key_info{.path = "nodes.<host>.vms[]",
             .forms = form_text,
             .help = "The name of a VM, or of several."},
    key_info{.path = "nodes.<host>.vms.<vm>",
             .forms = form_map,
             .help = "A virtual machine with one virtual NIC; an endpoint of traffic, `host/vm`.",
             .example = "vm4: {ip: 10.99.0.2, mac: \"02:00:00:00:00:04\", socket-buffer: 208KiB, "
                        "drain: 8Gbit}"},
    key_info{.path = "nodes.<host>.vms.<vm>.ip",
             .forms = form_text,
             .help = "Its IPv4 or IPv6 address.",
             .fallback = "assigned by position"},
    key_info{.path = "nodes.<host>.vms.<vm>.mac",
             .forms = form_text,
             .help = "Its Ethernet address, in quotes.",
             .fallback = "assigned by position"},
    key_info{.path = "nodes.<host>.vms.<vm>.socket-buffer",
             .forms = form_size,
             .help = "Of sending and of receiving, each.",
             .fallback = "208KiB",
             .range = buffers},
    key_info{.path = "nodes.<host>.vms.<vm>.drain",
             .forms = form_rate,
             .help = "How fast the application reads; 0bit: not at all.",
             .fallback = "100Gbit",
             .range = drains},
    key_info{
        .path = "nodes.<host>.vms.<vm>.sockets",
        .forms = form_names,
        .help =
            "Sockets that listen to a port, each with a buffer and a reader of its own. What is "
            "for no port of theirs goes to the VM's own socket. They share the vNIC's ring: a "
            "full one that is lossless stops all.",
        .example = "sockets: {redis: {port: 6379, drain: 1Gbit}, dns: {port: 53}}"},
    key_info{.path = "nodes.<host>.vms.<vm>.sockets.<socket>",
             .forms = form_map,
             .help = "A socket; the name of its buffer is `host/vm.socket:name`."},
    key_info{.path = "nodes.<host>.vms.<vm>.sockets.<socket>.port",
             .forms = form_integer,
             .help = "Destination port, of TCP and UDP.",
             .range = "1..65535",
             .required = true},
    key_info{.path = "nodes.<host>.vms.<vm>.sockets.<socket>.buffer",
             .forms = form_size,
             .help = "Of receiving.",
             .fallback = "the VM's socket-buffer",
             .range = buffers},
    key_info{.path = "nodes.<host>.vms.<vm>.sockets.<socket>.drain",
             .forms = form_rate,
             .help = "How fast its application reads; 0bit: not at all.",
             .fallback = "the VM's drain",
             .range = drains},
    key_info{.path = "nodes.<host>.vms.<vm>.mbufs",
             .forms = form_map,
             .help = "The memory in which its kernel keeps what it receives, from softirq to "
                     "application: one pool of mbufs for all sockets, and for each remote address "
                     "a limit on its chain. Without it there is always enough.",
             .example = "mbufs: {pool: 4MiB, limits: dynamic, limit: 1MiB, least: 32KiB}"},
    key_info{.path = "nodes.<host>.vms.<vm>.mbufs.pool",
             .forms = form_size,
             .help = "All mbufs. A packet that finds none is dropped (`no_mbufs`).",
             .fallback = "8MiB",
             .range = buffers},
    key_info{.path = "nodes.<host>.vms.<vm>.mbufs.cluster",
             .forms = form_size,
             .help = "A packet takes whole clusters of this size.",
             .fallback = "2KiB",
             .range = "64B..64KiB"},
    key_info{.path = "nodes.<host>.vms.<vm>.mbufs.limits",
             .forms = form_choice,
             .help = "Whether the chain of a remote address has a limit, beyond which its packets "
                     "are dropped (`mbuf_limit`); and whether the limit is lowered while mbufs "
                     "grow old in it, and restored.",
             .fallback = "dynamic",
             .choices = "none|fixed|dynamic"},
    key_info{.path = "nodes.<host>.vms.<vm>.mbufs.limit",
             .forms = form_size,
             .help = "The pre-set limit of each chain.",
             .fallback = "a quarter of the pool",
             .range = buffers},
    key_info{.path = "nodes.<host>.vms.<vm>.mbufs.least",
             .forms = form_size,
             .help = "No limit is lowered further.",
             .fallback = "a sixteenth of the limit",
             .range = buffers},
    key_info{.path = "nodes.<host>.vms.<vm>.mbufs.unhealthy",
             .forms = form_duration,
             .help = "A chain whose oldest mbuf is older has its limit halved.",
             .fallback = "10ms",
             .range = "1ns.."},
    key_info{.path = "nodes.<host>.vms.<vm>.mbufs.healthy",
             .forms = form_duration,
             .help = "One whose oldest mbuf is no older is healthy.",
             .fallback = "half of unhealthy",
             .range = "0ps.."},
    key_info{.path = "nodes.<host>.vms.<vm>.mbufs.measure",
             .forms = form_duration,
             .help = "From one measurement of their health to the next.",
             .fallback = "1ms",
             .range = "1us.."},
    key_info{.path = "nodes.<host>.vms.<vm>.mbufs.restore-after",
             .forms = form_integer,
             .help = "Healthy measurements in a row after which a limit is doubled again.",
             .fallback = "3",
             .range = "1..1000000"},
    key_info{.path = "nodes.<host>.vms.<vm>.filter",
             .forms = form_text,
             .help =
                 "What the VM's IP layer lets in, as a BPF expression on the captured packet. The "
                 "rest is dropped there (`filtered`). Synthetic packets pass.",
             .fallback = "everything",
             .example = "filter: not port 53"},
    key_info{.path = "nodes.<host>.vms.<vm>.network",
             .forms = form_integer,
             .help = "Its virtual network (VNI). There is no way from one to another.",
             .fallback = "1",
             .range = "1..16777215"},
    key_info{
        .path = "nodes.<host>.vms.<vm>.qdisc",
        .forms = form_packets | form_size,
        .help =
            "The queue between socket buffer and vNIC. By default it cannot lose anything; with "
            "a length of its own it can, unless guest-tx is regulated.",
        .fallback = "as long as the sockets' TX buffers",
        .range = queue_limits},
    key_info{.path = "nodes.<host>.vms.<vm>.vnic-ring",
             .forms = form_packets | form_size,
             .help = "Ring of the virtual NIC, of each direction.",
             .fallback = "256 packets",
             .range = queue_limits},
    key_info{.path = "nodes.<host>.vms.<vm>.short",
             .forms = form_percent,
             .help = "Of its time it gets none from its hypervisor, for as long each time as "
                     "`vswitch.shortage.for` says.",
             .fallback = "vswitch.shortage.share",
             .range = "0%..100%"},
    key_info{.path = "nodes.<host>.vms.<vm>.memory",
             .forms = form_size,
             .help = "Behind an elastic FIFO: what it posts for reception.",
             .fallback = "vswitch.memory",
             .range = buffers},
    key_info{.path = "nodes.<host>.vms.<vm>.slice",
             .forms = form_duration,
             .help = "Likewise: how often it posts.",
             .fallback = "vswitch.slice",
             .range = "0ps..1min"},
    key_info{.path = "nodes.<host>.vms.<vm>.importance",
             .forms = form_integer,
             .help =
                 "Likewise: of those that wait, the local engine serves the most important ones "
                 "first.",
             .fallback = "0",
             .range = "0..255"},
    key_info{.path = "nodes.<host>.guest",
             .forms = form_map,
             .help = "Copying between the queues inside a VM."},
    key_info{.path = "nodes.<host>.guest.rate",
             .forms = form_rate,
             .help = "Speed of a copy.",
             .fallback = "100Gbit",
             .range = line_rates},
    key_info{.path = "nodes.<host>.guest.latency",
             .forms = form_duration,
             .help = "Latency of a copy.",
             .fallback = "100ns",
             .range = latencies},
    key_info{.path = "nodes.<host>.hypervisor",
             .forms = form_map,
             .help = "What moves packets between vNIC rings and virtual switch."},
    key_info{.path = "nodes.<host>.hypervisor.per-packet",
             .forms = form_duration,
             .help = "Service time of a packet, whatever its size.",
             .fallback = "100ns",
             .range = "0ps..1min"},
    key_info{.path = "nodes.<host>.hypervisor.copy-rate",
             .forms = form_rate,
             .help = "How fast it copies a packet's bytes.",
             .fallback = "100Gbit",
             .range = line_rates},
    key_info{.path = "nodes.<host>.hypervisor.queue",
             .forms = form_packets | form_size,
             .help = "What it holds for each VM and direction.",
             .fallback = "256 packets",
             .range = queue_limits},
    key_info{.path = "nodes.<host>.hypervisor.notification",
             .forms = form_duration,
             .help =
                 "From a packet for an idle hypervisor until it begins: the kick of a vNIC, the "
                 "wake-up by the virtual switch.",
             .fallback = "1us",
             .range = "0ps..1min"},
    key_info{.path = "nodes.<host>.napi",
             .forms = form_map,
             .help = "The interrupt and softirq that take packets from a vNIC's RX ring to the "
                     "sockets (Linux NAPI)."},
    key_info{.path = "nodes.<host>.napi.interrupt",
             .forms = form_duration,
             .help = "From a packet in an idle ring to the first poll.",
             .fallback = "1us",
             .range = "0ps..1min"},
    key_info{.path = "nodes.<host>.napi.per-packet",
             .forms = form_duration,
             .help = "IP processing of a packet.",
             .fallback = "100ns",
             .range = "0ps..1min"},
    key_info{.path = "nodes.<host>.napi.weight",
             .forms = form_integer,
             .help = "Packets of a poll.",
             .fallback = "64",
             .range = "1..65536"},
    key_info{.path = "nodes.<host>.napi.budget",
             .forms = form_integer,
             .help = "Packets of a softirq; then others run first.",
             .fallback = "300",
             .range = "1..1000000"},
    key_info{.path = "nodes.<host>.napi.per-poll",
             .forms = form_duration,
             .help = "Cost of another poll.",
             .fallback = "200ns",
             .range = "0ps..1min"},
    key_info{.path = "nodes.<host>.napi.per-softirq",
             .forms = form_duration,
             .help = "Until a softirq that has used up its budget runs again.",
             .fallback = "2us",
             .range = "0ps..1min"},
    key_info{.path = "nodes.<host>.bridge",
             .forms = form_map,
             .help = "What moves packets between virtual switch and NIC, and encapsulates them."},
    key_info{.path = "nodes.<host>.bridge.queue",
             .forms = form_packets | form_size,
             .help = "What it holds for each direction.",
             .fallback = "256KiB",
             .range = queue_limits},
    key_info{.path = "nodes.<host>.bridge.overlay",
             .forms = form_choice,
             .help =
                 "vxlan: what goes to VMs of other hosts with vxlan is tunnelled, 50 bytes more on "
                 "the wire, 54 with a priority. VMs then have so much less than the link's MTU.",
             .fallback = "none",
             .choices = "none|vxlan"},
    key_info{.path = "nodes.<host>.bridge.per-packet",
             .forms = form_duration,
             .help = "Time to encapsulate or decapsulate a packet.",
             .fallback = "50ns",
             .range = "0ps..1min"},
    key_info{.path = "nodes.<host>.bridge.copy-rate",
             .forms = form_rate,
             .help = "How fast it copies a packet's bytes.",
             .fallback = "200Gbit",
             .range = line_rates},
    key_info{.path = "nodes.<host>.vswitch", .forms = form_map, .help = "The virtual switch."},
    key_info{.path = "nodes.<host>.vswitch.kind",
             .forms = form_choice,
             .help =
                 "lossless: that of US 9,485,188. sr-iov: none, each VM has a virtual function of "
                 "the NIC, which forwards. elastic-fifo: the router of US 7,751,400; all keys from "
                 "here to `slice` are its own.",
             .fallback = "lossless",
             .choices = "lossless|elastic-fifo|sr-iov",
             .example = "vswitch:\n  kind: elastic-fifo\n  on-exhausted: wait\n  buffers: [{size: "
                        "256B}, {size: 2KiB, most: 4096}]\n  shortage: {share: 5%, for: 500us}"},
    key_info{
        .path = "nodes.<host>.vswitch.receive-buffer",
        .forms = form_size,
        .help = "What comes waits here for the parser. 0B: there is none, and nothing can wait.",
        .fallback = "256KiB",
        .range = "0B..64GiB"},
    key_info{.path = "nodes.<host>.vswitch.on-exhausted",
             .forms = form_choice,
             .help =
                 "What becomes of a packet that is to be stored when no buffer is free: drop it "
                 "(`no_buffer`), or let it and all behind it wait, in the receive buffer.",
             .fallback = "drop",
             .choices = "drop|wait"},
    key_info{.path = "nodes.<host>.vswitch.engines",
             .forms = form_map,
             .help =
                 "The engines that move packets: parser, send engine, store engine, and reading "
                 "from the local data store."},
    key_info{.path = "nodes.<host>.vswitch.engines.copy-rate",
             .forms = form_rate,
             .help = "How fast each moves a packet's bytes.",
             .fallback = "200Gbit",
             .range = line_rates},
    key_info{.path = "nodes.<host>.vswitch.engines.per-packet",
             .forms = form_duration,
             .help = "What each takes for a packet besides.",
             .fallback = "20ns",
             .range = latencies},
    key_info{.path = "nodes.<host>.vswitch.engines.parse",
             .forms = form_duration,
             .help = "What the parser takes for a packet.",
             .fallback = "20ns",
             .range = latencies},
    key_info{.path = "nodes.<host>.vswitch.engines.stage",
             .forms = form_duration,
             .help = "From one engine to the next.",
             .fallback = "10ns",
             .range = latencies},
    key_info{.path = "nodes.<host>.vswitch.look",
             .forms = form_duration,
             .help = "From one look of the local engine at what waits to the next.",
             .fallback = "1us",
             .range = latencies},
    key_info{.path = "nodes.<host>.vswitch.assist",
             .forms = form_map,
             .help = "The assist engine, which finds the connections of special packets."},
    key_info{.path = "nodes.<host>.vswitch.assist.per-packet",
             .forms = form_duration,
             .help = "What it takes for a packet...",
             .fallback = "1us",
             .range = latencies},
    key_info{.path = "nodes.<host>.vswitch.assist.per-connection",
             .forms = form_duration,
             .help = "...and for each connection of it.",
             .fallback = "10ns",
             .range = "0ps..1min"},
    key_info{.path = "nodes.<host>.vswitch.buffers",
             .forms = form_list,
             .help =
                 "The pools of normal buffers, the smallest first. The last one holds the largest "
                 "frame.",
             .fallback = "[{size: 256B}, {size: 2KiB}]"},
    key_info{.path = "nodes.<host>.vswitch.buffers[]",
             .forms = form_map,
             .help = "A pool of buffers of one size."},
    key_info{.path = "nodes.<host>.vswitch.buffers[].size",
             .forms = form_size,
             .help = "Of the largest frame that fits.",
             .range = "64B..64KiB",
             .required = true},
    key_info{.path = "nodes.<host>.vswitch.buffers[].least",
             .forms = form_integer,
             .help = "Buffers that there are at any time.",
             .fallback = "64",
             .range = "0..1000000"},
    key_info{.path = "nodes.<host>.vswitch.buffers[].most",
             .forms = form_integer,
             .help = "Buffers that there may be.",
             .fallback = "16384",
             .range = "1..1000000"},
    key_info{.path = "nodes.<host>.vswitch.indirect",
             .forms = form_map,
             .help = "The pool of indirect buffers, for packets to several connections."},
    key_info{.path = "nodes.<host>.vswitch.indirect.least",
             .forms = form_integer,
             .help = "Buffers that there are at any time.",
             .fallback = "64",
             .range = "0..1000000"},
    key_info{.path = "nodes.<host>.vswitch.indirect.most",
             .forms = form_integer,
             .help = "Buffers that there may be: at least one for each VM.",
             .fallback = "65536",
             .range = "1..1000000"},
    key_info{.path = "nodes.<host>.vswitch.step",
             .forms = form_integer,
             .help =
                 "Buffers by which a pool grows when it runs out; and shrinks when two steps lie "
                 "free.",
             .fallback = "64",
             .range = "1..1000000"},
    key_info{.path = "nodes.<host>.vswitch.memory",
             .forms = form_size,
             .help =
                 "What each VM posts for reception, besides a descriptor for each packet of its "
                 "vNIC ring.",
             .fallback = "256KiB",
             .range = buffers},
    key_info{.path = "nodes.<host>.vswitch.slice",
             .forms = form_duration,
             .help =
                 "Each VM posts no more often than this what it has emptied: its hypervisor lets "
                 "it run so seldom.",
             .fallback = "0ps",
             .range = "0ps..1min"},
    key_info{.path = "nodes.<host>.vswitch.shortage",
             .forms = form_map,
             .help =
                 "VMs that get no time, take nothing out of their rings and post nothing: drawn "
                 "anew all the time, from the seed."},
    key_info{.path = "nodes.<host>.vswitch.shortage.share",
             .forms = form_percent,
             .help = "Of the VMs, at any time.",
             .fallback = "0%",
             .range = "0%..100%"},
    key_info{.path = "nodes.<host>.vswitch.shortage.for",
             .forms = form_duration,
             .help = "So long.",
             .fallback = "500us",
             .range = "1us..1min"},
    key_info{.path = "nodes.<host>.vswitch.port-queue",
             .forms = form_size,
             .help = "Queue of each port and direction.",
             .fallback = "256KiB",
             .range = buffers},
    key_info{.path = "nodes.<host>.vswitch.forwarding-delay",
             .forms = form_duration,
             .help = "From ingress to egress queue.",
             .fallback = "300ns",
             .range = latencies},
    key_info{.path = "nodes.<host>.vswitch.scheduler",
             .forms = form_choice,
             .help =
                 "Which priority leaves next: strict (7 first), weighted round robin by packets, "
                 "or deficit weighted round robin by bytes.",
             .fallback = "strict",
             .choices = "strict|wrr|dwrr"},
    key_info{.path = "nodes.<host>.vswitch.weights",
             .forms = form_list | form_names,
             .help =
                 "Of wrr (packets a round) and dwrr (quanta of bytes a round): a list for "
                 "priorities 0, 1, 2..., or a map from priority to weight. Those not named have 1.",
             .fallback = "[1, 1, 1, 1, 1, 1, 1, 1]",
             .example = "weights: {0: 1, 3: 4}"},
    key_info{.path = "nodes.<host>.vswitch.weights[]",
             .forms = form_integer,
             .help = "A weight.",
             .range = "1..1000000"},
    key_info{.path = "nodes.<host>.vswitch.weights.<priority>",
             .forms = form_integer,
             .help = "The weight of a priority, 0 to 7.",
             .range = "1..1000000"},
    key_info{.path = "nodes.<host>.nic", .forms = form_map, .help = "The NIC."},
    key_info{.path = "nodes.<host>.nic.rx-buffer",
             .forms = form_size,
             .help = "Buffer of what comes from the line.",
             .fallback = "512KiB",
             .range = buffers},
    key_info{.path = "nodes.<host>.nic.tx-buffer",
             .forms = form_size,
             .help = "Buffer of what goes to the line.",
             .fallback = "512KiB",
             .range = buffers},
    key_info{.path = "nodes.<host>.nic.dma",
             .forms = form_map,
             .help = "How the NIC reads what it sends from the host's memory: by buffers, "
                     "descriptors and transactions of the bus. Without it the bus costs its rate "
                     "and its latency.",
             .example = "dma: {transfers: split, set-up: 60ns}"},
    key_info{.path = "nodes.<host>.nic.dma.transfers",
             .forms = form_choice,
             .help = "single: a packet is one buffer, which the stack has asked for with room for "
                     "the header. split: header and payload are two.",
             .fallback = "single",
             .choices = "single|split"},
    key_info{.path = "nodes.<host>.nic.dma.header",
             .forms = form_size,
             .help = "With split: bytes of a frame that are in the first buffer.",
             .fallback = "54B",
             .range = "14B..4KiB"},
    key_info{.path = "nodes.<host>.nic.dma.descriptor",
             .forms = form_size,
             .help = "A buffer's descriptor, which is read before it.",
             .fallback = "16B",
             .range = "1B..4KiB"},
    key_info{.path = "nodes.<host>.nic.dma.fetch",
             .forms = form_integer,
             .help = "Descriptors that one read brings.",
             .fallback = "1",
             .range = "1..1024"},
    key_info{.path = "nodes.<host>.nic.dma.set-up",
             .forms = form_duration,
             .help = "What an operation takes the DMA engine besides the bus.",
             .fallback = "60ns",
             .range = latencies},
    key_info{.path = "nodes.<host>.nic.scheduler",
             .forms = form_choice,
             .help = "Which priority leaves next.",
             .fallback = "strict",
             .choices = "strict|wrr|dwrr"},
    key_info{.path = "nodes.<host>.nic.weights",
             .forms = form_list | form_names,
             .help = "Of wrr and dwrr, as for the virtual switch.",
             .fallback = "[1, 1, 1, 1, 1, 1, 1, 1]",
             .like = "nodes.<host>.vswitch.weights"},
    key_info{
        .path = "nodes.<host>.pcie", .forms = form_map, .help = "The bus between bridge and NIC."},
    key_info{.path = "nodes.<host>.pcie.rate",
             .forms = form_rate,
             .help = "Bits per second in each direction.",
             .fallback = "128Gbit",
             .range = line_rates},
    key_info{.path = "nodes.<host>.pcie.latency",
             .forms = form_duration,
             .help = "One way.",
             .fallback = "500ns",
             .range = latencies},
    key_info{.path = "nodes.<host>.pcie.posted",
             .forms = form_map,
             .help = "With the policy pcie_credit: credits that the host grants for what the NIC "
                     "writes into it.",
             .example = "posted: {headers: 64, data: 1024}"},
    key_info{.path = "nodes.<host>.pcie.posted.headers",
             .forms = form_integer,
             .help = "Transactions; 0: without limit.",
             .fallback = "64",
             .range = "0..128"},
    key_info{.path = "nodes.<host>.pcie.posted.data",
             .forms = form_integer,
             .help = "Units of 16 bytes; 0: without limit.",
             .fallback = "1024",
             .range = "0..2048"},
    key_info{.path = "nodes.<host>.pcie.completion",
             .forms = form_map,
             .help = "With the policy pcie_credit: credits that the NIC grants for what it reads "
                     "from the host.",
             .example = "completion: {headers: 64, data: 1024}"},
    key_info{.path = "nodes.<host>.pcie.completion.headers",
             .forms = form_integer,
             .help = "Transactions; 0: without limit.",
             .fallback = "64",
             .range = "0..128"},
    key_info{.path = "nodes.<host>.pcie.completion.data",
             .forms = form_integer,
             .help = "Units of 16 bytes; 0: without limit.",
             .fallback = "1024",
             .range = "0..2048"},
    key_info{.path = "nodes.<host>.pcie.non-posted",
             .forms = form_map,
             .help = "With the policy pcie_credit: credits that the host grants for the NIC's read "
                     "requests.",
             .example = "non-posted: {headers: 32}"},
    key_info{.path = "nodes.<host>.pcie.non-posted.headers",
             .forms = form_integer,
             .help = "Requests; 0: without limit.",
             .fallback = "64",
             .range = "0..128"},
    key_info{.path = "nodes.<host>.pcie.read-request",
             .forms = form_size,
             .help = "What a read request asks for at most.",
             .fallback = "512B",
             .range = "128B..4KiB"},
    key_info{.path = "nodes.<host>.pcie.max-payload",
             .forms = form_size,
             .help = "Of a transaction: what a frame is cut into.",
             .fallback = "256B",
             .range = "128B..4KiB"},
    key_info{.path = "nodes.<host>.pcie.update",
             .forms = form_duration,
             .help = "Credits are given back (UpdateFC) no more often than this.",
             .fallback = "100ns",
             .range = latencies},
    key_info{.path = "nodes.<host>.flow-control",
             .forms = form_map | form_choice,
             .help = "The node's own policies, above the defaults.",
             .fallback = "defaults.flow-control",
             .choices = policies,
             .later = later_policies,
             .like = "defaults.flow-control"},
    key_info{.path = "nodes.<host>.on-off",
             .forms = form_map,
             .help = "The node's own thresholds, above the defaults.",
             .fallback = "defaults.on-off",
             .like = "defaults.on-off"},
    key_info{.path = "nodes.<host>.pfc",
             .forms = form_map,
             .help = "The node's own priority flow control, above the defaults.",
             .fallback = "defaults.pfc",
             .like = "defaults.pfc"},
    key_info{.path = "nodes.<host>.credit-list",
             .forms = form_map,
             .help = "The host's own credit lists, above the defaults.",
             .fallback = "defaults.credit-list",
             .like = "defaults.credit-list"},
    key_info{.path = "nodes.<host>.rate",
             .forms = form_map,
             .help = "How the node's own applications slow down, above the defaults.",
             .fallback = "defaults.rate",
             .like = "defaults.rate"},
    key_info{.path = "nodes.<host>.ecn",
             .forms = form_map,
             .help = "Marking of congestion, of the NIC's receive buffer and the VMs' socket "
                     "buffers. Nothing is dropped.",
             .fallback = "none",
             .like = "nodes.<switch>.ecn",
             .except = "others"},
    key_info{.path = "nodes.<host>.ib",
             .forms = form_map,
             .help = "The node's own credits of InfiniBand, above the defaults.",
             .fallback = "defaults.ib",
             .like = "defaults.ib"},
    key_info{.path = "nodes.<host>.classify",
             .forms = form_map,
             .help = "Of what its VMs replay, above the defaults.",
             .fallback = "defaults.classify",
             .like = "defaults.classify"},

    key_info{.path = "nodes.<switch>",
             .forms = form_map,
             .help = "A physical switch. Its ports are made by its links.",
             .example = "leaf1: {kind: switch, buffer: 4MiB, scheduler: wrr}"},
    key_info{.path = "nodes.<switch>.kind",
             .forms = form_choice,
             .help = "switch",
             .choices = "switch",
             .required = true},
    key_info{.path = "nodes.<switch>.buffer",
             .forms = form_size,
             .help = "All of its memory, divided evenly over its ports unless `port-queue` says "
                     "otherwise.",
             .fallback = "4MiB",
             .range = buffers},
    key_info{.path = "nodes.<switch>.port-queue",
             .forms = form_size,
             .help = "What one port holds: its egress without flow control, its ingress with it.",
             .fallback = "buffer / number of ports",
             .range = buffers},
    key_info{.path = "nodes.<switch>.shared-buffer",
             .forms = form_map,
             .help = "Its ports share the buffer: each ingress port and priority has a reserve, as "
                     "much of the common pool as its threshold lets it, and with pfc the head-room "
                     "of a lossless priority. Links with pfc or none only.",
             .fallback = "each port has its share",
             .example = "shared-buffer: {reserve: 4KiB, shift: 3}"},
    key_info{.path = "nodes.<switch>.shared-buffer.reserve",
             .forms = form_size,
             .help = "Of each ingress port and priority, for itself.",
             .fallback = "4KiB",
             .range = "0B..64GiB"},
    key_info{.path = "nodes.<switch>.shared-buffer.shift",
             .forms = form_integer,
             .help = "The threshold of a port and priority is the free part of the pool divided by "
                     "2^shift. For lossless priorities `pfc.xoff` is a static one instead.",
             .fallback = "3",
             .range = "0..16"},
    key_info{.path = "nodes.<switch>.shared-buffer.xon-offset",
             .forms = form_size,
             .help =
                 "A paused priority goes on when it has so much less than its threshold, and no "
                 "head-room in use.",
             .fallback = "3KiB",
             .range = "0B..64GiB"},
    key_info{.path = "nodes.<switch>.forwarding-delay",
             .forms = form_duration,
             .help = "From ingress to egress queue.",
             .fallback = "300ns",
             .range = latencies},
    key_info{.path = "nodes.<switch>.scheduler",
             .forms = form_choice,
             .help = "Which priority leaves a port next: strict (7 first), weighted round robin by "
                     "packets, or deficit weighted round robin by bytes.",
             .fallback = "strict",
             .choices = "strict|wrr|dwrr"},
    key_info{.path = "nodes.<switch>.weights",
             .forms = form_list | form_names,
             .help = "Of wrr and dwrr, as for the virtual switch.",
             .fallback = "[1, 1, 1, 1, 1, 1, 1, 1]",
             .like = "nodes.<host>.vswitch.weights"},
    key_info{.path = "nodes.<switch>.routes",
             .forms = form_names,
             .help = "Where what is for the nodes at another switch goes next, instead of on a "
                     "shortest path: by the name of that switch, the name of a neighbour.",
             .fallback = "shortest paths; of several, by flow",
             .example = "routes: {leaf3: spine2}"},
    key_info{.path = "nodes.<switch>.routes.<switch>",
             .forms = form_text,
             .help = "The neighbouring switch that it goes to."},
    key_info{.path = "nodes.<switch>.aggregation",
             .forms = form_map,
             .help = "Its parallel links to a neighbour are one: each flow takes one of them, and "
                     "another when that goes down. What is for a partition takes only the ports of "
                     "its set.",
             .fallback = "none: a flow's hash chooses, and what waits for a link waits",
             .example = "aggregation: {select: round-robin, partitions: {h1/vm1: [p1, p2]}}"},
    key_info{.path = "nodes.<switch>.aggregation.select",
             .forms = form_choice,
             .help = "Which port of its set a new flow takes: by its hash, the one to which the "
                     "fewest bytes went lately, or the next one.",
             .fallback = "hash",
             .choices = "hash|least-loaded|round-robin"},
    key_info{.path = "nodes.<switch>.aggregation.partitions",
             .forms = form_names,
             .help =
                 "The ports for what goes to an endpoint, by its name; `h/vm[1-8]` are several, "
                 "each with that set. What is for others takes all ports that lead there.",
             .fallback = "none: any port that leads there",
             .example = "partitions: {h1/vm1: [p1, p2], h2/vm1: [p2, p3]}"},
    key_info{.path = "nodes.<switch>.aggregation.partitions.<endpoint>",
             .forms = form_text | form_list,
             .help = "Ports of this switch that lead to the endpoint, all to the same neighbour."},
    key_info{.path = "nodes.<switch>.aggregation.partitions.<endpoint>[]",
             .forms = form_text,
             .help = "A port, for example p1."},
    key_info{.path = "nodes.<switch>.aggregation.down-delay",
             .forms = form_duration,
             .help = "From the loss of a port's carrier until the port leaves its sets.",
             .fallback = "0ns",
             .range = "0ps..1min"},
    key_info{.path = "nodes.<switch>.aggregation.up-delay",
             .forms = form_duration,
             .help = "From the return of its carrier until it is back in them.",
             .fallback = "0ns",
             .range = "0ps..1min"},
    key_info{.path = "nodes.<switch>.aggregation.load-window",
             .forms = form_duration,
             .help = "With least-loaded: after each such time what went to a port counts for half.",
             .fallback = "1ms",
             .range = "1us..1min"},
    key_info{.path = "nodes.<switch>.flow-control",
             .forms = form_map | form_choice,
             .help = "The node's own policies, above the defaults; `nic-fabric` is the one that a "
                     "switch has.",
             .fallback = "defaults.flow-control",
             .choices = policies,
             .later = later_policies,
             .like = "defaults.flow-control"},
    key_info{.path = "nodes.<switch>.on-off",
             .forms = form_map,
             .help = "The node's own thresholds, above the defaults.",
             .fallback = "defaults.on-off",
             .like = "defaults.on-off"},
    key_info{.path = "nodes.<switch>.ecn",
             .forms = form_map,
             .help = "Marking of congestion (RFC 3168) by random early detection, of each egress "
                     "queue: of the port, or with pfc or shared-buffer of the port and priority.",
             .fallback = "none",
             .example = "ecn: {min: 100KiB, max: 400KiB, mark: 10%}"},
    key_info{.path = "nodes.<switch>.ecn.min",
             .forms = form_size,
             .help = "A packet that finds no more than this in the queue is left alone.",
             .fallback = "100KiB",
             .range = "0B..64GiB"},
    key_info{.path = "nodes.<switch>.ecn.max",
             .forms = form_size,
             .help = "One that finds this much or more is marked. Not below `min`.",
             .fallback = "400KiB",
             .range = "0B..64GiB"},
    key_info{.path = "nodes.<switch>.ecn.mark",
             .forms = form_percent,
             .help = "The share that is marked just below `max`; it grows evenly from `min` on.",
             .fallback = "10%",
             .range = "0%..100%"},
    key_info{.path = "nodes.<switch>.ecn.others",
             .forms = form_choice,
             .help =
                 "What becomes of packets that may not be marked (their IP header says so), in a "
                 "priority that is not lossless.",
             .fallback = "drop",
             .choices = "drop|pass"},
    key_info{.path = "nodes.<switch>.pfc",
             .forms = form_map,
             .help = "The node's own priority flow control, above the defaults.",
             .fallback = "defaults.pfc",
             .like = "defaults.pfc"},
    key_info{.path = "nodes.<switch>.ib",
             .forms = form_map,
             .help = "The node's own credits of InfiniBand, above the defaults.",
             .fallback = "defaults.ib",
             .like = "defaults.ib"},
    key_info{.path = "nodes.<switch>.classify",
             .forms = form_map,
             .help = "Classification at this node.",
             .status = planned},

    key_info{.path = "nodes.<generator>",
             .forms = form_map,
             .help = "A bare port that sends, with no host inside, for fabric tests.",
             .example = "gen1: {kind: generator}"},
    key_info{.path = "nodes.<generator>.kind",
             .forms = form_choice,
             .help = "generator",
             .choices = "generator",
             .required = true},
    key_info{.path = "nodes.<generator>.flow-control",
             .forms = form_map | form_choice,
             .help = "The node's own policies, above the defaults.",
             .fallback = "defaults.flow-control",
             .choices = policies,
             .later = later_policies,
             .like = "defaults.flow-control"},
    key_info{.path = "nodes.<generator>.on-off",
             .forms = form_map,
             .help = "The node's own thresholds, above the defaults.",
             .fallback = "defaults.on-off",
             .like = "defaults.on-off"},
    key_info{.path = "nodes.<generator>.pfc",
             .forms = form_map,
             .help = "The node's own priority flow control, above the defaults.",
             .fallback = "defaults.pfc",
             .like = "defaults.pfc"},
    key_info{.path = "nodes.<generator>.rate",
             .forms = form_map,
             .help = "How the node's own applications slow down, above the defaults.",
             .fallback = "defaults.rate",
             .like = "defaults.rate"},
    key_info{.path = "nodes.<generator>.ib",
             .forms = form_map,
             .help = "The node's own credits of InfiniBand, above the defaults.",
             .fallback = "defaults.ib",
             .like = "defaults.ib"},

    key_info{.path = "nodes.<sink>",
             .forms = form_map,
             .help = "A bare port that receives.",
             .example = "sink1: {kind: sink, drain: 5Gbit}"},
    key_info{.path = "nodes.<sink>.kind",
             .forms = form_choice,
             .help = "sink",
             .choices = "sink",
             .required = true},
    key_info{.path = "nodes.<sink>.drain",
             .forms = form_rate,
             .help = "How fast it reads.",
             .fallback = "everything as it comes",
             .range = line_rates},
    key_info{.path = "nodes.<sink>.buffer",
             .forms = form_size,
             .help = "What waits for being read.",
             .fallback = "512KiB",
             .range = buffers},
    key_info{.path = "nodes.<sink>.flow-control",
             .forms = form_map | form_choice,
             .help = "The node's own policies, above the defaults.",
             .fallback = "defaults.flow-control",
             .choices = policies,
             .later = later_policies,
             .like = "defaults.flow-control"},
    key_info{.path = "nodes.<sink>.on-off",
             .forms = form_map,
             .help = "The node's own thresholds, above the defaults.",
             .fallback = "defaults.on-off",
             .like = "defaults.on-off"},
    key_info{.path = "nodes.<sink>.pfc",
             .forms = form_map,
             .help = "The node's own priority flow control, above the defaults.",
             .fallback = "defaults.pfc",
             .like = "defaults.pfc"},
    key_info{.path = "nodes.<sink>.ib",
             .forms = form_map,
             .help = "The node's own credits of InfiniBand, above the defaults.",
             .fallback = "defaults.ib",
             .like = "defaults.ib"},

    // -- links ----------------------------------------------------------------------------------
    key_info{.path = "links",
             .forms = form_list,
             .help = "The cables, each between two nodes.",
             .example = "links:\n  - h1 -- leaf1\n  - h2 -- leaf1:p2\n  - {endpoints: "
                        "[\"leaf1:p49\", \"leaf2:p49\"], rate: 100Gbit, delay: 2us}"},
    key_info{.path = "links[]",
             .forms = form_text | form_map,
             .help = "`a -- b`, each end a node or `node:port`. A host's port is nic0, all others "
                     "have p1, p2...; a port that is not named is the lowest free one."},
    key_info{.path = "links[].endpoints",
             .forms = form_text | form_list,
             .help = "The two ends: `[a, b]` or `a -- b`.",
             .required = true},
    key_info{.path = "links[].endpoints[]", .forms = form_text, .help = "A node or `node:port`."},
    key_info{.path = "links[].rate",
             .forms = form_rate,
             .help = "Bits per second on the line, everything counted.",
             .fallback = "defaults.link.rate",
             .range = line_rates},
    key_info{.path = "links[].delay",
             .forms = form_duration,
             .help = "Propagation delay, one way.",
             .fallback = "defaults.link.delay",
             .range = latencies},
    key_info{.path = "links[].flow-control",
             .forms = form_choice,
             .help =
                 "Of this link in both directions, whatever its nodes want; for the place where "
                 "one kind of flow control ends and another begins.",
             .fallback = "what both nodes have as `nic-fabric`",
             .choices = link_policies,
             .later = later_policies},
    key_info{.path = "links[].mtu",
             .forms = form_integer | form_size,
             .help = "Largest IP packet; frames may have 18 bytes more.",
             .fallback = "defaults.link.mtu",
             .range = "68..65535 68B..65535B"},

    // -- traffic --------------------------------------------------------------------------------
    key_info{.path = "traffic",
             .forms = form_names,
             .help =
                 "What is sent: replayed captures and generators, by name. The name is the flow's "
                 "label in every result.",
             .example = "traffic:\n  web: {generate: {rate: 3Gbit}, from: h1/vm1, to: h3/vm4}"},
    key_info{.path = "traffic.<entry>",
             .forms = form_map,
             .help = "One replay or one generator.",
             .example = "storage:\n  replay: captures/redis.pcapng\n  map: {10.99.0.1: h1/vm1, "
                        "10.99.0.2: h3/vm4}\n  speed: 4x"},
    key_info{.path = "traffic.<entry>.replay",
             .forms = form_text,
             .help = "A pcap or pcapng file, relative to the file that says so."},
    key_info{.path = "traffic.<entry>.map",
             .forms = form_names,
             .help = "Which address in the capture is which endpoint. Without it, `from` and `to` "
                     "hold for all packets.",
             .example = "map: {10.99.0.1: h1/vm1, 10.99.0.2: h3/vm4}"},
    key_info{.path = "traffic.<entry>.map.<address>",
             .forms = form_text,
             .help = "The endpoint that an IPv4, IPv6 or MAC address stands for."},
    key_info{.path = "traffic.<entry>.filter",
             .forms = form_text,
             .help = "Only these packets of the capture (BPF, as in tcpdump).",
             .fallback = "all",
             .example = "filter: tcp port 6379"},
    key_info{.path = "traffic.<entry>.speed",
             .forms = form_factor | form_choice,
             .help = "How much faster than captured.",
             .fallback = "1x",
             .choices = "as-fast-as-possible",
             .range = "0.000001x..1000000x"},
    key_info{.path = "traffic.<entry>.rate",
             .forms = form_rate,
             .help = "Instead of `speed`: frame bits per second of the whole filtered capture.",
             .range = "1bit..100Tbit"},
    key_info{.path = "traffic.<entry>.pps",
             .forms = form_count,
             .help = "Instead of `speed`: packets per second of the whole filtered capture.",
             .range = "1..100G"},
    key_info{.path = "traffic.<entry>.max-gap",
             .forms = form_duration,
             .help = "Longer pauses in the capture shrink to this, before `speed` applies.",
             .fallback = "no limit",
             .range = "0ps.."},
    key_info{.path = "traffic.<entry>.repeat",
             .forms = form_integer,
             .help = "How often the capture is played, one after the other.",
             .fallback = "1",
             .range = "1..4294967295"},
    key_info{
        .path = "traffic.<entry>.oversize",
        .forms = form_choice,
        .help = "What becomes of captured frames larger than the line's MTU allows (TSO, GRO).",
        .fallback = "split",
        .choices = "split|drop"},
    key_info{.path = "traffic.<entry>.generate",
             .forms = form_map,
             .help = "Synthetic packets; exactly one of `rate` and `pps` says how many.",
             .example = "generate: {size: imix, rate: 30%, arrivals: poisson}"},
    key_info{.path = "traffic.<entry>.generate.size",
             .forms = form_size | form_choice,
             .help = "Frame bytes, or imix: 7 of 60, 4 of 590 and 1 of 1514 bytes.",
             .fallback = "1500B",
             .choices = "imix",
             .range = "60B..65553B"},
    key_info{.path = "traffic.<entry>.generate.rate",
             .forms = form_rate | form_percent,
             .help = "Frame bits per second of each producer, or the share of its line, everything "
                     "counted.",
             .range = "1bit..100Tbit 0.0001%..100%"},
    key_info{.path = "traffic.<entry>.generate.pps",
             .forms = form_count,
             .help = "Packets per second of each producer.",
             .range = "1..100G"},
    key_info{.path = "traffic.<entry>.generate.arrivals",
             .forms = form_choice,
             .help =
                 "When packets come: evenly spaced, at random (Poisson), or in bursts at line rate "
                 "with silence between them.",
             .fallback = "constant",
             .choices = "constant|poisson|burst"},
    key_info{.path = "traffic.<entry>.generate.burst",
             .forms = form_count | form_packets,
             .help = "Packets in a burst, with `arrivals: burst`.",
             .fallback = "32",
             .range = "1..16M 1p..16000000p"},
    key_info{.path = "traffic.<entry>.generate.packets",
             .forms = form_count | form_packets,
             .help = "How many each producer makes.",
             .fallback = "no limit",
             .range = "1.. 1p.."},
    key_info{.path = "traffic.<entry>.generate.ecn",
             .forms = form_choice,
             .help = "Whether its packets may be marked as congested; captured ones say so "
                     "themselves.",
             .fallback = "capable",
             .choices = "capable|none"},
    key_info{.path = "traffic.<entry>.generate.port",
             .forms = form_integer,
             .help = "Destination port of the packets, for the receiving VM's sockets.",
             .fallback = "one that no socket listens to",
             .range = "1..65535"},
    key_info{.path = "traffic.<entry>.from",
             .forms = form_text | form_list,
             .help = "Who sends: a VM (`h1/vm1`) or a generator, or a list of them."},
    key_info{.path = "traffic.<entry>.from[]", .forms = form_text, .help = "An endpoint."},
    key_info{.path = "traffic.<entry>.to",
             .forms = form_text | form_list,
             .help = "Who receives: a VM or a sink, or a list of them. `h/vm[1-2000]` are many."},
    key_info{.path = "traffic.<entry>.to[]", .forms = form_text, .help = "An endpoint."},
    key_info{.path = "traffic.<entry>.pick",
             .forms = form_choice,
             .help = "Which of several destinations the next packet takes.",
             .fallback = "random",
             .choices = "random|round-robin"},
    key_info{.path = "traffic.<entry>.cast",
             .forms = form_choice,
             .help =
                 "Behind an elastic FIFO. multicast: each packet goes to all of `to`, which are "
                 "VMs of one host; broadcast: to all VMs of that host. unknown, arp: to one, but "
                 "the assist engine has to find out to which. captured: each frame of a replay as "
                 "its addresses say.",
             .fallback = "unicast",
             .choices = "unicast|unknown|arp|multicast|broadcast|captured"},
    key_info{.path = "traffic.<entry>.credits",
             .forms = form_map,
             .help =
                 "Credit lists (WO 00/41365) between the applications at both ends, which are VMs: "
                 "the receiver tells the sender the sizes of its receive buffers, and the sender "
                 "cuts its data by them. What the entry makes are send requests.",
             .example = "credits: {when: adaptive, buffers: 64, buffer: 1514B, work: 1us}"},
    key_info{
        .path = "traffic.<entry>.credits.when",
        .forms = form_choice,
        .help = "When another list goes: after the first, the middle or the last buffer of the "
                "one before was filled; after one that suits the rate of use (adaptive); at a time "
                "by that rate (timed) or by a filter (predictive); as first or last by what "
                "remains to be sent (switching). never: no lists; a packet without buffer breaks "
                "the connection. window: no lists, but a window of a transport buffer, as TCP has.",
        .fallback = "adaptive",
        .choices = "first|middle|last|adaptive|timed|predictive|switching|never|window"},
    key_info{.path = "traffic.<entry>.credits.window",
             .forms = form_size,
             .help = "With `when: window`: the receiver's transport buffer, out of which the "
                     "application copies.",
             .fallback = "64KiB",
             .range = "1514B..1GiB"},
    key_info{.path = "traffic.<entry>.credits.in",
             .forms = form_choice,
             .help =
                 "Who cuts requests: the software, which posts a descriptor for each packet, or "
                 "the I/O device, which has one for the request.",
             .fallback = "software",
             .choices = "software|device"},
    key_info{.path = "traffic.<entry>.credits.by",
             .forms = form_choice,
             .help =
                 "How a list travels: a message, shared memory of one host, a write into the "
                 "sender's memory, the options of a TCP segment. Each has its time, and holds so "
                 "many credits.",
             .fallback = "message",
             .choices = "message|shared-memory|rdma|tcp-options"},
    key_info{.path = "traffic.<entry>.credits.buffers",
             .forms = form_integer,
             .help = "Receive buffers of a connection.",
             .fallback = "64",
             .range = "1..65536"},
    key_info{.path = "traffic.<entry>.credits.buffer",
             .forms = form_size,
             .help = "Size of a receive buffer; the largest one, with `smallest`.",
             .fallback = "1514B",
             .range = "1B..65553B"},
    key_info{.path = "traffic.<entry>.credits.smallest",
             .forms = form_size,
             .help = "Sizes of receive buffers are drawn from here up to `buffer`.",
             .fallback = "as `buffer`",
             .range = "1B..65553B"},
    key_info{.path = "traffic.<entry>.credits.per-list",
             .forms = form_integer,
             .help = "Credits of a list, at most; TCP options hold 9.",
             .fallback = "as many as buffers, or as its way holds",
             .range = "1..65536"},
    key_info{.path = "traffic.<entry>.credits.first-list",
             .forms = form_integer,
             .help = "So many credits are enough for the first list, if the sender has some.",
             .fallback = "as `per-list`",
             .range = "1..65536"},
    key_info{.path = "traffic.<entry>.credits.lists",
             .forms = form_integer,
             .help = "Buffers of the sender for credit lists: so many may be on their way.",
             .fallback = "1",
             .range = "1..64"},
    key_info{
        .path = "traffic.<entry>.credits.work",
        .forms = form_duration,
        .help =
            "Time of the receiving application for a buffer, until it asks for data in another.",
        .fallback = "0ns"},
    key_info{.path = "traffic.<entry>.credits.limit",
             .forms = form_rate,
             .help = "The most that each sender may send, kept by withholding credits.",
             .fallback = "none",
             .range = "1kbit..100Tbit"},
    key_info{.path = "traffic.<entry>.credits.burst",
             .forms = form_size,
             .help = "So much a sender may be ahead of `limit`.",
             .fallback = "64KiB",
             .range = "0B..1GiB"},
    key_info{
        .path = "traffic.<entry>.credits.steady",
        .forms = form_percent,
        .help = "`switching` changes its mode only while intervals of use differ by less than this "
                "from their mean.",
        .fallback = "100%"},
    key_info{.path = "traffic.<entry>.credits.latency",
             .forms = form_duration,
             .help = "Of a list, from the receiver to the sender.",
             .fallback = "5us"},
    key_info{.path = "traffic.<entry>.credits.per-message",
             .forms = form_duration,
             .help = "Time of the receiver for a list.",
             .fallback = "1us, by shared memory 50ns, rdma 300ns, tcp-options 100ns"},
    key_info{.path = "traffic.<entry>.credits.poll",
             .forms = form_duration,
             .help = "How often the sender looks for lists; 0ns: it is notified.",
             .fallback = "0ns, by shared memory 200ns, rdma 1us"},
    key_info{.path = "traffic.<entry>.credits.post",
             .forms = form_duration,
             .help = "Time of the sender to post a descriptor and ring its doorbell.",
             .fallback = "100ns"},
    key_info{.path = "traffic.<entry>.credits.send-queue",
             .forms = form_integer,
             .help = "Requests that the sending application may have posted; it waits beyond that.",
             .fallback = "64",
             .range = "1..65536"},
    key_info{.path = "traffic.<entry>.priority",
             .forms = form_integer,
             .help = "Of its packets; 7 is the highest.",
             .fallback = "0",
             .range = "0..7"},
    key_info{.path = "traffic.<entry>.start",
             .forms = form_duration,
             .help = "When it begins.",
             .fallback = "0ps",
             .range = "0ps.."},
    key_info{.path = "traffic.<entry>.stop",
             .forms = form_duration,
             .help = "When it ends.",
             .fallback = "the end of the run",
             .range = "1ps.."},
    key_info{.path = "traffic.<entry>.on-stop",
             .forms = form_choice,
             .help =
                 "While flow control stops the producer: queue keeps the schedule, and its packets "
                 "wait with it; shift moves the rest of the schedule by the time it was stopped, "
                 "as for an application blocked in send.",
             .fallback = "queue",
             .choices = "queue|shift"},

    // -- events ---------------------------------------------------------------------------------
    key_info{.path = "events",
             .forms = form_list,
             .help = "Changes at a time.",
             .example =
                 "events:\n  - {at: 50ms, set: h3/vm4.drain, to: 1Gbit, for: 20ms}\n  - {at: "
                 "120ms, link: \"leaf1:p49 -- leaf2:p49\", state: down, for: 1ms}"},
    key_info{.path = "events[]",
             .forms = form_map,
             .help = "`set` and `to`, or `link` or `port` and `state`, or `inject` and `on`."},
    key_info{.path = "events[].at",
             .forms = form_duration,
             .help = "When.",
             .range = "0ps..",
             .required = true},
    key_info{.path = "events[].set",
             .forms = form_text,
             .help =
                 "What changes: `host/vm.drain`, `sink.drain`, or `entry.rate` of a generator's "
                 "traffic entry.",
             .example = "set: h3/vm4.drain"},
    key_info{.path = "events[].to",
             .forms = form_rate,
             .help = "The new value of `set`.",
             .range = drains},
    key_info{.path = "events[].link",
             .forms = form_text,
             .help = "The link that changes, as in `links`, with or without ports.",
             .example = "link: \"leaf1:p49 -- leaf2:p49\""},
    key_info{.path = "events[].state",
             .forms = form_choice,
             .help =
                 "down: the link carries nothing, and what is on it is lost. stopped: the "
                 "controller tells whoever sends into the port to stop; nothing is lost by that. "
                 "started: it tells them to go on.",
             .choices = "down|stopped|started",
             .later = "up"},
    key_info{.path = "events[].port",
             .forms = form_text,
             .help = "The port of a virtual switch that the controller stops or starts.",
             .example = "port: \"h1.vswitch:vm1\""},
    key_info{.path = "events[].for",
             .forms = form_duration,
             .help = "How long; then it is as before.",
             .fallback = "to the end of the run",
             .range = "1ps.."},
    key_info{.path = "events[].inject",
             .forms = form_choice,
             .help = "Frames that the port `on` sends to its peer besides its own: pfc-pause holds "
                     "the priorities `priority` of the peer, pause (IEEE 802.3x) the whole link. "
                     "Refreshed as long as it takes, with a frame that ends it; or, with `quanta`, "
                     "just the frames that are asked for.",
             .choices = "pfc-pause|pause",
             .example = "{at: 90ms, inject: pfc-pause, on: \"leaf2:p1\", priority: 3, for: 200us}"},
    key_info{.path = "events[].on",
             .forms = form_text,
             .help =
                 "The port that sends what `inject` says: `leaf2:p1`, `h1:nic0`, or the name of "
                 "a sink.",
             .example = "on: \"leaf2:p1\""},
    key_info{.path = "events[].priority",
             .forms = form_integer | form_list,
             .help = "The priority, or priorities, that `inject` is about.",
             .range = "0..7"},
    key_info{.path = "events[].priority[]",
             .forms = form_integer,
             .help = "A priority.",
             .range = "0..7"},
    key_info{.path = "events[].quanta",
             .forms = form_integer,
             .help = "Of each injected frame, in times of 512 bits; 0 lets go.",
             .range = "0..65535"},
    key_info{.path = "events[].every",
             .forms = form_duration,
             .help = "With `quanta`: another frame so often, until `for` is over.",
             .fallback = "one frame",
             .range = latencies},

    // -- taps -----------------------------------------------------------------------------------
    key_info{.path = "taps",
             .forms = form_names,
             .help = "What passes a port, as pcapng for Wireshark: packets, and the frames that "
                     "hold a port, with the reason as their comment.",
             .example = "taps: {spine: {on: \"leaf2:p49\", filter: \"udp port 4791\"}}"},
    key_info{.path = "taps.<tap>",
             .forms = form_map,
             .help = "A tap; its name is the file's, unless `file` says another."},
    key_info{.path = "taps.<tap>.on",
             .forms = form_text,
             .help = "The port: the end of a link (`leaf2:p49`; `sink1`, if it has one only), or a "
                     "VM (`h1/vm1`): its NIC, as its own kernel sees it.",
             .required = true},
    key_info{.path = "taps.<tap>.direction",
             .forms = form_choice,
             .help = "What the port receives (in), sends (out), or both.",
             .fallback = "both",
             .choices = "both|in|out"},
    key_info{.path = "taps.<tap>.filter",
             .forms = form_text,
             .help = "Only what matches this BPF expression (pcap-filter).",
             .fallback = "everything"},
    key_info{.path = "taps.<tap>.file",
             .forms = form_text,
             .help = "Where it goes, from where the program runs; `-` is the standard output.",
             .fallback = "the tap's name with .pcapng, in the directory of --out or else here"},
    key_info{.path = "taps.<tap>.snap",
             .forms = form_size,
             .help = "So much is kept of each frame.",
             .fallback = "all of it",
             .range = "64B..64KiB"},
    key_info{.path = "taps.<tap>.epoch",
             .forms = form_integer,
             .help = "Virtual time 0, in seconds since 1970.",
             .fallback = "0",
             .range = "0..4294967295"},

    // -- expect ---------------------------------------------------------------------------------
    key_info{.path = "expect",
             .forms = form_list,
             .help = "What must hold at the end; the summary prints each with the measured value.",
             .example =
                 "expect:\n  - drops{priority=3} == 0\n  - delivered{flow=storage} == 100%\n  - "
                 "latency{flow=storage} p99 < 400us\n  - no-deadlock: 5ms"},
    key_info{.path = "expect[]",
             .forms = form_text | form_map,
             .help = "`metric{label=value} [p50|p99|p99.9|max|mean|min] (==|!=|<|<=|>|>=) "
                     "number-with-unit`; metrics are those of /metrics, without prefix."},
    key_info{
        .path = "expect[].check", .forms = form_text, .help = "The same as an item of its own."},
    key_info{.path = "expect[].between",
             .forms = form_list,
             .help = "The time in which `check` must hold.",
             .status = planned},
    key_info{.path = "expect[].no-deadlock",
             .forms = form_duration,
             .help = "The run may not end with packets held and nothing consumed for this long.",
             .range = "1ps.."},
};

std::string_view parent_path(std::string_view path) {
  if (path.size() > 2 && path.substr(path.size() - 2) == "[]")
    return path.substr(0, path.size() - 2);
  const auto dot = path.rfind('.');
  return dot == std::string_view::npos ? std::string_view{} : path.substr(0, dot);
}

bool in_choices(std::string_view choices, std::string_view word) {
  for (const auto c : split_choices(choices))
    if (c == word)
      return true;
  return false;
}

/// The table's tree, made once.
struct key_tree {
  std::map<std::string_view, const key_info*> by_path;
  std::map<std::string_view, std::vector<const key_info*>> children;

  key_tree() {
    std::map<std::string_view, std::vector<const key_info*>> own;
    for (const auto& k : table) {
      by_path.emplace(k.path, &k);
      own[parent_path(k.path)].push_back(&k);
    }
    children[""] = own[""];
    for (const auto& k : table) {
      auto& list = children[k.path];
      list = own[k.path];
      if (!k.like.empty())
        for (const auto* c : own[k.like])
          if (!in_choices(k.except, c->name()))
            list.push_back(c);
    }
  }
};

const key_tree& tree() {
  static const key_tree t;
  return t;
}

struct form_kind {
  form bit;
  quantity::kind kind;
};

constexpr std::array form_kinds{
    form_kind{form_integer, quantity::kind::count},
    form_kind{form_count, quantity::kind::count},
    form_kind{form_factor, quantity::kind::factor},
    form_kind{form_duration, quantity::kind::duration},
    form_kind{form_rate, quantity::kind::rate},
    form_kind{form_size, quantity::kind::size},
    form_kind{form_packets, quantity::kind::packets},
    form_kind{form_percent, quantity::kind::percent},
};

std::string joined(const std::vector<std::string>& parts, std::string_view last) {
  std::string text;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0)
      text += i + 1 == parts.size() ? last : std::string_view{", "};
    text += parts[i];
  }
  return text;
}

std::string range_text(std::string_view range) {
  std::string text;
  while (!range.empty()) {
    const auto space = range.find(' ');
    const auto one = range.substr(0, space);
    range = space == std::string_view::npos ? std::string_view{} : range.substr(space + 1);
    const auto dots = one.find("..");
    const auto low = one.substr(0, dots), high = one.substr(dots + 2);
    text += fmt::format(
        "{}{}", text.empty() ? "" : "; ",
        high.empty() ? fmt::format("from {}", low) : fmt::format("{} to {}", low, high));
  }
  return text;
}

std::string type_text(const key_info& k) {
  std::vector<std::string> parts;
  if (k.forms & form_text)
    parts.emplace_back("text");
  for (const auto& f : form_kinds)
    if (k.forms & f.bit)
      parts.emplace_back(
          f.bit == form_integer || f.bit == form_count
              ? "number"
              : std::string{kind_name(f.kind).substr(kind_name(f.kind).find(' ') + 1)});
  for (const auto c : split_choices(k.choices))
    parts.push_back(fmt::format("`{}`", c));
  if (k.forms & form_list)
    parts.emplace_back("list");
  if (k.forms & (form_map | form_names))
    parts.emplace_back("map");
  return joined(parts, " or ");
}

// -- JSON Schema ------------------------------------------------------------------------------

using json = nlohmann::ordered_json;

json schema_of(const key_info& k);

json object_schema(const std::vector<const key_info*>& children) {
  json o{{"type", "object"}};
  json properties = json::object(), required = json::array();
  for (const auto* c : children) {
    if (c->status == planned || c->name().front() == '<' || c->name() == "[]")
      continue;
    properties[std::string{c->name()}] = schema_of(*c);
    if (c->required)
      required.push_back(c->name());
  }
  o["properties"] = std::move(properties);
  o["additionalProperties"] = false;
  if (!required.empty())
    o["required"] = std::move(required);
  return o;
}

json schema_of(const key_info& k) {
  json any = json::array();
  const auto& children = children_of(k);
  if (k.forms & form_choice) {
    json words = json::array();
    for (const auto c : split_choices(k.choices))
      words.push_back(c);
    any.push_back({{"enum", words}});
  }
  for (const auto& f : form_kinds) {
    if (!(k.forms & f.bit))
      continue;
    if (f.bit == form_integer || f.bit == form_count)
      any.push_back({{"type", "integer"}, {"minimum", 0}});
    if (f.bit != form_integer)
      any.push_back({{"type", "string"}, {"pattern", kind_pattern(f.kind)}});
  }
  if (k.forms & form_text)
    any.push_back({{"type", json::array({"string", "number"})}});
  if (k.forms & form_list) {
    json list{{"type", "array"}};
    if (const auto* item = child_of(k, "[]"))
      list["items"] = schema_of(*item);
    any.push_back(list);
  }
  if (k.forms & form_map)
    any.push_back(object_schema(children));
  if (k.forms & form_names) {
    json values = json::array();
    for (const auto* c : children)
      if (c->name().front() == '<')
        values.push_back(schema_of(*c));
    json o{{"type", "object"}};
    o["additionalProperties"] = values.size() == 1 ? values[0] : json{{"oneOf", values}};
    any.push_back(o);
  }
  // A VM without settings may be written `vm1:`.
  if (k.name() == "<vm>")
    any.push_back({{"type", "null"}});
  json s = any.size() == 1 ? any[0] : json{{"anyOf", any}};
  s["description"] = k.help;
  if (!k.fallback.empty())
    s["description"] = fmt::format("{} Default: {}.", k.help, k.fallback);
  return s;
}

// -- text --------------------------------------------------------------------------------------

void describe(const key_info& k, std::string& out) {
  out += fmt::format("{}\n  {}\n\n", k.path, k.help);
  if (k.status == planned) {
    out += "  Not implemented yet: a scenario with this key is refused.\n";
    return;
  }
  out += fmt::format("  takes     {}\n", type_text(k));
  if (!k.later.empty())
    out += fmt::format("  later     {}\n", k.later);
  for (const auto& f : form_kinds)
    if (k.forms & f.bit && !kind_units(f.kind).empty())
      out += fmt::format("  units     {}\n", kind_units(f.kind));
  if (!k.range.empty())
    out += fmt::format("  range     {}\n", range_text(k.range));
  if (!k.fallback.empty())
    out += fmt::format("  default   {}\n", k.fallback);
  if (k.required)
    out += "  required\n";
  out += fmt::format("  since     {}\n", k.since);
  const auto& children = children_of(k);
  if (!children.empty()) {
    out += "\n  keys in it:\n";
    std::size_t width = 0;
    for (const auto* c : children)
      width = std::max(width, c->name().size());
    for (const auto* c : children) {
      const auto first = c->help.substr(0, c->help.find(". "));
      out += fmt::format("    {:<{}}  {}{}\n", c->name(), width,
                         c->status == planned ? "(not implemented yet) " : "", first);
    }
  }
  if (!k.example.empty()) {
    out += "\n  example:\n";
    for (std::size_t i = 0; i <= k.example.size();) {
      const auto end = std::min(k.example.find('\n', i), k.example.size());
      out += fmt::format("    {}\n", k.example.substr(i, end - i));
      i = end + 1;
    }
  }
}

bool ends_with_path(std::string_view path, std::string_view tail) {
  if (path == tail)
    return true;
  return path.size() > tail.size() && path.substr(path.size() - tail.size()) == tail
         && path[path.size() - tail.size() - 1] == '.';
}

}  // namespace

std::string_view key_info::name() const {
  if (path.size() > 2 && path.substr(path.size() - 2) == "[]")
    return path.substr(path.size() - 2);
  const auto dot = path.rfind('.');
  return dot == std::string_view::npos ? path : path.substr(dot + 1);
}

std::span<const key_info> all_keys() {
  return table;
}

const key_info* find_key(std::string_view path) {
  const auto i = tree().by_path.find(path);
  return i == tree().by_path.end() ? nullptr : i->second;
}

const std::vector<const key_info*>& children_of(const key_info& key) {
  return tree().children.at(key.path);
}

const std::vector<const key_info*>& top_level_keys() {
  return tree().children.at("");
}

const key_info* child_of(const key_info& key, std::string_view name) {
  for (const auto* c : children_of(key))
    if (c->name() == name || (name == "<>" && c->name().front() == '<'))
      return c;
  return nullptr;
}

std::vector<std::string_view> split_choices(std::string_view choices) {
  std::vector<std::string_view> parts;
  while (!choices.empty()) {
    const auto bar = choices.find('|');
    parts.push_back(choices.substr(0, bar));
    choices = bar == std::string_view::npos ? std::string_view{} : choices.substr(bar + 1);
  }
  return parts;
}

std::string expected_text(const key_info& k) {
  std::vector<std::string> parts;
  for (const auto& f : form_kinds) {
    if (!(k.forms & f.bit))
      continue;
    if (f.bit == form_integer)
      parts.emplace_back("a whole number");
    else if (f.bit == form_count)
      parts.emplace_back("a number such as `100` or `100k`");
    else
      parts.push_back(fmt::format("{} such as `{}`", kind_name(f.kind), kind_example(f.kind)));
  }
  for (const auto c : split_choices(k.choices))
    parts.push_back(fmt::format("`{}`", c));
  if (k.forms & form_text)
    parts.emplace_back("text");
  if (k.forms & form_list)
    parts.emplace_back("a list");
  if (k.forms & form_map)
    parts.emplace_back("a map");
  if (k.forms & form_names)
    parts.emplace_back("a map of names");
  return joined(parts, " or ");
}

std::string json_schema() {
  json s{{"$schema", "https://json-schema.org/draft/2020-12/schema"},
         {"title", "Sluice scenario"},
         {"description", "A run of Sluice: nodes, links, traffic, events and expectations."}};
  s.update(object_schema(top_level_keys()));
  // What is required may also come from an included file.
  json alternatives = json::array({json{{"required", json::array({"include"})}}});
  alternatives.push_back({{"required", s["required"]}});
  s["anyOf"] = std::move(alternatives);
  s.erase("required");
  return s.dump(2) + "\n";
}

std::optional<std::string> explain(std::string_view key) {
  std::string out;
  if (key.empty()) {
    out = "The keys of a scenario. `sluice explain KEY` says more about one.\n\n";
    for (const auto* k : top_level_keys())
      out += fmt::format("  {:<12} {}{}\n", k->name(),
                         k->status == planned ? "(not implemented yet) " : "",
                         k->help.substr(0, k->help.find(". ")));
    return out;
  }
  for (const auto& k : table)
    if (k.path == key) {
      describe(k, out);
      return out;
    }
  for (const auto& k : table)
    if (ends_with_path(k.path, key)) {
      if (!out.empty())
        out += '\n';
      describe(k, out);
    }
  if (out.empty())
    return std::nullopt;
  return out;
}

std::optional<std::string> suggest_key(std::string_view key) {
  std::vector<std::string_view> words;
  for (const auto& k : table) {
    words.push_back(k.path);
    if (k.name().front() != '<' && k.name() != "[]")
      words.push_back(k.name());
  }
  if (const auto near = nearest(key, words))
    return std::string{*near};
  return std::nullopt;
}

std::string reference_page() {
  std::string out =
      "# Scenario reference\n\n"
      "Every key of a scenario file. This page is made from the table in `scenarios/keys.cpp`; do "
      "not "
      "edit it: run the tests, and `test_scenarios` says how to make it again. How the keys work "
      "together is told in [scenarios.md](scenarios.md).\n\n"
      "In a path, `<word>` is a name of your choice and `[]` an item of a list.\n\n"
      "## Units\n\n"
      "| value | units | example |\n|---|---|---|\n";
  for (const auto& f : form_kinds)
    if (f.bit != form_integer)
      out += fmt::format("| {} | {} | `{}` |\n",
                         kind_name(f.kind).substr(kind_name(f.kind).find(' ') + 1),
                         f.bit == form_count ? "none, or k, M, G" : kind_units(f.kind),
                         f.bit == form_count ? "100k" : kind_example(f.kind));
  out +=
      "\nDecimal prefixes are powers of ten: a `Gbit` is 10^9 bit/s, a `kB` 1000 bytes. `KiB`, "
      "`MiB` "
      "and `GiB` are powers of two. A number without its unit is an error.\n";

  const auto section = [&](std::string_view title, auto&& belongs) {
    out +=
        fmt::format("\n## {}\n\n| key | takes | default | meaning |\n|---|---|---|---|\n", title);
    std::string examples;
    for (const auto& k : table) {
      if (!belongs(k.path))
        continue;
      std::string meaning{k.help};
      const auto more = [&](const std::string& text) { meaning += ' ' + text; };
      if (!k.like.empty())
        more(fmt::format("Keys: those of `{}`{}.", k.like,
                         k.except.empty()
                             ? ""
                             : fmt::format(" but {}", fmt::join(split_choices(k.except), ", "))));
      if (!k.range.empty())
        more(fmt::format("Range: {}.", range_text(k.range)));
      if (!k.later.empty())
        more(fmt::format("Not implemented yet: {}.", fmt::join(split_choices(k.later), ", ")));
      if (k.required)
        more("Required.");
      if (k.status == planned)
        meaning = "Not implemented yet, refused. " + meaning;
      std::string escaped;
      for (const char c : meaning)
        escaped += c == '|' ? std::string{"\\|"} : std::string(1, c);
      out += fmt::format("| `{}` | {} | {} | {} |\n", k.path, type_text(k),
                         k.fallback.empty() ? "" : fmt::format("{}", k.fallback), escaped);
      if (!k.example.empty())
        examples += fmt::format("{}\n", k.example);
    }
    if (!examples.empty())
      out += fmt::format("\n```yaml\n{}```\n", examples);
  };
  const auto under = [](std::string_view prefix) {
    return [prefix](std::string_view path) {
      return path.substr(0, prefix.size()) == prefix
             && (path.size() == prefix.size() || path[prefix.size()] == '.'
                 || path[prefix.size()] == '[');
    };
  };
  section("The run", [](std::string_view path) {
    const auto head = path.substr(0, path.find_first_of(".["));
    return head == "name" || head == "description" || head == "include" || head == "seed"
           || head == "clock" || head == "speed" || head == "duration" || head == "until";
  });
  section("Defaults", under("defaults"));
  section("Nodes", [](std::string_view path) { return path == "nodes"; });
  section("Hosts and their VMs", under("nodes.<host>"));
  section("Switches", under("nodes.<switch>"));
  section("Generators", under("nodes.<generator>"));
  section("Sinks", under("nodes.<sink>"));
  section("Links", under("links"));
  section("Traffic", under("traffic"));
  section("Events", under("events"));
  section("Taps", under("taps"));
  section("Expectations", under("expect"));
  return out;
}

}  // namespace sluice
