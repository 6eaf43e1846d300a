#include "metrics/conservation.hpp"

#include <fmt/format.h>

namespace sluice {

namespace {

std::string figures(const tally& t) {
  return fmt::format("{} packets ({} B)", t.packets, t.bytes);
}

/// The difference as a signed number: an unsigned one would be unreadable.
std::string off_by(const tally& left, const tally& right) {
  return fmt::format("off by {} packets, {} B",
                     static_cast<std::int64_t>(left.packets - right.packets),
                     static_cast<std::int64_t>(left.bytes - right.bytes));
}

}  // namespace

std::vector<std::string> check_conservation(const run_results& run) {
  std::vector<std::string> wrong;

  if (const auto sum = run.delivered + run.dropped + run.held; run.made != sum)
    wrong.push_back(fmt::format("run: made {}, but delivered {}, dropped {}, held {}: {}",
                                figures(run.made), figures(run.delivered), figures(run.dropped),
                                figures(run.held), off_by(run.made, sum)));

  tally flow_made, flow_delivered, flow_dropped;
  for (const auto& flow : run.flows) {
    flow_made += flow.made;
    flow_delivered += flow.delivered;
    flow_dropped += flow.dropped;
    // What a flow holds is a difference; it is wrong only when it would be negative.
    const auto gone = flow.delivered + flow.dropped;
    if (gone.packets > flow.made.packets || gone.bytes > flow.made.bytes)
      wrong.push_back(fmt::format("flow {}: made {}, but delivered {} and dropped {}", flow.name,
                                  figures(flow.made), figures(flow.delivered),
                                  figures(flow.dropped)));
  }

  tally made, consumed, dropped, held;
  for (const auto& c : run.components) {
    made += c.counters.made;
    consumed += c.counters.consumed;
    dropped += c.counters.dropped_total();
    held += c.counters.held;
    if (!c.counters.conserved()) {
      const auto& n = c.counters;
      wrong.push_back(
          fmt::format("{} {}: in {}, made {}, but out {}, consumed {}, dropped {}, held {}: {}",
                      c.kind, c.name, figures(n.in), figures(n.made), figures(n.out),
                      figures(n.consumed), figures(n.dropped_total()), figures(n.held),
                      off_by(n.in + n.made, n.out + n.consumed + n.dropped_total() + n.held)));
    }
  }

  for (const auto& p : run.pause_frames)
    if (p.sent.frames != p.sent.lost + p.had.frames + p.had.under_way)
      wrong.push_back(
          fmt::format("pause frames {} -> {}: sent {}, but lost {}, had {}, under way {}", p.from,
                      p.to, p.sent.frames, p.sent.lost, p.had.frames, p.had.under_way));

  const auto agree = [&](std::string_view what, const tally& whole, std::string_view parts,
                         const tally& sum) {
    if (whole != sum)
      wrong.push_back(fmt::format("run: {} {}, but its {} add up to {}: {}", what, figures(whole),
                                  parts, figures(sum), off_by(whole, sum)));
  };
  agree("made", run.made, "flows", flow_made);
  agree("delivered", run.delivered, "flows", flow_delivered);
  agree("dropped", run.dropped, "flows", flow_dropped);
  agree("made", run.made, "components", made);
  agree("delivered", run.delivered, "components", consumed);
  agree("dropped", run.dropped, "components", dropped);
  agree("held", run.held, "components", held);
  return wrong;
}

}  // namespace sluice
