// The engine's main property: whatever the network, the order in which actors are activated, the
// executor and the number of threads change nothing of the result; nothing is lost or made up; and
// a network with flow control and head-room everywhere drops nothing, and no flow
// is reordered.
#include <doctest/doctest.h>
#include <cstdlib>
#include <set>

#include "actors/engine/executor.hpp"
#include "tests/support/drawn_network.hpp"

using namespace sluice;
using namespace sluice::testing;

TEST_CASE("no order of activation and no number of threads changes a result") {
  std::uint64_t lossless = 0, dropped = 0, stopped = 0, noticed = 0, frames = 0, ignored = 0;
  std::uint64_t flow_packets = 0, lost = 0, told = 0, marked = 0, storms = 0;
  std::uint64_t over_limit = 0, no_mbufs = 0, lowered = 0, raised = 0;
  std::uint64_t aggregated = 0, moved = 0, purged = 0, returned = 0;
  // SLUICE_NETWORKS=5000 looks longer; SLUICE_FIRST_NETWORK=8 begins with the one that failed.
  const auto from_environment = [](const char* name, std::uint64_t otherwise) {
    const auto* text = std::getenv(name);
    return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
  };
  const auto networks = from_environment("SLUICE_NETWORKS", often(300));
  for (auto seed = from_environment("SLUICE_FIRST_NETWORK", 1); seed <= networks; ++seed) {
    const auto d = draw(seed);
    CAPTURE(seed);
    run_options o;
    o.threads = 1;
    const auto first = run(d.s, o);
    CHECK(first.violations.empty());
    for (const auto& v : first.violations)
      MESSAGE(v);
    const auto expected = digest(first);
    o.threads = 2;
    CHECK(difference(digest(run(d.s, o)), expected) == "");
    o.random_executor = true;
    for (std::uint64_t order = 0; order < 4; ++order) {
      o.executor_seed = seed * 1000 + order;
      CHECK(difference(digest(run(d.s, o)), expected) == "");
    }
    if (d.lossless) {
      ++lossless;
      for (const auto& c : first.components)
        if (c.counters.dropped_total().packets != 0)
          MESSAGE(c.name, " dropped ", c.counters.dropped_total().packets);
      CHECK(first.dropped.packets == 0);
      if (d.s.until_traffic_done)
        CHECK(first.held.packets == 0);
    }
    for (const auto& f : first.flows)
      CHECK(f.reordered == 0);
    dropped += first.dropped.packets;
    std::set<std::string> with_credits;
    for (const auto& p : first.pause_frames) {
      if (p.credits)
        with_credits.insert(p.from);
      (p.credits ? flow_packets : frames) += p.had.frames;
      lost += p.credits ? p.sent.lost : 0;
      for (const auto& x : p.had.priorities)
        storms += x.storms;
      ignored += p.had.ignored;
    }
    for (const auto& p : first.pauses) {
      stopped += p.sent;
      // Where the receiver decides, it has stopped its sender if it came to its threshold. In hosts
      // the sender does, by what is on its way as well.
      const bool in_host =
          p.on.find('.') != p.on.npos || p.on.find('/') != p.on.npos || p.on.ends_with("-tx");
      if (!in_host && !with_credits.contains(p.on))
        CHECK((p.sent != 0) == (p.closest >= 1));
    }
    for (const auto& a : first.aggregations) {
      for (const auto& p : a.partitions) {
        aggregated += p.flows;
        moved += p.moves;
      }
      for (const auto& p : a.ports) {
        purged += p.purged.packets;
        returned += p.returns;
      }
    }
    for (const auto& p : first.ports)
      noticed += p.stops;
    for (const auto& m : first.mbufs) {
      CHECK(m.most_held <= m.pool);
      for (const auto& c : m.chains) {
        over_limit += c.over_limit;
        no_mbufs += c.exhausted;
        lowered += c.lowered;
        raised += c.raised;
      }
    }
    for (const auto& x : first.rates)
      told += x.notifications;
    for (const auto& f : first.flows)
      marked += f.marked;
  }
  if (networks < 100 || from_environment("SLUICE_FIRST_NETWORK", 1) != 1)
    return;  // somebody looks at a few
  // The draw has to cover what it is for.
  CHECK(lossless > networks / 5);
  CHECK(dropped > 10 * networks);
  CHECK(stopped > 10 * networks);
  CHECK(noticed > networks);
  CHECK(frames > networks);
  CHECK(flow_packets > networks);
  CHECK(told > networks);
  CHECK(storms > networks / 20);
  CHECK(marked > networks);
  CHECK(ignored > networks / 10);
  CHECK(over_limit > networks);
  CHECK(no_mbufs > networks);
  CHECK(lowered > networks / 10);
  CHECK(raised > networks / 100);
  CHECK(aggregated > networks / 2);
  CHECK(moved > networks / 60);
  CHECK(purged > networks / 20);
  CHECK(returned > networks / 20);
  if (networks >= 1000)
    CHECK(lost > 0);
}
