/// \file
/// Who is to blame when a flow is blocked: follows, from hop to hop, who held whom and for how
/// long, until somebody is found who was slow without being held.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "metrics/results.hpp"
#include "traffic/units.hpp"

namespace sluice {

/// `held` could not go on for `time` because `by` had no room.
struct held_edge {
  std::string held, by;
  sim_time time = 0;
};

class blame {
public:
  explicit blame(const std::vector<held_edge>& edges);

  /// How long `who` was held in all.
  sim_time held(const std::string& who) const;

  /// Where that comes from, in picoseconds by component. Of the time for which X held somebody, as
  /// much as X was held itself is passed on to those who held X, in the proportion of their times;
  /// the rest is X's own: it was too slow. The parts add up to `held(who)`. It is an estimate, as
  /// only durations are compared, not moments; it is exact where everything else on the way keeps
  /// up. A circle is charged to where it closes.
  std::map<std::string, double> roots(const std::string& who) const;

private:
  struct hold {
    std::string by;
    double time;
  };
  void pass_on(const std::string& who, double time, std::vector<std::string>& way,
               std::map<std::string, double>& into) const;

  std::map<std::string, std::vector<hold>> held_;
};

/// The shares of `run_time` (times `senders`) for which a flow was blocked, the largest first;
/// what is below a thousandth is left out.
std::vector<blocked_share> shares_of(const std::map<std::string, double>& roots, sim_time run_time,
                                     std::size_t senders);

}  // namespace sluice
