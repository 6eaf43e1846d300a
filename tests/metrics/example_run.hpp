/// \file
/// A small run made by hand: two flows through a lossy queue, a stoppable hop and a consumer, with
/// books that balance. Tests change what they are about.
#pragma once

#include "metrics/expectation.hpp"
#include "metrics/results.hpp"

namespace sluice {

inline run_results example_run() {
  run_results run;
  run.scenario = "example";
  run.seed = 42;
  run.over = true;
  run.threads = 2;
  run.virtual_time = 200 * millisecond;
  run.wall_seconds = 0.5;
  run.fingerprint = 0x9f0c'0000'0000'0001;
  run.packet_hops = 1'000'000;
  run.last_delivery = 199 * millisecond;
  run.made = {110, 110'000};
  run.delivered = {100, 100'000};
  run.dropped = {7, 7'000};
  run.held = {3, 3'000};
  run.engine = {3, 2, 40, 5, 30, 0};

  flow_result storage{"storage", {60, 60'000}, {60, 60'000}, {}, {}};
  for (int i = 1; i <= 60; ++i)
    storage.latency.add(i * microsecond);
  flow_result noise{"noise", {50, 50'000}, {40, 40'000}, {7, 7'000}, {}};
  for (int i = 1; i <= 40; ++i)
    noise.latency.add(i * millisecond);
  run.flows = {storage, noise};

  component_result producer{"h1/vm1.producer", "producer", "h1", {}};
  producer.counters.made = {110, 110'000};
  producer.counters.out = {107, 107'000};
  producer.counters.held = {3, 3'000};
  component_result queue{"h3/vm4.socket.rx", "queue", "h3", {}};
  queue.counters.in = {107, 107'000};
  queue.counters.out = {100, 100'000};
  queue.counters.dropped.of(drop_reason::buffer_full, 0) = {5, 5'000};
  queue.counters.dropped.of(drop_reason::mtu_exceeded, 3) = {2, 2'000};
  queue.counters.max_bytes = 65'536;
  queue.counters.max_packets = 64;
  component_result consumer{"h3/vm4.consumer", "consumer", "h3", {}};
  consumer.counters.in = {100, 100'000};
  consumer.counters.consumed = {100, 100'000};
  run.components = {producer, queue, consumer};

  pause_result socket;
  socket.on = "h3/vm4.socket.rx";
  socket.held = "h3/vm4.vnic";
  socket.sent = socket.received = 4;
  socket.paused = 20 * millisecond;
  pause_result port;
  port.on = "leaf1:p2";
  port.held = "h1:nic0-tx";
  port.priority = 3;
  run.pauses = {socket, port};
  pause_frames_result frames;
  frames.from = "leaf1:p2";
  frames.to = "h1:nic0";
  frames.expected = 1 << 3;
  frames.sent.frames = frames.sent.priorities[3].frames = 6;
  frames.sent.priorities[3].quanta = 4 * 65'535;
  frames.had.frames = frames.had.priorities[3].frames = 5;
  frames.had.priorities[3] = {5, 3 * 65'535, 2, millisecond};
  frames.had.under_way = 1;
  run.pause_frames = {frames};
  replay_result replay;
  replay.flow = "storage";
  replay.file = "captures/redis.pcapng";
  replay.packets = 60;
  replay.bytes = 60'000;
  replay.filtered = 4;
  run.replays = {replay};
  return run;
}

}  // namespace sluice
