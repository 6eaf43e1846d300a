#include "topology/blocked_by.hpp"

#include <algorithm>

namespace sluice {

blame::blame(const std::vector<held_edge>& edges) {
  for (const auto& e : edges)
    if (e.time > 0)
      held_[e.held].push_back({e.by, static_cast<double>(e.time)});
}

sim_time blame::held(const std::string& who) const {
  double sum = 0;
  if (const auto it = held_.find(who); it != held_.end())
    for (const auto& h : it->second)
      sum += h.time;
  return static_cast<sim_time>(sum);
}

std::map<std::string, double> blame::roots(const std::string& who) const {
  std::map<std::string, double> into;
  const auto it = held_.find(who);
  if (it == held_.end())
    return into;
  std::vector<std::string> way{who};
  for (const auto& h : it->second)
    pass_on(h.by, h.time, way, into);
  return into;
}

// `who` held somebody for `time`.
void blame::pass_on(const std::string& who, double time, std::vector<std::string>& way,
                    std::map<std::string, double>& into) const {
  const auto it = held_.find(who);
  if (it == held_.end() || std::find(way.begin(), way.end(), who) != way.end()) {
    into[who] += time;
    return;
  }
  double own = 0;
  for (const auto& h : it->second)
    own += h.time;
  const double passed = std::min(time, own);
  if (time > passed)
    into[who] += time - passed;
  way.push_back(who);
  for (const auto& h : it->second)
    pass_on(h.by, passed * h.time / own, way, into);
  way.pop_back();
}

std::vector<blocked_share> shares_of(const std::map<std::string, double>& roots, sim_time run_time,
                                     std::size_t senders) {
  std::vector<blocked_share> shares;
  if (run_time <= 0 || senders == 0)
    return shares;
  for (const auto& [component, time] : roots) {
    const auto share = time / (static_cast<double>(run_time) * static_cast<double>(senders));
    if (share >= 0.001)
      shares.push_back({component, share});
  }
  std::stable_sort(shares.begin(), shares.end(),
                   [](const auto& a, const auto& b) { return a.share > b.share; });
  return shares;
}

}  // namespace sluice
