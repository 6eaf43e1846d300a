/// \file
/// What a run has to say: gathered from the components' snapshots at its end (or in between, for
/// scrapes), and the only thing that summaries, metrics and expectations read.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "metrics/counters.hpp"
#include "metrics/series.hpp"

namespace sluice {

struct metric_history;

/// One component, e.g. "h1/vm1.socket-tx" or "leaf1:p2".
struct component_result {
  std::string name;
  std::string kind;  ///< "producer", "queue", "hypervisor", "engine", "link", "consumer", ...
  std::string node;  ///< the scenario's node it belongs to; empty for links
  component_counters counters;
  /// For who watches (run_options::depths): the bytes that have arrived and wait here, and the
  /// limits of its buffer.
  std::int64_t waiting_bytes = 0;
  buffer_marks marks;
};

/// One stoppable hop: who was held there, and for how long.
struct pause_result {
  std::string on;              ///< the component whose filling stops its sender
  std::string held;            ///< the port or component that it stops
  int priority = -1;           ///< -1: the policy stops all priorities together
  std::uint64_t sent = 0;      ///< stops that it sent
  std::uint64_t received = 0;  ///< stops that reached the sender
  sim_time paused = 0;         ///< time for which the sender was held
  double closest = 0;          ///< largest occupancy over the threshold at which it is held
};

/// Switches that wait for each other in a circle, and will for ever.
struct deadlock_result {
  sim_time since = 0;              ///< from when on the circle was closed
  std::vector<std::string> links;  ///< "s1:p2 -> s2:p1", each held by the next
};

/// PFC and PAUSE frames on one way of a link; or flow packets with credits, whose transitions are
/// waits for credits.
struct pause_frames_result {
  std::string from, to;       ///< the port that sends them, and the one that obeys
  std::uint8_t expected = 0;  ///< bit p: frames for priority p can come
  pause_counts sent, had;
  bool credits = false;
};

/// A component because of which a flow could not go on, and for which share of the run (0 to 1).
struct blocked_share {
  std::string component;
  double share = 0;
};

/// A source that is told of congestion, and how fast it may send.
struct rate_result {
  std::string source;
  std::uint64_t notifications = 0;
  std::uint64_t lowest_bps = 0, bps = 0;  ///< ever, and at the end
};

/// What the controller knows of a port, from notices.
struct port_result {
  std::string port;
  std::uint64_t stops = 0, starts = 0;  ///< notices of either
  sim_time stopped = 0;                 ///< time between them
  bool is_stopped = false;              ///< at the end
  bool by_command = false;              ///< a stop of its own is in force at the end
};

/// The elastic-FIFO router of a host, engine by engine.
struct router_result {
  struct pool {
    std::string name;  ///< "2048 B", by the largest packet that fits; or "indirect"
    std::uint64_t total = 0, used = 0, most = 0;  ///< buffers: now, of them in use, and ever
    std::uint64_t grown = 0, shrunk = 0;          ///< how often
  };
  std::string host;
  std::uint64_t direct = 0;    ///< packets that had their resources at once
  std::uint64_t refused = 0;   ///< that had not, and went to the elastic FIFO
  std::uint64_t special = 0;   ///< that went there for the assist engine
  std::uint64_t taken = 0;     ///< taken out again
  std::uint64_t assisted = 0;  ///< of the special ones
  std::uint64_t assigned = 0;  ///< connections that they were assigned to
  /// How often the local engine asked for a connection's resources and there were some. When there
  /// are none it may ask again or know better: that depends on how the run goes, and is not
  /// counted.
  std::uint64_t granted = 0;
  sim_time exclusive = 0;  ///< that it had connections for itself, over all of them
  std::uint64_t waiting = 0, most_waiting = 0;  ///< packets on queues of connections
  std::uint64_t longest_queue = 0;              ///< of one connection, ever
  std::uint64_t waits = 0;                      ///< packets that waited for a buffer
  std::int64_t footprint = 0, most_footprint = 0;
  std::vector<pool> pools;
};

/// What both sides of a connection with credit lists have counted.
struct credit_counts {
  std::uint64_t lists = 0, credits = 0, used = 0, wasted_bytes = 0, switches = 0;
  std::uint64_t most_outstanding = 0;  ///< credits that the sender had not used, at most
  sim_time stalled = 0;                ///< the sender had data and no credits
  bool broken = false;
};
/// Of a connection between applications, or of a hop, which is for no flow: its ends are the
/// component that sends and the queue.
struct credit_lists_result {
  std::string flow, from, to;
  credit_counts counts;
};

/// The mbufs of a VM: its pool, and what each remote address had of it. Bytes are those of
/// clusters.
struct mbuf_result {
  struct chain {
    std::string remote;
    std::uint64_t packets = 0;             ///< that came from there, refused or not
    std::int64_t held = 0, most_held = 0;  ///< by it
    std::int64_t limit = 0, lowest_limit = 0;
    sim_time oldest = 0;                    ///< the greatest age of its oldest mbuf, as measured
    std::uint64_t lowered = 0, raised = 0;  ///< times that its limit was
    std::uint64_t over_limit = 0, exhausted = 0;  ///< packets that were refused
  };
  std::string of;
  std::int64_t pool = 0, held = 0, most_held = 0;
  bool limited = false;  ///< whether chains have limits
  std::vector<chain> chains;
};

/// What a NIC has read from its host's memory, for the component that it reads from.
struct dma_result {
  std::string from;
  std::uint64_t packets = 0, operations = 0;
  std::uint64_t fetches = 0;                   ///< reads of descriptors
  std::uint64_t down_bytes = 0, up_bytes = 0;  ///< on the bus: completions to the NIC, requests
};

/// What a switch that aggregates links has chosen.
struct aggregation_result {
  struct port {
    std::string name;
    std::uint64_t leaves = 0, returns = 0;  ///< of its sets
    tally purged;  ///< that waited in its queue when it left, or came for want of another port
  };
  struct partition {
    std::string name;         ///< "h1/vm1", or "others via leaf2"
    std::vector<tally> sent;  ///< by port of the switch, as in `ports`
    std::vector<bool> in_set;
    std::uint64_t flows = 0;  ///< that it chose a port for
    std::uint64_t moves = 0;  ///< flows that got another one, because theirs had left
    tally lost;               ///< all ports of the set were away
  };
  std::string node;
  std::vector<port> ports;  ///< that are in some set
  std::vector<partition> partitions;
};

/// One traffic entry of the scenario.
struct flow_result {
  std::string name;
  tally made, delivered, dropped;  ///< held = made - delivered - dropped
  latency_histogram latency;
  std::uint64_t marked = 0;               ///< delivered, and marked as congested on the way
  std::uint64_t reordered = 0;            ///< delivered after a later packet of the same producer
  sim_time completed = 0;                 ///< the last delivery; 0 without any
  std::vector<blocked_share> blocked_by;  ///< largest first; mean over the flow's senders
};

/// What a replay found in its capture and what it did with it; one for each replay entry.
struct replay_result {
  std::string flow, file;
  std::uint64_t packets = 0, bytes = 0;  ///< in the capture
  std::uint64_t filtered = 0;            ///< not matched by the filter
  std::uint64_t unmapped = 0;            ///< matched by no address of the map
  std::uint64_t sliced = 0;              ///< captured shorter than they were
  std::uint64_t oversize = 0;            ///< larger than the MTU: split or dropped, by the rule
  std::uint64_t split_into = 0;          ///< packets that the oversize ones became
  std::uint64_t backward = 0;            ///< time stamps before their predecessor's
  std::uint64_t not_ethernet = 0;        ///< skipped, or given an Ethernet header, by link type
};

/// A tap: where, into which file, how many frames it saw, how many the file has and in how many
/// bytes, and how many packets the port dropped.
struct tap_result {
  std::string name, on, file;
  std::uint64_t seen = 0, written = 0, file_bytes = 0, dropped = 0;
};

struct run_results {
  std::string scenario;
  std::vector<std::string> set;  ///< what was changed in the file: PATH=VALUE, as it was asked for
  std::uint64_t seed = 0;
  bool real_clock = false;
  unsigned threads = 1;
  sim_time virtual_time = 0;  ///< how far the run came
  double wall_seconds = 0;
  double setup_seconds = 0;  ///< building and starting the actors, before the first packet
  double lag_seconds = 0;    ///< real clock: the most that the run was behind the wall clock
  std::uint64_t fingerprint = 0;
  std::uint64_t packet_hops = 0;
  bool interrupted = false;
  bool over = false;           ///< these are the last ones
  sim_time last_delivery = 0;  ///< virtual time of the last consumption
  tally made, delivered, dropped, held;
  std::vector<flow_result> flows;
  std::vector<component_result> components;  ///< in a fixed order
  std::vector<pause_result> pauses;
  std::vector<pause_frames_result> pause_frames;
  std::optional<deadlock_result> deadlock;
  std::vector<rate_result> rates;
  std::vector<router_result> routers;
  std::vector<credit_lists_result> credit_lists;
  std::vector<mbuf_result> mbufs;
  std::vector<dma_result> dma;
  std::vector<aggregation_result> aggregations;
  std::vector<port_result> ports;  ///< of virtual switches
  std::uint64_t commands = 0;      ///< that the controller has sent
  std::vector<replay_result> replays;
  std::vector<tap_result> taps;
  std::optional<time_series> series;              ///< at the end of a run that was sampled
  std::shared_ptr<const metric_history> history;  ///< likewise, of all metrics
  std::vector<std::string> violations;  ///< conservation or engine errors, each a sentence
  /// What the engine did, for the curious: messages, activations, wants, recoveries.
  struct engine_counts {
    std::uint64_t actors = 0, channels = 0, parcels = 0, wants = 0, activations = 0, recoveries = 0;
  } engine;
};

}  // namespace sluice
